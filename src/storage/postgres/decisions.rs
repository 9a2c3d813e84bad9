//! The stored "why" of sign-ins.

use async_trait::async_trait;
use jiff::Timestamp;
use tokio_postgres::types::ToSql;

use super::{
    PostgresStore,
    audit_log::{self, AuditRow},
    columns::{Columns, Count, Json, Moment},
    failure::Failure,
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
impl Decisions for PostgresStore {
    async fn insert_decision(
        &self,
        decision: &Decision,
        audit: &AuditEvent,
    ) -> Result<(), Unavailable> {
        let sql = format!(
            "WITH inserted AS (
                 INSERT INTO decision
                     (organization_id, id, reference, connector_id, account_id, at, outcome,
                      grounds)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING 1)
             {}",
            audit_log::insertion(9, "inserted")
        );
        let (at, grounds) = (Moment(decision.at), Json(&decision.grounds));
        let values: [&(dyn ToSql + Sync); 8] = [
            &decision.organization_id,
            &decision.id,
            &decision.reference,
            &decision.connector_id,
            &decision.account_id,
            &at,
            &decision.outcome,
            &grounds,
        ];
        let audit = AuditRow::of(audit);
        let values = [values, audit.values()].concat();
        self.write("keeping a decision", &sql, &values).await.map(drop)
    }

    /// The newest, should two have drawn one number.
    async fn find_decision(
        &self,
        organization_id: OrganizationId,
        reference: &Reference,
    ) -> Result<Option<Decision>, Unavailable> {
        let sql = "SELECT organization_id, id, reference, connector_id, account_id, at, outcome,
                          grounds
                   FROM decision WHERE organization_id = $1 AND reference = $2
                   ORDER BY id DESC LIMIT 1";
        self.first("finding a decision", sql, &[&organization_id, reference], read).await
    }

    async fn delete_decisions_before(&self, before: Timestamp) -> Result<u64, Unavailable> {
        let sql = "DELETE FROM decision WHERE (organization_id, id) IN
                       (SELECT organization_id, id FROM decision WHERE at < $1
                        LIMIT $2 FOR UPDATE SKIP LOCKED)";
        let bounds: [&(dyn ToSql + Sync); 2] = [&Moment(before), &Count(FORGOTTEN_AT_ONCE)];
        self.write("forgetting old decisions", sql, &bounds).await
    }
}

fn read(columns: &mut Columns<'_>) -> Result<Decision, Failure> {
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
