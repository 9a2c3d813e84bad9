//! What happened.

use async_trait::async_trait;
use serde_json::{Map, Value};
use tokio_postgres::types::ToSql;

use super::{
    PostgresStore,
    columns::{Columns, Count, Json, Moment, Text, places},
    failure::Failure,
};
use crate::{
    domain::{
        audit_event::{AuditEvent, StoredAuditEvent},
        id::OrganizationId,
    },
    ports::{Unavailable, store::AuditLog},
};

#[async_trait]
impl AuditLog for PostgresStore {
    async fn insert_audit_event(&self, audit: &AuditEvent) -> Result<(), Unavailable> {
        let (sql, audit) = (insertion(1, "(SELECT) AS always"), AuditRow::of(audit));
        self.write("writing the audit log", &sql, &audit.values()).await.map(drop)
    }

    async fn list_audit_events(
        &self,
        organization_id: OrganizationId,
        limit: u64,
    ) -> Result<Vec<StoredAuditEvent>, Unavailable> {
        let sql = "SELECT id, at, actor, action, target, reference, details FROM audit_event
                   WHERE organization_id = $1 ORDER BY id DESC LIMIT $2";
        let values: [&(dyn ToSql + Sync); 2] = [&organization_id, &Count(limit)];
        self.all("reading the audit log", sql, &values, read).await
    }
}

/// How many values [`insertion`] takes.
pub(super) const VALUES: usize = 8;

/// The statement, or part of one, that writes an event down for each row of `source`; its values
/// begin at `$first`.
pub(super) fn insertion(first: usize, source: &str) -> String {
    let types = ["uuid", "uuid", "timestamptz", "text", "text", "text", "text", "json"];
    format!(
        "INSERT INTO audit_event
             (organization_id, id, at, actor, action, target, reference, details)
         SELECT {} FROM {source}",
        places(first, &types)
    )
}

/// An event as it is written.
pub(super) struct AuditRow<'a> {
    event: &'a AuditEvent,
    at: Moment,
    actor: String,
    target: Text<&'a str>,
    details: Json<&'a Map<String, Value>>,
}

impl<'a> AuditRow<'a> {
    /// The row of an event.
    pub(super) fn of(event: &'a AuditEvent) -> Self {
        let (at, actor) = (Moment(event.at), event.actor.stored());
        Self { event, at, actor, target: Text(&event.target), details: Json(&event.details) }
    }

    /// When it happened.
    pub(super) const fn at(&self) -> &Moment {
        &self.at
    }

    /// In the order of [`insertion`].
    pub(super) fn values(&self) -> [&(dyn ToSql + Sync); VALUES] {
        [
            &self.event.organization_id,
            &self.event.id,
            &self.at,
            &self.actor,
            &self.event.action,
            &self.target,
            &self.event.reference,
            &self.details,
        ]
    }
}

fn read(columns: &mut Columns<'_>) -> Result<StoredAuditEvent, Failure> {
    Ok(StoredAuditEvent {
        id: columns.read()?,
        at: columns.read::<Moment>()?.0,
        actor: columns.read()?,
        action: columns.read()?,
        target: columns.read()?,
        reference: columns.read()?,
        details: columns.read::<Json<_>>()?.0,
    })
}
