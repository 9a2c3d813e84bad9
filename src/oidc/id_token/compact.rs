//! A signed JWT taken apart (RFC 7515 §3.1), nothing of it believed.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{IdTokenError, ensure};
use crate::oidc::json_object;

const LONGEST: usize = 64 * 1024;

/// `header.payload.signature`.
pub(super) struct Compact<'a> {
    pub(super) header: Header,
    /// What the signature is over: the first two parts with the dot between them.
    pub(super) signed: &'a str,
    payload: &'a str,
    /// In base64url.
    pub(super) signature: &'a str,
}

/// The members of a JOSE header that matter here. `jwk`, `jku`, `x5u` and `x5c` do not: a token
/// cannot bring its own key.
#[derive(Deserialize)]
pub(super) struct Header {
    alg: String,
    typ: Option<String>,
    cty: Option<IgnoredAny>,
    crit: Option<IgnoredAny>,
    pub(super) kid: Option<String>,
}

impl<'a> Compact<'a> {
    pub(super) fn parse(token: &'a str) -> Result<Self, IdTokenError> {
        ensure(token.len() <= LONGEST, IdTokenError::Malformed)?;
        let (signed, signature) = token.rsplit_once('.').ok_or(IdTokenError::Malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(IdTokenError::Malformed)?;
        let header = json_object(&decode(header)?).map_err(|_| IdTokenError::Malformed)?;
        Ok(Self { header, signed, payload, signature })
    }

    /// The claims' JSON; only worth reading once the signature is verified.
    pub(super) fn payload(&self) -> Result<Vec<u8>, IdTokenError> {
        decode(self.payload)
    }
}

impl Header {
    pub(super) fn validate(&self) -> Result<(), IdTokenError> {
        let is_jwt = |typ: &String| typ.eq_ignore_ascii_case("JWT");
        ensure(self.typ.iter().all(is_jwt), IdTokenError::Type)?;
        ensure(self.alg == "RS256", IdTokenError::Algorithm)?;
        ensure(self.crit.is_none() && self.cty.is_none(), IdTokenError::Extension)
    }
}

/// Strict base64url; a dot inside, of a fourth part, is refused with every other odd character.
fn decode(part: &str) -> Result<Vec<u8>, IdTokenError> {
    BASE64_URL_SAFE_NO_PAD.decode(part).map_err(|_| IdTokenError::Malformed)
}
