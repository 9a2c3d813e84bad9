//! The client credentials grant (RFC 6749 §4.4), by which a directory gets an access token for
//! SCIM: the request, and how it is refused.

use std::{borrow::Cow, collections::BTreeMap};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use url::form_urlencoded;

use crate::domain::secret::Secret;

/// The only scope there is.
pub const SCOPE: &str = "scim";

const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Who asks for a token, and how it proves that it is who it says; nothing is checked yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRequest {
    /// `client_id`: the connector, if it is one.
    pub client_id: String,
    /// The proof.
    pub proof: ClientProof,
}

/// How a client proves that it is who it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientProof {
    /// `client_secret` (RFC 6749 §2.3.1).
    Secret(Secret),
    /// `client_assertion`, a JWT (RFC 7523 §2.2).
    Assertion(Secret),
}

/// Why there is no token (RFC 6749 §5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenFault {
    /// A parameter is missing or stands twice, or the client proves itself in two ways.
    #[error("{0}")]
    InvalidRequest(&'static str),
    /// The client is unknown, proves nothing, or its proof is wrong.
    #[error("The client is unknown, or its secret or assertion is not valid here.")]
    InvalidClient,
    /// Another grant than this one.
    #[error("The grant type is client_credentials.")]
    UnsupportedGrantType,
    /// Another scope than `scim`.
    #[error("The scope is scim, or none.")]
    InvalidScope,
}

impl TokenFault {
    /// The registered code for `error`.
    pub const fn code(self) -> &'static str {
        match self {
            Self::InvalidRequest(_) => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::InvalidScope => "invalid_scope",
        }
    }
}

impl TokenRequest {
    /// Reads a form and the `Authorization` header that came with it.
    pub fn parse(authorization: Option<&str>, form: &[u8]) -> Result<Self, TokenFault> {
        let parameters = Parameters::parse(form)?;
        match parameters.get("grant_type") {
            Some("client_credentials") => {}
            Some(_) => return Err(TokenFault::UnsupportedGrantType),
            None => return Err(TokenFault::InvalidRequest("grant_type is missing.")),
        }
        let request = match authorization {
            Some(header) => parameters.basic_client(header)?,
            None => parameters.client()?,
        };
        match parameters.get("scope") {
            None | Some(SCOPE) => Ok(request),
            Some(_) => Err(TokenFault::InvalidScope),
        }
    }
}

/// The parameters of a form; one without a value counts as absent (RFC 6749 §3.2).
struct Parameters<'b>(BTreeMap<Cow<'b, str>, Cow<'b, str>>);

impl<'b> Parameters<'b> {
    fn parse(form: &'b [u8]) -> Result<Self, TokenFault> {
        let mut parameters = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(form) {
            if parameters.insert(name, value).is_some() {
                return Err(TokenFault::InvalidRequest("A parameter stands twice."));
            }
        }
        Ok(Self(parameters))
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(AsRef::as_ref).filter(|value| !value.is_empty())
    }

    /// A client that proves itself in the body.
    fn client(&self) -> Result<TokenRequest, TokenFault> {
        let secret = self.get("client_secret").map(Secret::new).map(ClientProof::Secret);
        let proof = match (secret, self.assertion()?) {
            (Some(_), Some(_)) => return Err(TWO_WAYS),
            (Some(proof), None) | (None, Some(proof)) => proof,
            (None, None) => return Err(TokenFault::InvalidClient),
        };
        let client_id = self.get("client_id").map(ToOwned::to_owned);
        let missing = TokenFault::InvalidRequest("client_id is missing.");
        Ok(TokenRequest { client_id: client_id.ok_or(missing)?, proof })
    }

    fn assertion(&self) -> Result<Option<ClientProof>, TokenFault> {
        match (self.get("client_assertion_type"), self.get("client_assertion")) {
            (None, None) => Ok(None),
            (Some(JWT_BEARER), Some(assertion)) => {
                Ok(Some(ClientProof::Assertion(Secret::new(assertion))))
            }
            (Some(_), Some(_)) => Err(TokenFault::InvalidRequest("client_assertion_type is odd.")),
            (Some(_), None) | (None, Some(_)) => Err(TokenFault::InvalidRequest(
                "client_assertion and client_assertion_type belong together.",
            )),
        }
    }

    /// A client that proves itself in the header, and nowhere else.
    fn basic_client(&self, header: &str) -> Result<TokenRequest, TokenFault> {
        let (client_id, secret) = basic(header).ok_or(TokenFault::InvalidClient)?;
        let elsewhere = ["client_secret", "client_assertion", "client_assertion_type"];
        if elsewhere.into_iter().any(|name| self.get(name).is_some()) {
            return Err(TWO_WAYS);
        }
        if self.get("client_id").is_some_and(|named| named != client_id) {
            return Err(TokenFault::InvalidRequest("client_id names another client."));
        }
        Ok(TokenRequest { client_id, proof: ClientProof::Secret(secret) })
    }
}

const TWO_WAYS: TokenFault = TokenFault::InvalidRequest("The client proves itself in two ways.");

/// `client_secret_basic`: both parts are form-encoded before they are joined (RFC 6749 §2.3.1).
fn basic(header: &str) -> Option<(String, Secret)> {
    let (scheme, pair) = header.trim().split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = String::from_utf8(BASE64_STANDARD.decode(pair.trim()).ok()?).ok()?;
    let (client_id, secret) = pair.split_once(':')?;
    let present = |text: &str| Some(form_decoded(text)).filter(|text| !text.is_empty());
    Some((present(client_id)?, Secret::new(present(secret)?)))
}

fn form_decoded(text: &str) -> String {
    // As a name without a value: neither `&` nor `=` of the text may end it.
    let escaped = text.replace('&', "%26").replace('=', "%3D");
    let (name, _) = form_urlencoded::parse(escaped.as_bytes()).next().unwrap_or_default();
    name.into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASSERTION_TYPE: &str =
        "client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer";

    fn parse(header: Option<&str>, form: &str) -> Result<TokenRequest, TokenFault> {
        TokenRequest::parse(header, form.as_bytes())
    }

    fn header(pair: &str) -> String {
        format!("Basic {}", BASE64_STANDARD.encode(pair))
    }

    fn secret(client_id: &str, secret: &str) -> TokenRequest {
        let proof = ClientProof::Secret(Secret::new(secret));
        TokenRequest { client_id: client_id.into(), proof }
    }

    #[test]
    fn a_client_proves_itself_in_the_body_or_in_the_header() {
        let grant = "grant_type=client_credentials";
        let of_body = [
            format!("{grant}&client_id=c&client_secret=s"),
            format!("scope=scim&{grant}&client_secret=s&client_id=c&resource=ignored"),
            format!("{grant}&client_id=c&client_secret=s&scope=&client_assertion="),
        ];
        for form in of_body {
            assert_eq!(parse(None, &form), Ok(secret("c", "s")), "{form}");
        }
        for form in
            [grant.to_owned(), format!("{grant}&client_id=c"), format!("{grant}&scope=scim")]
        {
            assert_eq!(parse(Some(&header("c:s")), &form), Ok(secret("c", "s")), "{form}");
        }
        let encoded = header("c:a+b%2B%26&=");
        assert_eq!(parse(Some(&encoded), grant), Ok(secret("c", "a b+&&=")));

        let form = format!("{grant}&client_id=c&{ASSERTION_TYPE}&client_assertion=a.b.c");
        let proof = ClientProof::Assertion(Secret::new("a.b.c"));
        assert_eq!(parse(None, &form), Ok(TokenRequest { client_id: "c".into(), proof }));
    }

    #[test]
    fn what_is_no_request_is_refused_as_rfc_6749_says() {
        let assertion = format!("{ASSERTION_TYPE}&client_assertion=a");
        let bodies = [
            ("", "invalid_request"),
            ("client_id=c&client_secret=s", "invalid_request"),
            ("grant_type=&client_id=c&client_secret=s", "invalid_request"),
            ("grant_type=authorization_code&client_id=c&client_secret=s", "unsupported_grant_type"),
            ("grant_type=CLIENT_CREDENTIALS&client_id=c", "unsupported_grant_type"),
            ("G", "invalid_client"),
            ("G&client_id=c", "invalid_client"),
            ("G&client_id=c&client_secret=", "invalid_client"),
            ("G&client_secret=s", "invalid_request"),
            ("G&client_id=&client_secret=s", "invalid_request"),
            ("G&G&client_id=c&client_secret=s", "invalid_request"),
            ("G&client_id=c&client_id=c&client_secret=s", "invalid_request"),
            ("G&client_id=c&client_secret=s&client_secret=t", "invalid_request"),
            ("G&client_id=c&client_secret=s&x=1&x=2", "invalid_request"),
            ("G&client_id=c&client_secret=s&scope=scim&scope=", "invalid_request"),
            ("G&client_id=c&client_secret=s&scope=openid", "invalid_scope"),
            ("G&client_id=c&client_secret=s&scope=scim+openid", "invalid_scope"),
            ("G&client_id=c&client_assertion=a", "invalid_request"),
            ("G&client_id=c&client_assertion=a&client_assertion_type=saml", "invalid_request"),
            ("G&A", "invalid_request"),
            ("G&client_id=c&A&A", "invalid_request"),
            ("G&client_id=c&A&client_assertion=b", "invalid_request"),
            ("G&client_id=c&A&client_secret=s", "invalid_request"),
            ("[1]", "invalid_request"),
            (r#"{"grant_type":"client_credentials"}"#, "invalid_request"),
        ];
        for (body, code) in bodies {
            let form = body.replace('G', "grant_type=client_credentials").replace('A', &assertion);

            assert_eq!(parse(None, &form).map_err(TokenFault::code), Err(code), "{form}");
        }
    }

    #[test]
    fn a_header_that_proves_nothing_is_refused_and_one_beside_a_body_that_does_too() {
        let grant = "grant_type=client_credentials";
        let headers = [
            ("Bearer token".to_owned(), "", "invalid_client"),
            ("Basic".to_owned(), "", "invalid_client"),
            ("Basic !".to_owned(), "", "invalid_client"),
            (header("no colon"), "", "invalid_client"),
            (header(":s"), "", "invalid_client"),
            (header("c:"), "", "invalid_client"),
            (header("c:s"), "&client_secret=s", "invalid_request"),
            (header("c:s"), "&client_id=other", "invalid_request"),
            (header("c:s"), "&client_assertion=a", "invalid_request"),
        ];
        for (header, more, code) in headers {
            let parsed = parse(Some(&header), &format!("{grant}{more}"));

            assert_eq!(parsed.map_err(TokenFault::code), Err(code), "{header} {more}");
        }
    }
}
