//! What is published of resources and their attributes (RFC 7643 §2.1, §6, §7).

use std::collections::BTreeSet;

use portico::{
    domain::audit_event::{Actor, AuditEvent},
    scim::{custom::CustomAttribute, schema::Kind},
};
use serde_json::{Value, json};

use crate::client::{ENTERPRISE, Scim, USER, assert_fault, user, with};

#[tokio::test]
async fn a_name_that_no_attribute_can_have_is_refused_wherever_it_stands() {
    let scim = Scim::fresh().await;
    let ada = scim.user("ada").await;

    for name in ["1st", "-a", "a b", "a!", "ä", "a..b", "name.", ".name", "a/b", "userName)"] {
        let filter = scim.query("/Users", &[("filter", &format!("{name} eq \"x\""))]).await;
        let projection = scim.query(&ada, &[("attributes", name)]).await;
        let order = scim.query("/Users", &[("sortBy", name)]).await;
        let operation = json!([{ "op": "add", "path": name, "value": "x" }]);
        let path = scim.patch(&ada, operation).await;

        assert_fault(&filter, 400, Some("invalidFilter"), name);
        assert_fault(&projection, 400, Some("invalidValue"), name);
        assert_fault(&order, 400, Some("invalidValue"), name);
        assert_fault(&path, 400, Some("invalidPath"), name);
    }
}

#[tokio::test]
async fn what_is_published_keeps_to_the_types_and_shapes_of_the_standard() {
    let scim = Scim::fresh().await;
    let custom = json!({ "urn:acme:2.0:User": { "a": "x", "b": 1, "c": true, "d": ["x"] } });
    scim.user_with("ada", custom).await;
    let types =
        ["string", "boolean", "decimal", "integer", "dateTime", "binary", "reference", "complex"];
    let characteristics = [
        ("mutability", &["readOnly", "readWrite", "immutable", "writeOnly"][..]),
        ("returned", &["always", "never", "default", "request"]),
        ("uniqueness", &["none", "server", "global"]),
        ("type", &types),
    ];

    let attributes = attributes(&scim.read("/Schemas").await);

    assert!(attributes.len() > 60, "{}", attributes.len());
    for (path, attribute) in attributes {
        let name = attribute["name"].as_str().unwrap();
        let is_letter = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let begins = name.starts_with(|c: char| c.is_ascii_alphabetic());
        assert!(name == "$ref" || (begins && name.chars().all(is_letter)), "{path}");
        for (characteristic, values) in characteristics {
            let value = attribute[characteristic].as_str().unwrap();
            assert!(values.contains(&value), "{path}: {characteristic} {value}");
        }
        for flag in ["multiValued", "required", "caseExact"] {
            assert!(attribute[flag].is_boolean(), "{path}: {flag}");
        }
        let is_complex = attribute["type"] == "complex";
        assert_eq!(attribute.get("subAttributes").is_some(), is_complex, "{path}");
        assert!(!(is_complex && path.contains('.')), "{path} is complex within what is complex");
    }
}

/// Every attribute and sub-attribute of a list of schemas, by its path.
fn attributes(schemas: &Value) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for schema in schemas["Resources"].as_array().unwrap() {
        for attribute in schema["attributes"].as_array().unwrap() {
            let name = attribute["name"].as_str().unwrap();
            found.push((name.to_owned(), attribute.clone()));
            for sub in attribute["subAttributes"].as_array().into_iter().flatten() {
                found.push((format!("{name}.{}", sub["name"].as_str().unwrap()), sub.clone()));
            }
        }
    }
    found
}

#[tokio::test]
async fn a_declared_attribute_takes_only_values_of_its_type() {
    let scim = Scim::strict().await;
    for (name, kind) in [
        ("level", Kind::Integer),
        ("rate", Kind::Decimal),
        ("hired", Kind::DateTime),
        ("remote", Kind::Boolean),
    ] {
        declare(&scim, name, kind).await;
    }
    let cases = [
        ("level", vec![json!(7), json!(-7), json!(0)], vec![json!(7.5), json!("7"), json!(true)]),
        ("rate", vec![json!(7), json!(7.5), json!(-0.5)], vec![json!("7.5"), json!(false)]),
        (
            "hired",
            vec![json!("2026-03-03T09:00:00Z"), json!("2026-03-03T09:00:00.5+01:00")],
            vec![
                json!("2026-03-03"),
                json!("09:00:00Z"),
                json!("2026-13-03T09:00:00Z"),
                json!("3 March 2026"),
                json!(1_772_528_400),
            ],
        ),
        ("remote", vec![json!(true), json!(false)], vec![json!("true"), json!(1), json!(0)]),
    ];

    let ada = scim.user("ada").await;
    for (name, fitting, unfitting) in cases {
        let path = format!("urn:acme:2.0:User:{name}");
        for value in fitting {
            let operation = json!([{ "op": "replace", "path": path, "value": value }]);
            let answer = scim.patch(&ada, operation).await;
            assert_eq!(answer.status, 200, "{name} {value}: {}", answer.body);
            assert_eq!(answer.json()["urn:acme:2.0:User"][name], value, "{name}");
        }
        for value in unfitting {
            let operation = json!([{ "op": "replace", "path": path, "value": value }]);
            let answer = scim.patch(&ada, operation).await;
            assert_fault(&answer, 400, Some("invalidValue"), &format!("{name} {value}"));
        }
    }
}

/// Lays down the type of an attribute of `urn:acme:2.0:User`, as an admin does.
async fn declare(scim: &Scim, name: &str, kind: Kind) {
    let (organization, connector) = (scim.organization.stored.id, scim.organization.connector_id());
    let attribute = CustomAttribute::declare("urn:acme:2.0:User", name, kind, false).unwrap();
    let now = scim.service.clock.now();
    let audit = AuditEvent::new(organization, now, Actor::Operator, "attribute.declared", &name);
    let store = &scim.service.ports().store;
    store.put_custom_attribute(organization, connector, &attribute, &audit).await.unwrap();
}

#[tokio::test]
async fn a_resource_declares_the_schemas_that_it_uses_and_no_others() {
    let scim = Scim::fresh().await;
    let declared = json!([USER, ENTERPRISE, "urn:acme:2.0:User", USER, "urn:nothing"]);
    let ada = scim.user_with("ada", json!({ "schemas": declared })).await;
    let known: BTreeSet<_> = {
        let schemas = scim.read("/Schemas").await;
        let schemas = schemas["Resources"].as_array().unwrap().iter();
        schemas.map(|schema| schema["id"].clone().to_string()).collect()
    };
    let schemas = || async { scim.read(&ada).await["schemas"].clone() };
    let change = |op: &'static str, path: &'static str| {
        scim.patch(&ada, json!([{ "op": op, "path": path, "value": "x" }]))
    };
    let custom = "urn:acme:2.0:User:badge";
    let department = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department";

    let bare = schemas().await;
    change("add", department).await;
    let extended = schemas().await;
    change("add", custom).await;
    let twice = scim.read(&ada).await;
    change("remove", department).await;
    change("remove", custom).await;

    assert_eq!(bare, json!([USER]));
    assert_eq!(extended, json!([USER, ENTERPRISE]));
    assert!(extended.as_array().unwrap().iter().all(|urn| known.contains(&urn.to_string())));
    assert_eq!(twice["schemas"].as_array().unwrap().len(), 3);
    assert_eq!(
        (&twice[ENTERPRISE], &twice["urn:acme:2.0:User"]),
        (&json!({ "department": "x" }), &json!({ "badge": "x" }))
    );
    assert_eq!(scim.get("/Schemas/urn:acme:2.0:User").await.status, 200);
    assert_eq!(schemas().await, json!([USER]));
}

#[tokio::test]
async fn resource_types_and_schemas_name_each_other() {
    let scim = Scim::fresh().await;
    scim.user_with("ada", json!({ "urn:acme:2.0:User": { "badge": "7" } })).await;

    let types = scim.read("/ResourceTypes").await;
    let schemas = scim.read("/Schemas").await;

    let mut named = BTreeSet::new();
    for kind in types["Resources"].as_array().unwrap() {
        let name = kind["name"].as_str().unwrap();
        assert_eq!(&scim.read(&format!("/ResourceTypes/{name}")).await, kind);
        assert_eq!(scim.get(kind["endpoint"].as_str().unwrap()).await.status, 200, "{name}");
        named.insert(kind["schema"].as_str().unwrap().to_owned());
        for extension in kind["schemaExtensions"].as_array().into_iter().flatten() {
            assert!(extension["required"].is_boolean(), "{extension}");
            named.insert(extension["schema"].as_str().unwrap().to_owned());
        }
    }
    let mut published = BTreeSet::new();
    for schema in schemas["Resources"].as_array().unwrap() {
        let urn = schema["id"].as_str().unwrap();
        assert!(schema["name"].as_str().is_some_and(|name| !name.is_empty()), "{urn}");
        assert_eq!(&scim.read(&format!("/Schemas/{urn}")).await, schema);
        published.insert(urn.to_owned());
    }
    assert_eq!(named, published);
    assert!(named.contains("urn:acme:2.0:User") && named.contains(ENTERPRISE), "{named:?}");
}

#[tokio::test]
async fn a_required_extension_is_required() {
    let scim = Scim::fresh().await;
    let ada = scim.user_with("ada", json!({ ENTERPRISE: { "department": "Sales" } })).await;
    let change = scim.service.change_connector(&scim.organization, |connector| {
        connector.provisioning.requires.department = true;
    });
    change.await;

    let extensions = scim.read("/ResourceTypes/User").await["schemaExtensions"].clone();
    let created = scim.post("/Users", &user("bob")).await;
    let complete = with(user("eve"), json!({ ENTERPRISE: { "department": "Sales" } }));
    let complete = scim.post("/Users", &complete).await;
    let removed = scim.patch(&ada, json!([{ "op": "remove", "path": ENTERPRISE }])).await;

    assert_eq!(extensions[0], json!({ "schema": ENTERPRISE, "required": true }));
    assert_fault(&created, 400, Some("invalidValue"), "a user without a department");
    assert_eq!(complete.status, 201, "{}", complete.body);
    assert_eq!(removed.status, 400, "{}", removed.body);
}

#[tokio::test]
async fn case_counts_where_the_schema_says_so_and_is_kept_everywhere() {
    let scim = Scim::fresh().await;
    let more = json!({
        "externalId": "eXt-1", "title": "Grüße", "profileUrl": "http://A.example/B",
        "urn:acme:2.0:User": { "Badge": "xY" }, ENTERPRISE: { "manager": { "value": "mAn" } },
    });
    let ada = scim.user_with("Ada", more.clone()).await;
    let me = ["Ada@acme.example"];

    for (filter, is_found) in [
        (r#"userName eq "ADA@ACME.example""#, true),
        (r#"title eq "GRÜSSE""#, false),
        (r#"title eq "GRÜßE""#, true),
        (r#"emails.value eq "ADA@acme.EXAMPLE""#, true),
        (r#"externalId eq "eXt-1""#, true),
        (r#"externalId eq "ext-1""#, false),
        (r#"externalId sw "EXT""#, false),
        (r#"profileUrl eq "http://a.example/b""#, false),
        (r#"urn:acme:2.0:User:Badge eq "XY""#, true),
        (&format!("{ENTERPRISE}:manager.value eq \"man\""), false),
        (&format!("{ENTERPRISE}:manager.value eq \"mAn\""), true),
    ] {
        let expected: &[&str] = if is_found { &me } else { &[] };
        assert_eq!(scim.found(filter).await, expected, "{filter}");
    }
    let read = scim.read(&ada).await;
    for (name, value) in more.as_object().unwrap() {
        assert_eq!(&read[name], value, "{name}");
    }
    assert_eq!(read["userName"], "Ada@acme.example");
}
