//! A PATCH of a user or a group.
//!
//! The input is the body of the request.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use portico::scim::{
    body,
    dialect::{ENTRA, Profile, STRICT},
    group::{Group, MAX_MEMBERS},
    patch::{GroupPatch, MemberChange, Patch},
    user::User,
};
use serde_json::{Map, Value};

static ALICE: LazyLock<User> = LazyLock::new(|| {
    let text = br#"{
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "externalId": "0a21",
        "userName": "Alice", "name": { "givenName": "Alice", "familyName": "O'Malley" },
        "emails": [{ "type": "work", "value": "a@x", "primary": true }, { "value": "b@x" }],
        "roles": [{ "value": "Admin", "primary": true }], "active": true,
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":
            { "department": "Sales", "manager": { "value": "2" } }
    }"#;
    User::parse(body::parse(text).expect("JSON"), &STRICT).expect("a user")
});

static GUIDES: LazyLock<Group> = LazyLock::new(|| {
    let text = br#"{
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Guides"
    }"#;
    Group::parse(body::parse(text).expect("JSON"), &STRICT).expect("a group").0
});

fuzz_target!(|input: &[u8]| {
    let Ok(body) = body::parse(input) else { return };
    for profile in [&ENTRA, &STRICT] {
        check_user(&body, profile);
        check_group(&body, profile);
    }
});

/// Who comes out of a PATCH is as complete as who is created.
fn check_user(body: &Map<String, Value>, profile: &Profile) {
    let Ok(patch) = Patch::parse(body, profile) else { return };
    let Ok(user) = patch.apply(ALICE.clone()) else { return };
    assert!(!user.user_name().trim().is_empty() && !user.primary_email().is_empty());
    assert!(!user.given_name().is_empty() && !user.family_name().is_empty());
    let attributes = user.attributes();
    assert!(
        ["id", "meta", "schemas", "groups", "password"].map(|n| attributes.get(n)) == [None; 5]
    );
    User::parse(attributes.clone(), &ENTRA).expect("who is stored can be created");
}

/// Nobody is in a group's own attributes, and nobody is named twice in a change of its members.
fn check_group(body: &Map<String, Value>, profile: &Profile) {
    let Ok(patch) = GroupPatch::parse(body, profile) else { return };
    for change in patch.members() {
        let mut named: Vec<&str> = match change {
            MemberChange::Add(members) | MemberChange::Set(members) => {
                members.iter().map(|member| member.value.as_str()).collect()
            }
            MemberChange::Remove(values) => values.iter().map(String::as_str).collect(),
            MemberChange::RemoveWhere(filter) => {
                let _ = filter.matches(GUIDES.attributes());
                Vec::new()
            }
        };
        let count = named.len();
        named.sort_unstable();
        named.dedup();
        assert!(named.len() == count && count <= MAX_MEMBERS, "{named:?}");
    }
    if let Ok(group) = patch.apply(GUIDES.clone()) {
        assert!(!group.display_name().trim().is_empty());
        assert!(group.attributes().get("members").is_none());
    }
}
