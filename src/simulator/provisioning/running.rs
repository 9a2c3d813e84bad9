//! The jobs of a running simulator.

use std::sync::{Arc, PoisonError};

use serde_json::{Value, json};
use tokio::sync::Mutex;
use uuid::Uuid;

use super::{
    super::{directory::guid, entra::Entra, tenant::SimulatedTenant},
    cycle::OnDemandError,
    job::{JobSettings, ProvisioningJob, TestConnectionError},
    report::ProvisioningLog,
};

/// A job as the simulator keeps it.
#[derive(Clone)]
pub(in super::super) struct KnownJob {
    id: Uuid,
    tenant: Uuid,
    client_id: Uuid,
    url: String,
    job: Arc<Mutex<ProvisioningJob>>,
}

/// A provisioning job of a tenant's application, in the hands of a test, of the command line, or of
/// the control address: whoever runs a cycle, the others see what it did.
#[derive(Clone)]
pub struct RunningJob {
    tenant: SimulatedTenant,
    known: KnownJob,
}

impl SimulatedTenant {
    /// Begins to provision for an application; a cycle runs when somebody asks for one.
    pub fn begin_provisioning(&self, client_id: Uuid, settings: JobSettings) -> RunningJob {
        let known = KnownJob {
            id: guid(),
            tenant: self.id(),
            client_id,
            url: settings.target.url.clone(),
            job: Arc::new(Mutex::new(ProvisioningJob::with(settings))),
        };
        let mut jobs = self.entra.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        jobs.push(known.clone());
        RunningJob { tenant: self.clone(), known }
    }
}

impl Entra {
    /// The provisioning jobs of all tenants.
    pub(super) fn running_jobs(self: &Arc<Self>) -> Vec<RunningJob> {
        let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let handle = |known: KnownJob| RunningJob {
            tenant: SimulatedTenant { entra: Arc::clone(self), id: known.tenant },
            known,
        };
        jobs.into_iter().map(handle).collect()
    }
}

impl RunningJob {
    /// Names the job at the control address.
    pub const fn id(&self) -> Uuid {
        self.known.id
    }

    /// See [`ProvisioningJob::test_connection`].
    ///
    /// # Errors
    /// As there.
    pub async fn test_connection(&self) -> Result<(), TestConnectionError> {
        self.known.job.lock().await.test_connection().await
    }

    /// A cycle over the tenant's directory as it is now; see [`ProvisioningJob::cycle`]. It goes on
    /// to its end even if nobody waits for it any more.
    pub async fn cycle(&self) -> ProvisioningLog {
        let this = self.clone();
        let cycle = tokio::spawn(async move {
            let mut job = this.known.job.lock().await;
            job.cycle(&this.tenant.directory(this.known.client_id)).await
        });
        cycle.await.expect("a cycle neither panics nor is cancelled")
    }

    /// See [`ProvisioningJob::provision_on_demand`]; it goes on to its end like a cycle.
    ///
    /// # Errors
    /// As there.
    pub async fn provision_on_demand(
        &self,
        oid: Uuid,
        members: Vec<Uuid>,
    ) -> Result<ProvisioningLog, OnDemandError> {
        let this = self.clone();
        let demand = tokio::spawn(async move {
            let mut job = this.known.job.lock().await;
            let directory = this.tenant.directory(this.known.client_id);
            job.provision_on_demand(&directory, oid, &members).await
        });
        demand.await.expect("a cycle neither panics nor is cancelled")
    }

    /// See [`ProvisioningJob::restart`].
    pub async fn restart(&self) {
        self.known.job.lock().await.restart();
    }

    /// The target's id of a person or a group that was provisioned.
    pub async fn target_id(&self, oid: Uuid) -> Option<String> {
        self.known.job.lock().await.target_id(oid).map(str::to_owned)
    }

    /// The tenant whose directory is provisioned.
    pub(super) const fn tenant(&self) -> &SimulatedTenant {
        &self.tenant
    }

    /// The job as its control address shows it; it waits for a cycle under way.
    pub(super) async fn json(&self) -> Value {
        let mut shown = self.known.job.lock().await.json();
        shown["id"] = json!(self.known.id);
        shown["tenant"] = json!(self.tenant.domain());
        shown["client_id"] = json!(self.known.client_id);
        shown["scim_url"] = json!(self.known.url);
        shown
    }
}
