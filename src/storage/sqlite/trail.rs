//! What is written down with a change.

use rusqlite::Connection;

use super::{audit_log, custom_attributes, provisioning_log};
use crate::{domain::id::ConnectorId, ports::trail::Trail};

/// Writes a trail down, in the command that it tells of. What was learned is the connector's whose
/// user or group was changed.
pub(super) fn insert(
    connection: &Connection,
    trail: &Trail,
    connector_id: Option<ConnectorId>,
) -> rusqlite::Result<()> {
    audit_log::insert(connection, &trail.audit)?;
    if let Some(record) = &trail.record {
        provisioning_log::insert(connection, record)?;
    }
    let Some(connector_id) = connector_id else { return Ok(()) };
    let learn = |attribute| {
        custom_attributes::learn(connection, trail.audit.organization_id, connector_id, attribute)
    };
    trail.learned.iter().try_for_each(learn)
}
