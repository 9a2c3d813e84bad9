//! What PATCH does (RFC 7644 §3.5.2).

use http::Method;
use jiff::SignedDuration;
use serde_json::json;

use crate::client::{
    ENTERPRISE, GROUP, PATCH_OP, Scim, USER, assert_fault, id, user, values, with,
};

#[tokio::test]
async fn a_patch_that_is_none_is_refused() {
    let scim = Scim::strict().await;
    let ada = scim.user("ada").await;
    let team = json!({ "schemas": [GROUP], "displayName": "Team" });
    let team = scim.create("/Groups", &team).await;
    let operation = json!({ "op": "add", "path": "externalId", "value": "x" });

    for body in [
        json!({ "Operations": [operation] }),
        json!({ "schemas": [], "Operations": [operation] }),
        json!({ "schemas": [USER], "Operations": [operation] }),
        json!({ "schemas": [PATCH_OP] }),
        json!({ "schemas": [PATCH_OP], "Operations": [] }),
        json!({ "schemas": [PATCH_OP], "Operations": operation }),
        json!({ "schemas": [PATCH_OP], "Operations": ["add"] }),
        json!({ "schemas": [PATCH_OP], "Operations": [{ "path": "title", "value": "x" }] }),
        json!({ "schemas": [PATCH_OP], "Operations": [{ "op": "move", "path": "title" }] }),
        json!({ "schemas": [PATCH_OP], "Operations": [{ "op": ["add"], "path": "title", "value": "x" }] }),
    ] {
        for path in [&ada, &team] {
            let answer = scim.directory.send(Method::PATCH, path, &body).await;
            assert_fault(&answer, 400, Some("invalidSyntax"), &format!("{path} {body}"));
        }
    }
    let twice = format!(
        r#"{{"schemas":["{PATCH_OP}"],"Operations":[{{"op":"add","op":"remove","path":"title","value":"x"}}]}}"#
    );
    let answer = scim.request(Method::PATCH, &ada).body(twice).send("").await;
    assert_fault(&answer, 400, Some("invalidSyntax"), "two op members");
}

#[tokio::test]
async fn an_operation_does_what_the_standard_says() {
    let scim = Scim::strict().await;
    let work = json!({ "type": "work", "value": "1" });
    let home = json!({ "type": "home", "value": "2" });
    let start = json!({
        "title": "Head", "phoneNumbers": [work, home],
        "name": { "givenName": "Ada", "familyName": "Example", "middleName": "M" },
        ENTERPRISE: { "department": "Sales", "division": "North" }, "schemas": [USER, ENTERPRISE],
    });

    for (number, (operation, expected)) in [
        (json!({ "op": "add", "path": "nickName", "value": "A" }), json!({ "nickName": "A" })),
        (json!({ "op": "add", "path": "title", "value": "Tail" }), json!({ "title": "Tail" })),
        (
            json!({ "op": "add", "path": "name", "value": { "familyName": "X" } }),
            json!({ "name": { "givenName": "Ada", "familyName": "X", "middleName": "M" } }),
        ),
        (
            json!({ "op": "add", "path": "phoneNumbers", "value": [{ "value": "3" }] }),
            json!({ "phoneNumbers": [work, home, { "value": "3" }] }),
        ),
        (
            json!({ "op": "add", "value": { "nickName": "A", "phoneNumbers": [{ "value": "3" }] } }),
            json!({ "nickName": "A", "phoneNumbers": [work, home, { "value": "3" }] }),
        ),
        (
            json!({ "op": "add", "path": "phoneNumbers[type eq \"home\"].display", "value": "H" }),
            json!({ "phoneNumbers": [work, { "type": "home", "value": "2", "display": "H" }] }),
        ),
        (json!({ "op": "remove", "path": "title" }), json!({ "title": null })),
        (json!({ "op": "remove", "path": "phoneNumbers" }), json!({ "phoneNumbers": null })),
        (
            json!({ "op": "remove", "path": "phoneNumbers[type eq \"work\"]" }),
            json!({ "phoneNumbers": [home] }),
        ),
        (
            json!({ "op": "remove", "path": "phoneNumbers[value pr]" }),
            json!({ "phoneNumbers": null }),
        ),
        (
            json!({ "op": "remove", "path": "phoneNumbers[type eq \"work\"].type" }),
            json!({ "phoneNumbers": [{ "value": "1" }, home] }),
        ),
        (
            json!({ "op": "remove", "path": "name.middleName" }),
            json!({ "name": { "givenName": "Ada", "familyName": "Example" } }),
        ),
        (
            json!({ "op": "remove", "path": format!("{ENTERPRISE}:division") }),
            json!({ ENTERPRISE: { "department": "Sales" } }),
        ),
        (json!({ "op": "remove", "path": ENTERPRISE }), json!({ ENTERPRISE: null, "schemas": [USER] })),
        (json!({ "op": "replace", "path": "nickName", "value": "A" }), json!({ "nickName": "A" })),
        (
            json!({ "op": "replace", "path": "name", "value": { "familyName": "X" } }),
            json!({ "name": { "givenName": "Ada", "familyName": "X", "middleName": "M" } }),
        ),
        (
            json!({ "op": "replace", "path": "phoneNumbers", "value": [{ "value": "3" }] }),
            json!({ "phoneNumbers": [{ "value": "3" }] }),
        ),
        (
            json!({ "op": "replace", "path": "phoneNumbers[type pr]", "value": { "value": "9" } }),
            // What has become alike is said once.
            json!({ "phoneNumbers": [{ "value": "9" }] }),
        ),
        (
            json!({ "op": "replace", "path": "phoneNumbers[type eq \"work\"].value", "value": "9" }),
            json!({ "phoneNumbers": [{ "type": "work", "value": "9" }, home] }),
        ),
        (
            json!({ "op": "replace", "value": { "title": "Tail", "phoneNumbers": [home] } }),
            json!({ "title": "Tail", "phoneNumbers": [home] }),
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let before = with(user(&format!("u{number}")), start.clone());
        let path = scim.create("/Users", &before).await;

        let answer = scim.patch(&path, json!([operation])).await;

        let mut expected = with(before, expected);
        expected.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        let mut found = scim.read(&path).await;
        assert_eq!((answer.status, answer.json()), (200, found.clone()), "{operation}");
        for own in ["id", "meta"] {
            found.as_object_mut().unwrap().remove(own);
        }
assert_eq!(found, expected, "{operation}");
    }
    let (ada, bob) = (scim.user("ada").await, scim.user("bob").await);
    let team = scim.group("Team", &[&ada, &bob]).await;
    let all = json!([{ "op": "remove", "path": "members", "value": values(&[&ada]) }]);
    let answer = scim.patch(&team, all).await;
    assert_eq!((answer.status, answer.body.as_str()), (204, ""));
    assert!(scim.members(&team).await.is_empty(), "the RFC's remove has no value");
}

#[tokio::test]
async fn an_operation_that_may_not_be_is_refused_with_its_reason() {
    let scim = Scim::strict().await;
    let ada = scim.user_with("ada", json!({ "phoneNumbers": [{ "value": "1" }] })).await;
    let team = scim.group("Team", &[&ada]).await;
    let before = [scim.read(&ada).await, scim.read(&team).await];
    let only = format!("members[value eq \"{}\"].value", id(&ada));

    for (path, operation, scim_type) in [
        (&ada, json!({ "op": "add", "path": "title" }), "invalidValue"),
        (&ada, json!({ "op": "add" }), "invalidValue"),
        (&ada, json!({ "op": "add", "value": "x" }), "invalidValue"),
        (&ada, json!({ "op": "add", "path": "name", "value": "x" }), "invalidValue"),
        (&ada, json!({ "op": "replace", "path": "active", "value": "False" }), "invalidValue"),
        (&ada, json!({ "op": "replace", "path": "title", "value": { "a": 1 } }), "invalidValue"),
        (&ada, json!({ "op": "replace", "path": "shoeSize", "value": 43 }), "invalidPath"),
        (&ada, json!({ "op": "replace", "path": "title.x", "value": "x" }), "invalidPath"),
        (&ada, json!({ "op": "replace", "path": "a b", "value": "x" }), "invalidPath"),
        (
            &ada,
            json!({ "op": "replace", "path": "emails[type xx \"a\"]", "value": {} }),
            "invalidFilter",
        ),
        (&ada, json!({ "op": "remove" }), "noTarget"),
        (&ada, json!({ "op": "remove", "path": "userName" }), "mutability"),
        (&ada, json!({ "op": "remove", "path": "id" }), "mutability"),
        (&ada, json!({ "op": "replace", "path": "id", "value": "x" }), "mutability"),
        (&ada, json!({ "op": "add", "path": "meta.version", "value": "x" }), "mutability"),
        (&ada, json!({ "op": "add", "path": "groups", "value": [{ "value": "x" }] }), "mutability"),
        (
            &ada,
            json!({ "op": "replace", "path": "phoneNumbers[value eq \"2\"]", "value": { "value": "3" } }),
            "noTarget",
        ),
        (
            &ada,
            json!({ "op": "replace", "path": "phoneNumbers[type eq \"x\"].value", "value": "3" }),
            "noTarget",
        ),
        (&team, json!({ "op": "remove", "path": "displayName" }), "mutability"),
        (&team, json!({ "op": "replace", "path": only, "value": "x" }), "mutability"),
        (&team, json!({ "op": "add", "path": "members" }), "invalidValue"),
        (
            &team,
            json!({ "op": "add", "path": "members", "value": [{ "display": "x" }] }),
            "invalidValue",
        ),
        (
            &team,
            json!({ "op": "add", "path": "members", "value": [{ "value": "nobody" }] }),
            "invalidValue",
        ),
    ] {
        let answer = scim.patch(path, json!([operation])).await;

        assert_fault(&answer, 400, Some(scim_type), &operation.to_string());
    }
    assert_eq!([scim.read(&ada).await, scim.read(&team).await], before);
}

#[tokio::test]
async fn a_value_that_becomes_primary_demotes_the_one_that_was() {
    for scim in [Scim::fresh().await, Scim::strict().await] {
        for number in 0..4 {
            let name = format!("u{number}");
            let home =
                json!({ "value": format!("{name}@home.example"), "type": "home", "primary": true });
            let operations = [
                json!({ "op": "add", "path": "emails", "value": [home] }),
                json!({ "op": "add", "value": { "emails": [home] } }),
                json!({ "op": "replace", "path": "emails[type eq \"other\"].primary", "value": true }),
                json!({ "op": "add", "path": "emails[type eq \"other\"].primary", "value": true }),
            ];
            let emails = json!([
                { "value": format!("{name}@acme.example"), "type": "work", "primary": true },
                { "value": format!("{name}@other.example"), "type": "other" },
            ]);
            let path = scim.user_with(&name, json!({ "emails": emails })).await;

            let answer = scim.patch(&path, json!([operations[number]])).await;

            assert_eq!(answer.status, 200, "{name}: {}", answer.body);
            let emails = answer.json()["emails"].clone();
            let emails = emails.as_array().unwrap().iter();
            let primary: Vec<_> = emails.filter(|email| email["primary"] == true).collect();
            assert_eq!(primary.len(), 1, "{name}: {primary:?}");
            assert_eq!(primary[0]["type"], if number < 2 { "home" } else { "other" }, "{name}");
        }
    }
}

#[tokio::test]
async fn a_patch_happens_whole_or_not_at_all() {
    let scim = Scim::fresh().await;
    let ada = scim.user("ada").await;
    let bob = scim.user("bob").await;
    let team = scim.group("Team", &[&ada]).await;
    let before = [scim.read(&ada).await, scim.read(&team).await];

    for last in [
        json!({ "op": "replace", "path": "active", "value": "perhaps" }),
        json!({ "op": "remove", "path": "userName" }),
        json!({ "op": "replace", "path": "userName", "value": "bob@acme.example" }),
        json!({ "op": "replace", "path": "id", "value": "x" }),
        json!({ "op": "frobnicate" }),
    ] {
        let first = json!({ "op": "replace", "path": "title", "value": "Head" });
        let answer = scim.patch(&ada, json!([first, last])).await;
        assert!([400, 409].contains(&answer.status), "{last}: {}", answer.body);
    }
    for last in [
        json!({ "op": "add", "path": "members", "value": [{ "value": "018f0000-0000-7000-8000-000000000000" }] }),
        json!({ "op": "add", "path": "members", "value": [{ "value": "nobody" }] }),
        json!({ "op": "remove", "path": "displayName" }),
    ] {
        let first = json!({ "op": "add", "path": "members", "value": values(&[&bob]) });
        let second = json!({ "op": "replace", "path": "displayName", "value": "Crew" });
        let answer = scim.patch(&team, json!([first, second, last])).await;
        assert_eq!(answer.status, 400, "{last}: {}", answer.body);
    }
    assert_eq!([scim.read(&ada).await, scim.read(&team).await], before);
}

#[tokio::test]
async fn adding_what_is_there_changes_no_timestamp() {
    let scim = Scim::fresh().await;
    let ada = scim.user_with("ada", json!({ "title": "Head", "roles": [{ "value": "A" }] })).await;
    let team = scim.group("Team", &[&ada]).await;
    let before = [scim.read(&ada).await["meta"].clone(), scim.read(&team).await["meta"].clone()];
    scim.service.advance(SignedDuration::from_mins(40));

    for (path, operation) in [
        (&ada, json!({ "op": "add", "path": "title", "value": "Head" })),
        (&ada, json!({ "op": "add", "path": "roles", "value": [{ "value": "A" }] })),
        (&ada, json!({ "op": "replace", "value": { "title": "Head", "active": "True" } })),
        (&team, json!({ "op": "add", "path": "members", "value": values(&[&ada]) })),
        (&team, json!({ "op": "replace", "path": "members", "value": values(&[&ada]) })),
        (&team, json!({ "op": "replace", "path": "displayName", "value": "Team" })),
        (&team, json!({ "op": "remove", "path": "members[value eq \"nobody\"]" })),
    ] {
        let answer = scim.patch(path, json!([operation])).await;
        assert!(answer.status < 300, "{operation}: {}", answer.body);
    }
    let put = scim.put(&ada, &scim.read(&ada).await).await;

    assert_eq!(put.status, 200, "{}", put.body);
    assert_eq!(
        [scim.read(&ada).await["meta"].clone(), scim.read(&team).await["meta"].clone()],
        before
    );
}
