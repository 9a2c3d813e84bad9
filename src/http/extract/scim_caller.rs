//! Which connector's directory is calling.

use std::{future::Future, pin::Pin};

use actix_web::{
    FromRequest, HttpRequest,
    dev::Payload,
    http::header::{AUTHORIZATION, HeaderMap},
    web::Data,
};
use base64::{Engine as _, prelude::BASE64_STANDARD};

use crate::{
    domain::{connector::Connector, organization::Organization, secret::Secret},
    http::{State, error::ScimFault},
    service::directory_access::{self, Presented, Refused},
};

/// A directory that proved to be the one of the connector in the address.
///
/// # Errors
/// As an extractor: 401 with `WWW-Authenticate` for anything else, an unknown connector included,
/// so that nobody learns which connectors there are.
pub struct ScimCaller {
    /// Whose people it writes.
    pub organization: Organization,
    /// Through which connector.
    pub connector: Connector,
}

impl FromRequest for ScimCaller {
    type Error = ScimFault;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Self::Error>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let state = request.app_data::<Data<State>>().expect("every app carries its state");
            authenticate(state, &request).await
        })
    }
}

async fn authenticate(state: &State, request: &HttpRequest) -> Result<ScimCaller, ScimFault> {
    let presented = presented(request.headers());
    let has_token = matches!(presented, Some(Presented::Bearer(_)));
    let id = request.match_info().get("connector").and_then(|text| text.parse().ok());
    let (ports, memory) = (&state.ports, &state.directories);
    match directory_access::authenticate(ports, memory, id, presented).await {
        Ok((organization, connector)) => Ok(ScimCaller { organization, connector }),
        Err(Refused::NotAccepted) => Err(ScimFault::Unauthorized { has_token }),
        Err(Refused::Unavailable(unavailable)) => Err(unavailable.into()),
    }
}

/// The credentials of a request with exactly one `Authorization` header.
fn presented(headers: &HeaderMap) -> Option<Presented> {
    let mut values = headers.get_all(AUTHORIZATION);
    let value = values.next().filter(|_| values.next().is_none())?.to_str().ok()?;
    let (scheme, rest) = value.trim().split_once(' ')?;
    let rest = rest.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(Presented::Bearer(Secret::new(rest)));
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = String::from_utf8(BASE64_STANDARD.decode(rest).ok()?).ok()?;
    let (user_name, password) = pair.split_once(':')?;
    Some(Presented::Basic { user_name: user_name.to_owned(), password: Secret::new(password) })
}
