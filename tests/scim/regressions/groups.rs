//! Groups and their members.

use std::collections::BTreeSet;

use http::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::client::{GROUP, Scim, assert_fault, id, ids, names, values, with};

#[tokio::test]
async fn removing_listed_members_removes_nobody_else() {
    let scim = Scim::fresh().await;
    let (ada, bob, eve) = (scim.user("ada").await, scim.user("bob").await, scim.user("eve").await);
    let everybody = [&*ada, &*bob, &*eve];
    let team = scim.group("Team", &everybody).await;
    let listed = values(&[&ada]);

    for operation in [
        json!({ "op": "Remove", "path": "members", "value": listed }),
        json!({ "op": "remove", "path": "members", "value": [{ "$ref": null, "value": id(&ada) }] }),
        json!({ "op": "remove", "path": "members", "value": { "value": id(&ada) } }),
        json!({ "op": "remove", "path": "members", "value": [id(&ada)] }),
        json!({ "op": "remove", "path": "members", "value": id(&ada) }),
        json!({ "op": "remove", "path": "members", "value": [{ "value": id(&ada) }, { "value": "nobody" }] }),
        json!({ "op": "remove", "path": "urn:ietf:params:scim:schemas:core:2.0:Group:members", "value": listed }),
        json!({ "op": "remove", "path": format!("members[value eq \"{}\"]", id(&ada)) }),
        json!({ "op": "remove", "path": format!("members[value eq {}]", id(&ada)) }),
        json!({ "op": "remove", "path": format!("Members[Value EQ \"{}\"]", id(&ada)) }),
    ] {
        let answer = scim.patch(&team, json!([operation])).await;
        let left = scim.members(&team).await;
        scim.patch(&team, json!([{ "op": "add", "path": "members", "value": listed }])).await;

        assert_eq!(answer.status, 204, "{operation}: {}", answer.body);
        assert_eq!(left, ids(&[&bob, &eve]), "{operation}");
    }
    for nobody in [json!([]), json!([{ "value": "nobody" }])] {
        let operation = json!([{ "op": "remove", "path": "members", "value": nobody }]);
        scim.patch(&team, operation).await;
        assert_eq!(scim.members(&team).await, ids(&everybody), "{nobody}");
    }
}

#[tokio::test]
async fn replacing_members_by_nobody_empties_the_group() {
    let scim = Scim::fresh().await;
    let ada = scim.user("ada").await;
    let team = scim.group("Team", &[&ada]).await;

    for nobody in [json!([]), Value::Null, json!("")] {
        let operation = json!([{ "op": "replace", "path": "members", "value": nobody }]);
        let answer = scim.patch(&team, operation).await;
        let left = scim.members(&team).await;
        scim.patch(&team, json!([{ "op": "add", "path": "members", "value": values(&[&ada]) }]))
            .await;

        assert_eq!(answer.status, 204, "{nobody}: {}", answer.body);
        assert!(left.is_empty(), "{nobody}: {left:?}");
    }
    let put = json!({ "schemas": [GROUP], "displayName": "Team", "members": [] });
    assert_eq!(scim.put(&team, &put).await.json()["members"], json!([]));
}

#[tokio::test]
async fn a_member_needs_no_type() {
    let scim = Scim::fresh().await;
    let ada = scim.user("ada").await;
    let crew = scim.group("Crew", &[]).await;
    let team = scim.group("Team", &[]).await;

    for member in [
        json!({ "value": id(&ada) }),
        json!({ "value": id(&ada), "display": "whatever", "$ref": null }),
        json!({ "value": id(&ada), "type": "user" }),
        json!({ "$ref": format!("{}{ada}", scim.directory.url) }),
        json!({ "VALUE": id(&ada) }),
        json!(id(&ada)),
    ] {
        let add = json!([{ "op": "add", "path": "members", "value": [member] }]);
        let answer = scim.patch(&team, add).await;
        let found = scim.read(&team).await["members"].clone();
        scim.patch(&team, json!([{ "op": "remove", "path": "members" }])).await;

        assert_eq!(answer.status, 204, "{member}: {}", answer.body);
        assert_eq!(
            (&found[0]["value"], &found[0]["type"]),
            (&json!(id(&ada)), &json!("User")),
            "{member}"
        );
    }
    scim.patch(&team, json!([{ "op": "add", "path": "members", "value": values(&[&crew]) }])).await;
    assert_eq!(scim.read(&team).await["members"][0]["type"], "Group");
}

#[tokio::test]
async fn fifty_changes_of_one_group_at_once_all_land() {
    let scim = Scim::fresh().await;
    let mut everybody = Vec::new();
    for number in 0..50 {
        everybody.push(scim.user(&format!("p{number}")).await);
    }
    let leaving: Vec<&str> = everybody[..25].iter().map(String::as_str).collect();
    let coming: Vec<&str> = everybody[25..].iter().map(String::as_str).collect();
    let team = scim.group("Team", &leaving).await;

    let mut changes = JoinSet::new();
    for (op, path) in
        leaving.iter().map(|path| ("Remove", path)).chain(coming.iter().map(|path| ("Add", path)))
    {
        let (directory, team) = (scim.directory.clone(), team.clone());
        let operation = json!({ "op": op, "path": "members", "value": values(&[path]) });
        changes.spawn(async move {
            let body = json!({ "Operations": [operation] });
            directory.send(Method::PATCH, &team, &body).await.status
        });
    }
    let statuses = changes.join_all().await;

    assert_eq!(statuses, [204; 50]);
    assert_eq!(scim.members(&team).await, ids(&coming));
}

#[tokio::test]
async fn adding_members_who_are_there_changes_nothing() {
    let scim = Scim::fresh().await;
    let (ada, bob) = (scim.user("ada").await, scim.user("bob").await);
    let team = scim.group("Team", &[&ada, &bob]).await;
    let before = scim.read(&team).await;
    scim.service.advance(jiff::SignedDuration::from_mins(40));

    for _ in 0..3 {
        let again =
            json!([{ "op": "Add", "path": "members", "value": values(&[&ada, &bob, &ada]) }]);
        let answer = scim.patch(&team, again).await;
        assert_eq!(answer.status, 204, "{}", answer.body);
        assert_eq!(answer.header("etag"), before["meta"]["version"].as_str());
    }

    assert_eq!(scim.read(&team).await, before);
}

#[tokio::test]
async fn renaming_a_group_keeps_its_members() {
    let scim = Scim::fresh().await;
    let (ada, bob) = (scim.user("ada").await, scim.user("bob").await);
    let team = scim.group("Team", &[&ada, &bob]).await;
    let nobody =
        json!([{ "value": id(&ada) }, { "value": "018f0000-0000-7000-8000-000000000000" }]);

    for operation in [
        json!({ "op": "replace", "value": { "displayName": "A" } }),
        json!({ "op": "replace", "value": { "id": id(&team), "displayName": "B" } }),
        json!({ "op": "Replace", "path": "displayName", "value": "C" }),
        json!({ "op": "add", "value": { "displayName": "D", "externalId": "e" } }),
    ] {
        let answer = scim.patch(&team, json!([operation])).await;

        assert_eq!(answer.status, 204, "{operation}: {}", answer.body);
        assert_eq!(scim.members(&team).await, ids(&[&ada, &bob]), "{operation}");
    }
    let put = json!({ "schemas": [GROUP], "displayName": "E", "members": nobody });
    let put = scim.put(&team, &put).await;
    let replace = json!([{ "op": "replace", "path": "members", "value": nobody }]);
    let replace = scim.patch(&team, replace).await;

    for answer in [put, replace] {
        assert_fault(&answer, 400, Some("invalidValue"), "a member who is nobody");
    }
    assert_eq!(scim.members(&team).await, ids(&[&ada, &bob]));
    assert_eq!(scim.read(&team).await["displayName"], "D");
}

#[tokio::test]
async fn a_groups_external_id_can_be_changed() {
    let scim = Scim::fresh().await;
    let team = scim.group("Team", &[]).await;

    for (number, op) in ["add", "replace", "Add", "Replace"].into_iter().enumerate() {
        for operation in [
            json!({ "op": op, "path": "externalId", "value": format!("e{number}") }),
            json!({ "op": op, "value": { "externalId": format!("f{number}") } }),
        ] {
            let answer = scim.patch(&team, json!([operation])).await;
            assert_eq!(answer.status, 204, "{operation}: {}", answer.body);
        }
        let filter = format!("externalId eq \"f{number}\"");
        let found = scim.query("/Groups", &[("filter", &filter)]).await;
        assert_eq!(names(&found.json(), "id"), [id(&team)], "{op}");
    }
    scim.patch(&team, json!([{ "op": "remove", "path": "externalId" }])).await;
    assert_eq!(scim.read(&team).await.get("externalId"), None);
}

#[tokio::test]
async fn members_in_the_body_of_a_group_are_its_members() {
    let scim = Scim::fresh().await;
    let (ada, bob) = (scim.user("ada").await, scim.user("bob").await);
    let member = |path: &str| json!({ "value": id(path), "display": "whoever" });
    let body =
        |members: Value| json!({ "schemas": [GROUP], "displayName": "Team", "members": members });

    let team = scim.create("/Groups", &body(json!([member(&ada), member(&ada)]))).await;
    let created = scim.members(&team).await;
    let put = scim.put(&team, &with(body(json!([member(&bob)])), json!({ "id": id(&team) }))).await;

    assert_eq!(created, ids(&[&ada]));
    assert_eq!(put.status, 200, "{}", put.body);
    assert_eq!(scim.members(&team).await, ids(&[&bob]));
    assert_eq!(scim.read(&ada).await.get("groups"), None);
}

#[tokio::test]
async fn an_import_reads_every_group_and_its_ids_change_nothing() {
    let scim = Scim::fresh().await;
    let ada = scim.user("ada").await;
    let mut groups = BTreeSet::new();
    for number in 0..7 {
        groups.insert(id(&scim.group(&format!("G{number}"), &[&ada]).await).to_owned());
    }

    let mut imported = BTreeSet::new();
    for start in [1, 4, 7] {
        let page = scim.read(&format!("/Groups?startIndex={start}&count=3")).await;
        assert_eq!((&page["totalResults"], &page["startIndex"]), (&json!(7), &json!(start)));
        for group in page["Resources"].as_array().unwrap() {
            assert_eq!(group["members"][0]["value"], id(&ada));
            let path = format!("/Groups/{}", group["id"].as_str().unwrap());
            let push = json!([{ "op": "replace", "value": { "id": "00g1", "displayName": group["displayName"] } }]);
            assert_eq!(scim.patch(&path, push).await.status, 204);
            imported.insert(scim.read(&path).await["id"].as_str().unwrap().to_owned());
        }
    }

    assert_eq!(imported, groups);
}
