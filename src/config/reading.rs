//! Reading the sources key by key, so that every mistake is named at once.

use std::{collections::HashMap, fmt, path::PathBuf};

use config::{ConfigError, Environment, File, FileFormat, Map, Value};
use serde::{Serialize, de::DeserializeOwned};

use super::{Config, origin::PublicUrl, value::keys};

/// What begins every variable of ours.
const PREFIX: &str = "PORTICO_";

/// The origin that the `config` crate gives to values from the environment.
const ENVIRONMENT: &str = "the environment";

/// Where the configuration comes from, the later over the earlier.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// The TOML file; it must exist.
    pub file: Option<PathBuf>,
    /// Variables with their values. Those without `PORTICO_` and empty ones don't count.
    pub environment: Vec<(String, String)>,
    /// What flags say: keys like `listen.address` with their values.
    pub overrides: Vec<(String, String)>,
}

impl Sources {
    /// `file` under this process' environment.
    pub fn of_process(file: Option<PathBuf>) -> Self {
        let unicode = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        let environment = std::env::vars_os().filter_map(unicode).collect();
        Self { file, environment, overrides: Vec::new() }
    }
}

/// Everything that is wrong with a configuration, a line each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(Vec<String>);

impl Problems {
    /// The lines, sorted.
    pub fn lines(&self) -> &[String] {
        &self.0
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl std::error::Error for Problems {}

/// The struct of one `[section]`: its keys are its fields, its defaults its [`Default`].
pub(super) trait Section: Default + Serialize + DeserializeOwned {
    /// The name in brackets.
    const NAME: &'static str;

    /// Keys that hold a secret, which only the environment may carry.
    const SECRETS: &'static [&'static str] = &[];

    /// Keys that may hold a secret: what is wrong with them is told without repeating them.
    const MASKED: &'static [&'static str] = &[];

    /// What is wrong with the section although each of its keys is well.
    fn contradiction(&self) -> Option<&'static str> {
        None
    }
}

/// The merged sources, of which each section takes its part; what nobody took is unknown.
pub(super) struct Reader {
    rest: HashMap<String, Value>,
    known: Vec<&'static str>,
    problems: Vec<String>,
}

impl Reader {
    /// Merges the sources.
    pub(super) fn open(sources: Sources) -> Result<Self, Problems> {
        let (environment, problems) = ours(sources.environment);
        let environment = Environment::with_prefix("PORTICO")
            .prefix_separator("_")
            .separator("__")
            .ignore_empty(true)
            .source(Some(environment));
        let mut builder = config::Config::builder();
        if let Some(file) = sources.file {
            builder = builder.add_source(File::from(file).format(FileFormat::Toml));
        }
        builder = builder.add_source(environment);
        for (key, value) in sources.overrides {
            builder = builder.set_override(key, value).map_err(unreadable)?;
        }
        let merged = builder.build().and_then(|merged| merged.cache.into_table());
        let rest = merged.map_err(unreadable)?;
        Ok(Self { rest, known: Vec::new(), problems })
    }

    /// The value of a key that stands above all sections and has no default.
    pub(super) fn required<T: DeserializeOwned>(
        &mut self,
        key: &'static str,
        for_example: &str,
    ) -> Option<T> {
        self.known.push(key);
        let Some(value) = self.rest.remove(key) else {
            self.problems.push(format!(
                "{key} is missing: set it in portico.toml or as {}, like {for_example}",
                variable(key)
            ));
            return None;
        };
        let place = Place::of(key.into(), &value);
        match value.clone().try_deserialize() {
            Ok(read) => Some(read),
            Err(error) => {
                self.problems.push(format!("{place} {}, not {}", reason(error), shown(&value)));
                None
            }
        }
    }

    /// A section; its defaults where it is missing or wrong.
    pub(super) fn section<S: Section>(&mut self) -> S {
        self.known.push(S::NAME);
        let Some(section) = self.rest.remove(S::NAME) else { return S::default() };
        let place = Place::of(S::NAME.into(), &section);
        let Ok(written) = section.into_table() else {
            self.problems.push(format!("{place} must be a section: [{}]", S::NAME));
            return S::default();
        };
        let mut accepted = Map::new();
        for (key, value) in written {
            match accept::<S>(&key, &value) {
                Ok(()) => _ = accepted.insert(key, value),
                Err(problem) => self.problems.push(problem),
            }
        }
        let section = read::<S>(accepted).unwrap_or_default();
        self.problems.extend(section.contradiction().map(str::to_owned));
        section
    }

    /// Gives the required value out if nothing was wrong anywhere.
    pub(super) fn finish<T>(mut self, required: Option<T>) -> Result<T, Problems> {
        for (name, value) in &self.rest {
            let place = Place::of(name.clone(), value);
            self.problems.push(unknown(&place, name, &self.known));
        }
        self.problems.sort();
        match required {
            Some(required) if self.problems.is_empty() => Ok(required),
            _ => Err(Problems(self.problems)),
        }
    }
}

/// Where a value was written, in the words of that place.
struct Place(String);

impl Place {
    fn of(key: String, value: &Value) -> Self {
        Self(match origin(value) {
            Some(ENVIRONMENT) => variable(&key),
            Some(file) => format!("{}: {key}", file_name(file)),
            None => key,
        })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where a value, or the first key of a section, was written.
fn origin(value: &Value) -> Option<&str> {
    let inner = match &value.kind {
        config::ValueKind::Table(keys) => keys.values().find_map(Value::origin),
        _ => None,
    };
    inner.or_else(|| value.origin())
}

/// The name of the one file there is, without the folders that its origin begins with.
fn file_name(origin: &str) -> &str {
    origin.rsplit('/').next().unwrap_or(origin)
}

/// The environment variable of a key.
fn variable(key: &str) -> String {
    format!("{PREFIX}{}", key.replace('.', "__").to_uppercase())
}

/// Checks one key of a section on its own.
fn accept<S: Section>(key: &str, value: &Value) -> Result<(), String> {
    let known = keys(&S::default());
    let place = Place::of(format!("{}.{key}", S::NAME), value);
    if !known.contains_key(key) {
        let known: Vec<&str> = known.keys().map(String::as_str).collect();
        return Err(unknown(&place, key, &known));
    }
    let secret = S::SECRETS.contains(&key);
    if secret && value.origin() != Some(ENVIRONMENT) {
        let variable = variable(&format!("{}.{key}", S::NAME));
        return Err(format!("{place} is a secret, and is taken only from {variable}"));
    }
    let is_masked = secret || S::MASKED.contains(&key);
    let shown = if is_masked { "what it holds".into() } else { shown(value) };
    match read::<S>(Map::from_iter([(key.to_owned(), value.clone())])) {
        Ok(_) => Ok(()),
        Err(error) => Err(format!("{place} {}, not {shown}", reason(error))),
    }
}

fn read<S: Section>(written: Map<String, Value>) -> Result<S, ConfigError> {
    Value::new(None, written).try_deserialize()
}

/// A value as people write it.
fn shown(value: &Value) -> String {
    match &value.kind {
        config::ValueKind::String(text) => format!("{text:?}"),
        config::ValueKind::Array(values) => {
            format!("[{}]", values.iter().map(shown).collect::<Vec<_>>().join(", "))
        }
        _ => value.to_string(),
    }
}

fn unknown(place: &Place, key: &str, known: &[&str]) -> String {
    match nearest(key, known.iter().copied()) {
        Some(near) => format!("{place} is unknown: did you mean {near}?"),
        None => format!("{place} is unknown: there is {}", known.join(", ")),
    }
}

/// The name that was probably meant: at most a third of its letters, or two, are wrong.
fn nearest<'a>(wrong: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let distance = |name: &str| strsim::damerau_levenshtein(wrong, name);
    known.filter(|name| distance(name) <= (name.len() / 3).max(2)).min_by_key(|name| distance(name))
}

/// The innermost message of an error.
fn reason(error: ConfigError) -> String {
    match error {
        ConfigError::At { error, .. } => reason(*error),
        ConfigError::Type { expected, .. } => format!("must be {expected}"),
        other => other.to_string(),
    }
}

/// A source that can't be read at all, on one line.
fn unreadable(error: ConfigError) -> Problems {
    Problems(vec![match error {
        ConfigError::FileParse { uri, cause } => {
            // Where, a drawing of the place, and what is wrong there.
            let (words, file) = (cause.to_string(), uri.unwrap_or_default());
            let mut lines = words.lines().map(str::trim).filter(|line| !line.is_empty());
            let told: Vec<_> = lines.next().into_iter().chain(lines.next_back()).collect();
            format!("{}: {}", file_name(&file), told.join(": "))
        }
        other => other.to_string(),
    }])
}

/// The variables that name a key, and a problem for each that only seems to.
///
/// A name without `__` that is like no key is left alone: Kubernetes gives every container
/// `PORTICO_PORT` and its kind where a service is called `portico`.
fn ours(environment: Vec<(String, String)>) -> (Map<String, String>, Vec<String>) {
    let known = variables();
    let (mut variables, mut problems) = (Map::new(), Vec::new());
    for (name, value) in environment {
        if !name.starts_with(PREFIX) {
            continue;
        }
        if name.contains("__") || known.contains(&name) {
            variables.insert(name, value);
        } else if let Some(near) = known.iter().find(|key| strsim::levenshtein(key, &name) <= 2) {
            problems.push(format!("{name} is unknown: did you mean {near}?"));
        }
    }
    (variables, problems)
}

/// The environment variable of every key there is.
fn variables() -> Vec<String> {
    let any = PublicUrl::parse("http://localhost").expect("localhost is an origin");
    let of_section = |(section, value): (String, serde_json::Value)| match value {
        serde_json::Value::Object(keys) => {
            keys.keys().map(|key| variable(&format!("{section}.{key}"))).collect()
        }
        _ => vec![variable(&section)],
    };
    keys(&Config::with_defaults(any)).into_iter().flat_map(of_section).collect()
}
