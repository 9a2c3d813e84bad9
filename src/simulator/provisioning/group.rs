//! One group's way through a cycle: the group first, its members in the second pass.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    super::directory::Group,
    dialect::{Change, Verb},
    matching::{Found, found},
    person::id_of,
    report::{Action, Record, ResourceKind},
    target::{Step, Target},
};

const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
/// A schema of Microsoft's own, which stands beside the standard's in every POST.
const MICROSOFT_GROUP: &str =
    "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group";

/// How the members of a group travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemberRequests {
    /// Members per operation at most.
    pub per_operation: usize,
    /// Operations per PATCH at most, but for those that remove by filter and belong together.
    pub per_request: usize,
    /// Requests under way for one group at the same time.
    pub at_once: usize,
    /// How many members who stay are added once more where one is removed, as Entra does.
    pub repeated: usize,
}

impl Default for MemberRequests {
    fn default() -> Self {
        Self { per_operation: 10, per_request: 2, at_once: 4, repeated: 100 }
    }
}

/// A group as the target should have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct WantedGroup {
    display_name: String,
    external_id: String,
}

/// Which group of the target a group is, and what that is known to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct GroupLink {
    /// The target's id.
    pub(super) id: String,
    display_name: Option<String>,
    external_id: Option<String>,
    /// The members that were sent, each with the target's id.
    pub(super) members: BTreeMap<Uuid, String>,
}

impl WantedGroup {
    pub(super) fn of(group: &Group) -> Self {
        Self { display_name: group.display_name.clone(), external_id: group.oid.to_string() }
    }

    /// The body of the POST, without members.
    fn creation(&self) -> Value {
        json!({
            "schemas": [GROUP, MICROSOFT_GROUP],
            "externalId": self.external_id,
            "displayName": self.display_name,
            "meta": { "resourceType": "Group" },
        })
    }

    /// What differs from the target.
    fn changes(&self, link: &GroupLink) -> Vec<(Verb, Change)> {
        let attributes = [
            ("displayName", &self.display_name, &link.display_name),
            ("externalId", &self.external_id, &link.external_id),
        ];
        let changed =
            attributes.into_iter().filter(|(_, wanted, known)| known.as_ref() != Some(wanted));
        let change = |(path, wanted, known): (&str, &String, &Option<String>)| {
            let verb = if known.is_some() { Verb::Replace } else { Verb::Add };
            (verb, (path.to_owned(), json!(wanted)))
        };
        changed.map(change).collect()
    }
}

impl GroupLink {
    /// Of a group as the target returned it.
    fn of(group: &Value) -> Option<Self> {
        let text = |name: &str| group[name].as_str().map(str::to_owned);
        Some(Self {
            id: text("id")?,
            display_name: text("displayName"),
            external_id: text("externalId"),
            members: BTreeMap::new(),
        })
    }

    fn has(&mut self, wanted: &WantedGroup) {
        self.display_name = Some(wanted.display_name.clone());
        self.external_id = Some(wanted.external_id.clone());
    }
}

/// What a cycle does about one group.
pub(super) struct GroupStep {
    pub(super) oid: Uuid,
    pub(super) link: Option<GroupLink>,
    /// `None` for what was deleted or is not in scope any more: a group has no `active`.
    pub(super) wanted: Option<WantedGroup>,
}

impl Step for GroupStep {
    type Link = GroupLink;

    fn record(&self) -> (Uuid, Record) {
        let id = || self.link.as_ref().map(|link| link.id.clone()).unwrap_or_default();
        let name = self.wanted.as_ref().map_or_else(id, |wanted| wanted.display_name.clone());
        (self.oid, Record::new(ResourceKind::Group, self.oid, name))
    }

    async fn take(self, target: Arc<Target>, record: &mut Record) -> Option<GroupLink> {
        match (self.link, self.wanted) {
            (Some(link), None) => remove(&target, link, record).await,
            (Some(link), Some(wanted)) => keep(&target, link, &wanted, record).await,
            (None, Some(wanted)) => introduce(&target, &wanted, record).await,
            (None, None) => None,
        }
    }

    fn leave(self) -> Option<GroupLink> {
        self.link
    }
}

/// Deletes the group; a 404 says that it is done.
async fn remove(target: &Target, link: GroupLink, record: &mut Record) -> Option<GroupLink> {
    let answer = target.client.delete(ResourceKind::Group, &link.id).await;
    if answer.as_ref().is_ok_and(|answer| answer.status == 404) {
        record.succeed(Action::Delete, 404, "it was deleted already".to_owned());
        return None;
    }
    let deleted = record.note(Action::Delete, &Value::Null, answer).is_some();
    (!deleted).then_some(link)
}

/// Matches the group by its name, and creates one that is not there.
async fn introduce(
    target: &Target,
    wanted: &WantedGroup,
    record: &mut Record,
) -> Option<GroupLink> {
    let answer = target.client.find(ResourceKind::Group, "displayName", &wanted.display_name).await;
    if let Found::One(group) = found(answer, "displayName", record)? {
        return Some(update(target, GroupLink::of(&group)?, wanted, record).await);
    }
    let body = wanted.creation();
    let answer = target.client.create(ResourceKind::Group, &body).await;
    let answer = record.note(Action::Create, &body, answer)?;
    let id = id_of(&answer.body, answer.status, record)?;
    let members = BTreeMap::new();
    let mut link = GroupLink { id, display_name: None, external_id: None, members };
    link.has(wanted);
    Some(link)
}

/// Brings a known group up to date, after a look at it; without a difference, nothing is sent.
async fn keep(
    target: &Target,
    link: GroupLink,
    wanted: &WantedGroup,
    record: &mut Record,
) -> Option<GroupLink> {
    if wanted.changes(&link).is_empty() {
        return Some(link);
    }
    let answer = target.client.read(ResourceKind::Group, &link.id).await;
    let read = record.require_success(Action::Read, answer);
    match read.and_then(|answer| GroupLink::of(&answer.body)) {
        Some(read) => {
            let link = GroupLink { members: link.members, ..read };
            Some(update(target, link, wanted, record).await)
        }
        None => Some(link),
    }
}

/// Sends what differs.
async fn update(
    target: &Target,
    mut link: GroupLink,
    wanted: &WantedGroup,
    record: &mut Record,
) -> GroupLink {
    let changes = wanted.changes(&link);
    let of = |verb: Verb| -> Vec<Change> {
        let alike = changes.iter().filter(|(other, _)| *other == verb);
        alike.map(|(_, change)| change.clone()).collect()
    };
    let mut operations = target.dialect.set(Verb::Add, &of(Verb::Add));
    operations.extend(target.dialect.set(Verb::Replace, &of(Verb::Replace)));
    if operations.is_empty() {
        return link;
    }
    let answer = target.client.patch(ResourceKind::Group, &link.id, &operations).await;
    if record.note(Action::Update, &json!(operations), answer).is_some() {
        link.has(wanted);
    }
    link
}
