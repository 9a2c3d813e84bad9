//! Who calls the token endpoint, and whether it is who it says (RFC 6749 §2.3.1).

use actix_web::http::header::{self, HeaderMap};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use jiff::Timestamp;
use percent_encoding::percent_decode_str;

use super::{
    aadsts::Aadsts, client_assertion, directory::Application, parameters::Parameters,
    redirect_uri::Platform,
};
use crate::domain::secret::Secret;

/// A client as it presents itself.
pub(super) struct Client {
    pub(super) id: String,
    credential: Credential,
}

/// What a client shows of itself.
#[derive(Debug, PartialEq, Eq)]
enum Credential {
    Nothing,
    Secret(Secret),
    Assertion(String),
}

/// Against what an assertion is checked.
pub(super) struct Endpoint {
    /// The values of `aud` that name this token endpoint.
    pub(super) audiences: Vec<String>,
    pub(super) now: Timestamp,
}

impl Client {
    /// The client of a request, from its `Authorization` header or from its body.
    pub(super) fn parse(headers: &HeaderMap, body: &Parameters) -> Result<Self, Aadsts> {
        let authorization = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok());
        if let Some(client) = authorization.and_then(Self::basic) {
            return Ok(client);
        }
        let assertion = body
            .owned("client_assertion")
            .filter(|_| body.get("client_assertion_type") == Some(client_assertion::JWT_BEARER));
        let secret = body.get("client_secret").map(Secret::new);
        let credential = match (assertion, secret) {
            (Some(assertion), _) => Credential::Assertion(assertion),
            (None, Some(secret)) => Credential::Secret(secret),
            (None, None) => Credential::Nothing,
        };
        Ok(Self { id: body.require("client_id")?.to_owned(), credential })
    }

    /// `client_secret_basic`: both parts are form-encoded before they are joined.
    fn basic(authorization: &str) -> Option<Self> {
        let (scheme, credentials) = authorization.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let credentials = BASE64_STANDARD.decode(credentials.trim()).ok()?;
        let (id, secret) = str::from_utf8(&credentials).ok()?.split_once(':')?;
        let credential = Credential::Secret(Secret::new(form_decode(secret)?));
        Some(Self { id: form_decode(id)?, credential })
    }

    /// A Web client must show a valid secret or assertion, a public one must show nothing.
    pub(super) fn authenticate(
        &self,
        application: &Application,
        platform: Platform,
        endpoint: &Endpoint,
    ) -> Result<(), Aadsts> {
        match (platform, &self.credential) {
            (Platform::PublicClient, Credential::Nothing) => Ok(()),
            (Platform::PublicClient, _) => Err(Aadsts::public_client()),
            (Platform::Web, Credential::Nothing) => Err(Aadsts::no_credential()),
            (Platform::Web, Credential::Assertion(assertion)) => {
                let Endpoint { audiences, now } = endpoint;
                client_assertion::check(assertion, application, audiences, *now)
            }
            (Platform::Web, Credential::Secret(secret)) => {
                let is_valid = application.secrets.contains(secret);
                is_valid.then_some(()).ok_or_else(|| Aadsts::wrong_secret(application.client_id))
            }
        }
    }
}

fn form_decode(text: &str) -> Option<String> {
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8().ok().map(Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_basic_credential_is_form_decoded_after_it_is_split() {
        let credentials = BASE64_STANDARD.encode("an+id:p%3Aq%2B");

        let client = Client::basic(&format!("basic {credentials}")).unwrap();

        let secret = Credential::Secret(Secret::new("p:q+"));
        assert_eq!((&*client.id, client.credential), ("an id", secret));
    }
}
