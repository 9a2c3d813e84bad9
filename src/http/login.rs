//! Signing in: the e-mail box, the way to the authority, and the way back.

use std::borrow::Cow;

use actix_session::Session;
use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{CACHE_CONTROL, LOCATION, USER_AGENT},
    },
    web::{Data, Path, Payload},
};
use url::form_urlencoded;

use crate::{
    domain::{
        decision::Outcome,
        id::ConnectorId,
        organization::Slug,
        return_to::{NotAllowed, ReturnTo},
        secret::Secret,
    },
    http::{
        State, body,
        error::PageError,
        extract::client_address::client_address,
        pages::{
            login::{EmailPage, EmailProblem, REPOSTED, RefusedPage, RepostPage},
            refusal::Refusal,
        },
        session_store,
    },
    oidc::{
        authorization_request::Prompt, authorization_response::AuthorizationResponse,
        refusal::Refusal as AuthorityRefusal,
    },
    service::{
        login::{self, BeginLogin, Callback, LoginError, Refused, Why},
        organizations,
    },
};

/// No authority's answer is longer.
const LONGEST_ANSWER: usize = 16 * 1024;

/// The parameters of `/login` and `/login/{organization}`; others are ignored.
#[derive(Default)]
struct Asked<'q> {
    login_hint: Option<Cow<'q, str>>,
    return_to: Option<Cow<'q, str>>,
    prompt: Option<Cow<'q, str>>,
    max_age: Option<Cow<'q, str>>,
}

impl<'q> Asked<'q> {
    fn parse(query: &'q str) -> Self {
        let mut asked = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let place = match name.as_ref() {
                "login_hint" => &mut asked.login_hint,
                "return_to" => &mut asked.return_to,
                "prompt" => &mut asked.prompt,
                "max_age" => &mut asked.max_age,
                _ => continue,
            };
            place.get_or_insert(value);
        }
        asked
    }

    /// What goes along with every way on from the e-mail box.
    fn carried(&self) -> Vec<(&str, &str)> {
        [("return_to", &self.return_to), ("prompt", &self.prompt), ("max_age", &self.max_age)]
            .into_iter()
            .filter_map(|(name, value)| Some((name, value.as_deref()?)))
            .collect()
    }
}

/// `GET /login`: the e-mail box; with an address in `login_hint`, the way to its organization.
pub async fn ask_for_address(
    state: Data<State>,
    request: HttpRequest,
) -> Result<HttpResponse, PageError> {
    let asked = Asked::parse(request.query_string());
    let Some(address) = asked.login_hint.as_deref().filter(|address| !address.is_empty()) else {
        return Ok(email_page(&state, &asked, None));
    };
    if !address.contains('@') {
        return Ok(email_page(&state, &asked, Some(EmailProblem::NotAnAddress)));
    }
    let found = organizations::find_by_address(&state.ports, address).await;
    match found.map_err(|unavailable| PageError::unavailable(&state.frame, &unavailable))? {
        Some(organization) => begin(&state, &request, &organization.slug, &asked).await,
        None => Ok(email_page(&state, &asked, Some(EmailProblem::UnknownDomain))),
    }
}

fn email_page(state: &State, asked: &Asked<'_>, problem: Option<EmailProblem>) -> HttpResponse {
    EmailPage {
        frame: &state.frame,
        carried: &asked.carried(),
        email: asked.login_hint.as_deref().unwrap_or_default(),
        problem,
        demo_organizations: &state.demo_organizations,
    }
    .respond()
}

/// `GET /login/{organization}`: straight to its authority.
pub async fn go_to_authority(
    state: Data<State>,
    request: HttpRequest,
    organization: Path<String>,
) -> Result<HttpResponse, PageError> {
    let asked = Asked::parse(request.query_string());
    match Slug::parse(&organization) {
        Ok(slug) => begin(&state, &request, &slug, &asked).await,
        Err(_) => not_signed_in(&state, login::refuse_unknown_organization(&state.ports)),
    }
}

async fn begin(
    state: &State,
    request: &HttpRequest,
    organization: &Slug,
    asked: &Asked<'_>,
) -> Result<HttpResponse, PageError> {
    let bad_request = |detail| PageError::new(&state.frame, StatusCode::BAD_REQUEST, detail);
    let prompt = match asked.prompt.as_deref() {
        None | Some("") => None,
        Some(text) => Some(Prompt::parse(text).ok_or_else(|| {
            bad_request("`prompt` is `login`, `none`, `consent` or `select_account`.")
        })?),
    };
    let max_age = match asked.max_age.as_deref() {
        None | Some("") => None,
        Some(text) => {
            Some(text.parse().map_err(|_| bad_request("`max_age` is a number of whole seconds."))?)
        }
    };
    let browser = state.cookies.login(request.headers()).unwrap_or_else(Secret::generate);
    let begun = login::begin(
        &state.ports,
        BeginLogin {
            organization,
            return_to: asked.return_to.as_deref(),
            login_hint: asked.login_hint.as_deref().map(|hint| hint.chars().take(320).collect()),
            prompt,
            max_age,
            browser: browser.digest(),
        },
    )
    .await;
    match begun {
        Ok(authority) => Ok(HttpResponse::build(StatusCode::FOUND)
            .insert_header((LOCATION, String::from(authority)))
            .insert_header((CACHE_CONTROL, "no-store"))
            .cookie(state.cookies.new_login(&browser))
            .finish()),
        Err(error) => not_signed_in(state, error),
    }
}

/// `GET /oidc/{connector}/callback`: the answer in the query.
pub async fn answer_in_query(
    state: Data<State>,
    request: HttpRequest,
    session: Session,
) -> Result<HttpResponse, PageError> {
    let query = request.query_string().to_owned();
    complete(&state, &request, &session, &query).await
}

/// `POST /oidc/{connector}/callback`: the answer in a form (`response_mode=form_post`).
///
/// It comes from another site, so a `SameSite=Lax` cookie stays behind: the first time the browser
/// gets a page that posts the same fields from here.
pub async fn answer_in_form(
    state: Data<State>,
    request: HttpRequest,
    payload: Payload,
    session: Session,
) -> Result<HttpResponse, PageError> {
    let form = body::read(payload, LONGEST_ANSWER).await;
    let form = form.map_err(|error| PageError::body(&state.frame, error))?;
    let form = String::from_utf8_lossy(&form).into_owned();
    let fields: Vec<(String, String)> =
        form_urlencoded::parse(form.as_bytes()).into_owned().collect();
    let reposted = fields.iter().any(|(name, _)| name == REPOSTED);
    if state.cookies.login(request.headers()).is_none() && !reposted {
        return Ok(RepostPage::new(&state.frame, request.path(), &fields).respond());
    }
    complete(&state, &request, &session, &form).await
}

async fn complete(
    state: &State,
    request: &HttpRequest,
    session: &Session,
    answer: &str,
) -> Result<HttpResponse, PageError> {
    let Some(connector_id) = connector_id(request) else {
        let detail = "No connector has this redirect URI.";
        return Err(PageError::new(&state.frame, StatusCode::NOT_FOUND, detail));
    };
    let response = match AuthorizationResponse::parse(answer) {
        Ok(response) => response,
        Err(error) => return not_signed_in(state, login::refuse_unreadable(&state.ports, error)),
    };
    let headers = request.headers();
    let user_agent = headers.get(USER_AGENT).and_then(|value| value.to_str().ok());
    let callback = Callback {
        connector_id,
        response,
        browser: state.cookies.login(headers).map(|value| value.digest()),
        previous_session: state.cookies.session(headers),
        user_agent: user_agent.unwrap_or_default().to_owned(),
        address: client_address(request, |peer| state.proxies.trusts(peer)),
    };
    match login::complete(&state.ports, callback).await {
        Ok(signed_in) => {
            session_store::begin(session, &signed_in.token);
            Ok(HttpResponse::build(StatusCode::SEE_OTHER)
                .insert_header((LOCATION, signed_in.return_to.as_str()))
                .insert_header((CACHE_CONTROL, "no-store"))
                .finish())
        }
        Err(error) => not_signed_in(state, error),
    }
}

fn connector_id(request: &HttpRequest) -> Option<ConnectorId> {
    request.match_info().get("connector")?.parse().ok()
}

fn not_signed_in(state: &State, error: LoginError) -> Result<HttpResponse, PageError> {
    match error {
        LoginError::Refused(refused) => Ok(refused_page(state, &refused)),
        LoginError::ReturnTo => {
            let detail = NotAllowed.to_string();
            Err(PageError::new(&state.frame, StatusCode::BAD_REQUEST, detail))
        }
        LoginError::Unavailable(unavailable) => {
            Err(PageError::unavailable(&state.frame, &unavailable))
        }
    }
}

fn refused_page(state: &State, refused: &Refused) -> HttpResponse {
    let (refusal, status) = face(&refused.why);
    let organization = refused.organization.as_ref();
    let return_to = refused.return_to.as_ref().filter(|place| **place != ReturnTo::portal());
    let details = match &refused.why {
        Why::Authority(answer) => details(answer),
        _ => Vec::new(),
    };
    RefusedPage {
        frame: &state.frame,
        status,
        refusal,
        organization: organization.map(|found| (&found.slug, found.display_name.as_str())),
        return_to: return_to.map(ReturnTo::as_str),
        reference: &refused.reference,
        details: &details,
    }
    .respond()
}

/// What a person is shown of a refusal, and under which status.
fn face(why: &Why) -> (Refusal<'_>, StatusCode) {
    match why {
        Why::Decided(outcome) => (decided(*outcome), StatusCode::FORBIDDEN),
        Why::Authority(answer) if answer.aadsts == Some(65004) => {
            (Refusal::Cancelled, StatusCode::FORBIDDEN)
        }
        Why::Authority(answer) => {
            let remedy = answer.remedy().map(|remedy| remedy.text);
            (Refusal::AuthorityRefused { remedy }, StatusCode::FORBIDDEN)
        }
        Why::InvalidToken => (Refusal::TokenNotValid, StatusCode::FORBIDDEN),
        Why::MalformedAnswer => (Refusal::TokenNotValid, StatusCode::BAD_REQUEST),
        Why::AuthorityUnavailable => (Refusal::AuthorityUnreachable, StatusCode::BAD_GATEWAY),
        Why::NoOrganization => (Refusal::UnknownOrganization, StatusCode::NOT_FOUND),
        Why::NoConnector => (Refusal::NoConnector, StatusCode::NOT_FOUND),
        Why::Stale => (Refusal::UnknownState, StatusCode::BAD_REQUEST),
        Why::OtherBrowser => (Refusal::CookiesOff, StatusCode::BAD_REQUEST),
    }
}

const fn decided(outcome: Outcome) -> Refusal<'static> {
    match outcome {
        Outcome::NotProvisioned => Refusal::NotProvisioned,
        Outcome::Inactive => Refusal::Inactive,
        Outcome::WrongTenant => Refusal::WrongTenant,
        Outcome::Ambiguous => Refusal::Ambiguous,
        Outcome::AwaitsApproval => Refusal::AwaitsApproval,
        Outcome::NoRole => Refusal::NoRole,
        Outcome::AccessLost => Refusal::AccessLost,
        Outcome::NotAuthenticated | Outcome::SignedIn => Refusal::TokenNotValid,
    }
}

/// What helps whoever helps: the authority's own words and numbers.
fn details(answer: &AuthorityRefusal) -> Vec<(&'static str, String)> {
    let code = answer.aadsts.map(|code| format!("AADSTS{code}"));
    [
        ("Error", Some(answer.error.clone())),
        ("Code", code),
        ("Trace ID", answer.trace_id.clone()),
        ("Correlation ID", answer.correlation_id.clone()),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
    .collect()
}
