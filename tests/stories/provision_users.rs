//! A tenant's provisioning keeps the accounts in step.

use http::Method;
use portico::{
    domain::organization::Edition,
    simulator::{Action, ExternalId, Mapping, PersonSeed, RoleMapping},
};
use serde_json::{Value, json};

use crate::support::{Ask, Credential, Directory, Organization, Service, Terms};

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const LIST: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";

async fn acme() -> (Service, Organization) {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    (service, acme)
}

/// A user who exists, by its id.
async fn ada(acme: &Organization) -> String {
    acme.scim().create(&Directory::user("ada@acme.example")).await
}

async fn read(acme: &Organization, id: &str) -> Value {
    acme.scim().get(&format!("/Users/{id}")).await.json()
}

#[tokio::test]
async fn a_connection_tests_well_however_the_tenant_url_and_the_credential_are_given() {
    let service = Service::start().await;

    for (slug, feature_flag, basic) in
        [("a", false, false), ("b", true, false), ("c", false, true), ("d", true, true)]
    {
        let terms = Terms { feature_flag, basic, ..Terms::default() };
        let organization = service.organization_under(slug, terms).await;

        assert_eq!(organization.test_connection().await, Ok(()), "{feature_flag} {basic}");
    }
}

#[tokio::test]
async fn a_tenants_whole_sequence_works_in_both_dialects_and_with_either_credential() {
    let service = Service::start().await;

    for (slug, feature_flag, basic) in [("a", false, false), ("b", true, true)] {
        let terms = Terms { feature_flag, basic, ..Terms::default() };
        let organization = service.organization_under(slug, terms).await;
        let person = organization.has_person("ada", &["Admin"]);

        let created = organization.provision().await;
        let id = organization.scim_id(&person).await;
        organization.tenant.change_person(person.oid, |ada| {
            ada.surname = "Adler".into();
            ada.mail = Some(format!("ada.adler@{slug}.example"));
            ada.job_title = Some("Head".into());
            ada.department = Some("Direction".into());
        });
        organization.provision().await;
        let changed = read(&organization, &id).await;
        organization.tenant.unassign(organization.client_id, person.oid);
        organization.provision().await;
        let disabled = read(&organization, &id).await;
        organization.assign(&person, &["User"]);
        organization.provision().await;
        let restored = read(&organization, &id).await;
        organization.tenant.delete_person(person.oid);
        organization.provision().await;
        let deleted = organization.scim().get(&format!("/Users/{id}")).await;

        assert_eq!(created.count(Action::Create), 1);
        assert_eq!(changed["name"]["familyName"], "Adler");
        assert_eq!(changed["name"]["givenName"], "Ada");
        assert_eq!(changed["emails"][0]["value"], format!("ada.adler@{slug}.example"));
        assert_eq!(changed["emails"].as_array().unwrap().len(), 1);
        assert_eq!(changed["title"], "Head");
        assert_eq!(changed[ENTERPRISE]["department"], "Direction");
        assert_eq!(disabled["active"], false);
        assert_eq!(restored["active"], true);
        assert_eq!(restored["title"], "Head");
        assert_eq!(deleted.status, 404);
    }
}

#[tokio::test]
async fn every_form_of_role_mapping_ends_up_as_the_role_that_was_meant() {
    let service = Service::start().await;

    for (slug, roles, feature_flag) in [
        ("a", RoleMapping::Single, false),
        ("b", RoleMapping::Single, true),
        ("c", RoleMapping::Assertive, false),
        ("d", RoleMapping::Assertive, true),
    ] {
        let mapping = Mapping { roles, ..Mapping::default() };
        let terms = Terms { mapping, feature_flag, ..Terms::default() };
        let organization = service.organization_under(slug, terms).await;
        let person = organization.has_person("ada", &["Admin"]);
        organization.provision().await;
        let id = organization.scim_id(&person).await;
        let before = read(&organization, &id).await;

        organization.assign(&person, &["ReadOnly"]);
        organization.provision().await;

        let after = read(&organization, &id).await;
        let values = |user: &Value| -> Vec<Value> {
            let roles = user["roles"].as_array().unwrap();
            roles.iter().map(|role| role["value"].clone()).collect()
        };
        assert_eq!(values(&before), ["Admin"], "{roles:?} {feature_flag}");
        assert_eq!(values(&after), ["ReadOnly"], "{roles:?} {feature_flag}");
    }
}

#[tokio::test]
async fn a_role_mapping_that_only_adds_only_adds() {
    let service = Service::start().await;
    let mapping = Mapping { roles: RoleMapping::Complex, ..Mapping::default() };
    let acme = service.organization_under("acme", Terms { mapping, ..Terms::default() }).await;
    let person = acme.has_person("ada", &["Admin"]);
    acme.provision().await;

    acme.assign(&person, &["User", "ReadOnly"]);
    acme.provision().await;

    let user = read(&acme, &acme.scim_id(&person).await).await;
    let roles = user["roles"].as_array().unwrap();
    let values: Vec<_> = roles.iter().map(|role| role["value"].as_str().unwrap()).collect();
    assert_eq!(values, ["Admin", "User", "ReadOnly"]);
}

#[tokio::test]
async fn a_restarted_job_finds_everybody_again_the_inactive_too() {
    let service = Service::start().await;
    let mapping = Mapping { external_id: ExternalId::MailNickname, ..Mapping::default() };
    let acme = service.organization_under("acme", Terms { mapping, ..Terms::default() }).await;
    let ada = acme.has_person("ada", &["Admin"]);
    acme.has_person("bob", &["User"]);
    acme.provision().await;
    acme.tenant.unassign(acme.client_id, ada.oid);
    acme.provision().await;

    acme.assign(&ada, &["Admin"]);
    let again = acme.provision_afresh().await;

    let did = [Action::Match, Action::Create, Action::Restore].map(|action| again.count(action));
    assert_eq!(did, [2, 0, 1]);
    assert_eq!(acme.scim().get("/Users").await.json()["totalResults"], 2);
}

#[tokio::test]
async fn a_query_for_nobody_is_an_empty_list() {
    let (_service, acme) = acme().await;
    ada(&acme).await;
    let filters = [
        "/Users?filter=userName+eq+%22b2ee3b1c%22",
        "/Users?filter=externalId+eq+%22b2ee3b1c%22",
        "/Users?filter=emails%5Btype+eq+%22work%22%5D.value+eq+%22b2ee3b1c%22",
        "/Users?filter=userName%20eq%20b2ee3b1c",
        "/Users/?filter=userName+eq+%22b2ee3b1c%22",
        "/Users?aadOptscim062020&filter=id+eq+%22b2ee3b1c%22",
        "/Groups?excludedAttributes=members&filter=displayName+eq+%22b2ee3b1c%22",
        "/Groups/",
    ];

    for path in filters {
        let answer = acme.scim().get(path).await;

        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        assert_eq!(answer.header("content-type"), Some("application/scim+json"), "{path}");
        let list = answer.json();
        assert_eq!(
            (&list["schemas"], &list["totalResults"]),
            (&json!([LIST]), &json!(0)),
            "{path}"
        );
        assert_eq!((&list["Resources"], &list["startIndex"]), (&json!([]), &json!(1)), "{path}");
    }
}

#[tokio::test]
async fn a_user_is_created_from_what_entra_sends() {
    let (_service, acme) = acme().await;
    let sent = json!({
        "schemas": [
            "urn:ietf:params:scim:schemas:core:2.0:User",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0User",
        ],
        "externalId": "0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef",
        "userName": "Test_User_00aa00aa-bb11-cc22-dd33-44ee44ee44ee",
        "active": true,
        "emails": [{ "primary": true, "type": "work", "value": "Test_User_11bb@testuser.com" }],
        "meta": { "resourceType": "User" },
        "name": { "formatted": "givenName familyName", "familyName": "familyName", "givenName": "givenName" },
        "roles": [],
        "addresses": null,
        "phoneNumbers": null,
        "title": null,
    });

    let answer = acme.scim().post("/Users", &sent).await;

    let user = answer.json();
    assert_eq!(answer.status, 201, "{user}");
    for attribute in ["externalId", "userName", "active", "emails", "name"] {
        assert_eq!(user[attribute], sent[attribute], "{attribute}");
    }
    let location = format!("{}/Users/{}", acme.scim().url, user["id"].as_str().unwrap());
    assert_eq!(user["meta"]["resourceType"], "User");
    assert_eq!(user["meta"]["location"], location);
    assert_eq!(user["meta"]["created"], "2026-03-03T09:00:00.000Z");
    assert_eq!(answer.header("location"), Some(location.as_str()));
    assert_eq!(answer.header("etag"), user["meta"]["version"].as_str());
    assert_eq!(read(&acme, user["id"].as_str().unwrap()).await, user);
}

#[tokio::test]
async fn every_way_of_deactivating_deactivates() {
    let (_service, acme) = acme().await;
    let scim = acme.scim();
    let id = ada(&acme).await;

    for operation in [
        json!({ "op": "Replace", "path": "active", "value": "False" }),
        json!({ "op": "Replace", "path": "active", "value": false }),
        json!({ "op": "replace", "path": "active", "value": false }),
        json!({ "op": "Add", "path": "active", "value": "False" }),
        json!({ "op": "replace", "value": { "active": false } }),
        json!({ "op": "Replace", "path": "urn:ietf:params:scim:schemas:core:2.0:User:active", "value": "false" }),
        json!({ "op": "replace", "path": "Active", "value": [false] }),
    ] {
        let off = scim.patch(&id, json!([operation])).await;
        let was = read(&acme, &id).await["active"].clone();
        let on = scim.patch(&id, json!([{ "op": "Add", "path": "active", "value": "True" }])).await;

        assert_eq!((off.status, &was), (200, &json!(false)), "{operation}: {}", off.body);
        assert_eq!((on.status, &on.json()["active"]), (200, &json!(true)), "{operation}");
    }
}

#[tokio::test]
async fn attributes_change_in_every_form_that_entra_uses() {
    let (_service, acme) = acme().await;
    let scim = acme.scim();
    let department = format!("{ENTERPRISE}:department");

    for (number, operations) in [
        json!([
            { "op": "Replace", "path": "emails[type eq \"work\"].value", "value": "new@acme.example" },
            { "op": "Replace", "path": "name.familyName", "value": "Adler" },
            { "op": "Replace", "path": "displayName", "value": "Ada Adler" },
            { "op": "Add", "path": department, "value": "Direction" },
        ]),
        json!([
            { "op": "replace", "path": "emails[type eq \"work\"].value", "value": "new@acme.example" },
            { "op": "replace", "value": { "name.familyName": "Adler", "displayName": "Ada Adler", department: "Direction" } },
        ]),
        json!([{ "op": "Add", "value": {
            "emails": [{ "type": "work", "primary": true, "value": "new@acme.example" }],
            "name": { "familyName": "Adler" },
            "displayName": "Ada Adler",
            ENTERPRISE: { "department": "Direction" },
            "id": "another", "schemas": [], "meta": { "version": "x" },
        } }]),
    ]
    .into_iter()
    .enumerate()
    {
        let user_name = format!("ada{number}@acme.example");
        let id = scim.create(&Directory::user(&user_name)).await;

        let answer = scim.patch(&id, operations.clone()).await;

        let user = read(&acme, &id).await;
        assert_eq!(answer.status, 200, "{operations}: {}", answer.body);
        assert_eq!(user["name"]["familyName"], "Adler", "{operations}");
        assert_eq!(user["name"]["givenName"], format!("ada{number}"), "{operations}");
        assert_eq!(user["displayName"], "Ada Adler", "{operations}");
        assert_eq!(user[ENTERPRISE]["department"], "Direction", "{operations}");
        let emails = user["emails"].as_array().unwrap();
        let work: Vec<_> = emails.iter().map(|email| &email["value"]).collect();
        assert!(work.contains(&&json!("new@acme.example")), "{operations}: {user}");
        assert_eq!(user["id"], id);
        assert_eq!(scim.delete(&format!("/Users/{id}")).await.status, 204);
    }
}

#[tokio::test]
async fn a_patch_that_fails_halfway_changes_nothing() {
    let (_service, acme) = acme().await;
    let id = ada(&acme).await;
    let before = read(&acme, &id).await;

    let answer = acme
        .scim()
        .patch(
            &id,
            json!([
                { "op": "replace", "path": "displayName", "value": "Somebody" },
                { "op": "replace", "path": "active", "value": "perhaps" },
            ]),
        )
        .await;

    assert_eq!((answer.status, &answer.json()["scimType"]), (400, &json!("invalidValue")));
    assert_eq!(read(&acme, &id).await, before);
}

#[tokio::test]
async fn somebody_who_is_there_already_is_a_conflict_that_names_what_matched() {
    let (_service, acme) = acme().await;
    let id = ada(&acme).await;
    let scim = acme.scim();
    scim.patch(&id, json!([{ "op": "replace", "path": "active", "value": false }])).await;

    for (attribute, named) in
        [("userName", "userName"), ("externalId", "externalId"), ("emails", "e-mail")]
    {
        let mut rival = Directory::user("bob@acme.example");
        rival[attribute] = Directory::user("ada@acme.example")[attribute].clone();
        if attribute != "externalId" {
            let shouted = rival[attribute].to_string().replace("ada@acme", "ADA@Acme");
            rival[attribute] = serde_json::from_str(&shouted).unwrap();
        }

        let answer = scim.post("/Users", &rival).await;

        let error = answer.json();
        assert_eq!((answer.status, &error["scimType"]), (409, &json!("uniqueness")), "{attribute}");
        assert_eq!(error["status"], "409");
        let detail = error["detail"].as_str().unwrap();
        assert!(detail.contains(named) && detail.contains(&id), "{detail}");
    }
}

#[tokio::test]
async fn a_change_to_somebody_elses_name_is_a_conflict() {
    let (_service, acme) = acme().await;
    let scim = acme.scim();
    ada(&acme).await;
    let bob = scim.create(&Directory::user("bob@acme.example")).await;
    let operation = json!([{ "op": "Replace", "path": "userName", "value": "ada@acme.example" }]);

    let answer = scim.patch(&bob, operation).await;

    assert_eq!((answer.status, &answer.json()["scimType"]), (409, &json!("uniqueness")));
    assert_eq!(read(&acme, &bob).await["userName"], "bob@acme.example");
}

#[tokio::test]
async fn a_name_is_free_again_once_its_user_is_deleted() {
    let (_service, acme) = acme().await;
    let id = ada(&acme).await;

    acme.scim().delete(&format!("/Users/{id}")).await;

    assert_ne!(ada(&acme).await, id);
}

type Change = Box<dyn Fn(&mut Value)>;

#[tokio::test]
async fn a_user_without_what_is_required_is_refused_and_told_what_is_missing() {
    let (_service, acme) = acme().await;
    let name = |name: Value| move |user: &mut Value| user["name"] = name.clone();
    let cases: [(&str, Change); 7] = [
        ("familyName", Box::new(name(json!({ "givenName": "Ada" })))),
        ("familyName", Box::new(name(json!({ "givenName": "Ada", "familyName": " " })))),
        ("givenName", Box::new(name(json!({ "familyName": "Example" })))),
        ("givenName", Box::new(name(Value::Null))),
        ("emails", Box::new(|user| user["emails"] = json!([]))),
        ("userName", Box::new(|user| user["userName"] = json!(""))),
        ("userName", Box::new(|user| user["userName"] = Value::Null)),
    ];

    for (missing, change) in cases {
        let mut user = Directory::user("ada@acme.example");
        change(&mut user);

        let answer = acme.scim().post("/Users", &user).await;

        let error = answer.json();
        assert_eq!((answer.status, &error["scimType"]), (400, &json!("invalidValue")), "{user}");
        assert!(error["detail"].as_str().unwrap().contains(missing), "{missing}: {error}");
    }
    assert_eq!(acme.scim().get("/Users").await.json()["totalResults"], 0);
}

#[tokio::test]
async fn what_is_required_cannot_be_taken_away() {
    let (_service, acme) = acme().await;
    let id = ada(&acme).await;
    let before = read(&acme, &id).await;

    for path in ["userName", "name", "name.familyName", "name.givenName", "emails"] {
        for operation in [
            json!({ "op": "remove", "path": path }),
            json!({ "op": "replace", "path": path, "value": "" }),
        ] {
            let answer = acme.scim().patch(&id, json!([operation])).await;

            assert_eq!(answer.status, 400, "{operation}: {}", answer.body);
        }
    }
    assert_eq!(read(&acme, &id).await, before);
}

#[tokio::test]
async fn a_directory_that_does_not_prove_itself_is_told_how_to() {
    let (_service, acme) = acme().await;
    let (url, password) = (acme.scim().url, acme.scim_password.clone());
    let user_name = acme.connector.scim.user_name.clone();
    let wrong = "wrong".to_owned();
    let stranger = |url: &str, credential| Directory { url: url.to_owned(), credential };
    let unknown =
        url.replace(&acme.connector_id().to_string(), "018f0000-0000-7000-8000-000000000000");
    let bearer = || Credential::Bearer(password.clone());

    for client in [
        stranger(&url, Credential::None),
        stranger(&url, Credential::Bearer(wrong.clone())),
        stranger(&url, Credential::Bearer(String::new())),
        stranger(&url, Credential::Bearer(format!("{password}x"))),
        stranger(&url, Credential::Basic(user_name.clone(), wrong)),
        stranger(&url, Credential::Basic("somebody".into(), password.clone())),
        stranger(&url, Credential::Basic(String::new(), password.clone())),
        stranger(&unknown, bearer()),
        stranger(&url.replace("/scim/v2/", "/scim/v2/x"), bearer()),
    ] {
        for path in ["/Users", "/Groups", "/Schemas", "/ServiceProviderConfig", "/nothing"] {
            let answer = client.get(path).await;

            assert_eq!(answer.status, 401, "{client:?} {path}");
            assert!(answer.header("www-authenticate").unwrap().starts_with("Bearer"));
            assert_eq!(answer.json()["status"], "401");
            assert!(!answer.body.contains(&password));
        }
    }
}

#[tokio::test]
async fn two_credentials_at_once_are_none() {
    let (_service, acme) = acme().await;
    let ask = acme.scim().request(Method::GET, "/Users").header("authorization", "Bearer wrong");

    assert_eq!(ask.send("").await.status, 401);
}

#[tokio::test]
async fn a_connector_that_is_off_takes_nothing_from_its_directory() {
    let (service, acme) = acme().await;

    service.change_connector(&acme, |connector| connector.enabled = false).await;

    assert_eq!(acme.scim().get("/Users").await.status, 401);
}

#[tokio::test]
async fn the_standard_edition_has_no_provisioning() {
    let service = Service::start().await;
    let terms = Terms { edition: Edition::Standard, ..Terms::default() };
    let acme = service.organization_under("acme", terms).await;

    assert_eq!(acme.scim().get("/Users").await.status, 401);
}

#[tokio::test]
async fn what_is_not_there_is_a_scim_404() {
    let (_service, acme) = acme().await;

    for path in [
        "/Users/018f0000-0000-7000-8000-000000000000",
        "/Users/nobody",
        "/Users/%00",
        "/Nothing",
        "/Users/a/b",
        "/Schemas/urn:nothing",
        "/ResourceTypes/Nothing",
        "/Groups/nothing",
    ] {
        let answer = acme.scim().get(path).await;

        assert_eq!(answer.status, 404, "{path}");
        assert_eq!(answer.header("content-type"), Some("application/scim+json"), "{path}");
        assert_eq!(answer.json()["status"], "404", "{path}");
    }
}

#[tokio::test]
async fn a_method_that_an_address_does_not_take_is_a_scim_405() {
    let (_service, acme) = acme().await;
    let id = ada(&acme).await;

    for (method, path) in [
        (Method::DELETE, "/Users".to_owned()),
        (Method::PATCH, "/Users".to_owned()),
        (Method::POST, format!("/Users/{id}")),
        (Method::PUT, "/Groups".to_owned()),
        (Method::GET, "/Bulk".to_owned()),
        (Method::GET, "/.search".to_owned()),
        (Method::POST, "/Schemas".to_owned()),
        (Method::DELETE, "/ServiceProviderConfig".to_owned()),
        (Method::PUT, "/ResourceTypes".to_owned()),
    ] {
        let answer = acme.scim().send(method.clone(), &path, &json!({})).await;

        assert_eq!(answer.status, 405, "{method} {path}");
        assert_eq!(answer.json()["status"], "405", "{method} {path}");
    }
}

#[tokio::test]
async fn a_body_that_is_no_object_is_refused_before_it_does_anything() {
    let (_service, acme) = acme().await;
    let scim = acme.scim();
    let deep = format!("{}{}", r#"{"a":"#.repeat(5_000), "1");

    for body in ["", "{", "[]", "null", "\"x\"", "{\"userName\":}", "\u{feff}{", deep.as_str()] {
        let ask =
            scim.request(Method::POST, "/Users").header("content-type", "application/scim+json");
        let answer = ask.body(body).send("").await;

        let shown: String = body.chars().take(20).collect();
        let error = answer.json();
        assert_eq!((answer.status, &error["scimType"]), (400, &json!("invalidSyntax")), "{shown}");
    }
}

#[tokio::test]
async fn a_body_that_is_too_long_is_not_read() {
    let (_service, acme) = acme().await;
    let mut user = Directory::user("ada@acme.example");
    user["displayName"] = json!("x".repeat(1024 * 1024));

    let answer = acme.scim().post("/Users", &user).await;

    assert_eq!((answer.status, &answer.json()["status"]), (413, &json!("413")));
    assert_eq!(acme.scim().get("/Users").await.json()["totalResults"], 0);
}

#[tokio::test]
async fn a_write_that_rests_on_an_old_version_is_refused() {
    let (_service, acme) = acme().await;
    let id = ada(&acme).await;
    let path = format!("/Users/{id}");
    let scim = acme.scim();
    let old = scim.get(&path).await.header("etag").unwrap().to_owned();
    scim.patch(&id, json!([{ "op": "add", "path": "title", "value": "Head" }])).await;
    let rename = json!({ "Operations": [{ "op": "replace", "path": "title", "value": "Tail" }] });
    let put = Directory::user("ada@acme.example");

    for (method, body) in [
        (Method::PATCH, rename.to_string()),
        (Method::PUT, put.to_string()),
        (Method::DELETE, String::new()),
    ] {
        let ask = scim.request(method.clone(), &path).header("if-match", &old).body(body);
        let answer = ask.send("").await;

        assert_eq!((answer.status, &answer.json()["status"]), (412, &json!("412")), "{method}");
    }
    let now = scim.get(&path).await;
    let fresh = scim.request(Method::DELETE, &path).header("if-match", now.header("etag").unwrap());
    assert_eq!(now.json()["title"], "Head");
    assert_eq!(fresh.send("").await.status, 204);
}

#[tokio::test]
async fn who_holds_the_present_version_gets_it_not_again() {
    let (_service, acme) = acme().await;
    let id = ada(&acme).await;
    let path = format!("/Users/{id}");
    let etag = acme.scim().get(&path).await.header("etag").unwrap().to_owned();

    let ask = acme.scim().request(Method::GET, &path).header("if-none-match", etag);
    let answer = ask.send("").await;

    assert_eq!((answer.status, answer.body.as_str()), (304, ""));
}

#[tokio::test]
async fn values_come_back_as_they_were_sent() {
    let (_service, acme) = acme().await;
    let mut sent = Directory::user("Ada.O'Hara+x@acme.example");
    sent["displayName"] = json!("  Ada \"山田\" \\ <b>&amp;</b> ");
    sent["phoneNumbers"] = json!([{ "type": "work", "value": "+49 (0)30 / 123-45" }]);
    sent["urn:acme:2.0:Badge"] = json!({
        "number": 12.50, "colors": ["red", "blue"], "valid": false, "nested": { "a": [1, { "b": "" }] },
    });
    sent["shoeSize"] = json!("43½");

    let id = acme.scim().create(&sent).await;

    let user = read(&acme, &id).await;
    for attribute in
        ["userName", "externalId", "displayName", "phoneNumbers", "urn:acme:2.0:Badge", "shoeSize"]
    {
        assert_eq!(user[attribute], sent[attribute], "{attribute}");
    }
    assert!(user["schemas"].as_array().unwrap().contains(&json!("urn:acme:2.0:Badge")), "{user}");
}

#[tokio::test]
async fn nothing_of_a_user_shows_what_it_must_not() {
    let (_service, acme) = acme().await;
    let mut user = Directory::user("ada@acme.example");
    user["password"] = json!("correct horse");

    let created = acme.scim().post("/Users", &user).await;

    let id = created.json()["id"].as_str().unwrap().to_owned();
    for answer in [created, acme.scim().get(&format!("/Users/{id}?attributes=password")).await] {
        assert!(!answer.body.contains("correct horse"), "{}", answer.body);
    }
}

#[tokio::test]
async fn a_second_delete_finds_nothing() {
    let (_service, acme) = acme().await;
    let id = ada(&acme).await;
    let path = format!("/Users/{id}");

    let (first, second) = (acme.scim().delete(&path).await, acme.scim().delete(&path).await);

    assert_eq!((first.status, first.body.as_str()), (204, ""));
    assert_eq!(second.status, 404);
    assert_eq!(acme.scim().get(&path).await.status, 404);
    assert_eq!(
        acme.scim().find(r#"userName eq "ada@acme.example""#).await.json()["totalResults"],
        0
    );
}

#[tokio::test]
async fn a_patch_that_changes_nothing_leaves_the_version_alone() {
    let (service, acme) = acme().await;
    let id = ada(&acme).await;
    let before = read(&acme, &id).await;
    service.advance(jiff::SignedDuration::from_mins(40));

    let answer = acme
        .scim()
        .patch(
            &id,
            json!([
                { "op": "Replace", "path": "active", "value": "True" },
                { "op": "Add", "path": "emails[type eq \"work\"].value", "value": "ada@acme.example" },
                { "op": "replace", "value": { "name.familyName": "Example" } },
            ]),
        )
        .await;

    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.header("etag"), before["meta"]["version"].as_str());
    assert_eq!(read(&acme, &id).await, before);
}

#[tokio::test]
async fn twenty_changes_at_once_all_land() {
    let (_service, acme) = acme().await;
    let id = ada(&acme).await;
    let scim = acme.scim();

    let mut changes = tokio::task::JoinSet::new();
    for number in 0..20 {
        let (scim, id) = (scim.clone(), id.clone());
        let path = format!("urn:acme:2.0:Badge:a{number}");
        changes.spawn(async move {
            scim.patch(&id, json!([{ "op": "Add", "path": path, "value": "x" }])).await
        });
    }
    let answers = changes.join_all().await;

    let statuses: Vec<_> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses, [200; 20]);
    let user = read(&acme, &id).await;
    assert_eq!(user["urn:acme:2.0:Badge"].as_object().unwrap().len(), 20);
    assert_eq!(user["meta"]["version"], "W/\"21\"");
}

#[tokio::test]
async fn of_twenty_creations_of_one_user_at_once_one_succeeds() {
    let (_service, acme) = acme().await;
    let scim = acme.scim();

    let mut creations = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let scim = scim.clone();
        creations
            .spawn(async move { scim.post("/Users", &Directory::user("ada@acme.example")).await });
    }
    let answers = creations.join_all().await;

    let mut statuses: Vec<_> = answers.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!((statuses[0], &statuses[1..]), (201, &[409; 19][..]));
}

#[tokio::test]
async fn a_replacement_takes_away_what_it_does_not_name() {
    let (_service, acme) = acme().await;
    let scim = acme.scim();
    let mut user = Directory::user("ada@acme.example");
    user["title"] = json!("Head");
    let id = scim.create(&user).await;
    let mut next = Directory::user("ada@acme.example");
    next["displayName"] = json!("Ada Adler");

    let answer = scim.send(Method::PUT, &format!("/Users/{id}"), &next).await;

    let user = answer.json();
    assert_eq!((answer.status, &user["displayName"]), (200, &json!("Ada Adler")));
    assert_eq!((user.get("title"), user["id"].as_str()), (None, Some(id.as_str())));
}

#[tokio::test]
async fn the_inactive_are_read_and_found_like_everybody() {
    let (_service, acme) = acme().await;
    let id = ada(&acme).await;
    let scim = acme.scim();
    scim.patch(&id, json!([{ "op": "replace", "path": "active", "value": false }])).await;

    let found = scim.find(r#"userName eq "ADA@acme.example""#).await.json();
    let filtered = scim.find(r#"userName eq "ada@acme.example" and active eq true"#).await.json();
    let listed = scim.get("/Users").await.json();

    assert_eq!((&found["totalResults"], &found["Resources"][0]["id"]), (&json!(1), &json!(id)));
    assert_eq!(filtered["totalResults"], 0);
    assert_eq!(listed["Resources"][0]["active"], false);
}

#[tokio::test]
async fn a_long_list_comes_in_pages_that_neither_repeat_nor_skip() {
    let (_service, acme) = acme().await;
    let scim = acme.scim();
    let mut created = Vec::new();
    for number in 0..12 {
        created.push(scim.create(&Directory::user(&format!("p{number}@acme.example"))).await);
    }

    let mut listed = Vec::new();
    for start in [1, 6, 11] {
        let page = scim.get(&format!("/Users?startIndex={start}&count=5")).await.json();
        assert_eq!((&page["totalResults"], &page["startIndex"]), (&json!(12), &json!(start)));
        let resources = page["Resources"].as_array().unwrap();
        assert_eq!(page["itemsPerPage"], resources.len());
        listed.extend(resources.iter().map(|user| user["id"].as_str().unwrap().to_owned()));
    }

    assert_eq!(listed, created);
    for (query, items) in
        [("count=0", 0), ("count=-3", 0), ("startIndex=0&count=2", 2), ("startIndex=13", 0)]
    {
        let page = scim.get(&format!("/Users?{query}")).await.json();
        assert_eq!(
            (&page["totalResults"], page["Resources"].as_array().unwrap().len()),
            (&json!(12), items),
            "{query}"
        );
    }
}

#[tokio::test]
async fn a_filter_that_is_not_understood_is_refused_and_never_ignored() {
    let (_service, acme) = acme().await;
    ada(&acme).await;

    for filter in
        ["userName", "userName eq", "userName xx \"a\"", "(userName eq \"a\"", "eq \"a\"", "\u{0}"]
    {
        let answer = acme.scim().find(filter).await;

        let error = answer.json();
        assert_eq!((answer.status, &error["scimType"]), (400, &json!("invalidFilter")), "{filter}");
    }
}

#[tokio::test]
async fn an_answer_holds_only_what_was_asked_for() {
    let (_service, acme) = acme().await;
    let id = ada(&acme).await;

    let only = acme.scim().get(&format!("/Users/{id}?attributes=userName")).await.json();
    let without = acme.scim().get(&format!("/Users/{id}?excludedAttributes=emails")).await.json();

    assert_eq!((&only["userName"], &only["id"]), (&json!("ada@acme.example"), &json!(id)));
    assert_eq!((only.get("emails"), only.get("name")), (None, None));
    assert_eq!(without.get("emails"), None);
    assert_eq!(without["userName"], "ada@acme.example");
}

#[tokio::test]
async fn the_service_says_what_it_can_do() {
    let (_service, acme) = acme().await;
    let scim = acme.scim();

    let configuration = scim.get("/ServiceProviderConfig").await.json();
    let types = scim.get("/ResourceTypes").await.json();
    let schemas = scim.get("/Schemas").await.json();

    assert_eq!(configuration["patch"]["supported"], true);
    assert_eq!(configuration["etag"]["supported"], true);
    assert_eq!(types["Resources"][0]["endpoint"], "/Users");
    assert_eq!(schemas["schemas"], json!([LIST]));
    for schema in schemas["Resources"].as_array().unwrap() {
        let urn = schema["id"].as_str().unwrap();
        assert_eq!(scim.get(&format!("/Schemas/{urn}")).await.json()["id"], urn);
    }
}

#[tokio::test]
async fn every_change_is_in_the_audit_log_with_the_directory_as_its_author() {
    let (service, acme) = acme().await;
    let id = ada(&acme).await;
    let scim = acme.scim();
    scim.patch(&id, json!([{ "op": "add", "path": "title", "value": "Head" }])).await;
    scim.patch(&id, json!([{ "op": "replace", "path": "active", "value": false }])).await;
    scim.delete(&format!("/Users/{id}")).await;

    let events = service.audit(&acme).await;

    let directory = format!("directory:{}", acme.connector_id());
    let of_ada: Vec<_> =
        events.iter().filter(|event| event.target == id && event.actor == directory).collect();
    let actions: Vec<_> = of_ada.iter().map(|event| event.action.as_str()).collect();
    let expected = ["account.deleted", "account.deactivated", "account.changed", "account.created"];
    assert_eq!(actions, expected);
    assert_eq!(of_ada[2].details["changed"], json!(["title"]));
}

#[tokio::test]
async fn a_tenant_whose_person_lacks_a_family_name_reads_so_in_its_own_log() {
    let (_service, acme) = acme().await;
    let seed = PersonSeed {
        surname: Some(String::new()),
        ..PersonSeed::new("Ada Example", "ada@acme.example")
    };
    acme.has(seed, &["User"]);

    let log = acme.try_provision().await;

    let failure = log.failures().next().unwrap();
    assert_eq!(failure.status, Some(400));
    assert!(failure.detail.contains("familyName"), "{}", failure.detail);
}

#[tokio::test]
async fn an_attribute_that_is_optional_can_be_emptied_in_either_way() {
    let (_service, acme) = acme().await;
    let scim = acme.scim();
    let id = ada(&acme).await;

    for empty in [json!(""), Value::Null] {
        scim.patch(&id, json!([{ "op": "Add", "path": "title", "value": "Head" }])).await;

        let replace = json!([{ "op": "Replace", "path": "title", "value": empty }]);
        let answer = scim.patch(&id, replace).await;

        assert_eq!(answer.status, 200, "{}", answer.body);
        assert!(read(&acme, &id).await.get("title").is_none_or(|title| *title == json!("")));
    }
}

#[tokio::test]
async fn a_manager_is_set_and_taken_away_in_every_form() {
    let (_service, acme) = acme().await;
    let scim = acme.scim();
    let id = ada(&acme).await;
    let boss = scim.create(&Directory::user("boss@acme.example")).await;
    let manager = format!("{ENTERPRISE}:manager");

    for operation in [
        json!({ "op": "Add", "path": manager, "value": boss }),
        json!({ "op": "Replace", "path": manager, "value": { "value": boss } }),
        json!({ "op": "Add", "path": "manager", "value": [{ "$ref": "x", "value": boss }] }),
        json!({ "op": "replace", "path": format!("{ENTERPRISE}.manager"), "value": boss }),
    ] {
        let set = scim.patch(&id, json!([operation])).await;
        let was = read(&acme, &id).await;
        let clear =
            scim.patch(&id, json!([{ "op": "Replace", "path": manager, "value": "" }])).await;

        assert_eq!(set.status, 200, "{operation}: {}", set.body);
        assert_eq!(was[ENTERPRISE]["manager"]["value"], boss, "{operation}: {was}");
        assert_eq!(clear.status, 200, "{operation}: {}", clear.body);
        let user = read(&acme, &id).await;
        assert!(user[ENTERPRISE].get("manager").is_none(), "{operation}: {user}");
    }
}

#[tokio::test]
async fn a_client_without_a_user_agent_and_with_plain_json_is_served() {
    let (_service, acme) = acme().await;
    let ask =
        acme.scim().request(Method::POST, "/Users").header("content-type", "application/json");

    let body = Directory::user("ada@acme.example").to_string();
    let answer = ask.header("accept", "application/json").body(body).send("").await;

    assert_eq!(answer.status, 201, "{}", answer.body);
}

#[tokio::test]
async fn a_page_is_no_place_to_authenticate_by_password() {
    let (service, acme) = acme().await;
    let bearer = format!("Bearer {}", acme.scim_password);

    let answer = service.ask(Ask::get("/session").header("authorization", bearer)).await;

    assert_eq!(answer.status, 401);
}
