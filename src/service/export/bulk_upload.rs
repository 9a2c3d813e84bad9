//! `entra-bulk-upload`: requests of Microsoft's API-driven inbound provisioning.

use serde_json::{Map, Value, json};

use super::person::Person;
use crate::{
    domain::account::Account,
    scim::{schema::ENTERPRISE_USER, user::User},
};

/// The API takes at most this many people in a request.
pub(super) const MOST_OPERATIONS: usize = 50;

/// Somebody's manager, as the request names them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Manager {
    /// What [`external_id`] gives.
    pub(super) external_id: String,
    /// What to call them.
    pub(super) display_name: String,
}

impl Manager {
    /// An account as somebody's manager.
    pub(super) fn of(account: &Account) -> Self {
        Self { external_id: external_id(account), display_name: account.display_name.clone() }
    }
}

/// What Entra finds a person by: their `externalId`, or the account's `id` where there is none.
pub(super) fn external_id(account: &Account) -> String {
    account.external_id.clone().unwrap_or_else(|| account.id.to_string())
}

/// Why Entra would not make a user of the person.
pub(super) fn lacks(account: &Account) -> Option<&'static str> {
    let is_missing = |part| Person(account).name(part).trim().is_empty();
    match (is_missing("givenName"), is_missing("familyName")) {
        (true, true) => Some("first name and last name are missing"),
        (true, false) => Some("the first name is missing"),
        (false, true) => Some("the last name is missing"),
        (false, false) => None,
    }
}

/// The operation that creates or updates one person.
pub(super) fn operation(account: &Account, manager: Option<&Manager>) -> String {
    let operation = json!({
        "method": "POST",
        "bulkId": account.id.to_string(),
        "path": "/Users",
        "data": user(account, manager),
    });
    operation.to_string()
}

/// The request that carries these operations, on one line.
pub(super) fn request(operations: &[String]) -> String {
    format!(
        "{{\"schemas\":[\"urn:ietf:params:scim:api:messages:2.0:BulkRequest\"],\
         \"failOnErrors\":null,\"Operations\":[{}]}}\n",
        operations.join(",")
    )
}

/// `active` is always there: Entra disables whom a request says nothing of.
fn user(account: &Account, manager: Option<&Manager>) -> Map<String, Value> {
    let mut attributes = account.attributes.clone();
    set_manager(&mut attributes, manager);
    let meta = Person(account).meta(String::new());
    let mut user = User::from_stored(attributes).to_resource(&meta, Vec::new());
    user.remove("id");
    user.remove("meta");
    user.insert("externalId".into(), external_id(account).into());
    user.insert("userName".into(), account.user_name.clone().into());
    user.insert("displayName".into(), account.display_name.clone().into());
    user.insert("active".into(), account.active.into());
    if !user.contains_key("emails") {
        let email = json!([{ "value": account.email, "type": "work", "primary": true }]);
        user.insert("emails".into(), email);
    }
    user
}

fn set_manager(user: &mut Map<String, Value>, manager: Option<&Manager>) {
    let Some(extension) = user.get_mut(ENTERPRISE_USER).and_then(Value::as_object_mut) else {
        return;
    };
    extension.remove("manager");
    if let Some(Manager { external_id, display_name }) = manager {
        let manager = json!({ "value": external_id, "displayName": display_name });
        extension.insert("manager".into(), manager);
    }
    if extension.is_empty() {
        user.remove(ENTERPRISE_USER);
    }
}
