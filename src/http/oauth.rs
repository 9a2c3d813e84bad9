//! `/oauth/token`: access tokens for directories.

use actix_web::{
    HttpMessage as _, HttpRequest, HttpResponse,
    http::header::{AUTHORIZATION, CACHE_CONTROL, HeaderMap, PRAGMA},
    web::{Data, Payload},
};
use serde_json::json;

use crate::{
    http::{State, body, error::OAuthFault},
    oauth::client_credentials::{SCOPE, TokenFault},
    service::directory_access,
};

/// A form is at most this long: an assertion of 64 KiB and the rest.
const LONGEST_FORM: usize = 80 * 1024;

/// `POST /oauth/token`: the client credentials grant (RFC 6749 §4.4).
///
/// Only the form and the `Authorization` header are read: what stands in the address is no
/// credential.
pub async fn token(
    state: Data<State>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, OAuthFault> {
    let form = body::read(payload, LONGEST_FORM).await?;
    if !request.content_type().eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        let fault = TokenFault::InvalidRequest("Send a form: application/x-www-form-urlencoded.");
        return Err(OAuthFault::Refused(fault));
    }
    let authorization = authorization(request.headers())?;
    let (ports, memory) = (&state.ports, &state.directories);
    let issued = directory_access::issue_token(ports, memory, authorization, &form).await?;
    Ok(HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((PRAGMA, "no-cache"))
        .json(json!({
            "access_token": issued.token.expose(),
            "token_type": "Bearer",
            "expires_in": issued.expires_in,
            "scope": SCOPE,
        })))
}

/// The `Authorization` header, if there is one; what is no text proves nothing.
fn authorization(headers: &HeaderMap) -> Result<Option<&str>, OAuthFault> {
    let mut values = headers.get_all(AUTHORIZATION);
    let value = values.next();
    if values.next().is_some() {
        let fault = TokenFault::InvalidRequest("The client proves itself in two ways.");
        return Err(OAuthFault::Refused(fault));
    }
    Ok(value.map(|value| value.to_str().unwrap_or_default()))
}
