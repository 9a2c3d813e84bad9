//! What stands behind the demo: the simulated tenants, connected and provisioned.

use anyhow::{Context as _, bail};

use crate::{
    cli::demo::{
        address,
        cast::{Cast, Part},
    },
    domain::{
        audit_event::Actor,
        clock::Clock,
        connector::{ClientAuthentication, ConnectorKind},
        id::ConnectorId,
        master_key::MasterKey,
        organization::{Edition, EmailDomain, Organization},
    },
    ports::Ports,
    service::{
        connectors::{self, CreatedConnector, NewConnector},
        logout,
        organizations::{self, NewOrganization},
        setup_links,
    },
    simulator::{
        Fault, JobSettings, Platform, RunningJob, ScimCredential, ScimTarget, SimulatedEntra,
        SimulatedTenant, SimulatorOptions,
    },
};

/// The simulated tenants, and who plays in them.
pub struct Stage {
    entra: SimulatedEntra,
    cast: Vec<Cast>,
}

impl Stage {
    /// Starts the simulated tenants.
    pub fn open(port: u16, key: &MasterKey, people: u32) -> anyhow::Result<Self> {
        let cast = Cast::of_all(key, people);
        let entra = SimulatedEntra::start(SimulatorOptions {
            bind: address(port),
            allow_non_loopback: false,
            tenants: cast.iter().map(Cast::seed).collect(),
            clock: Clock::system(),
        })
        .context("choose other ports with --port")?;
        Ok(Self { entra, cast })
    }

    /// Where the tenants live.
    pub fn origin(&self) -> &str {
        self.entra.origin()
    }

    /// Makes an organization for each tenant, or finds the one of the last time, and connects them.
    pub async fn connect(&self, ports: &Ports) -> anyhow::Result<Vec<Cast>> {
        let mut connected = Vec::with_capacity(self.cast.len());
        for cast in &self.cast {
            let organization = organization(ports, cast).await?;
            let tenant = self.tenant(cast)?;
            let created = connector(ports, &organization, &tenant, cast).await?;
            let id = created.connector.id;
            register(ports, &tenant, cast, id)?;
            let setup_link = setup_links::issue(ports, &organization, Actor::Operator).await?;
            connected.push(Cast {
                setup_link: setup_link.url,
                scim_url: connectors::scim_url(ports, id),
                scim_user_name: created.connector.scim.user_name,
                scim_password: created.scim_password,
                ..cast.clone()
            });
        }
        Ok(connected)
    }

    /// Brings everybody over, as Entra ID's provisioning does; then takes those out again who are
    /// to be deactivated.
    pub async fn provision(&self, cast: &[Cast]) -> anyhow::Result<()> {
        for cast in cast {
            let tenant = self.tenant(cast)?;
            let target = ScimTarget {
                url: cast.scim_url.clone(),
                credential: ScimCredential::Bearer(cast.scim_password.clone()),
                feature_flag: false,
            };
            let job = tenant.begin_provisioning(cast.client_id, JobSettings::new(target));
            job.test_connection().await.context("Test Connection")?;
            cycle(&job).await?;
            for player in cast.players.iter().filter(|player| player.part == Part::IsDeactivated) {
                tenant.unassign(cast.client_id, player.oid);
            }
            cycle(&job).await?;
        }
        Ok(())
    }

    /// Where a person, or a program, turns faults on.
    pub fn control(&self) -> String {
        format!("{}/control/fault", self.origin())
    }

    /// Turns a fault of the simulated tenants on, or all off.
    pub fn misbehave(&self, fault: Option<Fault>) {
        self.entra.faults().set(fault);
    }

    /// Ends the simulated tenants.
    pub async fn close(self) {
        self.entra.stop().await;
    }

    fn tenant(&self, cast: &Cast) -> anyhow::Result<SimulatedTenant> {
        self.entra.tenant(&cast.domain).context("the simulated tenant is gone")
    }
}

async fn cycle(job: &RunningJob) -> anyhow::Result<()> {
    match job.cycle().await.failures().next() {
        Some(failure) => bail!("provisioning {}: {}", failure.name, failure.detail),
        None => Ok(()),
    }
}

async fn organization(ports: &Ports, cast: &Cast) -> anyhow::Result<Organization> {
    if let Some(found) = ports.store.find_organization_by_slug(&cast.slug).await? {
        return Ok(found);
    }
    let new = NewOrganization {
        slug: cast.slug.clone(),
        display_name: cast.display_name.to_owned(),
        edition: Edition::Enterprise,
        domains: vec![EmailDomain::parse(&cast.domain)?],
    };
    let created = organizations::create(ports, new, Actor::Operator).await;
    created.with_context(|| format!("creating {}", cast.slug))
}

/// The organization's connector: a new one, or the one of the last time with its tenant's present
/// address and a fresh Password.
async fn connector(
    ports: &Ports,
    organization: &Organization,
    tenant: &SimulatedTenant,
    cast: &Cast,
) -> anyhow::Result<CreatedConnector> {
    let authentication = ClientAuthentication::SecretPost(cast.client_secret.clone());
    let new = NewConnector::new(
        ConnectorKind::AzureAd,
        tenant.authority(),
        cast.client_id.to_string(),
        authentication,
    );
    match ports.store.list_connectors(organization.id).await?.into_iter().next() {
        None => Ok(connectors::create(ports, organization, new, Actor::Operator).await?),
        Some(existing) => {
            let renewed = connectors::renew(ports, existing, new, Actor::Operator).await?;
            renewed.context("the connector of the last time is gone")
        }
    }
}

fn register(
    ports: &Ports,
    tenant: &SimulatedTenant,
    cast: &Cast,
    id: ConnectorId,
) -> anyhow::Result<()> {
    for uri in [connectors::redirect_uri(ports, id), logout::return_uri(ports)] {
        tenant.register_redirect_uri(cast.client_id, &uri, Platform::Web)?;
    }
    tenant.change_application(cast.client_id, |application| {
        application.front_channel_logout_url = Some(logout::frontchannel_logout_uri(ports, id));
    });
    Ok(())
}
