//! PATCH (RFC 7644 §3.5.2).

#[cfg(test)]
mod declared;
mod engine;
mod group;
#[cfg(test)]
mod matrix;
#[cfg(test)]
mod reference;

use serde_json::{Map, Value};

use crate::scim::{
    attribute_path::{AttributePath, member},
    dialect::{Profile, operation::Reading},
    error::{ScimError, quoted},
    schema::{Attribute, ResourceType},
    user::User,
    validation::Immutable,
};

use engine::Growth;
pub use group::{GroupPatch, MemberChange};

/// The schema of the message that carries a PATCH.
pub const PATCH_SCHEMA: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// A message with more operations is refused.
pub const MAX_OPERATIONS: usize = 1000;

/// The attributes, listed values and conditions that a message may name together; each may mean
/// a look at [`MAX_VALUES`](crate::scim::validation::MAX_VALUES) values.
pub const MAX_CHANGES: usize = 2000;

/// What a client wants changed: operations, one after the other.
#[derive(Clone, Debug, PartialEq)]
pub struct Patch {
    operations: Vec<Operation>,
}

/// One change of one attribute.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Operation {
    pub(super) verb: Verb,
    /// Where; a client's operation without a path has become one for each member of its value.
    pub(super) path: AttributePath,
    /// What is known of the attribute.
    pub(super) known: Option<&'static Attribute>,
    /// What, in canonical shape; null for a removal.
    pub(super) value: Value,
    /// Whether a path that selects no value is made or passed over instead of refused.
    pub(super) tolerant: bool,
}

/// What an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    Add,
    Replace,
    Remove,
}

impl Patch {
    /// Reads a `PatchOp` message.
    ///
    /// # Errors
    ///
    /// [`ScimError::InvalidSyntax`] for what is no such message; other variants for an operation
    /// that could be applied to no user.
    pub fn parse(body: &Map<String, Value>, profile: &Profile) -> Result<Self, ScimError> {
        let read = read(ResourceType::User, body, profile)?;
        check_cost(&read.operations, 0)?;
        Ok(Self { operations: read.operations })
    }

    /// The user after every operation.
    ///
    /// Takes the user by value and gives back a changed copy or an error, so a failure halfway
    /// leaves nothing half-changed ("SHALL be treated as atomic"). A result that equals the user
    /// before means that nothing is to be written.
    ///
    /// # Errors
    ///
    /// [`ScimError::NoTarget`] for a path that selects nothing, [`ScimError::InvalidPath`] for one
    /// that does not fit the user, [`ScimError::InvalidValue`] where the result is no valid user.
    pub fn apply(&self, user: User) -> Result<User, ScimError> {
        let mut attributes = user.into_attributes();
        let immutable = Immutable::of(ResourceType::User, &attributes);
        apply(&self.operations, &mut attributes)?;
        let user = User::checked(attributes)?;
        immutable.check(user.attributes())?;
        Ok(user)
    }
}

/// Reads the operations of a message.
fn read<'p>(
    resource_type: ResourceType,
    body: &Map<String, Value>,
    profile: &'p Profile,
) -> Result<Reading<'p>, ScimError> {
    profile.check_schemas(body, PATCH_SCHEMA)?;
    let operations = member(body, "Operations").and_then(Value::as_array);
    let operations = operations.ok_or_else(|| syntax("Operations must be a list"))?;
    if operations.is_empty() || operations.len() > MAX_OPERATIONS {
        return Err(syntax(format!("Operations must be 1 to {MAX_OPERATIONS}")));
    }
    let mut reading = Reading::new(resource_type, profile);
    for operation in operations {
        read_operation(operation, &mut reading)?;
    }
    Ok(reading)
}

fn read_operation(operation: &Value, reading: &mut Reading<'_>) -> Result<(), ScimError> {
    let operation = operation.as_object().ok_or_else(|| syntax("an operation is an object"))?;
    let verb = match member(operation, "op").and_then(Value::as_str) {
        Some(op) => Verb::named(op)?,
        None => return Err(syntax("an operation needs an op: add, replace or remove")),
    };
    let path = match member(operation, "path") {
        None | Some(Value::Null) => None,
        Some(Value::String(path)) => Some(path.as_str()).filter(|path| !path.is_empty()),
        Some(_) => return Err(ScimError::InvalidPath("a path is text".into())),
    };
    reading.read(verb, path, member(operation, "value"))
}

fn check_cost(operations: &[Operation], more: usize) -> Result<(), ScimError> {
    if operations.iter().map(Operation::cost).sum::<usize>() + more > MAX_CHANGES {
        let detail = format!("Operations name at most {MAX_CHANGES} attributes and conditions");
        return Err(ScimError::InvalidValue(detail));
    }
    Ok(())
}

/// Carries out the operations, within what the attributes may grow to meanwhile.
fn apply(operations: &[Operation], attributes: &mut Map<String, Value>) -> Result<(), ScimError> {
    let mut growth = Growth::of(attributes);
    for operation in operations {
        let added = operation.apply(attributes)?;
        growth.add(added, attributes)?;
    }
    Ok(())
}

impl Operation {
    fn cost(&self) -> usize {
        self.path.filter.as_ref().map_or(1, |filter| filter.conditions())
    }
}

impl Verb {
    /// Entra ID writes `Add`, `Replace`, `Remove` (RFC 7644 has them in lower case).
    fn named(name: &str) -> Result<Self, ScimError> {
        match name.to_ascii_lowercase().as_str() {
            "add" => Ok(Self::Add),
            "replace" => Ok(Self::Replace),
            "remove" => Ok(Self::Remove),
            _ => Err(syntax(format!("{} is not add, replace or remove", quoted(name)))),
        }
    }
}

fn syntax(detail: impl Into<String>) -> ScimError {
    ScimError::InvalidSyntax(detail.into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::scim::{
        dialect::{ENTRA, STRICT},
        schema::ENTERPRISE_USER,
        user::tests::{any_json, created_by_entra, members},
        validation::{MAX_SIZE, json_size},
    };

    fn user() -> User {
        User::parse(created_by_entra(), &ENTRA).unwrap()
    }

    fn user_with(changes: Value) -> User {
        let mut body = created_by_entra();
        body.extend(members(changes));
        User::parse(body, &ENTRA).unwrap()
    }

    fn patched(user: User, operations: Value, profile: &Profile) -> Result<User, ScimError> {
        let schemas = json!([PATCH_SCHEMA]);
        let body = [("Operations".into(), operations), ("schemas".into(), schemas)];
        Patch::parse(&Map::from_iter(body), profile)?.apply(user)
    }

    fn entra(user: User, operations: Value) -> User {
        let said = operations.to_string();
        patched(user, operations, &ENTRA).unwrap_or_else(|error| panic!("{said}: {error}"))
    }

    #[test]
    fn a_user_is_deactivated_and_restored_in_both_dialects() {
        let forms = [
            (json!([{ "op": "Replace", "path": "active", "value": false }]), false),
            (json!([{ "op": "Replace", "path": "active", "value": "False" }]), false),
            (json!([{ "op": "replace", "value": { "active": false } }]), false),
            (json!([{ "op": "replace", "value": { "active": "false" } }]), false),
            (json!([{ "op": "replace", "value": "{\"active\":false}" }]), false),
            (json!([{ "op": "Add", "path": "active", "value": "True" }]), true),
            (json!([{ "op": "add", "path": "ACTIVE", "value": [true] }]), true),
        ];
        for (operations, active) in forms {
            let patched = entra(user_with(json!({ "active": !active })), operations);

            assert_eq!(patched, user_with(json!({ "active": active })));
        }
    }

    #[test]
    fn several_attributes_change_with_either_setting_of_the_flag() {
        let number = format!("{ENTERPRISE_USER}:employeeNumber");
        let without_flag = json!([
            { "op": "Replace", "path": "displayName", "value": "Bjfe" },
            { "op": "Replace", "path": "name.givenName", "value": "Kkom" },
            { "op": "Replace", "path": "name.familyName", "value": "Unua" },
            { "op": "Add", "path": number, "value": "Aklq" },
        ]);
        let with_flag = json!([{ "op": "replace", "value": {
            "displayName": "Bjfe", "name.givenName": "Kkom", "name.familyName": "Unua", number: "Aklq",
        } }]);
        let nested = json!([{ "op": "replace", "name": "ignored", "value": {
            "id": "ignored", "displayName": "Bjfe", "name": { "givenName": "Kkom", "familyName": "Unua" },
            ENTERPRISE_USER: { "EMPLOYEENUMBER": "Aklq" },
        } }]);
        let expected = user_with(json!({
            "displayName": "Bjfe", ENTERPRISE_USER: { "employeeNumber": "Aklq" },
            "name": { "formatted": "givenName familyName", "givenName": "Kkom", "familyName": "Unua" },
        }));
        for operations in [without_flag, with_flag, nested] {
            assert_eq!(entra(user(), operations), expected);
        }
    }

    #[test]
    fn a_manager_is_set_and_cleared_in_every_form() {
        let (colon, dot) =
            (format!("{ENTERPRISE_USER}:manager"), format!("{ENTERPRISE_USER}.manager"));
        let managed = user_with(json!({ "manager": "2819" }));
        let setting = [
            json!([{ "op": "Add", "path": "manager", "value": [{ "$ref": null, "value": "2819" }] }]),
            json!([{ "op": "Add", "path": colon, "value": "2819" }]),
            json!([{ "op": "Replace", "path": colon, "value": { "value": "2819" } }]),
            json!([{ "op": "replace", "path": dot, "value": "2819" }]),
            json!([{ "op": "add", "path": format!("{colon}.value"), "value": "2819" }]),
            json!([{ "op": "add", "path": ENTERPRISE_USER, "value": { "manager": "2819" } }]),
        ];
        let clearing = [
            json!([{ "op": "Replace", "path": colon, "value": "" }]),
            json!([{ "op": "Replace", "path": colon, "value": null }]),
            json!([{ "op": "Replace", "path": colon, "value": { "value": "" } }]),
            json!([{ "op": "Remove", "path": "manager" }]),
            json!([{ "op": "Remove", "path": colon, "value": "2819" }]),
            json!([{ "op": "remove", "path": ENTERPRISE_USER }]),
        ];
        for operations in setting {
            assert_eq!(entra(user(), operations), managed);
        }
        for operations in clearing {
            assert_eq!(entra(managed.clone(), operations), user());
        }
    }

    #[test]
    fn roles_change_in_every_form_and_adding_one_again_changes_nothing() {
        let document = r#"{"id":"06b0","value":"Admin","displayName":"Admin"}"#;
        let assigned = json!([{ "primary": true, "type": "WindowsAzureActiveDirectoryRole", "value": "User" }]);
        let path = "roles[primary eq \"True\"].value";
        let cases = [
            (
                json!({ "op": "Add", "path": "roles", "value": [{ "value": document }] }),
                vec!["User", "Admin"],
            ),
            (json!({ "op": "Add", "path": "roles", "value": "User" }), vec!["User"]),
            (json!({ "op": "Replace", "path": path, "value": "Admin" }), vec!["Admin"]),
            (
                json!({ "op": "replace", "path": "roles", "value": [{ "value": "A" }, { "value": "B" }] }),
                vec!["A", "B"],
            ),
            (
                json!({ "op": "remove", "path": "roles", "value": [{ "value": "Other" }] }),
                vec!["User"],
            ),
            (json!({ "op": "remove", "path": "roles", "value": [{ "value": "User" }] }), vec![]),
            (json!({ "op": "replace", "path": "roles", "value": [] }), vec![]),
        ];
        for (operation, roles) in cases {
            let once = entra(user_with(json!({ "roles": assigned })), json!([operation]));

            assert_eq!(once.roles(), roles, "{operation}");
            assert_eq!(entra(once.clone(), json!([operation])), once, "{operation}");
        }
    }

    #[test]
    fn a_selected_value_changes_and_is_made_where_there_is_none() {
        let primary = "roles[primary eq \"True\"].value";
        let cases = [
            (
                json!([{ "op": "Replace", "path": "emails[type eq \"work\"].value", "value": "new@x" }]),
                json!({ "emails": [{ "primary": true, "type": "work", "value": "new@x" }] }),
            ),
            (
                json!([{ "op": "Replace", "path": "phoneNumbers[type eq \"mobile\"].value", "value": 555 }]),
                json!({ "phoneNumbers": [{ "type": "mobile", "value": "555" }] }),
            ),
            (
                json!([{ "op": "Add", "path": primary, "value": "Admin" }]),
                json!({ "roles": [{ "primary": true, "value": "Admin" }] }),
            ),
            (
                json!([
                   { "op": "Add", "path": "addresses[type eq \"work\"].locality", "value": "Kiel" },
                   { "op": "Add", "path": "addresses[type eq \"work\"].country", "value": "DE" },
                ]),
                json!({ "addresses": [{ "type": "work", "locality": "Kiel", "country": "DE" }] }),
            ),
            (
                json!([{ "op": "Add", "path": "urn:x:2.0:User:proxies[type eq \"x\"].value", "value": "1" }]),
                json!({ "urn:x:2.0:User": { "proxies": [{ "type": "x", "value": "1" }] } }),
            ),
            (
                json!([{ "op": "Add", "path": "emails[type eq \"work\"]", "value": { "display": "W" } }]),
                json!({ "emails": [{ "primary": true, "type": "work", "display": "W", "value": "Test_User_11bb@testuser.com" }] }),
            ),
            (
                json!([{ "op": "Replace", "path": "emails[type eq \"work\"]", "value": "new@x" }]),
                json!({ "emails": [{ "type": "work", "value": "new@x" }] }),
            ),
            (
                json!([{ "op": "Add", "path": "emails", "value": [{ "value": "b@x", "primary": true }] }]),
                json!({ "emails": [{ "primary": false, "type": "work", "value": "Test_User_11bb@testuser.com" },
                { "value": "b@x", "primary": true }] }),
            ),
        ];
        for (operations, changes) in cases {
            assert_eq!(entra(user(), operations), user_with(changes));
        }
    }

    #[test]
    fn nothing_in_place_of_a_value_takes_an_optional_one_away() {
        let full = json!({ "title": "Dr", "phoneNumbers": [{ "type": "work", "value": "1" }],
            "urn:x:2.0:User": { "a": "b" } });
        let paths = ["title", "phoneNumbers[type eq \"work\"].value", "urn:x:2.0:User:a"];
        let removals = [
            json!({ "op": "Replace", "value": "" }),
            json!({ "op": "Add", "value": null }),
            json!({ "op": "replace" }),
            json!({ "op": "Remove" }),
        ];
        for removal in removals {
            let operations: Vec<_> = paths
                .iter()
                .map(|path| {
                    let mut operation = removal.clone();
                    operation["path"] = json!(path);
                    operation
                })
                .collect();

            assert_eq!(entra(user_with(full.clone()), json!(operations)), user(), "{removal}");
        }
        let merged = json!([{ "op": "replace", "path": "name", "value": { "formatted": null } }]);
        assert_eq!(entra(user(), merged).display_name(), "givenName familyName");
    }

    #[test]
    fn an_operation_that_cannot_be_is_refused_with_its_scim_type() {
        let wide = format!("roles[{}]", vec!["value co \"z\""; 50].join(" or "));
        let refusals = [
            (json!([]), "invalidSyntax"),
            (json!(["x"]), "invalidSyntax"),
            (
                json!([{ "op": "remove", "path": "roles", "value": vec!["x"; MAX_CHANGES + 1] }]),
                "invalidValue",
            ),
            (json!(vec![json!({ "op": "remove", "path": wide }); 41]), "invalidValue"),
            (json!([{ "op": "add", "path": ENTERPRISE_USER, "value": "x" }]), "invalidValue"),
            (json!([{ "path": "title", "value": "x" }]), "invalidSyntax"),
            (json!([{ "op": "move", "path": "title" }]), "invalidSyntax"),
            (json!([{ "op": "remove" }]), "noTarget"),
            (json!([{ "op": "add", "path": "title" }]), "invalidValue"),
            (json!([{ "op": "add", "path": "roles", "value": [null] }]), "invalidValue"),
            (json!([{ "op": "add", "value": "x" }]), "invalidValue"),
            (json!([{ "op": "replace", "path": 1, "value": "x" }]), "invalidPath"),
            (json!([{ "op": "replace", "path": "a b", "value": "x" }]), "invalidPath"),
            (json!([{ "op": "replace", "path": "title.x", "value": "x" }]), "invalidPath"),
            (
                json!([{ "op": "replace", "path": "name[givenName eq \"x\"]", "value": {} }]),
                "invalidPath",
            ),
            (
                json!([{ "op": "replace", "path": "emails[type is \"x\"].value", "value": "x" }]),
                "invalidFilter",
            ),
            (
                json!([{ "op": "replace", "path": "roles[value sw \"x\"].value", "value": "x" }]),
                "noTarget",
            ),
            (json!([{ "op": "replace", "path": "id", "value": "x" }]), "mutability"),
            (json!([{ "op": "remove", "path": "userName" }]), "mutability"),
            (json!([{ "op": "remove", "path": "name.givenName" }]), "mutability"),
            (json!([{ "op": "replace", "path": "userName", "value": "" }]), "invalidValue"),
            (
                json!([{ "op": "replace", "path": "name", "value": { "givenName": "" } }]),
                "invalidValue",
            ),
            (json!([{ "op": "remove", "path": "emails" }]), "invalidValue"),
            (json!([{ "op": "replace", "path": "active", "value": "perhaps" }]), "invalidValue"),
            (
                json!([{ "op": "replace", "path": "emails[type eq \"work\"].value", "value": {} }]),
                "invalidValue",
            ),
            (
                json!(vec![json!({ "op": "remove", "path": "title" }); MAX_OPERATIONS + 1]),
                "invalidSyntax",
            ),
        ];
        for (operations, scim_type) in refusals {
            let said = operations.to_string();
            let refused = patched(user(), operations, &ENTRA).unwrap_err();

            assert_eq!(refused.scim_type(), Some(scim_type), "{said:.200}: {refused}");
        }
    }

    #[test]
    fn a_strict_profile_keeps_to_the_rfc_where_entra_does_not() {
        let refusals = [
            (json!([{ "op": "replace", "path": "active", "value": "False" }]), "invalidValue"),
            (
                json!([{ "op": "replace", "path": "phoneNumbers[type eq \"x\"].value", "value": "1" }]),
                "noTarget",
            ),
            (json!([{ "op": "remove", "path": "phoneNumbers[type eq \"x\"]" }]), "noTarget"),
            (json!([{ "op": "replace", "value": { "id": "x" } }]), "mutability"),
            (json!([{ "op": "replace", "path": "shoeSize", "value": 43 }]), "invalidPath"),
            (json!([{ "op": "replace", "path": "name.nick", "value": "x" }]), "invalidPath"),
            (json!([{ "op": "add", "path": "manager", "value": "2819" }]), "invalidPath"),
        ];
        for (operations, scim_type) in refusals {
            let refused = patched(user(), operations.clone(), &STRICT).unwrap_err();

            assert_eq!(refused.scim_type(), Some(scim_type), "{operations}: {refused}");
        }
        let two = user_with(json!({ "roles": ["A", "B"] }));
        let all = json!([{ "op": "remove", "path": "roles", "value": [{ "value": "A" }] }]);
        assert_eq!(patched(two, all, &STRICT).unwrap().roles(), [""; 0]);
    }

    #[test]
    fn operations_that_say_what_is_already_so_change_nothing() {
        let operations = json!([
            { "op": "Add", "path": "emails", "value": created_by_entra()["emails"] },
            { "op": "Replace", "path": "active", "value": "True" },
            { "op": "Replace", "value": created_by_entra() },
            { "op": "Remove", "path": "phoneNumbers[type eq \"work\"]" },
            { "op": "Replace", "path": "password", "value": "hunter2" },
        ]);

        assert_eq!(entra(user(), operations), user());
    }

    #[test]
    fn an_extension_of_somebody_else_may_have_attributes_with_familiar_names() {
        let value =
            json!({ "urn:contoso:employee": { "manager": "m", "USERNAME": "u", "level": 7 } });

        let patched = entra(user(), json!([{ "op": "add", "value": value }]));

        assert_eq!(patched, user_with(value));
        let removal = json!([{ "op": "remove", "path": "urn:contoso:employee" }]);
        assert_eq!(entra(patched, removal), user());
    }

    #[test]
    fn lists_cannot_grow_without_bound() {
        let roles: Vec<_> = (0..600).map(|role| json!({ "value": role.to_string() })).collect();
        let other: Vec<_> = (600..1200).map(|role| json!({ "value": role.to_string() })).collect();
        let operations = json!([
            { "op": "add", "path": "roles", "value": roles },
            { "op": "add", "path": "roles", "value": other },
        ]);

        let refused = patched(user(), operations, &ENTRA);

        assert!(matches!(refused, Err(ScimError::InvalidValue(_))));
    }

    #[test]
    fn a_long_value_for_many_selected_values_is_refused_before_it_is_written() {
        let list: Vec<_> = (0..1000).map(|n| json!({ "value": n })).collect();
        let user = user_with(json!({ "badges": list }));
        let operation = |text: &str| {
            json!([
                { "op": "replace", "path": "badges[value ge 0].note", "value": text },
                { "op": "remove", "path": "badges[value ge 0].note" },
            ])
        };

        let short = patched(user.clone(), operation("ok"), &ENTRA);
        let long = patched(user.clone(), operation(&"x".repeat(100)), &ENTRA);

        assert_eq!(short, Ok(user));
        assert!(matches!(long, Err(ScimError::InvalidValue(_))), "{long:?}");
    }

    #[test]
    fn attributes_never_grow_far_beyond_what_a_resource_may_have() {
        let list: Vec<_> = (0..1000).map(|n| json!({ "value": n })).collect();
        let mut attributes = user_with(json!({ "badges": list })).into_attributes();
        let operations = (0..MAX_OPERATIONS).map(|n| {
            let path = format!("badges[value ge 0].note{n}");
            json!({ "op": "replace", "path": path, "value": "x".repeat(30) })
        });
        let operations: Vec<_> = operations.collect();
        let body = members(json!({ "Operations": operations }));
        let patch = Patch::parse(&body, &ENTRA).unwrap();
        let mut growth = Growth::of(&attributes);

        let mut largest = 0;
        let refused = patch.operations.iter().find_map(|operation| {
            let applied = operation.apply(&mut attributes);
            largest = largest.max(json_size(&attributes));
            applied.and_then(|added| growth.add(added, &attributes)).err()
        });

        assert!(matches!(refused, Some(ScimError::InvalidValue(_))), "{refused:?}");
        assert!(largest <= 5 * MAX_SIZE, "{largest}");
    }

    #[test]
    fn what_is_written_and_taken_away_again_does_not_count_as_growth() {
        let list: Vec<_> = (0..1000).map(|n| json!({ "value": n })).collect();
        let user = user_with(json!({ "badges": list }));
        let operations = (0..20).flat_map(|_| {
            let path = "badges[value ge 0].note";
            let written = json!({ "op": "replace", "path": path, "value": "x".repeat(30) });
            [written, json!({ "op": "remove", "path": path })]
        });

        let patched = patched(user.clone(), operations.collect(), &ENTRA);

        assert_eq!(patched, Ok(user));
    }

    proptest! {
        #[test]
        fn any_patch_gives_a_valid_user_or_an_error(
            operations in prop::collection::vec(
                (
                    "add|Replace|remove",
                    prop_oneof![
                        Just(None),
                        "(emails|roles|name|x|manager|urn:a:b:c)(\\[(type|value|primary) (eq|pr|co) \"?(work|true)\"?\\])?(\\.(value|givenName))?"
                            .prop_map(Some),
                        "\\PC{0,12}".prop_map(Some),
                    ],
                    any_json(),
                ),
                1..6,
            )
        ) {
            let operations: Vec<_> = operations.into_iter()
                .map(|(op, path, value)| json!({ "op": op, "path": path, "value": value }))
                .collect();
            for profile in [&ENTRA, &STRICT] {
                if let Ok(user) = patched(user(), json!(operations), profile) {
                    let read_back = User::parse(user.into_attributes(), &ENTRA);
                    prop_assert!(read_back.is_ok(), "{read_back:?}");
                }
            }
        }
    }
}
