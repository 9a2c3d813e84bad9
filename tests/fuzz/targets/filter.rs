//! The `filter` of a query, which decides whom a directory finds and so whom it creates again.
//!
//! The input is the filter.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use portico::scim::{
    dialect::{ENTRA, STRICT},
    filter::{Comparison, Filter, MAX_LENGTH, Operator, fold, search_form},
    schema::ResourceType,
};
use serde_json::{Map, Value};

const ALICE: &str = r#"{
    "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "id": "48AF", "userName": "Alice",
    "active": true, "title": "", "favourite": "7", "name": { "familyName": "O'Malley" },
    "emails": [{ "type": "Work", "value": "A@x", "primary": true }, { "type": "home", "value": "b@x" }],
    "meta": { "resourceType": "User", "created": "2026-03-27T20:00:00+02:00" },
    "urn:contoso:employee": { "Level": 7, "HireDate": "2026-03-27" }
}"#;

static RESOURCES: LazyLock<[Map<String, Value>; 2]> =
    LazyLock::new(|| [ALICE, "{}"].map(|text| serde_json::from_str(text).expect("JSON")));

fuzz_target!(|input: &str| {
    for profile in [&ENTRA, &STRICT] {
        for kind in [None, Some(ResourceType::User), Some(ResourceType::Group)] {
            if let Ok(filter) = Filter::parse(input, kind, profile) {
                check(&filter);
                let written = filter.to_string();
                let again = Filter::parse(&written, kind, profile);
                assert!(written.len() > MAX_LENGTH || again.as_ref() == Ok(&filter), "{written}");
            }
        }
    }
    assert_eq!(fold(&fold(input)), fold(input));
});

/// The filter survives being handed to a database, and every leaf of it means there what it means
/// here.
fn check(filter: &Filter) {
    let text = serde_json::to_string(filter).expect("a filter serializes");
    assert_eq!(serde_json::from_str::<Filter>(&text).expect("what was written is read"), *filter);
    for resource in &*RESOURCES {
        let opposite = Filter::Not(Box::new(filter.clone()));
        assert_ne!(filter.matches(resource), opposite.matches(resource));
    }
    each_comparison(filter, &check_comparison);
}

fn each_comparison(filter: &Filter, check: &impl Fn(&Comparison)) {
    match filter {
        Filter::And(parts) | Filter::Or(parts) => {
            parts.iter().for_each(|part| each_comparison(part, check));
        }
        Filter::Not(part) => each_comparison(part, check),
        Filter::Present(_) => {}
        Filter::Compare(comparison) => check(comparison),
    }
}

/// `eq` finds in a resource what lies among the equal values in its search form.
fn check_comparison(comparison: &Comparison) {
    if comparison.path.filter.is_some()
        || comparison.operator != Operator::Equal
        || comparison.value.is_null()
    {
        return;
    }
    let leaf = Filter::Compare(comparison.clone());
    for resource in &*RESOURCES {
        let form = search_form(resource);
        let mut path = comparison.path.clone();
        path.schema = path.schema.map(|urn| urn.to_ascii_lowercase());
        let found = path.values(&form).into_iter().any(|value| {
            let value = value.get("value").unwrap_or(value);
            comparison.equals().iter().any(|equal| match (equal.as_f64(), value.as_f64()) {
                (Some(one), Some(other)) => one == other,
                _ => equal == value,
            })
        });
        assert_eq!(leaf.matches(resource), found, "{leaf}");
    }
}
