//! A resource in the form that a database compares with.

use serde_json::{Map, Value};

use crate::scim::{
    attribute_path::is_urn,
    filter::fold,
    schema::{self, Attribute},
};

/// The resource as a database stores it to compare with: names and URNs in ASCII small letters,
/// texts [folded](fold()) unless their case counts, numbers and booleans as they are, nulls left
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

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;

    use proptest::{prelude::*, sample::select};
    use serde_json::json;

    use super::*;
    use crate::scim::{
        attribute_path::AttributePath,
        dialect::ENTRA,
        filter::{Comparison, Filter, Operator},
    };

    #[test]
    fn a_search_form_has_small_names_folded_texts_and_no_nulls() {
        let resource = json!({
            "id": "48AF", "userName": "Alice", "Custom": "X", "nothing": null, "active": true,
            "externalId": "Ab-1", "schemas": [schema::USER],
            "meta": { "created": "2026-03-27T20:00:00+02:00", "version": "W/\"1\"" },
            "emails": [{ "VALUE": "A@X", "type": null }, null],
            "x509Certificates": [{ "value": "MIIC", "display": "Key" }],
            schema::ENTERPRISE_USER: { "manager": { "value": "Ab", "displayName": "Bo" } },
            "urn:Contoso:employee": { "HireDate": "2026-03-27", "Level": 7.5 },
        });

        let form = search_form(resource.as_object().unwrap());

        let expected = json!({
            "id": "48AF", "username": "alice", "custom": "x", "active": true,
            "externalid": "Ab-1", "schemas": [schema::USER],
            "meta": { "created": "2026-03-27t18:00:00.000000000z", "version": "W/\"1\"" },
            "emails": [{ "value": "a@x" }],
            "x509certificates": [{ "value": "MIIC", "display": "key" }],
            schema::ENTERPRISE_USER.to_ascii_lowercase():
                { "manager": { "value": "Ab", "displayname": "bo" } },
            "urn:contoso:employee": { "hiredate": "2026-03-27", "level": 7.5 },
        });
        assert_eq!(Value::Object(form), expected);
    }

    /// What a database does: looks the values up by their small names and compares bytes.
    fn by_hand(comparison: &Comparison, form: &Map<String, Value>) -> bool {
        let values = found(&comparison.path, form);
        let wanted = comparison.wanted();
        if wanted.is_null() {
            let nothing = [json!(""), json!([]), json!({})];
            let present = values.iter().any(|value| !nothing.contains(value));
            return present == (comparison.operator == Operator::NotEqual);
        }
        let equal = |value: &Value| {
            let number = |value: &Value| value.as_f64();
            comparison.equals().iter().any(|equal| match number(equal) {
                Some(wanted) => number(value) == Some(wanted),
                None => equal == value,
            })
        };
        let order = |value: &Value| match (value, &wanted) {
            (Value::String(one), Value::String(other)) => Some(one.cmp(other)),
            (Value::Number(one), Value::Number(other)) => one.as_f64().partial_cmp(&other.as_f64()),
            _ => None,
        };
        let texts = |value: &Value, holds: fn(&str, &str) -> bool| {
            value.as_str().zip(wanted.as_str()).is_some_and(|(one, other)| holds(one, other))
        };
        let holds = |value: &Value| match comparison.operator {
            Operator::Equal | Operator::NotEqual => equal(value),
            Operator::Contains => texts(value, |one, other| one.contains(other)),
            Operator::StartsWith => texts(value, |one, other| one.starts_with(other)),
            Operator::EndsWith => texts(value, |one, other| one.ends_with(other)),
            Operator::GreaterThan => order(value).is_some_and(Ordering::is_gt),
            Operator::GreaterOrEqual => order(value).is_some_and(Ordering::is_ge),
            Operator::LessThan => order(value).is_some_and(Ordering::is_lt),
            Operator::LessOrEqual => order(value).is_some_and(Ordering::is_le),
        };
        values.iter().any(holds) != (comparison.operator == Operator::NotEqual)
    }

    fn found(path: &AttributePath, form: &Map<String, Value>) -> Vec<Value> {
        let at = |value: Value, name: &str| match value {
            Value::Object(mut members) => members.remove(&name.to_ascii_lowercase()),
            _ => None,
        };
        let each = |value: Value| match value {
            Value::Array(values) => values,
            single => vec![single],
        };
        let mut holder = Some(Value::Object(form.clone()));
        if let Some(urn) = &path.schema {
            holder = holder.and_then(|holder| at(holder, urn));
        }
        let attribute = holder.and_then(|holder| at(holder, &path.attribute));
        let values = attribute.map(each).unwrap_or_default().into_iter();
        match &path.sub_attribute {
            Some(sub) => values.filter_map(|value| at(value, sub)).flat_map(each).collect(),
            None => values.map(|value| at(value.clone(), "value").unwrap_or(value)).collect(),
        }
    }

    const TEXTS: [&str; 14] = [
        "",
        "a",
        "A",
        "aB",
        "Ab-1",
        "É",
        "é",
        "True",
        "false",
        "7",
        "2026-03-27",
        "2026-03-27T18:00:00Z",
        "2026-03-27T20:00:00.0+02:00",
        "2025-12-31T23:59:59.999Z",
    ];

    fn value() -> impl Strategy<Value = Value> {
        prop_oneof![
            4 => select(&TEXTS[..]).prop_map(Value::from),
            1 => select(vec![json!(7), json!(7.0), json!(-1), json!(7.5)]),
            1 => any::<bool>().prop_map(Value::from),
            1 => Just(Value::Null),
        ]
    }

    fn resource() -> impl Strategy<Value = Map<String, Value>> {
        let email = (value(), value(), any::<bool>());
        let emails = proptest::collection::vec(
            email.prop_map(|(r#type, value, primary)| {
                json!({ "type": r#type, "Value": value, "primary": primary })
            }),
            0..3,
        );
        let rest = proptest::collection::vec(value(), 8);
        (emails, rest).prop_map(|(emails, rest)| {
            let resource = json!({
                "id": rest[0], "userName": rest[1], "externalId": rest[2], "favourite": rest[3],
                "emails": emails, "meta": { "created": rest[4], "version": rest[5] },
                "urn:Contoso:x": { "Code": rest[6], "List": [rest[7], rest[0]] },
            });
            resource.as_object().unwrap().clone()
        })
    }

    fn filter() -> impl Strategy<Value = String> {
        let names = [
            "id",
            "userName",
            "externalId",
            "favourite",
            "emails",
            "emails.type",
            "emails.primary",
            "meta.created",
            "meta.version",
            "urn:contoso:x:code",
            "urn:contoso:x:list",
            "nickName",
        ];
        let operators = ["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"];
        (select(names.to_vec()), select(operators.to_vec()), value())
            .prop_map(|(name, operator, value)| format!("{name} {operator} {value}"))
    }

    proptest! {
        #[test]
        fn a_comparison_finds_the_same_in_a_resource_and_in_its_search_form(
            text in filter(),
            resource in resource(),
        ) {
            if let Ok(filter) = Filter::parse(&text, None, &ENTRA) {
                let Filter::Compare(comparison) = &filter else { panic!("{text}") };

                let by_hand = by_hand(comparison, &search_form(&resource));

                prop_assert_eq!(filter.matches(&resource), by_hand);
            }
        }
    }
}
