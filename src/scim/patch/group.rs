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
