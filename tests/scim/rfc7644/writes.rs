//! What POST, PUT and DELETE do (RFC 7644 §3.3, §3.5.1, §3.6).

use http::Method;
use serde_json::json;

use crate::client::{
    ENTERPRISE, GROUP, PATCH_OP, Scim, USER, assert_fault, id, user, values, with,
};

#[tokio::test]
async fn a_creation_is_answered_with_what_was_created() {
    let scim = Scim::fresh().await;
    let own = json!({
        "id": "mine", "meta": { "resourceType": "Thing" }, "groups": [{ "value": "x" }],
        "schemas": [USER],
    });

    for (endpoint, kind, body) in [
        ("/Users", "User", with(user("ada"), own.clone())),
        (
            "/Groups",
            "Group",
            with(json!({ "displayName": "Team" }), json!({ "id": "mine", "schemas": [GROUP] })),
        ),
    ] {
        let answer = scim.post(endpoint, &body).await;

        let made = answer.json();
        assert_eq!(answer.status, 201, "{made}");
        let path = format!("{endpoint}/{}", made["id"].as_str().unwrap());
        let location = format!("{}{path}", scim.directory.url);
        assert_ne!(made["id"], "mine");
        assert_eq!(answer.header("location"), Some(location.as_str()));
        assert_eq!(made["meta"]["location"], location);
        assert_eq!(made["meta"]["resourceType"], kind);
        assert_eq!(answer.header("etag"), made["meta"]["version"].as_str());
        assert_eq!(scim.read(&path).await, made);
        assert_eq!(scim.get(&format!("{endpoint}/mine")).await.status, 404);
    }
}

#[tokio::test]
async fn what_is_there_already_is_a_conflict() {
    let scim = Scim::fresh().await;
    let ada = scim.user_with("ada", json!({ "externalId": "a" })).await;
    let bob = scim.user_with("bob", json!({ "externalId": "b" })).await;
    let team = scim.create("/Groups", &json!({ "displayName": "Team", "externalId": "t" })).await;
    let crew = scim.create("/Groups", &json!({ "displayName": "Crew", "externalId": "c" })).await;

    for (taken, held) in [
        (json!({ "userName": "ADA@acme.example" }), &ada),
        (json!({ "externalId": "a" }), &ada),
        (json!({ "emails": [{ "value": "Ada@acme.example" }] }), &ada),
    ] {
        let eve = scim.post("/Users", &with(user("eve"), taken.clone())).await;
        let put = scim.put(&bob, &with(user("bob"), taken.clone())).await;
        let patch = scim.patch(&bob, json!([{ "op": "replace", "value": taken }])).await;

        for answer in [eve, put, patch] {
            assert_fault(&answer, 409, Some("uniqueness"), &taken.to_string());
            assert!(answer.body.contains(id(held)), "{}", answer.body);
        }
    }
    for taken in [json!({ "displayName": "Team" }), json!({ "externalId": "t" })] {
        let other = with(json!({ "displayName": "Other", "externalId": "o" }), taken.clone());
        let post = scim.post("/Groups", &other).await;
        let own = with(json!({ "displayName": "Crew", "externalId": "c" }), taken.clone());
        let put = scim.put(&crew, &own).await;
        let patch = scim.patch(&crew, json!([{ "op": "replace", "value": taken }])).await;

        for answer in [post, put, patch] {
            assert_fault(&answer, 409, Some("uniqueness"), &taken.to_string());
            assert!(answer.body.contains(id(&team)), "{}", answer.body);
        }
    }
    assert_eq!(scim.read(&bob).await["userName"], "bob@acme.example");
}

#[tokio::test]
async fn a_replacement_creates_nobody() {
    let scim = Scim::fresh().await;
    let free = "018f0000-0000-7000-8000-000000000000";

    let user = scim.put(&format!("/Users/{free}"), &user("ada")).await;
    let group = scim.put(&format!("/Groups/{free}"), &json!({ "displayName": "Team" })).await;

    assert_fault(&user, 404, None, "a user that is not there");
    assert_fault(&group, 404, None, "a group that is not there");
    assert_eq!(scim.read("/").await["totalResults"], 0);
}

#[tokio::test]
async fn a_replacement_replaces_what_a_client_may_write() {
    let scim = Scim::fresh().await;
    let more = json!({
        "title": "Head", "phoneNumbers": [{ "value": "1" }], "roles": [{ "value": "Admin" }],
        "urn:acme:2.0:User": { "badge": "7" }, ENTERPRISE: { "department": "Sales" },
        "name": { "givenName": "Ada", "familyName": "Example", "middleName": "M" },
    });
    let ada = scim.user_with("ada", more).await;
    let team = scim.group("Team", &[&ada]).await;
    let next = with(
        user("ada"),
        json!({
            "id": "x", "meta": { "version": "x" }, "groups": [], "schemas": [USER],
            "title": "Tail", "userName": "Ada@acme.example",
        }),
    );

    let put = scim.put(&ada, &next).await;
    let user = put.json();
    let group = scim.put(&team, &json!({ "schemas": [GROUP], "displayName": "Crew" })).await;

    assert_eq!(put.status, 200, "{user}");
    assert_eq!(scim.read(&ada).await["title"], "Tail");
    assert_eq!((&user["id"], &user["meta"]["version"]), (&json!(id(&ada)), &json!("W/\"2\"")));
    assert_eq!((&user["title"], &user["userName"]), (&json!("Tail"), &json!("Ada@acme.example")));
    assert_eq!(user["name"], json!({ "givenName": "ada", "familyName": "Example" }));
    assert_eq!(user["groups"][0]["value"], id(&team));
    for gone in ["phoneNumbers", "roles", ENTERPRISE, "urn:acme:2.0:User"] {
        assert_eq!(user.get(gone), None, "{gone}");
    }
    assert_eq!((group.status, &group.json()["members"]), (200, &json!([])));
    assert_eq!(group.json()["displayName"], "Crew");
}

#[tokio::test]
async fn a_replacement_with_something_required_missing_is_refused() {
    let scim = Scim::fresh().await;
    let ada = scim.user("ada").await;
    let team = scim.group("Team", &[&ada]).await;
    let before = [scim.read(&ada).await, scim.read(&team).await];

    for missing in ["userName", "name", "emails"] {
        let mut body = user("ada");
        body.as_object_mut().unwrap().remove(missing);
        let answer = scim.put(&ada, &body).await;

        assert_fault(&answer, 400, Some("invalidValue"), missing);
        assert!(answer.json()["detail"].as_str().unwrap().contains(missing), "{}", answer.body);
    }
    let answer = scim.put(&team, &json!({ "schemas": [GROUP], "members": [] })).await;
    assert_fault(&answer, 400, Some("invalidValue"), "displayName");
    assert_eq!([scim.read(&ada).await, scim.read(&team).await], before);
}

#[tokio::test]
async fn what_is_deleted_is_nowhere() {
    let scim = Scim::fresh().await;
    let ada = scim.user("ada").await;
    let team = scim.group("Team", &[&ada]).await;
    let crew = scim.group("Crew", &[&ada]).await;

    let deleted = [scim.delete(&ada).await, scim.delete(&crew).await];

    for answer in deleted {
        assert_eq!((answer.status, answer.body.as_str()), (204, ""));
    }
    assert!(scim.members(&team).await.is_empty(), "a member who is gone");
    for path in [&ada, &crew] {
        let body = json!({ "schemas": [PATCH_OP], "Operations": [{ "op": "add", "path": "externalId", "value": "x" }] });
        let whole = with(user("ada"), json!({ "displayName": "Crew" }));
        for answer in [
            scim.get(path).await,
            scim.delete(path).await,
            scim.put(path, &whole).await,
            scim.directory.send(Method::PATCH, path, &body).await,
        ] {
            assert_fault(&answer, 404, None, path);
        }
    }
    for (endpoint, filter) in [
        ("/Users", r#"userName eq "ada@acme.example""#),
        ("/Users", r#"emails.value eq "ada@acme.example""#),
        ("/Groups", r#"displayName eq "Crew""#),
        ("/", r#"displayName pr and not (displayName eq "Team")"#),
    ] {
        let found = scim.query(endpoint, &[("filter", filter)]).await.json();
        assert_eq!(found["totalResults"], 0, "{filter}");
    }
    let member = json!([{ "op": "add", "path": "members", "value": values(&[&ada]) }]);
    let member = scim.patch(&team, member).await;
    assert_fault(&member, 400, Some("invalidValue"), "a member who is gone");
    assert_ne!(scim.user("ada").await, ada);
    assert_ne!(scim.group("Crew", &[]).await, crew);
}

#[tokio::test]
async fn user_names_that_differ_in_case_alone_are_one() {
    let scim = Scim::fresh().await;
    scim.user("zoë").await;
    scim.user("straße").await;

    for name in ["ZOË", "Zoë", "STRAßE"] {
        let answer = scim
            .post(
                "/Users",
                &with(user("rival"), json!({ "userName": format!("{name}@acme.example") })),
            )
            .await;

        assert_fault(&answer, 409, Some("uniqueness"), name);
        assert_eq!(
            scim.found(&format!("userName eq \"{name}@ACME.example\"")).await.len(),
            1,
            "{name}"
        );
    }
    let other = json!({ "userName": "zoe@acme.example" });
    let other = scim.post("/Users", &with(user("rival"), other)).await;
    assert_eq!(other.status, 201, "{}", other.body);
}
