//! The ID Token: its signature, and its claims against what a sign-in expects.

use jiff::Timestamp;
use jsonwebtoken::Algorithm;

use crate::{
    domain::secret::Secret,
    oidc::{
        authority::Provider,
        jwks::{Jwks, NoKey},
    },
};

mod claims;
mod compact;
mod identity;
mod role_claim;

pub use claims::IdTokenClaims;
pub use identity::VerifiedIdentity;

use self::{compact::Compact, role_claim::roles};

/// How far the provider's clock and ours may be apart, in seconds.
pub(super) const LEEWAY: i64 = 60;
/// An ID Token is at most this old when it arrives, in seconds: Entra ID dates it back by five
/// minutes.
const OLDEST: i64 = 600;

/// What an ID Token must say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpectedIdToken {
    /// `iss`, byte for byte.
    pub issuer: String,
    /// Entra ID: `tid`; `None` for providers without tenants, whose tokens then need no `oid`.
    pub tenant_id: Option<String>,
    /// `aud`, the only one.
    pub client_id: String,
    /// `nonce`, as sent.
    pub nonce: Secret,
    /// `auth_time` at most so many seconds ago, if that was asked.
    pub max_age: Option<u32>,
    /// What `at_hash` is the hash of; `None` where the ID Token came without an access token, and
    /// then `at_hash` is not checked.
    pub access_token: Option<Secret>,
    /// Another name under which the role claim may stand; both must agree.
    pub role_claim_alias: Option<&'static str>,
}

impl ExpectedIdToken {
    /// What `provider` says to `client_id` about a sign-in that was given `nonce`; without
    /// `max_age` and access token.
    pub fn new(provider: &Provider, client_id: &str, nonce: Secret) -> Self {
        Self {
            issuer: provider.issuer().to_owned(),
            tenant_id: provider.tenant_id().map(ToOwned::to_owned),
            client_id: client_id.to_owned(),
            nonce,
            max_age: None,
            access_token: None,
            role_claim_alias: provider.profile().role_claim_alias,
        }
    }

    /// The same, with the access token that came beside the ID Token.
    #[must_use]
    pub fn with_access_token(self, access_token: Secret) -> Self {
        Self { access_token: Some(access_token), ..self }
    }
}

/// Which rule an ID Token breaks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdTokenError {
    /// Not three parts of base64url, or not the JSON that belongs in them.
    #[error("the ID token cannot be read")]
    Malformed,
    /// `typ` says that it is something else.
    #[error("the token is not an ID token")]
    Type,
    /// `alg` is not RS256 (OpenID Connect Core 1.0 §3.1.3.7, rule 7).
    #[error("the ID token is not signed with RS256")]
    Algorithm,
    /// `crit` demands what is not understood here (RFC 7515 §4.1.11), or `cty` a nested token.
    #[error("the ID token demands an extension")]
    Extension,
    /// The key is not in the set; a newer set may have it.
    #[error("the ID token is signed with a key that the authority did not publish")]
    UnknownKey {
        /// Which one the token names.
        kid: Option<String>,
    },
    /// No `kid`, and several keys to choose from.
    #[error("the ID token does not say which key it is signed with")]
    AmbiguousKey,
    /// Rule 6.
    #[error("the ID token's signature is wrong")]
    Signature,
    /// Rule 2.
    #[error("the ID token comes from another issuer")]
    Issuer,
    /// Rule 3: `aud` is the client, alone.
    #[error("the ID token is meant for another client")]
    Audience,
    /// Rules 4 and 5.
    #[error("the ID token was issued to another client")]
    AuthorizedParty,
    /// Rule 9.
    #[error("the ID token has expired")]
    Expired,
    /// `nbf` (RFC 7519 §4.1.5).
    #[error("the ID token is not valid yet")]
    NotYetValid,
    /// Rule 10: `iat` is absent, ahead of the clock, or more than ten minutes ago.
    #[error("the ID token was issued at another time")]
    IssuedAt,
    /// Rule 11.
    #[error("the ID token belongs to another sign-in")]
    Nonce,
    /// Rule 13.
    #[error("the person proved who they are too long ago")]
    AuthenticationTime,
    /// `sub` is absent, empty, longer than 255 characters or not ASCII (§2).
    #[error("the ID token names no subject")]
    Subject,
    /// `at_hash` is of another access token (§3.1.3.8).
    #[error("the ID token belongs to another access token")]
    AccessTokenHash,
    /// Entra ID: `tid` is not the connector's tenant.
    #[error("the ID token comes from another tenant")]
    Tenant,
    /// Entra ID: `ver` is not 2.0.
    #[error("the ID token is not of version 2.0")]
    Version,
    /// Entra ID: `oid` is not a GUID; it needs the scope `profile`.
    #[error("the ID token names no object ID")]
    ObjectId,
    /// The role claim is too large for the token, or stands under two names that differ.
    #[error("the ID token's roles cannot be read from it")]
    Roles,
}

/// Verifies an ID Token: header, signature, then the claims in the order of OpenID Connect Core
/// 1.0 §3.1.3.7, and Entra ID's own where a tenant is expected.
///
/// `role_claim` names the claim that the roles are read from.
///
/// # Errors
/// The first rule broken. After [`IdTokenError::UnknownKey`] a newer key set is worth one more try.
pub fn verify(
    token: &str,
    jwks: &Jwks,
    expected: &ExpectedIdToken,
    role_claim: &str,
    now: Timestamp,
) -> Result<VerifiedIdentity, IdTokenError> {
    let payload = signed_payload(token, jwks, expected.tenant_id.as_deref())?;
    let claims = IdTokenClaims::parse(&payload)?;
    claims.validate(expected, now)?;
    let roles = roles(&claims, &payload, role_claim, expected.role_claim_alias)?;
    VerifiedIdentity::of(claims, roles, expected)
}

/// The claims of a token whose header and signature are good; none of them is checked.
pub(super) fn signed_claims(
    token: &str,
    jwks: &Jwks,
    tenant_id: &str,
) -> Result<IdTokenClaims, IdTokenError> {
    IdTokenClaims::parse(&signed_payload(token, jwks, Some(tenant_id))?)
}

/// The claims of a token that nobody has verified: good for finding what it is to be held against.
pub(super) fn claims_unverified(token: &str) -> Result<IdTokenClaims, IdTokenError> {
    IdTokenClaims::parse(&Compact::parse(token)?.payload()?)
}

fn signed_payload(
    token: &str,
    jwks: &Jwks,
    tenant_id: Option<&str>,
) -> Result<Vec<u8>, IdTokenError> {
    let compact = Compact::parse(token)?;
    compact.header.validate()?;
    verify_signature(&compact, jwks, tenant_id)?;
    compact.payload()
}

/// The one use of a signature check: the algorithm is ours, the key the connector's.
fn verify_signature(
    compact: &Compact<'_>,
    jwks: &Jwks,
    tenant_id: Option<&str>,
) -> Result<(), IdTokenError> {
    let kid = compact.header.kid.as_deref();
    let key = jwks.choose(kid, tenant_id).map_err(|missing| match missing {
        NoKey::Unknown => IdTokenError::UnknownKey { kid: kid.map(ToOwned::to_owned) },
        NoKey::Ambiguous => IdTokenError::AmbiguousKey,
    })?;
    let signed = compact.signed.as_bytes();
    match jsonwebtoken::crypto::verify(compact.signature, signed, key, Algorithm::RS256) {
        Ok(true) => Ok(()),
        Ok(false) | Err(_) => Err(IdTokenError::Signature),
    }
}

fn ensure(holds: bool, broken: IdTokenError) -> Result<(), IdTokenError> {
    if holds { Ok(()) } else { Err(broken) }
}

#[cfg(test)]
mod tests;
