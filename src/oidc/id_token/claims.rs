//! The claims of an ID Token as they stand in it.

use aws_lc_rs::digest;
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::Value;
use subtle::ConstantTimeEq as _;

use super::{ExpectedIdToken, IdTokenError, LEEWAY, OLDEST, ensure};
use crate::oidc::{guid, json_object};

/// Longest name, user name or other text for people, in bytes.
const LONGEST_TEXT: usize = 1024;
/// The end of the year 9999.
const LAST_SECOND: i64 = 253_402_300_799;

/// The claims of an ID Token (OpenID Connect Core 1.0 §2; Entra ID's own).
///
/// Unknown claims are ignored, a claim that stands twice is refused. The claims that are checked
/// must have their type; those for people are dropped where they have another.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct IdTokenClaims {
    /// Who issued it.
    pub iss: Option<String>,
    /// Who signed in, by the issuer's own name for them.
    pub sub: Option<String>,
    /// For whom.
    #[serde(default, deserialize_with = "one_or_many")]
    pub aud: Vec<String>,
    /// To whom.
    pub azp: Option<String>,
    /// Until when, in seconds since 1970.
    #[serde(default, deserialize_with = "seconds")]
    pub exp: Option<i64>,
    /// From when on.
    #[serde(default, deserialize_with = "seconds")]
    pub nbf: Option<i64>,
    /// When it was issued.
    #[serde(default, deserialize_with = "seconds")]
    pub iat: Option<i64>,
    /// When the person proved who they are.
    #[serde(default, deserialize_with = "seconds")]
    pub auth_time: Option<i64>,
    /// The request's `nonce`.
    pub nonce: Option<String>,
    /// Left half of the access token's SHA-256, in base64url.
    pub at_hash: Option<String>,
    /// Entra ID: the tenant.
    pub tid: Option<String>,
    /// Entra ID: the person, the same for every application of the tenant.
    pub oid: Option<String>,
    /// Entra ID: `1.0` or `2.0`.
    pub ver: Option<String>,
    /// Entra ID: where the person's own account lives, if not in the tenant.
    pub idp: Option<Value>,
    /// Entra ID: 1 for a guest.
    pub acct: Option<Value>,
    /// The session at the authority.
    #[serde(default, deserialize_with = "text")]
    pub sid: Option<String>,
    /// Entra ID: what `login_hint` and `logout_hint` should be.
    #[serde(default, deserialize_with = "text")]
    pub login_hint: Option<String>,
    /// Entra ID: this token's own name.
    #[serde(default, deserialize_with = "text")]
    pub uti: Option<String>,
    /// This token's own name (RFC 7519 §4.1.7).
    #[serde(default, deserialize_with = "text")]
    pub jti: Option<String>,
    /// What the person types to sign in; it changes.
    #[serde(default, deserialize_with = "text")]
    pub preferred_username: Option<String>,
    /// What the person is called.
    #[serde(default, deserialize_with = "text")]
    pub name: Option<String>,
    /// Where mail reaches the person, as anybody may have written it down.
    #[serde(default, deserialize_with = "text")]
    pub email: Option<String>,
    /// Entra ID: the values of the application's roles.
    pub roles: Option<Value>,
    /// Which claims are not in the token but elsewhere (§5.6.2).
    #[serde(rename = "_claim_names")]
    pub claim_names: Option<Value>,
}

impl IdTokenClaims {
    /// Reads the payload of a token whose signature was verified.
    pub(super) fn parse(payload: &[u8]) -> Result<Self, IdTokenError> {
        json_object(payload).map_err(|_| IdTokenError::Malformed)
    }

    /// Checks the claims in the order of OpenID Connect Core 1.0 §3.1.3.7, then Entra ID's own.
    ///
    /// # Errors
    /// The first rule broken.
    pub fn validate(&self, expected: &ExpectedIdToken, now: Timestamp) -> Result<(), IdTokenError> {
        let now = now.as_second();
        let is_ours = |client: &String| *client == expected.client_id;

        ensure(self.iss.as_ref() == Some(&expected.issuer), IdTokenError::Issuer)?;
        ensure(matches!(&self.aud[..], [aud] if is_ours(aud)), IdTokenError::Audience)?;
        ensure(self.azp.iter().all(is_ours), IdTokenError::AuthorizedParty)?;
        ensure(self.exp.is_some_and(|exp| now - LEEWAY < exp), IdTokenError::Expired)?;
        ensure(self.nbf.is_none_or(|nbf| nbf <= now + LEEWAY), IdTokenError::NotYetValid)?;
        let issued = now - OLDEST..=now + LEEWAY;
        ensure(self.iat.is_some_and(|iat| issued.contains(&iat)), IdTokenError::IssuedAt)?;
        ensure(self.has_nonce(expected), IdTokenError::Nonce)?;
        ensure(self.is_recent(expected.max_age, now), IdTokenError::AuthenticationTime)?;
        ensure(self.sub.as_deref().is_some_and(is_subject), IdTokenError::Subject)?;
        ensure(self.has_access_token_of(expected), IdTokenError::AccessTokenHash)?;
        expected.tenant_id.as_deref().map_or(Ok(()), |tenant| self.validate_entra(tenant))
    }

    fn validate_entra(&self, tenant: &str) -> Result<(), IdTokenError> {
        let tid = self.tid.as_deref().and_then(guid);
        ensure(tid.as_deref() == Some(tenant), IdTokenError::Tenant)?;
        ensure(self.ver.as_deref() == Some("2.0"), IdTokenError::Version)?;
        ensure(self.oid.as_deref().and_then(guid).is_some(), IdTokenError::ObjectId)
    }

    fn has_nonce(&self, expected: &ExpectedIdToken) -> bool {
        let nonce = expected.nonce.expose().as_bytes();
        !nonce.is_empty() && self.nonce.as_ref().is_some_and(|n| n.as_bytes().ct_eq(nonce).into())
    }

    fn is_recent(&self, max_age: Option<u32>, now: i64) -> bool {
        let Some(max_age) = max_age else { return true };
        let window = now - i64::from(max_age) - LEEWAY..=now + LEEWAY;
        self.auth_time.is_some_and(|auth_time| window.contains(&auth_time))
    }

    fn has_access_token_of(&self, expected: &ExpectedIdToken) -> bool {
        let (Some(at_hash), Some(token)) = (&self.at_hash, &expected.access_token) else {
            return true;
        };
        let hash = digest::digest(&digest::SHA256, token.expose().as_bytes());
        *at_hash == BASE64_URL_SAFE_NO_PAD.encode(&hash.as_ref()[..16])
    }
}

fn is_subject(sub: &str) -> bool {
    (1..=255).contains(&sub.len()) && sub.is_ascii()
}

/// `"a"` or `["a"]`.
fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum OneOrMany {
        One(String),
        Many(Vec<String>),
    }
    OneOrMany::deserialize(deserializer).map(|found| match found {
        OneOrMany::One(one) => vec![one],
        OneOrMany::Many(many) => many,
    })
}

/// A `NumericDate` (RFC 7519 §2) between 1970 and 9999; a fraction is cut off.
fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    let number = serde_json::Number::deserialize(deserializer)?;
    let whole = number.as_i64().or_else(|| number.as_f64().and_then(whole_seconds));
    whole
        .filter(|seconds| (0..=LAST_SECOND).contains(seconds))
        .map(Some)
        .ok_or_else(|| D::Error::custom("not a date"))
}

#[expect(clippy::cast_possible_truncation, reason = "the range is checked, the fraction unwanted")]
fn whole_seconds(number: f64) -> Option<i64> {
    (0.0..1e12).contains(&number).then_some(number as i64)
}

/// A text of bounded length; anything else counts as absent.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::String(text) if (1..=LONGEST_TEXT).contains(&text.len()) => Some(text),
        _ => None,
    })
}
