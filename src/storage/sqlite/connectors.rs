//! Links to identity providers.

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, ToSql, named_params, params};

use super::{
    SqliteStore, audit_log,
    columns::{Columns, Json, Moment, place},
    revocations,
};
use crate::{
    domain::{
        audit_event::AuditEvent,
        connector::{ClientAuthentication, Connector, ScimCredential, ScimCredentials},
        id::{ConnectorId, OrganizationId},
        master_key::MasterKey,
        provisioning_policy::ProvisioningPolicy,
        secret::Secret,
    },
    ports::{
        Unavailable,
        store::{Connectors, CredentialUse, Revocation, Revoked},
    },
};

const COLUMNS: &str = "organization_id, id, kind, enabled, authority, client_id, \
     client_authentication, client_secret, role_source, role_claim, role_table, \
     link_by_user_name, scim_user_name, scim_credentials, provisioning, created_at";

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

    async fn replace_provisioning_policy(
        &self,
        organization_id: OrganizationId,
        id: ConnectorId,
        policy: &ProvisioningPolicy,
        audit: &AuditEvent,
    ) -> Result<bool, Unavailable> {
        let (policy, audit) = (policy.clone(), audit.clone());
        self.write("changing a provisioning policy", move |connection| {
            let sql = "UPDATE connector SET provisioning = ? WHERE organization_id = ? AND id = ?";
            let values = params![Json(&policy), organization_id, id];
            let replaced = connection.prepare_cached(sql)?.execute(values)? > 0;
            if replaced {
                audit_log::insert(connection, &audit)?;
            }
            Ok(replaced)
        })
        .await
    }

    async fn replace_scim_credentials(
        &self,
        organization_id: OrganizationId,
        id: ConnectorId,
        expected: &[ScimCredential],
        credentials: &[ScimCredential],
        audit: &AuditEvent,
    ) -> Result<bool, Unavailable> {
        let (expected, credentials) = (expected.to_vec(), credentials.to_vec());
        let audit = audit.clone();
        self.write("changing the SCIM credentials", move |connection| {
            let found = credentials_of(connection, organization_id, id)?;
            let replaced = found.is_some_and(|found| found == expected);
            if replaced {
                replace_credentials(connection, organization_id, id, &credentials)?;
                audit_log::insert(connection, &audit)?;
            }
            Ok(replaced)
        })
        .await
    }

    async fn note_credential_uses(&self, uses: &[CredentialUse]) -> Result<(), Unavailable> {
        let uses = uses.to_vec();
        self.write("noting the use of SCIM credentials", move |connection| {
            uses.iter().try_for_each(|used| note_use(connection, used))
        })
        .await
    }

    async fn list_credential_uses(
        &self,
        organization_id: OrganizationId,
        id: ConnectorId,
    ) -> Result<Vec<CredentialUse>, Unavailable> {
        self.read("listing the uses of SCIM credentials", |connection| {
            let sql = "SELECT organization_id, connector_id, credential_id, last_used_at
                       FROM scim_credential_use WHERE organization_id = ? AND connector_id = ?
                       ORDER BY credential_id";
            let mut statement = connection.prepare_cached(sql)?;
            statement.query_map(params![organization_id, id], read_use)?.collect()
        })
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
                    link_by_user_name, scim_user_name, scim_credentials, provisioning,
                    created_at)
               VALUES
                   (:organization_id, :id, :kind, :enabled, :authority, :client_id,
                    :client_authentication, :client_secret, :role_source, :role_claim,
                    :role_table, :link_by_user_name, :scim_user_name, :scim_credentials,
                    :provisioning, :created_at)";
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
                   scim_credentials = :scim_credentials, provisioning = :provisioning
               WHERE organization_id = :organization_id AND id = :id AND :created_at NOT NULL";
    let replaced = execute(connection, sql, connector, sealed)? > 0;
    forget_uses(connection, connector.organization_id, connector.id)?;
    Ok(replaced)
}

fn credentials_of(
    connection: &Connection,
    organization_id: OrganizationId,
    id: ConnectorId,
) -> rusqlite::Result<Option<Vec<ScimCredential>>> {
    let sql = "SELECT scim_credentials FROM connector WHERE organization_id = ? AND id = ?";
    let mut statement = connection.prepare_cached(sql)?;
    let read = |row: &Row<'_>| Ok(row.get::<_, Json<_>>(0)?.0);
    statement.query_row(params![organization_id, id], read).optional()
}

fn replace_credentials(
    connection: &Connection,
    organization_id: OrganizationId,
    id: ConnectorId,
    credentials: &[ScimCredential],
) -> rusqlite::Result<()> {
    let sql = "UPDATE connector SET scim_credentials = ? WHERE organization_id = ? AND id = ?";
    let values = params![Json(credentials), organization_id, id];
    connection.prepare_cached(sql)?.execute(values)?;
    forget_uses(connection, organization_id, id)
}

/// Forgets when credentials were used that the connector has no more.
fn forget_uses(
    connection: &Connection,
    organization_id: OrganizationId,
    id: ConnectorId,
) -> rusqlite::Result<()> {
    let sql = "DELETE FROM scim_credential_use
               WHERE organization_id = ?1 AND connector_id = ?2 AND credential_id NOT IN
                   (SELECT unhex(replace(value ->> 'id', '-', ''))
                    FROM connector, json_each(scim_credentials)
                    WHERE organization_id = ?1 AND connector.id = ?2)";
    connection.prepare_cached(sql)?.execute(params![organization_id, id]).map(drop)
}

/// Notes a use, if the connector has the credential still; never an earlier one than is known.
fn note_use(connection: &Connection, used: &CredentialUse) -> rusqlite::Result<()> {
    let sql = "INSERT INTO scim_credential_use
                   (organization_id, connector_id, credential_id, last_used_at)
               SELECT ?1, ?2, ?3, ?4 WHERE EXISTS
                   (SELECT 1 FROM connector, json_each(scim_credentials)
                    WHERE organization_id = ?1 AND connector.id = ?2
                      AND unhex(replace(value ->> 'id', '-', '')) = ?3)
               ON CONFLICT DO UPDATE SET last_used_at = max(last_used_at, excluded.last_used_at)";
    let CredentialUse { organization_id, connector_id, credential_id, at } = *used;
    let values = params![organization_id, connector_id, credential_id, Moment(at)];
    connection.prepare_cached(sql)?.execute(values).map(drop)
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
        ":scim_credentials": Json(&connector.scim.credentials),
        ":provisioning": Json(&connector.provisioning),
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
            credentials: columns.read::<Json<_>>()?.0,
        },
        provisioning: columns.read::<Json<_>>()?.0,
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

fn read_use(row: &Row<'_>) -> rusqlite::Result<CredentialUse> {
    let mut columns = Columns::of(row);
    Ok(CredentialUse {
        organization_id: columns.read()?,
        connector_id: columns.read()?,
        credential_id: columns.read()?,
        at: columns.read::<Moment>()?.0,
    })
}
