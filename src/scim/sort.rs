//! The order of a list (RFC 7644 §3.4.2.3).

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Number, Value};

use crate::scim::{
    attribute_path::{AttributePath, member},
    dialect::{Profile, value::is_primary},
    error::{ScimError, quoted},
    filter::{compare_numbers, fold, parser::is_known},
    schema::{Attribute, Kind, Mutability, ResourceType},
};

/// What a list is ordered by.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sort {
    /// The attribute. Where a complex one was named, this is its `value`.
    pub path: AttributePath,
    /// From the greatest on; resources without a value come first then, and else last.
    pub descending: bool,
}

impl Sort {
    /// Reads the parameters `sortBy` and `sortOrder`.
    ///
    /// # Errors
    ///
    /// [`ScimError::InvalidValue`] for an unknown order, for what is no attribute, and for a
    /// complex attribute without `value` whose sub-attribute is not named.
    pub fn parse(
        sort_by: &str,
        sort_order: Option<&str>,
        kind: Option<ResourceType>,
        profile: &Profile,
    ) -> Result<Self, ScimError> {
        Ok(Self { path: path(sort_by, kind, profile)?, descending: is_descending(sort_order)? })
    }

    /// Whether texts are compared as they are, rather than [folded](fold).
    pub fn is_case_exact(&self) -> bool {
        self.path.target_definition().is_some_and(|known| known.case_exact)
    }

    /// What a resource is ordered by: of several values the primary one, else the first. `None`
    /// where it has no value.
    pub fn key(&self, resource: &Map<String, Value>) -> Option<Key> {
        let holder = match &self.path.schema {
            None => resource,
            Some(urn) => member(resource, urn)?.as_object()?,
        };
        let value = one_of(member(holder, &self.path.attribute)?)?;
        let value = match (&self.path.sub_attribute, value) {
            (Some(sub), Value::Object(members)) => one_of(member(members, sub)?)?,
            (Some(_), _) => return None,
            (None, value) => value,
        };
        match value {
            Value::Bool(value) => Some(Key::Boolean(*value)),
            Value::Number(number) => Some(Key::Number(number.clone())),
            Value::String(text) if self.is_case_exact() => Some(Key::Text(text.clone())),
            Value::String(text) => Some(Key::Text(fold(text))),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        }
    }

    /// The order of two resources with these keys.
    pub fn compare(&self, one: Option<&Key>, other: Option<&Key>) -> Ordering {
        let ascending = match (one, other) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) => Ordering::Greater,
            (Some(_), None) => Ordering::Less,
            (Some(one), Some(other)) => one.cmp(other),
        };
        if self.descending { ascending.reverse() } else { ascending }
    }
}

/// What a resource is ordered by. Booleans come before numbers, and those before texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// `false` comes before `true`.
    Boolean(bool),
    /// By size.
    Number(Number),
    /// By its bytes.
    Text(String),
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        let rank = |key: &Self| match key {
            Self::Boolean(_) => 0,
            Self::Number(_) => 1,
            Self::Text(_) => 2,
        };
        match (self, other) {
            (Self::Boolean(one), Self::Boolean(other)) => one.cmp(other),
            (Self::Number(one), Self::Number(other)) => compare_numbers(one, other),
            (Self::Text(one), Self::Text(other)) => one.cmp(other),
            _ => rank(self).cmp(&rank(other)),
        }
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

fn path(
    name: &str,
    kind: Option<ResourceType>,
    profile: &Profile,
) -> Result<AttributePath, ScimError> {
    let refused = |why: &str| ScimError::InvalidValue(format!("sortBy: {} {why}", quoted(name)));
    let path = AttributePath::parse_name(name.trim(), profile)
        .map_err(|_| refused("is not an attribute"))?;
    if !profile.unknown_attributes && !is_known(&path, kind) {
        return Err(refused("is not an attribute"));
    }
    match path.target_definition() {
        Some(known) if known.mutability == Mutability::WriteOnly => {
            Err(refused("is not to be read"))
        }
        Some(known) if known.kind == Kind::Complex => {
            value_of(path, known).ok_or_else(|| refused("is ordered by one of its sub-attributes"))
        }
        _ => Ok(path),
    }
}

fn value_of(path: AttributePath, known: &Attribute) -> Option<AttributePath> {
    known.sub_attribute("value").and_then(|value| path.with_sub_attribute(value.name).ok())
}

fn is_descending(order: Option<&str>) -> Result<bool, ScimError> {
    match order.map(str::to_ascii_lowercase).as_deref() {
        None | Some("" | "ascending") => Ok(false),
        Some("descending") => Ok(true),
        Some(_) => Err(ScimError::InvalidValue("sortOrder is ascending or descending".into())),
    }
}

/// The value; of several the primary one, else the first.
fn one_of(value: &Value) -> Option<&Value> {
    match value {
        Value::Array(values) => {
            values.iter().find(|value| is_primary(value)).or_else(|| values.first())
        }
        single => Some(single),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::scim::dialect::{ENTRA, STRICT};

    fn people() -> Vec<Map<String, Value>> {
        let people = json!([
            { "id": "a", "userName": "bob", "active": true, "title": "Z",
              "emails": [{ "value": "z@x" }, { "value": "a@x", "primary": true }],
              "urn:contoso:employee": { "Level": 10 } },
            { "id": "B", "userName": "Alice", "active": false,
              "emails": [{ "value": "M@x" }, { "value": "a@x" }],
              "urn:contoso:employee": { "Level": 9.5 } },
            { "id": "C", "userName": "carol", "title": "a", "emails": [],
              "meta": { "created": "2026-01-01T00:30:00+01:00" } },
            { "id": "d", "userName": "Dave", "title": null,
              "meta": { "created": "2026-01-01T00:00:00Z" } },
        ]);
        people
            .as_array()
            .unwrap()
            .iter()
            .map(|person| person.as_object().unwrap().clone())
            .collect()
    }

    fn ordered(sort_by: &str, sort_order: &str) -> String {
        let sort = Sort::parse(sort_by, Some(sort_order), None, &ENTRA).unwrap();
        let mut people = people();
        people.sort_by(|one, other| sort.compare(sort.key(one).as_ref(), sort.key(other).as_ref()));
        people.iter().map(|person| person["id"].as_str().unwrap()).collect()
    }

    #[test]
    fn a_list_is_ordered_by_what_its_resources_have() {
        let orders = [
            ("userName", "", "BaCd"),
            ("USERNAME", "Descending", "dCaB"),
            ("urn:ietf:params:scim:schemas:core:2.0:User:userName", "ascending", "BaCd"),
            ("id", "", "BCad"),
            ("title", "", "CaBd"),
            ("title", "descending", "BdaC"),
            ("emails", "", "aBCd"),
            ("emails.value", "descending", "CdBa"),
            ("active", "", "BaCd"),
            ("meta.created", "", "CdaB"),
            ("urn:contoso:employee:level", "", "BaCd"),
            ("nothing", "", "aBCd"),
            ("nothing", "descending", "aBCd"),
        ];
        for (sort_by, sort_order, expected) in orders {
            assert_eq!(ordered(sort_by, sort_order), expected, "{sort_by} {sort_order}");
        }
    }

    #[test]
    fn an_order_that_is_none_is_refused() {
        let orders = [
            ("userName", "up"),
            ("userName", "true"),
            ("", ""),
            ("name", ""),
            ("addresses", ""),
            ("password", ""),
            ("user name", ""),
            ("emails[type eq \"work\"].value", ""),
        ];
        for (sort_by, sort_order) in orders {
            let refused = Sort::parse(sort_by, Some(sort_order), None, &ENTRA);

            assert!(matches!(refused, Err(ScimError::InvalidValue(_))), "{sort_by} {sort_order}");
        }
        assert!(Sort::parse("favourite", None, None, &STRICT).is_err());
        assert!(Sort::parse("title", None, Some(ResourceType::Group), &STRICT).is_err());
    }

    #[test]
    fn whole_numbers_are_ordered_to_the_last_digit() {
        let number = |text: &str| Key::Number(serde_json::from_str(text).unwrap());

        let numbers = ["-1.5", "-1", "0", "0.5", "9007199254740992", "9007199254740993", "1e30"];

        assert!(numbers.iter().map(|text| number(text)).is_sorted_by(|one, other| one < other));
    }
}
