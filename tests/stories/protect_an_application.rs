//! A reverse proxy, a single-page app and an API ask who is there.

use std::{future::poll_fn, task::Poll, time::Duration};

use jiff::SignedDuration;
use jsonwebtoken::{DecodingKey, Validation, jwk::JwkSet};
use portico::{
    domain::connector::RoleSource,
    scim::{dialect::ENTRA, patch::Patch},
    service::provisioning::{Call, Directory, Expected},
    simulator::{Mapping, Person, PersonSeed, RoleMapping},
};
use serde_json::{Value, json};

use crate::support::{Ask, Browser, Options, Organization, SESSION, Service, Terms};

const ROLES: [&str; 4] = ["ReadOnly", "User", "Admin", "EnterpriseAdmin"];

/// Ada of Acme, signed in with a role.
async fn ada(service: &Service, role: &str) -> (Organization, Person, Browser) {
    ada_under(service, role, Terms::default()).await
}

async fn ada_under(service: &Service, role: &str, terms: Terms) -> (Organization, Person, Browser) {
    let acme = service.organization_under("acme", terms).await;
    let ada = acme.has_person("ada", &[role]);
    acme.provision().await;
    let mut browser = service.browser();
    let page = browser.sign_in(&acme, &ada).await;
    assert_eq!(page.status, 200, "{}", page.body);
    (acme, ada, browser)
}

/// Roles that the directory writes, and from where they count.
fn with_scim_roles(role_source: RoleSource) -> Terms {
    let mapping = Mapping { roles: RoleMapping::Assertive, ..Mapping::default() };
    Terms { role_source, mapping, ..Terms::default() }
}

async fn role_in(browser: &mut Browser) -> Option<String> {
    let answer = browser.check("").await;
    (answer.status == 200).then(|| answer.header("x-portico-role").unwrap().to_owned())
}

#[tokio::test]
async fn a_role_opens_what_demands_it_or_less() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    let people = ROLES.map(|role| acme.has_person(&role.to_ascii_lowercase(), &[role]));
    acme.provision().await;

    for (has, person) in people.iter().enumerate() {
        let mut browser = service.browser();
        browser.sign_in(&acme, person).await;

        for (wants, role) in ROLES.iter().enumerate() {
            let answer = browser.check(&format!("?role={role}")).await;

            let expected = if has >= wants { 200 } else { 403 };
            assert_eq!(answer.status, expected, "{} for {role}", ROLES[has]);
        }
    }
}

#[tokio::test]
async fn whoever_is_let_in_is_named_in_the_headers() {
    let service = Service::start().await;
    let (acme, ada, mut browser) = ada(&service, "Admin").await;

    let answer = browser.check("?role=User&organization=acme").await;

    let account = acme.scim_id(&ada).await;
    for (name, value) in [
        ("x-portico-account", account.as_str()),
        ("x-portico-email", "ada@acme.example"),
        ("x-portico-name", "Ada Example"),
        ("x-portico-organization", "acme"),
        ("x-portico-role", "Admin"),
        ("x-portico-access-groups", ""),
        ("cache-control", "no-store"),
    ] {
        assert_eq!(answer.header(name), Some(value), "{name}");
    }
    assert_eq!(answer.header("authorization"), None);
    assert_eq!((answer.status, answer.body.as_str()), (200, ""));
}

#[tokio::test]
async fn a_demand_that_is_not_understood_lets_nobody_in() {
    let service = Service::start().await;
    let (_, _, mut browser) = ada(&service, "EnterpriseAdmin").await;

    for query in [
        "role=admin",
        "role=Owner",
        "role=",
        "role=User&role=User",
        "roles=User",
        "Role=User",
        "role%5B%5D=User",
        "role=User%20",
        "organization=",
        "organization=A%20B",
        "organization=acme&organization=acme",
        "access_group=",
        "token=1",
        "token=jwt&token=jwt",
        "x",
        "x=1",
        "=User",
    ] {
        let answer = browser.check(&format!("?{query}")).await;

        assert_eq!(answer.status, 400, "{query}");
        assert_eq!(answer.header("x-portico-role"), None, "{query}");
        assert_eq!(answer.json()["error"], "invalid_request", "{query}");
    }
}

#[tokio::test]
async fn an_organization_or_access_group_that_is_not_ones_own_is_refused() {
    let service = Service::start().await;
    let (_, _, mut browser) = ada(&service, "EnterpriseAdmin").await;

    for (query, status) in [
        ("?organization=acme", 200),
        ("?organization=globex", 403),
        ("?organization=acm", 403),
        ("?organization=acme&role=EnterpriseAdmin", 200),
        ("?access_group=front-door", 403),
    ] {
        let answer = browser.check(query).await;

        assert_eq!(answer.status, status, "{query}");
        let error = (status == 403).then(|| answer.json()["error"].clone());
        assert_eq!(error, (status == 403).then(|| json!("access_denied")), "{query}");
    }
}

#[tokio::test]
async fn what_a_client_says_of_itself_changes_nothing() {
    let service = Service::start().await;
    let (_, _, mut browser) = ada(&service, "ReadOnly").await;
    let forged = |ask: Ask| {
        ask.header("X-Portico-Role", "EnterpriseAdmin")
            .header("x_portico_role", "EnterpriseAdmin")
            .header("X-Portico-Organization", "globex")
            .header("X-Portico-Account", "somebody")
            .header("X-Portico-Access-Groups", "everything")
            .header("Authorization", "Bearer x.y.z")
            .header("X-Forwarded-User", "root")
    };

    let honest = browser.ask(forged(Ask::get("/auth/check"))).await;
    let refused = browser.ask(forged(Ask::get("/auth/check?role=Admin"))).await;
    let nobody = service.ask(forged(Ask::get("/auth/check"))).await;

    let all = |name: &str| honest.headers.get_all(name).iter().collect::<Vec<_>>();
    assert_eq!(all("x-portico-role"), ["ReadOnly"]);
    assert_eq!(all("x-portico-organization"), ["acme"]);
    assert_eq!(all("x-portico-access-groups"), [""]);
    assert_eq!(honest.header("x_portico_role"), None);
    assert_eq!(honest.header("authorization"), None);
    assert_eq!((refused.status, nobody.status), (403, 401));
}

/// A request for a page, as a proxy asks about it.
fn navigation() -> Ask {
    Ask::get("/auth/check")
        .header("accept", "text/html,application/xhtml+xml")
        .header("sec-fetch-mode", "navigate")
}

#[tokio::test]
async fn a_browser_without_a_session_is_sent_to_sign_in_and_back() {
    let options = Options { return_origins: vec!["https://app.example.com"], ..Options::default() };
    let service = Service::start_with(options).await;
    let forwarded = |host: &str| {
        navigation()
            .header("x-forwarded-method", "GET")
            .header("x-forwarded-proto", "https")
            .header("x-forwarded-host", host)
            .header("x-forwarded-uri", "/reports?year=2026")
    };

    let traefik = service.ask(forwarded("app.example.com")).await;
    let foreign = service.ask(forwarded("evil.example")).await;
    let smuggled = service.ask(forwarded("app.example.com@evil.example")).await;
    let original = "https://app.example.com/reports?year=2026";
    let nginx = service.ask(navigation().header("x-original-url", original)).await;

    let login = format!("{}/login", service.origin);
    let back = format!("{login}?return_to=https%3A%2F%2Fapp.example.com%2Freports%3Fyear%3D2026");
    assert_eq!((traefik.status, traefik.header("location")), (302, Some(back.as_str())));
    assert_eq!((nginx.status, nginx.header("location")), (401, Some(back.as_str())));
    assert_eq!((foreign.status, foreign.header("location")), (302, Some(login.as_str())));
    assert_eq!((smuggled.status, smuggled.header("location")), (302, Some(login.as_str())));
}

#[tokio::test]
async fn the_way_back_leads_to_the_page_that_was_wanted() {
    let options = Options { return_origins: vec!["https://app.example.com"], ..Options::default() };
    let service = Service::start_with(options).await;
    let acme = service.organization("acme").await;
    let ada = acme.has_person("ada", &["User"]);
    acme.provision().await;
    let original = "https://app.example.com/reports?year=2026";
    let ask = Ask { address: "/auth/check?organization=acme".into(), ..navigation() };
    let refused = service.ask(ask.header("x-original-url", original)).await;

    let location = refused.location().unwrap();
    let last = service.browser().sign_in_from(&location, &ada).await;

    assert_eq!((last.status, last.header("location")), (303, Some(original)));
}

#[tokio::test]
async fn the_way_back_to_a_page_under_our_own_host_name_is_a_path() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    let ada = acme.has_person("ada", &["User"]);
    acme.provision().await;
    let ask = Ask { address: "/auth/check?organization=acme".into(), ..navigation() };
    let original = format!("{}/logout/done?year=2026", service.origin);
    let refused = service.ask(ask.header("x-original-url", &original)).await;

    let location = refused.location().unwrap();
    let last = service.browser().sign_in_from(&location, &ada).await;

    assert!(location.ends_with("/login/acme?return_to=%2Flogout%2Fdone%3Fyear%3D2026"));
    assert_eq!((last.status, last.url), (200, original));
}

#[tokio::test]
async fn a_person_who_is_refused_reads_why_on_a_page() {
    let service = Service::start().await;
    let (_, _, mut browser) = ada(&service, "User").await;
    let ask = Ask { address: "/auth/check?role=Admin".into(), ..navigation() };

    let page = browser.ask(ask).await;

    assert_eq!((page.status, page.heading().as_str()), (403, "You may not do that"));
    assert!(page.text().contains("This needs the role Admin or above; yours is User."));
    assert!(page.header("content-security-policy").unwrap().contains("default-src 'none'"));
}

#[tokio::test]
async fn a_proxy_may_ask_by_the_original_request_itself() {
    let service = Service::start().await;
    let (_, _, mut browser) = ada(&service, "User").await;
    let original = |method: &str| {
        let method = method.parse().unwrap();
        Ask::new(method, "/auth/check/reports//x?role=EnterpriseAdmin&organization=globex&y=1")
    };

    for method in ["GET", "POST", "DELETE", "PROPFIND"] {
        let demand = |demand: &str| original(method).header("x-portico-demand", demand);
        let enough = browser.ask(demand("role=User&organization=acme")).await;
        let too_low = browser.ask(demand("role=Admin")).await;
        let nobody = service.ask(demand("role=User")).await;

        assert_eq!((enough.status, enough.header("x-portico-role")), (200, Some("User")));
        assert_eq!((too_low.status, nobody.status), (403, 401), "{method}");
    }
}

#[tokio::test]
async fn a_question_under_a_prefix_without_a_clear_demand_lets_nobody_in() {
    let service = Service::start().await;
    let (_, _, mut browser) = ada(&service, "EnterpriseAdmin").await;
    let original = |path: &str| Ask::get(format!("/auth/check{path}"));
    let demand = |demand: &str| original("/reports").header("x-portico-demand", demand);

    for ask in [
        original("/reports"),
        original("/reports?role=User"),
        original("/"),
        demand("role=User").header("x-portico-demand", "role=User"),
        demand("role=Admin,role=User"),
        demand("rol=Admin"),
        demand("role=User&role=User"),
        demand("role=Ädmin"),
    ] {
        let answer = browser.ask(ask).await;

        assert_eq!((answer.status, answer.header("x-portico-role")), (400, None));
    }
}

#[tokio::test]
async fn the_original_request_itself_is_where_a_person_comes_back_to() {
    let service = Service::start().await;
    let port = service.origin.rsplit(':').next().unwrap();
    let original = |method: http::Method| {
        Ask::new(method, "/auth/check/reports?year=2026")
            .header("accept", "text/html")
            .header("sec-fetch-mode", "navigate")
            .header("x-portico-demand", "role=User")
            .header("x-forwarded-proto", "http")
            .header("host", format!("localhost:{port}"))
            .header("x-forwarded-uri", "/elsewhere")
    };

    let page = service.ask(original(http::Method::GET)).await;
    let form = service.ask(original(http::Method::POST)).await;

    let login = format!("{}/login?return_to=%2Freports%3Fyear%3D2026", service.origin);
    assert_eq!((page.status, page.header("location")), (302, Some(login.as_str())));
    assert_eq!((form.status, form.header("location")), (401, None));
}

#[tokio::test]
async fn a_script_without_a_session_learns_it_by_401() {
    let service = Service::start().await;
    let post = navigation().header("x-forwarded-method", "POST");
    let old_script = Ask::get("/auth/check")
        .header("accept", "text/html, */*")
        .header("x-requested-with", "XMLHttpRequest");
    let fetch =
        Ask::get("/auth/check").header("accept", "text/html").header("sec-fetch-mode", "cors");

    for ask in [Ask::get("/auth/check"), post, old_script, fetch] {
        let answer = service.ask(ask.header("x-forwarded-uri", "/reports")).await;

        assert_eq!((answer.status, answer.header("location")), (401, None));
        assert_eq!(answer.json()["error"], "not_signed_in");
    }
}

/// What a token says, once its signature is verified against the published keys.
async fn verified(service: &Service, token: &str) -> Value {
    let jwks = service.ask(Ask::get("/.well-known/jwks.json")).await.json();
    let jwks: JwkSet = serde_json::from_value(jwks).unwrap();
    let header = jsonwebtoken::decode_header(token).unwrap();
    let key = jwks.find(&header.kid.unwrap()).expect("the key is published");
    let mut validation = Validation::new(header.alg);
    validation.validate_exp = false;
    validation.set_audience(&[&service.origin]);
    validation.set_issuer(&[&service.origin]);
    let key = DecodingKey::from_jwk(key).unwrap();
    jsonwebtoken::decode(token, &key, &validation).unwrap().claims
}

#[tokio::test]
async fn an_api_gets_a_token_that_the_published_keys_verify() {
    let service = Service::start().await;
    let (acme, ada, mut browser) = ada(&service, "Admin").await;

    let checked = browser.check("?token=jwt").await;
    let issued = browser.ask(Ask::post("/session/token")).await;

    let bearer = checked.header("authorization").unwrap().strip_prefix("Bearer ").unwrap();
    let body = issued.json();
    assert_eq!((&body["token_type"], &body["expires_in"]), (&json!("Bearer"), &json!(300)));
    let now = service.clock.now().as_second();
    for token in [bearer, body["access_token"].as_str().unwrap()] {
        let claims = verified(&service, token).await;
        assert_eq!(claims["sub"], acme.scim_id(&ada).await);
        assert_eq!(claims["organization"], "acme");
        assert_eq!(claims["role"], "Admin");
        assert_eq!((&claims["iat"], &claims["exp"]), (&json!(now), &json!(now + 300)));
    }
}

#[tokio::test]
async fn the_keys_are_the_same_after_a_restart() {
    let mut service = Service::start().await;
    let (_, _, mut browser) = ada(&service, "Admin").await;
    let token = browser.ask(Ask::post("/session/token")).await.json();

    service.restart().await;

    let claims = verified(&service, token["access_token"].as_str().unwrap()).await;
    assert_eq!(claims["role"], "Admin");
}

#[tokio::test]
async fn a_token_can_only_be_asked_for_by_post() {
    let service = Service::start().await;
    let (_, _, mut browser) = ada(&service, "Admin").await;

    let answer = browser.ask(Ask::get("/session/token")).await;

    assert_eq!(answer.status, 405);
}

#[tokio::test]
async fn a_single_page_app_reads_who_is_signed_in() {
    let service = Service::start().await;
    let (acme, ada, mut browser) = ada(&service, "User").await;

    let answer = browser.ask(Ask::get("/session")).await;

    let expected = json!({
        "account": acme.scim_id(&ada).await,
        "email": "ada@acme.example",
        "name": "Ada Example",
        "organization": "acme",
        "role": "User",
        "access_groups": [],
        "expires_at": "2026-03-04T09:00:00Z",
    });
    assert_eq!(answer.json(), expected);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
}

#[tokio::test]
async fn a_name_of_any_script_travels_escaped_and_is_read_plain() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    let person = acme.has(PersonSeed::new("Jürgen 山田 100%", "jy@acme.example"), &["User"]);
    acme.provision().await;
    let mut browser = service.browser();
    browser.sign_in(&acme, &person).await;

    let header = browser.check("").await;
    let session = browser.ask(Ask::get("/session")).await;

    let escaped = "J%C3%BCrgen %E5%B1%B1%E7%94%B0 100%25";
    assert_eq!(header.header("x-portico-name"), Some(escaped));
    assert_eq!(session.json()["name"], "Jürgen 山田 100%");
}

#[tokio::test]
async fn a_session_ends_when_it_is_not_used() {
    let service =
        Service::start_with(Options { idle_minutes: Some(10), ..Options::default() }).await;
    let (_, _, mut browser) = ada(&service, "User").await;

    for (seconds, status) in [(599, 200), (599, 200), (600, 401)] {
        service.advance(SignedDuration::from_secs(seconds));

        assert_eq!(browser.check("").await.status, status, "{seconds}");
    }
}

#[tokio::test]
async fn a_session_ends_however_much_it_is_used() {
    let options = Options { idle_minutes: Some(60), absolute_hours: Some(2), ..Options::default() };
    let service = Service::start_with(options).await;
    let (_, _, mut browser) = ada(&service, "User").await;
    let cookie = browser.cookie(SESSION).unwrap().to_owned();

    for (seconds, status) in [(3_599, 200), (3_599, 200), (1, 200), (1, 401)] {
        service.advance(SignedDuration::from_secs(seconds));
        browser.forge_cookie(SESSION, &cookie);

        assert_eq!(browser.check("").await.status, status, "{seconds}");
    }
}

#[tokio::test]
async fn a_session_survives_a_restart_of_the_service() {
    let mut service = Service::start().await;
    let (_, _, mut browser) = ada(&service, "Admin").await;

    service.restart().await;

    assert_eq!(role_in(&mut browser).await.as_deref(), Some("Admin"));
}

#[tokio::test]
async fn who_is_deactivated_is_refused_by_the_very_next_check() {
    let service = Service::start().await;
    let (acme, ada, mut browser) = ada(&service, "Admin").await;
    let id = acme.scim_id(&ada).await;
    let active = |value: bool| json!([{ "op": "replace", "path": "active", "value": value }]);

    acme.scim().patch(&id, active(false)).await;
    let after = browser.check("").await.status;
    acme.scim().patch(&id, active(true)).await;
    let reactivated = browser.check("").await.status;

    assert_eq!((after, reactivated), (401, 401));
}

#[tokio::test]
async fn who_loses_the_assignment_is_signed_out_by_the_next_cycle() {
    let mut service = Service::start().await;
    let (acme, ada, mut browser) = ada(&service, "Admin").await;

    acme.tenant.unassign(acme.client_id, ada.oid);
    acme.provision().await;
    let status = browser.check("").await.status;
    service.restart().await;

    assert_eq!(status, 401);
    assert_eq!(browser.check("").await.status, 401);
}

#[tokio::test]
async fn who_is_deleted_is_refused_by_the_very_next_check() {
    let service = Service::start().await;
    let (acme, ada, mut browser) = ada(&service, "Admin").await;
    let id = acme.scim_id(&ada).await;

    let deleted = acme.scim().delete(&format!("/Users/{id}")).await;

    assert_eq!(deleted.status, 204);
    assert_eq!(browser.check("").await.status, 401);
}

#[tokio::test]
async fn a_fall_in_the_directory_caps_a_live_session_until_the_next_sign_in() {
    let mut service = Service::start().await;
    let (acme, ada, mut browser) =
        ada_under(&service, "Admin", with_scim_roles(RoleSource::Token)).await;

    acme.assign(&ada, &["ReadOnly"]);
    acme.provision().await;
    let fallen = role_in(&mut browser).await;
    acme.assign(&ada, &["EnterpriseAdmin"]);
    acme.provision().await;
    let risen = role_in(&mut browser).await;
    service.restart().await;
    let restarted = role_in(&mut browser).await;
    browser.sign_in(&acme, &ada).await;

    assert_eq!(fallen.as_deref(), Some("ReadOnly"));
    assert_eq!(risen.as_deref(), Some("ReadOnly"));
    assert_eq!(restarted.as_deref(), Some("ReadOnly"));
    assert_eq!(role_in(&mut browser).await.as_deref(), Some("EnterpriseAdmin"));
}

#[tokio::test]
async fn a_fall_to_no_role_ends_the_session() {
    for source in [RoleSource::Token, RoleSource::Scim] {
        let service = Service::start().await;
        let (acme, ada, mut browser) = ada_under(&service, "Admin", with_scim_roles(source)).await;

        acme.assign(&ada, &[]);
        acme.provision().await;

        assert_eq!(role_in(&mut browser).await, None, "{source:?}");
    }
}

#[tokio::test]
async fn where_the_directory_decides_a_live_session_rises_and_falls_with_it() {
    let service = Service::start().await;
    let (acme, ada, mut browser) =
        ada_under(&service, "User", with_scim_roles(RoleSource::Scim)).await;

    for role in ["Admin", "ReadOnly", "EnterpriseAdmin"] {
        acme.assign(&ada, &[role]);
        acme.provision().await;

        assert_eq!(role_in(&mut browser).await.as_deref(), Some(role));
    }
}

#[tokio::test]
async fn a_new_name_shows_at_once() {
    let service = Service::start().await;
    let (acme, ada, mut browser) = ada(&service, "User").await;
    acme.tenant.change_person(ada.oid, |ada| {
        ada.display_name = "Ada Lovelorn".into();
        ada.mail = Some("ada.lovelorn@acme.example".into());
    });

    acme.provision().await;

    let answer = browser.check("").await;
    assert_eq!(answer.header("x-portico-name"), Some("Ada Lovelorn"));
    assert_eq!(answer.header("x-portico-email"), Some("ada.lovelorn@acme.example"));
    assert_eq!(browser.open("/").await.heading(), "Welcome, Ada Lovelorn");
}

#[tokio::test]
async fn who_is_deactivated_is_signed_out_also_if_the_directory_hangs_up_halfway() {
    let service = Service::start().await;
    let (acme, ada, mut browser) = ada(&service, "Admin").await;
    let ports = service.ports();
    let connector = ports.store.find_connector(acme.connector_id()).await.unwrap().unwrap();
    let directory = Directory {
        ports,
        organization: &acme.stored,
        connector: &connector,
        profile: &ENTRA,
        call: &Call::default(),
    };
    let id = acme.scim_id(&ada).await.parse().unwrap();
    let operations = json!([{ "op": "replace", "path": "active", "value": false }]);
    let body = json!({ "Operations": operations }).as_object().unwrap().clone();
    let patch = Patch::parse(&body, &ENTRA).unwrap();

    let mut change = Box::pin(directory.patch_user(id, &patch, Expected::default()));
    // One step on this test's only thread: far enough to begin the write, and no further.
    let is_halfway = poll_fn(|cx| Poll::Ready(change.as_mut().poll(cx).is_pending())).await;
    drop(change);

    assert!(is_halfway);
    for _ in 0..100 {
        if role_in(&mut browser).await.is_none() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(!ports.store.find_account(acme.stored.id, id).await.unwrap().unwrap().active);
    assert_eq!(role_in(&mut browser).await, None);
}
