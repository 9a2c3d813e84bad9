//! A browser comes back from the authority: once, late, twice, without cookies or with too many.

use http::Method;
use jiff::SignedDuration;
use portico::{service::maintenance, simulator::Person};

use crate::support::{Answer, Ask, Browser, Callback, LOGIN, SESSION, Service, assert_refused};

#[tokio::test]
async fn thirty_tabs_of_one_browser_can_all_be_finished() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    let ada = acme.has_person("ada", &["Admin"]);
    acme.provision().await;
    let mut browser = service.browser();
    let mut tabs = Vec::new();
    for _ in 0..30 {
        tabs.push(browser.begin("/login/acme").await);
    }

    for (number, tab) in tabs.iter().enumerate() {
        let page = browser.sign_in_from(tab.as_str(), &ada).await;

        assert_eq!(
            (page.status, page.heading().as_str()),
            (200, "Welcome, Ada Example"),
            "{number}"
        );
    }
}

#[tokio::test]
async fn an_answer_that_comes_twice_signs_in_once() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    let ada = acme.has_person("ada", &["Admin"]);
    acme.provision().await;
    let mut browser = service.browser();
    let url = browser.sign_in_until_callback(&acme, &ada).await.url();
    let cookie = format!("{LOGIN}={}", browser.cookie(LOGIN).unwrap());

    let ask = || service.ask(Ask::get(url.as_str()).header("cookie", &cookie));
    let answers = tokio::join!(ask(), ask(), ask());

    let mut statuses = [answers.0.status, answers.1.status, answers.2.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 400, 400]);
}

#[tokio::test]
async fn an_answer_that_another_browser_brings_is_refused() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    let ada = acme.has_person("ada", &["Admin"]);
    acme.provision().await;

    for has_cookie_of_its_own in [false, true] {
        let mut theirs = service.browser();
        if has_cookie_of_its_own {
            theirs.begin("/login/acme").await;
        }
        let callback = service.browser().sign_in_until_callback(&acme, &ada).await;

        let page = theirs.bring(callback).await;

        let heading = "Your browser didn’t bring our cookie back";
        assert_refused(&mut theirs, &page, 400, heading).await;
    }
}

#[tokio::test]
async fn an_answer_to_another_connectors_address_is_refused() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    let globex = service.organization("globex").await;
    let ada = acme.has_person("ada", &["Admin"]);
    acme.provision().await;
    let mut browser = service.browser();
    let mut url = browser.sign_in_until_callback(&acme, &ada).await.url();

    url.set_path(&globex.callback_path());
    let page = browser.bring(Callback::Query(url)).await;

    assert_refused(&mut browser, &page, 400, "We couldn’t trust the answer we got").await;
}

#[tokio::test]
async fn a_sign_in_stays_open_for_ten_minutes_and_no_longer() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    let ada = acme.has_person("ada", &["Admin"]);
    acme.provision().await;

    for (seconds, status) in [(599, 200), (600, 400)] {
        let mut browser = service.browser();
        let begun = browser.begin("/login/acme").await;
        service.advance(SignedDuration::from_secs(seconds));

        let page = browser.sign_in_from(begun.as_str(), &ada).await;

        assert_eq!(page.status, status, "{seconds}: {}", page.body);
    }
}

#[tokio::test]
async fn an_answer_that_is_none_is_refused_in_plain_words() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    let path = acme.callback_path();
    let huge = "a".repeat(17_000);

    for query in [
        String::new(),
        "?code=a".into(),
        "?state=".into(),
        "?code=a&code=b&state=c".into(),
        "?code=a&state=b&state=c".into(),
        "?code=a&state=b&iss=c&iss=d".into(),
        format!("?code={huge}&state=b"),
        format!("?code=a&state={huge}"),
        format!("?state=b{}", "&x=y".repeat(40)),
        "?code=a&state=never-begun".into(),
        "?%ff=%fe&state=%00".into(),
    ] {
        let page = service.browser().open(&format!("{path}{query}")).await;

        let shown: String = query.chars().take(60).collect();
        assert_eq!(page.status, 400, "{shown}");
        assert!(!page.heading().is_empty(), "{shown}");
    }
}

#[tokio::test]
async fn a_redirect_uri_of_no_connector_is_not_there() {
    let service = Service::start().await;

    for connector in ["018f0000-0000-7000-8000-000000000000", "nonsense", "%2e%2e"] {
        let page = service.browser().open(&format!("/oidc/{connector}/callback?state=a")).await;

        assert_eq!(page.status, 404, "{connector}");
    }
}

/// The same request, answered by a form instead of a query.
async fn answer_in_form(browser: &mut Browser, person: &Person) -> Callback {
    let begun = browser.begin("/login/acme").await;
    let address = begun.as_str().replace("response_mode=query", "response_mode=form_post");
    let callback = browser.authenticate(&address, person).await;
    Callback::Form(callback.form())
}

#[tokio::test]
async fn an_answer_in_a_form_is_posted_again_from_here_since_the_cookie_stayed_behind() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    let ada = acme.has_person("ada", &["Admin"]);
    acme.provision().await;
    let mut browser = service.browser();

    let callback = answer_in_form(&mut browser, &ada).await;
    let again = browser.bring(callback).await;
    let page = browser.submit(&again, &again.forms()[0], &[]).await;

    assert_eq!((again.status, again.heading().as_str()), (200, "Finishing your sign-in"));
    assert_eq!((page.status, page.heading().as_str()), (200, "Welcome, Ada Example"));
}

#[tokio::test]
async fn an_answer_in_a_form_without_cookies_ends_on_a_page_and_not_in_a_circle() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    let ada = acme.has_person("ada", &["Admin"]);
    acme.provision().await;
    let mut browser = service.browser();

    let callback = answer_in_form(&mut browser, &ada).await;
    browser.forget_cookie(LOGIN);
    let again = browser.bring(callback).await;
    let page = browser.submit(&again, &again.forms()[0], &[]).await;

    let heading = "Your browser didn’t bring our cookie back";
    assert_refused(&mut browser, &page, 400, heading).await;
    assert_eq!(page.forms(), []);
}

#[tokio::test]
async fn a_form_that_is_too_large_is_not_read() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    let ask = Ask::new(Method::POST, acme.callback_path());

    let page = service.ask(ask.body(format!("code={}", "a".repeat(20_000)))).await;

    assert_eq!((page.status, page.heading().as_str()), (413, "That was too much at once"));
}

#[tokio::test]
async fn the_cookies_are_out_of_reach_of_scripts_and_other_sites() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    let ada = acme.has_person("ada", &["Admin"]);
    acme.provision().await;
    let mut browser = service.browser();

    let begun = browser.ask(Ask::get("/login/acme")).await;
    let callback = browser.sign_in_until_callback(&acme, &ada).await.url();
    let ended = browser.ask(Ask::get(callback.as_str())).await;

    for (answer, name, max_age) in [(begun, LOGIN, "600"), (ended, SESSION, "86400")] {
        let cookie = answer.header("set-cookie").unwrap().to_owned();
        assert!(cookie.starts_with(name), "{cookie}");
        let attributes: Vec<_> = cookie.split("; ").skip(1).collect();
        for wanted in ["HttpOnly", "SameSite=Lax", "Path=/", &format!("Max-Age={max_age}")] {
            assert!(attributes.contains(&wanted), "{wanted} is missing: {cookie}");
        }
    }
}

#[tokio::test]
async fn who_comes_back_after_a_long_lunch_starts_again_and_ends_where_they_wanted() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    let ada = acme.has_person("ada", &["Admin"]);
    acme.provision().await;
    let mut browser = service.browser();
    let begun = browser.begin("/login/acme?return_to=%2Fsession").await;
    service.advance(SignedDuration::from_mins(45));

    let late = browser.sign_in_from(begun.as_str(), &ada).await;
    let way = late.links().into_iter().find(|(label, _)| label == "Try again").unwrap().1;
    let page = browser.sign_in_from(&way, &ada).await;

    assert_eq!((late.status, late.heading().as_str()), (400, "This sign-in is no longer open"));
    assert_eq!((page.status, page.heading().as_str()), (200, "Welcome, Ada Example"));
}

#[tokio::test]
async fn who_goes_back_after_signing_in_is_told_that_nothing_is_lost() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    let ada = acme.has_person("ada", &["Admin"]);
    acme.provision().await;
    let mut browser = service.browser();
    let url = browser.sign_in_until_callback(&acme, &ada).await.url();
    browser.open(url.as_str()).await;

    let again = browser.open(url.as_str()).await;
    let stay = ("Go on, you are still signed in".to_owned(), "/".to_owned());
    let page = browser.open(&stay.1).await;

    assert_eq!((again.status, again.heading().as_str()), (400, "This sign-in is no longer open"));
    assert!(again.links().contains(&stay), "{}", again.body);
    assert_eq!(page.heading(), "Welcome, Ada Example");
}

#[tokio::test]
async fn a_thousand_sign_ins_that_nobody_finishes_fill_neither_the_browser_nor_the_database() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    let ada = acme.has_person("ada", &["Admin"]);
    acme.provision().await;
    let mut browser = service.browser();
    let first = browser.begin("/login/acme").await;
    for _ in 1..1_000 {
        browser.begin("/login/acme").await;
    }
    let cookie = browser.cookie(LOGIN).unwrap().len();

    let forgotten = browser.sign_in_from(first.as_str(), &ada).await;
    let page = browser.sign_in(&acme, &ada).await;

    assert_eq!((cookie, forgotten.status, page.status), (43, 400, 200));
}

#[tokio::test]
async fn answers_to_sign_ins_that_never_began_leave_no_trace_in_the_database() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    let path = acme.callback_path();
    let before = service.audit(&acme).await.len();

    for query in
        ["?code=a&state=b", "?error=access_denied&state=b", "?error=x", "", "?state=&code="]
    {
        let page = service.browser().open(&format!("{path}{query}")).await;

        let reference = portico::domain::id::Reference::from_stored(page.reference());
        let store = &service.ports().store;
        let decision = store.find_decision(acme.stored.id, &reference).await.unwrap();
        assert_eq!((page.status, decision), (400, None), "{query}");
    }
    assert_eq!(service.audit(&acme).await.len(), before);
}

#[tokio::test]
async fn why_somebody_was_refused_is_known_for_ninety_days_and_that_they_were_for_ever() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    let ada = acme.has_person("ada", &["Admin"]);
    let page = service.browser().sign_in(&acme, &ada).await;
    let reference = portico::domain::id::Reference::from_stored(page.reference());

    let mut known = Vec::new();
    for days in [90, 1] {
        service.advance(SignedDuration::from_hours(24 * days));
        maintenance::forget_old_decisions(service.ports()).await.unwrap();
        let store = &service.ports().store;
        let found = store.find_decision(acme.stored.id, &reference).await.unwrap();
        known.push(found.is_some());
    }

    assert_eq!(known, [true, false]);
    let audit = service.audit(&acme).await;
    assert!(audit.iter().any(|event| event.reference.as_ref() == Some(&reference)));
}

#[tokio::test]
async fn the_cookies_of_other_applications_on_the_same_host_are_in_nobodys_way() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    let ada = acme.has_person("ada", &["Admin"]);
    acme.provision().await;

    for kibibytes in [4, 16, 64] {
        let mut browser = service.browser();
        for number in 0..kibibytes {
            browser.forge_cookie(&format!("other-{number}"), &"x".repeat(1_010));
        }

        let page = browser.sign_in(&acme, &ada).await;

        let welcome = (200, "Welcome, Ada Example");
        assert_eq!((page.status, page.heading().as_str()), welcome, "{kibibytes} KiB");
        assert_eq!(browser.check("?role=Admin").await.status, 200, "{kibibytes} KiB");
    }
}

/// What a browser brings to the callback besides, or instead of, what it was given.
async fn bring_with(service: &Service, path: &str, person: &Person, cookies: &[u8]) -> Answer {
    let mut browser = service.browser();
    let url = browser.authenticate(path, person).await.url();
    let own = format!("{LOGIN}={}", browser.cookie(LOGIN).unwrap());
    let marker = cookies.windows(3).position(|part| part == b"OWN").unwrap();
    let header = [&cookies[..marker], own.as_bytes(), &cookies[marker + 3..]].concat();
    service.ask(Ask::get(url.as_str()).header("cookie", header)).await
}

#[tokio::test]
async fn a_cookie_of_the_same_name_that_a_neighbour_planted_is_in_nobodys_way() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    let ada = acme.has_person("ada", &["Admin"]);
    acme.provision().await;
    let planted = "p".repeat(43);

    for cookies in [
        format!("{LOGIN}={planted}; OWN").into_bytes(),
        format!("OWN; {LOGIN}={planted}").into_bytes(),
        format!("{LOGIN}=; {LOGIN}=short; {LOGIN}={}; OWN", "x".repeat(9_000)).into_bytes(),
        b"caf\xe9=\xff; OWN; \xfe".to_vec(),
        b"rubbish; =; ;;OWN;".to_vec(),
    ] {
        let answer = bring_with(&service, "/login/acme", &ada, &cookies).await;

        let shown = String::from_utf8_lossy(&cookies).chars().take(80).collect::<String>();
        assert_eq!(answer.status, 303, "{shown}: {}", answer.body);
    }
}

#[tokio::test]
async fn a_byte_that_is_no_text_in_a_neighbours_cookie_costs_nobody_the_session() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    let ada = acme.has_person("ada", &["Admin"]);
    acme.provision().await;
    let mut browser = service.browser();
    browser.sign_in(&acme, &ada).await;
    let own = format!("{SESSION}={}", browser.cookie(SESSION).unwrap());

    let header = [b"caf\xe9=\xff; ", own.as_bytes()].concat();
    let answer = service.ask(Ask::get("/session").header("cookie", header)).await;

    assert_eq!(answer.status, 200, "{}", answer.body);
}

#[tokio::test]
async fn tabs_that_open_at_once_in_a_browser_that_was_never_here_can_all_be_finished() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    let ada = acme.has_person("ada", &["Admin"]);
    acme.provision().await;
    let begin = || service.ask(Ask::get("/login/acme"));
    let answers = tokio::join!(begin(), begin(), begin());
    let mut browser = service.browser();
    for answer in [&answers.0, &answers.1, &answers.2] {
        let cookie = answer.header("set-cookie").unwrap().split(';').next().unwrap();
        let (name, value) = cookie.split_once('=').unwrap();
        browser.forge_cookie(name, value);
    }

    for answer in [answers.2, answers.0, answers.1] {
        let page = browser.sign_in_from(&answer.location().unwrap(), &ada).await;

        assert_eq!((page.status, page.heading().as_str()), (200, "Welcome, Ada Example"));
    }
}

/// Two tabs of one browser that began together, of which the first is back: where the second is,
/// and the session's cookie.
async fn two_tabs(service: &Service, person: &Person, browser: &mut Browser) -> (String, String) {
    let first = browser.begin("/login/acme").await;
    let second = browser.begin("/login/acme").await;
    service.advance(SignedDuration::from_secs(1));
    browser.sign_in_from(first.as_str(), person).await;
    (second.into(), browser.cookie(SESSION).unwrap().to_owned())
}

#[tokio::test]
async fn a_tab_that_begins_within_a_minute_of_the_first_shares_its_session() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    let ada = acme.has_person("ada", &["Admin"]);
    acme.provision().await;
    let mut browser = service.browser();
    let mut cookies = Vec::new();

    for seconds in [0, 59, 2] {
        service.advance(SignedDuration::from_secs(seconds));
        browser.sign_in(&acme, &ada).await;
        cookies.push(browser.cookie(SESSION).unwrap().to_owned());
    }

    assert_eq!(cookies[0], cookies[1]);
    assert_ne!(cookies[1], cookies[2]);
}

#[tokio::test]
async fn tabs_that_began_together_share_the_session_of_the_first_that_is_back() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    let ada = acme.has_person("ada", &["Admin"]);
    acme.provision().await;
    let mut browser = service.browser();
    let (second, cookie) = two_tabs(&service, &ada, &mut browser).await;

    let page = browser.sign_in_from(&second, &ada).await;

    assert_eq!((page.status, page.heading().as_str()), (200, "Welcome, Ada Example"));
    assert_eq!(browser.cookie(SESSION), Some(cookie.as_str()));
}

#[tokio::test]
async fn a_tab_that_is_back_with_another_role_or_person_ends_the_session_of_the_first() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    let ada = acme.has_person("ada", &["Admin"]);
    let eve = acme.has_person("eve", &["Admin"]);
    acme.provision().await;

    for (role, person) in [("User", &ada), ("Admin", &eve)] {
        acme.assign(&ada, &["Admin"]);
        let mut browser = service.browser();
        let (second, cookie) = two_tabs(&service, &ada, &mut browser).await;
        acme.assign(&ada, &[role]);

        browser.sign_in_from(&format!("{second}&prompt=select_account"), person).await;

        let mut thief = service.browser();
        thief.forge_cookie(SESSION, &cookie);
        assert_eq!(thief.ask(Ask::get("/session")).await.status, 401, "{role}");
        let session = browser.ask(Ask::get("/session")).await.json();
        assert_eq!(session["role"], role);
        assert_eq!(session["email"], person.preferred_username());
    }
}
