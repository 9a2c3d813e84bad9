//! A browser that is sent to sign in again and again ends on a page, not in a circle.

use jiff::SignedDuration;
use portico::simulator::Person;

use crate::support::{Answer, Ask, Browser, LOGIN, Options, Organization, SESSION, Service};

const CIRCLE: &str = "You were signed in, but the application doesn’t see it";

/// As an application's proxy sends a browser to sign in.
const FROM_REPORTS: &str = "/login/acme?return_to=https%3A%2F%2Fapp.example.com%2Freports";

/// Somebody whose application never sees the session.
struct Scene {
    service: Service,
    acme: Organization,
    ada: Person,
    browser: Browser,
}

impl Scene {
    async fn begin() -> Self {
        let options = Options {
            return_origins: vec!["https://app.example.com", "https://other.example.com"],
            ..Options::default()
        };
        let service = Service::start_with(options).await;
        let acme = service.organization("acme").await;
        let ada = acme.has_person("ada", &["Admin"]);
        acme.provision().await;
        let browser = service.browser();
        Self { service, acme, ada, browser }
    }

    /// The application sends the browser to sign in; whether that ends at the application again.
    async fn goes_round(&mut self) -> bool {
        self.arrives_from(FROM_REPORTS).await
    }

    async fn arrives_from(&mut self, address: &str) -> bool {
        let end = self.browser.sign_in_from(address, &self.ada).await;
        end.header("location").is_some()
    }

    /// Round after round until it ends: the page, and how many rounds there were.
    async fn end(&mut self) -> (Answer, usize) {
        for round in 0..20 {
            let end = self.browser.sign_in_from(FROM_REPORTS, &self.ada).await;
            if end.header("location").is_none() {
                return (end, round);
            }
        }
        panic!("it goes round for ever");
    }
}

#[tokio::test]
async fn an_application_that_never_sees_the_session_gets_its_browser_back_twice() {
    let mut scene = Scene::begin().await;

    let (page, rounds) = scene.end().await;

    assert_eq!((page.status, page.heading().as_str(), rounds), (409, CIRCLE, 2));
    assert!(!page.reference().is_empty());
    for shown in ["Acme", "cookies", "Cookie", "X-Forwarded-Host", "https://app.example.com"] {
        assert!(page.text().contains(shown), "{shown} is missing: {}", page.body);
    }
    assert!(!page.text().contains("/reports"), "{}", page.body);
    let asked = scene.browser.visited.last().unwrap();
    assert!(asked.ends_with(FROM_REPORTS), "{asked}");
}

#[tokio::test]
async fn the_page_stays_until_a_minute_is_over() {
    let mut scene = Scene::begin().await;
    scene.end().await;

    let mut goes_round = Vec::new();
    for seconds in [0, 59, 2] {
        scene.service.advance(SignedDuration::from_secs(seconds));
        goes_round.push(scene.goes_round().await);
    }

    assert_eq!(goes_round, [false, false, true]);
}

#[tokio::test]
async fn a_person_who_tries_again_gets_two_more_rounds_and_no_more() {
    let mut scene = Scene::begin().await;
    let (page, _) = scene.end().await;
    let way = page.links().into_iter().find(|(label, _)| label == "Try again").unwrap().1;

    let begun = scene.browser.open_from(Some("localhost"), &way).await;
    let (_, more_rounds) = scene.end().await;

    assert_eq!(begun.header("location"), Some("https://app.example.com/reports"));
    assert_eq!(more_rounds, 1);
}

#[tokio::test]
async fn a_redirect_from_elsewhere_is_no_person_who_tries_again() {
    let mut scene = Scene::begin().await;
    scene.end().await;
    let address = format!("{FROM_REPORTS}&try_again=true");

    for site in ["none", "cross-site", "same-site"] {
        let ask = Ask::get(address.as_str()).header("sec-fetch-site", site);

        let page = scene.browser.ask(ask).await;

        assert_eq!((page.status, page.heading().as_str()), (409, CIRCLE), "{site}");
    }
}

#[tokio::test]
async fn who_signs_out_may_sign_in_at_once() {
    let mut scene = Scene::begin().await;
    let (page, _) = scene.end().await;
    let way = page.links().into_iter().find(|(label, _)| label == "Sign out").unwrap().1;

    scene.browser.open_from(Some("localhost"), &way).await;
    let goes_round = scene.goes_round().await;

    assert!(goes_round);
}

#[tokio::test]
async fn another_page_and_another_browser_have_nothing_to_do_with_it() {
    let mut scene = Scene::begin().await;
    scene.end().await;

    let elsewhere = "/login/acme?return_to=https%3A%2F%2Fother.example.com%2Freports";
    let elsewhere = scene.arrives_from(elsewhere).await;
    scene.browser = scene.service.browser();
    let another = scene.goes_round().await;

    assert!(elsewhere && another);
}

#[tokio::test]
async fn thirty_tabs_of_one_page_that_open_at_once_are_no_circle() {
    let mut scene = Scene::begin().await;
    let mut tabs = Vec::new();
    for _ in 0..25 {
        tabs.push(scene.browser.begin(FROM_REPORTS).await);
    }

    let mut arrived = 0;
    for (number, tab) in tabs.into_iter().enumerate() {
        arrived += u32::from(scene.arrives_from(tab.as_str()).await);
        if number < 5 {
            // A slow one begins when others are back already.
            let late = scene.browser.begin(FROM_REPORTS).await;
            arrived += u32::from(scene.arrives_from(late.as_str()).await);
        }
    }

    assert_eq!(arrived, 30);
}

#[tokio::test]
async fn who_chooses_an_account_is_a_person_but_nobody_does_that_ten_times_a_minute() {
    let mut scene = Scene::begin().await;

    for prompt in ["select_account", "login"] {
        scene.browser = scene.service.browser();
        let address = format!("{FROM_REPORTS}&prompt={prompt}");
        let mut rounds = 0;
        while rounds < 20 && scene.arrives_from(&address).await {
            rounds += 1;
        }

        assert_eq!(rounds, 10, "{prompt}");
    }
}

#[tokio::test]
async fn a_silent_sign_in_goes_round_no_oftener_than_another() {
    let mut scene = Scene::begin().await;
    scene.goes_round().await;
    let address = format!("{FROM_REPORTS}&prompt=none");

    let silent = scene.arrives_from(&address).await;
    let page = scene.browser.open(&address).await;

    assert!(silent);
    assert_eq!((page.status, page.heading().as_str()), (409, CIRCLE));
}

#[tokio::test]
async fn a_browser_that_loses_every_cookie_ends_on_a_page() {
    let mut scene = Scene::begin().await;

    for _ in 0..3 {
        let callback = scene.browser.sign_in_until_callback(&scene.acme, &scene.ada).await;
        scene.browser.forget_cookie(LOGIN);

        let page = scene.browser.bring(callback).await;

        let heading = "Your browser didn’t bring our cookie back";
        assert_eq!((page.status, page.heading().as_str()), (400, heading));
    }
}

#[tokio::test]
async fn a_browser_that_loses_the_session_alone_ends_at_the_e_mail_box() {
    let mut scene = Scene::begin().await;
    scene.browser.sign_in(&scene.acme, &scene.ada).await;

    scene.browser.forget_cookie(SESSION);
    let page = scene.browser.open("/").await;

    assert_eq!((page.status, page.heading().as_str()), (200, "Sign in"));
}
