//! What happened.

use async_trait::async_trait;
use rusqlite::{Connection, params};

use super::{
    SqliteStore,
    columns::{Columns, Count, Json, Moment},
};
use crate::{
    domain::{
        audit_event::{AuditEvent, StoredAuditEvent},
        id::OrganizationId,
    },
    ports::{Unavailable, store::AuditLog},
};

#[async_trait]
impl AuditLog for SqliteStore {
    async fn insert_audit_event(&self, audit: &AuditEvent) -> Result<(), Unavailable> {
        let audit = audit.clone();
        self.write("writing the audit log", move |connection| insert(connection, &audit)).await
    }

    async fn list_audit_events(
        &self,
        organization_id: OrganizationId,
        limit: u64,
    ) -> Result<Vec<StoredAuditEvent>, Unavailable> {
        self.read("reading the audit log", |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT id, at, actor, action, target, reference, details FROM audit_event
                 WHERE organization_id = ? ORDER BY id DESC LIMIT ?",
            )?;
            let rows = statement.query_map(params![organization_id, Count(limit)], |row| {
                let mut columns = Columns::of(row);
                Ok(StoredAuditEvent {
                    id: columns.read()?,
                    at: columns.read::<Moment>()?.0,
                    actor: columns.read()?,
                    action: columns.read()?,
                    target: columns.read()?,
                    reference: columns.read()?,
                    details: columns.read::<Json<_>>()?.0,
                })
            })?;
            rows.collect()
        })
    }
}

/// Writes an event down, in the command that it tells of.
pub(super) fn insert(connection: &Connection, audit: &AuditEvent) -> rusqlite::Result<()> {
    let sql = "INSERT INTO audit_event
                   (organization_id, id, at, actor, action, target, reference, details)
               VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
    let mut statement = connection.prepare_cached(sql)?;
    let inserted = statement.execute(params![
        audit.organization_id,
        audit.id,
        Moment(audit.at),
        audit.actor.stored(),
        audit.action,
        audit.target,
        audit.reference,
        Json(&audit.details),
    ]);
    inserted.map(drop)
}
