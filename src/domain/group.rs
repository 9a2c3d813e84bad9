//! A group of a connector's directory.

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::domain::id::{AccountId, ConnectorId, GroupId, MemberId, OrganizationId};

/// A group of a connector's directory, without its members: those are rows of their own, since a
/// directory changes one of many at a time.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// Whose it is.
    pub organization_id: OrganizationId,
    /// The connector whose directory provisions it.
    pub connector_id: ConnectorId,
    /// Its SCIM `id`, stable for ever.
    pub id: GroupId,
    /// SCIM `displayName`, unique in its connector without regard to case.
    pub display_name: String,
    /// SCIM `externalId`, unique in its connector.
    pub external_id: Option<String>,
    /// Raised by every write, of a member too; the ETag is made of it.
    pub version: u64,
    /// SCIM `meta.created`.
    pub created_at: Timestamp,
    /// SCIM `meta.lastModified`.
    pub last_modified_at: Timestamp,
    /// The SCIM resource as sent, without `id`, `meta`, `schemas` and `members`.
    pub attributes: Map<String, Value>,
}

/// One that belongs to a group directly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Who.
    pub id: MemberId,
    /// A person, or a group within the group.
    pub kind: MemberKind,
    /// The display name of now.
    pub display: String,
}

/// What belongs to a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberKind {
    /// A person.
    Account,
    /// A group.
    Group,
}

/// A group that an account belongs to directly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// Who belongs to it.
    pub account_id: AccountId,
    /// Which group.
    pub group_id: GroupId,
    /// Its display name of now.
    pub display: String,
}
