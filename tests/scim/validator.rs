//! What Microsoft asks of a service provider before it lists an application: the tests of its
//! validator, those of its preview, and those of its Logic App that speak SCIM directly.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{
    client::{ENTERPRISE, GROUP, Scim, USER, assert_fault, id, ids, names, user, values},
    sources,
};

/// The tests of the validator, of its preview, and the direct ones of the Logic App, each with the
/// test here.
const ASKED: [(&str, &str); 41] = [
    ("Create a new User", "a_person_is_created_and_comes_back_as_sent"),
    ("Create a duplicate User", "a_person_is_created_once"),
    ("Filter for an existing user", "a_person_is_found_by_name_in_any_case_and_nobody_else_is"),
    ("Filter for a non-existing user", "a_person_is_found_by_name_in_any_case_and_nobody_else_is"),
    (
        "Filter for an existing user in a different case",
        "a_person_is_found_by_name_in_any_case_and_nobody_else_is",
    ),
    (
        "Patch User - Replace Attributes Verbose",
        "every_attribute_of_a_person_is_added_and_replaced_one_by_one",
    ),
    ("Update User userName", "a_persons_user_name_changes"),
    ("Patch User - Disable User", "a_person_is_disabled"),
    (
        "Patch User - Add Attributes Verbose",
        "every_attribute_of_a_person_is_added_and_replaced_one_by_one",
    ),
    ("Patch User - Add Manager", "a_manager_is_added_replaced_and_removed"),
    ("Patch User - Replace Manager", "a_manager_is_added_replaced_and_removed"),
    ("Patch User - Remove Manager", "a_manager_is_added_replaced_and_removed"),
    ("Delete a User", "whoever_is_deleted_once_is_not_there_to_be_deleted_twice"),
    ("Get group by id excluding members", "a_group_is_read_and_found_without_its_members"),
    (
        "Filter for an existing group excluding members",
        "a_group_is_read_and_found_without_its_members",
    ),
    ("Filter for an existing group", "a_group_is_found_by_name_in_any_case_and_no_other_is"),
    ("Filter for a non-existing group", "a_group_is_found_by_name_in_any_case_and_no_other_is"),
    (
        "Filter for an existing group in a different case",
        "a_group_is_found_by_name_in_any_case_and_no_other_is",
    ),
    ("Create a new Group", "a_group_is_created_once"),
    ("Create a duplicate Group", "a_group_is_created_once"),
    ("Patch Group - Replace Attributes", "a_groups_attributes_change_without_a_path"),
    ("Update Group displayName", "a_groups_attributes_change_without_a_path"),
    ("Patch Group - Add Member", "a_member_comes_and_goes"),
    ("Patch Group - Remove Member", "a_member_comes_and_goes"),
    ("Delete a Group", "whoever_is_deleted_once_is_not_there_to_be_deleted_twice"),
    (
        "Preview: Patch User - Multiple Ops on different attributes",
        "several_operations_come_in_one_request",
    ),
    (
        "Preview: Patch User - Multiple Ops on the same attribute",
        "several_operations_come_in_one_request",
    ),
    (
        "Preview: Delete a non-existent User",
        "whoever_is_deleted_once_is_not_there_to_be_deleted_twice",
    ),
    (
        "Preview: Delete the same User twice",
        "whoever_is_deleted_once_is_not_there_to_be_deleted_twice",
    ),
    (
        "Preview: Patch Group - Multiple Ops on the same attribute",
        "several_operations_come_in_one_request",
    ),
    (
        "Preview: Delete a non-existent Group",
        "whoever_is_deleted_once_is_not_there_to_be_deleted_twice",
    ),
    (
        "Preview: Delete the same Group twice",
        "whoever_is_deleted_once_is_not_there_to_be_deleted_twice",
    ),
    ("15 Schema_Discoverability", "every_attribute_of_the_default_mapping_is_in_the_schemas"),
    ("16 SCIM_Null_Update", "an_optional_attribute_is_emptied_by_text_and_by_null"),
    ("17 SCIM_User_Create", "a_person_is_created_and_comes_back_as_sent"),
    ("18 SCIM_User_Update", "any_text_in_any_attribute_comes_back_unchanged"),
    ("19 SCIM_Group_Create", "a_group_is_created_once"),
    ("20 SCIM_Group_Update", "a_groups_attributes_change_without_a_path"),
    ("23 SCIM_User_Pagination", "eleven_and_more_come_in_pages_of_five"),
    ("24 SCIM_Group_Pagination", "eleven_and_more_come_in_pages_of_five"),
    ("25 SCIM_Update_Manager", "a_manager_is_added_replaced_and_removed"),
];

/// Those of the Logic App about tokens, each with the test among the stories and its file.
const ASKED_OF_TOKENS: [(&str, &str, &str); 2] = [
    (
        "21 Validate_Credentials",
        include_str!("../stories/authenticate_a_directory.rs"),
        "a_tenant_provisions_with_client_credentials",
    ),
    (
        "22 Federated_Identity",
        include_str!("../stories/authenticate_a_directory/by_its_tenants_word.rs"),
        "an_application_comes_in_by_what_its_tenants_token_endpoint_gives_it",
    ),
];

#[test]
fn everything_that_is_asked_has_its_test() {
    let asked: BTreeSet<_> = ASKED.iter().map(|(name, _)| *name).collect();
    let answered: BTreeSet<String> = ASKED.iter().map(|(_, test)| (*test).to_owned()).collect();
    let mut written = sources::tests_in(include_str!("validator.rs"));
    written.remove("everything_that_is_asked_has_its_test");

    for (name, text, test) in ASKED_OF_TOKENS {
        assert!(sources::tests_in(text).contains(test), "{name}");
    }
    assert_eq!(asked.len() + ASKED_OF_TOKENS.len(), 25 + 7 + 11);
    assert_eq!(answered, written);
}

/// A person as the validator makes one up: no value is what it says it is.
fn made_up(name: &str) -> Value {
    json!({
        "schemas": [USER, ENTERPRISE],
        "userName": name, "externalId": format!("e-{name}"), "active": true,
        "displayName": "DN", "title": "TI", "nickName": "N", "userType": "UT",
        "profileUrl": "PU", "preferredLanguage": "vi-VN", "locale": "en-NZ",
        "timezone": "Africa/Freetown",
        "name": {
            "givenName": "G", "familyName": "F", "formatted": "Fo", "middleName": "M",
            "honorificPrefix": "P", "honorificSuffix": "S",
        },
        "emails": [{ "type": "work", "value": format!("{name}@validator.example"), "primary": true }],
        "phoneNumbers": [
            { "type": "work", "value": "555-0103", "primary": true },
            { "type": "mobile", "value": "555-0104" },
            { "type": "fax", "value": "555-0105" },
        ],
        "addresses": [{
            "type": "work", "formatted": "AF", "streetAddress": "ST", "locality": "L",
            "region": "R", "postalCode": "PC 1", "country": "Sierra Leone", "primary": true,
        }],
        "roles": [{ "primary": true, "display": "D", "value": "V", "type": "T" }],
        ENTERPRISE: {
            "employeeNumber": "EN", "department": "DE", "costCenter": "CC", "organization": "OR",
            "division": "DI",
        },
    })
}

#[tokio::test]
async fn a_person_is_created_and_comes_back_as_sent() {
    let scim = Scim::fresh().await;
    let sent = made_up("test_user");

    let created = scim.post("/Users", &sent).await;
    let read = scim.read(&format!("/Users/{}", created.json()["id"].as_str().unwrap())).await;
    let found = scim.query("/Users", &[("filter", "userName eq \"test_user\"")]).await.json();

    assert_eq!(created.status, 201, "{}", created.body);
    assert_eq!(created.header("content-type"), Some("application/scim+json"));
    for (name, value) in sent.as_object().unwrap() {
        assert_eq!(&read[name], value, "{name}");
    }
    assert_eq!((created.json(), &found["Resources"][0]), (read.clone(), &read));
}

#[tokio::test]
async fn a_person_is_created_once() {
    let scim = Scim::fresh().await;
    scim.create("/Users", &made_up("test_user")).await;

    let again = scim.post("/Users", &made_up("test_user")).await;

    assert_fault(&again, 409, Some("uniqueness"), "a duplicate");
}

#[tokio::test]
async fn a_person_is_found_by_name_in_any_case_and_nobody_else_is() {
    let scim = Scim::fresh().await;
    scim.create("/Users", &made_up("Test_User")).await;
    scim.create("/Users", &made_up("Test_User_2")).await;

    assert_eq!(scim.found("userName eq \"Test_User\"").await, ["Test_User"]);
    assert_eq!(scim.found("userName eq \"TEST_USER\"").await, ["Test_User"]);
    assert_eq!(scim.found("userName eq \"test_user\"").await, ["Test_User"]);
    assert_eq!(scim.found("userName eq \"somebody\"").await, [""; 0]);
}

/// Every attribute that a mapping can have, one by one, with where it is read.
fn verbose() -> Vec<(String, String)> {
    let mut paths = Vec::new();
    for name in [
        "displayName",
        "title",
        "nickName",
        "userType",
        "profileUrl",
        "preferredLanguage",
        "locale",
        "timezone",
        "externalId",
    ] {
        paths.push((name.to_owned(), format!("/{name}")));
    }
    for sub in
        ["givenName", "familyName", "formatted", "middleName", "honorificPrefix", "honorificSuffix"]
    {
        paths.push((format!("name.{sub}"), format!("/name/{sub}")));
    }
    for sub in ["formatted", "streetAddress", "locality", "region", "postalCode", "country"] {
        paths.push((format!("addresses[type eq \"work\"].{sub}"), format!("/addresses/0/{sub}")));
    }
    for (number, kind) in ["work", "mobile", "fax"].into_iter().enumerate() {
        paths.push((
            format!("phoneNumbers[type eq \"{kind}\"].value"),
            format!("/phoneNumbers/{number}/value"),
        ));
    }
    paths.push(("emails[type eq \"work\"].value".to_owned(), "/emails/0/value".to_owned()));
    for sub in ["display", "value", "type"] {
        paths.push((format!("roles[primary eq \"True\"].{sub}"), format!("/roles/0/{sub}")));
    }
    for name in ["employeeNumber", "department", "costCenter", "organization", "division"] {
        paths.push((format!("{ENTERPRISE}:{name}"), format!("/{ENTERPRISE}/{name}")));
    }
    paths
}

#[tokio::test]
async fn every_attribute_of_a_person_is_added_and_replaced_one_by_one() {
    let scim = Scim::fresh().await;

    for (name, op) in [("a", "add"), ("b", "replace"), ("c", "Add"), ("d", "Replace")] {
        for (whose, path) in [
            ("sparse", scim.create("/Users", &user(name)).await),
            ("full", scim.create("/Users", &made_up(&format!("full_{name}"))).await),
        ] {
            let operations: Vec<_> = verbose()
                .iter()
                .enumerate()
                .map(|(number, (path, _))| json!({ "op": op, "path": path, "value": format!("{name}{whose}{number}") }))
                .collect();

            let answer = scim.patch(&path, json!(operations)).await;

            let read = scim.read(&path).await;
            assert_eq!(answer.status, 200, "{op} {whose}: {}", answer.body);
            for (number, (attribute, place)) in verbose().iter().enumerate() {
                let value = json!(format!("{name}{whose}{number}"));
                assert_eq!(read.pointer(place), Some(&value), "{op} {whose} {attribute}");
            }
        }
    }
}

#[tokio::test]
async fn a_persons_user_name_changes() {
    let scim = Scim::fresh().await;
    let ada = scim.create("/Users", &made_up("before")).await;

    let operation = json!([{ "op": "replace", "path": "userName", "value": "after" }]);
    let answer = scim.patch(&ada, operation).await;

    assert_eq!((answer.status, &answer.json()["userName"]), (200, &json!("after")));
    assert_eq!(scim.found("userName eq \"after\"").await, ["after"]);
    assert_eq!(scim.found("userName eq \"before\"").await, [""; 0]);
}

#[tokio::test]
async fn a_person_is_disabled() {
    let scim = Scim::fresh().await;
    let ada = scim.create("/Users", &made_up("test_user")).await;

    let answer =
        scim.patch(&ada, json!([{ "op": "replace", "path": "active", "value": false }])).await;

    assert_eq!((answer.status, &answer.json()["active"]), (200, &json!(false)));
    assert_eq!(scim.read(&ada).await["active"], false);
    assert_eq!(scim.found("userName eq \"test_user\"").await, ["test_user"]);
}

#[tokio::test]
async fn a_manager_is_added_replaced_and_removed() {
    let scim = Scim::fresh().await;
    let (ada, bob, eve) = (scim.user("ada").await, scim.user("bob").await, scim.user("eve").await);
    let path = format!("{ENTERPRISE}:manager");
    let manager = || async { scim.read(&ada).await[ENTERPRISE]["manager"]["value"].clone() };
    let change = |op: &'static str, value: Value| {
        scim.patch(&ada, json!([{ "op": op, "path": path, "value": value }]))
    };

    assert_eq!(change("add", json!(id(&bob))).await.status, 200);
    assert_eq!(manager().await, id(&bob));
    assert_eq!(change("replace", json!(id(&eve))).await.status, 200);
    assert_eq!(manager().await, id(&eve));
    assert_eq!(change("replace", json!("")).await.status, 200);
    assert_eq!(manager().await, Value::Null);
    change("add", json!({ "value": id(&bob) })).await;
    assert_eq!(scim.patch(&ada, json!([{ "op": "remove", "path": path }])).await.status, 200);
    assert_eq!(manager().await, Value::Null);
}

#[tokio::test]
async fn whoever_is_deleted_once_is_not_there_to_be_deleted_twice() {
    let scim = Scim::fresh().await;
    let ada = scim.user("ada").await;
    let team = scim.group("Team", &[]).await;

    for path in [&ada, &team] {
        assert_eq!(scim.delete(path).await.status, 204, "{path}");
        for answer in [scim.get(path).await, scim.delete(path).await] {
            assert_fault(&answer, 404, None, path);
        }
    }
    for endpoint in ["/Users", "/Groups"] {
        for nobody in ["b2ee3b1c-aaaa-4bbb-8ccc-000000000000", "nobody", "%20"] {
            let answer = scim.delete(&format!("{endpoint}/{nobody}")).await;
            assert_fault(&answer, 404, None, nobody);
        }
    }
    assert_eq!(scim.found("userName eq \"ada@acme.example\"").await, [""; 0]);
}

#[tokio::test]
async fn a_group_is_read_and_found_without_its_members() {
    let scim = Scim::fresh().await;
    let ada = scim.user("ada").await;
    let team = scim.group("Team", &[&ada]).await;
    let without = ("excludedAttributes", "members");

    let read = scim.query(&team, &[without]).await.json();
    let found =
        scim.query("/Groups", &[without, ("filter", "displayName eq \"Team\"")]).await.json();

    for group in [&read, &found["Resources"][0]] {
        assert_eq!(
            (group["id"].as_str(), group.get("members")),
            (Some(id(&team)), None),
            "{group}"
        );
        assert_eq!(group["displayName"], "Team");
    }
}

#[tokio::test]
async fn a_group_is_found_by_name_in_any_case_and_no_other_is() {
    let scim = Scim::fresh().await;
    scim.group("Team", &[]).await;
    scim.group("Team 2", &[]).await;

    for (name, found) in [("Team", vec!["Team"]), ("TEAM", vec!["Team"]), ("Crew", vec![])] {
        let filter = format!("displayName eq \"{name}\"");
        let answer = scim.query("/Groups", &[("filter", &filter)]).await;

        assert_eq!(
            (answer.status, names(&answer.json(), "displayName")),
            (200, found.iter().map(ToString::to_string).collect())
        );
    }
}

#[tokio::test]
async fn a_group_is_created_once() {
    let scim = Scim::fresh().await;
    let body = json!({ "schemas": [GROUP], "displayName": "Team", "externalId": "e" });

    let created = scim.post("/Groups", &body).await;
    let again = scim.post("/Groups", &body).await;

    assert_eq!((created.status, &created.json()["displayName"]), (201, &json!("Team")));
    assert_eq!(created.json()["externalId"], "e");
    assert_fault(&again, 409, Some("uniqueness"), "a duplicate");
}

#[tokio::test]
async fn a_groups_attributes_change_without_a_path() {
    let scim = Scim::fresh().await;
    let team = scim.group("Team", &[]).await;

    for value in [
        json!({ "externalId": "e-1" }),
        json!({ "displayName": "Crew" }),
        json!({ "displayName": "upd-7d1c", "externalId": "e-2" }),
    ] {
        let answer = scim.patch(&team, json!([{ "op": "replace", "value": value }])).await;

        assert!([200, 204].contains(&answer.status), "{value}: {}", answer.body);
        let read = scim.read(&team).await;
        for (name, value) in value.as_object().unwrap() {
            assert_eq!(&read[name], value);
        }
    }
    let found = scim.query("/Groups", &[("filter", "displayName eq \"upd-7d1c\"")]).await.json();
    assert_eq!(names(&found, "id"), [id(&team)]);
}

#[tokio::test]
async fn a_member_comes_and_goes() {
    let scim = Scim::fresh().await;
    let (ada, bob) = (scim.user("ada").await, scim.user("bob").await);
    let team = scim.group("Team", &[]).await;
    let change = |op: &'static str, value: Value| {
        scim.patch(&team, json!([{ "op": op, "path": "members", "value": value }]))
    };

    assert_eq!(change("replace", values(&[&ada])).await.status, 204);
    assert_eq!(scim.members(&team).await, ids(&[&ada]));
    assert_eq!(change("add", values(&[&bob])).await.status, 204);
    assert_eq!(scim.members(&team).await, ids(&[&ada, &bob]));
    assert_eq!(change("remove", values(&[&ada])).await.status, 204);
    assert_eq!(scim.members(&team).await, ids(&[&bob]));
}

#[tokio::test]
async fn several_operations_come_in_one_request() {
    let scim = Scim::fresh().await;
    let (ada, bob) = (scim.user("ada").await, scim.user("bob").await);
    let team = scim.group("Team", &[]).await;

    let different = json!([
        { "op": "add", "path": "title", "value": "T" },
        { "op": "replace", "path": "displayName", "value": "D" },
        { "op": "add", "path": "emails[type eq \"home\"].value", "value": "h@x.example" },
        { "op": "remove", "path": "externalId" },
    ]);
    let different = scim.patch(&ada, different).await.json();
    let same = json!([
        { "op": "remove", "path": "displayName" },
        { "op": "add", "path": "displayName", "value": "E" },
        { "op": "replace", "path": "displayName", "value": "F" },
    ]);
    let same = scim.patch(&ada, same).await.json();
    let members = json!([
        { "op": "add", "path": "members", "value": values(&[&ada]) },
        { "op": "add", "path": "members", "value": values(&[&bob]) },
        { "op": "remove", "path": "members", "value": values(&[&ada]) },
        { "op": "replace", "path": "displayName", "value": "A" },
        { "op": "replace", "path": "displayName", "value": "B" },
    ]);
    let members = scim.patch(&team, members).await;

    assert_eq!((&different["title"], &different["displayName"]), (&json!("T"), &json!("D")));
    assert_eq!(different["emails"][1]["value"], "h@x.example");
    assert_eq!(different.get("externalId"), None);
    assert_eq!(same["displayName"], "F");
    assert_eq!(members.status, 204, "{}", members.body);
    assert_eq!(scim.members(&team).await, ids(&[&bob]));
    assert_eq!(scim.read(&team).await["displayName"], "B");
}

#[tokio::test]
async fn every_attribute_of_the_default_mapping_is_in_the_schemas() {
    let scim = Scim::fresh().await;
    let schemas = scim.read("/Schemas").await;

    let flattened = flattened(&schemas);

    let mut mapped: Vec<String> = verbose().into_iter().map(|(path, _)| path).collect();
    mapped.extend(["userName", "active", "displayName", "members"].map(str::to_owned));
    mapped.push(format!("{ENTERPRISE}:manager"));
    mapped.push("emails[type eq \"other\"].value".to_owned());
    mapped.retain(|path| path != "externalId");
    for path in mapped {
        assert!(flattened.contains(&path.to_lowercase()), "{path} is not in the schemas");
    }
    assert!(!schemas.to_string().contains("null"), "Entra ID reads no null there");
    let groups = schemas["Resources"].as_array().unwrap();
    assert!(groups.iter().any(|schema| schema["id"] == GROUP));
}

/// The paths that Microsoft's test makes of schemas, in small letters.
fn flattened(schemas: &Value) -> BTreeSet<String> {
    let mut paths = BTreeSet::new();
    for schema in schemas["Resources"].as_array().unwrap() {
        let urn = schema["id"].as_str().unwrap();
        let prefix = if urn.contains(":extension:") { format!("{urn}:") } else { String::new() };
        for attribute in schema["attributes"].as_array().unwrap() {
            let name = format!("{prefix}{}", attribute["name"].as_str().unwrap());
            for sub in attribute["subAttributes"].as_array().into_iter().flatten() {
                let sub = sub["name"].as_str().unwrap();
                let types = attribute["subAttributes"].as_array().unwrap().iter();
                for kind in
                    types.flat_map(|sub| sub["canonicalValues"].as_array().into_iter().flatten())
                {
                    paths.insert(format!("{name}[type eq {kind}].{sub}").to_lowercase());
                }
                paths.insert(format!("{name}[primary eq \"True\"].{sub}").to_lowercase());
                paths.insert(format!("{name}.{sub}").to_lowercase());
            }
            paths.insert(name.to_lowercase());
        }
    }
    paths
}

#[tokio::test]
async fn an_optional_attribute_is_emptied_by_text_and_by_null() {
    let scim = Scim::fresh().await;
    let ada = scim.create("/Users", &made_up("test_user")).await;
    let required = ["/name/givenName", "/name/familyName", "/emails/0/value"];

    for (path, place) in
        verbose().into_iter().filter(|(_, place)| !required.contains(&place.as_str()))
    {
        for empty in [json!(""), Value::Null] {
            let first =
                scim.patch(&ada, json!([{ "op": "replace", "path": path, "value": empty }])).await;
            let gone = scim.read(&ada).await.pointer(&place).cloned();
            let second =
                scim.patch(&ada, json!([{ "op": "replace", "path": path, "value": null }])).await;
            scim.put(&ada, &made_up("test_user")).await;

            assert_eq!((first.status, second.status), (200, 200), "{path} {empty}: {}", first.body);
            // Where an element of a list is gone, another may stand in its place.
            let replaced = place.starts_with("/phoneNumbers");
            assert!(gone.is_none() || replaced, "{path} {empty}: {gone:?}");
        }
    }
}

#[tokio::test]
async fn any_text_in_any_attribute_comes_back_unchanged() {
    let scim = Scim::fresh().await;
    let ada = scim.create("/Users", &made_up("test_user")).await;

    for (path, place) in verbose() {
        for text in [
            "upd-0f8fad5b-d9cb-469f-a165-70867728950e",
            " two  words ",
            "ÄÖ 山田 🦀",
            "<b>&amp;\"\\'",
        ] {
            let answer =
                scim.patch(&ada, json!([{ "op": "replace", "path": path, "value": text }])).await;

            assert_eq!(answer.status, 200, "{path} {text}: {}", answer.body);
            assert_eq!(scim.read(&ada).await.pointer(&place), Some(&json!(text)), "{path}");
        }
    }
}

#[tokio::test]
async fn eleven_and_more_come_in_pages_of_five() {
    let scim = Scim::fresh().await;
    for number in 0..12 {
        scim.user(&format!("p{number}")).await;
        scim.group(&format!("G{number}"), &[]).await;
    }

    for endpoint in ["/Users", "/Groups"] {
        let mut seen = BTreeSet::new();
        for start in [1, 6, 11] {
            let page = scim.read(&format!("{endpoint}?startIndex={start}&count=5")).await;

            assert_eq!((&page["startIndex"], &page["totalResults"]), (&json!(start), &json!(12)));
            assert_eq!(page["itemsPerPage"], if start == 11 { 2 } else { 5 }, "{endpoint}");
            seen.extend(names(&page, "id"));
        }
        assert_eq!(seen.len(), 12, "{endpoint}");
    }
    let with_flag = scim.read("/Users?aadOptscim062020&startIndex=6&count=5").await;
    assert_eq!(with_flag["startIndex"], 6);
}
