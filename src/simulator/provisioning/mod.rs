//! The provisioning service: keeps a SCIM target in step with the directory, as Entra's does.
//!
//! Directory people of an application go to the target in cycles: matched or created, changed by
//! PATCH, disabled when they lose their assignment, deleted when they are deleted for good.

mod attributes;
mod client;
mod person;

use std::{collections::HashMap, sync::Arc};

use tokio::task::JoinSet;
use uuid::Uuid;

pub use self::{
    attributes::{ExternalId, Mapping, RoleMapping},
    client::{ScimCredential, ScimTarget},
};
use self::{
    client::ScimClient,
    person::{Link, Step},
};
use super::{directory::guid, tenant::Directory};

/// People provisioned at the same time.
const AT_ONCE: usize = 8;

/// A provisioning job: a target, and which of its users is which person.
pub struct ProvisioningJob {
    client: Arc<ScimClient>,
    mapping: Mapping,
    links: HashMap<Uuid, Link>,
}

/// What was done, or tried, for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Looked for at the target.
    Match,
    /// Created.
    Create,
    /// Changed.
    Update,
    /// `active` set to false.
    Disable,
    /// `active` set to true again.
    Restore,
    /// Deleted for good.
    Delete,
}

/// A line of the provisioning log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvisioningEntry {
    /// The person's object id.
    pub oid: Uuid,
    /// The person's UPN; the target's id once the person is deleted.
    pub person: String,
    /// What was done.
    pub action: Action,
    /// The target's status; `None` if it could not be reached.
    pub status: Option<u16>,
    /// Whether it worked.
    pub succeeded: bool,
    /// What the target said, or what was sent.
    pub detail: String,
}

/// What a cycle did, person by person in the directory's order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProvisioningLog {
    /// The lines.
    pub entries: Vec<ProvisioningEntry>,
}

impl ProvisioningLog {
    /// What did not work.
    pub fn failures(&self) -> impl Iterator<Item = &ProvisioningEntry> {
        self.entries.iter().filter(|entry| !entry.succeeded)
    }

    /// How many people had that done to them.
    pub fn count(&self, action: Action) -> usize {
        let done = |entry: &&ProvisioningEntry| entry.succeeded && entry.action == action;
        self.entries.iter().filter(done).count()
    }
}

/// Why "Test Connection" fails.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TestConnectionError {
    /// No answer.
    #[error("the target cannot be reached: {0}")]
    Unreachable(String),
    /// 401 or 403.
    #[error("the target does not accept the credential (status {0})")]
    InvalidCredentials(u16),
    /// Any other status than 200, a 404 among them.
    #[error(
        "SystemForCrossDomainIdentityManagementServiceIncompatible: {address} answered {status}: {body}"
    )]
    Incompatible {
        /// `Users` or `Groups`.
        address: &'static str,
        /// The status.
        status: u16,
        /// The answer.
        body: String,
    },
    /// 200 without an empty `ListResponse`.
    #[error("{0} answered a query for nobody with something else than an empty ListResponse")]
    NotAListResponse(&'static str),
}

impl ProvisioningJob {
    /// A job that has not provisioned anybody yet.
    pub fn new(target: ScimTarget, mapping: Mapping) -> Self {
        let client = Arc::new(ScimClient::new(target));
        Self { client, mapping, links: HashMap::new() }
    }

    /// Looks for a user and a group that cannot be there, as "Test Connection" does.
    ///
    /// # Errors
    /// [`TestConnectionError`] says what the target did instead of answering with empty lists.
    pub async fn test_connection(&self) -> Result<(), TestConnectionError> {
        let nobody = guid().to_string();
        let user = self.client.find("Users", "userName", &nobody).await;
        empty_list("Users", user)?;
        let group = self.client.find_group(&nobody).await;
        empty_list("Groups", group)
    }

    /// The target's id of a person who was provisioned.
    pub fn target_id(&self, oid: Uuid) -> Option<&str> {
        self.links.get(&oid).map(|link| &*link.id)
    }

    /// Forgets which user is which person: the next cycle matches everybody again.
    pub fn restart(&mut self) {
        self.links.clear();
    }

    /// Brings the target in step with `directory`; what fails is logged and tried again next time.
    pub async fn cycle(&mut self, directory: &Directory) -> ProvisioningLog {
        let mut links = std::mem::take(&mut self.links);
        let mut steps: Vec<Step> = directory
            .entries
            .iter()
            .map(|entry| Step {
                oid: entry.person.oid,
                link: links.remove(&entry.person.oid),
                wanted: Some(self.mapping.wanted(entry)),
            })
            .collect();
        let gone =
            links.into_iter().map(|(oid, link)| Step { oid, link: Some(link), wanted: None });
        steps.extend(gone);
        self.run(steps).await
    }

    async fn run(&mut self, steps: Vec<Step>) -> ProvisioningLog {
        let mut steps = steps.into_iter().enumerate();
        let mut running = JoinSet::new();
        let mut done = Vec::new();
        loop {
            while running.len() < AT_ONCE
                && let Some((number, step)) = steps.next()
            {
                let client = Arc::clone(&self.client);
                running.spawn(async move { (number, step.oid, step.take(&client).await) });
            }
            let Some(finished) = running.join_next().await else { break };
            let (number, oid, (link, entries)) =
                finished.expect("a step neither panics nor is cancelled");
            self.links.extend(link.map(|link| (oid, link)));
            done.push((number, entries));
        }
        done.sort_by_key(|(number, _)| *number);
        ProvisioningLog { entries: done.into_iter().flat_map(|(_, entries)| entries).collect() }
    }
}

fn empty_list(
    address: &'static str,
    answer: Result<client::Answer, String>,
) -> Result<(), TestConnectionError> {
    let answer = answer.map_err(TestConnectionError::Unreachable)?;
    match answer.status {
        200 if answer.body["totalResults"] == 0 => Ok(()),
        200 => Err(TestConnectionError::NotAListResponse(address)),
        status @ (401 | 403) => Err(TestConnectionError::InvalidCredentials(status)),
        status => Err(TestConnectionError::Incompatible { address, status, body: answer.detail() }),
    }
}

#[cfg(test)]
mod tests;
