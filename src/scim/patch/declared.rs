//! Whatever the schemas declare, a client may set, replace and clear, as the schemas say.

use serde_json::{Map, Value, json};

use super::{GroupPatch, PATCH_SCHEMA, Patch};
use crate::scim::{
    custom::{CustomAttribute, CustomAttributes},
    dialect::{ENTRA, Profile, STRICT},
    discovery,
    error::ScimError,
    group::Group,
    schema::{
        Attribute, ENTERPRISE_USER_SCHEMA, GROUP, GROUP_SCHEMA, Kind, Mutability, USER_SCHEMA,
    },
    user::{
        User,
        tests::{created_by_entra, members},
    },
    validation::Requirements,
};

/// A value such as a conformance tester makes up.
fn example(known: &Attribute, salt: &str) -> Value {
    let one = match known.kind {
        Kind::Boolean => json!(true),
        Kind::Integer => json!(7),
        Kind::Decimal => json!(7.5),
        Kind::DateTime => json!("2021-05-01T00:00:00Z"),
        Kind::Binary => json!("AQIDBA=="),
        Kind::Reference => json!(format!("https://{salt}.example")),
        Kind::String => json!(format!("upd-{salt}")),
        Kind::Complex => {
            let subs = known.sub_attributes.iter();
            subs.map(|sub| (sub.name.to_owned(), example(sub, salt))).collect()
        }
    };
    if known.multi_valued { json!([one]) } else { one }
}

fn patched(
    path: &str,
    op: &str,
    value: &Value,
    profile: &Profile,
    user: User,
) -> Result<User, ScimError> {
    let mut operation = members(json!({ "op": op, "path": path }));
    if op != "remove" {
        operation.insert("value".into(), value.clone());
    }
    let body = json!({ "schemas": [PATCH_SCHEMA], "Operations": [operation] });
    Patch::parse(&members(body), profile)?.apply(user)
}

/// The path of each attribute of users that need not be there, with what is known of it.
fn optional() -> Vec<(String, &'static Attribute)> {
    let schemas = [(&USER_SCHEMA, ""), (&ENTERPRISE_USER_SCHEMA, ENTERPRISE_USER_SCHEMA.id)];
    let attributes = schemas.into_iter().flat_map(|(schema, urn)| {
        let free = schema.attributes.iter();
        let free = free.filter(|known| !known.required && known.mutability != Mutability::ReadOnly);
        free.map(move |known| match urn {
            "" => (known.name.to_owned(), known),
            urn => (format!("{urn}:{}", known.name), known),
        })
    });
    attributes.collect()
}

/// What stands at a path without a filter.
fn at<'u>(user: &'u User, path: &str) -> Option<&'u Value> {
    let attributes = user.attributes();
    match path.strip_prefix(ENTERPRISE_USER_SCHEMA.id) {
        Some(name) => attributes.get(ENTERPRISE_USER_SCHEMA.id)?.get(&name[1..]),
        None => attributes.get(path),
    }
}

#[test]
fn every_optional_attribute_of_users_comes_back_as_sent_and_can_be_cleared() {
    for (path, known) in optional() {
        for profile in [&ENTRA, &STRICT] {
            let user = User::parse(created_by_entra(), profile).unwrap();
            let (first, second) = (example(known, "a"), example(known, "b"));

            let added = patched(&path, "add", &first, profile, user).unwrap();
            let replaced = patched(&path, "replace", &second, profile, added.clone()).unwrap();
            let removed =
                patched(&path, "remove", &Value::Null, profile, replaced.clone()).unwrap();

            assert_eq!(at(&added, &path), Some(&first), "{path}");
            assert_eq!(at(&replaced, &path), Some(&second), "{path}");
            assert_eq!(at(&removed, &path), None, "{path}");
        }
    }
}

#[test]
fn every_optional_attribute_of_users_is_cleared_by_an_empty_text_and_by_null() {
    for (path, known) in optional() {
        for nothing in [json!(""), Value::Null] {
            let user = User::parse(created_by_entra(), &ENTRA).unwrap();
            let added = patched(&path, "add", &example(known, "a"), &ENTRA, user).unwrap();

            let once = patched(&path, "replace", &nothing, &ENTRA, added).unwrap();
            let twice = patched(&path, "replace", &nothing, &ENTRA, once.clone()).unwrap();

            assert_eq!(at(&once, &path), None, "{path} {nothing}");
            assert_eq!(twice, once, "{path} {nothing}");
        }
    }
}

#[test]
fn every_attribute_of_a_user_and_a_group_comes_back_from_a_post() {
    let (mut user, mut group) = (Map::new(), Map::new());
    for known in USER_SCHEMA.attributes.iter().filter(|known| known.name != "groups") {
        user.insert(known.name.into(), example(known, "a"));
    }
    user.insert(ENTERPRISE_USER_SCHEMA.id.into(), {
        let attributes = ENTERPRISE_USER_SCHEMA.attributes.iter();
        attributes.map(|known| (known.name.to_owned(), example(known, "a"))).collect()
    });
    for known in GROUP_SCHEMA.attributes.iter().filter(|known| known.name != "members") {
        group.insert(known.name.into(), example(known, "a"));
    }
    let declared = |schema: &str, attributes: &Map<String, Value>| {
        let mut body = attributes.clone();
        body.insert("schemas".into(), json!([schema]));
        body
    };

    for profile in [&ENTRA, &STRICT] {
        let read = User::parse(declared(USER_SCHEMA.id, &user), profile).unwrap();
        let (read_group, _) = Group::parse(declared(GROUP, &group), profile).unwrap();

        assert_eq!(read.attributes(), &user);
        assert_eq!(read_group.attributes(), &group);
    }
}

#[test]
fn a_group_changes_in_every_attribute_but_its_members() {
    for known in GROUP_SCHEMA.attributes.iter().filter(|known| known.name != "members") {
        let body = members(json!({ "schemas": [GROUP], "displayName": "Sales" }));
        let (group, _) = Group::parse(body, &STRICT).unwrap();
        let operation =
            json!({ "op": "replace", "path": known.name, "value": example(known, "b") });
        let message = json!({ "schemas": [PATCH_SCHEMA], "Operations": [operation] });

        let patched = GroupPatch::parse(&members(message), &STRICT).unwrap().apply(group).unwrap();

        assert_eq!(patched.attributes()[known.name], example(known, "b"));
    }
}

#[test]
fn what_a_directory_sends_under_its_own_urn_is_declared_from_then_on() {
    let sent = json!({ "urn:contoso:employee": { "JobCode": "AB-1002", "Level": 7 } });
    let mut body = created_by_entra();
    body.extend(members(sent));
    let user = User::parse(body, &ENTRA).unwrap();

    let known: CustomAttributes =
        CustomAttributes::default().learn(user.attributes()).into_iter().collect();
    let schema = discovery::schema("", "URN:contoso:EMPLOYEE", &known, &Requirements::default());

    let names: Vec<_> = known.iter().map(|known: &CustomAttribute| known.name.as_str()).collect();
    assert_eq!(names, ["JobCode", "Level"]);
    let schema = schema.unwrap();
    let types = schema["attributes"].as_array().unwrap().iter().map(|known| &known["type"]);
    assert_eq!(types.collect::<Vec<_>>(), ["string", "integer"]);
}
