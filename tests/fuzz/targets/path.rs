//! The names of attributes: in PATCH operations, in what is sorted by, in what is answered.
//!
//! The input is a path, or names with commas between.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use portico::scim::{
    attribute_path::AttributePath,
    dialect::{ENTRA, STRICT},
    projection::Projection,
    sort::Sort,
};
use serde_json::{Map, Value};

static ALICE: LazyLock<Map<String, Value>> = LazyLock::new(|| {
    let text = r#"{
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "id": "48AF",
        "userName": "Alice", "name": { "familyName": "O'Malley" },
        "emails": [{ "type": "work", "value": "a@x", "primary": true }, { "value": "b@x" }],
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":
            { "department": "Sales", "manager": { "value": "2", "displayName": "Bo" } },
        "urn:contoso:employee": { "Level": 7 }
    }"#;
    serde_json::from_str(text).expect("JSON")
});

fuzz_target!(|input: &str| {
    for profile in [&ENTRA, &STRICT] {
        if let Ok(path) = AttributePath::parse(input, profile) {
            let _ = path.values(&ALICE);
        }
        if let Ok(path) = AttributePath::parse_name(input, profile) {
            let again = AttributePath::parse_name(&path.to_string(), profile);
            assert_eq!(again.as_ref(), Ok(&path), "{path}");
        }
        if let Ok(sort) = Sort::parse(input, None, None, profile) {
            let key = sort.key(&ALICE);
            assert!(sort.compare(key.as_ref(), key.as_ref()).is_eq());
            assert!(sort.compare(key.as_ref(), None).is_le());
        }
        if let Ok(only) = Projection::parse(Some(input), None, profile) {
            check_projection(&only);
        }
        if let Ok(without) = Projection::parse(None, Some(input), profile) {
            check_projection(&without);
        }
    }
});

/// An answer has nothing that the resource has not, is a resource, and is what it is.
fn check_projection(projection: &Projection) {
    let projected = projection.apply(ALICE.clone());
    assert_eq!((&projected["id"], &projected["schemas"]), (&ALICE["id"], &ALICE["schemas"]));
    assert!(projected.keys().all(|name| ALICE.contains_key(name)));
    for name in ["userName", "name", "emails"] {
        assert!(projection.wants(name) || !projected.contains_key(name), "{name}");
    }
    assert_eq!(projection.apply(projected.clone()), projected);
}
