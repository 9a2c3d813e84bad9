//! A resource in the form that a database compares with.

use serde_json::{Map, Value};

use crate::scim::{
    attribute_path::is_urn,
    filter::fold,
    schema::{self, Attribute},
};

/// The resource as a database stores it to compare with: names and URNs in ASCII small letters,
/// texts [folded](fold) unless their case counts, numbers and booleans as they are, nulls left
/// out.
///
/// What a [`Comparison`](super::Comparison) finds in it, byte by byte with
/// [`Comparison::wanted`](super::Comparison::wanted), is what
/// [`Filter::matches`](super::Filter::matches) finds in the resource.
pub fn search_form(resource: &Map<String, Value>) -> Map<String, Value> {
    let members = resource.iter().filter(|(_, value)| !value.is_null());
    let forms = members.map(|(name, value)| {
        let form = match value {
            Value::Object(extension) if is_urn(name) => {
                members_form(extension, |member| schema::find(Some(name), member))
            }
            value => value_form(value, schema::find(None, name)),
        };
        (name.to_ascii_lowercase(), form)
    });
    forms.collect()
}

fn value_form(value: &Value, definition: Option<&'static Attribute>) -> Value {
    match value {
        Value::String(text) if definition.is_some_and(|known| known.case_exact) => {
            text.clone().into()
        }
        Value::String(text) => fold(text).into(),
        Value::Array(values) => values
            .iter()
            .filter(|value| !value.is_null())
            .map(|value| value_form(value, definition))
            .collect(),
        Value::Object(members) => {
            members_form(members, |name| definition.and_then(|known| known.sub_attribute(name)))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

fn members_form(
    members: &Map<String, Value>,
    definition: impl Fn(&str) -> Option<&'static Attribute>,
) -> Value {
    let members = members.iter().filter(|(_, value)| !value.is_null());
    let forms = members
        .map(|(name, value)| (name.to_ascii_lowercase(), value_form(value, definition(name))));
    Value::Object(forms.collect())
}
