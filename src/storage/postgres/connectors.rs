//! Links to identity providers.

use async_trait::async_trait;
use deadpool_postgres::GenericClient;
use tokio_postgres::types::ToSql;

use super::{
    PostgresStore, Values,
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
        connector::{ClientAuthentication, Connector, ScimCredential, ScimCredentials},
        id::{ConnectorId, CredentialId, OrganizationId},
        master_key::MasterKey,
        provisioning_policy::ProvisioningPolicy,
        secret::Secret,
    },
    ports::{
        Unavailable,
        store::{Connectors, CredentialUse},
    },
};

const COLUMNS: &str = "organization_id, id, kind, enabled, authority, client_id, \
     client_authentication, client_secret, role_source, role_claim, role_table, \
     link_by_user_name, created_at, scim_user_name, scim_credentials, provisioning";

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

    async fn replace_provisioning_policy(
        &self,
        organization_id: OrganizationId,
        id: ConnectorId,
        policy: &ProvisioningPolicy,
        audit: &AuditEvent,
    ) -> Result<bool, Unavailable> {
        let sql = format!(
            "WITH replaced AS (
                 UPDATE connector SET provisioning = $3
                 WHERE organization_id = $1 AND id = $2 RETURNING 1)
             {}",
            audit_log::insertion(4, "replaced")
        );
        let policy = Json(policy);
        let values: [&(dyn ToSql + Sync); 3] = [&organization_id, &id, &policy];
        let audit = AuditRow::of(audit);
        let values = [&values[..], &audit.values()].concat();
        Ok(self.write("changing a provisioning policy", &sql, &values).await? > 0)
    }

    async fn replace_scim_credentials(
        &self,
        organization_id: OrganizationId,
        id: ConnectorId,
        expected: &[ScimCredential],
        credentials: &[ScimCredential],
        audit: &AuditEvent,
    ) -> Result<bool, Unavailable> {
        let sql = format!(
            "WITH replaced AS (
                 UPDATE connector SET scim_credentials = $4
                 WHERE organization_id = $1 AND id = $2 AND scim_credentials = $3 RETURNING 1),
             forgotten AS ({})
             {}",
            forgetting_uses("$5", "replaced"),
            audit_log::insertion(6, "replaced")
        );
        let (expected, left) = (Json(expected), identifiers(credentials));
        let credentials = Json(credentials);
        let values: [&(dyn ToSql + Sync); 5] =
            [&organization_id, &id, &expected, &credentials, &left];
        let audit = AuditRow::of(audit);
        let values = [&values[..], &audit.values()].concat();
        Ok(self.write("changing the SCIM credentials", &sql, &values).await? > 0)
    }

    async fn note_credential_uses(&self, uses: &[CredentialUse]) -> Result<(), Unavailable> {
        let of = |use_: &CredentialUse| (use_.organization_id, use_.connector_id);
        let (organizations, connectors): (Vec<_>, Vec<_>) = uses.iter().map(of).unzip();
        let credentials: Vec<_> = uses.iter().map(|used| used.credential_id).collect();
        let moments: Vec<_> = uses.iter().map(|used| Moment(used.at)).collect();
        let values: &Values<'_> = &[&organizations, &connectors, &credentials, &moments];
        self.write("noting the use of SCIM credentials", NOTE_USES, values).await.map(drop)
    }

    async fn list_credential_uses(
        &self,
        organization_id: OrganizationId,
        id: ConnectorId,
    ) -> Result<Vec<CredentialUse>, Unavailable> {
        let sql = "SELECT organization_id, connector_id, credential_id, last_used_at
                   FROM scim_credential_use WHERE organization_id = $1 AND connector_id = $2
                   ORDER BY credential_id";
        let key: &Values<'_> = &[&organization_id, &id];
        self.all("listing the uses of SCIM credentials", sql, key, read_use).await
    }
}

/// Notes uses of credentials that their connectors have still, which meanwhile keep them; never an
/// earlier one than is known.
const NOTE_USES: &str = "WITH used AS (
         SELECT organization_id, connector_id, credential_id, max(at) AS at
         FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::timestamptz[])
             AS each (organization_id, connector_id, credential_id, at)
         GROUP BY 1, 2, 3),
     held AS (
         SELECT organization_id, id, scim_credentials FROM connector
         WHERE (organization_id, id) IN (SELECT organization_id, connector_id FROM used)
         ORDER BY id FOR SHARE)
     INSERT INTO scim_credential_use AS known
         (organization_id, connector_id, credential_id, last_used_at)
     SELECT used.organization_id, used.connector_id, used.credential_id, used.at
     FROM used JOIN held
         ON held.organization_id = used.organization_id AND held.id = used.connector_id
     WHERE EXISTS (SELECT FROM jsonb_array_elements(held.scim_credentials) AS credential
                   WHERE (credential ->> 'id')::uuid = used.credential_id)
     ORDER BY 1, 2, 3
     ON CONFLICT (organization_id, connector_id, credential_id)
         DO UPDATE SET last_used_at = greatest(known.last_used_at, excluded.last_used_at)";

/// The part of a statement that forgets when credentials were used that the connector `$1`, `$2`
/// has no more, if `source` has a row; those that are left stand in the array `left`.
fn forgetting_uses(left: &str, source: &str) -> String {
    format!(
        "DELETE FROM scim_credential_use
         WHERE organization_id = $1 AND connector_id = $2
             AND credential_id <> ALL ({left}::uuid[]) AND EXISTS (SELECT FROM {source})"
    )
}

fn identifiers(credentials: &[ScimCredential]) -> Vec<CredentialId> {
    credentials.iter().map(|credential| credential.id).collect()
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
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
             RETURNING 1)
         {}",
        audit_log::insertion(17, "inserted")
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
                 scim_user_name = $14, scim_credentials = $15, provisioning = $16
             WHERE organization_id = $1 AND id = $2 AND $13::timestamptz IS NOT NULL
                 AND EXISTS (SELECT FROM former)
             RETURNING 1),
         forsaken AS (SELECT FROM former WHERE authority <> $5),
         nobody_waits AS (
             DELETE FROM link_request
             WHERE organization_id = $1 AND connector_id = $2 AND EXISTS (SELECT FROM forsaken)),
         noted AS ({}),
         forgotten AS ({})
         {}",
        revocations::insertion("$1, 'connector', $2, $19", "forsaken"),
        forgetting_uses("$25", "replaced"),
        audit_log::insertion(17, "replaced")
    );
    let (audit, left) = (AuditRow::of(audit), identifiers(&row.connector.scim.credentials));
    let values = [&row.values()[..], &audit.values(), &[&left]].concat();
    Ok(execute(client, &sql, &values).await? > 0)
}

/// A connector as it is written, its client secret sealed.
pub(super) struct ConnectorRow<'a> {
    /// What is written.
    pub(super) connector: &'a Connector,
    client_authentication: &'static str,
    client_secret: Option<Vec<u8>>,
    role_table: Json<&'a RoleTable>,
    created_at: Moment,
    scim_credentials: Json<&'a [ScimCredential]>,
    provisioning: Json<&'a ProvisioningPolicy>,
}

impl<'a> ConnectorRow<'a> {
    /// The row of a connector.
    pub(super) fn of(connector: &'a Connector, master_key: &MasterKey) -> Self {
        let (client_authentication, secret) = client_authentication(connector);
        let seal =
            |secret: &Secret| master_key.seal(&place_of(connector.id), secret.expose().as_bytes());
        Self {
            connector,
            client_authentication,
            client_secret: secret.map(seal),
            role_table: Json(&connector.role_table),
            created_at: Moment(connector.created_at),
            scim_credentials: Json(&connector.scim.credentials),
            provisioning: Json(&connector.provisioning),
        }
    }

    /// In the order of [`COLUMNS`].
    fn values(&self) -> [&(dyn ToSql + Sync); 16] {
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
            &self.scim_credentials,
            &self.provisioning,
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
        scim: ScimCredentials {
            user_name: columns.read()?,
            credentials: columns.read::<Json<_>>()?.0,
        },
        provisioning: columns.read::<Json<_>>()?.0,
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

fn read_use(columns: &mut Columns<'_>) -> Result<CredentialUse, Failure> {
    Ok(CredentialUse {
        organization_id: columns.read()?,
        connector_id: columns.read()?,
        credential_id: columns.read()?,
        at: columns.read::<Moment>()?.0,
    })
}
