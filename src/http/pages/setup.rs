//! Organization Setup through a link.

use actix_web::{HttpResponse, http::StatusCode};
use askama::Template;
use jiff::Timestamp;

use crate::{
    domain::{access_role::AccessRole, organization::Slug, secret::Secret},
    http::{
        middleware::security_headers::Csp,
        pages::{Frame, html, html_with_form, moment},
    },
    service::setup_links::answers::Problems,
};

/// `GET /setup/{token}`: the way through the Azure portal, step by step, and the form in its
/// middle.
#[derive(Template)]
#[template(path = "setup/form.html")]
pub struct FormPage<'a> {
    /// What stands around the page.
    pub frame: &'a Frame,
    /// The organization's display name.
    pub organization: &'a str,
    /// How long the link is good.
    pub expires_at: Timestamp,
    /// What to copy to the Azure portal.
    pub copied: &'a CopiedValues,
    /// Whether the organization has a connector already, which this changes.
    pub is_change: bool,
    /// What was typed before, or is in force.
    pub typed: &'a Typed<'a>,
    /// What is wrong with it.
    pub problems: &'a Problems,
}

/// What an admin copies to the Azure portal.
#[derive(Clone, Debug)]
pub struct CopiedValues {
    /// The redirect URI of the platform Web.
    pub redirect_uri: String,
    /// Where the authority sends people back after signing out.
    pub signed_out_uri: String,
    /// Where the authority tells of people who sign out there.
    pub frontchannel_logout_uri: String,
    /// Provisioning's Tenant URL.
    pub scim_url: String,
    /// The User Name, for directories that authenticate with one.
    pub scim_user_name: String,
}

/// What stands in the form; the secret never does.
#[derive(Clone, Copy, Debug, Default)]
pub struct Typed<'a> {
    /// The authority.
    pub authority: &'a str,
    /// The Application (client) ID.
    pub client_id: &'a str,
}

impl FormPage<'_> {
    /// 200, or 422 with a problem.
    pub fn respond(&self) -> HttpResponse {
        let status = if self.problems.is_empty() {
            StatusCode::OK
        } else {
            StatusCode::UNPROCESSABLE_ENTITY
        };
        html_with_form(self, status, &Csp::strict())
    }

    fn expires(&self) -> String {
        moment(self.expires_at)
    }

    /// The field that the browser goes to: the first that needs correction.
    const fn field_to_correct(&self) -> &'static str {
        match self.problems {
            Problems { authority: Some(_), .. } => "authority",
            Problems { client_id: Some(_), .. } => "client_id",
            Problems { client_secret: Some(_), .. } => "client_secret",
            _ => "",
        }
    }
}

/// The setup is done: what the directory needs, and where people sign in.
#[derive(Template)]
#[template(path = "setup/done.html")]
pub struct DonePage<'a> {
    /// What stands around the page.
    pub frame: &'a Frame,
    /// The organization's display name.
    pub organization: &'a str,
    /// The organization's name in URLs.
    pub slug: &'a Slug,
    /// Where its people sign in.
    pub sign_in_url: &'a str,
    /// Provisioning's Tenant URL.
    pub scim_url: &'a str,
    /// The User Name, for directories that authenticate with one.
    pub scim_user_name: &'a str,
    /// The Password, shown this once.
    pub scim_password: &'a Secret,
    /// Whether the Password before it is valid, too.
    pub former_password_valid: bool,
}

impl DonePage<'_> {
    /// 200.
    pub fn respond(&self) -> HttpResponse {
        html(self, StatusCode::OK)
    }
}

/// The link opens nothing, and how to get another.
#[derive(Template)]
#[template(path = "setup/gone.html")]
pub struct GonePage<'a> {
    /// What stands around the page.
    pub frame: &'a Frame,
}

impl GonePage<'_> {
    /// 404, whatever became of the link.
    pub fn respond(&self) -> HttpResponse {
        html(self, StatusCode::NOT_FOUND)
    }
}

/// The organization's edition has no connectors.
#[derive(Template)]
#[template(path = "setup/edition.html")]
pub struct EditionPage<'a> {
    /// What stands around the page.
    pub frame: &'a Frame,
    /// The organization's display name.
    pub organization: &'a str,
}

impl EditionPage<'_> {
    /// 403.
    pub fn respond(&self) -> HttpResponse {
        html(self, StatusCode::FORBIDDEN)
    }
}
