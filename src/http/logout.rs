//! Signing out.

use std::borrow::Cow;

use actix_session::Session;
use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        Method, StatusCode,
        header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, LOCATION},
    },
    web::{Data, Path, Query},
};
use serde::Deserialize;
use url::form_urlencoded;

use crate::{
    domain::id::ConnectorId,
    http::{
        State,
        error::{PageError, log_unavailable},
        middleware::security_headers::Csp,
        pages::logout::{ConfirmPage, DonePage},
    },
    service::{
        login,
        logout::{self, EndedThere, SignedOut},
    },
};

/// The query of `/logout`.
#[derive(Deserialize)]
pub struct Asked {
    /// End the session here only, and leave the one at the authority.
    #[serde(default)]
    local: bool,
}

/// `GET|POST /logout`: ends the session here and, unless told otherwise, at the authority.
///
/// A link on another site must not sign people out, so a GET from there only asks.
pub async fn sign_out(
    state: Data<State>,
    request: HttpRequest,
    asked: Result<Query<Asked>, actix_web::Error>,
    session: Session,
) -> Result<HttpResponse, PageError> {
    let asked = asked.map_err(|_| {
        let detail = "`local` is `true` or `false`.";
        PageError::new(&state.frame, StatusCode::BAD_REQUEST, detail)
    })?;
    let site = request.headers().get("sec-fetch-site");
    if request.method() != Method::POST && site.is_some_and(|site| site == "cross-site") {
        return Ok(ConfirmPage { frame: &state.frame }.respond());
    }
    let digest = state.cookies.session(request.headers());
    let signed_out = logout::sign_out(&state.ports, digest, !asked.local)
        .await
        .map_err(|unavailable| PageError::unavailable(&state.frame, &unavailable))?;
    for browser in state.cookies.logins(request.headers()) {
        login::forget_arrivals(&state.ports, &browser.digest()).await;
    }
    session.purge();
    let location = match signed_out {
        SignedOut::Here => "/logout/done".to_owned(),
        SignedOut::OnlyHere => "/logout/done?only_here=true".to_owned(),
        SignedOut::AndAt(url) => url.into(),
    };
    Ok(HttpResponse::build(StatusCode::SEE_OTHER)
        .insert_header((LOCATION, location))
        .insert_header((CACHE_CONTROL, "no-store"))
        .finish())
}

/// The query of `/logout/done`; it picks a sentence and nothing else.
#[derive(Deserialize)]
pub struct Done {
    #[serde(default)]
    only_here: bool,
}

/// `GET /logout/done`: where signing out ends, here or by way of an authority.
///
/// Whatever parameters come along prove nothing and change nothing.
pub async fn done(state: Data<State>, done: Option<Query<Done>>) -> HttpResponse {
    let still_signed_in_at_authority = done.is_some_and(|done| done.only_here);
    DonePage { frame: &state.frame, organization: None, still_signed_in_at_authority }.respond()
}

/// A longer name of a session is none; Entra ID's are GUIDs.
const LONGEST_SID: usize = 255;

/// `GET /oidc/{connector}/frontchannel-logout`: the authority's page opens it in a hidden frame, for
/// somebody who signs out there.
///
/// Cookies are not looked at: browsers send none from such a frame. Whatever is asked, and of
/// whomever, the answer is the same, so that nobody learns by it who is signed in.
pub async fn ended_there(
    state: Data<State>,
    connector: Path<String>,
    request: HttpRequest,
) -> HttpResponse {
    let query: Vec<_> = form_urlencoded::parse(request.query_string().as_bytes()).collect();
    let mut status = StatusCode::OK;
    if let (Ok(connector), Some(ended)) = (connector.parse::<ConnectorId>(), ended_in(&query)) {
        let signed_out = logout::sign_out_from_there(&state.ports, connector, ended).await;
        if let Err(unavailable) = signed_out {
            log_unavailable(&unavailable);
            status = StatusCode::SERVICE_UNAVAILABLE;
        }
    }
    HttpResponse::build(status)
        .insert_header((CONTENT_SECURITY_POLICY, Csp::strict().framable().header()))
        .insert_header((CACHE_CONTROL, "no-store"))
        .finish()
}

/// What a query says of a session that ended; nothing if it names it twice, or not in earnest.
fn ended_in<'q>(query: &'q [(Cow<'q, str>, Cow<'q, str>)]) -> Option<EndedThere<'q>> {
    let values = |wanted| query.iter().filter(move |(name, _)| name == wanted);
    let once = |name| values(name).count() <= 1;
    let value = |name| values(name).map(|(_, value)| value.as_ref()).next();
    let sid = value("sid").filter(|sid| (1..=LONGEST_SID).contains(&sid.len()))?;
    (once("sid") && once("iss")).then(|| EndedThere { sid, iss: value("iss") })
}
