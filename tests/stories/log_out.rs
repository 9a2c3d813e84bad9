//! A person signs out.

use std::collections::HashMap;

use portico::simulator::Person;
use url::Url;

use crate::support::{Answer, Ask, Browser, Organization, SESSION, Service};

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

/// Acme, its Ada in a browser, and Entra told where to tell of people who sign out there.
async fn signed_in_with_a_front_channel(service: &Service) -> (Organization, Person, Browser) {
    let (acme, ada, browser) = signed_in(service).await;
    let address = format!("{}{}", service.origin, front_channel(&acme));
    acme.tenant.change_application(acme.client_id, |portico| {
        portico.front_channel_logout_url = Some(address);
    });
    (acme, ada, browser)
}

fn front_channel(organization: &Organization) -> String {
    format!("/oidc/{}/frontchannel-logout", organization.connector_id())
}

/// Signs out at Microsoft; the addresses that its page opens in hidden frames.
async fn sign_out_at_entra(browser: &mut Browser, organization: &Organization) -> Vec<String> {
    let authority = organization.tenant.authority();
    let tenant = authority.trim_end_matches('/').trim_end_matches("/v2.0");
    let page = browser.open(&format!("{tenant}/oauth2/v2.0/logout")).await;
    assert_eq!(page.status, 200, "{}", page.body);
    let frames = page.body.split("<iframe").skip(1);
    let source = |frame: &str| frame.split("src=\"").nth(1)?.split('"').next().map(str::to_owned);
    frames.filter_map(source).collect()
}

#[tokio::test]
async fn whoever_signs_out_at_microsoft_is_signed_out_here() {
    let service = Service::start().await;
    let (acme, ada, mut browser) = signed_in_with_a_front_channel(&service).await;
    let mut phone = service.browser();
    phone.sign_in(&acme, &ada).await;

    let frames = sign_out_at_entra(&mut browser, &acme).await;
    let was_signed_in = is_signed_in(&mut browser).await;
    let mut answers = Vec::new();
    for frame in &frames {
        answers.push(service.ask(Ask::get(frame)).await);
    }

    assert_eq!((answers.len(), was_signed_in), (1, true));
    let answer = &answers[0];
    assert_eq!((answer.status, answer.body.as_str()), (200, ""));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let policy = answer.header("content-security-policy").unwrap();
    assert!(policy.contains("frame-ancestors *"), "{policy}");
    assert_eq!(answer.header("x-frame-options"), None);
    assert!(!is_signed_in(&mut browser).await);
    assert!(is_signed_in(&mut phone).await, "that is another session at Microsoft");
    let newest = service.audit(&acme).await.remove(0);
    assert_eq!(newest.action, "session.ended");
    assert_eq!(newest.details["because"], "signed out at the authority");
}

#[tokio::test]
async fn a_front_channel_that_says_nothing_good_ends_nothing_and_is_answered_alike() {
    let service = Service::start().await;
    let (acme, _, mut browser) = signed_in_with_a_front_channel(&service).await;
    let globex = service.organization("globex").await;
    let frame = sign_out_at_entra(&mut browser, &acme).await.remove(0);
    let sid = frame.split("sid=").nth(1).unwrap().to_owned();
    let (ours, theirs) = (front_channel(&acme), front_channel(&globex));
    let too_long = "x".repeat(300);

    for address in [
        ours.clone(),
        format!("{ours}?sid="),
        format!("{ours}?sid={too_long}"),
        format!("{ours}?sid=00000000-0000-0000-0000-000000000000"),
        format!("{ours}?sid={sid}&sid={sid}"),
        format!("{ours}?sid={sid}&iss=https%3A%2F%2Fevil.example"),
        format!("{ours}?sid={sid}&iss="),
        format!("{ours}?sid={sid}&iss=a&iss=b"),
        format!("{theirs}?sid={sid}"),
        format!("/oidc/01890000-0000-7000-8000-000000000000/frontchannel-logout?sid={sid}"),
        format!("/oidc/nonsense/frontchannel-logout?sid={sid}"),
    ] {
        let answer = service.ask(Ask::get(&address)).await;

        assert_eq!((answer.status, answer.body.as_str()), (200, ""), "{address}");
        assert!(is_signed_in(&mut browser).await, "{address}");
    }
}

#[tokio::test]
async fn an_authority_that_says_who_it_is_ends_its_own_sessions() {
    let service = Service::start().await;
    let (acme, _, mut browser) = signed_in_with_a_front_channel(&service).await;
    let frame = sign_out_at_entra(&mut browser, &acme).await.remove(0);
    let provider = service.ports().authorities.provider(&acme.connector).await.unwrap();
    let iss: String = url::form_urlencoded::byte_serialize(provider.issuer().as_bytes()).collect();

    service.ask(Ask::get(format!("{frame}&iss={iss}"))).await;

    assert!(!is_signed_in(&mut browser).await);
}
