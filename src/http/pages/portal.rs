//! The portal page: who am I, and what may I do?

use actix_web::{HttpResponse, http::StatusCode};
use askama::Template;

use crate::{
    domain::session::Session,
    http::{
        middleware::security_headers::Csp,
        pages::{Frame, Link, html_with_form, moment},
    },
};

/// `GET /` of somebody who is signed in.
#[derive(Template)]
#[template(path = "portal.html")]
pub struct PortalPage<'a> {
    /// What stands around the page.
    pub frame: &'a Frame,
    /// The account's display name.
    pub name: &'a str,
    /// Its primary e-mail address.
    pub email: &'a str,
    /// The organization's display name.
    pub organization: &'a str,
    /// The session that asks.
    pub session: &'a Session,
    /// Where to go from here: the demo's sample pages.
    pub links: &'a [Link],
}

impl PortalPage<'_> {
    /// 200.
    pub fn respond(&self) -> HttpResponse {
        let csp = Csp::strict().forms_lead_to(&self.frame.form_targets);
        html_with_form(self, StatusCode::OK, &csp)
    }

    fn signed_in(&self) -> String {
        moment(self.session.created_at)
    }

    fn ends(&self) -> String {
        moment(self.session.expires_at)
    }

    fn browser(&self) -> String {
        browser_name(&self.session.user_agent)
    }
}

/// What a `User-Agent` names, roughly: `Firefox on Windows`; itself, cut, where it says neither.
///
/// Most browsers also claim to be those that came before them, so the order counts.
fn browser_name(user_agent: &str) -> String {
    const BROWSERS: [(&str, &str); 7] = [
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("SamsungBrowser/", "Samsung Internet"),
        ("Firefox/", "Firefox"),
        ("FxiOS/", "Firefox"),
        ("Chrom", "Chrome"),
        ("Safari/", "Safari"),
    ];
    const SYSTEMS: [(&str, &str); 7] = [
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Android", "Android"),
        ("Windows", "Windows"),
        ("CrOS", "ChromeOS"),
        ("Mac OS X", "macOS"),
        ("Linux", "Linux"),
    ];
    let named = |table: &[(&str, &'static str)]| {
        table.iter().find(|(mark, _)| user_agent.contains(mark)).map(|(_, name)| *name)
    };

    match (named(&BROWSERS), named(&SYSTEMS)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(name), None) | (None, Some(name)) => name.to_owned(),
        (None, None) if user_agent.is_empty() => "not named".to_owned(),
        (None, None) => user_agent.chars().take(60).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_called_by_the_name_that_its_user_knows() {
        let webkit = "AppleWebKit/537.36 (KHTML, like Gecko)";
        for (user_agent, name) in [
            (
                format!("Mozilla/5.0 (Windows NT 10.0) {webkit} Chrome/142.0 Safari/537.36"),
                "Chrome on Windows",
            ),
            (
                format!(
                    "Mozilla/5.0 (Windows NT 10.0) {webkit} Chrome/142.0 Safari/537.36 Edg/142.0"
                ),
                "Edge on Windows",
            ),
            (
                format!(
                    "Mozilla/5.0 (iPhone; CPU iPhone OS 18 like Mac OS X) {webkit} Safari/604.1"
                ),
                "Safari on iPhone",
            ),
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0".into(),
                "Firefox on Linux",
            ),
            ("curl/8.1".into(), "curl/8.1"),
            (String::new(), "not named"),
        ] {
            assert_eq!(browser_name(&user_agent), name);
        }
    }
}
