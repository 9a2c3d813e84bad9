//! A way into Organization Setup without a sign-in.

use jiff::{SignedDuration, Timestamp};

use crate::domain::{
    id::{ConnectorId, OrganizationId},
    secret::{Secret, SecretDigest},
};

/// A way into one organization's setup for whoever holds its token: good for one completion.
///
/// Opening it uses nothing up, since mail scanners open links before people do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetupLink {
    /// The digest of the token in its address.
    pub digest: SecretDigest,
    /// Whose setup it opens; an organization has one link at most.
    pub organization_id: OrganizationId,
    /// The connector that it sets up: one that is there, or the identifier that it will have, so
    /// that its redirect URI can be registered before it is saved.
    pub connector_id: ConnectorId,
    /// When it was made.
    pub created_at: Timestamp,
    /// 72 hours later.
    pub expires_at: Timestamp,
}

impl SetupLink {
    const LIFETIME: SignedDuration = SignedDuration::from_hours(72);

    /// A link that begins now, and its token, of which only the digest is kept.
    pub fn issue(
        organization_id: OrganizationId,
        connector_id: ConnectorId,
        now: Timestamp,
    ) -> (Secret, Self) {
        let token = Secret::generate();
        let link = Self {
            digest: token.digest(),
            organization_id,
            connector_id,
            created_at: now,
            expires_at: now + Self::LIFETIME,
        };
        (token, link)
    }
}
