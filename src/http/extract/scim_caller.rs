//! Which connector's directory is calling.

use std::{future::Future, pin::Pin};

use actix_web::{
    FromRequest, HttpRequest,
    dev::Payload,
    http::header::{AUTHORIZATION, HeaderMap},
    web::Data,
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use subtle::ConstantTimeEq as _;

use crate::{
    domain::{connector::Connector, organization::Organization, secret::Secret},
    http::{State, error::ScimFault},
    service::connectors,
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

/// What a directory may present (RFC 7617, RFC 6750).
enum Credentials {
    Bearer(Secret),
    Basic { user_name: String, password: Secret },
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
    let credentials = credentials(request.headers()).ok_or(ScimFault::Unauthorized)?;
    let id = request.match_info().get("connector").and_then(|text| text.parse().ok());
    let id = id.ok_or(ScimFault::Unauthorized)?;
    let found = connectors::find_enabled(&state.ports, id).await?;
    let (organization, connector) = found.ok_or(ScimFault::Unauthorized)?;
    if is_valid(&connector, &credentials, state.ports.clock.now()) {
        Ok(ScimCaller { organization, connector })
    } else {
        Err(ScimFault::Unauthorized)
    }
}

fn is_valid(connector: &Connector, credentials: &Credentials, now: jiff::Timestamp) -> bool {
    match credentials {
        Credentials::Bearer(password) => connector.scim.accept_password(password, now).is_some(),
        Credentials::Basic { user_name, password } => {
            let expected = connector.scim.user_name.as_bytes();
            let known: bool = expected.ct_eq(user_name.as_bytes()).into();
            connector.scim.accept_password(password, now).is_some() && known
        }
    }
}

/// The credentials of a request with exactly one `Authorization` header.
fn credentials(headers: &HeaderMap) -> Option<Credentials> {
    let mut values = headers.get_all(AUTHORIZATION);
    let value = values.next().filter(|_| values.next().is_none())?.to_str().ok()?;
    let (scheme, rest) = value.trim().split_once(' ')?;
    let rest = rest.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(Credentials::Bearer(Secret::new(rest)));
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = String::from_utf8(BASE64_STANDARD.decode(rest).ok()?).ok()?;
    let (user_name, password) = pair.split_once(':')?;
    Some(Credentials::Basic { user_name: user_name.to_owned(), password: Secret::new(password) })
}
