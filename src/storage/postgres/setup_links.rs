//! Ways into Organization Setup without a sign-in.

use async_trait::async_trait;
use deadpool_postgres::GenericClient;
use jiff::Timestamp;
use tokio_postgres::types::ToSql;

use super::{
    PostgresStore, Stop, Values,
    audit_log::{self, AuditRow},
    columns::{Columns, Moment},
    connectors::{self, ConnectorRow},
    execute,
    failure::Failure,
};
use crate::{
    domain::{
        audit_event::AuditEvent, connector::Connector, id::OrganizationId, secret::SecretDigest,
        setup_link::SetupLink,
    },
    ports::{
        NotDone, Unavailable,
        store::{SetupLinks, SetupRefusal},
    },
};

const COLUMNS: &str = "organization_id, digest, connector_id, created_at, expires_at";

#[async_trait]
impl SetupLinks for PostgresStore {
    async fn insert_setup_link(
        &self,
        link: &SetupLink,
        audit: &AuditEvent,
    ) -> Result<(), Unavailable> {
        let sql = format!(
            "WITH inserted AS (
                 INSERT INTO setup_link ({COLUMNS}) VALUES ($1, $2, $3, $4, $5)
                 ON CONFLICT (organization_id) DO UPDATE SET
                     digest = excluded.digest, connector_id = excluded.connector_id,
                     created_at = excluded.created_at, expires_at = excluded.expires_at
                 RETURNING 1)
             {}",
            audit_log::insertion(6, "inserted")
        );
        let (created_at, expires_at) = (Moment(link.created_at), Moment(link.expires_at));
        let values: [&(dyn ToSql + Sync); 5] =
            [&link.organization_id, &link.digest, &link.connector_id, &created_at, &expires_at];
        let audit = AuditRow::of(audit);
        let values = [&values[..], &audit.values()].concat();
        self.write("creating a setup link", &sql, &values).await.map(drop)
    }

    async fn find_setup_link(
        &self,
        digest: &SecretDigest,
        now: Timestamp,
    ) -> Result<Option<SetupLink>, Unavailable> {
        let condition = "digest = $1 AND expires_at > $2";
        self.find_setup_link_where(condition, &[digest, &Moment(now)]).await
    }

    async fn find_setup_link_of_organization(
        &self,
        organization_id: OrganizationId,
    ) -> Result<Option<SetupLink>, Unavailable> {
        self.find_setup_link_where("organization_id = $1", &[&organization_id]).await
    }

    async fn complete_setup(
        &self,
        digest: &SecretDigest,
        now: Timestamp,
        connector: &Connector,
        audit: &AuditEvent,
    ) -> Result<(), NotDone<SetupRefusal>> {
        let row = ConnectorRow::of(connector, &self.master_key);
        let completed =
            transact!(self, transaction => complete(&transaction, digest, now, &row, audit).await);
        completed.map_err(Stop::while_doing("completing a setup"))
    }
}

impl PostgresStore {
    async fn find_setup_link_where(
        &self,
        condition: &'static str,
        values: &Values<'_>,
    ) -> Result<Option<SetupLink>, Unavailable> {
        let sql = format!("SELECT {COLUMNS} FROM setup_link WHERE {condition}");
        self.first("finding a setup link", &sql, values, read).await
    }
}

async fn complete(
    client: &impl GenericClient,
    digest: &SecretDigest,
    now: Timestamp,
    row: &ConnectorRow<'_>,
    audit: &AuditEvent,
) -> Result<(), Stop<SetupRefusal>> {
    if !delete(client, digest, now, row.connector).await? {
        return Err(Stop::Refused(SetupRefusal::Gone));
    }
    if !connectors::replace(client, row, audit).await? {
        connectors::insert(client, row, audit).await?;
    }
    Ok(())
}

/// Whether the link was there for this connector; afterwards it is not.
async fn delete(
    client: &impl GenericClient,
    digest: &SecretDigest,
    now: Timestamp,
    connector: &Connector,
) -> Result<bool, Failure> {
    let sql = "DELETE FROM setup_link
               WHERE digest = $1 AND expires_at > $2 AND organization_id = $3
                   AND connector_id = $4";
    let values: &Values<'_> = &[digest, &Moment(now), &connector.organization_id, &connector.id];
    Ok(execute(client, sql, values).await? > 0)
}

fn read(columns: &mut Columns<'_>) -> Result<SetupLink, Failure> {
    Ok(SetupLink {
        organization_id: columns.read()?,
        digest: columns.read()?,
        connector_id: columns.read()?,
        created_at: columns.read::<Moment>()?.0,
        expires_at: columns.read::<Moment>()?.0,
    })
}
