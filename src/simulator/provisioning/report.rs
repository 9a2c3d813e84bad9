//! What a cycle did: the provisioning log and its sums.

use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    client::{Answer, NoAnswer},
    quarantine::{JobState, QuarantineReason},
};

/// What is provisioned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum ResourceKind {
    /// A person, as a User.
    User,
    /// A group, as a Group.
    Group,
}

impl ResourceKind {
    pub(super) const fn endpoint(self) -> &'static str {
        match self {
            Self::User => "Users",
            Self::Group => "Groups",
        }
    }
}

/// What was done, or tried, for a person or a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Action {
    /// Looked for at the target.
    Match,
    /// Read by id before a change; noted only where it fails.
    Read,
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
    /// The manager set, or a group's members added and removed.
    Reference,
}

/// A line of the provisioning log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProvisioningEntry {
    /// What is provisioned.
    pub resource: ResourceKind,
    /// The object id in the directory.
    pub oid: Uuid,
    /// The person's UPN or the group's name; the target's id once it is deleted.
    pub name: String,
    /// What was done.
    pub action: Action,
    /// The target's status; `None` if it could not be reached.
    pub status: Option<u16>,
    /// Whether it worked.
    pub succeeded: bool,
    /// Entra's name for the failure, where it has one.
    pub code: Option<&'static str>,
    /// What the target said, or what was sent.
    pub detail: String,
}

/// How much of the directory a cycle looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CycleKind {
    /// All of it.
    #[default]
    Initial,
    /// What changed since the last cycle, and what failed in it.
    Incremental,
    /// One person, or one group.
    OnDemand,
    /// Nothing: the job is in quarantine, or was given up.
    Skipped,
}

/// What a cycle did: people in the directory's order, then groups, then references.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProvisioningLog {
    /// The cycle's number since the job began, from 1.
    pub cycle: u64,
    /// How much it looked at.
    pub kind: CycleKind,
    /// The lines.
    pub entries: Vec<ProvisioningEntry>,
    /// How many people, groups and references failed and wait to be tried again.
    pub escrowed: usize,
    /// How the job stands after the cycle.
    pub state: JobState,
}

impl ProvisioningLog {
    /// What did not work.
    pub fn failures(&self) -> impl Iterator<Item = &ProvisioningEntry> {
        self.entries.iter().filter(|entry| !entry.succeeded)
    }

    /// How often that was done with success.
    pub fn count(&self, action: Action) -> usize {
        let done = |entry: &&ProvisioningEntry| entry.succeeded && entry.action == action;
        self.entries.iter().filter(done).count()
    }

    /// The sums, and each failure.
    pub fn json(&self) -> Value {
        let failures: Vec<&ProvisioningEntry> = self.failures().collect();
        json!({
            "cycle": self.cycle,
            "kind": self.kind,
            "matches": self.count(Action::Match),
            "creates": self.count(Action::Create),
            "updates": self.count(Action::Update),
            "disables": self.count(Action::Disable),
            "restores": self.count(Action::Restore),
            "deletes": self.count(Action::Delete),
            "references": self.count(Action::Reference),
            "failures": failures,
            "escrowed": self.escrowed,
            "state": self.state,
        })
    }
}

/// What a failure means for the object, or for the whole job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The next cycle tries again.
    Transient,
    /// The cycles that try again grow rarer.
    Lasting,
    /// The job stops.
    Fatal(QuarantineReason),
}

/// The lines about one person or group.
pub(super) struct Record {
    resource: ResourceKind,
    oid: Uuid,
    pub(super) name: String,
    pub(super) entries: Vec<ProvisioningEntry>,
    /// Of the last failure.
    pub(super) trouble: Option<Trouble>,
}

impl Record {
    pub(super) const fn new(resource: ResourceKind, oid: Uuid, name: String) -> Self {
        Self { resource, oid, name, entries: Vec::new(), trouble: None }
    }

    /// Writes the outcome down, and hands a successful answer on.
    pub(super) fn note(
        &mut self,
        action: Action,
        sent: &Value,
        answer: Result<Answer, NoAnswer>,
    ) -> Option<Answer> {
        let answer = self.require_success(action, answer)?;
        self.succeed(action, answer.status, sent.to_string());
        Some(answer)
    }

    /// Writes only a failure down, and hands a successful answer on.
    pub(super) fn require_success(
        &mut self,
        action: Action,
        answer: Result<Answer, NoAnswer>,
    ) -> Option<Answer> {
        match answer {
            Ok(answer) if answer.is_success() => return Some(answer),
            Ok(answer) => {
                let (code, trouble) = diagnosis(action, answer.status);
                self.fail(action, Some(answer.status), code, answer.detail(), trouble);
            }
            Err(NoAnswer { timed_out, cause }) => {
                let code = if timed_out { "Timeout" } else { "WebExceptionProtocolError" };
                self.fail(action, None, Some(code), cause, Trouble::Transient);
            }
        }
        None
    }

    pub(super) fn succeed(&mut self, action: Action, status: u16, detail: String) {
        self.write(action, Some(status), None, detail, true);
    }

    pub(super) fn fail(
        &mut self,
        action: Action,
        status: Option<u16>,
        code: Option<&'static str>,
        detail: String,
        trouble: Trouble,
    ) {
        self.write(action, status, code, detail, false);
        self.trouble = Some(trouble);
    }

    fn write(
        &mut self,
        action: Action,
        status: Option<u16>,
        code: Option<&'static str>,
        detail: String,
        succeeded: bool,
    ) {
        let (resource, oid, name) = (self.resource, self.oid, self.name.clone());
        self.entries.push(ProvisioningEntry {
            resource,
            oid,
            name,
            action,
            status,
            succeeded,
            code,
            detail,
        });
    }
}

/// Entra's name for a status, and what it makes of it.
fn diagnosis(action: Action, status: u16) -> (Option<&'static str>, Trouble) {
    match status {
        401 => {
            let reason = QuarantineReason::InvalidCredentials;
            (Some("Unauthorized"), Trouble::Fatal(reason))
        }
        404 if action == Action::Match => {
            let code = "SystemForCrossDomainIdentityManagementServiceIncompatible";
            (Some(code), Trouble::Fatal(QuarantineReason::Incompatible))
        }
        404 => (Some("InvalidAnchor"), Trouble::Lasting),
        409 => (Some("EntryConflict"), Trouble::Lasting),
        422 => (Some("UnprocessableEntity"), Trouble::Lasting),
        429 => (Some("TooManyRequests"), Trouble::Transient),
        500.. => (Some("InternalServerError"), Trouble::Transient),
        _ => (None, Trouble::Lasting),
    }
}
