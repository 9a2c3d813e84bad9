//! An account with names for what a file of people asks of it.

use serde_json::{Map, Value};

use crate::{
    domain::account::Account,
    scim::{resource_meta::ResourceMeta, schema::ENTERPRISE_USER},
};

/// An account with names for what a file of people asks of it; what is not there is empty.
#[derive(Clone, Copy)]
pub(super) struct Person<'a>(pub(super) &'a Account);

impl<'a> Person<'a> {
    /// A text of the core schema.
    pub(super) fn text(self, name: &str) -> &'a str {
        text(Some(&self.0.attributes), name)
    }

    /// A part of the name.
    pub(super) fn name(self, part: &str) -> &'a str {
        text(self.member("name"), part)
    }

    /// A text of the enterprise extension.
    pub(super) fn enterprise(self, name: &str) -> &'a str {
        text(self.member(ENTERPRISE_USER), name)
    }

    /// The `value` of the manager, as the directory sent it.
    pub(super) fn manager(self) -> Option<&'a str> {
        let manager = self.member(ENTERPRISE_USER)?.get("manager")?;
        manager.get("value")?.as_str().filter(|value| !value.trim().is_empty())
    }

    /// A part of the address of work, else of the one that is marked as primary, else of the first.
    pub(super) fn address(self, part: &str) -> &'a str {
        let addresses = || self.list("addresses");
        let primary = || addresses().find(|address| address.get("primary") == Some(&true.into()));
        let found = addresses().find(|address| is_of(address, "work"));
        text(found.or_else(primary).or_else(|| addresses().next()), part)
    }

    /// The telephone number of work, or one of no kind.
    pub(super) fn work_phone(self) -> &'a str {
        let numbers = || self.list("phoneNumbers");
        let found = numbers().find(|number| is_of(number, "work"));
        text(found.or_else(|| numbers().find(|number| !number.contains_key("type"))), "value")
    }

    /// The mobile telephone number.
    pub(super) fn mobile_phone(self) -> &'a str {
        text(self.list("phoneNumbers").find(|number| is_of(number, "mobile")), "value")
    }

    /// What the service says of the account's SCIM resource.
    pub(super) fn meta(self, location: String) -> ResourceMeta {
        ResourceMeta {
            id: self.0.id.to_string(),
            created: self.0.created_at,
            last_modified: self.0.last_modified_at,
            version: self.0.version,
            location,
        }
    }

    fn member(self, name: &str) -> Option<&'a Map<String, Value>> {
        self.0.attributes.get(name)?.as_object()
    }

    fn list(self, name: &str) -> impl Iterator<Item = &'a Map<String, Value>> {
        let values = self.0.attributes.get(name).and_then(Value::as_array);
        values.into_iter().flatten().filter_map(Value::as_object)
    }
}

fn text<'a>(members: Option<&'a Map<String, Value>>, name: &str) -> &'a str {
    members.and_then(|members| members.get(name)?.as_str()).unwrap_or_default()
}

fn is_of(value: &Map<String, Value>, kind: &str) -> bool {
    text(Some(value), "type").eq_ignore_ascii_case(kind)
}
