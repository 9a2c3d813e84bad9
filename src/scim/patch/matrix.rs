//! What each operation does to each kind of target, row by row, leniently and by the RFC; and
//! what has broken elsewhere, as requests that directories send.

use serde_json::{Map, Value, json};

use super::{PATCH_SCHEMA, Patch};
use crate::scim::{
    dialect::{ENTRA, Profile, STRICT},
    error::ScimError,
    schema::{ENTERPRISE_USER, USER},
    user::{
        User,
        tests::{created_by_entra, members},
    },
};

const CUSTOM: &str = "urn:ietf:params:scim:schemas:extension:Contoso:2.0:User";

/// Somebody with a value of every kind.
fn alice() -> User {
    let mut body = created_by_entra();
    body.extend(members(json!({
        "title": "Dr",
        "displayName": "Alice",
        "emails": [
            { "type": "work", "value": "alice@work.example", "display": "Work", "primary": true },
            { "type": "home", "value": "alice@home.example" },
        ],
        "roles": [{ "value": "User", "primary": true }],
        ENTERPRISE_USER: { "department": "Sales", "manager": { "value": "2819" } },
        CUSTOM: { "desk": "4B" },
    })));
    User::parse(body, &STRICT).unwrap()
}

fn patched(operations: &Value, profile: &Profile) -> Result<User, ScimError> {
    let schemas = json!([PATCH_SCHEMA]);
    let body = [("Operations".into(), operations.clone()), ("schemas".into(), schemas)];
    Patch::parse(&Map::from_iter(body), profile)?.apply(alice())
}

/// What a request does: the attributes that differ afterwards (null: gone), or its `scimType`.
fn outcome(operations: &Value, profile: &Profile) -> Result<Value, String> {
    let (before, after) = (alice(), patched(operations, profile));
    let after = after.map_err(|error| error.scim_type().unwrap_or_default().to_owned())?;
    let (before, after) = (before.attributes(), after.attributes());
    let mut names: Vec<_> = before.keys().chain(after.keys()).collect();
    names.dedup();
    let differ = names.into_iter().filter(|name| before.get(*name) != after.get(*name));
    Ok(differ.map(|name| (name.clone(), after.get(name).cloned().unwrap_or_default())).collect())
}

/// A row of the table: the operation, what comes of it leniently, and what strictly.
type Row = (Value, Result<Value, &'static str>, Result<Value, &'static str>);

fn hold(rows: impl IntoIterator<Item = Row>) {
    for (operation, lenient, strict) in rows {
        let operations = json!([operation]);
        let lenient = lenient.map_err(str::to_owned);
        let strict = strict.map_err(str::to_owned);

        assert_eq!(outcome(&operations, &ENTRA), lenient, "leniently: {operation}");
        assert_eq!(outcome(&operations, &STRICT), strict, "strictly: {operation}");
    }
}

/// A row where both agree.
fn row(operation: Value, outcome: Result<Value, &'static str>) -> Row {
    (operation, outcome.clone(), outcome)
}

fn op(op: &str, path: &str, value: impl Into<Value>) -> Value {
    json!({ "op": op, "path": path, "value": value.into() })
}

fn remove(path: &str) -> Value {
    json!({ "op": "remove", "path": path })
}

#[test]
fn an_operation_without_a_path() {
    let home = json!({ "type": "home", "value": "alice@home.example" });
    let work = json!({ "type": "work", "value": "alice@work.example", "display": "Work", "primary": true });
    let other = json!({ "value": "a@x", "type": "other" });
    hold([
        row(json!({ "op": "add", "value": { "title": "Prof" } }), Ok(json!({ "title": "Prof" }))),
        row(
            json!({ "op": "add", "value": { "emails": [other] } }),
            Ok(json!({ "emails": [work, home, other] })),
        ),
        row(
            json!({ "op": "replace", "value": { "emails": [other] } }),
            Ok(json!({ "emails": [other] })),
        ),
        row(json!({ "op": "remove" }), Err("noTarget")),
        row(
            json!({ "op": "replace", "value": { USER: { "title": "Prof" }, format!("{USER}:nickName"): "Al" } }),
            Ok(json!({ "title": "Prof", "nickName": "Al" })),
        ),
        (
            json!({ "op": "replace", "value": { "id": "x", "meta": {}, "schemas": [], "title": "Prof" } }),
            Ok(json!({ "title": "Prof" })),
            Err("mutability"),
        ),
        (
            json!({ "op": "replace", "value": "{\"title\":\"Prof\"}" }),
            Ok(json!({ "title": "Prof" })),
            Err("invalidValue"),
        ),
    ]);
}

#[test]
fn a_simple_attribute_with_one_value() {
    let titled = || Ok(json!({ "title": "Prof" }));
    let gone = || Ok(json!({ "title": null }));
    hold([
        row(op("add", "title", "Prof"), titled()),
        row(op("replace", "title", "Prof"), titled()),
        row(op("replace", "nickName", "Al"), Ok(json!({ "nickName": "Al" }))),
        row(op("add", "title", "Dr"), Ok(json!({}))),
        row(remove("title"), gone()),
        row(remove("nickName"), Ok(json!({}))),
        row(op("replace", "title", json!(null)), gone()),
        (op("replace", "title", ""), gone(), Ok(json!({ "title": "" }))),
        (op("add", "title", json!(null)), gone(), Err("invalidValue")),
        (op("add", "title", json!(["Prof"])), titled(), Err("invalidValue")),
        (op("add", "title", json!(7)), Ok(json!({ "title": "7" })), Err("invalidValue")),
        (op("replace", "active", "False"), Ok(json!({ "active": false })), Err("invalidValue")),
        (json!({ "op": "replace", "path": "title" }), gone(), Err("invalidValue")),
        row(op("replace", "title", json!(["a", "b"])), Err("invalidValue")),
        row(op("replace", "title", "a\u{0}b"), Err("invalidValue")),
        row(op("replace", "title", json!("x".repeat(65 * 1024))), Err("invalidValue")),
    ]);
}

#[test]
fn a_required_or_read_only_attribute() {
    hold([
        row(op("add", "userName", "bob"), Ok(json!({ "userName": "bob" }))),
        row(remove("userName"), Err("mutability")),
        row(remove("name"), Err("mutability")),
        row(remove("name.familyName"), Err("mutability")),
        row(op("replace", "userName", json!(null)), Err("invalidValue")),
        row(op("replace", "userName", ""), Err("invalidValue")),
        row(op("replace", "name", json!({ "familyName": null })), Err("invalidValue")),
        row(remove("emails"), Err("invalidValue")),
        row(op("replace", "emails", json!([])), Err("invalidValue")),
        row(op("replace", "id", "x"), Err("mutability")),
        row(op("add", "groups", json!([{ "value": "x" }])), Err("mutability")),
        row(remove("meta.version"), Err("mutability")),
        row(op("replace", "password", "hunter2"), Ok(json!({}))),
    ]);
}

#[test]
fn a_complex_attribute_with_one_value() {
    let merged = || {
        let name = json!({ "formatted": "givenName familyName", "familyName": "Doe", "givenName": "givenName" });
        Ok(json!({ "name": name }))
    };
    let unformatted =
        || Ok(json!({ "name": { "familyName": "familyName", "givenName": "givenName" } }));
    let led_by = |manager: Value| {
        Ok(json!({ ENTERPRISE_USER: { "department": "Sales", "manager": manager } }))
    };
    let manager = format!("{ENTERPRISE_USER}:manager");
    hold([
        row(op("add", "name", json!({ "familyName": "Doe" })), merged()),
        row(op("replace", "name", json!({ "familyName": "Doe" })), merged()),
        row(op("replace", "name.familyName", "Doe"), merged()),
        row(op("replace", &format!("{USER}:name.familyName"), "Doe"), merged()),
        row(op("replace", "name", json!({ "formatted": null })), unformatted()),
        row(remove("name.formatted"), unformatted()),
        row(remove("name.middleName"), Ok(json!({}))),
        row(remove(&manager), Ok(json!({ ENTERPRISE_USER: { "department": "Sales" } }))),
        row(op("replace", &manager, json!({ "value": "7" })), led_by(json!({ "value": "7" }))),
        row(op("add", &format!("{manager}.value"), "7"), led_by(json!({ "value": "7" }))),
        row(
            op("add", &format!("{manager}.displayName"), "Bob"),
            led_by(json!({ "value": "2819", "displayName": "Bob" })),
        ),
        (op("replace", &manager, "7"), led_by(json!({ "value": "7" })), Err("invalidValue")),
        (
            op("replace", &manager, json!([{ "value": "7" }])),
            led_by(json!({ "value": "7" })),
            Err("invalidValue"),
        ),
        (
            op("replace", &manager, ""),
            Ok(json!({ ENTERPRISE_USER: { "department": "Sales" } })),
            Err("invalidValue"),
        ),
    ]);
}

#[test]
fn a_list() {
    let user = json!({ "value": "User", "primary": true });
    let demoted = json!({ "value": "User", "primary": false });
    hold([
        row(
            op("add", "roles", json!([{ "value": "Admin" }])),
            Ok(json!({ "roles": [user, { "value": "Admin" }] })),
        ),
        row(op("add", "roles", json!([{ "value": "User" }])), Ok(json!({}))),
        row(
            op("add", "roles", json!([{ "value": "Admin", "primary": true }])),
            Ok(json!({ "roles": [demoted, { "value": "Admin", "primary": true }] })),
        ),
        row(
            op("replace", "roles", json!([{ "value": "Admin" }])),
            Ok(json!({ "roles": [{ "value": "Admin" }] })),
        ),
        row(op("replace", "roles", json!([])), Ok(json!({ "roles": null }))),
        row(op("replace", "roles", json!(null)), Ok(json!({ "roles": null }))),
        row(remove("roles"), Ok(json!({ "roles": null }))),
        row(op("add", "roles", json!([null])), Err("invalidValue")),
        row(op("add", &format!("{CUSTOM}:tags"), json!([null])), Err("invalidValue")),
        (
            op("add", "roles", "Admin"),
            Ok(json!({ "roles": [user, { "value": "Admin" }] })),
            Err("invalidValue"),
        ),
        (
            op("remove", "roles", json!([{ "value": "Other" }])),
            Ok(json!({})),
            Ok(json!({ "roles": null })),
        ),
        (op("remove", "roles", json!([])), Ok(json!({})), Ok(json!({ "roles": null }))),
        row(op("remove", "roles", json!([{ "value": "User" }])), Ok(json!({ "roles": null }))),
    ]);
}

#[test]
fn the_values_of_a_list_that_a_filter_selects() {
    let home = json!({ "type": "home", "value": "alice@home.example" });
    let work = json!({ "type": "work", "value": "alice@work.example", "display": "Work", "primary": true });
    let other = || Ok(json!({ "emails": [work, home, { "type": "other", "value": "a@x" }] }));
    let only_home = || Ok(json!({ "emails": [home] }));
    hold([
        row(
            op("add", "emails[type eq \"home\"]", json!({ "display": "Home" })),
            Ok(
                json!({ "emails": [work, { "type": "home", "value": "alice@home.example", "display": "Home" }] }),
            ),
        ),
        row(op("add", "emails[type eq \"other\"]", json!({ "value": "a@x" })), other()),
        row(
            op("replace", "emails[type eq \"work\"]", json!({ "value": "a@x" })),
            Ok(json!({ "emails": [{ "type": "work", "value": "a@x" }, home] })),
        ),
        (
            op("replace", "emails[type eq \"other\"]", json!({ "value": "a@x" })),
            other(),
            Err("noTarget"),
        ),
        row(remove("emails[type eq \"work\"]"), only_home()),
        (remove("emails[type eq \"other\"]"), Ok(json!({})), Err("noTarget")),
        (op("replace", "emails[type eq \"work\"]", json!(null)), only_home(), only_home()),
        row(remove("title[type eq \"x\"]"), Err("invalidPath")),
        row(op("replace", "roles[value co \"z\"]", json!({ "value": "x" })), Err("noTarget")),
    ]);
}

#[test]
fn a_sub_attribute_of_the_values_that_a_filter_selects() {
    let home = json!({ "type": "home", "value": "alice@home.example" });
    let work = json!({ "type": "work", "value": "alice@work.example", "display": "Work", "primary": true });
    let changed = json!({ "type": "work", "value": "a@x", "display": "Work", "primary": true });
    let cleared =
        || Ok(json!({ "emails": [{ "type": "work", "display": "Work", "primary": true }, home] }));
    let value = "emails[type eq \"work\"].value";
    let other = "emails[type eq \"other\"].value";
    let mobile = json!({ "phoneNumbers": [{ "type": "mobile", "value": "555" }] });
    hold([
        row(op("add", value, "a@x"), Ok(json!({ "emails": [changed, home] }))),
        row(op("replace", value, "a@x"), Ok(json!({ "emails": [changed, home] }))),
        row(op("add", "phoneNumbers[type eq \"mobile\"].value", "555"), Ok(mobile.clone())),
        (
            op("replace", "phoneNumbers[type eq \"mobile\"].value", "555"),
            Ok(mobile),
            Err("noTarget"),
        ),
        row(op("replace", value, json!(null)), cleared()),
        row(remove(value), cleared()),
        row(remove("emails[type eq \"home\"].value"), Ok(json!({ "emails": [work] }))),
        (remove(other), Ok(json!({})), Err("noTarget")),
        (op("replace", value, ""), cleared(), {
            let empty = json!({ "type": "work", "value": "", "display": "Work", "primary": true });
            Ok(json!({ "emails": [empty, home] }))
        }),
        (
            op("replace", "roles[primary eq \"True\"].value", "Admin"),
            Ok(json!({ "roles": [{ "value": "Admin", "primary": true }] })),
            Ok(json!({ "roles": [{ "value": "Admin", "primary": true }] })),
        ),
    ]);
}

#[test]
fn an_extension() {
    let extension = |department: &str| json!({ ENTERPRISE_USER: { "department": department, "manager": { "value": "2819" } } });
    let marketing = json!({ "department": "Marketing" });
    hold([
        row(op("add", ENTERPRISE_USER, marketing.clone()), Ok(extension("Marketing"))),
        (
            op("replace", ENTERPRISE_USER, marketing.clone()),
            Ok(extension("Marketing")),
            Ok(json!({ ENTERPRISE_USER: marketing })),
        ),
        row(remove(ENTERPRISE_USER), Ok(json!({ ENTERPRISE_USER: null }))),
        row(
            op("add", &format!("{ENTERPRISE_USER}:department"), "Marketing"),
            Ok(extension("Marketing")),
        ),
        row(remove(&format!("{CUSTOM}:desk")), Ok(json!({ CUSTOM: null }))),
        row(
            op("replace", &format!("{CUSTOM}:desk"), "5A"),
            Ok(json!({ CUSTOM: { "desk": "5A" } })),
        ),
        row(remove("urn:contoso:2.0:Nobody"), Ok(json!({}))),
        row(op("add", ENTERPRISE_USER, "x"), Err("invalidValue")),
    ]);
}

#[test]
fn an_attribute_that_no_schema_has() {
    let kept = || Ok(json!({ "urn:contoso:employee": { "JobCode": "AB" } }));
    hold([
        (op("add", "shoeSize", json!(43)), Ok(json!({ "shoeSize": 43 })), Err("invalidPath")),
        (op("add", "members", json!(["x"])), Ok(json!({ "members": ["x"] })), Err("invalidPath")),
        (
            op("add", "name.nick", "x"),
            Ok(json!({ "name": {
            "formatted": "givenName familyName", "familyName": "familyName",
            "givenName": "givenName", "nick": "x" } })),
            Err("invalidPath"),
        ),
        row(op("add", "title.x", "x"), Err("invalidPath")),
        row(op("add", "urn:contoso:employee:JobCode", "AB"), kept()),
        row(
            json!({ "op": "add", "value": { "urn:contoso:employee": { "JobCode": "AB" } } }),
            kept(),
        ),
        row(json!({ "op": "add", "value": { "urn:contoso:employee:JobCode": "AB" } }), kept()),
    ]);
}

/// What servers have got wrong in production, and what must come of it here.
#[test]
fn requests_that_broke_other_servers_do_what_they_mean() {
    let work = json!({ "type": "work", "value": "alice@work.example", "display": "Work", "primary": true });
    let home = json!({ "type": "home", "value": "alice@home.example" });
    let document = "{\"id\":\"06b0\",\"value\":\"25\",\"displayName\":\"Role1234\"}";
    let address = "addresses[type eq \"work\"]";
    let proxies = format!("{CUSTOM}:proxyAddresses[type eq \"smtp\"].value");
    let cases = [
        ("a real boolean", json!([op("Replace", "active", json!(true))]), json!({})),
        (
            "a boolean of text",
            json!([op("Replace", "active", "False")]),
            json!({ "active": false }),
        ),
        (
            "Add of a single value",
            json!([op("Add", "active", "False")]),
            json!({ "active": false }),
        ),
        (
            "only a displayName",
            json!([op("replace", "displayName", "Al")]),
            json!({ "displayName": "Al" }),
        ),
        (
            "a removal of what is listed",
            json!([op("Remove", "emails", json!([{ "value": "alice@work.example" }]))]),
            json!({ "emails": [home] }),
        ),
        (
            "roles as JSON in a text",
            json!([op("Add", "roles", json!([document]))]),
            json!({ "roles": [{ "value": "User", "primary": true },
                { "id": "06b0", "value": "25", "display": "Role1234" }] }),
        ),
        (
            "one value in three operations",
            json!([
                op("Add", &format!("{address}.locality"), "Kiel"),
                op("Add", &format!("{address}.country"), "Sierra Leone"),
                op("Add", &format!("{address}.region"), "SH"),
            ]),
            json!({ "addresses": [
                { "type": "work", "locality": "Kiel", "country": "Sierra Leone", "region": "SH" }] }),
        ),
        (
            "a filter that selects one of two",
            json!([op("Replace", "emails[type eq \"home\"].value", "a@x")]),
            json!({ "emails": [work, { "type": "home", "value": "a@x" }] }),
        ),
        (
            "names with dots and URNs",
            json!([{ "op": "replace", "value": {
                "name.givenName": "Kkom", format!("{ENTERPRISE_USER}:employeeNumber"): "Aklq" } }]),
            json!({
                "name": { "formatted": "givenName familyName", "familyName": "familyName", "givenName": "Kkom" },
                ENTERPRISE_USER: { "department": "Sales", "employeeNumber": "Aklq", "manager": { "value": "2819" } },
            }),
        ),
        (
            "a filter in an extension",
            json!([op("Replace", &proxies, "a@x")]),
            json!({ CUSTOM: { "desk": "4B", "proxyAddresses": [{ "type": "smtp", "value": "a@x" }] } }),
        ),
        (
            "a manager's name",
            json!([op("add", &format!("{ENTERPRISE_USER}:manager.displayName"), "Bob")]),
            json!({ ENTERPRISE_USER: { "department": "Sales", "manager": { "value": "2819", "displayName": "Bob" } } }),
        ),
        (
            "the dot of a version",
            json!([op("replace", &format!("{CUSTOM}.desk"), "5A")]),
            json!({ CUSTOM: { "desk": "5A" } }),
        ),
        (
            "what is so already",
            json!([op("Add", "emails", json!([work, home])), op("Add", "title", "Dr")]),
            json!({}),
        ),
    ];
    for (case, operations, changes) in cases {
        assert_eq!(outcome(&operations, &ENTRA), Ok(changes), "{case}");
    }
}

#[test]
fn a_put_takes_away_what_it_does_not_mention() {
    let replaced = User::parse(created_by_entra(), &ENTRA).unwrap();

    let left: Vec<_> = replaced.attributes().keys().map(String::as_str).collect();
    assert_eq!(left, ["active", "emails", "externalId", "name", "userName"]);
}

#[test]
fn a_value_that_denies_its_own_filter_is_added_once() {
    let other = op("add", "emails[type eq \"other\"]", json!({ "type": "away", "value": "a@x" }));

    let once = outcome(&json!([other]), &ENTRA);
    let thrice = outcome(&json!([other, other, other]), &ENTRA);

    assert_eq!(once, thrice);
    assert_eq!(once.unwrap()["emails"].as_array().unwrap().len(), 3);
}
