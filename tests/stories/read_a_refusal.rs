//! A person reads why they are not signed in, and knows what to do.

use portico::domain::{decision::Outcome, secret::Secret};

use crate::support::{Answer, Browser, Service, assert_refused};

#[tokio::test]
async fn an_authority_that_is_away_has_a_page_that_says_so() {
    let mut service = Service::start().await;
    service.organization("acme").await;
    service.stop_entra().await;

    let page = service.browser().open("/login/acme").await;

    let heading = "Your organization’s sign-in can’t be reached";
    assert_eq!((page.status, page.heading().as_str()), (502, heading));
    assert!(!page.reference().is_empty());
}

#[tokio::test]
async fn a_wrong_client_secret_is_named_by_the_authoritys_own_number() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    let ada = acme.has_person("ada", &["Admin"]);
    acme.provision().await;
    acme.tenant.set_secret(acme.client_id, Secret::generate());
    let mut browser = service.browser();

    let page = browser.sign_in(&acme, &ada).await;

    assert_refused(&mut browser, &page, 403, "Your organization’s sign-in said no").await;
    assert!(page.text().contains("AADSTS7000215"), "{}", page.body);
    assert!(page.text().contains("The client secret is wrong"), "{}", page.body);
    assert_eq!(service.decision(&acme, &page).await.outcome, Outcome::NotAuthenticated);
}

#[tokio::test]
async fn who_presses_cancel_may_try_again() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    let ada = acme.has_person("ada", &["Admin"]);
    acme.provision().await;
    let mut browser = service.browser();
    let asked = browser.sign_in_from("/login/acme?prompt=consent", &ada).await;

    let page = browser.submit(&asked, &asked.forms()[0], &[("consent", "cancel")]).await;

    assert_refused(&mut browser, &page, 403, "The sign-in was cancelled").await;
    assert!(page.body.contains(r#"href="/login/acme""#), "{}", page.body);
}

const TRACE: &str = "Trace ID: 0c6b1c0c-5a9b-4d6b-8f3e-1c5f0f3a2b00 \
    Correlation ID: 11111111-2222-3333-4444-555555555555 Timestamp: 2026-03-03 09:00:00Z";

/// Microsoft answers a sign-in with an error.
async fn is_answered(browser: &mut Browser, address: &str, error: &str, words: &str) -> Answer {
    let begun = browser.begin(address).await;
    let sent = |wanted: &str| {
        let found = begun.query_pairs().find(|(name, _)| name == wanted);
        found.map(|(_, value)| value.into_owned()).unwrap()
    };
    let description = format!("{words} {TRACE}");
    let answer =
        [("error", error), ("error_description", description.as_str()), ("state", &sent("state"))];
    let query = serde_urlencoded::to_string(answer).unwrap();
    browser.open(&format!("{}?{query}", sent("redirect_uri"))).await
}

/// The line of a page's note under that name.
fn line<'p>(page: &'p str, name: &str) -> Option<&'p str> {
    page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

fn labels(page: &Answer) -> Vec<String> {
    let ways = page.links().into_iter().map(|(label, _)| label);
    ways.filter(|label| label != "Portico").collect()
}

#[tokio::test]
async fn what_an_administrator_must_mend_can_be_forwarded_as_it_stands() {
    let service = Service::start().await;
    service.organization("acme").await;
    let words = "AADSTS50105: The signed in user is not assigned to a role.";

    let page = is_answered(&mut service.browser(), "/login/acme", "access_denied", words).await;

    let text = page.text();
    let note = |name| line(&text, name).unwrap_or_else(|| panic!("{name} is missing: {text}"));
    assert_eq!(
        (page.status, page.heading().as_str()),
        (403, "Your organization’s sign-in said no")
    );
    assert!(text.contains("an administrator of Acme has to change something first"), "{text}");
    assert!(text.contains("For your administrator"), "{text}");
    assert_eq!(note("Sign-in at"), "Acme (acme)");
    assert_eq!(note("Ended with"), "AADSTS50105 (access_denied)");
    assert!(note("To be done").contains("under Enterprise applications"), "{text}");
    assert_eq!(note("Trace ID"), "0c6b1c0c-5a9b-4d6b-8f3e-1c5f0f3a2b00");
    assert_eq!(note("Correlation ID"), "11111111-2222-3333-4444-555555555555");
    assert_eq!(note("Time"), "2026-03-03 09:00:00 UTC");
    assert_eq!(note("Number"), page.reference());
}

#[tokio::test]
async fn who_can_mend_it_decides_what_the_page_says() {
    let service = Service::start().await;
    service.organization("acme").await;
    let said_no = "Your organization’s sign-in said no";
    let circle = "You were signed in, but the application doesn’t see it";

    for (error, words, heading, status, for_whom, first) in [
        ("access_denied", "AADSTS50105: x", said_no, 403, "For your administrator", "Try again"),
        ("invalid_client", "AADSTS7000222: x", said_no, 403, "For your administrator", "Try again"),
        ("access_denied", "AADSTS53003: x", said_no, 403, "If you ask for help", "Try again"),
        ("invalid_grant", "AADSTS54005: x", said_no, 403, "If you ask for help", "Try again"),
        ("invalid_request", "AADSTS501481: x", said_no, 403, "whoever runs this", "Try again"),
        ("invalid_request", "no number", said_no, 403, "whoever runs this", "Try again"),
        ("access_denied", "AADSTS65004: x", "The sign-in was cancelled", 403, "", "Try again"),
        ("login_required", "AADSTS50058: x", "You have to sign in yourself", 403, "", "Sign in"),
        (
            "server_error",
            "AADSTS90033: x",
            "Your organization’s sign-in is busy",
            503,
            "",
            "Try again",
        ),
        ("server_error", "AADSTS50196: x", circle, 409, "whoever runs this", "Try again"),
    ] {
        let page = is_answered(&mut service.browser(), "/login/acme", error, words).await;

        assert_eq!((page.status, page.heading().as_str()), (status, heading), "{words}");
        assert!(page.text().contains(for_whom), "{words}: {}", page.text());
        assert_eq!(for_whom.is_empty(), page.body.contains("<details>"), "{words}: {}", page.body);
        assert_eq!(labels(&page)[0], first, "{words}");
        assert_eq!(page.header("retry-after"), (status == 503).then_some("30"), "{words}");
        assert_eq!(page.header("location"), None, "{words}");
        assert!(!page.body.contains("http-equiv") && !page.body.contains("<script"), "{words}");
        assert!(page.text().contains("0c6b1c0c-5a9b-4d6b-8f3e-1c5f0f3a2b00"), "{words}");
    }
}

#[tokio::test]
async fn a_silent_sign_in_that_must_ask_something_leads_to_a_button_and_on_to_the_page_wanted() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    let ada = acme.has_person("ada", &["Admin"]);
    acme.provision().await;
    let mut browser = service.browser();
    let address = "/login/acme?prompt=none&return_to=%2Fsession";

    let page = browser.open(address).await;
    let (label, way) = page.links().into_iter().find(|(_, way)| way.contains("login")).unwrap();
    let end = browser.sign_in_from(&way, &ada).await;

    assert_eq!((page.status, page.heading().as_str()), (403, "You have to sign in yourself"));
    assert_eq!((label.as_str(), way.as_str()), ("Sign in", "/login/acme?return_to=%2Fsession"));
    assert_eq!(end.url, format!("{}/session", service.origin));
}

#[tokio::test]
async fn the_words_of_an_error_stay_words() {
    let service = Service::start().await;
    service.organization("acme").await;
    let hostile = r#""'><img src=x onerror=alert(1)><script>alert(2)</script>{{ 7 }}</pre>"#;

    for (error, words) in [(hostile, "AADSTS50105: x"), ("access_denied", hostile)] {
        let page = is_answered(&mut service.browser(), "/login/acme", error, words).await;

        assert_eq!(page.status, 403, "{error}");
        for markup in ["<img", "<script", "</pre>{{"] {
            assert!(!page.body.contains(markup), "{error}: {}", page.body);
        }
    }
}

#[tokio::test]
async fn who_is_signed_in_all_the_same_can_go_on() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    let ada = acme.has_person("ada", &["Admin"]);
    acme.provision().await;
    let mut browser = service.browser();
    browser.sign_in(&acme, &ada).await;

    let words = "AADSTS65004: User declined.";
    let page = is_answered(&mut browser, "/login/acme", "access_denied", words).await;

    let stays = ["Try again", "Sign in with another account", "Go on, you are still signed in"];
    assert_eq!(labels(&page), stays);
    assert_eq!(browser.open("/").await.heading(), "Welcome, Ada Example");
}

#[tokio::test]
async fn a_refusal_before_anything_began_remembers_where_the_person_wanted_to_go() {
    let mut service = Service::start().await;
    service.organization("acme").await;
    service.stop_entra().await;

    let page = service.browser().open("/login/acme?return_to=%2Freports").await;

    let (_, way) = page.links().into_iter().find(|(label, _)| label == "Try again").unwrap();
    assert_eq!((page.status, way.as_str()), (502, "/login/acme?return_to=%2Freports"));
    assert!(page.text().contains("For whoever runs this service"), "{}", page.body);
}
