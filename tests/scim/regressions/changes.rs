//! How a person changes.

use serde_json::{Value, json};

use crate::client::{ENTERPRISE, Scim, USER, ids, user, values, with};

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
