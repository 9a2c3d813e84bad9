//! What happened, on whose word.

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::domain::id::{AccountId, AuditEventId, ConnectorId, OrganizationId, Reference};

/// One line of an organization's audit log, committed with the change that it tells of.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditEvent {
    /// Names it; ordered by time.
    pub id: AuditEventId,
    /// Whose it is.
    pub organization_id: OrganizationId,
    /// When.
    pub at: Timestamp,
    /// On whose word.
    pub actor: Actor,
    /// What happened: `account.created`, `session.ended`.
    pub action: &'static str,
    /// To whom or what: an identifier.
    pub target: String,
    /// The number that a person's page showed, where there was one.
    pub reference: Option<Reference>,
    /// What else a reader needs; never a secret.
    pub details: Map<String, Value>,
}

/// On whose word something happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// Somebody at the machine, by the command line.
    Operator,
    /// A directory, over SCIM.
    Directory(ConnectorId),
    /// A signed-in person.
    Account(AccountId),
    /// Somebody who was signing in.
    Visitor,
    /// Whoever held an organization's setup link.
    SetupLink,
}

impl Actor {
    /// The actor as stored: its kind, and its identifier where it has one.
    pub fn stored(self) -> String {
        match self {
            Self::Operator => "operator".to_owned(),
            Self::Directory(connector) => format!("directory:{connector}"),
            Self::Account(account) => format!("account:{account}"),
            Self::Visitor => "visitor".to_owned(),
            Self::SetupLink => "setup_link".to_owned(),
        }
    }
}

impl AuditEvent {
    /// An event without a reference or details.
    pub fn new(
        organization_id: OrganizationId,
        at: Timestamp,
        actor: Actor,
        action: &'static str,
        target: &impl ToString,
    ) -> Self {
        Self {
            id: AuditEventId::generate(),
            organization_id,
            at,
            actor,
            action,
            target: target.to_string(),
            reference: None,
            details: Map::new(),
        }
    }

    /// The same event with one more detail.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.details.insert(name.to_owned(), value.into());
        self
    }

    /// The same event under the number that the person's page shows.
    #[must_use]
    pub fn under(mut self, reference: &Reference) -> Self {
        self.reference = Some(reference.clone());
        self
    }
}

/// An audit event as it is read back.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredAuditEvent {
    /// Names it.
    pub id: AuditEventId,
    /// When.
    pub at: Timestamp,
    /// As [`Actor::stored`] wrote it.
    pub actor: String,
    /// What happened.
    pub action: String,
    /// To whom or what.
    pub target: String,
    /// The number that a person's page showed.
    pub reference: Option<Reference>,
    /// What else there is.
    pub details: Map<String, Value>,
}
