//! Who is signed in, and what ties accounts to people.

use http::Method;
use serde_json::Value;
use url::Url;

use crate::support::{Ask, Browser, Organization, Service};

pub const OTHER_BROWSER: &str = "Your browser didn’t bring our cookie back";

pub async fn is_signed_in(browser: &mut Browser) -> bool {
    browser.ask(Ask::get("/session")).await.status == 200
}

/// What `/session` says of somebody who is signed in.
pub async fn session(browser: &mut Browser) -> Value {
    browser.ask(Ask::get("/session")).await.json()
}

/// How often an organization's audit log says that somebody was linked or asked to be.
pub async fn links(service: &Service, organization: &Organization) -> usize {
    let events = service.audit(organization).await;
    events.iter().filter(|event| event.action.starts_with("subject_link.")).count()
}

/// How many live sessions an account has.
pub async fn sessions(service: &Service, organization: &Organization, account: &str) -> usize {
    let (account, now) = (account.parse().unwrap(), service.clock.now());
    let list = service.ports().sessions.list_of_account(organization.stored.id, account, now);
    list.await.unwrap().len()
}

/// An answer's parameters as a form that a page of ours posts: with the browser's cookies.
pub fn in_a_form(answer: &Url) -> Ask {
    let body = answer.query().unwrap_or_default();
    let mut address = answer.clone();
    address.set_query(None);
    Ask::new(Method::POST, address)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body)
}
