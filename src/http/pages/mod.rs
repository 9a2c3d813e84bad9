//! One context struct per template; each makes its answer with `respond`.

use actix_web::{
    HttpResponse,
    http::{
        StatusCode,
        header::{
            CACHE_CONTROL, CONTENT_SECURITY_POLICY, ContentType, HeaderValue, REFERRER_POLICY,
        },
    },
};
use askama::Template;
use jiff::{Timestamp, tz::TimeZone};

use crate::http::{
    assets,
    middleware::security_headers::{Csp, FormTargets},
};

pub mod demo;
pub mod error;
pub mod login;
pub mod logout;
pub mod portal;
pub mod refusal;
pub mod setup;

/// What stands around every page; made once, at start.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Whether every page says that nothing here is real.
    pub demo: bool,
    /// Whom to ask, as it stands in "please ask …": `your IT department`, `help@portico.example`.
    pub support: String,
    /// Where the forms for signing in and out may lead.
    pub form_targets: FormTargets,
}

impl Frame {
    /// Where the stylesheet lies.
    pub fn stylesheet(&self) -> &'static str {
        assets::stylesheet_path()
    }
}

/// A way on from a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// A path on this origin, or an https address.
    pub href: String,
    /// Its words.
    pub label: String,
}

/// A moment as pages show it, in UTC: `3 March 2026, 09:05 UTC`.
fn moment(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%-d %B %Y, %H:%M UTC").to_string()
}

/// An answer that no cache keeps.
fn html(page: &impl Template, status: StatusCode) -> HttpResponse {
    HttpResponse::build(status)
        .content_type(ContentType::html())
        .insert_header((CACHE_CONTROL, "no-store"))
        .body(page.render().expect("a template of plain values renders"))
}

/// An answer with a form: it says where the form may lead, and lets the browser send our own
/// `Origin` with it.
fn html_with_form(page: &impl Template, status: StatusCode, csp: &Csp) -> HttpResponse {
    let mut answer = html(page, status);
    let headers = answer.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, csp.header());
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    answer
}

/// `parameters` as the end of an address: `?a=b&c=d`, or nothing.
fn query(parameters: &[(&str, &str)]) -> String {
    let pairs = serde_urlencoded::to_string(parameters).expect("pairs of texts have a query form");
    if pairs.is_empty() { pairs } else { format!("?{pairs}") }
}

#[cfg(test)]
mod tests;
