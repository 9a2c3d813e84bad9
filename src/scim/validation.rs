//! Whether the attributes of a resource are of the right types and sizes.

use std::{
    collections::HashSet,
    io::{self, Write},
};

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::scim::{
    attribute_path::{AttributePath, is_urn},
    custom,
    dialect::value::is_primary,
    error::{ScimError, quoted},
    schema::{Attribute, ENTERPRISE_USER, Kind, Mutability, ResourceType},
    user::User,
};

/// A resource has at most this many bytes as JSON.
pub const MAX_SIZE: usize = 64 * 1024;

/// A multi-valued attribute has at most this many values.
pub const MAX_VALUES: usize = 1000;

/// Values lie at most this deep within each other.
pub const MAX_DEPTH: usize = 10;

/// What resources are looked up by (`userName`, `externalId`, the primary e-mail address, a group's
/// `displayName`) has at most this many characters: a database's index holds no longer ones.
pub const MAX_LOOKUP: usize = 255;

/// A resource has at most this many attributes under URNs that nobody published.
pub const MAX_CUSTOM: usize = 200;

/// What a connector requires of users beyond what every connector does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Requirements {
    /// `department` of the enterprise extension.
    pub department: bool,
}

impl Requirements {
    /// Whether what is required is there.
    ///
    /// # Errors
    ///
    /// [`ScimError::InvalidValue`] names what is missing.
    pub fn check(&self, user: &User) -> Result<(), ScimError> {
        let extension = user.attributes().get(ENTERPRISE_USER);
        let department = extension.and_then(|extension| extension.get("department"));
        let given = department.and_then(Value::as_str).is_some_and(|name| !name.trim().is_empty());
        if self.department && !given {
            let detail = format!("{ENTERPRISE_USER}:department is required");
            return Err(ScimError::InvalidValue(detail));
        }
        Ok(())
    }
}

/// The values that may not change any more, as they are before a change (RFC 7643 §7).
#[derive(Debug)]
pub(super) struct Immutable(Vec<(AttributePath, Vec<Value>)>);

impl Immutable {
    /// Those of a resource.
    pub(super) fn of(resource_type: ResourceType, attributes: &Map<String, Value>) -> Self {
        Self::among(resource_type.schema().attributes, attributes)
    }

    fn among(known: &[Attribute], attributes: &Map<String, Value>) -> Self {
        let paths = known.iter().flat_map(immutable_paths);
        let values = paths.map(|path| {
            let values = path.values(attributes).into_iter().cloned().collect();
            (path, values)
        });
        Self(values.filter(|(_, values): &(_, Vec<_>)| !values.is_empty()).collect())
    }

    /// Refuses a resource in which one of them is another, or is gone.
    pub(super) fn check(&self, attributes: &Map<String, Value>) -> Result<(), ScimError> {
        let same = |path: &AttributePath, values: &[Value]| {
            path.values(attributes).into_iter().eq(values.iter())
        };
        match self.0.iter().find(|(path, values)| !same(path, values)) {
            None => Ok(()),
            Some((path, _)) => {
                Err(ScimError::Mutability(format!("{path} cannot change once it is set")))
            }
        }
    }
}

/// The attribute or its sub-attributes; not those of a list, whose values come and go whole.
fn immutable_paths(known: &Attribute) -> Vec<AttributePath> {
    let is_immutable = |known: &&Attribute| known.mutability == Mutability::Immutable;
    let path = AttributePath::of(None, known.name);
    if is_immutable(&known) {
        return vec![path];
    }
    let single = known.sub_attributes.iter().filter(|_| !known.multi_valued);
    let subs = single.filter(is_immutable).map(|sub| sub.name.to_owned());
    subs.map(|sub| AttributePath { sub_attribute: Some(sub), ..path.clone() }).collect()
}

/// Checks sizes, and the types of what the schemas know.
pub(super) fn validate(
    resource_type: ResourceType,
    attributes: &Map<String, Value>,
) -> Result<(), ScimError> {
    check_size(attributes)?;
    check_custom(attributes)?;
    let mut attributes = attributes.iter();
    attributes.try_for_each(|(name, value)| check_attribute(resource_type, name, value))
}

/// Refuses a text that is too long to be looked up by.
pub(super) fn check_length(name: &str, text: &str) -> Result<(), ScimError> {
    if text.chars().count() > MAX_LOOKUP {
        let detail = format!("{name} has at most {MAX_LOOKUP} characters");
        return Err(ScimError::InvalidValue(detail));
    }
    Ok(())
}

/// What is said of a URN whose value is no object.
pub(super) fn not_an_extension(urn: &str) -> ScimError {
    ScimError::InvalidValue(format!("{} must be an object of attributes", quoted(urn)))
}

/// Takes out what means "no value".
pub(super) fn sweep(members: &mut Map<String, Value>) {
    members.values_mut().for_each(sweep_value);
    members.retain(|_, value| !is_nothing(value));
}

/// Of several values with the same `value` and `type` leaves the first, of attributes that the
/// schema knows (RFC 7643 §2.4).
pub(super) fn say_once(resource_type: ResourceType, attributes: &mut Map<String, Value>) {
    for (name, values) in attributes {
        let is_list = resource_type.find(None, name).is_some_and(|known| known.multi_valued);
        if let Some(values) = values.as_array_mut().filter(|values| is_list && values.len() > 1) {
            let mut said = HashSet::with_capacity(values.len());
            values.retain(|value| said.insert(what_it_says(value)));
        }
    }
}

/// What makes two values of an attribute the same: `value` and `type`, else all that they have.
fn what_it_says(value: &Value) -> String {
    match value.get("value") {
        Some(said) => json!([said, value.get("type")]).to_string(),
        None => value.to_string(),
    }
}

fn sweep_value(value: &mut Value) {
    match value {
        Value::Object(members) => sweep(members),
        Value::Array(values) => {
            values.iter_mut().for_each(sweep_value);
            values.retain(|value| !is_nothing(value));
        }
        _ => {}
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(values) => values.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    }
}

/// How many bytes a value has as JSON.
pub(super) fn json_size(value: &impl Serialize) -> usize {
    let mut counted = Counted(0);
    serde_json::to_writer(&mut counted, value).map_or(usize::MAX, |()| counted.0)
}

/// Counts what is written to it.
struct Counted(usize);

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn check_size(attributes: &Map<String, Value>) -> Result<(), ScimError> {
    for (name, value) in attributes {
        if name.contains('\0') || has_nul(value) {
            let detail = format!("{} contains the character U+0000", quoted(name));
            return Err(ScimError::InvalidValue(detail));
        }
        if !is_bounded(value, MAX_DEPTH) {
            let detail = format!(
                "{} is deeper than {MAX_DEPTH} levels or has more than {MAX_VALUES} values",
                quoted(name)
            );
            return Err(ScimError::InvalidValue(detail));
        }
    }
    let size = json_size(attributes);
    if size > MAX_SIZE {
        let detail = format!("a resource has at most {MAX_SIZE} bytes, this one has {size}");
        return Err(ScimError::InvalidValue(detail));
    }
    Ok(())
}

fn is_bounded(value: &Value, depth: usize) -> bool {
    let deeper = depth.checked_sub(1);
    let within = |value: &Value| deeper.is_some_and(|depth| is_bounded(value, depth));
    match value {
        Value::Array(values) => values.len() <= MAX_VALUES && values.iter().all(within),
        Value::Object(members) => members.values().all(within),
        _ => true,
    }
}

/// Whether U+0000 is in a name or a text: PostgreSQL holds it in neither.
fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(values) => values.iter().any(has_nul),
        Value::Object(members) => {
            members.iter().any(|(name, value)| name.contains('\0') || has_nul(value))
        }
        _ => false,
    }
}

fn check_custom(attributes: &Map<String, Value>) -> Result<(), ScimError> {
    let custom = custom::attributes_of(attributes).count();
    if custom > MAX_CUSTOM {
        let detail = format!("a resource has at most {MAX_CUSTOM} custom attributes, not {custom}");
        return Err(ScimError::InvalidValue(detail));
    }
    Ok(())
}

fn check_attribute(
    resource_type: ResourceType,
    name: &str,
    value: &Value,
) -> Result<(), ScimError> {
    if let Some(known) = resource_type.find(None, name) {
        return check_type(known, value, &AttributePath::of(None, name));
    }
    let Value::Object(members) = value else {
        return if is_urn(name) { Err(not_an_extension(name)) } else { Ok(()) };
    };
    for (member, value) in members {
        if let Some(known) = resource_type.find(Some(name), member) {
            check_type(known, value, &AttributePath::of(Some(name), member))?;
        }
    }
    Ok(())
}

fn check_type(known: &Attribute, value: &Value, path: &AttributePath) -> Result<(), ScimError> {
    if !known.multi_valued {
        return check_single(known, value, path);
    }
    let wrong = || ScimError::InvalidValue(format!("{path} must be a list"));
    let values = value.as_array().ok_or_else(wrong)?;
    values.iter().try_for_each(|value| check_single(known, value, path))?;
    if values.iter().filter(|value| is_primary(value)).count() > 1 {
        let detail = format!("only one value of {path} can be primary");
        return Err(ScimError::InvalidValue(detail));
    }
    Ok(())
}

fn check_single(known: &Attribute, value: &Value, path: &AttributePath) -> Result<(), ScimError> {
    if let (Kind::Complex, Value::Object(members)) = (known.kind, value) {
        return check_members(known, members, path);
    }
    check_kind(known.kind, value, path)
}

/// Refuses a value that is not of the kind. What is inside a complex value is not looked at.
pub(super) fn check_kind(kind: Kind, value: &Value, path: &AttributePath) -> Result<(), ScimError> {
    let (fits, wanted) = match kind {
        Kind::Boolean => (value.is_boolean(), "true or false"),
        Kind::Integer => (value.is_i64() || value.is_u64(), "a whole number"),
        Kind::Decimal => (value.is_number(), "a number"),
        Kind::Complex => (value.is_object(), "an object"),
        Kind::String | Kind::DateTime | Kind::Binary | Kind::Reference => {
            (value.is_string(), "text")
        }
    };
    if fits { Ok(()) } else { Err(ScimError::InvalidValue(format!("{path} must be {wanted}"))) }
}

fn check_members(
    known: &Attribute,
    members: &Map<String, Value>,
    path: &AttributePath,
) -> Result<(), ScimError> {
    for (name, value) in members {
        if let Some(known) = known.sub_attribute(name) {
            let sub_attribute = Some(name.clone());
            check_type(known, value, &AttributePath { sub_attribute, ..path.clone() })?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::scim::{
        dialect::ENTRA,
        user::tests::{created_by_entra, members},
    };

    #[test]
    fn a_department_is_missed_only_where_it_is_required() {
        let user = |department: Value| {
            let mut body = created_by_entra();
            body.extend(members(json!({ ENTERPRISE_USER: { "department": department } })));
            User::parse(body, &ENTRA).unwrap()
        };
        let (all, none) = (Requirements { department: true }, Requirements::default());

        assert_eq!(all.check(&user(json!("Sales"))), Ok(()));
        for missing in [json!(null), json!(""), json!(" ")] {
            assert_eq!(none.check(&user(missing.clone())), Ok(()));
            let refused = all.check(&user(missing)).unwrap_err();
            assert!(refused.to_string().contains("User:department is required"), "{refused}");
        }
    }

    #[test]
    fn an_immutable_attribute_is_set_once_and_repeated_at_will() {
        let text = ResourceType::User.find(None, "title").unwrap();
        let list = ResourceType::Group.find(None, "members").unwrap();
        let badge = Attribute { name: "badge", mutability: Mutability::Immutable, ..*text };
        let desk = Attribute { name: "desk", multi_valued: false, ..*list };
        let known = [badge, desk, *list];
        let given =
            json!({ "badge": "1", "desk": { "value": "4B" }, "members": [{ "value": "a" }] });
        let changed = [
            (json!({}), json!({ "badge": "1", "desk": { "value": "4B" } }), None),
            (given.clone(), given.clone(), None),
            (
                given.clone(),
                json!({ "badge": "1", "desk": { "value": "4B", "display": "x" } }),
                None,
            ),
            (given.clone(), json!({ "badge": "2", "desk": { "value": "4B" } }), Some("badge")),
            (given.clone(), json!({ "desk": { "value": "4B" } }), Some("badge")),
            (given.clone(), json!({ "badge": "1", "desk": { "value": "5A" } }), Some("desk.value")),
            (given, json!({ "badge": "1" }), Some("desk.value")),
        ];
        for (before, after, wrong) in changed {
            let checked = Immutable::among(&known, &members(before)).check(&members(after.clone()));

            let named = wrong.map(|wrong| format!("{wrong} cannot change once it is set"));
            assert_eq!(checked.err().map(|error| error.to_string()), named, "{after}");
        }
    }
}
