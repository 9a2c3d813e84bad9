//! A person in an organization.

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::domain::id::{AccountId, ConnectorId, OrganizationId};

/// A person in an organization.
///
/// The columns that Portico looks up and decides by stand apart; everything else that a directory
/// sent stays in [`attributes`](Self::attributes), as sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Account {
    /// Whose it is.
    pub organization_id: OrganizationId,
    /// The connector whose directory provisions it; `None` if it was made by hand.
    pub connector_id: Option<ConnectorId>,
    /// Its SCIM `id`, stable for ever.
    pub id: AccountId,
    /// SCIM `userName`: any text, unique in the organization without regard to case.
    pub user_name: String,
    /// SCIM `externalId`, unique in its connector: with Entra ID's mapping changed as the guide
    /// says, the person's `oid`.
    pub external_id: Option<String>,
    /// The primary e-mail address, unique in the organization without regard to case.
    pub email: String,
    /// What pages call the person.
    pub display_name: String,
    /// Whether the person may sign in.
    pub active: bool,
    /// The values of SCIM `roles`, as sent.
    pub scim_roles: Vec<String>,
    /// Raised in the same commit as any loss of access; what was issued under an older epoch is
    /// dead.
    pub access_epoch: u64,
    /// Raised by every write; the ETag is made of it.
    pub version: u64,
    /// SCIM `meta.created`.
    pub created_at: Timestamp,
    /// SCIM `meta.lastModified`.
    pub last_modified_at: Timestamp,
    /// The SCIM resource as sent, without `id`, `meta` and `schemas`.
    pub attributes: Map<String, Value>,
}

impl Account {
    /// Every e-mail address that the directory sent, in its order.
    pub fn email_addresses(&self) -> impl Iterator<Item = &str> {
        let emails = self.attributes.get("emails").and_then(Value::as_array);
        emails.into_iter().flatten().filter_map(|email| email.get("value")?.as_str())
    }
}
