//! Which attributes an answer has (RFC 7644 §3.9).

use serde_json::{Map, Value};

use crate::scim::{
    attribute_path::{AttributePath, is_urn},
    dialect::Profile,
    error::ScimError,
    schema::{self, Mutability},
};

/// More names than this in one parameter are refused.
pub const MAX_NAMES: usize = 200;

/// Which attributes an answer has. `id` and `schemas` are always among them, those that nobody
/// may read never.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Projection {
    /// Only these; `None` is all.
    attributes: Option<Vec<AttributePath>>,
    /// And these not.
    excluded: Vec<AttributePath>,
}

/// How much of an attribute some names name.
enum Named<'p> {
    Whole,
    /// These sub-attributes; none is nothing at all.
    Parts(Vec<&'p str>),
}

impl Projection {
    /// Reads the parameters `attributes` and `excludedAttributes`: names with commas between.
    ///
    /// # Errors
    ///
    /// [`ScimError::InvalidValue`] for a text that is no list of names; also where both are given
    /// and the profile keeps to the RFC. A lenient one takes `excludedAttributes` out of
    /// `attributes`.
    pub fn parse(
        attributes: Option<&str>,
        excluded: Option<&str>,
        profile: &Profile,
    ) -> Result<Self, ScimError> {
        let given = |text: &&str| !text.trim().is_empty();
        let (attributes, excluded) = (attributes.filter(given), excluded.filter(given));
        if attributes.is_some() && excluded.is_some() && !profile.joins_projections {
            let detail = "attributes and excludedAttributes exclude each other";
            return Err(ScimError::InvalidValue(detail.into()));
        }
        Ok(Self {
            attributes: attributes.map(|text| names(text, profile)).transpose()?,
            excluded: names(excluded.unwrap_or_default(), profile)?,
        })
    }

    /// Whether nothing in particular is asked for.
    pub fn is_default(&self) -> bool {
        self.attributes.is_none() && self.excluded.is_empty()
    }

    /// Whether an answer has the core attribute of that name, such as `members`, or a part of it;
    /// otherwise nobody needs to look it up.
    pub fn wants(&self, attribute: &str) -> bool {
        let excluded = matches!(named(&self.excluded, None, attribute), Named::Whole);
        let wanted = |names: &Vec<AttributePath>| match named(names, None, attribute) {
            Named::Whole => true,
            Named::Parts(subs) => !subs.is_empty(),
        };
        !excluded && self.attributes.as_ref().is_none_or(wanted)
    }

    /// Whether `attributes` names a part of a core attribute, or that attribute; what is returned
    /// on request only is in the answer then (RFC 7643 §7).
    pub fn requests(&self, attribute: &str, part: &str) -> bool {
        let requested = |names: &Vec<AttributePath>| match named(names, None, attribute) {
            Named::Whole => true,
            Named::Parts(subs) => subs.iter().any(|sub| sub.eq_ignore_ascii_case(part)),
        };
        self.attributes.as_ref().is_some_and(requested)
    }

    /// The resource with the attributes that are wanted.
    pub fn apply(&self, resource: Map<String, Value>) -> Map<String, Value> {
        let projected = resource.into_iter().filter_map(|(name, value)| {
            let value = match value {
                Value::Object(members) if is_urn(&name) => self.extension(&name, members),
                value => self.attribute(None, &name, value),
            };
            value.map(|value| (name, value))
        });
        projected.collect()
    }

    /// What is left of a whole extension.
    fn extension(&self, urn: &str, members: Map<String, Value>) -> Option<Value> {
        let is_whole = |names: &[AttributePath]| matches!(named(names, None, urn), Named::Whole);
        if is_whole(&self.excluded) {
            return None;
        }
        let all = self.attributes.as_deref().is_none_or(is_whole);
        let everything = Self { attributes: None, excluded: self.excluded.clone() };
        let projection = if all { &everything } else { self };
        let left = members.into_iter().filter_map(|(name, value)| {
            projection.attribute(Some(urn), &name, value).map(|value| (name, value))
        });
        not_empty(Value::Object(left.collect()))
    }

    /// What is left of an attribute.
    fn attribute(&self, schema: Option<&str>, name: &str, value: Value) -> Option<Value> {
        if schema.is_none() && is_always_returned(name) {
            return Some(value);
        }
        let known = schema::find(schema, name);
        if known.is_some_and(|known| known.mutability == Mutability::WriteOnly) {
            return None;
        }
        let wanted = match self.attributes.as_ref().map(|names| named(names, schema, name)) {
            None | Some(Named::Whole) => Some(value),
            Some(Named::Parts(subs)) if subs.is_empty() => None,
            Some(Named::Parts(subs)) => narrowed(value, &|sub| is_among(sub, &subs)),
        };
        match named(&self.excluded, schema, name) {
            Named::Whole => None,
            Named::Parts(subs) if subs.is_empty() => wanted,
            Named::Parts(subs) => narrowed(wanted?, &|sub| !is_among(sub, &subs)),
        }
    }
}

fn names(text: &str, profile: &Profile) -> Result<Vec<AttributePath>, ScimError> {
    let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
    let paths = names.map(|name| AttributePath::parse_name(name, profile)).take(MAX_NAMES + 1);
    let paths = paths.collect::<Result<Vec<_>, _>>();
    let paths = paths.map_err(|error| ScimError::InvalidValue(error.to_string()))?;
    if paths.len() > MAX_NAMES {
        return Err(ScimError::InvalidValue(format!("at most {MAX_NAMES} attributes are named")));
    }
    Ok(paths)
}

/// How much of an attribute, or of an extension (by its URN, without `schema`), is named.
fn named<'p>(names: &'p [AttributePath], schema: Option<&str>, attribute: &str) -> Named<'p> {
    let same_schema = |path: &AttributePath| match (&path.schema, schema) {
        (None, None) => true,
        (Some(one), Some(other)) => one.eq_ignore_ascii_case(other),
        _ => false,
    };
    let same =
        |path: &&AttributePath| path.attribute.eq_ignore_ascii_case(attribute) && same_schema(path);
    let parts = names.iter().filter(same).map(|path| path.sub_attribute.as_deref());
    parts.collect::<Option<_>>().map_or(Named::Whole, Named::Parts)
}

/// `id`, which RFC 7643 has `returned` always, and `schemas`, without which nothing is a resource.
fn is_always_returned(attribute: &str) -> bool {
    is_among(attribute, &["id", "schemas"])
}

fn is_among(name: &str, names: &[&str]) -> bool {
    names.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// The value with some of its members, if any are left. What has no members stays as it is.
fn narrowed(value: Value, keeps: &impl Fn(&str) -> bool) -> Option<Value> {
    match value {
        Value::Object(mut members) => {
            members.retain(|name, _| keeps(name));
            not_empty(Value::Object(members))
        }
        Value::Array(values) => {
            let left = values.into_iter().filter_map(|value| narrowed(value, keeps));
            not_empty(Value::Array(left.collect()))
        }
        simple => Some(simple),
    }
}

fn not_empty(value: Value) -> Option<Value> {
    let empty = match &value {
        Value::Object(members) => members.is_empty(),
        Value::Array(values) => values.is_empty(),
        _ => false,
    };
    (!empty).then_some(value)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::scim::dialect::{ENTRA, STRICT};

    const ENTERPRISE: &str = schema::ENTERPRISE_USER;

    fn alice() -> Map<String, Value> {
        let alice = json!({
            "schemas": ["s"], "id": "1", "userName": "alice", "password": "hunter2",
            "name": { "givenName": "Alice", "familyName": "Doe" },
            "emails": [{ "type": "work", "value": "a@x" }, { "value": "b@x" }],
            ENTERPRISE: { "department": "Sales", "manager": { "value": "2", "displayName": "Bo" } },
        });
        alice.as_object().unwrap().clone()
    }

    fn projected(attributes: &str, excluded: &str) -> Value {
        let projection = Projection::parse(Some(attributes), Some(excluded), &ENTRA).unwrap();
        Value::Object(projection.apply(alice()))
    }

    #[test]
    fn an_answer_has_the_attributes_that_were_asked_for() {
        let requests = [
            ("id", json!({})),
            ("USERNAME, nothing,password", json!({ "userName": "alice" })),
            ("urn:ietf:params:scim:schemas:core:2.0:User:userName", json!({ "userName": "alice" })),
            (
                "name.givenName,userName.x",
                json!({ "name": { "givenName": "Alice" }, "userName": "alice" }),
            ),
            ("emails.TYPE", json!({ "emails": [{ "type": "work" }] })),
            ("emails.nothing", json!({})),
            (
                "emails.value,emails.type",
                json!({ "emails": [{ "type": "work", "value": "a@x" }, { "value": "b@x" }] }),
            ),
            ("emails.type,emails", json!({ "emails": alice()["emails"] })),
            (
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
                json!({ ENTERPRISE: { "department": "Sales" } }),
            ),
            (
                "URN:IETF:PARAMS:SCIM:SCHEMAS:EXTENSION:ENTERPRISE:2.0:USER:manager.displayName",
                json!({ ENTERPRISE: { "manager": { "displayName": "Bo" } } }),
            ),
            (ENTERPRISE, json!({ ENTERPRISE: alice()[ENTERPRISE] })),
            ("manager.value", json!({ ENTERPRISE: { "manager": { "value": "2" } } })),
        ];
        for (attributes, mut expected) in requests {
            expected["schemas"] = json!(["s"]);
            expected["id"] = json!("1");
            assert_eq!(projected(attributes, ""), expected, "{attributes}");
        }
    }

    #[test]
    fn a_part_is_requested_by_its_name_or_by_that_of_its_attribute() {
        let requests = [
            (None, false),
            (Some("displayName"), false),
            (Some("members.value"), false),
            (Some("members"), true),
            (Some("MEMBERS.Display,id"), true),
        ];
        for (attributes, expected) in requests {
            let projection = Projection::parse(attributes, None, &ENTRA).unwrap();

            assert_eq!(projection.requests("members", "display"), expected, "{attributes:?}");
        }
    }

    #[test]
    fn excluded_attributes_are_left_out_but_for_those_that_make_a_resource() {
        let excluded = format!("id,SCHEMAS,name,emails.type,{ENTERPRISE}:manager.value");

        let expected = json!({
            "schemas": ["s"], "id": "1", "userName": "alice",
            "emails": [{ "value": "a@x" }, { "value": "b@x" }],
            ENTERPRISE: { "department": "Sales", "manager": { "displayName": "Bo" } },
        });
        assert_eq!(projected("", &excluded), expected);
    }

    #[test]
    fn a_whole_extension_is_left_out_by_its_urn() {
        let excluded = format!("userName,name,emails,{}", ENTERPRISE.to_uppercase());

        assert_eq!(projected("", &excluded), json!({ "schemas": ["s"], "id": "1" }));
    }

    #[test]
    fn a_password_is_in_no_answer() {
        assert_eq!(projected("", "nothing").get("password"), None);
    }

    #[test]
    fn both_parameters_together_are_met_leniently_and_refused_strictly() {
        let both = (Some("userName,name"), Some("name.givenName"));

        let lenient = Projection::parse(both.0, both.1, &ENTRA).unwrap();
        let strict = Projection::parse(both.0, both.1, &STRICT);

        assert_eq!(lenient.apply(alice())["name"], json!({ "familyName": "Doe" }));
        assert!(strict.is_err());
    }

    #[test]
    fn what_no_answer_has_is_not_looked_up() {
        let requests = [
            ("", "", true),
            ("", "members", false),
            ("", "MEMBERS,displayName", false),
            ("", "urn:ietf:params:scim:schemas:core:2.0:User:members", false),
            ("", "members.$ref", true),
            ("", "urn:contoso:x:members", true),
            ("displayName", "", false),
            ("displayName,Members", "", true),
            ("members.value", "", true),
            ("members", "members", false),
        ];
        for (attributes, excluded, expected) in requests {
            let projection = Projection::parse(Some(attributes), Some(excluded), &ENTRA).unwrap();

            assert_eq!(projection.wants("members"), expected, "{attributes} {excluded}");
        }
    }

    #[test]
    fn what_is_no_list_of_names_is_refused() {
        let many = "a,".repeat(MAX_NAMES + 1);
        for text in ["a b", "1", "a.b.c", "emails[type eq \"work\"]", "a,,?", &many] {
            let refused = Projection::parse(Some(text), None, &ENTRA);

            assert!(matches!(refused, Err(ScimError::InvalidValue(_))), "{text:.40}");
        }
    }
}
