//! A person signs out.

use std::collections::HashMap;

use portico::simulator::Person;
use url::Url;

use crate::support::{Answer, Ask, Browser, Organization, Service};

const SESSION: &str = "portico-session";

/// A browser that is signed in.
async fn signed_in(service: &Service) -> (Organization, Person, Browser) {
    let acme = service.organization("acme").await;
    let ada = acme.has_person("ada", &["Admin"]);
    acme.provision().await;
    let mut browser = service.browser();
    let portal = browser.sign_in(&acme, &ada).await;
    assert_eq!(portal.status, 200, "{}", portal.body);
    (acme, ada, browser)
}

/// Presses "Sign out" on the portal page.
async fn press_sign_out(browser: &mut Browser) -> Answer {
    let portal = browser.open("/").await;
    browser.submit(&portal, &portal.forms()[0], &[]).await
}

async fn is_signed_in(browser: &mut Browser) -> bool {
    browser.ask(Ask::get("/session")).await.status == 200
}

#[tokio::test]
async fn signing_out_ends_the_session_here_and_at_the_authority() {
    let service = Service::start().await;
    let (acme, ada, mut browser) = signed_in(&service).await;

    let done = press_sign_out(&mut browser).await;

    let there = browser.visited.iter().find(|url| url.contains("/oauth2/v2.0/logout")).unwrap();
    let told: HashMap<_, _> = Url::parse(there).unwrap().query_pairs().into_owned().collect();
    assert_eq!(told["client_id"], acme.client_id.to_string());
    assert_eq!(told["post_logout_redirect_uri"], format!("{}/logout/done", service.origin));
    assert_eq!(told["logout_hint"], ada.login_hint());
    assert!(!told.contains_key("id_token_hint"), "its own hint keeps the token out of the address");
    assert_eq!((done.status, done.heading().as_str()), (200, "You are signed out"));
    assert!(!is_signed_in(&mut browser).await);
    assert_eq!(browser.open("/login/acme").await.heading(), "Pick an account");
}

#[tokio::test]
async fn an_authority_without_a_hint_of_its_own_is_sent_the_id_token() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    acme.tenant.change_application(acme.client_id, |portico| portico.optional_claims.clear());
    let ada = acme.has_person("ada", &["Admin"]);
    acme.provision().await;
    let mut browser = service.browser();
    browser.sign_in(&acme, &ada).await;

    press_sign_out(&mut browser).await;

    let there = browser.visited.iter().find(|url| url.contains("/oauth2/v2.0/logout")).unwrap();
    let told: HashMap<_, _> = Url::parse(there).unwrap().query_pairs().into_owned().collect();
    assert!(!told.contains_key("logout_hint"));
    assert_eq!(told["id_token_hint"].split('.').count(), 3);
}

#[tokio::test]
async fn signing_out_here_only_leaves_the_session_at_the_authority() {
    let service = Service::start().await;
    let (_, _, mut browser) = signed_in(&service).await;

    let done = browser.open("/logout?local=true").await;
    let was_signed_in = is_signed_in(&mut browser).await;
    let again = browser.open("/login/acme").await;

    assert_eq!(done.url, format!("{}/logout/done", service.origin));
    assert!(!was_signed_in);
    assert_eq!(again.heading(), "Welcome, Ada Example");
}

#[tokio::test]
async fn a_link_on_another_site_asks_before_it_signs_out() {
    let service = Service::start().await;
    let (_, _, mut browser) = signed_in(&service).await;

    let asks = browser.open_from(Some("evil.example"), "/logout").await;
    let was_signed_in = is_signed_in(&mut browser).await;
    let done = browser.submit(&asks, &asks.forms()[0], &[]).await;

    assert_eq!((asks.status, asks.heading().as_str()), (200, "Sign out?"));
    assert!(was_signed_in);
    assert_eq!(done.heading(), "You are signed out");
    assert!(!is_signed_in(&mut browser).await);
}

#[tokio::test]
async fn a_form_on_another_site_signs_nobody_out() {
    let service = Service::start().await;
    let (_, _, mut browser) = signed_in(&service).await;
    let mut page = browser.open("/").await;
    let form = page.forms().remove(0);
    page.url = "https://evil.example/".to_owned();
    let mut form_there = form.clone();
    form_there.action = format!("{}/logout", service.origin);

    browser.submit(&page, &form_there, &[]).await;

    assert!(is_signed_in(&mut browser).await);
}

#[tokio::test]
async fn signing_out_needs_no_authority() {
    let mut service = Service::start().await;
    let (_, _, mut browser) = signed_in(&service).await;
    service.stop_entra().await;
    service.restart().await;

    let done = browser.open("/logout").await;

    assert_eq!(done.status, 200);
    assert!(done.text().contains("could not sign you out at your organization"), "{}", done.body);
    assert!(!is_signed_in(&mut browser).await);
}

#[tokio::test]
async fn signing_out_without_being_signed_in_is_harmless() {
    let service = Service::start().await;
    let (_, _, mut other) = signed_in(&service).await;
    let mut browser = service.browser();
    let mut forger = service.browser();
    forger.forge_cookie(SESSION, "rubbish");

    for browser in [&mut browser, &mut forger] {
        for address in ["/logout", "/logout?local=true"] {
            let done = browser.open(address).await;

            assert_eq!((done.status, done.heading().as_str()), (200, "You are signed out"));
        }
    }
    assert!(is_signed_in(&mut other).await);
}

#[tokio::test]
async fn an_ended_sessions_cookie_is_dead_everywhere_and_for_good() {
    let mut service = Service::start().await;
    let (_, _, mut browser) = signed_in(&service).await;
    let cookie = browser.cookie(SESSION).unwrap().to_owned();

    press_sign_out(&mut browser).await;

    for restarted in [false, true] {
        if restarted {
            service.restart().await;
        }
        browser.forge_cookie(SESSION, &cookie);
        for ask in [
            Ask::get("/session"),
            Ask::get("/auth/check"),
            Ask::post("/session/token"),
            Ask::get("/auth/check?token=jwt"),
        ] {
            let address = ask.address.clone();
            assert_eq!(browser.ask(ask).await.status, 401, "{address} {restarted}");
        }
        assert_eq!(browser.ask(Ask::get("/")).await.header("location"), Some("/login"));
    }
}

#[tokio::test]
async fn signing_out_takes_the_cookie_away() {
    let service = Service::start().await;
    let (_, _, mut browser) = signed_in(&service).await;

    press_sign_out(&mut browser).await;

    assert_eq!(browser.cookie(SESSION), None);
}

#[tokio::test]
async fn signing_out_in_one_browser_leaves_the_others_alone() {
    let service = Service::start().await;
    let (acme, ada, mut browser) = signed_in(&service).await;
    let mut phone = service.browser();
    phone.sign_in(&acme, &ada).await;

    press_sign_out(&mut browser).await;

    assert!(is_signed_in(&mut phone).await);
}

#[tokio::test]
async fn signing_out_is_written_down() {
    let service = Service::start().await;
    let (acme, ada, mut browser) = signed_in(&service).await;

    press_sign_out(&mut browser).await;

    let id = acme.scim_id(&ada).await;
    let newest = service.audit(&acme).await.remove(0);
    assert_eq!((newest.action.as_str(), newest.target), ("session.ended", id.clone()));
    assert_eq!(newest.actor, format!("account:{id}"));
}

#[tokio::test]
async fn a_sign_out_that_is_not_understood_is_a_page_and_ends_nothing() {
    let service = Service::start().await;
    let (_, _, mut browser) = signed_in(&service).await;

    for query in ["local=perhaps", "local=true&local=false"] {
        let page = browser.open(&format!("/logout?{query}")).await;

        let heading = page.heading();
        assert_eq!((page.status, heading.as_str()), (400, "We didn’t understand that"), "{query}");
        assert!(is_signed_in(&mut browser).await, "{query}");
    }
}

#[tokio::test]
async fn the_last_page_believes_nothing_that_comes_along() {
    let service = Service::start().await;
    let (_, _, mut browser) = signed_in(&service).await;

    for query in ["", "?state=x", "?only_here=perhaps", "?error=x&error=y", "?only_here=true"] {
        let page = browser.open(&format!("/logout/done{query}")).await;

        assert_eq!((page.status, page.heading().as_str()), (200, "You are signed out"), "{query}");
    }
    assert!(is_signed_in(&mut browser).await);
}
