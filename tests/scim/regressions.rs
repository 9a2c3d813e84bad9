//! What broke in other service providers: each asked of this one.

use std::{collections::BTreeSet, fs, path::Path};

use http::Method;
use portico::{
    domain::{
        account::Account,
        audit_event::{Actor, AuditEvent},
        id::AccountId,
    },
    ports::trail::Trail,
};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use self::Row::{Elsewhere, Here, NotYet};
use crate::{
    client::{ENTERPRISE, GROUP, Scim, USER, assert_fault, id, ids, names, user, values, with},
    sources,
};

/// What became of a row of the list of what broke.
enum Row {
    /// The test here that holds it.
    Here(&'static str),
    /// The file of the test that holds it, and its name.
    Elsewhere(&'static str, &'static str),
    /// Why it can't go wrong here as things are.
    NotYet(&'static str),
}

/// Every row, by its number.
const ROWS: [(u8, Row); 50] = [
    (1, Here("active_may_be_text_in_every_kind_of_request")),
    (2, Here("active_may_be_text_in_every_kind_of_request")),
    (3, Here("adding_to_what_has_one_value_sets_it")),
    (4, Here("operations_are_read_in_any_case_and_may_come_in_every_cycle")),
    (5, Elsewhere("scim/rfc7644.rs", "a_replacement_replaces_what_a_client_may_write")),
    (6, Here("a_new_display_name_leaves_the_other_names_alone")),
    (7, Here("removing_listed_members_removes_nobody_else")),
    (8, Here("removing_listed_members_removes_nobody_else")),
    (9, Here("a_manager_may_be_plain_text")),
    (10, Here("roles_may_be_documents_in_texts")),
    (11, Here("parts_of_one_address_end_up_in_one_address")),
    (12, Here("changing_one_address_leaves_the_others")),
    (13, Here("a_value_without_a_path_may_name_its_attributes_by_dots_and_urns")),
    (14, Here("replacing_members_by_nobody_empties_the_group")),
    (15, Here("a_member_needs_no_type")),
    (16, Here("fifty_changes_of_one_group_at_once_all_land")),
    (17, Here("adding_members_who_are_there_changes_nothing")),
    (18, Here("an_external_id_is_found_exactly_as_sent_and_nobody_is_made_twice")),
    (19, Here("no_external_id_is_too_strange_to_be_asked_for")),
    (20, Here("a_filter_that_finds_nobody_never_finds_everybody")),
    (21, Elsewhere("scim/rfc7644.rs", "a_filter_finds_whom_it_describes")),
    (22, Here("everybody_is_looked_at_and_counted_beyond_the_first_page")),
    (23, Here("everybody_is_looked_at_and_counted_beyond_the_first_page")),
    (24, Here("somebody_made_by_hand_is_taken_over_and_no_dead_end")),
    (25, Here("renaming_a_group_keeps_its_members")),
    (26, Here("a_groups_external_id_can_be_changed")),
    (27, Here("adding_without_a_path_appends")),
    (28, Here("changing_an_address_that_is_not_there_makes_it")),
    (29, Here("who_is_inactive_is_found_or_comes_back_and_no_dead_end")),
    (30, Here("a_creation_that_is_sent_again_makes_nobody_else")),
    (31, Here("another_e_mail_address_is_no_deletion")),
    (
        32,
        Elsewhere("stories/log_in.rs", "a_user_name_that_belongs_to_another_object_opens_nothing"),
    ),
    (
        33,
        Elsewhere(
            "stories/keep_organizations_apart.rs",
            "the_same_object_id_in_another_tenant_is_somebody_else",
        ),
    ),
    (34, Here("active_may_be_text_in_every_kind_of_request")),
    (35, Here("a_password_is_no_condition_and_no_way_in")),
    (36, Here("everybody_is_looked_at_and_counted_beyond_the_first_page")),
    (37, Elsewhere("stories/log_in.rs", "somebody_whose_account_is_deactivated_is_refused")),
    (38, Here("an_e_mail_address_that_somebody_has_is_taken_over_by_nobody")),
    (39, Elsewhere("scim/rfc7644.rs", "a_filter_that_is_none_is_refused")),
    (40, Here("an_address_may_end_in_a_slash")),
    (41, Here("json_is_read_under_either_name_and_nothing_else_is")),
    (42, Here("an_external_id_is_found_exactly_as_sent_and_nobody_is_made_twice")),
    (43, Elsewhere("scim/rfc7644.rs", "a_filter_finds_whom_it_describes")),
    (44, Elsewhere("scim/rfc7644.rs", "a_replacement_replaces_what_a_client_may_write")),
    (45, Here("members_in_the_body_of_a_group_are_its_members")),
    (46, Here("an_import_reads_every_group_and_its_ids_change_nothing")),
    (47, Here("what_is_empty_within_an_extension_is_taken_away_alone")),
    (48, Elsewhere("scim/apart.rs", "nothing_of_one_directory_is_reachable_for_another")),
    (49, NotYet("entra-id-inbound-provisioning 16: active was left out; nothing is exported yet")),
    (50, Here("the_dot_in_a_urn_divides_nothing")),
];

#[test]
fn every_row_is_held_or_explained() {
    let numbers: Vec<u8> = ROWS.iter().map(|(number, _)| *number).collect();
    let mut here = BTreeSet::new();
    for (number, row) in &ROWS {
        match row {
            Here(test) => {
                here.insert((*test).to_owned());
            }
            Elsewhere(file, test) => {
                let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(file);
                let text = fs::read_to_string(path).unwrap();
                assert!(sources::tests_in(&text).contains(*test), "{number}: {file} has no {test}");
            }
            NotYet(why) => assert!(why.contains(": ") && why.contains("; "), "{number}: {why}"),
        }
    }
    let mut written = sources::tests_in(include_str!("regressions.rs"));
    written.remove("every_row_is_held_or_explained");

    assert_eq!(numbers, (1..=50).collect::<Vec<u8>>());
    assert_eq!(here, written);
}

#[tokio::test]
async fn active_may_be_text_in_every_kind_of_request() {
    let scim = Scim::fresh().await;
    let ada = scim.user("ada").await;

    for (number, (off, on)) in [
        (json!("False"), json!("True")),
        (json!("false"), json!("true")),
        (json!("FALSE"), json!("TRUE")),
        (json!(false), json!(true)),
        (json!(["False"]), json!([true])),
    ]
    .into_iter()
    .enumerate()
    {
        for value in [&off, &on] {
            let is_on = *value == on;
            let patch = json!([{ "op": "Replace", "path": "active", "value": value }]);
            let patch = scim.patch(&ada, patch).await;
            let pathless = json!([{ "op": "replace", "value": { "active": value } }]);
            let pathless = scim.patch(&ada, pathless).await;
            let put = scim.put(&ada, &with(user("ada"), json!({ "active": value }))).await;
            let name = format!("u{number}{is_on}");
            let post = scim.post("/Users", &with(user(&name), json!({ "active": value }))).await;

            for answer in [patch, pathless, put, post] {
                assert!(answer.status < 300, "{value}: {}", answer.body);
                assert_eq!(answer.json()["active"], is_on, "{value}");
            }
        }
    }
}

#[tokio::test]
async fn adding_to_what_has_one_value_sets_it() {
    let scim = Scim::fresh().await;
    let ada = scim.user("ada").await;
    let team = scim.group("Team", &[]).await;

    for (path, attribute, value) in [
        (&ada, "active", json!(false)),
        (&ada, "displayName", json!("Other")),
        (&ada, "externalId", json!("e-2")),
        (&team, "externalId", json!("e-3")),
        (&team, "displayName", json!("Crew")),
    ] {
        let operation = json!([{ "op": "Add", "path": attribute, "value": value }]);
        let answer = scim.patch(path, operation).await;

        assert!(answer.status < 300, "{attribute}: {}", answer.body);
        assert_eq!(scim.read(path).await[attribute], value);
    }
}

#[tokio::test]
async fn operations_are_read_in_any_case_and_may_come_in_every_cycle() {
    let scim = Scim::fresh().await;
    let ada = scim.user("ada").await;

    for (number, op) in
        ["Add", "add", "ADD", "Replace", "replace", "REPLACE"].into_iter().enumerate()
    {
        let value = format!("T{number}");
        let operations = json!([
            { "op": op, "path": "title", "value": value },
            { "op": op, "path": "Emails[Type EQ \"work\"].Value", "value": "ada@acme.example" },
        ]);
        for _ in 0..2 {
            let answer = scim.patch(&ada, operations.clone()).await;
            assert_eq!(answer.status, 200, "{op}: {}", answer.body);
        }
        let read = scim.read(&ada).await;
        assert_eq!((&read["title"], read["emails"].as_array().unwrap().len()), (&json!(value), 1));
    }
    for op in ["Remove", "remove", "REMOVE"] {
        let answer = scim.patch(&ada, json!([{ "op": op, "path": "TITLE" }])).await;
        assert_eq!((answer.status, answer.json().get("title")), (200, None), "{op}");
    }
}

#[tokio::test]
async fn a_new_display_name_leaves_the_other_names_alone() {
    let scim = Scim::fresh().await;
    let ada = scim.user("ada").await;
    let before = scim.read(&ada).await["name"].clone();

    for operation in [
        json!({ "op": "replace", "value": { "displayName": "New" } }),
        json!({ "op": "replace", "path": "displayName", "value": "Newer" }),
        json!({ "op": "replace", "value": { "name": { "formatted": "New Name" } } }),
    ] {
        scim.patch(&ada, json!([operation])).await;
    }

    let after = scim.read(&ada).await;
    assert_eq!(after["displayName"], "Newer");
    assert_eq!(after["name"], with(before, json!({ "formatted": "New Name" })));
}

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
async fn a_manager_may_be_plain_text() {
    let scim = Scim::fresh().await;
    let path = format!("{ENTERPRISE}:manager");
    let ada = scim.user_with("ada", json!({ ENTERPRISE: { "manager": "m-1" } })).await;
    let manager = || async { scim.read(&ada).await[ENTERPRISE]["manager"].clone() };

    assert_eq!(manager().await, json!({ "value": "m-1" }));
    scim.put(&ada, &with(user("ada"), json!({ ENTERPRISE: { "manager": "m-2" } }))).await;
    assert_eq!(manager().await, json!({ "value": "m-2" }));
    scim.patch(&ada, json!([{ "op": "add", "path": path, "value": "m-3" }])).await;
    assert_eq!(manager().await, json!({ "value": "m-3" }));
    scim.patch(&ada, json!([{ "op": "replace", "value": { path: "m-4" } }])).await;
    assert_eq!(manager().await, json!({ "value": "m-4" }));
}

#[tokio::test]
async fn roles_may_be_documents_in_texts() {
    let scim = Scim::fresh().await;
    let document = |value: &str| {
        json!({ "id": "06b0", "value": value, "displayName": format!("The {value}") }).to_string()
    };
    let ada = scim.user_with("ada", json!({ "roles": [document("A"), "B"] })).await;
    let roles = |user: &Value| -> Vec<(String, Option<String>)> {
        let roles = user["roles"].as_array().into_iter().flatten();
        let text = |value: &Value| value.as_str().map(str::to_owned);
        roles.map(|role| (text(&role["value"]).unwrap(), text(&role["display"]))).collect()
    };
    let named = |value: &str| (value.to_owned(), Some(format!("The {value}")));
    let plain = |value: &str| (value.to_owned(), None);

    let created = roles(&scim.read(&ada).await);
    let replace = |value: Value| {
        scim.patch(&ada, json!([{ "op": "replace", "path": "roles", "value": value }]))
    };
    let texts = roles(&replace(json!([document("C"), document("D")])).await.json());
    let objects = roles(&replace(json!([{ "value": document("E") }])).await.json());
    let no_document = roles(&replace(json!(["{not json"])).await.json());

    assert_eq!(created, [named("A"), plain("B")]);
    assert_eq!(texts, [named("C"), named("D")]);
    assert_eq!(objects, [named("E")]);
    assert_eq!(no_document, [plain("{not json")]);
}

#[tokio::test]
async fn parts_of_one_address_end_up_in_one_address() {
    let scim = Scim::fresh().await;
    let part = |op: &str, sub: &str, value: &str| json!({ "op": op, "path": format!("addresses[type eq \"work\"].{sub}"), "value": value });

    for (name, op) in [("ada", "Add"), ("bob", "replace")] {
        let path = scim.user(name).await;
        let together = json!([part(op, "locality", "Kiel"), part(op, "country", "DE")]);
        scim.patch(&path, together).await;
        scim.patch(&path, json!([part(op, "region", "SH")])).await;

        let expected =
            json!([{ "type": "work", "locality": "Kiel", "country": "DE", "region": "SH" }]);
        assert_eq!(scim.read(&path).await["addresses"], expected, "{op}");
    }
}

#[tokio::test]
async fn changing_one_address_leaves_the_others() {
    let scim = Scim::fresh().await;
    let emails = json!([
        { "type": "work", "value": "ada@acme.example", "primary": true },
        { "type": "home", "value": "ada@home.example" },
        { "type": "other", "value": "ada@other.example" },
    ]);
    let ada = scim.user_with("ada", json!({ "emails": emails })).await;

    let operation = json!([{ "op": "Replace", "path": "emails[type eq \"home\"].value", "value": "new@home.example" }]);
    let answer = scim.patch(&ada, operation).await;

    let mut expected = emails;
    expected[1]["value"] = json!("new@home.example");
    assert_eq!((answer.status, &answer.json()["emails"]), (200, &expected));
}

#[tokio::test]
async fn a_value_without_a_path_may_name_its_attributes_by_dots_and_urns() {
    let scim = Scim::fresh().await;
    let ada = scim.user("ada").await;
    let value = json!({
        "name.familyName": "Adler", "NAME.givenName": "A",
        format!("{USER}:title"): "Head", format!("{USER}:name.middleName"): "M",
        format!("{ENTERPRISE}:department"): "Sales", ENTERPRISE: { "division": "North" },
        "urn:acme:2.0:User:badge": "7", "urn:acme:2.0:User": { "desk": "9" },
        "emails[type eq \"home\"].value": "ada@home.example",
    });

    for op in ["add", "replace"] {
        let answer = scim.patch(&ada, json!([{ "op": op, "value": value }])).await;

        let read = scim.read(&ada).await;
        assert_eq!(answer.status, 200, "{op}: {}", answer.body);
        assert_eq!(
            read["name"],
            json!({ "givenName": "A", "familyName": "Adler", "middleName": "M" })
        );
        assert_eq!(read["title"], "Head");
        assert_eq!(read[ENTERPRISE], json!({ "department": "Sales", "division": "North" }));
        assert_eq!(read["urn:acme:2.0:User"], json!({ "badge": "7", "desk": "9" }));
        assert_eq!(read["emails"][1], json!({ "type": "home", "value": "ada@home.example" }));
        scim.put(&ada, &user("ada")).await;
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
async fn adding_without_a_path_appends() {
    let scim = Scim::fresh().await;
    let (ada, bob) = (scim.user("ada").await, scim.user("bob").await);
    let team = scim.group("Team", &[&ada]).await;
    let home = json!({ "type": "home", "value": "ada@home.example" });

    let emails =
        json!([{ "op": "add", "value": { "emails": [home], "roles": [{ "value": "A" }] } }]);
    scim.patch(&ada, emails).await;
    scim.patch(&ada, json!([{ "op": "add", "value": { "roles": ["B"] } }])).await;
    scim.patch(&team, json!([{ "op": "add", "value": { "members": values(&[&bob]) } }])).await;

    let read = scim.read(&ada).await;
    assert_eq!(read["emails"].as_array().unwrap().len(), 2);
    assert_eq!(read["emails"][1], home);
    assert_eq!(read["roles"], json!([{ "value": "A" }, { "value": "B" }]));
    assert_eq!(scim.members(&team).await, ids(&[&ada, &bob]));
}

#[tokio::test]
async fn changing_an_address_that_is_not_there_makes_it() {
    let scim = Scim::fresh().await;
    let ada = scim.user("ada").await;

    for (path, value, attribute, made) in [
        (
            "emails[type eq \"home\"].value",
            json!("h@x.example"),
            "emails",
            json!({ "type": "home", "value": "h@x.example" }),
        ),
        (
            "phoneNumbers[type eq \"mobile\"].value",
            json!("1"),
            "phoneNumbers",
            json!({ "type": "mobile", "value": "1" }),
        ),
        (
            "addresses[type eq \"home\"]",
            json!({ "locality": "Kiel" }),
            "addresses",
            json!({ "type": "home", "locality": "Kiel" }),
        ),
        (
            "roles[primary eq \"True\"].value",
            json!("Admin"),
            "roles",
            json!({ "primary": true, "value": "Admin" }),
        ),
        (
            "ims[type eq \"x\" and primary eq true].value",
            json!("i"),
            "ims",
            json!({ "type": "x", "primary": true, "value": "i" }),
        ),
    ] {
        let answer =
            scim.patch(&ada, json!([{ "op": "Replace", "path": path, "value": value }])).await;

        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        assert_eq!(answer.json()[attribute].as_array().unwrap().last(), Some(&made), "{path}");
    }
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
async fn another_e_mail_address_is_no_deletion() {
    let scim = Scim::fresh().await;
    let ada = scim.user("ada").await;

    let operations = json!([
        { "op": "Replace", "path": "emails[type eq \"work\"].value", "value": "new@acme.example" },
        { "op": "Replace", "path": "userName", "value": "new@acme.example" },
    ]);
    let answer = scim.patch(&ada, operations).await;

    assert_eq!((answer.status, &answer.json()["active"]), (200, &json!(true)));
    assert_eq!(format!("/Users/{}", answer.json()["id"].as_str().unwrap()), ada);
    assert_eq!(scim.found("emails eq \"new@acme.example\"").await, ["new@acme.example"]);
    assert_eq!(scim.found("emails eq \"ada@acme.example\"").await, [""; 0]);
    let successor = scim.user_with("ada", json!({ "externalId": "another" })).await;
    assert_ne!(successor, ada);
}

#[tokio::test]
async fn a_password_is_no_condition_and_no_way_in() {
    let scim = Scim::fresh().await;

    for (number, password) in
        [json!(""), json!("x"), json!("x".repeat(5_000)), Value::Null, json!(7), json!({ "a": 1 })]
            .into_iter()
            .enumerate()
    {
        let name = format!("u{number}");
        let body = with(user(&name), json!({ "password": password }));
        let path = scim.create("/Users", &body).await;
        let operation = json!([{ "op": "replace", "path": "password", "value": password }]);
        let answer = scim.patch(&path, operation).await;

        assert_eq!(answer.status, 200, "{password}: {}", answer.body);
        assert_eq!(answer.json()["meta"]["version"], "W/\"1\"", "{password}");
        assert_eq!(answer.json().get("password"), None);
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

        assert!([400, 415].contains(&answer.status), "{kind}: {}", answer.body);
        assert_eq!(answer.header("content-type"), Some("application/scim+json"), "{kind}");
    }
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

#[tokio::test]
async fn what_is_empty_within_an_extension_is_taken_away_alone() {
    let scim = Scim::fresh().await;
    let extension = json!({
        "proxyAddresses": [{ "type": "x", "value": "1" }, { "type": "y", "value": "2" }], "badge": "7",
    });
    let start = json!({
        "urn:acme:2.0:User": extension, "nickName": "N", "title": "T",
        ENTERPRISE: { "department": "Sales", "manager": { "value": "m", "displayName": "Em" } },
    });

    for (number, (operation, place, expected)) in [
        (json!({ "op": "replace", "path": "urn:acme:2.0:User:proxyAddresses[type eq \"x\"].value", "value": "9" }),
            "/urn:acme:2.0:User/proxyAddresses", json!([{ "type": "x", "value": "9" }, { "type": "y", "value": "2" }])),
        (json!({ "op": "remove", "path": "urn:acme:2.0:User:proxyAddresses[type eq \"x\"]" }),
            "/urn:acme:2.0:User/proxyAddresses", json!([{ "type": "y", "value": "2" }])),
        (json!({ "op": "replace", "path": "urn:acme:2.0:User:badge", "value": null }),
            "/urn:acme:2.0:User", json!({ "proxyAddresses": extension["proxyAddresses"] })),
        (json!({ "op": "replace", "value": { "urn:acme:2.0:User:badge": "" } }),
            "/urn:acme:2.0:User", json!({ "proxyAddresses": extension["proxyAddresses"] })),
        (json!({ "op": "replace", "path": format!("{ENTERPRISE}:manager.displayName"), "value": "" }),
            &format!("/{ENTERPRISE}/manager"), json!({ "value": "m" })),
        (json!({ "op": "replace", "path": format!("{ENTERPRISE}:manager.displayName"), "value": "El" }),
            &format!("/{ENTERPRISE}/manager"), json!({ "value": "m", "displayName": "El" })),
        (json!({ "op": "replace", "path": format!("{ENTERPRISE}:manager"), "value": null }),
            &format!("/{ENTERPRISE}"), json!({ "department": "Sales" })),
        (json!({ "op": "replace", "value": { ENTERPRISE: { "department": null } } }),
            &format!("/{ENTERPRISE}"), json!({ "manager": { "value": "m", "displayName": "Em" } })),
        (json!({ "op": "replace", "path": "name", "value": { "middleName": null } }),
            "/name", user("x")["name"].clone()),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("u{number}");
        let path = scim.user_with(&name, start.clone()).await;

        let answer = scim.patch(&path, json!([operation])).await;

        let read = answer.json();
        assert_eq!(answer.status, 200, "{operation}: {read}");
        let expected = if place == "/name" { with(expected, json!({ "givenName": name })) } else { expected };
        assert_eq!(read.pointer(place), Some(&expected), "{operation}");
        assert_eq!((&read["nickName"], &read["title"]), (&json!("N"), &json!("T")), "{operation}");
    }
}

#[tokio::test]
async fn the_dot_in_a_urn_divides_nothing() {
    let scim = Scim::fresh().await;
    let ada = scim.user("ada").await;
    let custom = "urn:ietf:params:scim:schemas:extension:Custom.Name:2.0:User";

    for (path, place) in [
        (format!("{USER}:title"), "/title".to_owned()),
        (format!("{USER}:name.middleName"), "/name/middleName".to_owned()),
        (format!("{ENTERPRISE}:department"), format!("/{ENTERPRISE}/department")),
        (format!("{ENTERPRISE}:manager.value"), format!("/{ENTERPRISE}/manager/value")),
        (format!("{custom}:badge"), format!("/{custom}/badge")),
        ("urn:acme:1.5:User:badge".to_owned(), "/urn:acme:1.5:User/badge".to_owned()),
    ] {
        for (operation, value) in [
            (json!({ "op": "add", "path": path, "value": "x" }), "x"),
            (json!({ "op": "replace", "value": { path.clone(): "y" } }), "y"),
        ] {
            let answer = scim.patch(&ada, json!([operation])).await;

            assert_eq!(answer.status, 200, "{operation}: {}", answer.body);
            assert_eq!(answer.json().pointer(&place), Some(&json!(value)), "{operation}");
            let found = scim.found(&format!("{path} eq \"{value}\"")).await;
            assert_eq!(found, ["ada@acme.example"], "{path}");
        }
    }
}
