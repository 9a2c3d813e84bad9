//! Plays what a client was recorded to send.

use std::{collections::BTreeMap, fs, path::Path};

use http::Method;
use serde::Deserialize;
use serde_json::Value;

use crate::{
    matching::difference,
    support::{Answer, Directory, Service},
};

/// What a client was recorded to send, against a connector to which nobody has sent anything yet.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Story {
    #[serde(rename = "story")]
    about: String,
    /// The connector's profile; without one, that of a connector that was told nothing.
    profile: Option<String>,
    steps: Vec<Step>,
}

/// A request, what is answered, and what is so afterwards.
///
/// `{name}` in an address or a text is what an earlier step captured under that name.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    says: String,
    request: Request,
    answer: Expected,
    /// Captured from the body of the answer: a name, and where it stands as `$.id`.
    #[serde(default)]
    capture: BTreeMap<String, String>,
    /// What is read afterwards, and what is found there.
    #[serde(default)]
    afterwards: Vec<State>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    method: String,
    path: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// The JSON to be sent.
    body: Option<Value>,
    /// Sent to the address as it is, without credentials.
    #[serde(default)]
    anonymous: bool,
}

/// What an answer must have; see [`difference`].
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    status: u16,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: Option<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct State {
    get: String,
    #[serde(default = "ok")]
    status: u16,
    body: Option<Value>,
}

const fn ok() -> u16 {
    200
}

/// Names that steps captured, with the base URL under `url`.
type Captured = BTreeMap<String, String>;

/// Plays every story of a client; how many steps there were.
pub async fn stories_of(client: &str) -> usize {
    let service = Service::start().await;
    let mut steps = 0;
    for (number, (file, story)) in read(client).into_iter().enumerate() {
        steps += story.steps.len();
        play(&service, &format!("org{number}"), &file, story).await;
    }
    steps
}

fn read(client: &str) -> BTreeMap<String, Story> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scim/fixtures").join(client);
    let files = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let stories = files.map(|path| {
        let text = fs::read_to_string(&path).unwrap();
        let name = format!("{client}/{}", path.file_name().unwrap().display());
        let story = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        (name, story)
    });
    stories.collect()
}

async fn play(service: &Service, slug: &str, file: &str, story: Story) {
    let organization = service.organization(slug).await;
    if let Some(profile) = &story.profile {
        let change = service.change_connector(&organization, |connector| {
            profile.clone_into(&mut connector.provisioning.profile);
        });
        change.await;
    }
    let directory = organization.scim();
    let mut captured = Captured::from([("url".to_owned(), directory.url.clone())]);
    for step in &story.steps {
        let place = format!("{file} ({}), {}", story.about, step.says);
        take(&directory, step, &mut captured, &place).await;
    }
}

async fn take(directory: &Directory, step: &Step, captured: &mut Captured, place: &str) {
    let answer = send(directory, &step.request, captured).await;
    let Expected { status, headers, body } = &step.answer;
    assert_eq!(answer.status, *status, "{place}: {}", answer.body);
    for (name, value) in headers {
        assert_eq!(answer.header(name), Some(filled(value, captured).as_str()), "{place}: {name}");
    }
    for (name, pointer) in &step.capture {
        let found =
            answer.json().pointer(&pointer.replace(['$', '.'], "/").replace("//", "/")).cloned();
        let found = found.unwrap_or_else(|| panic!("{place}: no {pointer} in {}", answer.body));
        captured.insert(name.clone(), found.as_str().unwrap().to_owned());
    }
    assert_holds(body.as_ref(), &answer, captured, place);
    for state in &step.afterwards {
        let path = filled(&state.get, captured);
        let found = directory.get(&path).await;
        let place = format!("{place}, then {path}");
        assert_eq!(found.status, state.status, "{place}: {}", found.body);
        assert_holds(state.body.as_ref(), &found, captured, &place);
    }
}

async fn send(directory: &Directory, request: &Request, captured: &Captured) -> Answer {
    let method = Method::from_bytes(request.method.as_bytes()).unwrap();
    let path = filled(&request.path, captured);
    let mut ask = if request.anonymous {
        crate::support::Ask::new(method, format!("{}{path}", directory.url))
    } else {
        directory.request(method, &path)
    };
    if request.body.is_some() && !request.headers.contains_key("content-type") {
        ask = ask.header("content-type", "application/scim+json");
    }
    for (name, value) in &request.headers {
        ask = ask.header(name, filled(value, captured));
    }
    if let Some(body) = &request.body {
        ask = ask.body(filled_in(body, captured).to_string());
    }
    ask.send("").await
}

fn assert_holds(expected: Option<&Value>, answer: &Answer, captured: &Captured, place: &str) {
    match expected {
        None => {}
        Some(Value::String(empty)) if empty.is_empty() => assert_eq!(answer.body, "", "{place}"),
        Some(expected) => {
            let differs = difference(&filled_in(expected, captured), &answer.json());
            assert_eq!(differs, None, "{place}: {}", answer.body);
        }
    }
}

fn filled(text: &str, captured: &Captured) -> String {
    captured
        .iter()
        .fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
}

fn filled_in(value: &Value, captured: &Captured) -> Value {
    match value {
        Value::String(text) => filled(text, captured).into(),
        Value::Array(values) => values.iter().map(|value| filled_in(value, captured)).collect(),
        Value::Object(members) => {
            members.iter().map(|(name, value)| (name.clone(), filled_in(value, captured))).collect()
        }
        other => other.clone(),
    }
}
