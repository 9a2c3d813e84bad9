//! What most of these tests begin and end with.

use portico::{
    domain::decision::Outcome,
    simulator::{Person, Station},
};
use url::Url;

use crate::{
    LOGGED, log,
    support::{Answer, Ask, Browser, Organization, Service},
};

pub const SAID_NO: &str = "Your organization’s sign-in said no";
pub const NOT_PROVISIONED: &str = "You don’t have an account here yet";
pub const NO_LONGER_OPEN: &str = "This sign-in is no longer open";
pub const NOT_SILENT: &str = "You have to sign in yourself";
pub const NOT_TRUSTED: &str = "We couldn’t trust the answer we got";

/// A service with an organization, and somebody in it who may sign in.
pub async fn acme_with_ada() -> (Service, Organization, Person) {
    log::keep(LOGGED);
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    let ada = acme.has_person("ada", &["Admin"]);
    acme.provision().await;
    (service, acme, ada)
}

/// The same address with another value of a parameter, or with one more.
pub fn with(url: &Url, name: &str, value: &str) -> Url {
    let kept = url.query_pairs().into_owned().filter(|(found, _)| found != name);
    let pairs: Vec<_> = kept.chain([(name.to_owned(), value.to_owned())]).collect();
    let mut changed = url.clone();
    changed.query_pairs_mut().clear().extend_pairs(pairs);
    changed
}

/// The value of a parameter, which must be there.
pub fn parameter(url: &Url, name: &str) -> String {
    let found = url.query_pairs().find(|(found, _)| found == name);
    found.unwrap_or_else(|| panic!("{url} has no {name}")).1.into_owned()
}

/// The requests that the discovery document, the keys and the token endpoint received.
pub fn requests(service: &Service) -> [usize; 3] {
    [Station::Discovery, Station::Keys, Station::Token]
        .map(|station| service.entra().received(station))
}

/// The sign-in ended on the portal.
pub fn assert_signed_in(service: &Service, page: &Answer) {
    let end = (page.status, page.url.as_str());
    assert_eq!(end, (200, format!("{}/", service.origin).as_str()), "{}", page.text());
}

/// The sign-in ended on this page and without a session.
pub async fn assert_refused(browser: &mut Browser, page: &Answer, status: u16, heading: &str) {
    assert_eq!((page.status, page.heading().as_str()), (status, heading), "{}", page.text());
    assert_eq!(browser.ask(Ask::get("/session")).await.status, 401);
}

/// The authority refused, with this number of Entra's: the decision has it.
pub async fn assert_entra_refused(
    service: &Service,
    organization: &Organization,
    browser: &mut Browser,
    page: &Answer,
    number: &str,
) {
    assert_refused(browser, page, 403, SAID_NO).await;
    let decision = service.decision(organization, page).await;
    assert_eq!(decision.outcome, Outcome::NotAuthenticated);
    assert!(decision.grounds.because.contains(number), "{:?}", decision.grounds);
    assert!(page.text().contains(number), "{}", page.text());
}
