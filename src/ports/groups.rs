//! Groups and who belongs to them, as the database keeps them.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::{
    domain::{
        group::{Group, Member, Membership},
        id::{AccountId, ConnectorId, GroupId, MemberId, OrganizationId},
    },
    ports::{
        NotDone, Unavailable,
        query::{Page, Query, TooCostly},
        trail::Trail,
    },
};

/// Why a group was not created or changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GroupConflict {
    /// Another group of the connector has this display name, in any case of letters.
    #[error("group {0} has the same display name")]
    DisplayName(GroupId),
    /// Another group of the connector has this `externalId`.
    #[error("group {0} has the same externalId")]
    ExternalId(GroupId),
    /// The connector has neither an account nor a group of this identifier, or it is the group
    /// itself.
    #[error("{0} can't belong to the group")]
    NoMember(MemberId),
    /// The group was written since: read it again.
    #[error("the group was changed meanwhile")]
    Version,
    /// There is no such group.
    #[error("the group was deleted")]
    Gone,
}

/// A change of who belongs to a group. Adding who belongs to it, or removing who does not, is no
/// change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MembersChange {
    /// These belong to it too.
    Add(Vec<MemberId>),
    /// These don't.
    Remove(Vec<MemberId>),
    /// These do, and nobody else.
    Set(Vec<MemberId>),
}

/// What is to be changed of a group.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupChange {
    /// Whose it is.
    pub organization_id: OrganizationId,
    /// The connector whose directory provisions it.
    pub connector_id: ConnectorId,
    /// Which group.
    pub id: GroupId,
    /// The version that it must still have, if that matters.
    pub expected_version: Option<u64>,
    /// Its name, `externalId` and attributes from now on, if they change; the version and moments
    /// in it don't count.
    pub attributes: Option<Group>,
    /// Who belongs to it from now on, change by change.
    pub members: Vec<MembersChange>,
    /// When.
    pub at: Timestamp,
}

/// What came of a change.
#[derive(Clone, Debug, PartialEq)]
pub struct ChangedGroup {
    /// The group as it is now.
    pub group: Group,
    /// How many belong to it who did not before.
    pub added: u64,
    /// How many don't who did before.
    pub removed: u64,
}

/// Groups.
#[async_trait]
pub trait Groups: Send + Sync {
    /// Creates a group with its members.
    async fn insert_group(
        &self,
        group: &Group,
        members: &[MemberId],
        trail: &Trail,
    ) -> Result<(), NotDone<GroupConflict>>;

    /// Changes a group and its members, row by row: changes from many sides at once all take
    /// effect.
    ///
    /// The version rises and the trail is written if something is different afterwards, not
    /// otherwise.
    async fn change_group(
        &self,
        change: &GroupChange,
        trail: &Trail,
    ) -> Result<ChangedGroup, NotDone<GroupConflict>>;

    /// Deletes a group with its memberships, those of it in other groups included.
    ///
    /// `false` if the connector has no such group.
    async fn delete_group(
        &self,
        organization_id: OrganizationId,
        connector_id: ConnectorId,
        id: GroupId,
        trail: &Trail,
    ) -> Result<bool, Unavailable>;

    /// The group of this identifier.
    async fn find_group(
        &self,
        organization_id: OrganizationId,
        connector_id: ConnectorId,
        id: GroupId,
    ) -> Result<Option<Group>, Unavailable>;

    /// The groups of a connector that a query asks for.
    async fn query_groups(
        &self,
        organization_id: OrganizationId,
        connector_id: ConnectorId,
        query: &Query,
    ) -> Result<Page<Group>, NotDone<TooCostly>>;

    /// Who belongs to a group directly, after `after` in the order of identifiers, at most `limit`.
    async fn list_members(
        &self,
        organization_id: OrganizationId,
        group_id: GroupId,
        after: Option<MemberId>,
        limit: u64,
    ) -> Result<Vec<Member>, Unavailable>;

    /// The groups that these accounts belong to directly.
    async fn list_memberships(
        &self,
        organization_id: OrganizationId,
        accounts: &[AccountId],
    ) -> Result<Vec<Membership>, Unavailable>;
}
