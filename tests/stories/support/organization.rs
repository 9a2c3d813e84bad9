//! An organization with its tenant.

use portico::{
    domain::{
        access_role::RoleTable,
        audit_event::Actor,
        connector::{ClientAuthentication, Connector, ConnectorKind, LinkByUserName, RoleSource},
        id::ConnectorId,
        organization::{Edition, EmailDomain, Organization as Stored, Slug},
        secret::Secret,
    },
    ports::Ports,
    service::{
        connectors::{self, NewConnector},
        logout,
        organizations::{self, NewOrganization},
    },
    simulator::{
        ApplicationSeed, ExternalId, Mapping, Person, PersonSeed, Platform, ProvisioningJob,
        ProvisioningLog, ScimCredential, ScimTarget, SimulatedEntra, SimulatedTenant, TenantSeed,
        UserType,
    },
};
use tokio::sync::Mutex;
use uuid::Uuid;

use super::directory::{Credential, Directory};

/// How an organization is connected, where it matters.
#[derive(Clone, Debug)]
pub struct Terms {
    pub edition: Edition,
    pub role_source: RoleSource,
    pub role_claim: String,
    pub role_table: RoleTable,
    pub link_by_user_name: LinkByUserName,
    pub mapping: Mapping,
    /// Whether the Tenant URL ends in `?aadOptscim062020`.
    pub feature_flag: bool,
    /// Whether provisioning uses User Name and Password.
    pub basic: bool,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            edition: Edition::Enterprise,
            role_source: RoleSource::Token,
            role_claim: "roles".to_owned(),
            role_table: RoleTable::default(),
            link_by_user_name: LinkByUserName::Ask,
            mapping: Mapping::default(),
            feature_flag: false,
            basic: false,
        }
    }
}

impl Terms {
    /// Provisioning as Entra maps it by default, so that only the user name ties people to accounts.
    pub fn by_user_name(link_by_user_name: LinkByUserName) -> Self {
        let mapping = Mapping { external_id: ExternalId::MailNickname, ..Mapping::default() };
        Self { link_by_user_name, mapping, ..Self::default() }
    }
}

/// An organization, its connector, and its tenant in the simulator.
pub struct Organization {
    /// As created.
    pub stored: Stored,
    /// As created.
    pub connector: Connector,
    pub tenant: SimulatedTenant,
    pub client_id: Uuid,
    pub scim_password: String,
    scim_url: String,
    job: Mutex<ProvisioningJob>,
}

impl Organization {
    pub(super) async fn create(
        slug: &str,
        terms: Terms,
        entra: &SimulatedEntra,
        ports: &Ports,
    ) -> Self {
        let tenant = entra.add_tenant(TenantSeed {
            id: None,
            domain: format!("{slug}.example"),
            display_name: capitalized(slug),
            people: Vec::new(),
            groups: Vec::new(),
            applications: vec![ApplicationSeed {
                optional_claims: ["login_hint".to_owned()].into(),
                ..ApplicationSeed::new("Portico")
            }],
        });
        let application = tenant.applications().remove(0);
        let new = NewOrganization {
            slug: Slug::parse(slug).unwrap(),
            display_name: capitalized(slug),
            edition: terms.edition,
            domains: vec![EmailDomain::parse(&tenant.domain()).unwrap()],
        };
        let stored = organizations::create(ports, new, Actor::Operator).await.unwrap();
        let secret = ClientAuthentication::SecretPost(application.secrets[0].clone());
        let client_id = application.client_id;
        let new = NewConnector {
            role_source: terms.role_source,
            role_claim: terms.role_claim,
            role_table: terms.role_table,
            link_by_user_name: terms.link_by_user_name,
            ..NewConnector::new(
                ConnectorKind::AzureAd,
                tenant.authority(),
                client_id.to_string(),
                secret,
            )
        };
        let created = connectors::create(ports, &stored, new, Actor::Operator).await.unwrap();
        let connector = created.connector;
        for uri in [connectors::redirect_uri(ports, connector.id), logout::return_uri(ports)] {
            tenant.register_redirect_uri(client_id, &uri, Platform::Web).unwrap();
        }
        let scim_url = connectors::scim_url(ports, connector.id);
        let credential = if terms.basic {
            let username = connector.scim.user_name.clone();
            ScimCredential::Basic { username, password: created.scim_password.clone() }
        } else {
            ScimCredential::Bearer(created.scim_password.clone())
        };
        let target =
            ScimTarget { url: scim_url.clone(), credential, feature_flag: terms.feature_flag };
        Self {
            stored,
            connector,
            tenant,
            client_id,
            scim_password: created.scim_password.expose().to_owned(),
            scim_url,
            job: Mutex::new(ProvisioningJob::new(target, terms.mapping)),
        }
    }

    pub fn slug(&self) -> &str {
        self.stored.slug.as_str()
    }

    pub const fn connector_id(&self) -> ConnectorId {
        self.connector.id
    }

    /// `/oidc/{connector}/callback`.
    pub fn callback_path(&self) -> String {
        format!("/oidc/{}/callback", self.connector.id)
    }

    /// A person of the tenant, called `{name} Example`, assigned with these app roles.
    pub fn has_person(&self, name: &str, roles: &[&str]) -> Person {
        let address = format!("{name}@{}", self.tenant.domain());
        self.has(PersonSeed::new(&format!("{} Example", capitalized(name)), &address), roles)
    }

    /// A guest of the tenant, at home elsewhere, assigned with these app roles.
    pub fn has_guest(&self, address: &str, roles: &[&str]) -> Person {
        let seed = PersonSeed::new("Gil Guest", address);
        self.has(PersonSeed { user_type: UserType::Guest, ..seed }, roles)
    }

    /// A person as seeded, assigned with these app roles.
    pub fn has(&self, seed: PersonSeed, roles: &[&str]) -> Person {
        let password = Some(Secret::generate());
        let person = self.tenant.add_person(PersonSeed { password, ..seed });
        self.tenant.set_roles(self.client_id, person.oid, roles);
        person
    }

    /// Assigns a person with these app roles from now on.
    pub fn assign(&self, person: &Person, roles: &[&str]) {
        self.tenant.set_roles(self.client_id, person.oid, roles);
    }

    /// One cycle of the tenant's provisioning, in which everything must succeed.
    pub async fn provision(&self) -> ProvisioningLog {
        let log = self.try_provision().await;
        let failures: Vec<_> = log.failures().collect();
        assert!(failures.is_empty(), "{failures:?}");
        log
    }

    /// One cycle of the tenant's provisioning, come what may.
    pub async fn try_provision(&self) -> ProvisioningLog {
        let directory = self.tenant.directory(self.client_id);
        self.job.lock().await.cycle(&directory).await
    }

    /// One cycle of a job that has forgotten who is who, as after Entra's "Restart".
    pub async fn provision_afresh(&self) -> ProvisioningLog {
        self.job.lock().await.restart();
        self.provision().await
    }

    /// "Test Connection", as the tenant's admin presses it; what it says if it fails.
    pub async fn test_connection(&self) -> Result<(), String> {
        self.job.lock().await.test_connection().await.map_err(|error| error.to_string())
    }

    /// The SCIM id of a provisioned person.
    pub async fn scim_id(&self, person: &Person) -> String {
        self.job.lock().await.target_id(person.oid).expect("the person is provisioned").to_owned()
    }

    /// A SCIM client with the connector's Password.
    pub fn scim(&self) -> Directory {
        let credential = Credential::Bearer(self.scim_password.clone());
        Directory { url: self.scim_url.clone(), credential }
    }
}

fn capitalized(name: &str) -> String {
    let (first, rest) = name.split_at(1);
    format!("{}{rest}", first.to_ascii_uppercase())
}
