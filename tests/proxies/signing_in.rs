//! People come through the proxy: in, on, and out.

use portico::simulator::Person;

use crate::{
    application::Seen,
    proxy::Kind,
    scene::Scene,
    support::{Answer, Ask, Browser, SESSION},
    wire::Request,
};

tell_of_every_proxy! {
    a_page_is_reached_by_signing_in_and_coming_back_to_it
    a_script_without_a_session_learns_it_by_401
    a_form_without_a_session_is_not_lost_on_the_way_to_sign_in
    who_has_too_low_a_role_is_told_which_it_needs
    an_api_is_given_a_token_and_no_other_page_is
    who_signed_out_is_refused_by_the_very_next_request
    who_lost_access_is_refused_by_the_very_next_request
    porticos_own_pages_are_not_the_applications
}

/// Types an e-mail address where Portico asks for it, and signs in; where that ends.
async fn sign_in_at(browser: &mut Browser, box_page: &Answer, person: &Person) -> Answer {
    let form = &box_page.forms()[0];
    let fields = form.filled(&[("login_hint", person.preferred_username())]);
    let query = serde_urlencoded::to_string(fields).unwrap();
    browser.sign_in_from(&format!("{}?{query}", form.action), person).await
}

async fn a_page_is_reached_by_signing_in_and_coming_back_to_it(kind: Kind) {
    let scene = Scene::start(kind).await;
    let mut browser = scene.browser();
    let wanted = "/reports?year=2026&city=Z%C3%BCrich&role=EnterpriseAdmin";

    let asked = browser.open(wanted).await;
    let seen_before = scene.application.take_seen().len();
    let last = sign_in_at(&mut browser, &asked, &scene.bob).await;

    assert_eq!(seen_before, 0);
    assert_eq!((last.status, last.heading().as_str()), (200, "The application"), "{last:?}");
    assert_eq!(last.url, scene.address(wanted));
    let seen = scene.application.take_one();
    assert_eq!(seen.target, wanted);
    let account = scene.acme.scim_id(&scene.bob).await;
    let told = [
        ("x-portico-account", account.as_str()),
        ("x-portico-email", "bob@acme.example"),
        ("x-portico-name", "Bob Example"),
        ("x-portico-organization", "acme"),
        ("x-portico-role", "ReadOnly"),
    ];
    assert_eq!(seen.identity(), told.map(|(name, value)| (name.to_owned(), value)));
    assert_eq!(seen.values("x-portico-access-groups").concat(), "");
    assert_eq!(seen.values("authorization"), [""; 0]);
}

async fn a_script_without_a_session_learns_it_by_401(kind: Kind) {
    let scene = Scene::start(kind).await;
    let scripts = [
        Request::get("/reports").header("Accept", "application/json"),
        Request::get("/reports")
            .header("Accept", "text/html, */*")
            .header("X-Requested-With", "XMLHttpRequest"),
        Request::get("/reports").header("Accept", "*/*").header("Sec-Fetch-Mode", "cors"),
        Request::get("/reports"),
        Request::new("DELETE", "/reports/7").header("Accept", "application/json"),
        Request::new("OPTIONS", "/reports"),
        Request::new("PROPFIND", "/reports"),
    ];

    for script in scripts {
        let reply = script.clone().send(scene.port).await;

        assert_eq!((reply.status, reply.header("location")), (401, None), "{script:?}");
        assert!(reply.body.contains("not_signed_in"), "{reply:?}");
    }
    assert!(scene.application.take_seen().is_empty());
}

async fn a_form_without_a_session_is_not_lost_on_the_way_to_sign_in(kind: Kind) {
    let scene = Scene::start(kind).await;
    let form = Request::new("POST", "/reports").navigating().body(b"year=2026".to_vec());

    let reply = form.send(scene.port).await;

    assert_eq!((reply.status, reply.header("location")), (401, None), "{reply:?}");
    assert!(scene.application.take_seen().is_empty());
}

async fn who_has_too_low_a_role_is_told_which_it_needs(kind: Kind) {
    let scene = Scene::start(kind).await;
    let bob = scene.session_of(&scene.bob).await;
    let ada = scene.session_of(&scene.ada).await;

    let script = Request::get("/admin/people?role=ReadOnly").header("Cookie", bob.as_str());
    let page = script.clone().navigating();
    let script = script.send(scene.port).await;
    let page = page.send(scene.port).await;
    let seen = scene.application.take_seen();
    let role = scene.role_at("/admin/people", &ada).await;

    let reason = "This needs the role Admin or above; yours is ReadOnly.";
    for (reply, kind_of) in [(&script, "application/json"), (&page, "text/html")] {
        assert_eq!(reply.status, 403, "{reply:?}");
        assert!(reply.body.contains(reason), "{reply:?}");
        assert!(reply.header("content-type").unwrap().starts_with(kind_of), "{reply:?}");
    }
    assert!(seen.is_empty());
    assert_eq!(role.as_deref(), Some("Admin"));
}

async fn an_api_is_given_a_token_and_no_other_page_is(kind: Kind) {
    let scene = Scene::start(kind).await;
    let ada = scene.session_of(&scene.ada).await;
    let ask = |path: &str| Request::get(path).header("Cookie", ada.as_str());

    ask("/api/doors").send(scene.port).await;
    let api = scene.application.take_one();
    ask("/reports").send(scene.port).await;
    let page = scene.application.take_one();

    let token = token(&api);
    assert_eq!(token.split('.').count(), 3, "{api:?}");
    assert_eq!(page.values("authorization"), [""; 0]);
}

fn token(seen: &Seen) -> &str {
    let values = seen.values("authorization");
    assert_eq!(values.len(), 1, "{seen:?}");
    values[0].strip_prefix("Bearer ").unwrap()
}

async fn who_signed_out_is_refused_by_the_very_next_request(kind: Kind) {
    let scene = Scene::start(kind).await;
    let mut browser = scene.browser();
    browser.sign_in(&scene.acme, &scene.bob).await;
    let session = format!("{SESSION}={}", browser.cookie(SESSION).unwrap());

    let done = browser.open("/logout").await;
    scene.application.take_seen();
    let with_the_old_cookie =
        Request::get("/reports").header("Cookie", session).send(scene.port).await;
    let page = browser.open("/reports").await;

    assert_eq!(
        (done.heading().as_str(), done.url),
        ("You are signed out", scene.address("/logout/done"))
    );
    assert_eq!(with_the_old_cookie.status, 401);
    assert_eq!(page.url.split('?').next().unwrap(), scene.address("/login"));
    assert!(scene.application.take_seen().is_empty());
}

async fn who_lost_access_is_refused_by_the_very_next_request(kind: Kind) {
    let scene = Scene::start(kind).await;
    let ada = scene.session_of(&scene.ada).await;
    let before = scene.role_at("/admin/people", &ada).await;

    scene.acme.tenant.unassign(scene.acme.client_id, scene.ada.oid);
    scene.acme.provision().await;
    let after = Request::get("/reports").header("Cookie", ada).send(scene.port).await;

    assert_eq!(before.as_deref(), Some("Admin"));
    assert_eq!(after.status, 401);
    assert!(scene.application.take_seen().is_empty());
}

async fn porticos_own_pages_are_not_the_applications(kind: Kind) {
    let scene = Scene::start(kind).await;
    let login = scene.browser().open("/login").await;
    let stylesheet = login.body.split('"').find(|part| part.starts_with("/assets/")).unwrap();
    let connector = format!("/oidc/{}/callback", scene.acme.connector_id());

    for (path, status) in [
        ("/login", 200),
        ("/login/acme", 302),
        ("/logout/done", 200),
        ("/session", 401),
        ("/setup/unknown", 404),
        ("/.well-known/jwks.json", 200),
        ("/favicon.svg", 200),
        (stylesheet, 200),
        (&connector, 400),
    ] {
        let answer = Ask::get(path).send(&scene.address("")).await;

        assert_eq!(answer.status, status, "{path}: {}", answer.body);
    }
    assert!(scene.application.take_seen().is_empty());
}
