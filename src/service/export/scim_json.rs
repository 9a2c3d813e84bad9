//! `scim-json`: a SCIM User per line, as the SCIM URL answers it.

use serde_json::Value;

use super::person::Person;
use crate::{
    domain::{account::Account, group::Membership},
    scim::{group::GroupValue, schema::ResourceType, user::User},
};

/// One person with their groups.
///
/// Under `base_url`, the SCIM URL of their connector, lie the addresses of both; who belongs to no
/// connector has none.
pub(super) fn line(
    account: &Account,
    memberships: Vec<Membership>,
    base_url: Option<&str>,
) -> String {
    let location = |kind: ResourceType, id: &dyn ToString| {
        format!("{}{}/{}", base_url.unwrap_or_default(), kind.endpoint(), id.to_string())
    };
    let groups = memberships.into_iter().map(|membership| GroupValue {
        location: location(ResourceType::Group, &membership.group_id),
        value: membership.group_id.to_string(),
        display: membership.display,
        direct: true,
    });
    let meta = Person(account).meta(location(ResourceType::User, &account.id));
    let user = User::from_stored(account.attributes.clone());
    let mut resource = user.to_resource(&meta, groups.collect());
    if base_url.is_none()
        && let Some(meta) = resource.get_mut("meta").and_then(Value::as_object_mut)
    {
        meta.remove("location");
    }
    Value::Object(resource).to_string() + "\n"
}
