//! Links to identity providers.

use async_trait::async_trait;
use deadpool_postgres::GenericClient;
use tokio_postgres::types::ToSql;

use super::{
    PostgresStore,
    audit_log::{self, AuditRow},
    columns::{Columns, Json, Moment, place},
    execute,
    failure::Failure,
    revocations, within,
};
use crate::{
    domain::{
        access_role::RoleTable,
        audit_event::AuditEvent,
        connector::{ClientAuthentication, Connector, ScimCredentials},
        id::{ConnectorId, OrganizationId},
        master_key::MasterKey,
        secret::{Secret, SecretDigest},
    },
    ports::{Unavailable, store::Connectors},
};

const COLUMNS: &str = "organization_id, id, kind, enabled, authority, client_id, \
     client_authentication, client_secret, role_source, role_claim, role_table, \
     link_by_user_name, created_at, scim_user_name, scim_passwords";

const SECRET_POST: &str = "client_secret_post";
const SECRET_BASIC: &str = "client_secret_basic";
const PUBLIC: &str = "none";

#[async_trait]
impl Connectors for PostgresStore {
    async fn insert_connector(
        &self,
        connector: &Connector,
        audit: &AuditEvent,
    ) -> Result<(), Unavailable> {
        let row = ConnectorRow::of(connector, &self.master_key);
        let inserted = within(async { insert(&self.client().await?, &row, audit).await });
        inserted.await.map_err(Unavailable::while_doing("creating a connector"))
    }

    async fn replace_connector(
        &self,
        connector: &Connector,
        audit: &AuditEvent,
    ) -> Result<bool, Unavailable> {
        let row = ConnectorRow::of(connector, &self.master_key);
        let replaced = within(async { replace(&self.client().await?, &row, audit).await });
        replaced.await.map_err(Unavailable::while_doing("changing a connector"))
    }

    async fn find_connector(&self, id: ConnectorId) -> Result<Option<Connector>, Unavailable> {
        let sql = format!("SELECT {COLUMNS} FROM connector WHERE id = $1");
        let read = |columns: &mut Columns<'_>| read(columns, &self.master_key);
        self.first("finding a connector", &sql, &[&id], read).await
    }

    async fn list_connectors(
        &self,
        organization_id: OrganizationId,
    ) -> Result<Vec<Connector>, Unavailable> {
        let sql = format!("SELECT {COLUMNS} FROM connector WHERE organization_id = $1 ORDER BY id");
        let read = |columns: &mut Columns<'_>| read(columns, &self.master_key);
        self.all("listing connectors", &sql, &[&organization_id], read).await
    }
}

/// Creates a connector.
pub(super) async fn insert(
    client: &impl GenericClient,
    row: &ConnectorRow<'_>,
    audit: &AuditEvent,
) -> Result<(), Failure> {
    let sql = format!(
        "WITH inserted AS (
             INSERT INTO connector ({COLUMNS})
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
             RETURNING 1)
         {}",
        audit_log::insertion(16, "inserted")
    );
    let audit = AuditRow::of(audit);
    let values = [&row.values()[..], &audit.values()].concat();
    execute(client, &sql, &values).await.map(drop)
}

/// Replaces a connector; `false` if the organization has none of its identifier.
///
/// Under another authority nobody is signed in or waits any more: they were people of the former
/// one.
pub(super) async fn replace(
    client: &impl GenericClient,
    row: &ConnectorRow<'_>,
    audit: &AuditEvent,
) -> Result<bool, Failure> {
    // Names $13, the moment of creation, without using it, so that both statements take the same
    // values.
    let sql = format!(
        "WITH former AS (
             SELECT authority FROM connector WHERE organization_id = $1 AND id = $2 FOR UPDATE),
         replaced AS (
             UPDATE connector SET
                 kind = $3, enabled = $4, authority = $5, client_id = $6,
                 client_authentication = $7, client_secret = $8, role_source = $9,
                 role_claim = $10, role_table = $11, link_by_user_name = $12,
                 scim_user_name = $14, scim_passwords = $15
             WHERE organization_id = $1 AND id = $2 AND $13::timestamptz IS NOT NULL
                 AND EXISTS (SELECT FROM former)
             RETURNING 1),
         forsaken AS (SELECT FROM former WHERE authority <> $5),
         nobody_waits AS (
             DELETE FROM link_request
             WHERE organization_id = $1 AND connector_id = $2 AND EXISTS (SELECT FROM forsaken)),
         noted AS ({})
         {}",
        revocations::insertion("$1, 'connector', $2, $18", "forsaken"),
        audit_log::insertion(16, "replaced")
    );
    let audit = AuditRow::of(audit);
    let values = [&row.values()[..], &audit.values()].concat();
    Ok(execute(client, &sql, &values).await? > 0)
}

/// A connector as it is written, its client secret sealed.
pub(super) struct ConnectorRow<'a> {
    connector: &'a Connector,
    client_authentication: &'static str,
    client_secret: Option<Vec<u8>>,
    role_table: Json<&'a RoleTable>,
    created_at: Moment,
    scim_passwords: Vec<u8>,
}

impl<'a> ConnectorRow<'a> {
    /// The row of a connector.
    pub(super) fn of(connector: &'a Connector, master_key: &MasterKey) -> Self {
        let (client_authentication, secret) = client_authentication(connector);
        let seal =
            |secret: &Secret| master_key.seal(&place_of(connector.id), secret.expose().as_bytes());
        let digests = connector.scim.passwords.iter();
        Self {
            connector,
            client_authentication,
            client_secret: secret.map(seal),
            role_table: Json(&connector.role_table),
            created_at: Moment(connector.created_at),
            scim_passwords: digests.flat_map(|digest| *digest.as_bytes()).collect(),
        }
    }

    /// In the order of [`COLUMNS`].
    fn values(&self) -> [&(dyn ToSql + Sync); 15] {
        let connector = self.connector;
        [
            &connector.organization_id,
            &connector.id,
            &connector.kind,
            &connector.enabled,
            &connector.authority,
            &connector.client_id,
            &self.client_authentication,
            &self.client_secret,
            &connector.role_source,
            &connector.role_claim,
            &self.role_table,
            &connector.link_by_user_name,
            &self.created_at,
            &connector.scim.user_name,
            &self.scim_passwords,
        ]
    }
}

fn client_authentication(connector: &Connector) -> (&'static str, Option<&Secret>) {
    match &connector.client_authentication {
        ClientAuthentication::SecretPost(secret) => (SECRET_POST, Some(secret)),
        ClientAuthentication::SecretBasic(secret) => (SECRET_BASIC, Some(secret)),
        ClientAuthentication::Public => (PUBLIC, None),
    }
}

fn place_of(id: ConnectorId) -> String {
    place("connector/client_secret", id.as_bytes())
}

fn read(columns: &mut Columns<'_>, master_key: &MasterKey) -> Result<Connector, Failure> {
    let organization_id = columns.read()?;
    let id = columns.read()?;
    Ok(Connector {
        organization_id,
        id,
        kind: columns.read()?,
        enabled: columns.read()?,
        authority: columns.read()?,
        client_id: columns.read()?,
        client_authentication: read_client_authentication(columns, id, master_key)?,
        role_source: columns.read()?,
        role_claim: columns.read()?,
        role_table: columns.read::<Json<_>>()?.0,
        link_by_user_name: columns.read()?,
        created_at: columns.read::<Moment>()?.0,
        scim: ScimCredentials { user_name: columns.read()?, passwords: digests(columns.read()?) },
    })
}

fn read_client_authentication(
    columns: &mut Columns<'_>,
    id: ConnectorId,
    master_key: &MasterKey,
) -> Result<ClientAuthentication, Failure> {
    let kind: &str = columns.read()?;
    if kind == PUBLIC {
        columns.skip();
        return Ok(ClientAuthentication::Public);
    }
    let secret = columns.open(master_key, &place_of(id))?;
    Ok(match kind {
        SECRET_BASIC => ClientAuthentication::SecretBasic(secret),
        _ => ClientAuthentication::SecretPost(secret),
    })
}

fn digests(passwords: &[u8]) -> Vec<SecretDigest> {
    let (digests, _) = passwords.as_chunks::<32>();
    digests.iter().copied().map(SecretDigest::from_bytes).collect()
}
