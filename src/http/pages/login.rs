//! Signing in: the e-mail box, the way back, a refusal.

use actix_web::{
    HttpResponse,
    http::{
        StatusCode,
        header::{HeaderValue, RETRY_AFTER},
    },
};
use askama::Template;

use crate::{
    domain::{id::Reference, organization::Slug, secret::Secret},
    http::{
        middleware::security_headers::Csp,
        pages::{Frame, Link, html, html_with_form, query, refusal::Refusal},
    },
    oidc::entra_error::Who,
};

/// `GET /login`: the e-mail box, from whose domain the organization is found.
///
/// Its form comes back as `GET /login?login_hint={e-mail}` with what is [`carried`](Self::carried).
#[derive(Template)]
#[template(path = "login/email.html")]
pub struct EmailPage<'a> {
    /// What stands around the page.
    pub frame: &'a Frame,
    /// Parameters that go along with every way on: `return_to`, `prompt`, `max_age`.
    pub carried: &'a [(&'a str, &'a str)],
    /// What was typed before, kept; empty at first.
    pub email: &'a str,
    /// Why what was typed leads nowhere.
    pub problem: Option<EmailProblem>,
    /// Whom a visitor of the demo may play; empty elsewhere.
    pub demo_organizations: &'a [DemoOrganization],
}

/// Why an e-mail address leads to no sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmailProblem {
    /// It is not an address.
    NotAnAddress,
    /// Its domain is no organization's.
    UnknownDomain,
    /// Its domain's organization has no connector to sign in through.
    NoConnector,
}

impl EmailProblem {
    /// What is wrong and what to do, for the line under the box.
    pub fn sentence(self, support: &str) -> String {
        match self {
            Self::NotAnAddress => {
                "Please type a whole e-mail address, such as name@company.com.".to_owned()
            }
            Self::UnknownDomain => format!(
                "No organization here uses that domain. Check the address, or ask {support}."
            ),
            Self::NoConnector => format!(
                "Your organization has no sign-in here yet, or has switched it off. Please ask {support}."
            ),
        }
    }
}

/// An organization of the demo.
#[derive(Clone, Debug)]
pub struct DemoOrganization {
    /// Its name in URLs.
    pub slug: Slug,
    /// Its name on pages.
    pub display_name: String,
    /// Its people, and those who only seem to be.
    pub people: Vec<DemoPerson>,
}

/// Somebody whom a visitor of the demo may play.
#[derive(Clone, Debug)]
pub struct DemoPerson {
    /// What to type at the simulated tenant.
    pub user_name: String,
    /// The same for the password, which is a secret to nobody.
    pub password: String,
    /// The role they would have; empty without one.
    pub role: String,
    /// What is special about them: `deactivated`, `no role`, `not provisioned`.
    pub note: String,
}

impl EmailPage<'_> {
    /// 200, or 422 with a problem.
    pub fn respond(&self) -> HttpResponse {
        let status = match self.problem {
            None => StatusCode::OK,
            Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
        };
        html_with_form(self, status, &Csp::strict().forms_lead_to(&self.frame.form_targets))
    }

    fn query(&self) -> String {
        query(self.carried)
    }
}

/// The field that a [`RepostPage`] adds, so that a browser without the cookie is asked only once.
pub const REPOSTED: &str = "portico_reposted";

/// The answer to a `form_post` that came without the login cookie: the same fields, posted again
/// from this origin, so that the browser adds the cookie, which is `SameSite=Lax`.
#[derive(Template)]
#[template(path = "login/repost.html")]
pub struct RepostPage<'a> {
    frame: &'a Frame,
    action: &'a str,
    fields: &'a [(String, String)],
    nonce: Secret,
}

impl<'a> RepostPage<'a> {
    /// A page that posts `fields` and [`REPOSTED`] to the path `action`.
    pub fn new(frame: &'a Frame, action: &'a str, fields: &'a [(String, String)]) -> Self {
        Self { frame, action, fields, nonce: Secret::generate() }
    }

    /// 200, with the one script that we have.
    ///
    /// Its form may lead anywhere: behind it stands the redirect that ends a sign-in, which goes
    /// to an installed app's private-use scheme where an app began it.
    pub fn respond(&self) -> HttpResponse {
        let csp = Csp::strict().script_nonce(self.nonce.expose()).forms_lead_anywhere();
        html_with_form(self, StatusCode::OK, &csp)
    }
}

/// The parameter of `/login/{organization}` by which a person, told of a circle, goes on.
pub const TRY_AGAIN: &str = "try_again";

/// A sign-in that was refused: what happened, what to do, whom to ask.
#[derive(Template)]
#[template(path = "login/refused.html")]
pub struct RefusedPage<'a> {
    /// What stands around the page.
    pub frame: &'a Frame,
    /// The answer's status.
    pub status: StatusCode,
    /// Why.
    pub refusal: Refusal<'a>,
    /// The organization's slug and display name, where it is known.
    pub organization: Option<(&'a Slug, &'a str)>,
    /// Where the person wanted to go, for the ways on.
    pub return_to: Option<&'a str>,
    /// What an admin finds in the log.
    pub reference: &'a Reference,
    /// Names and values for whoever helps: AADSTS code, what to do, trace ID, correlation ID, time.
    pub note: &'a [(&'static str, String)],
    /// Whether the browser has a live session all the same.
    pub signed_in: bool,
}

/// When whoever finds the authority busy may come again, in seconds.
const BUSY_FOR: &str = "30";

impl RefusedPage<'_> {
    /// The page under its status.
    pub fn respond(&self) -> HttpResponse {
        let mut answer = html(self, self.status);
        if self.refusal == Refusal::Busy {
            answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static(BUSY_FOR));
        }
        answer
    }

    fn organization_name(&self) -> &str {
        self.organization.map_or("your organization", |(_, name)| name)
    }

    fn happened(&self) -> String {
        self.refusal.happened(self.organization_name())
    }

    fn what_to_do(&self) -> String {
        self.refusal.what_to_do(self.organization_name(), &self.frame.support)
    }

    /// Over the note, whom it is for; without a heading it is for the curious.
    fn note_is_for(&self) -> Option<&'static str> {
        match (self.refusal.who(), self.refusal) {
            (Who::Admin, _) => Some("For your administrator"),
            (Who::Operator, _) => Some("For whoever runs this service"),
            (Who::User, Refusal::AuthorityRefused { .. }) => Some("If you ask for help"),
            (Who::User | Who::Nobody, _) => None,
        }
    }

    /// The ways on, the most promising first.
    fn ways(&self) -> Vec<Link> {
        let stay = self.signed_in.then(|| link("/", "Go on, you are still signed in"));
        let mut ways = self.ways_to_sign_in();
        let first = if self.refusal == Refusal::UnknownState { 0 } else { ways.len() };
        ways.splice(first..first, stay);
        ways
    }

    fn ways_to_sign_in(&self) -> Vec<Link> {
        let Some((slug, _)) = self.organization.filter(|_| self.refusal.can_try_again()) else {
            return vec![self.way("/login", "Start with your e-mail", None)];
        };
        let way = |label, parameter| self.way(&format!("/login/{slug}"), label, parameter);
        let other = || way("Sign in with another account", Some(("prompt", "select_account")));
        match self.refusal {
            Refusal::Circle | Refusal::CircleAtAuthority => {
                vec![way("Try again", Some((TRY_AGAIN, "true"))), link("/logout", "Sign out")]
            }
            Refusal::NotSilent => vec![way("Sign in", None)],
            refusal if refusal.wants_another_account() => vec![other(), way("Try again", None)],
            refusal if refusal.may_depend_on_account() => vec![way("Try again", None), other()],
            _ => vec![way("Try again", None)],
        }
    }

    fn way(&self, path: &str, label: &str, parameter: Option<(&str, &str)>) -> Link {
        let return_to = self.return_to.map(|place| ("return_to", place));
        let parameters: Vec<_> = parameter.into_iter().chain(return_to).collect();
        link(&format!("{path}{}", query(&parameters)), label)
    }
}

fn link(href: &str, label: &str) -> Link {
    Link { href: href.to_owned(), label: label.to_owned() }
}
