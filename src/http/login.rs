//! Signing in: the e-mail box, the way to the authority, and the way back.

use std::borrow::Cow;

use actix_session::Session;
use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{CACHE_CONTROL, HeaderMap, LOCATION, USER_AGENT},
    },
    web::{Data, Path, Payload},
};
use url::form_urlencoded;

use crate::{
    domain::{id::ConnectorId, organization::Slug, return_to::NotAllowed, secret::Secret},
    http::{
        State, body,
        error::PageError,
        extract::client_address::client_address,
        pages::login::{EmailPage, EmailProblem, REPOSTED, RepostPage, TRY_AGAIN},
        session_store,
    },
    oidc::{authorization_request::Prompt, authorization_response::AuthorizationResponse},
    service::{
        login::{self, BeginLogin, Callback, LoginError},
        organizations,
    },
};

mod refused;

/// No authority's answer is longer.
const LONGEST_ANSWER: usize = 16 * 1024;

/// The parameters of `/login` and `/login/{organization}`; others are ignored.
#[derive(Default)]
struct Asked<'q> {
    login_hint: Option<Cow<'q, str>>,
    return_to: Option<Cow<'q, str>>,
    prompt: Option<Cow<'q, str>>,
    max_age: Option<Cow<'q, str>>,
    try_again: Option<Cow<'q, str>>,
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
                TRY_AGAIN => &mut asked.try_again,
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
    let Ok(slug) = Slug::parse(&organization) else {
        let error = login::refuse_unknown_organization(&state.ports);
        return not_signed_in(&state, &request, error).await;
    };
    begin(&state, &request, &slug, &asked).await
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
            try_again: asked.try_again.is_some() && comes_from_here(request.headers()),
        },
    )
    .await;
    match begun {
        Ok(authority) => Ok(HttpResponse::build(StatusCode::FOUND)
            .insert_header((LOCATION, String::from(authority)))
            .insert_header((CACHE_CONTROL, "no-store"))
            .cookie(state.cookies.new_login(&browser))
            .finish()),
        Err(error) => not_signed_in(state, request, error).await,
    }
}

/// Whether one of our own pages leads here: no redirect of somebody else's passes for a person who
/// tries again. A browser that doesn't say is believed.
fn comes_from_here(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-site").is_none_or(|site| site == "same-origin")
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
        Err(error) => {
            let error = login::refuse_unreadable(&state.ports, error);
            return not_signed_in(state, request, error).await;
        }
    };
    let headers = request.headers();
    let user_agent = headers.get(USER_AGENT).and_then(|value| value.to_str().ok());
    let callback = Callback {
        connector_id,
        response,
        browser: state.cookies.logins(headers).map(|value| value.digest()).collect(),
        previous_session: state.cookies.session(headers),
        user_agent: user_agent.unwrap_or_default().to_owned(),
        address: client_address(request, |peer| state.proxies.trusts(peer)),
    };
    match login::complete(&state.ports, callback).await {
        Ok(signed_in) => {
            if let Some(token) = &signed_in.token {
                session_store::begin(session, token);
            }
            let mut response = HttpResponse::build(StatusCode::SEE_OTHER);
            for cookie in state.cookies.without_surplus_logins(headers) {
                response.cookie(cookie);
            }
            Ok(response
                .insert_header((LOCATION, signed_in.return_to.as_str()))
                .insert_header((CACHE_CONTROL, "no-store"))
                .finish())
        }
        Err(error) => not_signed_in(state, request, error).await,
    }
}

fn connector_id(request: &HttpRequest) -> Option<ConnectorId> {
    request.match_info().get("connector")?.parse().ok()
}

async fn not_signed_in(
    state: &State,
    request: &HttpRequest,
    error: LoginError,
) -> Result<HttpResponse, PageError> {
    match error {
        LoginError::Refused(refused) => Ok(refused::page(state, request, &refused).await),
        LoginError::ReturnTo => {
            let detail = NotAllowed.to_string();
            Err(PageError::new(&state.frame, StatusCode::BAD_REQUEST, detail))
        }
        LoginError::Unavailable(unavailable) => {
            Err(PageError::unavailable(&state.frame, &unavailable))
        }
    }
}
