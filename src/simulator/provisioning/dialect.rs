//! The two dialects of PATCH: what Entra sends by default, and with `aadOptscim062020`.

use serde_json::{Map, Value, json};

const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
pub(super) const MANAGER: &str =
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager";

/// How a PATCH is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// Capital verbs, an operation per attribute, `active` as a text, listed members removed.
    Default,
    /// With the feature flag, nearer to the standard: small verbs, plain attributes together in one
    /// operation without a path, `active` as a boolean, members removed by filter.
    Flagged,
}

/// What an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    Add,
    Replace,
    Remove,
}

/// An attribute's path and its new value.
pub(super) type Change = (String, Value);

impl Dialect {
    const fn verb(self, verb: Verb) -> &'static str {
        match (self, verb) {
            (Self::Default, Verb::Add) => "Add",
            (Self::Default, Verb::Replace) => "Replace",
            (Self::Default, Verb::Remove) => "Remove",
            (Self::Flagged, Verb::Add) => "add",
            (Self::Flagged, Verb::Replace) => "replace",
            (Self::Flagged, Verb::Remove) => "remove",
        }
    }

    /// The operations that add or replace attributes.
    pub(super) fn set(self, verb: Verb, changes: &[Change]) -> Vec<Value> {
        let op = self.verb(verb);
        let has_own = |(path, _): &&Change| self == Self::Default || path.contains('[');
        let (own, shared): (Vec<_>, Vec<_>) = changes.iter().partition(has_own);
        let with_path = |(path, value): &Change| json!({ "op": op, "path": path, "value": value });
        let mut operations: Vec<Value> = own.into_iter().map(with_path).collect();
        if !shared.is_empty() {
            let values: Map<String, Value> = shared.into_iter().cloned().collect();
            operations.push(json!({ "op": op, "value": values }));
        }
        operations
    }

    /// The operation on `active`, alone in its PATCH.
    pub(super) fn activation(self, active: bool) -> Value {
        let value = match (self, active) {
            (Self::Default, true) => json!("True"),
            (Self::Default, false) => json!("False"),
            (Self::Flagged, active) => json!(active),
        };
        json!({ "op": self.verb(Verb::Replace), "path": "active", "value": value })
    }

    /// The operations that lead from a manager to another, or to none.
    pub(super) fn manager(self, before: Option<&str>, after: Option<&str>) -> Vec<Value> {
        let set = |verb, id: &str| self.set(verb, &[(MANAGER.to_owned(), json!(id))]);
        match (before, after) {
            (_, None) if self == Self::Default => set(Verb::Replace, ""),
            (_, None) => vec![json!({ "op": self.verb(Verb::Remove), "path": MANAGER })],
            (None, Some(id)) => set(Verb::Add, id),
            (Some(_), Some(id)) => set(Verb::Replace, id),
        }
    }

    /// The operation that adds members, by the target's ids.
    pub(super) fn add_members(self, ids: &[&str]) -> Value {
        json!({ "op": self.verb(Verb::Add), "path": "members", "value": self.members(ids) })
    }

    /// The operations that take these members out, and no others.
    pub(super) fn remove_members(self, ids: &[&str]) -> Vec<Value> {
        let op = self.verb(Verb::Remove);
        match self {
            Self::Default => {
                vec![json!({ "op": op, "path": "members", "value": self.members(ids) })]
            }
            Self::Flagged => {
                let path = |id: &&str| format!("members[value eq {}]", Value::from(*id));
                ids.iter().map(|id| json!({ "op": op, "path": path(id) })).collect()
            }
        }
    }

    fn members(self, ids: &[&str]) -> Vec<Value> {
        let member = |id: &&str| match self {
            Self::Default => json!({ "$ref": null, "value": id }),
            Self::Flagged => json!({ "value": id }),
        };
        ids.iter().map(member).collect()
    }
}

/// The body of a PATCH.
pub(super) fn patch(operations: &[Value]) -> Value {
    json!({ "Operations": operations, "schemas": [PATCH_OP] })
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPLOYEE_NUMBER: &str =
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber";

    fn changes(changes: &[(&str, &str)]) -> Vec<Change> {
        changes.iter().map(|(path, value)| ((*path).to_owned(), json!(value))).collect()
    }

    #[test]
    fn attributes_are_set_in_the_words_of_each_dialect() {
        let several = changes(&[
            ("displayName", "Bjfe"),
            ("emails[type eq \"work\"].value", "b@acme.example"),
            ("name.givenName", "Kkom"),
            ("name.familyName", "Unua"),
            (EMPLOYEE_NUMBER, "Aklq"),
        ]);
        let one = changes(&[("nickName", "Babs")]);
        let replace =
            |path: &str, value: &str| json!({ "op": "Replace", "path": path, "value": value });
        let cases = [
            (
                Dialect::Default.set(Verb::Add, &one),
                json!([{ "op": "Add", "path": "nickName", "value": "Babs" }]),
            ),
            (
                Dialect::Flagged.set(Verb::Add, &one),
                json!([{ "op": "add", "value": { "nickName": "Babs" } }]),
            ),
            (
                Dialect::Default.set(Verb::Replace, &several),
                json!([
                    replace("displayName", "Bjfe"),
                    replace("emails[type eq \"work\"].value", "b@acme.example"),
                    replace("name.givenName", "Kkom"),
                    replace("name.familyName", "Unua"),
                    replace(EMPLOYEE_NUMBER, "Aklq"),
                ]),
            ),
            (
                Dialect::Flagged.set(Verb::Replace, &several),
                json!([
                    { "op": "replace", "path": "emails[type eq \"work\"].value", "value": "b@acme.example" },
                    { "op": "replace", "value": {
                        "displayName": "Bjfe", "name.givenName": "Kkom", "name.familyName": "Unua",
                        EMPLOYEE_NUMBER: "Aklq",
                    } },
                ]),
            ),
        ];
        for (operations, expected) in cases {
            assert_eq!(json!(operations), expected);
        }
    }

    #[test]
    fn active_is_a_capitalized_text_by_default_and_a_boolean_with_the_flag() {
        let cases = [
            (
                Dialect::Default,
                false,
                json!({ "op": "Replace", "path": "active", "value": "False" }),
            ),
            (Dialect::Default, true, json!({ "op": "Replace", "path": "active", "value": "True" })),
            (Dialect::Flagged, false, json!({ "op": "replace", "path": "active", "value": false })),
            (Dialect::Flagged, true, json!({ "op": "replace", "path": "active", "value": true })),
        ];
        for (dialect, active, expected) in cases {
            assert_eq!(dialect.activation(active), expected);
        }
    }

    #[test]
    fn a_manager_is_set_changed_and_taken_away_in_the_words_of_each_dialect() {
        let with_path = |op: &str, id: &str| json!([{ "op": op, "path": MANAGER, "value": id }]);
        let without = |op: &str, id: &str| json!([{ "op": op, "value": { MANAGER: id } }]);
        let cases = [
            (Dialect::Default, None, Some("2"), with_path("Add", "2")),
            (Dialect::Default, Some("1"), Some("2"), with_path("Replace", "2")),
            (Dialect::Default, Some("1"), None, with_path("Replace", "")),
            (Dialect::Flagged, None, Some("2"), without("add", "2")),
            (Dialect::Flagged, Some("1"), Some("2"), without("replace", "2")),
            (Dialect::Flagged, Some("1"), None, json!([{ "op": "remove", "path": MANAGER }])),
        ];
        for (dialect, before, after, expected) in cases {
            assert_eq!(json!(dialect.manager(before, after)), expected);
        }
    }

    #[test]
    fn members_are_added_and_removed_in_the_words_of_each_dialect() {
        let ids = ["f648", "7f4b"];
        let listed = json!([{ "$ref": null, "value": "f648" }, { "$ref": null, "value": "7f4b" }]);
        let plain = json!([{ "value": "f648" }, { "value": "7f4b" }]);

        let added = [Dialect::Default, Dialect::Flagged].map(|dialect| dialect.add_members(&ids));
        let removed =
            [Dialect::Default, Dialect::Flagged].map(|dialect| json!(dialect.remove_members(&ids)));

        assert_eq!(added[0], json!({ "op": "Add", "path": "members", "value": listed }));
        assert_eq!(added[1], json!({ "op": "add", "path": "members", "value": plain }));
        assert_eq!(removed[0], json!([{ "op": "Remove", "path": "members", "value": listed }]));
        assert_eq!(
            removed[1],
            json!([
                { "op": "remove", "path": "members[value eq \"f648\"]" },
                { "op": "remove", "path": "members[value eq \"7f4b\"]" },
            ])
        );
    }

    #[test]
    fn the_body_of_a_patch_is_what_entra_sends() {
        let operation = Dialect::Flagged.activation(false);

        let body = patch(&[operation]).to_string();

        assert_eq!(
            body,
            r#"{"Operations":[{"op":"replace","path":"active","value":false}],"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"]}"#
        );
    }
}
