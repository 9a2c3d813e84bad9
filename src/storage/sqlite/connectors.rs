//! Links to identity providers.

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{Connection, Row, ToSql, named_params, params};

use super::{
    SqliteStore, audit_log,
    columns::{Columns, Json, Moment, place},
    revocations,
};
use crate::{
    domain::{
        audit_event::AuditEvent,
        connector::{ClientAuthentication, Connector, ScimCredentials},
        id::{ConnectorId, OrganizationId},
        master_key::MasterKey,
        secret::{Secret, SecretDigest},
    },
    ports::{
        Unavailable,
        store::{Connectors, Revocation, Revoked},
    },
};

const COLUMNS: &str = "organization_id, id, kind, enabled, authority, client_id, \
     client_authentication, client_secret, role_source, role_claim, role_table, \
     link_by_user_name, scim_user_name, scim_passwords, created_at";

const SECRET_POST: &str = "client_secret_post";
const SECRET_BASIC: &str = "client_secret_basic";
const PUBLIC: &str = "none";

#[async_trait]
impl Connectors for SqliteStore {
    async fn insert_connector(
        &self,
        connector: &Connector,
        audit: &AuditEvent,
    ) -> Result<(), Unavailable> {
        let (connector, audit) = (connector.clone(), audit.clone());
        let sealed = sealed_secret(&connector, &self.master_key);
        self.write("creating a connector", move |connection| {
            insert(connection, &connector, sealed.as_deref())?;
            audit_log::insert(connection, &audit)
        })
        .await
    }

    async fn replace_connector(
        &self,
        connector: &Connector,
        audit: &AuditEvent,
    ) -> Result<bool, Unavailable> {
        let (connector, audit) = (connector.clone(), audit.clone());
        let sealed = sealed_secret(&connector, &self.master_key);
        self.write("changing a connector", move |connection| {
            let replaced = replace(connection, &connector, sealed.as_deref(), audit.at)?;
            if replaced {
                audit_log::insert(connection, &audit)?;
            }
            Ok(replaced)
        })
        .await
    }

    async fn find_connector(&self, id: ConnectorId) -> Result<Option<Connector>, Unavailable> {
        let found = self.select_connectors("finding a connector", "id = ?", &id)?;
        Ok(found.into_iter().next())
    }

    async fn list_connectors(
        &self,
        organization_id: OrganizationId,
    ) -> Result<Vec<Connector>, Unavailable> {
        let of_organization = "organization_id = ? ORDER BY id";
        self.select_connectors("listing connectors", of_organization, &organization_id)
    }
}

impl SqliteStore {
    fn select_connectors(
        &self,
        doing: &'static str,
        condition: &'static str,
        value: &dyn ToSql,
    ) -> Result<Vec<Connector>, Unavailable> {
        self.read(doing, |connection| {
            let sql = format!("SELECT {COLUMNS} FROM connector WHERE {condition}");
            let mut statement = connection.prepare_cached(&sql)?;
            let rows = statement.query_map([value], |row| read(row, &self.master_key))?;
            rows.collect()
        })
    }
}

/// Creates a connector, its client secret sealed.
pub(super) fn insert(
    connection: &Connection,
    connector: &Connector,
    sealed: Option<&[u8]>,
) -> rusqlite::Result<()> {
    let sql = "INSERT INTO connector
                   (organization_id, id, kind, enabled, authority, client_id,
                    client_authentication, client_secret, role_source, role_claim, role_table,
                    link_by_user_name, scim_user_name, scim_passwords, created_at)
               VALUES
                   (:organization_id, :id, :kind, :enabled, :authority, :client_id,
                    :client_authentication, :client_secret, :role_source, :role_claim,
                    :role_table, :link_by_user_name, :scim_user_name, :scim_passwords,
                    :created_at)";
    execute(connection, sql, connector, sealed).map(drop)
}

/// Replaces a connector; `false` if the organization has none of its identifier.
///
/// Under another authority nobody is signed in or waits any more: they were people of the former
/// one.
pub(super) fn replace(
    connection: &Connection,
    connector: &Connector,
    sealed: Option<&[u8]>,
    at: Timestamp,
) -> rusqlite::Result<bool> {
    if revocations::is_due_to_connector(connection, connector)? {
        leave_authority(connection, connector, at)?;
    }
    // Names `:created_at` without using it, so that both statements take the same values.
    let sql = "UPDATE connector SET
                   kind = :kind, enabled = :enabled, authority = :authority,
                   client_id = :client_id, client_authentication = :client_authentication,
                   client_secret = :client_secret, role_source = :role_source,
                   role_claim = :role_claim, role_table = :role_table,
                   link_by_user_name = :link_by_user_name, scim_user_name = :scim_user_name,
                   scim_passwords = :scim_passwords
               WHERE organization_id = :organization_id AND id = :id AND :created_at NOT NULL";
    Ok(execute(connection, sql, connector, sealed)? > 0)
}

fn leave_authority(
    connection: &Connection,
    connector: &Connector,
    at: Timestamp,
) -> rusqlite::Result<()> {
    let Connector { organization_id, id, .. } = *connector;
    let nobody_waits = "DELETE FROM link_request WHERE organization_id = ? AND connector_id = ?";
    connection.prepare_cached(nobody_waits)?.execute(params![organization_id, id])?;
    let of = Revoked::Connector(id);
    revocations::insert(connection, &Revocation { organization_id, of, at })
}

fn execute(
    connection: &Connection,
    sql: &str,
    connector: &Connector,
    sealed: Option<&[u8]>,
) -> rusqlite::Result<usize> {
    connection.prepare_cached(sql)?.execute(named_params! {
        ":organization_id": connector.organization_id,
        ":id": connector.id,
        ":kind": connector.kind,
        ":enabled": connector.enabled,
        ":authority": connector.authority,
        ":client_id": connector.client_id,
        ":client_authentication": client_authentication(connector).0,
        ":client_secret": sealed,
        ":role_source": connector.role_source,
        ":role_claim": connector.role_claim,
        ":role_table": Json(&connector.role_table),
        ":link_by_user_name": connector.link_by_user_name,
        ":scim_user_name": connector.scim.user_name,
        ":scim_passwords": connector.scim.passwords.iter().flat_map(|digest| *digest.as_bytes())
            .collect::<Vec<u8>>(),
        ":created_at": Moment(connector.created_at),
    })
}

fn client_authentication(connector: &Connector) -> (&'static str, Option<&Secret>) {
    match &connector.client_authentication {
        ClientAuthentication::SecretPost(secret) => (SECRET_POST, Some(secret)),
        ClientAuthentication::SecretBasic(secret) => (SECRET_BASIC, Some(secret)),
        ClientAuthentication::Public => (PUBLIC, None),
    }
}

/// The client secret as stored; `None` for a public client.
pub(super) fn sealed_secret(connector: &Connector, master_key: &MasterKey) -> Option<Vec<u8>> {
    let (_, secret) = client_authentication(connector);
    secret.map(|secret| master_key.seal(&place_of(connector.id), secret.expose().as_bytes()))
}

fn place_of(id: ConnectorId) -> String {
    place("connector/client_secret", id.as_bytes())
}

fn read(row: &Row<'_>, master_key: &MasterKey) -> rusqlite::Result<Connector> {
    let mut columns = Columns::of(row);
    let organization_id = columns.read()?;
    let id = columns.read()?;
    Ok(Connector {
        organization_id,
        id,
        kind: columns.read()?,
        enabled: columns.read()?,
        authority: columns.read()?,
        client_id: columns.read()?,
        client_authentication: read_client_authentication(&mut columns, id, master_key)?,
        role_source: columns.read()?,
        role_claim: columns.read()?,
        role_table: columns.read::<Json<_>>()?.0,
        link_by_user_name: columns.read()?,
        scim: ScimCredentials {
            user_name: columns.read()?,
            passwords: digests(&columns.read::<Vec<u8>>()?),
        },
        created_at: columns.read::<Moment>()?.0,
    })
}

fn read_client_authentication(
    columns: &mut Columns<'_, '_>,
    id: ConnectorId,
    master_key: &MasterKey,
) -> rusqlite::Result<ClientAuthentication> {
    let kind: String = columns.read()?;
    if kind == PUBLIC {
        columns.skip();
        return Ok(ClientAuthentication::Public);
    }
    let secret = columns.open(master_key, &place_of(id))?;
    Ok(match kind.as_str() {
        SECRET_BASIC => ClientAuthentication::SecretBasic(secret),
        _ => ClientAuthentication::SecretPost(secret),
    })
}

fn digests(passwords: &[u8]) -> Vec<SecretDigest> {
    let (digests, _) = passwords.as_chunks::<32>();
    digests.iter().copied().map(SecretDigest::from_bytes).collect()
}
