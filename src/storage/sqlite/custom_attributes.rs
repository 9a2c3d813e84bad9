//! The attributes of a connector beyond the schemas of the RFCs.

use async_trait::async_trait;
use rusqlite::{Connection, Row, params};

use super::{SqliteStore, audit_log, columns::Columns};
use crate::{
    domain::{
        audit_event::AuditEvent,
        id::{ConnectorId, OrganizationId},
    },
    ports::{Unavailable, custom_attributes::CustomAttributes},
    scim::custom::CustomAttribute,
};

const INSERT: &str = "INSERT INTO custom_attribute
         (organization_id, connector_id, schema_folded, name_folded, schema, name, kind,
          multi_valued, declared)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";

#[async_trait]
impl CustomAttributes for SqliteStore {
    async fn list_custom_attributes(
        &self,
        organization_id: OrganizationId,
        connector_id: ConnectorId,
    ) -> Result<Vec<CustomAttribute>, Unavailable> {
        self.read("listing custom attributes", |connection| {
            let sql = "SELECT schema, name, kind, multi_valued, declared FROM custom_attribute
                       WHERE organization_id = ? AND connector_id = ? ORDER BY id";
            let mut statement = connection.prepare_cached(sql)?;
            statement.query_map(params![organization_id, connector_id], read)?.collect()
        })
    }

    async fn put_custom_attribute(
        &self,
        organization_id: OrganizationId,
        connector_id: ConnectorId,
        attribute: &CustomAttribute,
        audit: &AuditEvent,
    ) -> Result<(), Unavailable> {
        let (attribute, audit) = (attribute.clone(), audit.clone());
        self.write("keeping a custom attribute", move |connection| {
            let sql = format!(
                "{INSERT} ON CONFLICT DO UPDATE SET
                     schema = excluded.schema, name = excluded.name, kind = excluded.kind,
                     multi_valued = excluded.multi_valued, declared = excluded.declared"
            );
            execute(connection, &sql, organization_id, connector_id, &attribute)?;
            audit_log::insert(connection, &audit)
        })
        .await
    }
}

/// Keeps an attribute that a directory has sent, unless it is known.
pub(super) fn learn(
    connection: &Connection,
    organization_id: OrganizationId,
    connector_id: ConnectorId,
    attribute: &CustomAttribute,
) -> rusqlite::Result<()> {
    let sql = format!("{INSERT} ON CONFLICT DO NOTHING");
    execute(connection, &sql, organization_id, connector_id, attribute)
}

fn execute(
    connection: &Connection,
    sql: &str,
    organization_id: OrganizationId,
    connector_id: ConnectorId,
    attribute: &CustomAttribute,
) -> rusqlite::Result<()> {
    let executed = connection.prepare_cached(sql)?.execute(params![
        organization_id,
        connector_id,
        attribute.schema.to_ascii_lowercase(),
        attribute.name.to_ascii_lowercase(),
        attribute.schema,
        attribute.name,
        attribute.kind,
        attribute.multi_valued,
        attribute.declared,
    ]);
    executed.map(drop)
}

fn read(row: &Row<'_>) -> rusqlite::Result<CustomAttribute> {
    let mut columns = Columns::of(row);
    Ok(CustomAttribute {
        schema: columns.read()?,
        name: columns.read()?,
        kind: columns.read()?,
        multi_valued: columns.read()?,
        declared: columns.read()?,
    })
}
