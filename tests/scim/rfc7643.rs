//! What RFC 7643 requires of a service provider.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use portico::{
    domain::audit_event::{Actor, AuditEvent},
    ports::provisioning_log::RecordsWanted,
    scim::{custom::CustomAttribute, schema::Kind},
};
use serde_json::{Value, json};

use crate::{
    client::{
        ENTERPRISE, ERROR, GROUP, LIST, Scim, USER, assert_fault, id, ids, user, values, with,
    },
    requirements::Coverage,
};

const COVERAGE: Coverage = Coverage {
    text: include_str!("rfc7643.rs"),
    tests: &[
        (
            "everything_that_is_answered_is_json_that_says_what_it_is",
            &["RFC7643-2.1-L366", "RFC7643-3-L709", "RFC7643-3-L713", "RFC7643-3.3-L976"],
        ),
        ("a_name_that_no_attribute_can_have_is_refused_wherever_it_stands", &["RFC7643-2.1-L369"]),
        (
            "what_is_published_keeps_to_the_types_and_shapes_of_the_standard",
            &[
                "RFC7643-1.1-L232",
                "RFC7643-2.1-L369",
                "RFC7643-2.3-L443",
                "RFC7643-2.3.8-L595",
                "RFC7643-2.4-L608",
            ],
        ),
        (
            "a_declared_attribute_takes_only_values_of_its_type",
            &["RFC7643-2.3.4-L521", "RFC7643-2.3.5-L527", "RFC7643-2.3.5-L531"],
        ),
        (
            "every_reference_leads_to_what_it_names",
            &[
                "RFC7643-2.3.7-L552",
                "RFC7643-2.3.7-L555",
                "RFC7643-2.3.7-L577",
                "RFC7643-2.3.7-L578",
                "RFC7643-3.1-L927",
            ],
        ),
        (
            "the_order_of_attributes_and_schemas_means_nothing",
            &["RFC7643-2.3.8-L592", "RFC7643-3-L714"],
        ),
        (
            "the_parts_of_a_value_mean_what_the_standard_says",
            &["RFC7643-2.4-L612", "RFC7643-4.1.2-L1351"],
        ),
        ("one_value_at_most_is_primary", &["RFC7643-2.4-L634"]),
        ("a_value_of_one_type_is_answered_once", &["RFC7643-2.4-L663"]),
        ("null_an_empty_list_and_nothing_are_the_same", &["RFC7643-2.5-L682"]),
        (
            "a_resource_declares_the_schemas_that_it_uses_and_no_others",
            &["RFC7643-3-L711", "RFC7643-3.3-L981"],
        ),
        (
            "every_resource_has_its_common_attributes",
            &["RFC7643-3.1-L852", "RFC7643-3.1-L855", "RFC7643-3.1-L866"],
        ),
        (
            "an_id_is_its_resources_alone_for_ever",
            &["RFC7643-3.1-L867", "RFC7643-3.1-L868", "RFC7643-3.1-L872", "RFC7643-3.1-L873"],
        ),
        ("an_external_id_is_the_clients_and_its_own", &["RFC7643-3.1-L890", "RFC7643-3.1-L891"]),
        ("what_a_client_says_of_meta_is_passed_over", &["RFC7643-3.1-L911"]),
        (
            "meta_tells_when_a_resource_was_made_and_changed",
            &["RFC7643-3.1-L920", "RFC7643-3.1-L925", "RFC7643-3.1-L940"],
        ),
        ("a_user_without_a_user_name_is_refused", &["RFC7643-4.1.1-L1035"]),
        (
            "a_password_is_neither_kept_nor_shown",
            &["RFC7643-4.1.1-L1186", "RFC7643-4.1.1-L1222", "RFC7643-7-L1769", "RFC7643-9.2-L5117"],
        ),
        (
            "a_persons_groups_change_through_the_groups_alone",
            &["RFC7643-4.1.2-L1354", "RFC7643-7-L1759"],
        ),
        (
            "resource_types_and_schemas_name_each_other",
            &[
                "RFC7643-6-L1619",
                "RFC7643-6-L1641",
                "RFC7643-6-L1650",
                "RFC7643-7-L1691",
                "RFC7643-7-L1700",
            ],
        ),
        ("a_required_extension_is_required", &["RFC7643-6-L1655"]),
        (
            "case_counts_where_the_schema_says_so_and_is_kept_everywhere",
            &["RFC7643-7-L1748", "RFC7643-7-L1750"],
        ),
        ("what_is_immutable_stays_as_it_was_made", &["RFC7643-7-L1766"]),
    ],
    not_ours: &[
        (
            "RFC7643-2.3.6-L537",
            "not ours, because what a binary value is encoded in is up to who sends it: Microsoft's validator and scim2-tester want every value back unchanged",
        ),
        (
            "RFC7643-2.4-L655",
            "not ours, because a canonical value is another than was sent, and Entra ID compares what it reads with what it sent",
        ),
        (
            "RFC7643-4.1.2-L1244",
            "not ours, because clients send addresses, and Microsoft's validator sends texts that are none",
        ),
        (
            "RFC7643-4.1.2-L1281",
            "not ours, because clients choose photos, and nothing here fetches one",
        ),
        (
            "RFC7643-4.1.2-L1322",
            "not ours, because Microsoft's validator sends a country by its full name and wants it back",
        ),
        (
            "RFC7643-4.1.2-L1378",
            "not ours, because clients send certificates, and nothing here reads one",
        ),
        (
            "RFC7643-4.1.2-L1379",
            "not ours, because clients send certificates, and nothing here reads one",
        ),
        (
            "RFC7643-5-L1581",
            "not ours, because an address tells a stranger nothing, not even that it exists; its 401 names the schemes",
        ),
    ],
};

#[test]
fn every_requirement_is_held_or_explained() {
    COVERAGE.check(&["RFC7643"]);
}

#[tokio::test]
async fn everything_that_is_answered_is_json_that_says_what_it_is() {
    let scim = Scim::fresh().await;
    let ada = scim.user_with("ada", json!({ ENTERPRISE: { "department": "Sales" } })).await;
    let team = scim.group("Team", &[&ada]).await;
    let core = |name: &str| format!("urn:ietf:params:scim:schemas:core:2.0:{name}");

    for (path, schemas) in [
        (ada.clone(), json!([USER, ENTERPRISE])),
        (team, json!([GROUP])),
        ("/Users".to_owned(), json!([LIST])),
        ("/Groups".to_owned(), json!([LIST])),
        ("/".to_owned(), json!([LIST])),
        ("/Schemas".to_owned(), json!([LIST])),
        ("/ResourceTypes".to_owned(), json!([LIST])),
        (format!("/Schemas/{USER}"), json!([core("Schema")])),
        ("/ResourceTypes/User".to_owned(), json!([core("ResourceType")])),
        ("/ServiceProviderConfig".to_owned(), json!([core("ServiceProviderConfig")])),
        ("/Users/nobody".to_owned(), json!([ERROR])),
        ("/Nothing".to_owned(), json!([ERROR])),
    ] {
        let answer = scim.get(&path).await;

        assert_eq!(answer.header("content-type"), Some("application/scim+json"), "{path}");
        assert_eq!(answer.json()["schemas"], schemas, "{path}");
    }
}

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
async fn every_reference_leads_to_what_it_names() {
    let scim = Scim::fresh().await;
    let ada = scim.user("ada").await;
    let team = scim.group("Team", &[&ada]).await;
    let crew = scim.group("Crew", &[&team]).await;

    let mut references = vec![
        scim.read(&ada).await["groups"][0]["$ref"].clone(),
        scim.read(&team).await["members"][0]["$ref"].clone(),
        scim.read(&crew).await["members"][0]["$ref"].clone(),
    ];
    let listed = [ada.as_str(), &team, "/ServiceProviderConfig", "/ResourceTypes/Group"];
    for path in listed {
        references.push(scim.read(path).await["meta"]["location"].clone());
    }
    for list in ["/Users", "/Groups", "/ResourceTypes", "/Schemas"] {
        for resource in scim.read(list).await["Resources"].as_array().unwrap() {
            references.push(resource["meta"]["location"].clone());
        }
    }

    assert_eq!(references.len(), 7 + 1 + 2 + 2 + 3);
    for reference in references {
        let reference = reference.as_str().unwrap();
        let path = reference.strip_prefix(&scim.directory.url).unwrap();
        let answer = scim.get(path).await;

        assert_eq!(answer.status, 200, "{reference}");
        assert_eq!(answer.json()["meta"]["location"], reference);
        let location = answer.header("content-location");
        assert!(location.is_none_or(|location| location == reference), "{location:?}");
    }
    let found = scim.get(&ada).await;
    assert_eq!(found.header("content-location"), found.json()["meta"]["location"].as_str());
}

#[tokio::test]
async fn the_order_of_attributes_and_schemas_means_nothing() {
    let scim = Scim::strict().await;
    let bodies = [
        format!(
            r#"{{"schemas":["{USER}","{ENTERPRISE}"],"userName":"a@x.example","active":false,"name":{{"givenName":"A","familyName":"B"}},"emails":[{{"value":"a@x.example","type":"work"}}],"{ENTERPRISE}":{{"department":"S"}}}}"#
        ),
        format!(
            r#"{{"{ENTERPRISE}":{{"department":"S"}},"emails":[{{"type":"work","value":"a@x.example"}}],"name":{{"familyName":"B","givenName":"A"}},"active":false,"userName":"a@x.example","schemas":["{ENTERPRISE}","{USER}"]}}"#
        ),
    ];

    let mut read = Vec::new();
    for body in bodies {
        let created = scim.post("/Users", &serde_json::from_str(&body).unwrap()).await;
        let mut user = created.json();
        assert_eq!(created.status, 201, "{user}");
        scim.delete(&format!("/Users/{}", user["id"].as_str().unwrap())).await;
        for own in ["id", "meta"] {
            user.as_object_mut().unwrap().remove(own);
        }
        read.push(user);
    }

    assert_eq!(read[0], read[1]);
    assert_eq!(read[0]["schemas"], json!([USER, ENTERPRISE]));
}

#[tokio::test]
async fn the_parts_of_a_value_mean_what_the_standard_says() {
    let scim = Scim::fresh().await;
    let ada = scim.user_with("ada", json!({ "displayName": "Ada Example" })).await;
    let team = scim.group("Team", &[&ada]).await;
    let crew = scim.group("Crew", &[&team]).await;
    let url = &scim.directory.url;

    let groups = scim.read(&ada).await["groups"].clone();
    let named = scim.read(&format!("{team}?attributes=members")).await["members"].clone();
    let plain = scim.read(&team).await["members"].clone();
    let nested = scim.read(&crew).await["members"].clone();

    assert_eq!(
        groups,
        json!([{ "value": id(&team), "display": "Team", "type": "direct", "$ref": format!("{url}{team}") }])
    );
    assert_eq!(
        named,
        json!([{ "value": id(&ada), "display": "Ada Example", "type": "User", "$ref": format!("{url}{ada}") }])
    );
    // What a member is called is returned on request: scim2-tester compares with what it sent.
    assert_eq!(
        plain,
        json!([{ "value": id(&ada), "type": "User", "$ref": format!("{url}{ada}") }])
    );
    assert_eq!(
        nested,
        json!([{ "value": id(&team), "type": "Group", "$ref": format!("{url}{team}") }])
    );
}

#[tokio::test]
async fn one_value_at_most_is_primary() {
    let scim = Scim::strict().await;
    let two = json!([
        { "value": "a@acme.example", "primary": true },
        { "value": "b@acme.example", "primary": true },
    ]);
    let ada = scim.user("ada").await;

    let created = scim.post("/Users", &with(user("bob"), json!({ "emails": two }))).await;
    let replaced = scim.patch(&ada, json!([{ "op": "replace", "path": "emails", "value": two }]));
    let replaced = replaced.await;
    let added = json!([{ "op": "add", "path": "emails", "value": [two[1]] }]);
    let added = scim.patch(&ada, added).await.json();

    assert_fault(&created, 400, Some("invalidValue"), "two primary addresses");
    assert!(replaced.status == 400 || primary(&replaced.json()) == 1, "{}", replaced.body);
    assert_eq!(primary(&added), 1, "{added}");
    assert_eq!(added["emails"].as_array().unwrap().last().unwrap()["primary"], true);
}

fn primary(user: &Value) -> usize {
    let emails = user["emails"].as_array().unwrap();
    emails.iter().filter(|email| email["primary"] == true).count()
}

#[tokio::test]
async fn a_value_of_one_type_is_answered_once() {
    let scim = Scim::fresh().await;
    let twice = json!([
        { "value": "a@acme.example", "type": "work" },
        { "value": "a@acme.example", "type": "work" },
        { "value": "a@acme.example", "type": "home" },
    ]);
    let once = json!([twice[0], twice[2]]);

    let ada = scim.user_with("ada", json!({ "emails": twice })).await;
    let created = scim.read(&ada).await["emails"].clone();
    let add = json!([{ "op": "add", "path": "emails", "value": twice }]);
    let added = scim.patch(&ada, add).await.json()["emails"].clone();
    let replace = json!([{ "op": "replace", "path": "emails", "value": twice }]);
    let replaced = scim.patch(&ada, replace).await.json()["emails"].clone();

    assert_eq!([created, added, replaced], [once.clone(), once.clone(), once]);
}

#[tokio::test]
async fn null_an_empty_list_and_nothing_are_the_same() {
    let scim = Scim::strict().await;
    let plain = user("ada");
    let mut read = Vec::new();

    for more in [
        json!({}),
        json!({ "title": null, "phoneNumbers": null }),
        json!({ "phoneNumbers": [], "roles": [], "addresses": [] }),
        json!({ ENTERPRISE: { "department": null }, "schemas": [USER, ENTERPRISE] }),
        json!({ ENTERPRISE: {} }),
    ] {
        let body = with(plain.clone(), more);
        let ada = scim.create("/Users", &body).await;
        let mut user = scim.read(&ada).await;
        for own in ["id", "meta"] {
            user.as_object_mut().unwrap().remove(own);
        }
        let unassigned = "not (title pr) and title eq null and not (phoneNumbers pr)";
        assert_eq!(scim.found(unassigned).await, ["ada@acme.example"], "{body}");
        scim.delete(&ada).await;
        read.push(user);
    }

    assert_eq!(read, vec![plain; 5]);
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
async fn every_resource_has_its_common_attributes() {
    let scim = Scim::fresh().await;
    let ada = scim.user_with("ada", json!({ "externalId": "a-1" })).await;
    let team = json!({ "schemas": [GROUP], "displayName": "Team", "externalId": "t-1" });
    let team = scim.create("/Groups", &team).await;

    for (path, kind, external_id) in [
        (ada.as_str(), "User", json!("a-1")),
        (&team, "Group", json!("t-1")),
        (&format!("/Schemas/{GROUP}"), "Schema", Value::Null),
    ] {
        let resource = scim.read(path).await;

        assert_eq!(resource["id"], id(path), "{path}");
        assert_eq!(resource["externalId"], external_id, "{path}");
        assert_eq!(resource["meta"]["resourceType"], kind, "{path}");
        assert_eq!(resource["meta"]["location"], format!("{}{path}", scim.directory.url));
    }
    for path in ["/ServiceProviderConfig", "/ResourceTypes/User"] {
        assert!(scim.read(path).await["meta"]["location"].is_string(), "{path}");
    }
}

#[tokio::test]
async fn an_id_is_its_resources_alone_for_ever() {
    let scim = Scim::fresh().await;
    let mut seen = BTreeSet::new();

    for round in 0..3 {
        let ada = scim.user_with("ada", json!({ "id": "ada", "externalId": "a" })).await;
        let team = scim.group("Team", &[]).await;
        let operations = json!([
            { "method": "POST", "path": "/Users", "bulkId": "bulkId", "data": user("bob") },
        ]);
        let bulk = scim.bulk(operations).await.json();
        let bob = bulk["Operations"][0]["location"].as_str().unwrap().to_owned();
        let bob = format!("/Users/{}", id(&bob));
        scim.put(&ada, &with(user("ada"), json!({ "id": "other" }))).await;
        let change = json!([{ "op": "replace", "value": { "id": "another", "title": "x" } }]);
        scim.patch(&ada, change).await;

        assert_eq!(scim.read(&ada).await["title"], "x");
        for path in [ada, team, bob] {
            let found = id(&path).to_owned();
            assert!(!found.is_empty() && !found.contains("bulkId"), "{found}");
            assert!(seen.insert(found), "{round}: {path} was somebody else's");
            assert_eq!(scim.delete(&path).await.status, 204);
            assert_eq!(scim.get(&path).await.status, 404);
        }
    }
    let strict = Scim::strict().await;
    let ada = strict.user("ada").await;
    for operation in [
        json!({ "op": "replace", "path": "id", "value": "x" }),
        json!({ "op": "remove", "path": "id" }),
        json!({ "op": "add", "value": { "id": "x" } }),
    ] {
        let answer = strict.patch(&ada, json!([operation])).await;
        assert_fault(&answer, 400, Some("mutability"), &operation.to_string());
    }
}

#[tokio::test]
async fn an_external_id_is_the_clients_and_its_own() {
    let scim = Scim::fresh().await;
    let other = scim.service.organization("globex").await;
    let mut without = user("bob");
    without.as_object_mut().unwrap().remove("externalId");

    let ada = scim.user_with("ada", json!({ "externalId": "1" })).await;
    let bob = scim.create("/Users", &without).await;
    let elsewhere = other.scim().create(&with(user("ada"), json!({ "externalId": "1" }))).await;
    let rival = scim.post("/Users", &with(user("eve"), json!({ "externalId": "1" }))).await;

    assert_eq!(scim.read(&ada).await["externalId"], "1");
    assert_eq!(scim.read(&bob).await.get("externalId"), None);
    assert_ne!(elsewhere, id(&ada));
    assert_fault(&rival, 409, Some("uniqueness"), "an externalId that is taken");
}

#[tokio::test]
async fn what_a_client_says_of_meta_is_passed_over() {
    let scim = Scim::fresh().await;
    let claims = json!({
        "resourceType": "Group", "created": "1999-01-01T00:00:00Z", "version": "W/\"99\"",
        "lastModified": "1999-01-01T00:00:00Z", "location": "http://elsewhere.example/Users/1",
    });

    let ada = scim.user_with("ada", json!({ "meta": claims })).await;
    let created = scim.read(&ada).await["meta"].clone();
    let put = with(user("ada"), json!({ "meta": claims, "title": "x" }));
    let put = scim.put(&ada, &put).await.json()["meta"].clone();
    let patch = json!([{ "op": "replace", "value": { "meta": claims, "title": "y" } }]);
    let patched = scim.patch(&ada, patch).await.json()["meta"].clone();

    for (number, meta) in [created, put, patched].into_iter().enumerate() {
        assert_eq!(meta["resourceType"], "User");
        assert_eq!(meta["created"], "2026-03-03T09:00:00.000Z");
        assert_eq!(meta["version"], format!("W/\"{}\"", number + 1));
        assert_eq!(meta["location"], format!("{}{ada}", scim.directory.url));
    }
}

#[tokio::test]
async fn meta_tells_when_a_resource_was_made_and_changed() {
    let scim = Scim::fresh().await;
    let ada = scim.user("ada").await;
    let team = scim.group("Team", &[]).await;

    for (path, operation) in [
        (&ada, json!({ "op": "add", "path": "title", "value": "x" })),
        (&team, json!({ "op": "add", "path": "members", "value": values(&[&ada]) })),
    ] {
        let made = scim.read(path).await["meta"].clone();
        scim.service.advance(SignedDuration::from_secs(90));
        scim.patch(path, json!([operation])).await;
        let changed = scim.read(path).await["meta"].clone();

        assert_eq!(made["lastModified"], made["created"], "{path}");
        let moment = |meta: &Value, name: &str| -> jiff::Timestamp {
            meta[name].as_str().unwrap().parse().unwrap()
        };
        assert_eq!(changed["created"], made["created"], "{path}");
        let age = moment(&changed, "lastModified").duration_since(moment(&changed, "created"));
        assert!(age >= SignedDuration::from_secs(90), "{path}: {age}");
        for meta in [&made, &changed] {
            assert!(meta["version"].as_str().unwrap().starts_with("W/\""), "{path}: {meta}");
        }
        assert_ne!(made["version"], changed["version"], "{path}");
    }
}

#[tokio::test]
async fn a_user_without_a_user_name_is_refused() {
    for scim in [Scim::fresh().await, Scim::strict().await] {
        let ada = scim.user("ada").await;
        for user_name in [Value::Null, json!(""), json!(" "), json!([]), json!(7.5), json!({})] {
            let body = with(user("bob"), json!({ "userName": user_name }));

            let created = scim.post("/Users", &body).await;
            let replaced = scim.put(&ada, &body).await;

            // A number is what a lenient client means as text.
            if user_name == json!(7.5) && created.status == 201 {
                assert_eq!(created.json()["userName"], "7.5");
                continue;
            }
            assert_fault(&created, 400, Some("invalidValue"), &user_name.to_string());
            assert_fault(&replaced, 400, Some("invalidValue"), &user_name.to_string());
        }
        assert_eq!(scim.read(&ada).await["userName"], "ada@acme.example");
    }
}

#[tokio::test]
async fn a_password_is_neither_kept_nor_shown() {
    let scim = Scim::fresh().await;
    let secret = "correct horse battery";
    let core = format!("{USER}:password");

    let created = scim.post("/Users", &with(user("ada"), json!({ "password": secret }))).await;
    let ada = format!("/Users/{}", created.json()["id"].as_str().unwrap());
    let again = with(user("ada"), json!({ "password": secret, core.clone(): secret }));
    let mut answers = vec![created, scim.put(&ada, &again).await];
    for operation in [
        json!({ "op": "replace", "path": "password", "value": secret }),
        json!({ "op": "add", "value": { "password": secret, "title": "x" } }),
        json!({ "op": "add", "path": core, "value": secret }),
    ] {
        answers.push(scim.patch(&ada, json!([operation])).await);
    }
    for query in ["", "?attributes=password", "?attributes=userName,password"] {
        answers.push(scim.get(&format!("{ada}{query}")).await);
    }
    let refused = json!({ "password": secret, "userName": "eve" });
    answers.push(scim.post("/Users", &refused).await);
    let compared = format!("password eq \"{secret}\"");
    let guess = scim.query("/Users", &[("filter", &compared)]).await;

    for answer in answers {
        assert!(!answer.body.contains(secret), "{}", answer.body);
    }
    assert_fault(&guess, 400, Some("invalidFilter"), "a password is searched for");
    let (organization, connector) = (scim.organization.stored.id, scim.organization.connector_id());
    let ports = scim.service.ports();
    let found = ports.store.find_account(organization, id(&ada).parse().unwrap()).await.unwrap();
    assert!(!format!("{found:?}").contains(secret), "the account has it");
    ports.journal.flush(&*ports.store).await.unwrap();
    let wanted = RecordsWanted { limit: 100, ..RecordsWanted::default() };
    let log = ports.store.list_provisioning_records(organization, connector, &wanted).await;
    let log = log.unwrap();
    assert!(log.len() > 8, "{}", log.len());
    let of_bodies = log.iter().map(|record| format!("{:?} {:?}", record.body, record.changes));
    assert!(of_bodies.into_iter().all(|text| !text.contains(secret)), "the log has it");
}

#[tokio::test]
async fn a_persons_groups_change_through_the_groups_alone() {
    let scim = Scim::fresh().await;
    let ada = scim.user("ada").await;
    let (team, crew) = (scim.group("Team", &[&ada]).await, scim.group("Crew", &[]).await);
    let groups = json!([{ "value": id(&crew) }]);

    let put = scim.put(&ada, &with(user("ada"), json!({ "groups": groups }))).await;
    let pathless = json!([{ "op": "replace", "value": { "groups": groups, "title": "x" } }]);
    let pathless = scim.patch(&ada, pathless).await;
    let created = scim.post("/Users", &with(user("bob"), json!({ "groups": groups }))).await;
    let mut refused = Vec::new();
    for operation in [
        json!({ "op": "add", "path": "groups", "value": groups }),
        json!({ "op": "replace", "path": "groups", "value": [] }),
        json!({ "op": "remove", "path": "groups" }),
        json!({ "op": "remove", "path": format!("groups[value eq \"{}\"]", id(&team)) }),
    ] {
        refused.push((scim.patch(&ada, json!([operation])).await, operation));
    }

    assert_eq!((put.status, pathless.status, created.status), (200, 200, 201));
    for (answer, operation) in refused {
        assert_fault(&answer, 400, Some("mutability"), &operation.to_string());
    }
    assert_eq!(scim.members(&team).await, ids(&[&ada]));
    assert!(scim.members(&crew).await.is_empty());
    assert_eq!(scim.read(&ada).await["groups"][0]["value"], id(&team));
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

#[tokio::test]
async fn what_is_immutable_stays_as_it_was_made() {
    let scim = Scim::fresh().await;
    let (ada, bob) = (scim.user("ada").await, scim.user("bob").await);
    let team = scim.group("Team", &[&ada]).await;
    let of_ada = format!("members[value eq \"{}\"]", id(&ada));

    for path in [format!("{of_ada}.value"), "members.value".to_owned(), "members.type".to_owned()] {
        for op in ["add", "replace", "remove"] {
            let operation = json!([{ "op": op, "path": path, "value": id(&bob) }]);
            let answer = scim.patch(&team, operation).await;

            assert_fault(&answer, 400, Some("mutability"), &format!("{op} {path}"));
        }
    }
    assert_eq!(scim.members(&team).await, ids(&[&ada]));
}
