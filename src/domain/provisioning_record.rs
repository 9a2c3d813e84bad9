//! What a directory asked for, and what came of it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::domain::id::{ConnectorId, OrganizationId, ProvisioningRecordId};

/// One request of a connector's directory: a line of the provisioning log.
#[derive(Clone, Debug, PartialEq)]
pub struct ProvisioningRecord {
    /// Names it; ordered by time.
    pub id: ProvisioningRecordId,
    /// Whose it is.
    pub organization_id: OrganizationId,
    /// Through which connector.
    pub connector_id: ConnectorId,
    /// When.
    pub at: Timestamp,
    /// What the client calls itself, and the address that it called from.
    pub client: String,
    /// The HTTP method.
    pub method: String,
    /// The address below the connector's, with its query: `/Users?filter=userName eq "alice"`.
    pub path: String,
    /// The HTTP status of the answer.
    pub status: u16,
    /// How it ended.
    pub outcome: ProvisioningOutcome,
    /// What happened, in plain words.
    pub summary: String,
    /// The `id` of the user or group that it was about, where there is one.
    pub resource: Option<String>,
    /// What changed: for each attribute its value `before` and `after`.
    pub changes: Map<String, Value>,
    /// The body of a write that was refused or failed, secrets removed: what a replay sends.
    pub body: Option<Value>,
    /// The record that this one replays.
    pub replay_of: Option<ProvisioningRecordId>,
}

/// How a request of a directory ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProvisioningOutcome {
    /// Answered, and nothing was to be changed.
    Answered,
    /// Something was changed.
    Changed,
    /// The directory asked for what cannot be.
    Refused,
    /// The service could not.
    Failed,
}

impl ProvisioningOutcome {
    /// The name as stored and answered.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Changed => "changed",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}

impl std::str::FromStr for ProvisioningOutcome {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "answered" => Ok(Self::Answered),
            "changed" => Ok(Self::Changed),
            "refused" => Ok(Self::Refused),
            "failed" => Ok(Self::Failed),
            _ => Err("an outcome is `answered`, `changed`, `refused` or `failed`".into()),
        }
    }
}

/// How many requests of a connector's directory ended how, within one hour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvisioningTally {
    /// Whose it is.
    pub organization_id: OrganizationId,
    /// Through which connector.
    pub connector_id: ConnectorId,
    /// The beginning of the hour.
    pub hour: Timestamp,
    /// All requests.
    pub requests: u64,
    /// Those that changed something.
    pub changed: u64,
    /// Those refused or failed.
    pub failures: u64,
    /// The last request of the hour.
    pub last_request_at: Timestamp,
    /// The last one that was neither refused nor failed.
    pub last_success_at: Option<Timestamp>,
}
