//! What stands before the service, and what pretends to.

use portico::domain::id::AccountId;

use crate::{
    scene::{acme_with_ada, assert_signed_in},
    support::{Ask, LOGIN, Options, SESSION, Service},
};

const APP: &str = "https://app.example.com";

/// Places that are not a page of this site or of an allowed one, however they are dressed up.
const ELSEWHERE: [&str; 24] = [
    "/\t/evil.example",
    "/\n/evil.example",
    "\t//evil.example",
    "/\\evil.example",
    "/\\/evil.example",
    "\\\\evil.example",
    "//evil.example",
    "///evil.example",
    "////evil.example/..",
    "/.//evil.example",
    "/x/..//evil.example",
    "/%2e%2e//evil.example",
    "https:evil.example",
    "https:/evil.example",
    "https:///evil.example",
    "HTTPS://EVIL.example",
    "https://app.example.com@evil.example/",
    "https://app.example.com.evil.example/",
    "https://evil.example/https://app.example.com",
    "https://app.example.com:8443/",
    "http://app.example.com/",
    "javascript:alert(1)",
    "data:text/html,x",
    "//localhost\u{2024}evil.example",
];

fn encoded(pairs: &[(&str, &str)]) -> String {
    serde_urlencoded::to_string(pairs).unwrap()
}

/// L22, CVE-2026-40575: whoever asked could say where they came from and which page was wanted.
#[tokio::test]
async fn a_peer_that_is_no_named_proxy_is_believed_nothing_about_anybody() {
    let (service, acme, ada) = acme_with_ada().await;
    let mut browser = service.browser();
    let answer = browser.sign_in_until_callback(&acme, &ada).await.url();
    let forwarded = |ask: Ask| {
        ask.header("x-forwarded-for", "203.0.113.7")
            .header("forwarded", "for=203.0.113.7;host=evil.example;proto=https")
            .header("x-real-ip", "203.0.113.7")
            .header("x-forwarded-host", "evil.example")
            .header("x-forwarded-proto", "https")
            .header("x-forwarded-port", "443")
            .header("x-forwarded-uri", "/reports")
            .header("x-forwarded-prefix", "//evil.example")
            .header("accept", "text/html")
    };

    browser.ask(forwarded(Ask::get(answer.as_str()))).await;
    let account: AccountId = acme.scim_id(&ada).await.parse().unwrap();
    let sessions = &service.ports().sessions;
    let sessions = sessions.list_of_account(acme.stored.id, account, service.clock.now()).await;
    let begun = service.ask(forwarded(Ask::get("/login/acme"))).await;
    let checked = service.ask(forwarded(Ask::get("/auth/check"))).await;
    let portal = service.ask(forwarded(Ask::get("/"))).await;

    assert_eq!(sessions.unwrap()[0].address, "127.0.0.1");
    let wanted =
        encoded(&[("redirect_uri", &format!("{}{}", service.origin, acme.callback_path()))]);
    assert!(begun.header("location").unwrap().contains(&wanted), "{begun:?}");
    for answer in [checked, portal] {
        let location = answer.location().unwrap();
        assert!(location.starts_with(&format!("{}/login", service.origin)), "{location}");
        assert!(!location.contains("evil"), "{location}");
    }
}

/// L23, CVE-2026-34457: who called itself a health checker was let through.
#[tokio::test]
async fn nobody_is_let_in_for_what_they_call_themselves() {
    let (service, acme, _) = acme_with_ada().await;
    let users = format!("{}/Users", acme.scim().url);

    for name in [
        "GoogleHC/1.0",
        "kube-probe/1.33",
        "ELB-HealthChecker/2.0",
        "Amazon-Route53-Health-Check-Service",
        "Consul Health Check",
        "Pingdom.com_bot_version_1.4",
        "Portico/0.1.0",
        "",
    ] {
        for (address, status) in
            [("/auth/check", 401), ("/auth/check?role=User", 401), ("/session", 401), (&users, 401)]
        {
            let answer = service.ask(Ask::get(address).header("user-agent", name)).await;

            assert_eq!(answer.status, status, "{address}: {name}");
        }
    }
}

/// L25, CVE-2025-64484: an identity header was smuggled in by writing `_` for `-`.
#[tokio::test]
async fn identity_headers_come_from_here_alone_and_no_query_makes_an_address_public() {
    let (service, acme, ada) = acme_with_ada().await;
    let mut browser = service.browser();
    assert_signed_in(&service, &browser.sign_in(&acme, &ada).await);
    let names = ["account", "email", "name", "organization", "role", "access_groups"];
    let smuggled = names.iter().fold(Ask::get("/auth/check"), |ask, name| {
        ask.header(&format!("X_Portico_{name}"), "EnterpriseAdmin")
            .header(&format!("x-portico_{name}"), "EnterpriseAdmin")
            .header(&format!("x-portico-{}", name.replace('_', "-")), "EnterpriseAdmin")
    });

    let answer = browser.ask(smuggled.clone()).await;
    let nobody = service.ask(smuggled).await;

    assert_eq!(answer.header("x-portico-role"), Some("Admin"));
    for (name, value) in &answer.headers {
        assert!(!name.as_str().contains('_') && value != "EnterpriseAdmin", "{name}: {value:?}");
    }
    for name in names.map(|name| format!("x-portico-{}", name.replace('_', "-"))) {
        assert_eq!(answer.headers.get_all(&name).iter().count(), 1, "{name} would be the client's");
        assert!(!nobody.headers.contains_key(&name), "{name}");
    }
    for address in [
        "/session?/health/live",
        "/session?x=/health/live",
        "/session;/health/live",
        "/session#/health/live",
        "/auth/check?/assets/style.css",
        "/health/live/../../session",
        "/health/live%2f..%2f..%2fsession",
        "/.well-known/jwks.json/../../session",
    ] {
        let answer = service.ask(Ask::get(address)).await;
        assert!(answer.status >= 400, "{address}: {}", answer.status);
    }
}

/// L26, CVE-2022-23527: a tab between two slashes made a return address lead elsewhere.
#[tokio::test]
async fn no_wanted_page_that_a_proxy_or_a_link_names_leads_elsewhere() {
    let options = Options { return_origins: vec![APP], ..Options::default() };
    let service = Service::start_with(options).await;
    service.organization("acme").await;
    let login = format!("{}/login", service.origin);
    let navigation = || Ask::get("/auth/check").header("accept", "text/html");

    for place in ELSEWHERE {
        let linked = format!("/login/acme?{}", encoded(&[("return_to", place)]));
        let linked = service.ask(Ask::get(linked)).await;
        assert_eq!((linked.status, linked.header("location")), (400, None), "{place:?}");
        assert!(!linked.headers.contains_key("set-cookie"), "{LOGIN}: {place:?}");

        if place.contains('\n') {
            continue;
        }
        let whole = service.ask(navigation().header("x-original-url", place)).await;
        let in_parts =
            navigation().header("x-forwarded-proto", "https").header("x-forwarded-uri", place);
        let in_parts = service.ask(in_parts.header("x-forwarded-host", "app.example.com")).await;
        assert_eq!(whole.header("location"), Some(login.as_str()), "{place:?}");
        let location = in_parts.header("location").unwrap();
        assert!(is_here_or_at_the_app(location, &login), "{place:?}: {location}");
    }
}

/// Whether the way to sign-in returns nowhere, or to the allowed application.
fn is_here_or_at_the_app(location: &str, login: &str) -> bool {
    let url = url::Url::parse(location).unwrap();
    let return_to = url.query_pairs().find(|(name, _)| name == "return_to");
    let leads_to_app = return_to.is_none_or(|(_, place)| {
        url::Url::parse(&place).is_ok_and(|url| url.origin().ascii_serialization() == APP)
    });
    location.starts_with(login) && leads_to_app
}

/// L52, GHSA-7p99-3798-f85c: whoever had signed in was sent to a stranger's site.
#[tokio::test]
async fn wherever_a_sign_in_is_asked_to_end_its_last_step_stays_here() {
    let (service, _, ada) = acme_with_ada().await;
    let mut accepted = 0;

    for place in [
        "/;@evil.example",
        "/@evil.example",
        "/:@evil.example/",
        "/?//evil.example",
        "/#//evil.example",
        "/%2F%2Fevil.example",
        "/%5Cevil.example",
        "/%09/evil.example",
        "/x/../..//evil.example",
        "/login?return_to=//evil.example",
        "/logout",
        "/evil.example",
    ] {
        let mut browser = service.browser();
        let from = format!("/login/acme?{}", encoded(&[("return_to", place)]));
        let page = browser.sign_in_from(&from, &ada).await;

        let here = format!("{}/", service.origin);
        assert!(page.url.starts_with(&here), "{place} led to {}", page.url);
        assert!(!page.is_redirect(), "{place} leads on to {:?}", page.location());
        accepted += usize::from(browser.cookie(SESSION).is_some());
    }
    assert!(accepted > 5, "most of these are pages of this site, if odd ones: {accepted}");
}
