//! A sign-in under way.

use jiff::Timestamp;

use crate::domain::{
    id::{ConnectorId, OrganizationId},
    return_to::ReturnTo,
    secret::{Secret, SecretDigest},
};

/// A sign-in under way: single use, bound to the browser that began it and to its connector.
///
/// Until it succeeds there is no session.
#[derive(Clone, Debug, PartialEq)]
pub struct LoginTransaction {
    /// Whose it is.
    pub organization_id: OrganizationId,
    /// Through which connector; only its own redirect URI completes it (mix-up defence).
    pub connector_id: ConnectorId,
    /// The digest of `state`, by which it is found.
    pub state: SecretDigest,
    /// The digest of the login cookie of the browser that began it.
    pub browser: SecretDigest,
    /// The ID token must repeat it.
    pub nonce: Secret,
    /// The PKCE verifier (RFC 7636); it never leaves the server before the code is redeemed.
    pub code_verifier: Secret,
    /// The redirect URI that was sent, and must be sent again with the code.
    pub redirect_uri: String,
    /// The `max_age` that was asked for, in seconds; the ID token's `auth_time` must keep it.
    pub max_age: Option<u32>,
    /// Where the person wanted to go.
    pub return_to: ReturnTo,
    /// When the browser left.
    pub created_at: Timestamp,
    /// Ten minutes later.
    pub expires_at: Timestamp,
}
