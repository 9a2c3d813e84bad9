//! The stored "why" of sign-ins.

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, Row, params};

use super::{
    SqliteStore, audit_log,
    columns::{Columns, Count, Json, Moment},
};
use crate::{
    domain::{
        audit_event::AuditEvent,
        decision::Decision,
        id::{OrganizationId, Reference},
    },
    ports::{FORGOTTEN_AT_ONCE, Unavailable, store::Decisions},
};

#[async_trait]
impl Decisions for SqliteStore {
    async fn insert_decision(
        &self,
        decision: &Decision,
        audit: &AuditEvent,
    ) -> Result<(), Unavailable> {
        let (decision, audit) = (decision.clone(), audit.clone());
        self.write("keeping a decision", move |connection| {
            let sql = "INSERT INTO decision
                           (organization_id, id, reference, connector_id, account_id, at, outcome,
                            grounds)
                       VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
            connection.prepare_cached(sql)?.execute(params![
                decision.organization_id,
                decision.id,
                decision.reference,
                decision.connector_id,
                decision.account_id,
                Moment(decision.at),
                decision.outcome,
                Json(&decision.grounds),
            ])?;
            audit_log::insert(connection, &audit)
        })
        .await
    }

    /// The newest, should two have drawn one number.
    async fn find_decision(
        &self,
        organization_id: OrganizationId,
        reference: &Reference,
    ) -> Result<Option<Decision>, Unavailable> {
        self.read("finding a decision", |connection| {
            let sql = "SELECT organization_id, id, reference, connector_id, account_id, at,
                              outcome, grounds
                       FROM decision WHERE organization_id = ? AND reference = ?
                       ORDER BY id DESC LIMIT 1";
            let mut statement = connection.prepare_cached(sql)?;
            statement.query_row(params![organization_id, reference], read).optional()
        })
    }

    async fn delete_decisions_before(&self, before: Timestamp) -> Result<u64, Unavailable> {
        self.write("forgetting old decisions", move |connection| {
            let sql = "DELETE FROM decision WHERE rowid IN
                           (SELECT rowid FROM decision WHERE at < ? LIMIT ?)";
            let bounds = params![Moment(before), Count(FORGOTTEN_AT_ONCE)];
            Ok(connection.prepare_cached(sql)?.execute(bounds)? as u64)
        })
        .await
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<Decision> {
    let mut columns = Columns::of(row);
    Ok(Decision {
        organization_id: columns.read()?,
        id: columns.read()?,
        reference: columns.read()?,
        connector_id: columns.read()?,
        account_id: columns.read()?,
        at: columns.read::<Moment>()?.0,
        outcome: columns.read()?,
        grounds: columns.read::<Json<_>>()?.0,
    })
}
