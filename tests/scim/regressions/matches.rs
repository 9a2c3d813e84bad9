//! Who is looked for, and who is there already.

use http::Method;
use portico::{
    domain::account::Account,
    domain::audit_event::{Actor, AuditEvent},
    domain::id::AccountId,
    ports::trail::Trail,
};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::client::{GROUP, Scim, assert_fault, id, ids, names, user, with};

#[tokio::test]
async fn an_external_id_is_found_exactly_as_sent_and_nobody_is_made_twice() {
    let scim = Scim::fresh().await;
    let external_id = "0A21f0f2-8d2a-4f8e-bf98-7363c4aed4ef";
    scim.user_with("ada", json!({ "externalId": external_id })).await;
    let rival = scim.post("/Users", &with(user("bob"), json!({ "externalId": external_id }))).await;
    let other = json!({ "externalId": external_id.to_lowercase() });
    scim.user_with("eve", other).await;

    let found = |literal: String| {
        let scim = &scim;
        async move { scim.found(&format!("externalId eq {literal}")).await }
    };

    assert_fault(&rival, 409, Some("uniqueness"), "the same externalId");
    assert_eq!(found(format!("\"{external_id}\"")).await, ["ada@acme.example"]);
    assert_eq!(found(external_id.to_owned()).await, ["ada@acme.example"]);
    assert_eq!(found(external_id.to_lowercase()).await, ["eve@acme.example"]);
    assert_eq!(found(external_id.to_uppercase()).await, [""; 0]);
}

#[tokio::test]
async fn no_external_id_is_too_strange_to_be_asked_for() {
    let scim = Scim::fresh().await;
    let strange = [
        "a b",
        "a\"b",
        "a\\b",
        "'; --",
        "%",
        "_",
        "a%",
        "*",
        "\u{e4}+&#=",
        "{}",
        "[]",
        "()",
        "null",
        "true",
        "7",
        "0x1",
        "\u{1f980}",
        "a\nb",
        "eq",
        "$.id",
        "urn:x:y",
    ];
    for (number, external_id) in strange.into_iter().enumerate() {
        scim.user_with(&format!("u{number}"), json!({ "externalId": external_id })).await;
    }

    for (number, external_id) in strange.into_iter().enumerate() {
        let found = scim.found(&format!("externalId eq {}", json!(external_id))).await;
        assert_eq!(found, [format!("u{number}@acme.example")], "{external_id}");
    }
    for filter in
        ["externalId eq null", "externalId pr", "externalId sw \"a\"", "externalId co \"%\""]
    {
        let answer = scim.query("/Users", &[("filter", filter)]).await;
        assert_eq!(answer.status, 200, "{filter}: {}", answer.body);
    }
}

#[tokio::test]
async fn a_filter_that_finds_nobody_never_finds_everybody() {
    let scim = Scim::fresh().await;
    scim.user("ada").await;
    scim.group("Team", &[]).await;

    for (path, filter) in [
        ("/Users", "userName eq \"nobody\""),
        ("/Users", "shoeSize eq 43"),
        ("/Users", "urn:x:2.0:User:y eq \"z\""),
        ("/Users", "members.value eq \"x\""),
        ("/Users", "meta.resourceType eq \"Group\""),
        ("/Users", "groups.value eq \"x\""),
        ("/Users", "active eq false"),
        ("/Groups", "userName eq \"ada@acme.example\""),
        ("/Groups", "displayName eq \"nobody\""),
        ("/Groups", "members.value eq \"x\""),
        ("/Groups", "members eq \"x\""),
    ] {
        let answer = scim.query(path, &[("filter", filter)]).await;

        assert_eq!(answer.status, 200, "{path} {filter}: {}", answer.body);
        assert_eq!(answer.json()["totalResults"], 0, "{path} {filter}");
        assert_eq!(answer.json()["Resources"], json!([]), "{path} {filter}");
    }
}

#[tokio::test]
async fn everybody_is_looked_at_and_counted_beyond_the_first_page() {
    let scim = Scim::fresh().await;
    let operations = (0..230).map(|number| {
        let data =
            with(user(&format!("p{number:03}")), json!({ "title": format!("T{}", number % 2) }));
        json!({ "method": "POST", "path": "/Users", "bulkId": number.to_string(), "data": data })
    });
    let bulk = scim.bulk(operations.collect()).await;
    assert_eq!(bulk.status, 200, "{}", bulk.body);

    let plain = scim.read("/Users").await;
    let large = scim.read("/Users?count=1000").await;
    let last = scim.found("userName eq \"P229@acme.example\"").await;
    let by_title = scim.found("title eq \"t1\" and userName ew \"29@acme.example\"").await;
    let mut odd = Vec::new();
    for start in [1, 51, 101] {
        let path = format!("/Users?filter=title+eq+%22T1%22&startIndex={start}&count=50");
        let page = scim.read(&path).await;
        assert_eq!(page["totalResults"], 115, "{start}");
        assert_eq!(page["itemsPerPage"], names(&page, "userName").len(), "{start}");
        odd.extend(names(&page, "userName"));
    }

    assert_eq!((&plain["totalResults"], &plain["itemsPerPage"]), (&json!(230), &json!(100)));
    assert_eq!((&large["totalResults"], &large["itemsPerPage"]), (&json!(230), &json!(200)));
    assert_eq!(last, ["p229@acme.example"]);
    assert_eq!(by_title, ["p029@acme.example", "p129@acme.example", "p229@acme.example"]);
    let expected: Vec<_> =
        (0..115).map(|number| format!("p{:03}@acme.example", 2 * number + 1)).collect();
    assert_eq!(odd, expected);
}

/// Somebody of the organization whom no directory has provisioned.
async fn made_by_hand(scim: &Scim, name: &str, external_id: Option<&str>) -> AccountId {
    let (organization, now) = (scim.organization.stored.id, scim.service.clock.now());
    let Value::Object(mut attributes) = user(name) else { unreachable!("a user is an object") };
    attributes.remove("schemas");
    attributes.remove("externalId");
    let account = Account {
        organization_id: organization,
        connector_id: None,
        id: AccountId::generate(),
        user_name: format!("{name}@acme.example"),
        external_id: external_id.map(str::to_owned),
        email: format!("{name}@acme.example"),
        display_name: name.to_owned(),
        active: true,
        scim_roles: Vec::new(),
        access_epoch: 1,
        version: 1,
        created_at: now,
        last_modified_at: now,
        attributes,
    };
    let audit = AuditEvent::new(organization, now, Actor::Operator, "account.created", &account.id);
    let trail = Trail { audit, record: None, learned: Vec::new() };
    scim.service.ports().store.insert_account(&account, &trail).await.unwrap();
    account.id
}

#[tokio::test]
async fn somebody_made_by_hand_is_taken_over_and_no_dead_end() {
    let scim = Scim::fresh().await;
    let by_hand = made_by_hand(&scim, "ada", None).await;

    let matched = scim.found("userName eq \"ada@acme.example\"").await;
    let created = scim.post("/Users", &with(user("ada"), json!({ "title": "Head" }))).await;
    let matched_then = scim.found("userName eq \"ada@acme.example\"").await;
    let again = scim.post("/Users", &user("ada")).await;

    assert_eq!((matched.len(), matched_then.len()), (0, 1));
    assert_eq!(created.status, 201, "{}", created.body);
    assert_eq!(created.json()["id"], by_hand.to_string());
    assert_eq!(created.json()["title"], "Head");
    assert_fault(&again, 409, Some("uniqueness"), "it is the directory's own now");
}

#[tokio::test]
async fn who_is_inactive_is_found_or_comes_back_and_no_dead_end() {
    for (profile, status) in [("entra", 409), ("rippling", 409), ("okta", 201)] {
        let scim = Scim::speaking(profile).await;
        let ada = scim.user_with("ada", json!({ "externalId": "a", "roles": ["Admin"] })).await;
        let team = scim.group("Team", &[&ada]).await;
        scim.patch(&ada, json!([{ "op": "replace", "value": { "active": false } }])).await;

        let again = with(user("ada"), json!({ "externalId": "a", "active": true }));
        let again = scim.post("/Users", &again).await;
        let found = scim.found("externalId eq \"a\"").await;

        assert_eq!(again.status, status, "{profile}: {}", again.body);
        assert!(again.body.contains(id(&ada)), "{profile}: {}", again.body);
        assert_eq!(found, ["ada@acme.example"], "{profile}");
        assert_eq!(scim.members(&team).await, ids(&[&ada]), "{profile}");
        assert_eq!(scim.read(&ada).await["active"], status == 201, "{profile}");
        let back = json!([{ "op": "replace", "value": { "active": true } }]);
        assert_eq!(scim.patch(&ada, back).await.json()["active"], true, "{profile}");
    }
}

#[tokio::test]
async fn a_creation_that_is_sent_again_makes_nobody_else() {
    let scim = Scim::fresh().await;

    let mut creations = JoinSet::new();
    for _ in 0..10 {
        let directory = scim.directory.clone();
        creations.spawn(async move { directory.post("/Users", &user("ada")).await });
        let directory = scim.directory.clone();
        let team = json!({ "schemas": [GROUP], "displayName": "Team" });
        creations.spawn(async move { directory.post("/Groups", &team).await });
    }
    let answers = creations.join_all().await;

    for (endpoint, filter) in
        [("/Users", "userName eq \"ada@acme.example\""), ("/Groups", "displayName eq \"Team\"")]
    {
        let of = |status: u16| {
            answers.iter().filter(|a| a.status == status && a.url.ends_with(endpoint)).count()
        };
        assert_eq!((of(201), of(409)), (1, 9), "{endpoint}");
        let found = scim.query(endpoint, &[("filter", filter)]).await.json();
        assert_eq!(found["totalResults"], 1, "{endpoint}");
        let conflict = answers.iter().find(|a| a.status == 409 && a.url.ends_with(endpoint));
        let named = found["Resources"][0]["id"].as_str().unwrap();
        assert!(conflict.unwrap().body.contains(named), "the conflict names whom to match");
    }
}

#[tokio::test]
async fn an_e_mail_address_that_somebody_has_is_taken_over_by_nobody() {
    let scim = Scim::fresh().await;
    let ada = scim.user("ada").await;
    made_by_hand(&scim, "bob", Some("somebody")).await;
    let claim = |address: &str| json!({ "emails": [{ "value": address, "primary": true }] });
    let eve = scim.user("eve").await;

    for address in ["ada@acme.example", "ADA@Acme.example", "bob@acme.example"] {
        let created = scim.post("/Users", &with(user("rival"), claim(address))).await;
        let changed = scim.patch(&eve, json!([{ "op": "replace", "value": claim(address) }])).await;
        let put = scim.put(&eve, &with(user("eve"), claim(address))).await;

        for answer in [created, changed, put] {
            assert_fault(&answer, 409, Some("uniqueness"), address);
        }
    }
    assert_eq!(scim.read(&ada).await["userName"], "ada@acme.example");
    assert_eq!(scim.read("/Users").await["totalResults"], 2);
}

#[tokio::test]
async fn an_address_may_end_in_a_slash() {
    let scim = Scim::fresh().await;
    let ada = scim.user("ada").await;

    for path in
        ["/Users/", "/Users/?filter=userName+eq+%22ada%40acme.example%22", "/Users/?count=1"]
    {
        assert_eq!(names(&scim.read(path).await, "id"), [id(&ada)], "{path}");
    }
    assert_eq!(scim.read("/Groups/").await["totalResults"], 0);
    let posted = scim.post("/Users/", &user("bob")).await;
    assert_eq!(posted.status, 201, "{}", posted.body);
}

#[tokio::test]
async fn json_is_read_under_either_name_and_nothing_else_is() {
    let scim = Scim::fresh().await;

    for (number, kind) in
        [Some("application/scim+json"), Some("application/json; charset=utf-8"), None]
            .into_iter()
            .enumerate()
    {
        let ask =
            scim.request(Method::POST, "/Users").body(user(&format!("u{number}")).to_string());
        let ask = kind.into_iter().fold(ask, |ask, kind| ask.header("content-type", kind));
        let answer = ask.send("").await;

        assert_eq!(answer.status, 201, "{kind:?}: {}", answer.body);
        assert_eq!(answer.header("content-type"), Some("application/scim+json"), "{kind:?}");
    }
    for (kind, body) in [
        ("application/xml", "<User><userName>x</userName></User>"),
        ("application/x-www-form-urlencoded", "userName=x&active=true"),
        ("text/plain", "userName: x"),
    ] {
        let ask = scim.request(Method::POST, "/Users").header("content-type", kind).body(body);
        let answer = ask.send("").await;

        assert_eq!(answer.status, 415, "{kind}: {}", answer.body);
        assert_eq!(answer.header("content-type"), Some("application/scim+json"), "{kind}");
    }
}
