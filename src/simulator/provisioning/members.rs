//! A group's members, in the second pass.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    super::directory::Group,
    client::{Answer, NoAnswer},
    dialect::Dialect,
    group::{GroupLink, MemberRequests},
    mapping::PersonLink,
    report::{Action, Record, ResourceKind},
    target::{Step, Target, at_once},
};

/// A member, with the target's id.
type Member = (Uuid, String);

/// Adds and removes the members of one group, in several requests.
pub(super) struct MembersStep {
    oid: Uuid,
    name: String,
    link: GroupLink,
    added: Vec<Member>,
    removed: Vec<Member>,
}

/// One PATCH, and what is true once it succeeded.
struct Request {
    operations: Vec<Value>,
    added: Vec<Member>,
    removed: Vec<Uuid>,
}

impl MembersStep {
    /// What leads to the directory's members, of whom only those in scope join.
    ///
    /// Who was deleted from the directory together with the user at the target is forgotten, not
    /// removed: the target took the user out of its groups itself.
    pub(super) fn plan(
        group: &Group,
        mut link: GroupLink,
        people: &HashMap<Uuid, PersonLink>,
    ) -> Self {
        let is_member = |oid: &Uuid| group.members.contains(oid);
        link.members.retain(|oid, _| is_member(oid) || people.contains_key(oid));
        let id_of = |oid: &Uuid| Some(people.get(oid).filter(|person| person.managed)?.id.clone());
        let unknown = group.members.iter().filter(|oid| !link.members.contains_key(oid));
        let added = unknown.filter_map(|oid| Some((*oid, id_of(oid)?))).collect();
        let gone = link.members.iter().filter(|(oid, _)| !is_member(oid));
        let removed = gone.map(|(oid, id)| (*oid, id.clone())).collect();
        Self { oid: group.oid, name: group.display_name.clone(), link, added, removed }
    }

    pub(super) const fn changes_something(&self) -> bool {
        !self.added.is_empty() || !self.removed.is_empty()
    }

    pub(super) fn into_link(self) -> GroupLink {
        self.link
    }

    /// The requests. Where somebody is removed, some of those who stay are added once more, as Entra
    /// does.
    fn requests(&self, dialect: Dialect, settings: MemberRequests) -> Vec<Request> {
        let leaving: BTreeSet<Uuid> = self.removed.iter().map(|(member, _)| *member).collect();
        let staying = self.link.members.iter().filter(|(member, _)| !leaving.contains(member));
        let repeated = if leaving.is_empty() { 0 } else { settings.repeated };
        let repeated = staying.take(repeated).map(|(member, id)| (*member, id.clone()));
        let added: Vec<Member> = self.added.iter().cloned().chain(repeated).collect();
        let per_operation = settings.per_operation.max(1);
        let add = |members: &[Member]| Request {
            operations: vec![dialect.add_members(&ids(members))],
            added: members.to_vec(),
            removed: Vec::new(),
        };
        let remove = |members: &[Member]| Request {
            operations: dialect.remove_members(&ids(members)),
            added: Vec::new(),
            removed: members.iter().map(|(member, _)| *member).collect(),
        };
        let parts: Vec<Request> = added
            .chunks(per_operation)
            .map(add)
            .chain(self.removed.chunks(per_operation).map(remove))
            .collect();
        together(parts, settings.per_request.max(1))
    }
}

fn ids(members: &[Member]) -> Vec<&str> {
    members.iter().map(|(_, id)| id.as_str()).collect()
}

/// The parts, so many in a request.
fn together(parts: Vec<Request>, per_request: usize) -> Vec<Request> {
    let mut requests: Vec<(usize, Request)> = Vec::new();
    for part in parts {
        match requests.last_mut().filter(|(parts, _)| *parts < per_request) {
            Some((parts, request)) => {
                *parts += 1;
                request.operations.extend(part.operations);
                request.added.extend(part.added);
                request.removed.extend(part.removed);
            }
            None => requests.push((1, part)),
        }
    }
    requests.into_iter().map(|(_, request)| request).collect()
}

impl Step for MembersStep {
    type Link = GroupLink;

    fn record(&self) -> (Uuid, Record) {
        (self.oid, Record::new(ResourceKind::Group, self.oid, self.name.clone()))
    }

    async fn take(self, target: Arc<Target>, record: &mut Record) -> Option<GroupLink> {
        let requests = self.requests(target.dialect, target.members);
        let mut link = self.link;
        let send = |request: Request| {
            let (target, id) = (Arc::clone(&target), link.id.clone());
            async move {
                let operations = &request.operations;
                let answer = target.client.patch(ResourceKind::Group, &id, operations).await;
                (request, answer)
            }
        };
        let answers = at_once(target.members.at_once, requests.into_iter().map(send)).await;
        for (request, answer) in answers {
            settle(&mut link.members, request, answer, record);
        }
        Some(link)
    }

    fn leave(self) -> Option<GroupLink> {
        Some(self.link)
    }
}

fn settle(
    members: &mut BTreeMap<Uuid, String>,
    request: Request,
    answer: Result<Answer, NoAnswer>,
    record: &mut Record,
) {
    if record.note(Action::Reference, &json!(request.operations), answer).is_some() {
        members.extend(request.added);
        for member in request.removed {
            members.remove(&member);
        }
    }
}
