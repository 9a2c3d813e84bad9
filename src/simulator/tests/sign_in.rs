//! The pages, the way back, the way out.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_person_signs_in_with_a_password_and_the_application_gets_an_id_token() {
    let scene = Scene::begin();

    let picker = scene.authorize("").await;
    let password = scene.post_login("", &[("login", "ada@acme.example")]).await;
    let back = scene.sign_in("ada@acme.example").await;
    let code = back.parameter("code").unwrap();
    let tokens = scene.redeem(&code, ("", None)).await.json();

    assert!(picker.body.contains("Pick an account") && picker.body.contains("Ada Admin"));
    assert!(password.body.contains("Enter password"));
    assert_eq!(back.parameter("state").as_deref(), Some("s1"));
    let token = tokens["id_token"].as_str().unwrap();
    let (head, claims) = Scene::read(token);
    assert_eq!((&head["alg"], &head["typ"]), (&json!("RS256"), &json!("JWT")));
    assert_eq!(claims["iss"], scene.tenant.authority());
    assert_eq!(claims["aud"], scene.application.client_id.to_string());
    assert_eq!(claims["tid"], scene.tenant.id().to_string());
    let ada = scene.tenant.person("ada@acme.example").unwrap();
    assert_eq!(claims["oid"], ada.oid.to_string());
    assert_eq!(claims["nonce"], "n1");
    assert_eq!(claims["roles"], json!(["Admin"]));
    assert_eq!(claims["sid"], back.parameter("session_state").unwrap());
    assert_eq!(claims.get("email"), None);
    assert!(scene.confirms(token).await);
    scene.simulator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_signed_in_passes_without_a_page_until_signed_out() {
    let scene = Scene::begin();
    let before = scene.authorize("&prompt=none").await;
    scene.sign_in("ada@acme.example").await;

    let silent = scene.authorize("&prompt=none").await;
    let asked_again = scene.authorize("&prompt=login&login_hint=ada@acme.example").await;
    let path = "oauth2/v2.0/logout?state=bye&post_logout_redirect_uri=";
    let out = scene.get(&format!("{path}http%3A%2F%2Flocalhost%3A8080%2Fcallback")).await;
    let after = scene.authorize("&prompt=none").await;

    assert_eq!(before.parameter("error").as_deref(), Some("login_required"));
    assert!(silent.parameter("code").is_some());
    assert!(asked_again.body.contains("Enter password"));
    assert_eq!(out.location.as_deref(), Some("http://localhost:8080/callback?state=bye"));
    assert_eq!(after.parameter("error").as_deref(), Some("login_required"));
}

#[tokio::test(flavor = "multi_thread")]
async fn entra_stops_on_its_own_page_when_it_cannot_trust_the_way_back() {
    let scene = Scene::begin();
    let query = scene.query("");
    let id = scene.application.client_id.to_string();
    let tenant = scene.tenant.id().to_string();
    let cases = [
        (query.replace("callback", "other"), &*tenant, "AADSTS50011"),
        (query.replace(&id, "00000000-0000-4000-8000-000000000000"), &tenant, "AADSTS700016"),
        (query.clone(), "nobody.example", "AADSTS90002"),
        (query.clone(), "common", "AADSTS50194"),
        (format!("{query}&state=again"), &tenant, "AADSTS9000411"),
    ];

    for (query, tenant, error) in cases {
        let origin = scene.simulator.origin();
        let url = format!("{origin}/{tenant}/oauth2/v2.0/authorize?{query}");
        let stopped = scene.send(scene.http.get(url)).await;

        assert_eq!((stopped.status, stopped.location), (400, None), "{error}");
        assert!(stopped.body.contains(error), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_password_page_says_what_is_wrong_and_an_unassigned_person_is_sent_back() {
    let scene = Scene::begin();
    let client_id = scene.application.client_id;
    scene.tenant.change_application(client_id, |a| a.app_role_assignment_required = true);
    let dora = scene.tenant.person("dora@acme.example").unwrap();

    let wrong = [("login", "ada@acme.example"), ("passwd", "wrong")];
    let wrong = scene.post_login("", &wrong).await;
    let disabled = [("login", "dora@acme.example"), ("passwd", dora.password.expose())];
    let disabled = scene.post_login("", &disabled).await;
    let unassigned = scene.sign_in("nona@acme.example").await;

    assert!(wrong.body.contains("AADSTS50126"));
    assert!(disabled.body.contains("AADSTS50057"));
    assert_eq!(unassigned.parameter("error").as_deref(), Some("access_denied"));
    assert!(unassigned.parameter("error_description").unwrap().starts_with("AADSTS50105"));
}

#[tokio::test(flavor = "multi_thread")]
async fn consent_is_asked_for_on_request_and_may_be_declined() {
    let scene = Scene::begin();
    scene.sign_in("ada@acme.example").await;

    let page = scene.authorize("&prompt=consent").await;
    let answer = async |consent| {
        let form = [("login", "ada@acme.example"), ("consent", consent)];
        scene.post_login("&prompt=consent", &form).await
    };
    let [accepted, declined] = [answer("accept").await, answer("cancel").await];

    assert!(page.body.contains("Permissions requested"));
    assert!(accepted.parameter("code").is_some());
    assert_eq!(declined.parameter("error").as_deref(), Some("access_denied"));
    assert!(declined.parameter("error_description").unwrap().starts_with("AADSTS65004"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_always_asked_for_when_the_application_wants_a_new_sign_in() {
    let scene = Scene::begin();
    scene.sign_in("ada@acme.example").await;

    let chosen = scene.post_login("&prompt=login", &[("login", "ada@acme.example")]).await;
    let picked = scene.post_login("&prompt=select_account", &[("login", "ada@acme.example")]).await;

    assert!(chosen.body.contains("Enter password"));
    assert!(picked.parameter("code").is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn names_and_messages_on_the_pages_are_escaped() {
    let scene = Scene::begin();
    let nasty = "<script>alert(1)</script>";

    let page = scene.post_login("", &[("login", nasty)]).await;

    assert!(page.body.contains("AADSTS50034") && !page.body.contains("<script>"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_discovery_document_is_found_by_id_by_domain_and_as_a_template() {
    let scene = Scene::begin();
    let origin = scene.simulator.origin();
    let cases = [
        (scene.tenant.id().to_string(), scene.tenant.authority()),
        ("acme.example".to_owned(), scene.tenant.authority()),
        ("common".to_owned(), format!("{origin}/{{tenantid}}/v2.0")),
    ];

    for (name, issuer) in cases {
        let url = format!("{origin}/{name}/v2.0/.well-known/openid-configuration");
        let document = scene.send(scene.http.get(url)).await.json();

        assert_eq!(document["issuer"], issuer, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn form_post_and_fragment_carry_the_same_answer() {
    let scene = Scene::begin();
    scene.sign_in("ada@acme.example").await;

    let form = scene.authorize("&response_mode=form_post").await.body;
    let fragment = scene.authorize("&response_mode=fragment").await.location.unwrap();

    assert!(form.contains(r#"<input type="hidden" name="state" value="s1">"#), "{form}");
    assert!(form.contains(r#"<form method="post" action="http://localhost:8080/callback">"#));
    assert!(fragment.starts_with("http://localhost:8080/callback#code=1."), "{fragment}");
}

#[tokio::test]
async fn it_listens_beyond_the_own_machine_only_when_told() {
    let options = |allow_non_loopback| SimulatorOptions {
        bind: ([0, 0, 0, 0], 0).into(),
        allow_non_loopback,
        tenants: Vec::new(),
        clock: Clock::system(),
    };

    let refused = SimulatedEntra::start(options(false));
    let allowed = SimulatedEntra::start(options(true));

    assert!(matches!(refused, Err(StartError::NotLoopback(_))));
    assert!(allowed.unwrap().origin().starts_with("http://127.0.0.1:"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_applications_are_told_by_sid_when_a_session_ends() {
    let scene = Scene::begin();
    let url = "http://localhost:8080/frontchannel-logout";
    scene.tenant.change_application(scene.application.client_id, |application| {
        application.front_channel_logout_url = Some(url.into());
    });
    let sid = scene.sign_in("ada@acme.example").await.parameter("session_state").unwrap();

    let page = scene.get("oauth2/v2.0/logout").await;

    assert!(page.body.contains(&format!(r#"src="{url}?sid={sid}""#)), "{}", page.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_has_an_email_and_another_home() {
    let scene = Scene::begin();

    let code = scene.sign_in("gil@guests.example").await.parameter("code").unwrap();
    let tokens = scene.redeem(&code, ("", None)).await.json();

    let claims = Scene::read(tokens["id_token"].as_str().unwrap()).1;
    assert_eq!(claims["email"], "gil@guests.example");
    assert_eq!(claims["preferred_username"], "gil@guests.example");
    assert_ne!(claims["idp"], claims["iss"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_assigned_by_a_group_alone_may_sign_in_with_the_groups_roles() {
    let scene = Scene::begin();
    let client_id = scene.application.client_id;
    scene.tenant.change_application(client_id, |application| {
        application.app_role_assignment_required = true;
    });
    let nona = scene.tenant.person("nona@acme.example").unwrap().oid;
    let crew = scene.tenant.add_group(GroupSeed::new("Crew")).oid;
    scene.tenant.add_member(crew, nona);
    scene.tenant.assign_role(client_id, crew, "User");

    let code = scene.sign_in("nona@acme.example").await.parameter("code").unwrap();
    let answer = scene.redeem(&code, ("", None)).await;

    let (_, claims) = Scene::read(answer.json()["id_token"].as_str().unwrap());
    assert_eq!(claims["roles"], json!(["User"]));
}
