//! The tie of an account to its subject at the identity provider.

use jiff::Timestamp;

use crate::domain::id::{AccountId, ConnectorId, OrganizationId, Reference};

/// Who somebody is at an identity provider, in the words that never change or are reused.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Subject {
    /// Entra ID: the tenant, `tid`. Others: the issuer, `iss`.
    pub authority: String,
    /// Entra ID: the object, `oid`. Others: `sub`.
    pub identifier: String,
}

/// The tie of an account to its subject at the provider, made at the first sign-in.
///
/// One account has at most one per connector, and a subject at most one account in an
/// organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubjectLink {
    /// Whose it is.
    pub organization_id: OrganizationId,
    /// Through which connector the person signed in.
    pub connector_id: ConnectorId,
    /// Who that is here.
    pub account_id: AccountId,
    /// Who that is there.
    pub subject: Subject,
    /// The `sub` of the last sign-in; a change of it is audited.
    pub sub: String,
    /// What justified the link.
    pub basis: LinkBasis,
    /// When it was made.
    pub linked_at: Timestamp,
}

/// What justified a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkBasis {
    /// SCIM `externalId` equals the subject's identifier.
    ExternalId,
    /// SCIM `userName` equals `preferred_username`, and the connector allows that.
    UserName,
    /// The same, and an admin approved it.
    Approval,
}

impl LinkBasis {
    /// The name as stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ExternalId => "external_id",
            Self::UserName => "user_name",
            Self::Approval => "approval",
        }
    }

    /// The basis that [`Self::as_str`] wrote.
    pub fn from_stored(text: &str) -> Option<Self> {
        [Self::ExternalId, Self::UserName, Self::Approval]
            .into_iter()
            .find(|basis| basis.as_str() == text)
    }
}

/// A first sign-in that matched an account by user name and waits for an admin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkRequest {
    /// Whose it is.
    pub organization_id: OrganizationId,
    /// Through which connector the person came.
    pub connector_id: ConnectorId,
    /// The account whose `userName` matched.
    pub account_id: AccountId,
    /// Who that is there.
    pub subject: Subject,
    /// The `sub` of that sign-in.
    pub sub: String,
    /// What matched.
    pub user_name: String,
    /// The number on the person's last waiting page.
    pub reference: Reference,
    /// When the person first came.
    pub requested_at: Timestamp,
}
