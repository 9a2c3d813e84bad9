//! The attributes of a connector beyond the schemas of the RFCs.

use async_trait::async_trait;
use tokio_postgres::types::ToSql;

use super::{
    PostgresStore,
    audit_log::{self, AuditRow},
    columns::{Columns, Text, places},
    failure::Failure,
};
use crate::{
    domain::{
        audit_event::AuditEvent,
        id::{ConnectorId, OrganizationId},
    },
    ports::{Unavailable, custom_attributes::CustomAttributes},
    scim::{custom::CustomAttribute, schema::Kind},
};

#[async_trait]
impl CustomAttributes for PostgresStore {
    async fn list_custom_attributes(
        &self,
        organization_id: OrganizationId,
        connector_id: ConnectorId,
    ) -> Result<Vec<CustomAttribute>, Unavailable> {
        let sql = "SELECT schema, name, kind, multi_valued, declared FROM custom_attribute
                   WHERE organization_id = $1 AND connector_id = $2 ORDER BY number";
        let key: [&(dyn ToSql + Sync); 2] = [&organization_id, &connector_id];
        self.all("listing custom attributes", sql, &key, read).await
    }

    async fn put_custom_attribute(
        &self,
        organization_id: OrganizationId,
        connector_id: ConnectorId,
        attribute: &CustomAttribute,
        audit: &AuditEvent,
    ) -> Result<(), Unavailable> {
        let sql = format!(
            "WITH kept AS (
                 {INSERT}
                 SELECT $1, $2, * FROM unnest({ARRAYS_FROM_3})
                 ON CONFLICT (organization_id, connector_id, schema_folded, name_folded)
                     DO UPDATE SET
                         schema = excluded.schema, name = excluded.name, kind = excluded.kind,
                         multi_valued = excluded.multi_valued, declared = excluded.declared
                 RETURNING 1)
             {}",
            audit_log::insertion(10, "kept")
        );
        let row = LearnedRows::of(std::slice::from_ref(attribute));
        let audit = AuditRow::of(audit);
        let key: [&(dyn ToSql + Sync); 2] = [&organization_id, &connector_id];
        let values = [&key[..], &row.values(), &audit.values()].concat();
        self.write("keeping a custom attribute", &sql, &values).await.map(drop)
    }
}

const INSERT: &str = "INSERT INTO custom_attribute
         (organization_id, connector_id, schema_folded, name_folded, schema, name, kind,
          multi_valued, declared)";

const ARRAYS_FROM_3: &str =
    "$3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::boolean[], $9::boolean[]";

/// The part of a statement that keeps what a directory has sent, unless it is known, if `source`
/// has a row; its values, organization and connector before those of [`LearnedRows`], begin at
/// `$first`.
pub(super) fn learning(first: usize, source: &str) -> String {
    let arrays = ["text[]", "text[]", "text[]", "text[]", "text[]", "boolean[]", "boolean[]"];
    format!(
        "{INSERT}
         SELECT {}, each.schema_folded, each.name_folded, each.schema, each.name, each.kind,
                each.multi_valued, each.declared
         FROM unnest({}) WITH ORDINALITY
                  AS each (schema_folded, name_folded, schema, name, kind, multi_valued, declared,
                           place)
         WHERE EXISTS (SELECT FROM {source})
         ORDER BY each.place
         ON CONFLICT DO NOTHING",
        places(first, &["uuid", "uuid"]),
        places(first + 2, &arrays)
    )
}

/// Attributes as they are written: an array for each column.
pub(super) struct LearnedRows<'a> {
    schemas_folded: Vec<String>,
    names_folded: Vec<String>,
    schemas: Vec<Text<&'a str>>,
    names: Vec<Text<&'a str>>,
    kinds: Vec<Kind>,
    multi_valued: Vec<bool>,
    declared: Vec<bool>,
}

impl<'a> LearnedRows<'a> {
    /// The rows of attributes.
    pub(super) fn of(attributes: &'a [CustomAttribute]) -> Self {
        let each = || attributes.iter();
        Self {
            schemas_folded: each().map(|one| one.schema.to_ascii_lowercase()).collect(),
            names_folded: each().map(|one| one.name.to_ascii_lowercase()).collect(),
            schemas: each().map(|one| Text(one.schema.as_str())).collect(),
            names: each().map(|one| Text(one.name.as_str())).collect(),
            kinds: each().map(|one| one.kind).collect(),
            multi_valued: each().map(|one| one.multi_valued).collect(),
            declared: each().map(|one| one.declared).collect(),
        }
    }

    /// In the order of the columns.
    pub(super) fn values(&self) -> [&(dyn ToSql + Sync); 7] {
        [
            &self.schemas_folded,
            &self.names_folded,
            &self.schemas,
            &self.names,
            &self.kinds,
            &self.multi_valued,
            &self.declared,
        ]
    }
}

fn read(columns: &mut Columns<'_>) -> Result<CustomAttribute, Failure> {
    Ok(CustomAttribute {
        schema: columns.read()?,
        name: columns.read()?,
        kind: columns.read()?,
        multi_valued: columns.read()?,
        declared: columns.read()?,
    })
}
