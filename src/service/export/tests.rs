//! How a person is written in each format.

use serde_json::{Map, Value, json};

use super::{bulk_upload, bulk_upload::Manager, entra_csv, plain_csv, scim_json};
use crate::{
    domain::{
        account::Account,
        group::Membership,
        id::{AccountId, ConnectorId, GroupId, OrganizationId},
        secret::Secret,
    },
    scim::schema::{ENTERPRISE_USER, USER},
};

fn map(value: Value) -> Map<String, Value> {
    let Value::Object(members) = value else { panic!("{value} is no object") };
    members
}

/// Alice with everything that Entra ID's own mapping sends.
fn alice() -> Account {
    Account {
        organization_id: OrganizationId::from_bytes([1; 16]),
        connector_id: Some(ConnectorId::from_bytes([2; 16])),
        id: AccountId::from_bytes([3; 16]),
        user_name: "alice@acme.example".into(),
        external_id: Some("701984".into()),
        email: "alice@acme.example".into(),
        display_name: "Alice Example".into(),
        active: true,
        scim_roles: vec!["Admin".into(), "User".into()],
        access_epoch: 0,
        version: 7,
        created_at: "2026-03-03T09:00:00Z".parse().unwrap(),
        last_modified_at: "2026-03-04T09:00:00.5Z".parse().unwrap(),
        attributes: map(json!({
            "externalId": "701984",
            "userName": "alice@acme.example",
            "displayName": "Alice Example",
            "active": true,
            "name": { "givenName": "Alice", "familyName": "Example" },
            "title": "Engineer",
            "preferredLanguage": "en-GB",
            "emails": [
                { "value": "alice@acme.example", "type": "work", "primary": true },
                { "value": "al@home.example", "type": "home" },
            ],
            "phoneNumbers": [
                { "value": "+49 170 1", "type": "mobile" },
                { "value": "+49 (30) 901820", "type": "work" },
            ],
            "addresses": [
                { "type": "home", "country": "FR" },
                {
                    "type": "work", "streetAddress": "Main Street 1\r\nBack door",
                    "locality": "Berlin, Mitte", "region": "BE", "postalCode": "10115",
                    "country": "DE", "formatted": "Room 101",
                },
            ],
            ENTERPRISE_USER: {
                "department": "R&D", "employeeNumber": "701984",
                "manager": { "value": "89607", "$ref": "https://portal.example/x" },
            },
            "urn:contoso:employee": { "JobCode": "AB-1002", "Grades": [1, 2] },
        })),
    }
}

/// Alice with some of her attributes changed; null takes one out.
fn alice_with(changes: Value) -> Account {
    let mut account = alice();
    account.attributes.extend(map(changes));
    account.attributes.retain(|_, value| !value.is_null());
    account
}

fn manager() -> Manager {
    Manager { external_id: "89607".into(), display_name: "Morgan Example".into() }
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn data_of(account: &Account, manager: Option<&Manager>) -> Value {
    parsed(&bulk_upload::operation(account, manager))["data"].take()
}

#[test]
fn the_portals_file_has_its_columns_in_order() {
    let line = entra_csv::line(&alice(), None).unwrap();

    assert_eq!(
        line.text,
        "Alice Example,alice@acme.example,,No,Alice,Example,Engineer,R&D,DE,\
         Main Street 1 Back door,BE,DE,Room 101,\"Berlin, Mitte\",10115,+49 (30) 901820,+49 170 1\r\n"
    );
    assert!(line.emptied.is_empty());
    let [version, head, end]: [&str; 3] =
        entra_csv::HEAD.split("\r\n").collect::<Vec<_>>().try_into().unwrap();
    assert_eq!((version, end), ("version:v1.0", ""));
    assert_eq!(head.split(',').count(), 17);
    assert!(
        head.starts_with("Name [displayName] Required,User name [userPrincipalName] Required,")
    );
    assert!(head.ends_with(",Office phone [telephoneNumber],Mobile phone [mobile]"));
}

#[test]
fn whoever_may_not_sign_in_is_blocked_in_the_portals_file_too() {
    let line = entra_csv::line(&Account { active: false, ..alice() }, None).unwrap();

    assert!(line.text.starts_with("Alice Example,alice@acme.example,,Yes,"), "{}", line.text);
}

#[test]
fn an_initial_password_stands_in_its_column() {
    let password = Secret::new("Kqdw7-Abcd8");

    let line = entra_csv::line(&alice(), Some(&password)).unwrap();

    assert!(line.text.starts_with("Alice Example,alice@acme.example,Kqdw7-Abcd8,No,"));
}

#[test]
fn an_initial_password_satisfies_entra_and_is_never_the_same() {
    let [one, other] = [entra_csv::initial_password(), entra_csv::initial_password()];

    assert_ne!(one, other);
    for password in [one, other] {
        let text = password.expose();
        assert_eq!(text.len(), 24);
        let kinds: [fn(&u8) -> bool; 3] =
            [u8::is_ascii_uppercase, u8::is_ascii_lowercase, u8::is_ascii_digit];
        for kind in kinds {
            assert!(text.bytes().filter(kind).count() >= 5, "{text}");
        }
        assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'), "{text}");
    }
}

#[test]
fn a_user_principal_name_is_the_user_name_or_else_the_address() {
    let names = [
        ("bob@acme.example", "bob@acme.example", Some("bob@acme.example")),
        (" bob@acme.example ", "b@acme.example", Some("bob@acme.example")),
        ("bob", "b@acme.example", Some("b@acme.example")),
        ("gil_x.example#EXT#@acme.example", "g@x", Some("gil_x.example#EXT#@acme.example")),
        ("bob b@acme.example", "b@acme.example", Some("b@acme.example")),
        ("bob@a@b", "b@acme.example", Some("b@acme.example")),
        ("=cmd@acme.example", "b@acme.example", Some("b@acme.example")),
        ("bob,\"@acme.example", "b@acme.example", Some("b@acme.example")),
        ("bob@acme\n.example", "@acme.example", None),
        ("bob", "=b@acme.example", None),
        ("@bob", "bob@", None),
    ];
    for (user_name, email, expected) in names {
        let account = Account { user_name: user_name.into(), email: email.into(), ..alice() };

        let line = entra_csv::line(&account, None);

        match expected {
            Some(name) => {
                let text = line.unwrap().text;
                assert!(text.starts_with(&format!("Alice Example,{name},,No,")), "{text}");
            }
            None => assert!(line.unwrap_err().contains("user principal name"), "{user_name}"),
        }
    }
}

#[test]
fn nothing_that_a_spreadsheet_would_run_is_in_the_portals_file() {
    let hostile = alice_with(json!({
        "title": "=cmd|'/C calc'!A0",
        "name": { "givenName": "@SUM(A1)", "familyName": " =1+1" },
        "phoneNumbers": [{ "value": "+1 555 0100 ext. 5" }, { "value": "+A1()", "type": "mobile" }],
        ENTERPRISE_USER: { "department": "'s-Gravenhage" },
        "addresses": [{ "country": "de", "locality": "\t=1+1", "region": "-" }],
    }));

    let line = entra_csv::line(&hostile, None).unwrap();

    let columns = ["First name", "Last name", "Job title", "City", "Mobile phone"];
    assert_eq!(line.emptied, columns);
    assert_eq!(
        line.text,
        "Alice Example,alice@acme.example,,No,,,,'s-Gravenhage,,,-,de,,,,+1 555 0100 ext. 5,\r\n"
    );
    for name in ["=1+1", "@lice", " =1+1", "\r\n-A1", "＝1"] {
        let account = Account { display_name: name.into(), ..alice() };
        let refused = entra_csv::line(&account, None).unwrap_err();
        assert!(refused.contains("display name"), "{name}");
    }
}

#[test]
fn a_line_of_the_portals_file_is_one_line_whatever_stands_in_it() {
    let long = "x".repeat(60_000);
    let names = [
        ("Al\"ice\"\r\nExample", "\"Al\"\"ice\"\" Example\","),
        ("Alice\u{0}\u{1b}[31m, Example", "\"Alice [31m, Example\","),
        ("  Alice\t\tExample\n", "Alice Example,"),
        (long.as_str(), long.as_str()),
    ];
    for (name, written) in names {
        let account = Account { display_name: name.into(), ..alice() };

        let text = entra_csv::line(&account, None).unwrap().text;

        assert!(text.starts_with(written), "{text}");
        assert_eq!(text.lines().count(), 1);
    }
}

#[test]
fn an_operation_has_everything_that_the_directory_sent() {
    let operation = parsed(&bulk_upload::operation(&alice(), Some(&manager())));

    let id = alice().id.to_string();
    assert_eq!((&operation["method"], &operation["path"]), (&json!("POST"), &json!("/Users")));
    assert_eq!(operation["bulkId"], id);
    let mut expected = alice().attributes;
    expected.insert("schemas".into(), json!([USER, "urn:contoso:employee", ENTERPRISE_USER]));
    expected[ENTERPRISE_USER]["manager"] =
        json!({ "value": "89607", "displayName": "Morgan Example" });
    assert_eq!(operation["data"], Value::Object(expected));
}

#[test]
fn an_operation_always_says_whether_the_person_may_sign_in() {
    for active in [true, false] {
        let account = Account { active, ..alice_with(json!({ "active": null })) };

        assert_eq!(data_of(&account, None)["active"], active);
    }
}

#[test]
fn an_account_made_by_hand_is_found_by_its_id() {
    let account = Account {
        external_id: None,
        connector_id: None,
        attributes: map(json!({ "name": { "givenName": "Al", "familyName": "E" } })),
        ..alice()
    };

    let data = data_of(&account, None);

    assert_eq!(data["externalId"], account.id.to_string());
    assert_eq!(data["userName"], "alice@acme.example");
    assert_eq!(data["displayName"], "Alice Example");
    assert_eq!(data["emails"][0]["value"], "alice@acme.example");
    assert_eq!(data["schemas"], json!([USER]));
    assert_eq!(Manager::of(&account).external_id, account.id.to_string());
}

#[test]
fn a_manager_who_is_not_known_is_left_out_with_what_is_empty_then() {
    let only_a_manager = alice_with(json!({ ENTERPRISE_USER: { "manager": { "value": "x" } } }));

    let kept = data_of(&alice(), None);
    let emptied = data_of(&only_a_manager, None);

    assert_eq!(kept[ENTERPRISE_USER], json!({ "department": "R&D", "employeeNumber": "701984" }));
    assert_eq!(emptied.get(ENTERPRISE_USER), None);
    assert_eq!(emptied["schemas"], json!([USER, "urn:contoso:employee"]));
}

#[test]
fn who_lacks_a_name_is_told_by_which() {
    for (name, lacks) in [
        (json!({ "givenName": "Al", "familyName": "E" }), None),
        (json!({ "givenName": "Al", "familyName": " " }), Some("the last name is missing")),
        (json!({ "familyName": "E" }), Some("the first name is missing")),
        (json!({ "formatted": "Al E" }), Some("first name and last name are missing")),
        (json!(null), Some("first name and last name are missing")),
    ] {
        assert_eq!(bulk_upload::lacks(&alice_with(json!({ "name": name }))), lacks);
    }
}

#[test]
fn a_request_is_one_line_in_the_form_of_the_api() {
    let hostile = Account { display_name: "a\n\"b\"\u{2028}".into(), ..alice() };
    let operations =
        [bulk_upload::operation(&hostile, None), bulk_upload::operation(&alice(), None)];

    let request = bulk_upload::request(&operations);

    assert_eq!(request.matches('\n').count(), 1);
    assert!(request.ends_with("}\n"));
    let request = parsed(&request);
    assert_eq!(request["schemas"], json!(["urn:ietf:params:scim:api:messages:2.0:BulkRequest"]));
    assert_eq!(request["failOnErrors"], Value::Null);
    assert_eq!(request["Operations"][0]["data"]["displayName"], "a\n\"b\"\u{2028}");
    assert_eq!(request["Operations"].as_array().unwrap().len(), 2);
}

#[test]
fn a_scim_line_is_what_the_scim_url_answers() {
    let group_id = GroupId::from_bytes([4; 16]);
    let membership = Membership { account_id: alice().id, group_id, display: "Staff".into() };

    let line = scim_json::line(&alice(), vec![membership], Some("https://p.example/scim/v2/1"));

    let resource = parsed(&line);
    let id = alice().id.to_string();
    assert_eq!(resource["id"], id);
    assert_eq!(resource["meta"]["location"], format!("https://p.example/scim/v2/1/Users/{id}"));
    assert_eq!(resource["meta"]["version"], "W/\"7\"");
    assert_eq!(resource["meta"]["lastModified"], "2026-03-04T09:00:00.500Z");
    assert_eq!(resource["schemas"], json!([USER, "urn:contoso:employee", ENTERPRISE_USER]));
    assert_eq!(resource["groups"][0]["display"], "Staff");
    assert_eq!(
        resource["groups"][0]["$ref"],
        format!("https://p.example/scim/v2/1/Groups/{group_id}")
    );
    assert_eq!(resource["title"], "Engineer");
}

#[test]
fn whoever_belongs_to_no_connector_has_no_scim_address() {
    let resource = parsed(&scim_json::line(&alice(), Vec::new(), None));

    assert_eq!(resource["meta"].get("location"), None);
    assert_eq!(resource["meta"]["resourceType"], "User");
    assert_eq!(resource.get("groups"), None);
}

/// The cells of the line under the names of their columns, where none has a comma.
fn cells(line: &str) -> Map<String, Value> {
    let (head, line) = (plain_csv::head(), line.trim_end().to_owned());
    let (names, cells): (Vec<_>, Vec<_>) =
        (head.trim_end().split(',').collect(), line.split(',').collect());
    assert_eq!(names.len(), cells.len(), "{line}");
    names.into_iter().zip(cells).map(|(name, cell)| (name.to_owned(), cell.into())).collect()
}

#[test]
fn the_table_has_a_column_for_what_people_ask_for() {
    let plain = alice_with(json!({ "addresses": [{ "country": "DE", "locality": "Berlin" }] }));

    let cells = cells(&plain_csv::line(&plain));

    for (column, cell) in [
        ("id", alice().id.to_string().as_str()),
        ("externalId", "701984"),
        ("userName", "alice@acme.example"),
        ("active", "true"),
        ("displayName", "Alice Example"),
        ("givenName", "Alice"),
        ("familyName", "Example"),
        ("middleName", ""),
        ("email", "alice@acme.example"),
        ("otherEmails", "al@home.example"),
        ("workPhone", "+49 (30) 901820"),
        ("mobilePhone", "+49 170 1"),
        ("title", "Engineer"),
        ("roles", "Admin; User"),
        ("department", "R&D"),
        ("manager", "89607"),
        ("locality", "Berlin"),
        ("country", "DE"),
        ("preferredLanguage", "en-GB"),
        ("connector", alice().connector_id.unwrap().to_string().as_str()),
        ("created", "2026-03-03T09:00:00Z"),
        ("lastModified", "2026-03-04T09:00:00.5Z"),
    ] {
        assert_eq!(cells[column], cell, "{column}");
    }
}

#[test]
fn the_table_guards_what_a_spreadsheet_would_run() {
    let hostile = alice_with(json!({ "title": "=HYPERLINK(A1)", "addresses": null }));
    let account = Account { display_name: "@lice".into(), ..hostile };

    let cells = cells(&plain_csv::line(&account));

    assert_eq!(cells["title"], "'=HYPERLINK(A1)");
    assert_eq!(cells["displayName"], "'@lice");
    assert_eq!(cells["workPhone"], "+49 (30) 901820");
}
