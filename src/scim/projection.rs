//! Which attributes an answer has (RFC 7644 §3.9).

use serde_json::{Map, Value};

use crate::scim::{
    attribute_path::{AttributePath, member},
    dialect::Profile,
    error::ScimError,
};

/// More names than this in one parameter are refused.
pub const MAX_NAMES: usize = 200;

/// Which attributes an answer has. `id` and `schemas` are always among them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Projection {
    /// Only these; `None` is all.
    attributes: Option<Vec<AttributePath>>,
    /// And these not.
    excluded: Vec<AttributePath>,
}

impl Projection {
    /// Reads the parameters `attributes` and `excludedAttributes`: names with commas between.
    ///
    /// # Errors
    ///
    /// [`ScimError::InvalidValue`] for a text that is no list of names; also where both are given
    /// and the profile keeps to the RFC. A lenient one takes `excludedAttributes` out of
    /// `attributes`.
    pub fn parse(
        attributes: Option<&str>,
        excluded: Option<&str>,
        profile: &Profile,
    ) -> Result<Self, ScimError> {
        let attributes = attributes.filter(|text| !text.trim().is_empty());
        if attributes.is_some() && excluded.is_some() && !profile.joins_projections {
            let detail = "attributes and excludedAttributes exclude each other";
            return Err(ScimError::InvalidValue(detail.into()));
        }
        Ok(Self {
            attributes: attributes.map(|text| names(text, profile)).transpose()?,
            excluded: names(excluded.unwrap_or_default(), profile)?,
        })
    }

    /// The resource with the attributes that are wanted.
    pub fn apply(&self, resource: Map<String, Value>) -> Map<String, Value> {
        let mut projected = match &self.attributes {
            None => resource,
            Some(wanted) => only(wanted, &resource),
        };
        for path in &self.excluded {
            exclude(path, &mut projected);
        }
        projected
    }
}

fn names(text: &str, profile: &Profile) -> Result<Vec<AttributePath>, ScimError> {
    let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
    let paths = names.map(|name| AttributePath::parse_name(name, profile)).take(MAX_NAMES + 1);
    let paths = paths.collect::<Result<Vec<_>, _>>();
    let paths = paths.map_err(|error| ScimError::InvalidValue(error.to_string()))?;
    if paths.len() > MAX_NAMES {
        return Err(ScimError::InvalidValue(format!("at most {MAX_NAMES} attributes are named")));
    }
    Ok(paths)
}

/// `id`, which RFC 7643 has `returned` always, and `schemas`, without which nothing is a resource.
fn is_always_returned(path: &AttributePath) -> bool {
    path.schema.is_none() && (path.attribute == "id" || path.attribute == "schemas")
}

fn only(wanted: &[AttributePath], resource: &Map<String, Value>) -> Map<String, Value> {
    let mut kept = Map::new();
    for name in ["schemas", "id"] {
        copy(resource, &mut kept, name);
    }
    for path in wanted {
        match &path.schema {
            None => copy_attribute(path, resource, &mut kept),
            Some(urn) => {
                let (Some(urn), Some(from)) =
                    (stored_name(resource, urn), member(resource, urn).and_then(Value::as_object))
                else {
                    continue;
                };
                let to = kept.entry(urn).or_insert_with(|| Value::Object(Map::new()));
                if let Value::Object(to) = to {
                    copy_attribute(path, from, to);
                }
            }
        }
    }
    kept.retain(|_, value| value.as_object().is_none_or(|members| !members.is_empty()));
    kept
}

fn copy_attribute(path: &AttributePath, from: &Map<String, Value>, to: &mut Map<String, Value>) {
    let Some(sub) = &path.sub_attribute else { return copy(from, to, &path.attribute) };
    let Some(name) = stored_name(from, &path.attribute) else { return };
    let narrowed = narrow(&from[&name], sub, to.get(&name));
    to.insert(name, narrowed);
}

/// The value with one member, beside what was already taken of it.
fn narrow(value: &Value, sub: &str, taken: Option<&Value>) -> Value {
    match value {
        Value::Object(members) => {
            let mut kept = taken.and_then(Value::as_object).cloned().unwrap_or_default();
            copy(members, &mut kept, sub);
            Value::Object(kept)
        }
        Value::Array(values) => values
            .iter()
            .enumerate()
            .map(|(index, value)| narrow(value, sub, taken.and_then(|taken| taken.get(index))))
            .collect(),
        simple => simple.clone(),
    }
}

fn copy(from: &Map<String, Value>, to: &mut Map<String, Value>, name: &str) {
    if let Some(name) = stored_name(from, name) {
        to.insert(name.clone(), from[&name].clone());
    }
}

fn stored_name(members: &Map<String, Value>, name: &str) -> Option<String> {
    members.keys().find(|key| key.eq_ignore_ascii_case(name)).cloned()
}

fn exclude(path: &AttributePath, resource: &mut Map<String, Value>) {
    if is_always_returned(path) {
        return;
    }
    let holder = match &path.schema {
        None => Some(resource),
        Some(urn) => stored_name(resource, urn)
            .and_then(|urn| resource.get_mut(&urn))
            .and_then(Value::as_object_mut),
    };
    let Some(holder) = holder else { return };
    let Some(name) = stored_name(holder, &path.attribute) else { return };
    match (&path.sub_attribute, holder.get_mut(&name)) {
        (Some(sub), Some(value)) => remove_member(value, sub),
        _ => drop(holder.remove(&name)),
    }
}

fn remove_member(value: &mut Value, name: &str) {
    match value {
        Value::Object(members) => members.retain(|key, _| !key.eq_ignore_ascii_case(name)),
        Value::Array(values) => values.iter_mut().for_each(|value| remove_member(value, name)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::scim::dialect::{ENTRA, STRICT};

    fn alice() -> Map<String, Value> {
        let alice = json!({
            "schemas": ["s"], "id": "1", "userName": "alice",
            "name": { "givenName": "Alice", "familyName": "Doe" },
            "emails": [{ "type": "work", "value": "a@x" }, { "type": "home", "value": "b@x" }],
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":
                { "department": "Sales", "division": "West" },
        });
        alice.as_object().unwrap().clone()
    }

    #[test]
    fn an_answer_has_the_attributes_that_were_asked_for() {
        let requests = [
            ("id", json!({ "schemas": ["s"], "id": "1" })),
            ("USERNAME, nothing", json!({ "schemas": ["s"], "id": "1", "userName": "alice" })),
            (
                "name.givenName,emails.value,emails.type",
                json!({
                    "schemas": ["s"], "id": "1", "name": { "givenName": "Alice" },
                    "emails": [{ "type": "work", "value": "a@x" }, { "type": "home", "value": "b@x" }],
                }),
            ),
            (
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
                json!({
                    "schemas": ["s"], "id": "1",
                    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": { "department": "Sales" },
                }),
            ),
        ];
        for (attributes, expected) in requests {
            let projection = Projection::parse(Some(attributes), None, &ENTRA).unwrap();

            assert_eq!(Value::Object(projection.apply(alice())), expected, "{attributes}");
        }
    }

    #[test]
    fn excluded_attributes_are_left_out_but_for_the_id() {
        let excluded =
            "id,name,emails.type,urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

        let projection = Projection::parse(None, Some(excluded), &ENTRA).unwrap();

        let expected = json!({
            "schemas": ["s"], "id": "1", "userName": "alice",
            "emails": [{ "value": "a@x" }, { "value": "b@x" }],
        });
        assert_eq!(Value::Object(projection.apply(alice())), expected);
    }

    #[test]
    fn both_parameters_together_are_met_leniently_and_refused_strictly() {
        let both = (Some("userName,name"), Some("name.givenName"));

        let lenient = Projection::parse(both.0, both.1, &ENTRA).unwrap();
        let strict = Projection::parse(both.0, both.1, &STRICT);

        assert_eq!(lenient.apply(alice())["name"], json!({ "familyName": "Doe" }));
        assert!(strict.is_err());
    }
}
