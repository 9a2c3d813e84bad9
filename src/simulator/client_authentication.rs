//! Who calls the token endpoint, and whether it is who it says (RFC 6749 §2.3.1).

use actix_web::http::header::{self, HeaderMap};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use percent_encoding::percent_decode_str;

use super::{
    aadsts::Aadsts, directory::Application, parameters::Parameters, redirect_uri::Platform,
};
use crate::domain::secret::Secret;

/// A client as it presents itself.
pub(super) struct Client {
    pub(super) id: String,
    secret: Option<Secret>,
}

impl Client {
    /// The client of a request, from its `Authorization` header or from its body.
    pub(super) fn parse(headers: &HeaderMap, body: &Parameters) -> Result<Self, Aadsts> {
        let authorization = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok());
        if let Some(client) = authorization.and_then(Self::basic) {
            return Ok(client);
        }
        let secret = body.get("client_secret").map(Secret::new);
        Ok(Self { id: body.require("client_id")?.to_owned(), secret })
    }

    /// `client_secret_basic`: both parts are form-encoded before they are joined.
    fn basic(authorization: &str) -> Option<Self> {
        let (scheme, credentials) = authorization.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let credentials = BASE64_STANDARD.decode(credentials.trim()).ok()?;
        let (id, secret) = str::from_utf8(&credentials).ok()?.split_once(':')?;
        Some(Self { id: form_decode(id)?, secret: Some(Secret::new(form_decode(secret)?)) })
    }

    /// A Web client must show a valid secret, a public one must show none.
    pub(super) fn authenticate(
        &self,
        application: &Application,
        platform: Platform,
    ) -> Result<(), Aadsts> {
        match (platform, &self.secret) {
            (Platform::Web, None) => Err(Aadsts::no_credential()),
            (Platform::Web, Some(secret)) if application.secrets.contains(secret) => Ok(()),
            (Platform::Web, Some(_)) => Err(Aadsts::wrong_secret(application.client_id)),
            (Platform::PublicClient, Some(_)) => Err(Aadsts::public_client()),
            (Platform::PublicClient, None) => Ok(()),
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

        assert_eq!((&*client.id, client.secret), ("an id", Some(Secret::new("p:q+"))));
    }
}
