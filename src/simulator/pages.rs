//! The pages, and the headers that they leave with.

use actix_web::{HttpResponse, HttpResponseBuilder, http::header};
use askama::Template;
use jiff::Timestamp;

use super::{
    aadsts::{Aadsts, Trace},
    authorization_request::{ResponseMode, ReturnAddress},
    directory::{Application, Person, UserType},
    fault::{Ending, Fault},
};

const STYLE: &str = include_str!("../../templates/simulator/style.css");
const SUBMIT: &str = include_str!("../../templates/simulator/submit.js");

/// No `form-action`: Chromium holds it against every redirect after the form's, and where an
/// application sends the browser next is not known here.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src data:; \
    base-uri 'none'; frame-ancestors 'none'";

/// A person as the account picker shows one.
pub(super) struct Account {
    pub(super) name: String,
    pub(super) login: String,
    pub(super) kind: &'static str,
    pub(super) is_signed_in: bool,
}

impl Account {
    pub(super) fn of(person: &Person) -> Self {
        let kind = match (person.account_enabled, person.user_type) {
            (false, _) => "Disabled",
            (true, UserType::Guest) => "Guest",
            (true, UserType::Member) => "",
        };
        Self {
            name: person.display_name.clone(),
            login: person.preferred_username().to_owned(),
            kind,
            is_signed_in: false,
        }
    }
}

/// What every page of a sign-in shows.
pub(super) struct Shown<'a> {
    pub(super) tenant: &'a str,
    pub(super) application: &'a str,
    /// Where the form goes.
    pub(super) action: String,
}

#[derive(Template)]
#[template(path = "simulator/picker.html")]
struct Picker<'a> {
    shown: &'a Shown<'a>,
    accounts: &'a [Account],
    error: Option<String>,
}

#[derive(Template)]
#[template(path = "simulator/password.html")]
struct Password<'a> {
    shown: &'a Shown<'a>,
    login: &'a str,
    error: Option<String>,
}

#[derive(Template)]
#[template(path = "simulator/consent.html")]
struct Consent<'a> {
    application: &'a str,
    account: &'a Account,
    action: &'a str,
}

#[derive(Template)]
#[template(path = "simulator/error.html")]
struct Stopped<'a> {
    sentence: &'a str,
    trace: Option<&'a Trace>,
}

#[derive(Template)]
#[template(path = "simulator/form_post.html")]
struct FormPost<'a> {
    action: &'a str,
    parameters: &'a [(&'static str, String)],
}

#[derive(Template)]
#[template(path = "simulator/signed_out.html")]
struct SignedOut<'a> {
    frames: &'a [String],
    next: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "simulator/faults.html")]
struct Faults<'a> {
    current: &'a [Fault],
    /// What ends alike, together.
    groups: &'a [(Ending, Vec<Fault>)],
}

impl Faults<'_> {
    /// Whether a group shows at once: the one of the fault that is on.
    fn is_open(&self, group: &[Fault]) -> bool {
        group.iter().any(|fault| self.current.contains(fault))
    }
}

/// The page on which a person switches faults.
pub(super) fn faults(current: &[Fault]) -> HttpResponse {
    let of = |ending: Ending| {
        let alike = Fault::ALL.iter().copied().filter(|fault| fault.ending() == ending);
        (ending, alike.collect())
    };
    let groups: Vec<(Ending, Vec<Fault>)> = Ending::ALL.map(of).into();
    html(HttpResponse::Ok(), &Faults { current, groups: &groups })
}

/// The account picker.
pub(super) fn picker(
    shown: &Shown<'_>,
    accounts: &[Account],
    error: Option<&Aadsts>,
) -> HttpResponse {
    html(HttpResponse::Ok(), &Picker { shown, accounts, error: error.map(Aadsts::sentence) })
}

/// The password page.
pub(super) fn password(shown: &Shown<'_>, login: &str, error: Option<&Aadsts>) -> HttpResponse {
    html(HttpResponse::Ok(), &Password { shown, login, error: error.map(Aadsts::sentence) })
}

/// The page that asks whether the application may know who signs in.
pub(super) fn consent(application: &Application, account: &Account, action: &str) -> HttpResponse {
    let application = &application.display_name;
    html(HttpResponse::Ok(), &Consent { application, account, action })
}

/// The page on which a sign-in stops.
pub(super) fn error(error: &Aadsts, now: Timestamp) -> HttpResponse {
    let trace = Trace::at(now);
    let page = Stopped { sentence: &error.sentence(), trace: Some(&trace) };
    html(HttpResponse::BadRequest(), &page)
}

/// The page that `error_uri` names.
pub(super) fn error_number(number: u32) -> HttpResponse {
    html(HttpResponse::Ok(), &Stopped { sentence: &format!("AADSTS{number}"), trace: None })
}

/// The answer to the application, by redirect or as a form that posts itself.
pub(super) fn send_back(
    address: &ReturnAddress,
    parameters: &[(&'static str, String)],
) -> HttpResponse {
    if address.mode == ResponseMode::FormPost {
        let action = &address.redirect_uri.uri;
        return html(HttpResponse::Ok(), &FormPost { action, parameters });
    }
    redirect(&address.location(parameters))
}

/// The signed-out page: tells the applications in hidden frames, then goes on to `next`.
pub(super) fn signed_out(frames: &[String], next: Option<&str>) -> HttpResponse {
    let mut page = html(HttpResponse::Ok(), &SignedOut { frames, next });
    let sources: Vec<String> = frames.iter().filter_map(|frame| origin_of(frame)).collect();
    if !sources.is_empty() {
        let policy = format!("{POLICY}; frame-src {}", sources.join(" "));
        let policy = policy.parse().expect("origins are plain ASCII");
        page.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    page
}

/// A redirect that nobody keeps.
pub(super) fn redirect(to: &str) -> HttpResponse {
    HttpResponse::Found()
        .insert_header((header::LOCATION, to))
        .insert_header((header::CACHE_CONTROL, "no-store, no-cache"))
        .insert_header((header::REFERRER_POLICY, "strict-origin-when-cross-origin"))
        .finish()
}

/// `GET /simulator/style.css`.
pub(super) async fn style() -> HttpResponse {
    HttpResponse::Ok().content_type("text/css; charset=utf-8").body(STYLE)
}

/// `GET /simulator/submit.js`: sends the form of `response_mode=form_post` off.
pub(super) async fn submit() -> HttpResponse {
    HttpResponse::Ok().content_type("text/javascript; charset=utf-8").body(SUBMIT)
}

fn origin_of(uri: &str) -> Option<String> {
    let origin = url::Url::parse(uri).ok()?.origin();
    origin.is_tuple().then(|| origin.ascii_serialization())
}

fn html(mut response: HttpResponseBuilder, page: &impl Template) -> HttpResponse {
    let text = page.render().expect("a template writes into a string, which takes everything");
    response
        .content_type("text/html; charset=utf-8")
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((header::CACHE_CONTROL, "no-store, no-cache"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::REFERRER_POLICY, "strict-origin-when-cross-origin"))
        .body(text)
}
