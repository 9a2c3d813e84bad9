//! What every resource has (RFC 7643 §3).

use std::collections::BTreeSet;

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::client::{
    ENTERPRISE, ERROR, GROUP, LIST, Scim, USER, assert_fault, id, user, values, with,
};

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
