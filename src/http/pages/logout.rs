//! Signing out.

use actix_web::{HttpResponse, http::StatusCode};
use askama::Template;

use crate::{
    domain::organization::Slug,
    http::{
        middleware::security_headers::Csp,
        pages::{Frame, html, html_with_form},
    },
};

/// The answer to a `GET /logout` that came from another site: asks first.
#[derive(Template)]
#[template(path = "logout/confirm.html")]
pub struct ConfirmPage<'a> {
    /// What stands around the page.
    pub frame: &'a Frame,
}

impl ConfirmPage<'_> {
    /// 200.
    pub fn respond(&self) -> HttpResponse {
        let csp = Csp::strict().forms_lead_to(&self.frame.form_targets);
        html_with_form(self, StatusCode::OK, &csp)
    }
}

/// The session has ended.
#[derive(Template)]
#[template(path = "logout/done.html")]
pub struct DonePage<'a> {
    /// What stands around the page.
    pub frame: &'a Frame,
    /// Through which organization to sign in again, where it is known.
    pub organization: Option<&'a Slug>,
    /// Whether signing out at the authority was wanted and could not be done.
    pub still_signed_in_at_authority: bool,
}

impl DonePage<'_> {
    /// 200.
    pub fn respond(&self) -> HttpResponse {
        html(self, StatusCode::OK)
    }

    fn sign_in(&self) -> String {
        self.organization.map_or_else(|| "/login".to_owned(), |slug| format!("/login/{slug}"))
    }
}
