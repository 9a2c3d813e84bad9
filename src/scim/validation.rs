//! Whether the attributes of a resource are of the right types and sizes.

use serde_json::{Map, Value};

use crate::scim::{
    attribute_path::{AttributePath, is_urn},
    dialect::value::is_primary,
    error::{ScimError, quoted},
    schema::{self, Attribute, Kind},
};

/// A resource has at most this many bytes as JSON.
pub const MAX_SIZE: usize = 64 * 1024;

/// A multi-valued attribute has at most this many values.
pub const MAX_VALUES: usize = 1000;

/// Values lie at most this deep within each other.
pub const MAX_DEPTH: usize = 10;

/// Checks sizes, and the types of what the schemas know.
pub(super) fn validate(attributes: &Map<String, Value>) -> Result<(), ScimError> {
    check_size(attributes)?;
    attributes.iter().try_for_each(|(name, value)| check_attribute(name, value))
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

fn check_size(attributes: &Map<String, Value>) -> Result<(), ScimError> {
    for (name, value) in attributes {
        if !is_bounded(value, MAX_DEPTH) {
            let detail = format!(
                "{} is deeper than {MAX_DEPTH} levels or has more than {MAX_VALUES} values",
                quoted(name)
            );
            return Err(ScimError::InvalidValue(detail));
        }
    }
    let size = serde_json::to_vec(attributes).map_or(usize::MAX, |json| json.len());
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

fn check_attribute(name: &str, value: &Value) -> Result<(), ScimError> {
    if let Some(known) = schema::find(None, name) {
        return check_type(known, value, &AttributePath::of(None, name));
    }
    let Value::Object(members) = value else {
        return if is_urn(name) { Err(not_an_extension(name)) } else { Ok(()) };
    };
    for (member, value) in members {
        if let Some(known) = schema::find(Some(name), member) {
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
    let wanted = match (known.kind, value) {
        (Kind::Boolean, Value::Bool(_)) => return Ok(()),
        (Kind::Complex, Value::Object(members)) => return check_members(known, members, path),
        (kind, Value::String(_)) if kind.is_text() => return Ok(()),
        (Kind::Boolean, _) => "true or false",
        (Kind::Complex, _) => "an object",
        _ => "text",
    };
    Err(ScimError::InvalidValue(format!("{path} must be {wanted}")))
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
