//! Links to identity providers.

use jiff::Timestamp;

use crate::{
    domain::{
        access_role::RoleTable,
        audit_event::{Actor, AuditEvent},
        connector::{
            ClientAuthentication, Connector, ConnectorKind, LinkByUserName, RoleSource,
            ScimCredential, ScimCredentials,
        },
        id::ConnectorId,
        organization::{Edition, Organization},
        provisioning_policy::ProvisioningPolicy,
        secret::Secret,
    },
    ports::{Ports, Unavailable},
    service::access,
};

/// What the Password is called that a connector gets by itself.
pub(super) const FIRST_PASSWORD: &str = "Password";

/// What an admin says of a new connector.
#[derive(Clone, Debug)]
pub struct NewConnector {
    /// Which kind of provider.
    pub kind: ConnectorKind,
    /// The authority as pasted.
    pub authority: String,
    /// The application (client) ID.
    pub client_id: String,
    /// How the client proves itself.
    pub client_authentication: ClientAuthentication,
    /// Where a person's role comes from.
    pub role_source: RoleSource,
    /// The ID token's role claim.
    pub role_claim: String,
    /// Which value means which role.
    pub role_table: RoleTable,
    /// Whether a first sign-in may find its account by user name.
    pub link_by_user_name: LinkByUserName,
}

impl NewConnector {
    /// A connector with everything at its default.
    pub fn new(
        kind: ConnectorKind,
        authority: String,
        client_id: String,
        client_authentication: ClientAuthentication,
    ) -> Self {
        Self {
            kind,
            authority,
            client_id,
            client_authentication,
            role_source: RoleSource::Token,
            role_claim: "roles".to_owned(),
            role_table: RoleTable::default(),
            link_by_user_name: LinkByUserName::Ask,
        }
    }

    /// The connector that it will be, enabled, with a SCIM Password.
    pub(super) fn into_connector(
        self,
        organization: &Organization,
        id: ConnectorId,
        scim_password: &Secret,
        created_at: Timestamp,
    ) -> Connector {
        Connector {
            organization_id: organization.id,
            id,
            kind: self.kind,
            enabled: true,
            authority: self.authority,
            client_id: self.client_id,
            client_authentication: self.client_authentication,
            role_source: self.role_source,
            role_claim: self.role_claim,
            role_table: self.role_table,
            link_by_user_name: self.link_by_user_name,
            scim: ScimCredentials::new(
                scim_user_name(organization),
                ScimCredential::password(scim_password, FIRST_PASSWORD, created_at),
            ),
            provisioning: ProvisioningPolicy::default(),
            created_at,
        }
    }
}

/// A connector with what is shown once.
#[derive(Debug)]
pub struct CreatedConnector {
    /// The connector.
    pub connector: Connector,
    /// The Password for its SCIM URL; only its digest is kept.
    pub scim_password: Secret,
}

/// Creates a connector, enabled, with SCIM credentials of its own.
pub async fn create(
    ports: &Ports,
    organization: &Organization,
    new: NewConnector,
    actor: Actor,
) -> Result<CreatedConnector, Unavailable> {
    let scim_password = Secret::generate();
    let (id, now) = (ConnectorId::generate(), ports.clock.now());
    let connector = new.into_connector(organization, id, &scim_password, now);
    let audit = audit_event(&connector, "connector.created", actor, now);
    ports.store.insert_connector(&connector, &audit).await?;
    Ok(CreatedConnector { connector, scim_password })
}

/// Gives a connector other settings and a new SCIM Password; the old one is refused from now on.
///
/// Under another authority every other SCIM credential is refused, too.
///
/// `None` if it was deleted meanwhile.
pub async fn renew(
    ports: &Ports,
    existing: Connector,
    new: NewConnector,
    actor: Actor,
) -> Result<Option<CreatedConnector>, Unavailable> {
    let scim_password = Secret::generate();
    let now = ports.clock.now();
    let moves = existing.authority != new.authority;
    let password = ScimCredential::password(&scim_password, FIRST_PASSWORD, now);
    let scim = if moves {
        ScimCredentials::new(existing.scim.user_name, password)
    } else {
        existing.scim.with_only_password(password)
    };
    let connector = Connector {
        kind: new.kind,
        enabled: true,
        authority: new.authority,
        client_id: new.client_id,
        client_authentication: new.client_authentication,
        role_source: new.role_source,
        role_claim: new.role_claim,
        role_table: new.role_table,
        link_by_user_name: new.link_by_user_name,
        scim,
        ..existing
    };
    let audit = audit_event(&connector, "connector.renewed", actor, now);
    let replaced = ports.store.replace_connector(&connector, &audit).await?;
    if moves {
        end_sessions(ports, &connector).await;
    }
    Ok(replaced.then_some(CreatedConnector { connector, scim_password }))
}

/// Signs everybody out who came through a connector, now or as soon as the sessions can be
/// reached: it leads to another authority now.
pub async fn end_sessions(ports: &Ports, connector: &Connector) {
    let (organization_id, id) = (connector.organization_id, connector.id);
    let ended = ports.sessions.end_of_connector(organization_id, id, ports.clock.now()).await;
    ended.unwrap_or_else(|unavailable| access::reaches_later(&unavailable));
}

/// What the audit log says of a connector as it is from `now` on.
pub(super) fn audit_event(
    connector: &Connector,
    action: &'static str,
    actor: Actor,
    now: Timestamp,
) -> AuditEvent {
    AuditEvent::new(connector.organization_id, now, actor, action, &connector.id)
        .with("kind", connector.kind.as_str())
        .with("authority", connector.authority.as_str())
        .with("client_id", connector.client_id.as_str())
}

/// The connector that an organization's people sign in through: its first that is enabled.
///
/// `None` also where the edition has no connectors.
pub async fn find_for_sign_in(
    ports: &Ports,
    organization: &Organization,
) -> Result<Option<Connector>, Unavailable> {
    if organization.edition != Edition::Enterprise {
        return Ok(None);
    }
    let connectors = ports.store.list_connectors(organization.id).await?;
    Ok(connectors.into_iter().find(|connector| connector.enabled))
}

/// A connector, enabled or not, with its organization.
pub async fn find(
    ports: &Ports,
    id: ConnectorId,
) -> Result<Option<(Organization, Connector)>, Unavailable> {
    let Some(connector) = ports.store.find_connector(id).await? else { return Ok(None) };
    let organization = ports.store.find_organization(connector.organization_id).await?;
    Ok(organization.map(|organization| (organization, connector)))
}

/// A connector that is enabled, with its organization, whose edition has connectors.
pub async fn find_enabled(
    ports: &Ports,
    id: ConnectorId,
) -> Result<Option<(Organization, Connector)>, Unavailable> {
    let found = find(ports, id).await?;
    Ok(found.filter(|(organization, connector)| {
        connector.enabled && organization.edition == Edition::Enterprise
    }))
}

/// The "Web" redirect URI of a connector, for the provider's registration.
pub fn redirect_uri(ports: &Ports, id: ConnectorId) -> String {
    format!("{}/oidc/{id}/callback", ports.settings.public_url)
}

/// The User Name that a new connector of an organization gets for SCIM.
pub fn scim_user_name(organization: &Organization) -> String {
    format!("scim-{}", organization.slug)
}

/// The SCIM URL of a connector, for the directory.
pub fn scim_url(ports: &Ports, id: ConnectorId) -> String {
    format!("{}/scim/v2/{id}", ports.settings.public_url)
}
