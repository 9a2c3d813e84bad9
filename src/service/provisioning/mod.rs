//! What a directory does with an organization's people and groups, over SCIM.
//!
//! # Who writes the provisioning log
//!
//! A story writes the line of what it answered or changed; what changed something has its line in
//! the commit of the change. What was refused or failed, on whatever floor, gets its line at the
//! boundary, where every error passes.

mod groups;
pub mod health;
mod log;
mod policy;
pub mod replay;
mod users;
mod write;

use crate::{
    domain::{
        audit_event::{Actor, AuditEvent},
        connector::Connector,
        organization::Organization,
        provisioning_record::{ProvisioningOutcome, ProvisioningRecord},
    },
    ports::{Ports, Unavailable, query::TooCostly, trail::Trail},
    scim::{custom::CustomAttribute, dialect::Profile, error::ScimError, resource_meta},
};

pub use self::{
    groups::MEMBERS_AT_ONCE,
    log::Call,
    write::{Resource, Verb, Write},
};

/// Why a directory's request was not carried out; nothing was changed.
#[derive(Debug)]
pub enum Error {
    /// It breaks a rule of the protocol, or another resource has one of its values.
    Scim(ScimError),
    /// The connector has no such resource; another's counts as none.
    NotFound(String),
    /// The resource is not of the version that the directory expects.
    Version,
    /// The database is away.
    Unavailable(Unavailable),
}

impl From<ScimError> for Error {
    fn from(error: ScimError) -> Self {
        Self::Scim(error)
    }
}

impl From<Unavailable> for Error {
    fn from(unavailable: Unavailable) -> Self {
        Self::Unavailable(unavailable)
    }
}

impl From<TooCostly> for Error {
    fn from(_: TooCostly) -> Self {
        Self::Scim(ScimError::TooMany(
            "No index answers this query, and there are too many resources to look through. Join a \
             comparison of id, userName, externalId, displayName, emails.value or members by `eq` \
             to it with `and`, or leave sortBy out."
                .to_owned(),
        ))
    }
}

/// The version that a write expects: the value of `If-Match`, if it has one.
#[derive(Clone, Copy, Debug, Default)]
pub struct Expected<'a>(pub Option<&'a str>);

impl Expected<'_> {
    /// Whether a resource of this version may be written.
    fn allows(self, version: u64) -> bool {
        self.0.is_none_or(|wanted| resource_meta::etag_matches(wanted, version))
    }
}

/// After so many conflicts in a row the directory is asked to try again.
const MAX_CONFLICTS: usize = 8;

/// A connector's directory at work.
pub struct Directory<'a> {
    /// The outside world.
    pub ports: &'a Ports,
    /// Whose people it writes.
    pub organization: &'a Organization,
    /// Through which connector.
    pub connector: &'a Connector,
    /// How the directory speaks.
    pub profile: &'static Profile,
    /// What the provisioning log says of this request.
    pub call: &'a Call,
}

impl Directory<'_> {
    fn audit(&self, action: &'static str, target: &impl ToString) -> AuditEvent {
        let actor = Actor::Directory(self.connector.id);
        AuditEvent::new(self.organization.id, self.ports.clock.now(), actor, action, target)
    }

    /// What is written down with a change.
    fn trail(
        audit: AuditEvent,
        record: ProvisioningRecord,
        learned: Vec<CustomAttribute>,
    ) -> Trail {
        Trail { audit, record: Some(record), learned }
    }

    fn count_change(&self) {
        self.ports.journal.count_change(self.connector, self.ports.clock.now());
    }

    /// Notes a request that changed nothing.
    pub fn answered(&self, status: u16, summary: impl Into<String>, resource: Option<String>) {
        let record = self.call.record(self.connector, self.ports.clock.now());
        self.ports.journal.note(ProvisioningRecord {
            status,
            outcome: ProvisioningOutcome::Answered,
            summary: summary.into(),
            resource,
            ..record
        });
    }
}
