//! A provisioning job: its settings, what it remembers, and its buttons.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    super::{directory::guid, tenant::Directory},
    client::{Answer, NoAnswer, ScimClient, ScimTarget},
    dialect::Dialect,
    group::{GroupLink, MemberRequests},
    mapping::{AttributeMapping, CustomAttribute, Mapping, PersonLink, Scope},
    matching::Matching,
    quarantine::{JobState, QuarantineLimits},
    report::ResourceKind,
    retry::Escrow,
    target::Target,
};
use crate::domain::clock::Clock;

/// What an administrator sets on the provisioning page, and what a test may lower.
#[derive(Clone, Debug)]
pub struct JobSettings {
    /// The Tenant URL and the credential.
    pub target: ScimTarget,
    /// The sources of `externalId` and roles.
    pub mapping: Mapping,
    /// Rows added to the attribute mapping. Default none.
    pub custom_attributes: Vec<CustomAttribute>,
    /// The attributes by which people are looked for, one after the other. Default `userName`, then
    /// `externalId`.
    pub matching: Vec<Matching>,
    /// Who is provisioned. Default who is assigned.
    pub scope: Scope,
    /// Whether groups are provisioned, too. Default yes.
    pub groups: bool,
    /// How the members of a group travel.
    pub members: MemberRequests,
    /// From how many failures on the job goes into quarantine.
    pub quarantine: QuarantineLimits,
    /// How long the target may take to answer. Default 30 seconds.
    pub timeout: Duration,
    /// The longest pause that a busy target gets within a cycle. Default one minute.
    pub longest_pause: Duration,
    /// What dates a quarantine.
    pub clock: Clock,
}

impl JobSettings {
    /// Everything by default but the target.
    pub fn new(target: ScimTarget) -> Self {
        Self {
            target,
            mapping: Mapping::default(),
            custom_attributes: Vec::new(),
            matching: vec![Matching::UserName, Matching::ExternalId],
            scope: Scope::default(),
            groups: true,
            members: MemberRequests::default(),
            quarantine: QuarantineLimits::default(),
            timeout: Duration::from_secs(30),
            longest_pause: Duration::from_mins(1),
            clock: Clock::system(),
        }
    }
}

/// A provisioning job: a target, and which of its users and groups is which person and group.
pub struct ProvisioningJob {
    pub(super) target: Arc<Target>,
    /// The target as provisioning on demand meets it: without the feature flag's PATCH.
    pub(super) on_demand: Arc<Target>,
    pub(super) mapping: AttributeMapping,
    pub(super) has_groups: bool,
    pub(super) limits: QuarantineLimits,
    pub(super) clock: Clock,
    pub(super) people: HashMap<Uuid, PersonLink>,
    pub(super) groups: HashMap<Uuid, GroupLink>,
    /// The people and groups that failed.
    pub(super) objects: Escrow,
    /// The people whose manager failed and the groups whose members did.
    pub(super) references: Escrow,
    /// Up to which moment the directory was read; `None` before the first cycle.
    pub(super) watermark: Option<u64>,
    /// How many cycles have run.
    pub(super) cycles: u64,
    pub(super) state: JobState,
    /// The sums and failures of the last cycle.
    pub(super) last: Option<Value>,
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
    /// A job that has not provisioned anybody yet, with everything else by default.
    pub fn new(target: ScimTarget, mapping: Mapping) -> Self {
        Self::with(JobSettings { mapping, ..JobSettings::new(target) })
    }

    /// A job that has not provisioned anybody yet.
    pub fn with(settings: JobSettings) -> Self {
        let client = ScimClient::new(settings.target, settings.timeout, settings.longest_pause);
        let client = Arc::new(client);
        let target = |dialect, reads_by_query| {
            Arc::new(Target {
                client: Arc::clone(&client),
                dialect,
                matching: settings.matching.clone(),
                members: settings.members,
                reads_by_query,
                halted: Mutex::default(),
            })
        };
        Self {
            target: target(client.dialect(), false),
            on_demand: target(Dialect::Default, true),
            mapping: AttributeMapping {
                mapping: settings.mapping,
                custom: settings.custom_attributes,
                scope: settings.scope,
            },
            has_groups: settings.groups,
            limits: settings.quarantine,
            clock: settings.clock,
            people: HashMap::new(),
            groups: HashMap::new(),
            objects: Escrow::default(),
            references: Escrow::default(),
            watermark: None,
            cycles: 0,
            state: JobState::Active,
            last: None,
        }
    }

    /// Looks for a user, by the first matching attribute, and for a group that cannot be there, as
    /// "Test Connection" does; for a group, too, where none is provisioned.
    ///
    /// # Errors
    /// [`TestConnectionError`] says what the target did instead of answering with empty lists.
    pub async fn test_connection(&self) -> Result<(), TestConnectionError> {
        let nobody = guid().to_string();
        let client = &self.target.client;
        let attribute = self.target.matching.first().map_or("userName", |first| first.path());
        let user = client.find(ResourceKind::User, attribute, &nobody).await;
        empty_list("Users", user)?;
        let group = client.find(ResourceKind::Group, "displayName", &nobody).await;
        empty_list("Groups", group)
    }

    /// The target's id of a person or a group that was provisioned.
    pub fn target_id(&self, oid: Uuid) -> Option<&str> {
        let person = self.people.get(&oid).map(|link| &*link.id);
        person.or_else(|| Some(&*self.groups.get(&oid)?.id))
    }

    /// How the job stands.
    pub const fn state(&self) -> JobState {
        self.state
    }

    /// Forgets which user is which person, what failed, and a quarantine, as "Restart" does with
    /// `resetScope: Full`: the next cycle is an initial one and matches everybody again.
    pub fn restart(&mut self) {
        self.people.clear();
        self.groups.clear();
        self.objects.clear();
        self.references.clear();
        self.watermark = None;
        self.state = JobState::Active;
    }

    /// The job as its control address shows it.
    pub fn json(&self) -> Value {
        json!({
            "users": self.people.len(),
            "groups": self.groups.len(),
            "cycles": self.cycles,
            "escrowed": self.objects.len() + self.references.len(),
            "state": self.state,
            "last_cycle": self.last,
        })
    }

    /// Whether `directory` has news about an object for this job.
    pub(super) fn is_news(&self, changed: u64) -> bool {
        self.watermark.is_none_or(|watermark| changed > watermark)
    }

    /// The directory's moment up to which this job has read it.
    pub(super) const fn has_read(&mut self, directory: &Directory) {
        self.watermark = Some(directory.moment);
    }
}

fn empty_list(
    address: &'static str,
    answer: Result<Answer, NoAnswer>,
) -> Result<(), TestConnectionError> {
    let answer = answer.map_err(|none| TestConnectionError::Unreachable(none.cause))?;
    match answer.status {
        200 if answer.body["totalResults"] == 0 => Ok(()),
        200 => Err(TestConnectionError::NotAListResponse(address)),
        status @ (401 | 403) => Err(TestConnectionError::InvalidCredentials(status)),
        status => Err(TestConnectionError::Incompatible { address, status, body: answer.detail() }),
    }
}
