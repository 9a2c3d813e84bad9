//! One person's way through a cycle.

use std::sync::Arc;

use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    mapping::{Known, PersonLink, Wanted},
    matching::{Found, found},
    report::{Action, Record, ResourceKind, Trouble},
    target::{Step, Target},
};

/// What a cycle does about one person; the manager comes later, in a [`ManagerStep`].
pub(super) struct PersonStep {
    pub(super) oid: Uuid,
    pub(super) link: Option<PersonLink>,
    /// `None` for who was deleted for good.
    pub(super) wanted: Option<Wanted>,
}

impl Step for PersonStep {
    type Link = PersonLink;

    fn record(&self) -> (Uuid, Record) {
        let id = || self.link.as_ref().map(|link| link.id.clone()).unwrap_or_default();
        let name = self.wanted.as_ref().map_or_else(id, |wanted| wanted.name.clone());
        (self.oid, Record::new(ResourceKind::User, self.oid, name))
    }

    async fn take(self, target: Arc<Target>, record: &mut Record) -> Option<PersonLink> {
        match (self.link, self.wanted) {
            (Some(link), None) => remove(&target, link, record).await,
            (Some(link), Some(wanted)) => keep(&target, link, &wanted, record).await,
            (None, Some(wanted)) if wanted.active => introduce(&target, &wanted, record).await,
            // Whoever is disabled or not assigned was never provisioned, and is not now.
            (None, _) => None,
        }
    }

    fn leave(self) -> Option<PersonLink> {
        self.link
    }
}

/// Deletes the user of who was in scope to the end; a 404 says that it is done.
async fn remove(target: &Target, link: PersonLink, record: &mut Record) -> Option<PersonLink> {
    if !link.managed {
        return None;
    }
    let answer = target.client.delete(ResourceKind::User, &link.id).await;
    if answer.as_ref().is_ok_and(|answer| answer.status == 404) {
        record.succeed(Action::Delete, 404, "it was deleted already".to_owned());
        return None;
    }
    let deleted = record.note(Action::Delete, &Value::Null, answer).is_some();
    (!deleted).then_some(link)
}

/// Matches the person by one attribute after the other, and creates who is not there.
async fn introduce(target: &Target, wanted: &Wanted, record: &mut Record) -> Option<PersonLink> {
    for path in target.matching.iter().map(|matching| matching.path()) {
        let Some(value) = wanted.attributes.get(path).and_then(Value::as_str) else { continue };
        let answer = target.client.find(ResourceKind::User, path, value).await;
        if let Found::One(user) = found(answer, path, record)? {
            let link = PersonLink {
                id: user["id"].as_str()?.to_owned(),
                known: Known::of(&user, wanted),
                managed: true,
                manager: None,
            };
            return Some(update(target, link, wanted, record).await);
        }
    }
    create(target, wanted, record).await
}

async fn create(target: &Target, wanted: &Wanted, record: &mut Record) -> Option<PersonLink> {
    let body = wanted.creation();
    let answer = target.client.create(ResourceKind::User, &body).await;
    let answer = record.note(Action::Create, &body, answer)?;
    let id = id_of(&answer.body, answer.status, record)?;
    let known = Known { active: wanted.active, ..Known::default() }.after(wanted);
    Some(PersonLink { id, known, managed: true, manager: None })
}

/// The `id` of what was created; without one, the answer is a failure.
pub(super) fn id_of(body: &Value, status: u16, record: &mut Record) -> Option<String> {
    let id = body["id"].as_str().map(str::to_owned);
    if id.is_none() {
        let detail = "the answer to the POST has no id".to_owned();
        record.fail(Action::Create, Some(status), None, detail, Trouble::Lasting);
    }
    id
}

/// Brings a known user up to date, after a look at it; without a difference, nothing is sent.
async fn keep(
    target: &Target,
    mut link: PersonLink,
    wanted: &Wanted,
    record: &mut Record,
) -> Option<PersonLink> {
    let same = !wanted.active || wanted.changes(&link.known, target.dialect).is_empty();
    if same && wanted.active == link.known.active {
        link.managed = wanted.in_scope;
        return Some(link);
    }
    match read(target, &link.id, record).await {
        Some(user) => {
            link.known = Known::of(&user, wanted);
            Some(update(target, link, wanted, record).await)
        }
        None => Some(link),
    }
}

/// The user as the target has it at this moment.
async fn read(target: &Target, id: &str, record: &mut Record) -> Option<Value> {
    if target.reads_by_query {
        let answer = target.client.find(ResourceKind::User, "id", id).await;
        return match found(answer, "id", record)? {
            Found::One(user) => Some(*user),
            Found::Nobody => {
                let detail = "the user is not there any more".to_owned();
                let code = Some("InvalidAnchor");
                record.fail(Action::Read, Some(200), code, detail, Trouble::Lasting);
                None
            }
        };
    }
    let answer = target.client.read(ResourceKind::User, id).await;
    Some(record.require_success(Action::Read, answer)?.body)
}

/// Sends what differs, attributes first.
async fn update(
    target: &Target,
    mut link: PersonLink,
    wanted: &Wanted,
    record: &mut Record,
) -> PersonLink {
    let changes = wanted.changes(&link.known, target.dialect);
    if wanted.active
        && !changes.is_empty()
        && send(target, &link, Action::Update, &changes, record).await
    {
        link.known = link.known.after(wanted);
    }
    if wanted.active != link.known.active {
        let action = if wanted.active { Action::Restore } else { Action::Disable };
        let operation = target.dialect.activation(wanted.active);
        if send(target, &link, action, &[operation], record).await {
            link.known.active = wanted.active;
        }
    }
    // Who could not be disabled is still looked after.
    link.managed = wanted.in_scope || link.known.active;
    link
}

async fn send(
    target: &Target,
    link: &PersonLink,
    action: Action,
    operations: &[Value],
    record: &mut Record,
) -> bool {
    let answer = target.client.patch(ResourceKind::User, &link.id, operations).await;
    record.note(action, &json!(operations), answer).is_some()
}

/// Sets, changes or takes away a person's manager, in the second pass.
pub(super) struct ManagerStep {
    pub(super) oid: Uuid,
    pub(super) name: String,
    pub(super) link: PersonLink,
    /// The target's id of the manager.
    pub(super) manager: Option<String>,
}

impl Step for ManagerStep {
    type Link = PersonLink;

    fn record(&self) -> (Uuid, Record) {
        (self.oid, Record::new(ResourceKind::User, self.oid, self.name.clone()))
    }

    async fn take(self, target: Arc<Target>, record: &mut Record) -> Option<PersonLink> {
        let mut link = self.link;
        let before = link.manager.as_deref();
        let operations = target.dialect.manager(before, self.manager.as_deref());
        if send(&target, &link, Action::Reference, &operations, record).await {
            link.manager = self.manager;
        }
        Some(link)
    }

    fn leave(self) -> Option<PersonLink> {
        Some(self.link)
    }
}
