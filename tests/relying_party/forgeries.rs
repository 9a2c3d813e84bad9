//! Every fault of the table, met by a real sign-in.

use std::{collections::HashSet, sync::Arc, time::Duration};

use jiff::SignedDuration;
use portico::{
    domain::id::AccountId,
    oidc::entra_error,
    simulator::{Ending, Fault, Person, Station},
};
use tokio::{sync::Semaphore, task::JoinSet, time::timeout};
use url::Url;

use crate::{
    conformance, log,
    scene::{acme_with_ada, assert_signed_in, requests},
    support::{Answer, Ask, Browser, Organization, SESSION, Service},
    table::{self, End, Forgery, Page, Stage, TABLE},
};

/// Services that run at a time.
const AT_A_TIME: usize = 6;
/// The door waits for ten seconds; a slow authority takes thirty.
const BOUND: Duration = Duration::from_secs(20);

#[test]
fn the_table_has_every_fault_once() {
    let faults: Vec<Fault> = forgeries().map(|forgery| forgery.fault).collect();

    let distinct: HashSet<Fault> = faults.iter().copied().collect();
    assert_eq!(distinct, Fault::ALL.iter().copied().collect());
    assert_eq!(faults.len(), distinct.len(), "a fault stands twice");
    assert!(forgeries().all(|forgery| !forgery.source.is_empty()));
}

#[test]
fn what_the_simulator_promises_of_a_fault_is_what_the_table_says() {
    for Forgery { fault, end, .. } in forgeries() {
        assert_eq!(fault.ending(), end.ending(), "{fault}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_ends_as_the_table_says() {
    meet_all(forgeries().filter(|forgery| !forgery.is_slow()), &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_waits_for_half_a_minute() {
    meet_all(forgeries().filter(|forgery| forgery.is_slow()), &[]).await;
}

/// `oidcc-client-formpost-basic-certification-test-plan`
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_of_the_basic_plan_ends_so_too_where_the_answer_is_posted() {
    let of_basic = |forgery: &&Forgery| conformance::BASIC.contains(&forgery.source);
    meet_all(forgeries().filter(of_basic), &[Fault::FormPostAnswers]).await;
}

fn forgeries() -> impl Iterator<Item = &'static Forgery> {
    TABLE.iter().copied().flatten()
}

/// A sign-in meets each fault at a service of its own, several at a time; names those that ended
/// otherwise.
async fn meet_all(forgeries: impl Iterator<Item = &'static Forgery>, besides: &'static [Fault]) {
    let places = Arc::new(Semaphore::new(AT_A_TIME));
    let mut sign_ins = JoinSet::new();
    let mut names = Vec::new();
    for forgery in forgeries {
        let places = Arc::clone(&places);
        let task = sign_ins.spawn(async move {
            let _place = places.acquire().await.unwrap();
            meet(forgery, besides).await;
        });
        names.push((task.id(), forgery.fault.name()));
    }
    assert!(!names.is_empty());
    let mut surprises = Vec::new();
    while let Some(ended) = sign_ins.join_next().await {
        if let Err(error) = ended {
            let name = names.iter().find(|(id, _)| *id == error.id()).unwrap().1;
            surprises.push(format!("{name}: {}", panic_of(error)));
        }
    }
    assert!(surprises.is_empty(), "\n{}\n", surprises.join("\n"));
}

fn panic_of(error: tokio::task::JoinError) -> String {
    let panic = error.into_panic();
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("panicked").to_owned()
}

async fn meet(forgery: &Forgery, besides: &[Fault]) {
    let (service, acme, ada) = acme_with_ada().await;
    service.entra().faults().set([&[forgery.fault], besides].concat());
    let mut browser = service.browser();

    let ending = timeout(BOUND, sign_in(&mut browser, &acme, &ada)).await;

    let page = ending.expect("the door's limit holds");
    assert_eq!(requests(&service), forgery.stage.requests(), "{}", page.body);
    let was_sent_there = browser.visited.iter().any(|url| url.contains("/authorize"));
    assert_eq!(was_sent_there, forgery.stage != Stage::Discovery, "{:?}", browser.visited);
    match &forgery.end {
        End::SignedIn(role) => {
            assert_signed_in(&service, &page);
            assert_eq!(browser.ask(Ask::get("/session")).await.json()["role"], *role);
        }
        End::Refused(expected, because) => {
            assert_refused(&service, &acme, &page, *expected, because).await;
        }
        End::SaidNo(number) => assert_said_no(&service, &acme, &page, *number).await,
        End::Stopped(number) => assert_stopped(&service, &page, *number),
    }
    if forgery.fault.ending() != Ending::SignedIn {
        assert_nobody_is_signed_in(&service, &acme, &ada, &mut browser).await;
        assert_the_truth_is_believed(&service, &acme, &ada, &mut browser, forgery).await;
    }
    assert_no_code_is_told(&browser, &page.body);
    assert!(!page.body.contains("<script>alert"), "{}", page.body);
    assert_eq!(service.entra().received(Station::Userinfo), 0);
}

/// Signs in, by way of the page that posts an answer once more if one shows.
async fn sign_in(browser: &mut Browser, acme: &Organization, ada: &Person) -> Answer {
    let page = browser.sign_in(acme, ada).await;
    match page.forms().first() {
        Some(form) if page.heading() == "Finishing your sign-in" => {
            browser.submit(&page, form, &[]).await
        }
        _ => page,
    }
}

/// The page says what to do where Entra's number is a known one, and the decision has the number.
async fn assert_said_no(service: &Service, acme: &Organization, page: &Answer, number: u32) {
    let name = format!("AADSTS{number}");
    assert_refused(service, acme, page, table::SAID_NO, &name).await;
    assert!(page.text().contains(&name), "{}", page.text());
    let remedy = entra_error::remedy(number);
    assert_eq!(remedy.is_none(), number == 9_999_999, "{number}");
    let shown = remedy.is_none_or(|remedy| page.text().contains(remedy.text));
    assert!(shown, "{remedy:?} is not on {}", page.text());
}

/// The authority keeps the person, and says why.
fn assert_stopped(service: &Service, page: &Answer, number: u32) {
    assert!(page.url.starts_with(service.entra().origin()), "{}", page.url);
    assert_eq!(page.status, 400);
    assert!(page.text().contains(&format!("AADSTS{number}:")), "{}", page.text());
    assert!(entra_error::remedy(number).is_some(), "{number}");
}

async fn assert_refused(
    service: &Service,
    acme: &Organization,
    page: &Answer,
    expected: Page,
    because: &str,
) {
    let shown = (page.status, page.heading());
    assert_eq!(shown, (expected.status, expected.heading.to_owned()), "{}", page.body);
    let logged = log::line(&page.reference());
    assert!(logged.contains(because), "{because} is not why: {logged}");
    if let Some(outcome) = expected.outcome {
        let decision = service.decision(acme, page).await;
        assert_eq!(decision.outcome, outcome);
        assert!(decision.grounds.because.contains(because), "{:?}", decision.grounds);
    }
}

async fn assert_nobody_is_signed_in(
    service: &Service,
    acme: &Organization,
    ada: &Person,
    browser: &mut Browser,
) {
    assert_eq!(browser.cookie(SESSION), None);
    assert_eq!(browser.ask(Ask::get("/session")).await.status, 401);
    let account: AccountId = acme.scim_id(ada).await.parse().unwrap();
    let (sessions, now) = (&service.ports().sessions, service.clock.now());
    let sessions = sessions.list_of_account(acme.stored.id, account, now).await.unwrap();
    assert!(sessions.is_empty(), "{sessions:?}");
}

/// The fault was the only hindrance, and nothing of it stays: after five minutes at most, in which
/// keys are not asked for again, or after the day for which a discovery document holds.
async fn assert_the_truth_is_believed(
    service: &Service,
    acme: &Organization,
    ada: &Person,
    browser: &mut Browser,
    forgery: &Forgery,
) {
    service.entra().faults().set(None);
    let seconds = if forgery.is_remembered() { 24 * 60 * 60 } else { 301 };
    service.advance(SignedDuration::from_secs(seconds));
    let page = browser.sign_in(acme, ada).await;
    assert_signed_in(service, &page);
}

/// No code that came along stands on a page or in the log.
fn assert_no_code_is_told(browser: &Browser, page: &str) {
    let log = log::text();
    let urls = browser.visited.iter().filter_map(|url| Url::parse(url).ok());
    for (_, code) in urls.flat_map(|url| {
        let pairs = url.query_pairs().into_owned();
        pairs.filter(|(name, code)| name == "code" && code.len() > 20).collect::<Vec<_>>()
    }) {
        assert!(!log.contains(&code) && !page.contains(&code), "a code is told");
    }
}
