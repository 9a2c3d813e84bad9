//! Where a value stands in a resource (RFC 7644 §3.10, §3.5.2).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::scim::{
    dialect::Profile,
    error::{ScimError, quoted},
    filter::{Filter, parser},
    schema::{self, Attribute, ResourceType},
};

/// A longer path is refused unread.
pub const MAX_LENGTH: usize = 1024;

/// Where a value stands in a resource: `name.givenName`, `emails[type eq "work"].value`,
/// `urn:…:enterprise:2.0:User:manager`.
///
/// Names that Portico knows are spelled as in the RFC, others as sent. A whole extension is an
/// attribute whose name is its URN.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AttributePath {
    /// The extension's URN; `None` for the core schema.
    pub schema: Option<String>,
    /// The attribute.
    pub attribute: String,
    /// Which values of a multi-valued attribute.
    pub filter: Option<Box<Filter>>,
    /// Which member of a complex value.
    pub sub_attribute: Option<String>,
}

impl AttributePath {
    /// The path of an attribute by its name, with neither filter nor sub-attribute.
    pub fn of(schema: Option<&str>, attribute: &str) -> Self {
        Self {
            schema: schema.map(Into::into),
            attribute: attribute.into(),
            filter: None,
            sub_attribute: None,
        }
    }

    /// Reads the `path` of a PATCH operation.
    ///
    /// # Errors
    ///
    /// [`ScimError::InvalidPath`], or [`ScimError::InvalidFilter`] for what stands in brackets.
    pub fn parse(text: &str, profile: &Profile) -> Result<Self, ScimError> {
        if text.len() > MAX_LENGTH {
            return Err(ScimError::InvalidPath(format!("a path has at most {MAX_LENGTH} bytes")));
        }
        let text = text.trim();
        let (name, rest) = text.split_at(text.find('[').unwrap_or(text.len()));
        let mut path = Self::parse_name(name, profile)?;
        if rest.is_empty() {
            return Ok(path);
        }
        if path.definition().is_some_and(|known| known.sub_attributes.is_empty()) {
            let detail = format!("{path} has no values that a filter could choose among");
            return Err(ScimError::InvalidPath(detail));
        }
        let (filter, rest) = parser::value_filter(rest, path.definition(), profile)?;
        path.filter = Some(Box::new(filter));
        match rest.strip_prefix('.') {
            _ if path.sub_attribute.is_some() => Err(malformed(name)),
            None if rest.is_empty() => Ok(path),
            Some(sub) => path.with_sub_attribute(sub),
            _ => Err(malformed(text)),
        }
    }

    /// Reads a path without brackets, as `attributes` and filters have it.
    ///
    /// # Errors
    ///
    /// [`ScimError::InvalidPath`].
    pub fn parse_name(text: &str, profile: &Profile) -> Result<Self, ScimError> {
        let text = profile.canonical_urn(text);
        let (schema, name) = split_urn(&text);
        if is_urn(name) {
            let whole = !name.ends_with(':') && !name.contains(char::is_whitespace);
            return if whole { Ok(Self::of(None, name)) } else { Err(malformed(name)) };
        }
        let (attribute, sub) = match name.split_once('.') {
            Some((attribute, sub)) => (attribute, Some(sub)),
            None => (name, None),
        };
        if !is_name(attribute) {
            return Err(malformed(&text));
        }
        let schema = schema.or_else(|| profile.extension_of(attribute));
        let known = schema::find(schema, attribute);
        let path = Self::of(schema, known.map_or(attribute, |known| known.name));
        match sub {
            Some(sub) => path.with_sub_attribute(sub),
            None => Ok(path),
        }
    }

    /// The path of a member of what this path names.
    ///
    /// # Errors
    ///
    /// [`ScimError::InvalidPath`] if that is no name.
    pub fn with_sub_attribute(mut self, name: &str) -> Result<Self, ScimError> {
        if !is_name(name) {
            return Err(malformed(name));
        }
        let known = self.definition().and_then(|definition| definition.sub_attribute(name));
        self.sub_attribute = Some(known.map_or(name, |known| known.name).into());
        Ok(self)
    }

    /// Whether the path is that of a core attribute, such as `userName` or `emails.value`, with
    /// no filter.
    pub fn is(&self, name: &str) -> bool {
        self.schema.is_none() && self.filter.is_none() && self.to_string() == name
    }

    /// Whether the path names a whole extension.
    pub fn is_extension(&self) -> bool {
        self.schema.is_none() && is_urn(&self.attribute)
    }

    /// What is known of the attribute, in whatever kind of resource.
    pub fn definition(&self) -> Option<&'static Attribute> {
        schema::find(self.schema.as_deref(), &self.attribute)
    }

    /// What is known of the attribute in a resource of that type.
    pub(super) fn definition_in(&self, resource_type: ResourceType) -> Option<&'static Attribute> {
        resource_type.find(self.schema.as_deref(), &self.attribute)
    }

    /// What is known of the sub-attribute, or of the attribute where the path ends there, in a
    /// resource of that type.
    pub(super) fn target_definition_in(
        &self,
        resource_type: ResourceType,
    ) -> Option<&'static Attribute> {
        let known = self.definition_in(resource_type)?;
        self.sub_attribute.as_ref().map_or(Some(known), |sub| known.sub_attribute(sub))
    }

    /// Whether the path leads to the members of a group, or into them.
    pub(super) fn is_members(&self) -> bool {
        self.schema.is_none() && self.attribute == "members"
    }

    /// What is known of the sub-attribute, or of the attribute where the path ends there.
    pub fn target_definition(&self) -> Option<&'static Attribute> {
        match &self.sub_attribute {
            None => self.definition(),
            Some(sub) => self.definition()?.sub_attribute(sub),
        }
    }

    /// The values that the path names in a resource; lists are given value by value.
    pub fn values<'r>(&self, resource: &'r Map<String, Value>) -> Vec<&'r Value> {
        let holder = match &self.schema {
            None => Some(resource),
            Some(urn) => member(resource, urn).and_then(Value::as_object),
        };
        let attribute = holder.and_then(|holder| member(holder, &self.attribute));
        let mut values = each(attribute);
        if let Some(filter) = &self.filter {
            values.retain(|value| value.as_object().is_some_and(|value| filter.matches(value)));
        }
        match &self.sub_attribute {
            None => values,
            Some(sub) => {
                let subs = values.iter().filter_map(|value| member(value.as_object()?, sub));
                subs.flat_map(|value| each(Some(value))).collect()
            }
        }
    }
}

/// The name as clients write it, without its filter.
impl std::fmt::Display for AttributePath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(schema) = &self.schema {
            write!(f, "{schema}:")?;
        }
        f.write_str(&self.attribute)?;
        self.sub_attribute.as_ref().map_or(Ok(()), |sub| write!(f, ".{sub}"))
    }
}

/// The member of that name, whatever its case.
pub(super) fn member<'m>(members: &'m Map<String, Value>, name: &str) -> Option<&'m Value> {
    members.get(name).or_else(|| {
        members.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    })
}

/// The name as it is already spelled in `members`, else as given.
pub(super) fn spelling(members: &Map<String, Value>, name: &str) -> String {
    let same = members.keys().find(|key| key.eq_ignore_ascii_case(name));
    same.map_or(name, String::as_str).into()
}

/// Whether the text is a URN rather than a plain attribute name.
pub(super) fn is_urn(text: &str) -> bool {
    after_prefix(text, "urn:").is_some()
}

/// What follows a prefix that is written in any case.
pub(super) fn after_prefix<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}

fn each(value: Option<&Value>) -> Vec<&Value> {
    match value {
        Some(Value::Array(values)) => values.iter().collect(),
        Some(value) => vec![value],
        None => Vec::new(),
    }
}

/// Divides a name from the URN before it. The name of a whole extension is its URN.
///
/// The published URNs come first. Of others, the last `:` divides, unless what stands before it
/// is a version: `…:2.0:User` is a URN to its end, and the dot in `2.0` divides nothing.
fn split_urn(text: &str) -> (Option<&str>, &str) {
    if !is_urn(text) {
        return (None, text);
    }
    for known in [schema::USER, schema::GROUP, schema::ENTERPRISE_USER] {
        let core_or = (known == schema::ENTERPRISE_USER).then_some(known);
        match after_prefix(text, known) {
            Some("") => return (None, known),
            Some(rest) if rest.starts_with([':', '.']) => return (core_or, &rest[1..]),
            _ => {}
        }
    }
    let colon = text.rfind(':').expect("a URN has a colon");
    let (urn, last) = (&text[..colon], &text[colon + 1..]);
    if !ends_in_version(urn) && urn.contains(':') {
        return (Some(urn), last);
    }
    match last.find('.') {
        Some(dot) => (Some(&text[..=colon + dot]), &last[dot + 1..]),
        None => (None, text),
    }
}

fn ends_in_version(urn: &str) -> bool {
    let last = urn.rsplit(':').next().unwrap_or_default();
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    last.split_once('.').is_some_and(|(major, minor)| is_number(major) && is_number(minor))
}

/// ATTRNAME (RFC 7643 §2.1), also with `$` for `$ref` and a leading `_`.
pub(super) fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '$' || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "$_-".contains(c))
}

fn malformed(text: &str) -> ScimError {
    ScimError::InvalidPath(format!("{} is not an attribute path", quoted(text)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scim::dialect::{ENTRA, STRICT};

    const CUSTOM: &str = "urn:ietf:params:scim:schemas:extension:CustomExtensionName:2.0:User";

    #[test]
    fn a_path_is_divided_where_its_urn_ends() {
        let enterprise = schema::ENTERPRISE_USER;
        let paths = [
            ("USERNAME".into(), (None, "userName", None)),
            ("name.GIVENNAME".into(), (None, "name", Some("givenName"))),
            (format!("{}:name.familyName", schema::USER), (None, "name", Some("familyName"))),
            (format!("{enterprise}:Manager"), (Some(enterprise), "manager", None)),
            (format!("{enterprise}.manager"), (Some(enterprise), "manager", None)),
            (format!("{enterprise}:manager.value"), (Some(enterprise), "manager", Some("value"))),
            (enterprise.to_uppercase(), (None, enterprise, None)),
            (format!("{CUSTOM}:JobCode"), (Some(CUSTOM), "JobCode", None)),
            (format!("{CUSTOM}.JobCode"), (Some(CUSTOM), "JobCode", None)),
            (CUSTOM.into(), (None, CUSTOM, None)),
            (
                "urn:contoso:employee:HireDate".into(),
                (Some("urn:contoso:employee"), "HireDate", None),
            ),
            ("manager".into(), (Some(enterprise), "manager", None)),
        ];
        for (text, (schema, attribute, sub_attribute)) in paths {
            let path = AttributePath::parse(&text, &ENTRA).unwrap();

            let expected = AttributePath {
                sub_attribute: sub_attribute.map(Into::into),
                ..AttributePath::of(schema, attribute)
            };
            assert_eq!(path, expected, "{text}");
        }
    }

    #[test]
    fn a_path_with_a_filter_is_not_the_plain_attribute() {
        let plain = AttributePath::parse("EMAILS.value", &ENTRA).unwrap();
        let selected = AttributePath::parse("emails[type eq \"work\"].value", &ENTRA).unwrap();

        assert!(plain.is("emails.value") && !plain.is("emails") && !selected.is("emails.value"));
    }

    #[test]
    fn the_misspelled_urn_of_the_enterprise_schema_is_understood_leniently_only() {
        let text = "urn:ietf:params:scim:schemas:extension:enterprise:2.0User:department";

        let lenient = AttributePath::parse(text, &ENTRA).unwrap();
        let strict = AttributePath::parse(text, &STRICT).unwrap();

        assert_eq!(lenient, AttributePath::of(Some(schema::ENTERPRISE_USER), "department"));
        assert_ne!(strict, lenient);
    }

    #[test]
    fn what_is_no_path_is_refused() {
        let long = "a".repeat(MAX_LENGTH + 1);
        let texts = [
            "",
            " ",
            ".",
            "a.",
            "a.b.c",
            "1a",
            "a b",
            "emails[",
            "emails[]",
            "emails[type eq \"a\"",
            "emails[type eq \"a\"]x",
            "emails[type eq \"a\"].",
            "emails.value[type eq \"a\"].value",
            "emails[type eq \"a\"].value.x",
            "emails[a[b eq 1]]",
            "]",
            "urn:",
            "urn:a b",
            &long,
        ];
        for text in texts {
            assert!(AttributePath::parse(text, &ENTRA).is_err(), "{text:.40}");
        }
    }
}
