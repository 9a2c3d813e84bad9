//! One person's way through a cycle.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    Action, ProvisioningEntry,
    attributes::{Known, Wanted, activation, patch},
    client::{Answer, ScimClient},
};

/// Which user of the target a person is, and what that user is known to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) id: String,
    pub(super) known: Known,
}

/// What a cycle does about one person.
pub(super) struct Step {
    pub(super) oid: Uuid,
    pub(super) link: Option<Link>,
    /// `None` for who was deleted for good.
    pub(super) wanted: Option<Wanted>,
}

/// The link after a step, and the lines of the log.
type Outcome = (Option<Link>, Vec<ProvisioningEntry>);

impl Step {
    pub(super) async fn take(self, client: &ScimClient) -> Outcome {
        let mut log = Log { oid: self.oid, person: String::new(), entries: Vec::new() };
        let link = match (self.link, self.wanted) {
            (Some(link), None) => delete(client, link, &mut log).await,
            (None, None) => None,
            (link, Some(wanted)) => {
                log.person.clone_from(&wanted.name);
                match link {
                    Some(link) => update(client, link, &wanted, &mut log).await,
                    // Whoever is disabled or not assigned was never provisioned, and is not now.
                    None if !wanted.active => None,
                    None => introduce(client, &wanted, &mut log).await,
                }
            }
        };
        (link, log.entries)
    }
}

/// The lines about one person.
struct Log {
    oid: Uuid,
    person: String,
    entries: Vec<ProvisioningEntry>,
}

impl Log {
    /// Writes the outcome down, and hands a successful answer on.
    fn note(
        &mut self,
        action: Action,
        sent: &Value,
        answer: Result<Answer, String>,
    ) -> Option<Answer> {
        let (status, succeeded, detail) = match &answer {
            Ok(answer) if answer.is_success() => (Some(answer.status), true, sent.to_string()),
            Ok(answer) => (Some(answer.status), false, answer.detail()),
            Err(cause) => (None, false, cause.clone()),
        };
        self.write(action, status, succeeded, detail);
        answer.ok().filter(Answer::is_success)
    }

    fn write(&mut self, action: Action, status: Option<u16>, succeeded: bool, detail: String) {
        let person = self.person.clone();
        let entry = ProvisioningEntry { oid: self.oid, person, action, status, succeeded, detail };
        self.entries.push(entry);
    }
}

/// Matches the person by `userName`, then by `externalId`, and creates who is not there.
async fn introduce(client: &ScimClient, wanted: &Wanted, log: &mut Log) -> Option<Link> {
    for attribute in ["userName", "externalId"] {
        let value = wanted.attributes.get(attribute)?;
        let answer = client.find("Users", attribute, value).await;
        match found(answer, attribute, log)? {
            Found::Nobody => {}
            Found::One(user) => {
                let link = Link { id: user["id"].as_str()?.to_owned(), known: Known::of(&user) };
                return update(client, link, wanted, log).await;
            }
        }
    }
    create(client, wanted, log).await
}

/// Whom a query found.
enum Found {
    Nobody,
    One(Box<Value>),
}

/// `None`, with a line in the log, if the answer cannot be used.
fn found(answer: Result<Answer, String>, attribute: &str, log: &mut Log) -> Option<Found> {
    let answer = match answer {
        Ok(answer) if answer.status == 200 => answer,
        other => {
            log.note_failed_query(other);
            return None;
        }
    };
    match answer.body["Resources"].as_array().map_or(&[][..], Vec::as_slice) {
        [] if answer.body["totalResults"] == 0 => Some(Found::Nobody),
        [user] if user["id"].is_string() => {
            let by = format!("matched by {attribute}");
            log.write(Action::Match, Some(200), true, by);
            Some(Found::One(Box::new(user.clone())))
        }
        [_, _, ..] => {
            let detail = format!("DuplicateTargetEntries: several users have this {attribute}");
            log.write(Action::Match, Some(200), false, detail);
            None
        }
        _ => {
            let detail = "the answer is not a ListResponse with users".to_owned();
            log.write(Action::Match, Some(200), false, detail);
            None
        }
    }
}

impl Log {
    fn note_failed_query(&mut self, answer: Result<Answer, String>) {
        let (status, detail) = match answer {
            Ok(answer) => (Some(answer.status), answer.detail()),
            Err(cause) => (None, cause),
        };
        self.write(Action::Match, status, false, detail);
    }
}

async fn create(client: &ScimClient, wanted: &Wanted, log: &mut Log) -> Option<Link> {
    let body = wanted.creation();
    let answer = log.note(Action::Create, &body, client.create(&body).await)?;
    let id = answer.body["id"].as_str();
    if id.is_none() {
        let detail = "the answer to the POST has no id".to_owned();
        log.write(Action::Create, Some(answer.status), false, detail);
    }
    let known = Known { active: wanted.active, ..Known::default() };
    Some(Link { id: id?.to_owned(), known: known.after(wanted) })
}

/// Sends what changed, attributes first; a user who vanished is looked for again next time.
async fn update(
    client: &ScimClient,
    mut link: Link,
    wanted: &Wanted,
    log: &mut Log,
) -> Option<Link> {
    let changes = wanted.changes(&link.known, client.feature_flag);
    if wanted.active && !changes.is_empty() {
        match send(client, &link, Action::Update, &changes, log).await {
            Sent::Done => link.known = link.known.after(wanted),
            Sent::Refused => {}
            Sent::Gone => return None,
        }
    }
    if wanted.active != link.known.active {
        let action = if wanted.active { Action::Restore } else { Action::Disable };
        let operation = activation(wanted.active, client.feature_flag);
        match send(client, &link, action, &[operation], log).await {
            Sent::Done => link.known.active = wanted.active,
            Sent::Refused => {}
            Sent::Gone => return None,
        }
    }
    Some(link)
}

/// What became of a PATCH.
enum Sent {
    Done,
    Refused,
    Gone,
}

async fn send(
    client: &ScimClient,
    link: &Link,
    action: Action,
    operations: &[Value],
    log: &mut Log,
) -> Sent {
    let answer = client.patch(&link.id, &patch(operations)).await;
    let gone = is_gone(&answer);
    match log.note(action, &json!(operations), answer) {
        Some(_) => Sent::Done,
        None if gone => Sent::Gone,
        None => Sent::Refused,
    }
}

async fn delete(client: &ScimClient, link: Link, log: &mut Log) -> Option<Link> {
    log.person.clone_from(&link.id);
    let answer = client.delete(&link.id).await;
    let gone = is_gone(&answer);
    let deleted = log.note(Action::Delete, &Value::Null, answer).is_some();
    (!deleted && !gone).then_some(link)
}

fn is_gone(answer: &Result<Answer, String>) -> bool {
    answer.as_ref().is_ok_and(|answer| answer.status == 404)
}
