//! The attributes of a connector under URNs that nobody published (RFC 7643 §3.3).

use std::collections::{HashMap, HashSet};

use jiff::{Timestamp, civil::DateTime};
use serde_json::{Map, Value};

use crate::scim::{
    attribute_path::{AttributePath, is_name, is_urn},
    dialect::{Profile, STRICT, value},
    error::{ScimError, quoted},
    schema::{self, Kind},
    validation,
};

/// A connector knows at most this many.
pub const MAX_KNOWN: usize = 1000;

/// Longer URNs and names are kept in resources, but not learned.
const MAX_NAME: usize = 255;

/// What is known of an attribute under a URN that nobody published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomAttribute {
    /// The URN, as first spelled; comparison ignores case.
    pub schema: String,
    /// The name, as first spelled; comparison ignores case.
    pub name: String,
    /// The type of a value.
    pub kind: Kind,
    /// Whether it is a list.
    pub multi_valued: bool,
    /// Whether an admin has laid down its type. Otherwise that is what its first value looked
    /// like, and nothing is refused for being of another.
    pub declared: bool,
}

impl CustomAttribute {
    /// An attribute as an admin declares it.
    ///
    /// # Errors
    ///
    /// [`ScimError::InvalidValue`] if the URN is no extension's, or is published, or the name is
    /// no attribute's.
    pub fn declare(
        schema: &str,
        name: &str,
        kind: Kind,
        multi_valued: bool,
    ) -> Result<Self, ScimError> {
        let published = [schema::USER, schema::GROUP, schema::ENTERPRISE_USER];
        if published.iter().any(|urn| urn.eq_ignore_ascii_case(schema)) {
            let detail = format!("{} cannot be extended; use a URN of your own", quoted(schema));
            return Err(ScimError::InvalidValue(detail));
        }
        let (schema, name) = (schema.to_owned(), name.to_owned());
        let attribute = Self { schema, name, kind, multi_valued, declared: true };
        let path = AttributePath::of(Some(&attribute.schema), &attribute.name).to_string();
        let read = AttributePath::parse_name(&path, &STRICT);
        if !attribute.can_be_learned() || read.is_err() {
            let detail = format!("{} is not the URN and name of an attribute", quoted(&path));
            return Err(ScimError::InvalidValue(detail));
        }
        Ok(attribute)
    }

    /// What a value tells of an attribute that is met for the first time.
    fn seen(schema: &str, name: &str, value: &Value) -> Self {
        let multi_valued = value.is_array();
        let (schema, name) = (schema.to_owned(), name.to_owned());
        Self { schema, name, kind: kind_of(value), multi_valued, declared: false }
    }

    fn can_be_learned(&self) -> bool {
        let short = self.schema.len() <= MAX_NAME && self.name.len() <= MAX_NAME;
        short && is_urn(&self.schema) && is_name(&self.name)
    }

    fn key(&self) -> (String, String) {
        key(&self.schema, &self.name)
    }

    /// The value in the declared type.
    fn coerced(&self, value: Value, profile: &Profile) -> Result<Value, ScimError> {
        let path = AttributePath::of(Some(&self.schema), &self.name);
        match value {
            Value::Array(values) if self.multi_valued => {
                let values = values.into_iter().map(|value| self.single(value, profile, &path));
                values.collect()
            }
            Value::Array(mut values) if values.len() == 1 && profile.loose_shapes => {
                self.single(values.remove(0), profile, &path)
            }
            value if self.multi_valued && profile.loose_shapes => {
                Ok(Value::Array(vec![self.single(value, profile, &path)?]))
            }
            _ if self.multi_valued => {
                Err(ScimError::InvalidValue(format!("{path} must be a list")))
            }
            value => self.single(value, profile, &path),
        }
    }

    fn single(
        &self,
        value: Value,
        profile: &Profile,
        path: &AttributePath,
    ) -> Result<Value, ScimError> {
        let coerced = match (self.kind, value) {
            (Kind::Boolean, Value::String(text)) if profile.string_booleans => {
                value::boolean(&text).map_or(Value::String(text), Value::Bool)
            }
            (kind, Value::String(text)) if kind.is_number() && profile.loose_shapes => {
                value::number(&text).unwrap_or(Value::String(text))
            }
            (kind, Value::Number(number)) if kind.is_text() && profile.loose_shapes => {
                number.to_string().into()
            }
            (_, value) => value,
        };
        validation::check_kind(self.kind, &coerced, path)?;
        match (self.kind, coerced.as_str()) {
            (Kind::DateTime, Some(text)) if !is_date_time(text) => {
                Err(ScimError::InvalidValue(format!("{path} must be a date with a time")))
            }
            _ => Ok(coerced),
        }
    }
}

/// What a connector knows of its custom attributes.
#[derive(Clone, Debug, Default)]
pub struct CustomAttributes {
    known: HashMap<(String, String), CustomAttribute>,
}

impl CustomAttributes {
    /// What is known of the attribute.
    pub fn find(&self, schema: &str, name: &str) -> Option<&CustomAttribute> {
        self.known.get(&key(schema, name))
    }

    /// All of them, by URN and name.
    pub fn iter(&self) -> impl Iterator<Item = &CustomAttribute> {
        let mut sorted: Vec<_> = self.known.iter().collect();
        sorted.sort_unstable_by_key(|(key, _)| *key);
        sorted.into_iter().map(|(_, attribute)| attribute)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// The custom attributes of a resource that are not known yet, as far as [`MAX_KNOWN`] allows.
    /// What is beyond is kept in the resource like any other.
    pub fn learn(&self, attributes: &Map<String, Value>) -> Vec<CustomAttribute> {
        let mut met = HashSet::new();
        let room = MAX_KNOWN.saturating_sub(self.len());
        attributes_of(attributes)
            .map(|(urn, name, value)| CustomAttribute::seen(urn, name, value))
            .filter(CustomAttribute::can_be_learned)
            .filter(|seen| !self.known.contains_key(&seen.key()) && met.insert(seen.key()))
            .take(room)
            .collect()
    }

    /// Brings the values of declared attributes into their types, as far as the profile allows.
    ///
    /// # Errors
    ///
    /// [`ScimError::InvalidValue`] names the attribute whose value is of another type.
    pub fn coerce(
        &self,
        attributes: &mut Map<String, Value>,
        profile: &Profile,
    ) -> Result<(), ScimError> {
        if !self.known.values().any(|attribute| attribute.declared) {
            return Ok(());
        }
        for (urn, extension) in attributes.iter_mut().filter(|(urn, _)| is_custom(urn)) {
            for (name, value) in extension.as_object_mut().into_iter().flatten() {
                if let Some(known) = self.find(urn, name).filter(|known| known.declared) {
                    *value = known.coerced(value.take(), profile)?;
                }
            }
        }
        Ok(())
    }
}

/// The last of two that name the same attribute counts.
impl FromIterator<CustomAttribute> for CustomAttributes {
    fn from_iter<I: IntoIterator<Item = CustomAttribute>>(attributes: I) -> Self {
        let known = attributes.into_iter().map(|attribute| (attribute.key(), attribute));
        Self { known: known.collect() }
    }
}

/// URN, name and value of each attribute under a URN that nobody published.
pub(super) fn attributes_of(
    attributes: &Map<String, Value>,
) -> impl Iterator<Item = (&str, &str, &Value)> {
    let extensions = attributes.iter().filter(|(urn, _)| is_custom(urn));
    extensions.flat_map(|(urn, extension)| {
        let members = extension.as_object().into_iter().flatten();
        members.map(move |(name, value)| (urn.as_str(), name.as_str(), value))
    })
}

/// Whether a resource has attributes under a URN that nobody published.
pub fn is_used_by(attributes: &Map<String, Value>) -> bool {
    attributes.keys().any(|name| is_custom(name))
}

fn is_custom(name: &str) -> bool {
    is_urn(name) && !name.eq_ignore_ascii_case(schema::ENTERPRISE_USER)
}

fn key(schema: &str, name: &str) -> (String, String) {
    (schema.to_ascii_lowercase(), name.to_ascii_lowercase())
}

/// The type that a value looks like; of a list, the one that all its values have.
fn kind_of(value: &Value) -> Kind {
    match value {
        Value::Bool(_) => Kind::Boolean,
        Value::Number(number) if number.is_f64() => Kind::Decimal,
        Value::Number(_) => Kind::Integer,
        Value::String(text) if is_date_time(text) => Kind::DateTime,
        Value::Object(_) => Kind::Complex,
        Value::Array(values) => {
            let mut kinds = values.iter().map(kind_of);
            let first = kinds.next().unwrap_or(Kind::String);
            kinds.fold(first, common)
        }
        Value::String(_) | Value::Null => Kind::String,
    }
}

fn common(one: Kind, other: Kind) -> Kind {
    if one == other {
        one
    } else if one.is_number() && other.is_number() {
        Kind::Decimal
    } else {
        Kind::String
    }
}

/// A date with a time, with or without its distance from UTC (RFC 7643 §2.3.5).
fn is_date_time(text: &str) -> bool {
    let read = || text.parse::<Timestamp>().is_ok() || text.parse::<DateTime>().is_ok();
    text.contains('T') && read()
}
