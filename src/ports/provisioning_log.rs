//! What directories asked for, as the database keeps it.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::{
    domain::{
        id::{ConnectorId, OrganizationId, ProvisioningRecordId},
        provisioning_record::{ProvisioningOutcome, ProvisioningRecord, ProvisioningTally},
    },
    ports::Unavailable,
};

/// Which lines of the provisioning log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordsWanted {
    /// Only those that ended so.
    pub outcome: Option<ProvisioningOutcome>,
    /// Only those about the user or group of this `id`.
    pub resource: Option<String>,
    /// Only those before this one.
    pub before: Option<ProvisioningRecordId>,
    /// How many at most.
    pub limit: u64,
}

/// What directories asked for. A change's line is committed with the change, in its
/// [`Trail`](super::trail::Trail).
#[async_trait]
pub trait ProvisioningLog: Send + Sync {
    /// Keeps lines about what changed nothing, and adds to the tallies of their hours.
    async fn note_provisioning(
        &self,
        records: &[ProvisioningRecord],
        tallies: &[ProvisioningTally],
    ) -> Result<(), Unavailable>;

    /// One line.
    async fn find_provisioning_record(
        &self,
        organization_id: OrganizationId,
        connector_id: ConnectorId,
        id: ProvisioningRecordId,
    ) -> Result<Option<ProvisioningRecord>, Unavailable>;

    /// Lines, the newest first.
    async fn list_provisioning_records(
        &self,
        organization_id: OrganizationId,
        connector_id: ConnectorId,
        wanted: &RecordsWanted,
    ) -> Result<Vec<ProvisioningRecord>, Unavailable>;

    /// The tallies of a connector from the hour of `since` on, the oldest first.
    async fn list_provisioning_tallies(
        &self,
        organization_id: OrganizationId,
        connector_id: ConnectorId,
        since: Timestamp,
    ) -> Result<Vec<ProvisioningTally>, Unavailable>;

    /// Forgets lines and tallies of before `moment`, and the oldest lines beyond `most` of a
    /// connector; at most [`super::FORGOTTEN_AT_ONCE`] of them; how many it forgot.
    async fn delete_provisioning_records(
        &self,
        moment: Timestamp,
        most: u64,
    ) -> Result<u64, Unavailable>;
}
