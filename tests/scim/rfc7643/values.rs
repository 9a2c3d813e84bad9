//! What the values of attributes may be (RFC 7643 §2.3 to §2.5, §4, §7).

use portico::ports::provisioning_log::RecordsWanted;
use serde_json::{Value, json};

use crate::client::{ENTERPRISE, Scim, USER, assert_fault, id, ids, user, with};

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
