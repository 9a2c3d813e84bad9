//! What the provisioning log says of a request.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::domain::{
    connector::Connector,
    id::ProvisioningRecordId,
    provisioning_record::{ProvisioningOutcome, ProvisioningRecord},
};

/// What the provisioning log says of a request before it is carried out.
#[derive(Clone, Debug, Default)]
pub struct Call {
    /// What the client calls itself, and the address that it called from.
    pub client: String,
    /// The HTTP method.
    pub method: String,
    /// The address below the connector's, with its query.
    pub path: String,
    /// The record that this request replays.
    pub replay_of: Option<ProvisioningRecordId>,
}

impl Call {
    /// A line that says nothing yet of how the request ended.
    pub fn record(&self, connector: &Connector, at: Timestamp) -> ProvisioningRecord {
        ProvisioningRecord {
            id: ProvisioningRecordId::generate(),
            organization_id: connector.organization_id,
            connector_id: connector.id,
            at,
            client: self.client.clone(),
            method: self.method.clone(),
            path: self.path.clone(),
            status: 0,
            outcome: ProvisioningOutcome::Answered,
            summary: String::new(),
            resource: None,
            changes: Map::new(),
            body: None,
            replay_of: self.replay_of,
        }
    }
}

/// For each attribute that differs, its value `before` and `after`.
pub(super) fn changes(
    before: &Map<String, Value>,
    after: &Map<String, Value>,
) -> Map<String, Value> {
    let names = before.keys().chain(after.keys().filter(|name| !before.contains_key(*name)));
    names
        .filter(|name| before.get(*name) != after.get(*name))
        .map(|name| (name.clone(), json!({ "before": before.get(name), "after": after.get(name) })))
        .collect()
}
