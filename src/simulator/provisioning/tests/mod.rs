//! Cycles, against a small SCIM server that keeps what it is sent.

mod connections;
mod control;
mod failures;
mod groups;
mod people;
mod scim_server;

use actix_web::web::Data;
use jiff::SignedDuration;
use serde_json::{Value, json};
use uuid::Uuid;

use self::scim_server::{Received, Refusal, ScimServer};
use super::*;
use crate::{
    domain::{clock::Clock, secret::Secret},
    simulator::{
        GroupSeed, Person, PersonSeed, SimulatedEntra, SimulatedTenant, SimulatorOptions,
        TenantSeed,
    },
};

/// A tenant with Ada assigned as Admin, and a job from it to a server.
struct Scene {
    _simulator: SimulatedEntra,
    tenant: SimulatedTenant,
    client_id: Uuid,
    ada: Uuid,
    server: Data<ScimServer>,
    clock: Clock,
    job: ProvisioningJob,
}

impl Scene {
    fn begin() -> Self {
        Self::with(|_| {})
    }

    fn flagged() -> Self {
        Self::with(|settings| settings.target.url.push_str("/?aadOptscim062020"))
    }

    fn with(change: impl FnOnce(&mut JobSettings)) -> Self {
        let mut seed = TenantSeed::sample("acme");
        seed.people.retain(|person| person.display_name == "Ada Admin");
        let clock = Clock::stopped_at("2026-11-22T09:00:00Z".parse().unwrap());
        let simulator = SimulatedEntra::start(SimulatorOptions {
            bind: ([127, 0, 0, 1], 0).into(),
            allow_non_loopback: false,
            tenants: vec![seed],
            clock: clock.clone(),
        })
        .unwrap();
        let tenant = simulator.tenants().remove(0);
        let (server, url) = ScimServer::start();
        let mut settings = JobSettings { clock: clock.clone(), ..JobSettings::new(target(&url)) };
        change(&mut settings);
        Self {
            client_id: tenant.applications()[0].client_id,
            ada: tenant.people()[0].oid,
            job: ProvisioningJob::with(settings),
            _simulator: simulator,
            tenant,
            server,
            clock,
        }
    }

    async fn cycle(&mut self) -> ProvisioningLog {
        let directory = self.tenant.directory(self.client_id);
        self.job.cycle(&directory).await
    }

    /// What one more cycle sends.
    async fn requests(&mut self) -> Vec<Received> {
        self.server.take();
        self.cycle().await;
        self.server.take()
    }

    /// The first lines of what one more cycle sends.
    async fn lines(&mut self) -> Vec<String> {
        self.requests().await.iter().map(Received::line).collect()
    }

    /// The operations of each PATCH of one more cycle.
    async fn patches(&mut self) -> Vec<Value> {
        let requests = self.requests().await;
        let patches = requests.into_iter().filter(|request| request.method == "PATCH");
        patches.map(|request| request.body["Operations"].clone()).collect()
    }

    fn change_ada(&self, change: impl FnOnce(&mut Person)) {
        self.tenant.change_person(self.ada, change);
    }

    /// One more person, not assigned.
    fn stranger(&self, name: &str) -> Uuid {
        let address = format!("{}@acme.example", name.to_lowercase());
        self.tenant.add_person(PersonSeed::new(&format!("{name} Example"), &address)).oid
    }

    /// One more person, assigned.
    fn person(&self, name: &str) -> Uuid {
        let oid = self.stranger(name);
        self.tenant.assign_role(self.client_id, oid, "User");
        oid
    }

    /// A group, assigned.
    fn group(&self, name: &str, members: &[Uuid]) -> Uuid {
        let group = self.tenant.add_group(GroupSeed::new(name)).oid;
        for member in members {
            self.tenant.add_member(group, *member);
        }
        self.tenant.set_roles(self.client_id, group, &[]);
        group
    }

    /// The target's id of a person or group.
    fn id(&self, oid: Uuid) -> String {
        self.job.target_id(oid).unwrap().to_owned()
    }

    fn at_target(&self, oid: Uuid) -> Value {
        self.server.resource(&self.id(oid)).unwrap()
    }
}

fn target(url: &str) -> ScimTarget {
    let credential = ScimCredential::Bearer(Secret::new("t-1"));
    ScimTarget { url: url.to_owned(), credential, feature_flag: false }
}
