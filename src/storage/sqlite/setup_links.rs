//! Ways into Organization Setup without a sign-in.

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, ToSql, params};

use super::{
    SqliteStore, audit_log,
    columns::{Columns, Moment},
    connectors,
    writer::Stop,
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
impl SetupLinks for SqliteStore {
    async fn insert_setup_link(
        &self,
        link: &SetupLink,
        audit: &AuditEvent,
    ) -> Result<(), Unavailable> {
        let (link, audit) = (link.clone(), audit.clone());
        self.write("creating a setup link", move |connection| {
            insert(connection, &link)?;
            audit_log::insert(connection, &audit)
        })
        .await
    }

    async fn find_setup_link(
        &self,
        digest: &SecretDigest,
        now: Timestamp,
    ) -> Result<Option<SetupLink>, Unavailable> {
        self.find_setup_link_where("digest = ? AND expires_at > ?", &[digest, &Moment(now)])
    }

    async fn find_setup_link_of_organization(
        &self,
        organization_id: OrganizationId,
    ) -> Result<Option<SetupLink>, Unavailable> {
        self.find_setup_link_where("organization_id = ?", &[&organization_id])
    }

    async fn complete_setup(
        &self,
        digest: &SecretDigest,
        now: Timestamp,
        connector: &Connector,
        audit: &AuditEvent,
    ) -> Result<(), NotDone<SetupRefusal>> {
        let sealed = connectors::sealed_secret(connector, &self.master_key);
        let (digest, connector, audit) = (*digest, connector.clone(), audit.clone());
        self.write_unless("completing a setup", move |connection| {
            if !delete(connection, &digest, now, &connector)? {
                return Err(Stop::Refused(SetupRefusal::Gone));
            }
            if !connectors::replace(connection, &connector, sealed.as_deref(), audit.at)? {
                connectors::insert(connection, &connector, sealed.as_deref())?;
            }
            Ok(audit_log::insert(connection, &audit)?)
        })
        .await
    }
}

impl SqliteStore {
    fn find_setup_link_where(
        &self,
        condition: &'static str,
        values: &[&dyn ToSql],
    ) -> Result<Option<SetupLink>, Unavailable> {
        self.read("finding a setup link", |connection| {
            let sql = format!("SELECT {COLUMNS} FROM setup_link WHERE {condition}");
            connection.prepare_cached(&sql)?.query_row(values, read).optional()
        })
    }
}

fn insert(connection: &Connection, link: &SetupLink) -> rusqlite::Result<()> {
    let sql = format!("INSERT OR REPLACE INTO setup_link ({COLUMNS}) VALUES (?, ?, ?, ?, ?)");
    let inserted = connection.prepare_cached(&sql)?.execute(params![
        link.organization_id,
        link.digest,
        link.connector_id,
        Moment(link.created_at),
        Moment(link.expires_at),
    ]);
    inserted.map(drop)
}

/// Whether the link was there for this connector; afterwards it is not.
fn delete(
    connection: &Connection,
    digest: &SecretDigest,
    now: Timestamp,
    connector: &Connector,
) -> rusqlite::Result<bool> {
    let sql = "DELETE FROM setup_link
               WHERE digest = ? AND expires_at > ? AND organization_id = ? AND connector_id = ?";
    let values = params![digest, Moment(now), connector.organization_id, connector.id];
    Ok(connection.prepare_cached(sql)?.execute(values)? > 0)
}

fn read(row: &Row<'_>) -> rusqlite::Result<SetupLink> {
    let mut columns = Columns::of(row);
    Ok(SetupLink {
        organization_id: columns.read()?,
        digest: columns.read()?,
        connector_id: columns.read()?,
        created_at: columns.read::<Moment>()?.0,
        expires_at: columns.read::<Moment>()?.0,
    })
}
