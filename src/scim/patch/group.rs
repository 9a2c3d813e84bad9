//! The PATCH of a group: its attributes, and apart from them its members.

use std::collections::HashSet;

use serde_json::{Map, Value};

use crate::scim::{
    dialect::Profile,
    error::ScimError,
    filter::Filter,
    group::{self, Group, MAX_MEMBERS, Member},
    patch::{self, Operation},
    schema::ResourceType,
    validation::Immutable,
};

/// What a client wants changed of a group.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupPatch {
    operations: Vec<Operation>,
    members: Vec<MemberChange>,
}

/// One change of who is in a group. Carried out one after the other, each may be repeated: adding
/// who is there and removing who is not change nothing.
#[derive(Clone, Debug, PartialEq)]
pub enum MemberChange {
    /// These are members too.
    Add(Vec<Member>),
    /// Those of these identifiers are not.
    Remove(Vec<String>),
    /// Those whose member value (`value`, `type`, `display`, `$ref`) the filter describes are not.
    RemoveWhere(Filter),
    /// These and nobody else are members.
    Set(Vec<Member>),
}

impl GroupPatch {
    /// Reads a `PatchOp` message.
    ///
    /// # Errors
    ///
    /// [`ScimError::InvalidSyntax`] for what is no such message; other variants for an operation
    /// that could be applied to no group, or for more than [`MAX_MEMBERS`] names in all.
    pub fn parse(body: &Map<String, Value>, profile: &Profile) -> Result<Self, ScimError> {
        let read = patch::read(ResourceType::Group, body, profile)?;
        let conditions: usize = read.members.iter().map(MemberChange::conditions).sum();
        patch::check_cost(&read.operations, conditions)?;
        if read.members.iter().map(MemberChange::names).sum::<usize>() > MAX_MEMBERS {
            let detail = format!("a message names at most {MAX_MEMBERS} members");
            return Err(ScimError::InvalidValue(detail));
        }
        Ok(Self { operations: read.operations, members: joined(read.members) })
    }

    /// The group after every operation on its attributes; one equal to the group before means that
    /// nothing of it is to be written.
    ///
    /// # Errors
    ///
    /// As [`Patch::apply`](patch::Patch::apply).
    pub fn apply(&self, group: Group) -> Result<Group, ScimError> {
        let mut attributes = group.into_attributes();
        let immutable = Immutable::of(ResourceType::Group, &attributes);
        patch::apply(&self.operations, &mut attributes)?;
        let group = Group::checked(attributes)?;
        immutable.check(group.attributes())?;
        Ok(group)
    }

    /// The changes of its members, in order.
    pub fn members(&self) -> &[MemberChange] {
        &self.members
    }
}

impl MemberChange {
    /// How many members it names.
    fn names(&self) -> usize {
        match self {
            Self::Add(members) | Self::Set(members) => members.len(),
            Self::Remove(values) => values.len(),
            Self::RemoveWhere(_) => 0,
        }
    }

    /// What it counts for besides, of [`MAX_CHANGES`](patch::MAX_CHANGES).
    fn conditions(&self) -> usize {
        match self {
            Self::RemoveWhere(filter) => filter.conditions(),
            _ => 1,
        }
    }
}

/// The same changes in as few as can be, everybody named once in each.
fn joined(changes: Vec<MemberChange>) -> Vec<MemberChange> {
    let mut joined: Vec<MemberChange> = Vec::new();
    for change in changes {
        match (joined.last_mut(), change) {
            (
                Some(MemberChange::Add(members) | MemberChange::Set(members)),
                MemberChange::Add(more),
            ) => members.extend(more),
            (Some(MemberChange::Remove(values)), MemberChange::Remove(more)) => values.extend(more),
            (_, MemberChange::Set(members)) => joined = vec![MemberChange::Set(members)],
            (_, change) => joined.push(change),
        }
    }
    joined.into_iter().map(named_once).collect()
}

fn named_once(change: MemberChange) -> MemberChange {
    match change {
        MemberChange::Add(members) => MemberChange::Add(group::merged(members)),
        MemberChange::Set(members) => MemberChange::Set(group::merged(members)),
        MemberChange::Remove(mut values) => {
            let mut seen = HashSet::with_capacity(values.len());
            values.retain(|value| seen.insert(value.clone()));
            MemberChange::Remove(values)
        }
        filtered @ MemberChange::RemoveWhere(_) => filtered,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::scim::{
        dialect::{ENTRA, STRICT},
        patch::PATCH_SCHEMA,
        schema,
        user::tests::members,
    };

    fn read(operations: Value, profile: &Profile) -> Result<GroupPatch, ScimError> {
        let schemas = json!([PATCH_SCHEMA]);
        let body = [("Operations".into(), operations), ("schemas".into(), schemas)];
        GroupPatch::parse(&Map::from_iter(body), profile)
    }

    /// The changes that one operation asks for.
    fn changes(operation: &Value, profile: &Profile) -> Vec<MemberChange> {
        let patch = read(json!([operation]), profile);
        patch.unwrap_or_else(|error| panic!("{operation}: {error}")).members().to_vec()
    }

    fn sales() -> Group {
        let body = members(json!({ "schemas": [schema::GROUP], "displayName": "Sales" }));
        Group::parse(body, &ENTRA).unwrap().0
    }

    fn people<const N: usize>(ids: [&str; N]) -> Vec<Member> {
        ids.map(|id| Member { value: id.into(), kind: None }).into()
    }

    fn ids<const N: usize>(ids: [&str; N]) -> Vec<String> {
        ids.map(Into::into).into()
    }

    #[test]
    fn members_come_and_go_in_every_form_that_directories_send() {
        use MemberChange::{Add, Remove, Set};
        let core = format!("{}:members", schema::GROUP);
        let forms = [
            (
                json!({ "op": "Add", "path": "members", "value": [{ "$ref": null, "value": "a" }] }),
                Add(people(["a"])),
            ),
            (
                json!({ "op": "add", "path": "MEMBERS", "value": ["a", "b"] }),
                Add(people(["a", "b"])),
            ),
            (
                json!({ "name": "addMember", "op": "add", "path": core, "value": { "value": "a" } }),
                Add(people(["a"])),
            ),
            (
                json!({ "op": "add", "path": "members", "value": [{ "value": "a", "display": "Alice" }] }),
                Add(people(["a"])),
            ),
            (
                json!({ "op": "add", "value": { "members": [{ "value": "a" }] } }),
                Add(people(["a"])),
            ),
            (
                json!({ "op": "add", "value": { schema::GROUP: { "members": ["a"] } } }),
                Add(people(["a"])),
            ),
            (
                json!({ "op": "Remove", "path": "members", "value": [{ "$ref": null, "value": "a" }] }),
                Remove(ids(["a"])),
            ),
            (
                json!({ "op": "remove", "path": "members", "value": { "value": "a" } }),
                Remove(ids(["a"])),
            ),
            (
                json!({ "op": "remove", "path": "members", "value": ["a", "b"] }),
                Remove(ids(["a", "b"])),
            ),
            (json!({ "op": "remove", "path": "members", "value": "a" }), Remove(ids(["a"]))),
            (json!({ "op": "remove", "path": "members", "value": [] }), Remove(ids([]))),
            (json!({ "op": "remove", "path": "members[value eq \"a\"]" }), Remove(ids(["a"]))),
            (json!({ "op": "remove", "path": "members[value eq a]" }), Remove(ids(["a"]))),
            (
                json!({ "op": "remove", "path": "members[value eq \"a\" or value eq \"b\"]" }),
                Remove(ids(["a", "b"])),
            ),
            (json!({ "op": "remove", "path": "members" }), Set(people([]))),
            (json!({ "op": "Remove", "path": "members", "value": null }), Set(people([]))),
            (
                json!({ "op": "replace", "path": "members", "value": [{ "value": "a" }] }),
                Set(people(["a"])),
            ),
            (json!({ "op": "replace", "path": "members", "value": [] }), Set(people([]))),
            (json!({ "op": "replace", "path": "members", "value": null }), Set(people([]))),
            (json!({ "op": "replace", "path": "members", "value": "" }), Set(people([]))),
            (json!({ "op": "replace", "value": { "members": ["a", "a"] } }), Set(people(["a"]))),
        ];
        for (operation, expected) in forms {
            assert_eq!(changes(&operation, &ENTRA), [expected], "{operation}");
        }
    }

    #[test]
    fn members_are_removed_by_any_filter() {
        let operation = json!({ "op": "remove", "path": "members[type eq \"Group\"]" });

        let asked = changes(&operation, &ENTRA);

        let [MemberChange::RemoveWhere(filter)] = asked.as_slice() else { panic!("{asked:?}") };
        assert!(filter.matches(&members(json!({ "value": "a", "type": "Group" }))));
        assert!(!filter.matches(&members(json!({ "value": "a", "type": "User" }))));
    }

    #[test]
    fn who_names_nobody_to_add_changes_nobody() {
        for value in [json!([]), json!(null), json!("")] {
            let operation = json!({ "op": "add", "path": "members", "value": value });

            assert_eq!(changes(&operation, &ENTRA), [], "{operation}");
        }
    }

    #[test]
    fn a_strict_profile_gives_the_rfcs_meaning_to_a_removal() {
        let listed = json!({ "op": "remove", "path": "members", "value": [{ "value": "a" }] });
        let one = json!({ "op": "remove", "path": "members[value eq \"a\"]" });

        assert_eq!(changes(&listed, &STRICT), [MemberChange::Set(Vec::new())]);
        assert_eq!(changes(&one, &STRICT), [MemberChange::Remove(ids(["a"]))]);
    }

    #[test]
    fn changes_of_the_same_kind_become_one_and_their_order_stays() {
        use MemberChange::{Add, Remove, Set};
        let add = |id: &str| json!({ "op": "add", "path": "members", "value": [{ "value": id }] });
        let remove = |id: &str| json!({ "op": "remove", "path": "members", "value": [id] });
        let set = |id: &str| json!({ "op": "replace", "path": "members", "value": [id] });
        let cases = [
            (vec![add("a"), add("b"), add("a")], vec![Add(people(["a", "b"]))]),
            (
                vec![add("a"), remove("a"), remove("b"), remove("a"), add("c")],
                vec![Add(people(["a"])), Remove(ids(["a", "b"])), Add(people(["c"]))],
            ),
            (vec![add("a"), remove("b"), set("c"), add("d")], vec![Set(people(["c", "d"]))]),
        ];
        for (operations, expected) in cases {
            let said = json!(operations).to_string();

            assert_eq!(read(json!(operations), &ENTRA).unwrap().members(), expected, "{said}");
        }
    }

    #[test]
    fn the_attributes_of_a_group_change_apart_from_its_members() {
        let operations = [
            json!([{ "op": "Replace", "path": "displayName", "value": "Marketing" }]),
            json!([{ "op": "replace", "value": { "id": "48af", "displayName": "Marketing" } }]),
            json!([{ "op": "replace", "value": { "schemas": [], "DisplayName": "Marketing" } }]),
            json!([{ "op": "replace", "path": format!("{}:displayName", schema::GROUP), "value": "Marketing" }]),
            json!([{ "op": "Add", "path": "displayName", "value": ["Marketing"] }]),
        ];
        for operations in operations {
            let patch = read(operations.clone(), &ENTRA).unwrap();

            let patched = patch.apply(sales()).unwrap();

            assert_eq!(patched.display_name(), "Marketing", "{operations}");
            assert_eq!(patch.members(), [], "{operations}");
        }
    }

    #[test]
    fn the_external_id_of_a_group_is_stored_and_cleared() {
        let set =
            |op: &str, value: Value| json!([{ "op": op, "path": "externalId", "value": value }]);

        let added = read(set("Add", json!("8aa1")), &ENTRA).unwrap().apply(sales()).unwrap();
        let cleared = read(set("Replace", json!("")), &ENTRA).unwrap().apply(added.clone());

        assert_eq!(added.external_id(), Some("8aa1"));
        assert_eq!(cleared, Ok(sales()));
    }

    #[test]
    fn what_cannot_be_done_to_a_group_is_refused_with_its_scim_type() {
        let refusals = [
            (json!({ "op": "remove", "path": "displayName" }), "mutability"),
            (json!({ "op": "replace", "path": "displayName", "value": "" }), "invalidValue"),
            (json!({ "op": "replace", "path": "displayName", "value": null }), "invalidValue"),
            (
                json!({ "op": "replace", "path": "displayName", "value": "x".repeat(256) }),
                "invalidValue",
            ),
            (json!({ "op": "replace", "path": "id", "value": "x" }), "mutability"),
            (json!({ "op": "add", "path": "members" }), "invalidValue"),
            (json!({ "op": "replace", "path": "members" }), "invalidValue"),
            (json!({ "op": "add", "path": "members", "value": [null] }), "invalidValue"),
            (
                json!({ "op": "add", "path": "members", "value": [{ "display": "Alice" }] }),
                "invalidValue",
            ),
            (json!({ "op": "remove", "path": "members", "value": [{}] }), "invalidValue"),
            (
                json!({ "op": "replace", "path": "members[value eq \"a\"].value", "value": "b" }),
                "mutability",
            ),
            (json!({ "op": "remove", "path": "members.value" }), "mutability"),
            (
                json!({ "op": "replace", "path": "members[value eq \"a\"]", "value": { "value": "b" } }),
                "noTarget",
            ),
            (json!({ "op": "remove", "path": "members[value is \"a\"]" }), "invalidFilter"),
            (json!({ "op": "remove" }), "noTarget"),
            (
                json!({ "op": "add", "path": "members", "value": vec!["a"; MAX_MEMBERS + 1] }),
                "invalidValue",
            ),
        ];
        for (operation, scim_type) in refusals {
            let said = operation.to_string();
            let patched = read(json!([operation]), &ENTRA).and_then(|patch| patch.apply(sales()));

            let refused = patched.unwrap_err();

            assert_eq!(refused.scim_type(), Some(scim_type), "{said:.200}: {refused}");
        }
    }

    #[test]
    fn a_whole_group_is_pushed_at_once_and_no_more() {
        let half = |from: usize| {
            let people: Vec<_> =
                (from..from + MAX_MEMBERS / 2).map(|id| json!({ "value": id })).collect();
            json!({ "op": "add", "path": "members", "value": people })
        };
        let one_more = json!({ "op": "remove", "path": "members", "value": ["0"] });

        let whole = read(json!([half(0), half(MAX_MEMBERS / 2)]), &ENTRA).unwrap();
        let more = read(json!([half(0), half(MAX_MEMBERS / 2), one_more]), &ENTRA);

        let [MemberChange::Add(people)] = whole.members() else { panic!("several changes") };
        assert_eq!(people.len(), MAX_MEMBERS);
        assert!(matches!(more, Err(ScimError::InvalidValue(_))));
    }
}
