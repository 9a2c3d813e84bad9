//! The attributes of a connector under URNs that nobody published (RFC 7643 §3.3).

use std::collections::{HashMap, HashSet};

use jiff::{Timestamp, civil::DateTime};
use serde_json::{Map, Value};

use crate::scim::{
    attribute_path::{AttributePath, is_urn},
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
        if schema::is_published(schema) {
            let detail = format!("{} cannot be extended; use a URN of your own", quoted(schema));
            return Err(ScimError::InvalidValue(detail));
        }
        let (schema, name) = (schema.to_owned(), name.to_owned());
        let attribute = Self { schema, name, kind, multi_valued, declared: true };
        if !attribute.is_addressable() {
            let path = format!("{}:{}", attribute.schema, attribute.name);
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

    /// Whether a path or a filter can name it.
    fn is_addressable(&self) -> bool {
        let path = AttributePath::of(Some(&self.schema), &self.name);
        self.schema.len() <= MAX_NAME
            && self.name.len() <= MAX_NAME
            && self.schema.bytes().all(|byte| byte.is_ascii_graphic())
            && AttributePath::parse_name(&path.to_string(), &STRICT) == Ok(path)
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
            .filter(CustomAttribute::is_addressable)
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
    is_urn(name) && !schema::is_published(name)
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::scim::{dialect::ENTRA, user::tests::members, validation::MAX_CUSTOM};

    const URN: &str = "urn:contoso:employee";

    fn declared(name: &str, kind: Kind, multi_valued: bool) -> CustomAttribute {
        CustomAttribute::declare(URN, name, kind, multi_valued).unwrap()
    }

    fn under(urn: &str, name: &str, value: impl Into<Value>) -> Map<String, Value> {
        members(json!({ urn: { name: value.into() } }))
    }

    #[test]
    fn an_attribute_is_learned_with_the_type_that_its_value_has() {
        let values = [
            (json!("AB-1002"), Kind::String, false),
            (json!("True"), Kind::String, false),
            (json!("2021-05-01"), Kind::String, false),
            (json!("2021-05-01T00:00:00-05:00"), Kind::DateTime, false),
            (json!("2021-05-01T00:00:00"), Kind::DateTime, false),
            (json!(true), Kind::Boolean, false),
            (json!(7), Kind::Integer, false),
            (json!(7.5), Kind::Decimal, false),
            (json!({ "value": "x" }), Kind::Complex, false),
            (json!(["a", "b"]), Kind::String, true),
            (json!([1, 2.5]), Kind::Decimal, true),
            (json!([1, "a"]), Kind::String, true),
            (json!([{ "value": "x" }]), Kind::Complex, true),
        ];
        for (value, kind, multi_valued) in values {
            let learned = CustomAttributes::default().learn(&under(URN, "JobCode", value.clone()));

            let (schema, name) = (URN.into(), "JobCode".into());
            let seen = CustomAttribute { schema, name, kind, multi_valued, declared: false };
            assert_eq!(learned, [seen], "{value}");
        }
    }

    #[test]
    fn an_attribute_is_learned_once_whatever_its_case() {
        let known = CustomAttributes::default();
        let first = known.learn(&under(URN, "JobCode", "a"));
        let known: CustomAttributes = first.into_iter().collect();

        assert_eq!(known.learn(&under("URN:Contoso:Employee", "JOBCODE", 7)), []);
        assert_eq!(known.find("urn:CONTOSO:employee", "jobcode").unwrap().name, "JobCode");
        assert_eq!(known.learn(&under(URN, "Level", 7)).len(), 1);
    }

    #[test]
    fn published_attributes_and_names_that_no_filter_could_say_are_not_learned() {
        let long = "x".repeat(MAX_NAME + 1);
        let resources = [
            json!({ "userName": "alice", "shoeSize": 43, "name": { "givenName": "Alice" } }),
            under(schema::ENTERPRISE_USER, "badge", "x").into(),
            under(&schema::ENTERPRISE_USER.to_lowercase(), "badge", "x").into(),
            under(schema::GROUP, "badge", "x").into(),
            under(URN, "job code", "x").into(),
            under(URN, "größe", "x").into(),
            under(URN, &long, "x").into(),
            under("urn:contoso:2.0", "User", "x").into(),
            under(&format!("{URN}{long}"), "JobCode", "x").into(),
        ];
        for resource in resources {
            let learned = CustomAttributes::default().learn(&members(resource.clone()));

            assert_eq!(learned, [], "{resource}");
        }
    }

    #[test]
    fn a_connector_learns_a_thousand_attributes_and_no_more() {
        let known = (1..MAX_KNOWN).map(|n| declared(&format!("a{n}"), Kind::String, false));
        let known: CustomAttributes = known.collect();
        let two = members(json!({ URN: { "b1": 1, "b2": 2 } }));

        assert_eq!((known.len(), known.learn(&two).len()), (MAX_KNOWN - 1, 1));
    }

    #[test]
    fn declared_attributes_take_their_type_and_others_stay_as_sent() {
        let forms = [
            (Kind::Boolean, false, json!("True"), json!(true)),
            (Kind::Boolean, false, json!(["false"]), json!(false)),
            (Kind::Integer, false, json!("42"), json!(42)),
            (Kind::Integer, true, json!(["42", 7]), json!([42, 7])),
            (Kind::Decimal, false, json!("1.5"), json!(1.5)),
            (Kind::Decimal, false, json!(7), json!(7)),
            (Kind::String, false, json!(42), json!("42")),
            (Kind::String, true, json!("a"), json!(["a"])),
            (Kind::DateTime, false, json!("2021-05-01T00:00:00Z"), json!("2021-05-01T00:00:00Z")),
            (Kind::Complex, false, json!({ "a": 1 }), json!({ "a": 1 })),
        ];
        for (kind, multi_valued, sent, kept) in forms {
            let known: CustomAttributes =
                [declared("Level", kind, multi_valued)].into_iter().collect();
            let mut attributes = members(json!({ URN: { "LEVEL": sent, "other": "True" } }));

            known.coerce(&mut attributes, &ENTRA).unwrap();

            assert_eq!(attributes, members(json!({ URN: { "LEVEL": kept, "other": "True" } })));
        }
    }

    #[test]
    fn a_value_of_another_type_than_declared_is_refused_by_name() {
        let wrong = [
            (Kind::Boolean, false, json!("perhaps")),
            (Kind::Boolean, false, json!(1)),
            (Kind::Integer, false, json!("1.5")),
            (Kind::Integer, false, json!(1.5)),
            (Kind::Integer, false, json!([1, 2])),
            (Kind::Decimal, false, json!("many")),
            (Kind::String, false, json!(true)),
            (Kind::String, true, json!([["a"]])),
            (Kind::DateTime, false, json!("tomorrow")),
            (Kind::DateTime, false, json!("2021-05-01")),
            (Kind::Complex, false, json!("x")),
        ];
        for (kind, multi_valued, sent) in wrong {
            let known: CustomAttributes =
                [declared("Level", kind, multi_valued)].into_iter().collect();

            let refused = known.coerce(&mut under(URN, "Level", sent.clone()), &ENTRA).unwrap_err();

            assert_eq!(refused.scim_type(), Some("invalidValue"), "{sent}");
            assert!(
                refused.to_string().contains("urn:contoso:employee:Level"),
                "{sent}: {refused}"
            );
        }
    }

    #[test]
    fn a_strict_profile_wants_declared_types_as_they_are() {
        for (kind, sent) in [
            (Kind::Boolean, json!("true")),
            (Kind::Integer, json!("42")),
            (Kind::String, json!(42)),
            (Kind::String, json!(["a"])),
        ] {
            let known: CustomAttributes = [declared("Level", kind, false)].into_iter().collect();

            let refused = known.coerce(&mut under(URN, "Level", sent.clone()), &STRICT);

            assert!(refused.is_err(), "{sent}");
        }
    }

    #[test]
    fn only_an_extension_of_ones_own_can_be_declared() {
        let refused = [
            (schema::USER, "a"),
            (schema::GROUP, "a"),
            (schema::ENTERPRISE_USER, "a"),
            ("URN:ietf:params:scim:schemas:extension:enterprise:2.0:user", "a"),
            ("contoso", "a"),
            ("", "a"),
            ("urn:a b", "a"),
            ("urn:contoso:2.0", "User"),
            (URN, ""),
            (URN, "a.b"),
            (URN, "1a"),
            (URN, "a b"),
        ];
        for (urn, name) in refused {
            let attribute = CustomAttribute::declare(urn, name, Kind::String, false);

            assert!(attribute.is_err(), "{urn} {name}");
        }
    }

    #[test]
    fn a_resource_has_two_hundred_custom_attributes_and_no_more() {
        let wide = |count: usize| {
            let named = (0..count).map(|n| (format!("a{n}"), json!(n)));
            members(json!({ "displayName": "x", URN: Value::Object(named.collect()) }))
        };
        let read = |count| crate::scim::group::Group::parse(wide(count), &ENTRA);

        assert!(read(MAX_CUSTOM).is_ok());
        let refused = read(MAX_CUSTOM + 1).unwrap_err();
        assert!(refused.to_string().contains("200 custom attributes"), "{refused}");
    }
}
