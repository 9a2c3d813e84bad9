//! OpenID Connect Core 1.0, relying party: values and checks, without I/O.
//!
//! In the order of a login:
//!
//! 1. [`authority::Authority::parse`] reads what the admin pasted; `check` turns the authority's
//!    discovery document into a [`authority::Provider`].
//! 2. [`authorization_request::AuthorizationRequest`] sends the browser away; `accept` turns what
//!    it brought back into an [`authorization_request::AcceptedCode`].
//! 3. [`token::TokenResponse`] is what the code was redeemed for.
//! 4. [`id_token::verify`] turns its ID Token into a [`id_token::VerifiedIdentity`].
//!
//! [`workload_identity`] is no part of it: there a tenant's program proves what it is.
//!
//! Each result has private fields and no other source than the check before it, so a step left
//! out does not compile.
//!
//! # Why
//!
//! openidconnect gives the types, builds requests and redeems the code; jsonwebtoken verifies
//! signatures. The claims are our own list of checks, because both crates leave rules open that
//! Entra ID's tokens need: `nbf`, `iat`, `azp`, `tid`, `ver`, an empty `sub`, `at_hash`.

pub mod authority;
pub mod authorization_request;
pub mod authorization_response;
pub mod client_authentication;
pub mod entra_error;
pub mod id_token;
pub mod jwks;
pub mod provider_kind;
pub mod refusal;
pub mod token;
pub mod workload_identity;

/// The text up to `limit` bytes, a space for each control character and for those that turn the
/// direction of writing.
fn plain_text(text: &str, limit: usize) -> String {
    text.chars()
        .map(|c| if c.is_control() || turns_direction(c) { ' ' } else { c })
        .scan(0, |length, c| {
            *length += c.len_utf8();
            (*length <= limit).then_some(c)
        })
        .collect()
}

fn turns_direction(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Reads a JSON object.
///
/// serde takes a list for a struct as well, which no protocol means, and passes over members that it
/// does not know without a look at their encoding; JSON is UTF-8 throughout (RFC 8259 §8.1).
fn json_object<'de, T: serde::Deserialize<'de>>(bytes: &'de [u8]) -> Result<T, serde_json::Error> {
    let not = serde::de::Error::custom;
    let text = std::str::from_utf8(bytes).map_err(|_| not("not UTF-8"))?;
    match text.trim_ascii_start().as_bytes().first() {
        Some(b'{') => serde_json::from_str(text),
        _ => Err(not("not an object")),
    }
}

/// The lower-case form of a GUID written `8-4-4-4-12`; `None` for anything else.
pub(crate) fn guid(text: &str) -> Option<String> {
    (text.len() == 36)
        .then(|| uuid::Uuid::try_parse(text).ok())
        .flatten()
        .map(|guid| guid.hyphenated().to_string())
}
