//! The kinds of values that keys hold.

use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::{Map, Value};

use crate::domain::secret::Secret;

/// A whole number from `MIN` to `MAX`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Whole<const MIN: u32, const MAX: u32>(u32);

impl<const MIN: u32, const MAX: u32> Whole<MIN, MAX> {
    /// A number that the source code states.
    ///
    /// # Panics
    /// If it is out of bounds; in a constant, while compiling.
    pub const fn new(number: u32) -> Self {
        assert!(MIN <= number && number <= MAX, "the number is out of its own bounds");
        Self(number)
    }

    /// The number.
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl<const MIN: u32, const MAX: u32> TryFrom<String> for Whole<MIN, MAX> {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.parse() {
            Ok(number) if (MIN..=MAX).contains(&number) => Ok(Self(number)),
            _ => Err(format!("must be a whole number from {MIN} to {MAX}")),
        }
    }
}

/// Several values: a TOML array, or one text with commas between them, as the environment has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct List<T>(Vec<T>);

impl<T> Default for List<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> FromIterator<T> for List<T> {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        Self(values.into_iter().collect())
    }
}

impl<T> std::ops::Deref for List<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "must be a list of texts")]
enum Written {
    Text(String),
    Array(Vec<String>),
}

impl<'de, T: FromStr<Err: std::fmt::Display>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let parse = |text: &str| text.trim().parse().map_err(de::Error::custom);
        match Written::deserialize(deserializer)? {
            Written::Text(text) => {
                text.split(',').filter(|part| !part.trim().is_empty()).map(parse).collect()
            }
            Written::Array(texts) => texts.iter().map(String::as_str).map(parse).collect(),
        }
    }
}

/// Says that there is a secret, and nothing of it.
#[expect(clippy::ref_option, reason = "serde's serialize_with hands over a reference to the field")]
pub(super) fn masked<S: Serializer>(
    secret: &Option<Secret>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    secret.as_ref().map(|_| "********").serialize(serializer)
}

/// The keys that a section, or the whole configuration, holds, with their values.
pub(super) fn keys(section: &impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(section) {
        Ok(Value::Object(keys)) => keys,
        _ => unreachable!("sections are structs of texts, numbers and lists"),
    }
}
