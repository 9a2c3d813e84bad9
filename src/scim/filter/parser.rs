//! The grammar of filters (RFC 7644 §3.4.2.2, figure 1), bounded in length and depth.

use serde_json::{Number, Value};

use crate::scim::{
    attribute_path::{AttributePath, is_name},
    dialect::Profile,
    error::{ScimError, quoted},
    filter::{Comparison, Filter, Operator, text::Text},
    schema::{Attribute, Kind, Mutability, ResourceType},
};

/// A longer filter, in bytes, is refused unread.
pub const MAX_LENGTH: usize = 4096;

/// Parentheses and brackets within each other.
pub const MAX_DEPTH: usize = 20;

/// Reads a whole filter.
pub(super) fn filter(
    text: &str,
    kind: Option<ResourceType>,
    profile: &Profile,
) -> Result<Filter, ScimError> {
    let mut parser = Parser::new(text, kind, profile)?;
    let filter = parser.disjunction()?;
    match parser.text.rest().trim_start() {
        "" => Ok(filter),
        rest => {
            let end = text.len() - rest.len();
            Err(invalid(format!("the filter should end after {end} bytes, but goes on")))
        }
    }
}

/// Reads `[…]` at the beginning of `text`; gives the filter in it and what follows.
pub(in crate::scim) fn value_filter<'t>(
    text: &'t str,
    parent: Option<&'static Attribute>,
    profile: &Profile,
) -> Result<(Filter, &'t str), ScimError> {
    let mut parser = Parser::new(text, None, profile)?;
    let filter = parser.brackets(parent)?;
    Ok((filter, parser.text.rest()))
}

struct Parser<'t, 'p> {
    text: Text<'t>,
    depth: usize,
    within: Within,
    profile: &'p Profile,
}

/// What the names in a filter belong to.
#[derive(Clone, Copy)]
enum Within {
    /// A resource of that kind, or of any.
    Resource(Option<ResourceType>),
    /// One value of an attribute, of which this is known.
    Value(Option<&'static Attribute>),
}

impl<'t, 'p> Parser<'t, 'p> {
    fn new(
        text: &'t str,
        kind: Option<ResourceType>,
        profile: &'p Profile,
    ) -> Result<Self, ScimError> {
        if text.len() > MAX_LENGTH {
            return Err(invalid(format!("a filter has at most {MAX_LENGTH} bytes")));
        }
        Ok(Self { text: Text::new(text), depth: 0, within: Within::Resource(kind), profile })
    }

    fn disjunction(&mut self) -> Result<Filter, ScimError> {
        let mut parts = vec![self.conjunction()?];
        while self.text.keyword("or") {
            parts.push(self.conjunction()?);
        }
        Ok(joined(parts, Filter::Or))
    }

    fn conjunction(&mut self) -> Result<Filter, ScimError> {
        let mut parts = vec![self.term()?];
        while self.text.keyword("and") {
            parts.push(self.term()?);
        }
        Ok(joined(parts, Filter::And))
    }

    fn term(&mut self) -> Result<Filter, ScimError> {
        self.text.skip_spaces();
        let negated = self.text.keyword("not");
        self.text.skip_spaces();
        if self.text.symbol('(') {
            let inner = self.nested(')', Self::disjunction)?;
            return Ok(if negated { Filter::Not(Box::new(inner)) } else { inner });
        }
        if negated {
            return Err(invalid("\"not\" is followed by parentheses"));
        }
        self.expression()
    }

    /// `attribute operator value`, `attribute pr` or `attribute[…]`.
    fn expression(&mut self) -> Result<Filter, ScimError> {
        let mut path = self.path()?;
        if self.text.starts_with('[') && path.sub_attribute.is_none() {
            path.filter = Some(Box::new(self.brackets(path.definition())?));
            if self.text.symbol('.') {
                let sub = self.text.word();
                path = self.known(path.with_sub_attribute(sub).map_err(as_filter_error)?)?;
            } else if self.text.at_end_of_expression() {
                return Ok(Filter::Present(path));
            }
        }
        let definition = self.definition_of(&path);
        if definition.is_some_and(|known| known.mutability == Mutability::WriteOnly) {
            return Err(invalid(format!("{path} cannot be searched for")));
        }
        self.text.skip_spaces();
        let operator = self.text.word();
        if operator.eq_ignore_ascii_case("pr") {
            return Ok(Filter::Present(path));
        }
        let operator = Operator::named(operator).ok_or_else(|| {
            invalid(format!("{} is not an operator; use eq, ne, co, sw, …", quoted(operator)))
        })?;
        self.text.skip_spaces();
        let value = self.value()?;
        self.comparison(path, definition, operator, value)
    }

    /// The path of an attribute, or within brackets that of a sub-attribute.
    fn path(&mut self) -> Result<AttributePath, ScimError> {
        self.text.skip_spaces();
        let name = self.text.word();
        if name.is_empty() {
            return Err(invalid("the filter lacks an attribute name"));
        }
        match self.within {
            Within::Resource(_) => {
                let path = AttributePath::parse_name(name, self.profile);
                self.known(path.map_err(as_filter_error)?)
            }
            Within::Value(parent) => self.sub_attribute(name, parent),
        }
    }

    /// The path, unless the profile keeps to what the schemas know and they do not know it.
    fn known(&self, path: AttributePath) -> Result<AttributePath, ScimError> {
        match self.within {
            Within::Resource(kind)
                if !self.profile.unknown_attributes && !is_known(&path, kind) =>
            {
                Err(invalid(format!("{} is not an attribute", quoted(&path.to_string()))))
            }
            _ => Ok(path),
        }
    }

    fn sub_attribute(
        &self,
        name: &str,
        parent: Option<&'static Attribute>,
    ) -> Result<AttributePath, ScimError> {
        let known = parent.and_then(|parent| parent.sub_attribute(name));
        let missing = known.is_none() && parent.is_some() && !self.profile.unknown_attributes;
        if missing || !is_name(name) {
            return Err(invalid(format!("{} is not a sub-attribute", quoted(name))));
        }
        Ok(AttributePath::of(None, known.map_or(name, |known| known.name)))
    }

    fn definition_of(&self, path: &AttributePath) -> Option<&'static Attribute> {
        match self.within {
            Within::Resource(_) => path.target_definition(),
            Within::Value(parent) => parent?.sub_attribute(&path.attribute),
        }
    }

    fn comparison(
        &self,
        mut path: AttributePath,
        mut definition: Option<&'static Attribute>,
        operator: Operator,
        value: Value,
    ) -> Result<Filter, ScimError> {
        if let Some(complex) = definition.filter(|known| known.kind == Kind::Complex) {
            definition = complex.sub_attribute("value");
            if definition.is_none() {
                return Err(invalid(format!("{path} is compared by one of its sub-attributes")));
            }
            path = path.with_sub_attribute("value")?;
        }
        let value = self.profile.literal(definition, value);
        if !may_compare(definition.map(|known| known.kind), operator, &value) {
            return Err(invalid(format!("{path} is not compared by {}", operator.as_str())));
        }
        let case_exact = definition.is_some_and(|known| known.case_exact);
        Ok(Filter::Compare(Comparison { path, operator, value, case_exact }))
    }

    fn brackets(&mut self, parent: Option<&'static Attribute>) -> Result<Filter, ScimError> {
        if !self.text.symbol('[') || matches!(self.within, Within::Value(_)) {
            return Err(invalid("brackets stand after an attribute, not within each other"));
        }
        let outside = std::mem::replace(&mut self.within, Within::Value(parent));
        let filter = self.nested(']', Self::disjunction);
        self.within = outside;
        filter
    }

    fn nested(
        &mut self,
        closing: char,
        read: impl Fn(&mut Self) -> Result<Filter, ScimError>,
    ) -> Result<Filter, ScimError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(invalid(format!("a filter is nested at most {MAX_DEPTH} deep")));
        }
        let filter = read(self)?;
        self.depth -= 1;
        self.text.skip_spaces();
        if self.text.symbol(closing) {
            return Ok(filter);
        }
        Err(invalid(format!("the filter lacks a \"{closing}\"")))
    }

    fn value(&mut self) -> Result<Value, ScimError> {
        if self.text.starts_with('"') {
            return self.text.quoted().map(Value::String);
        }
        match self.text.unquoted() {
            "" => Err(invalid("the filter lacks a value to compare with")),
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            "null" => Ok(Value::Null),
            token => self.number_or_text(token),
        }
    }

    /// A number; else text, where the profile takes it without quotation marks. A number that
    /// would not be written back the same is text too: an identifier of digits.
    fn number_or_text(&self, token: &str) -> Result<Value, ScimError> {
        let lenient = self.profile.unquoted_filter_values;
        match serde_json::from_str::<Number>(token) {
            Ok(number) if !lenient || number.to_string() == token => Ok(Value::Number(number)),
            _ if lenient && !token.contains(['"', '\0']) => Ok(token.into()),
            _ => Err(invalid("text in a filter stands in quotation marks")),
        }
    }
}

/// Whether the path may name something in a resource of that type, or of any: always under an
/// extension's URN, in the core only what the schema has.
pub(in crate::scim) fn is_known(path: &AttributePath, kind: Option<ResourceType>) -> bool {
    let mut kinds = ResourceType::ALL.into_iter().filter(|known| kind.is_none_or(|k| k == *known));
    let sub_attribute = path.sub_attribute.as_deref();
    path.schema.is_some()
        || path.is_extension()
        || kinds.any(|kind| {
            let known = kind.find(None, &path.attribute);
            known
                .is_some_and(|known| sub_attribute.is_none_or(|s| known.sub_attribute(s).is_some()))
        })
}

/// Booleans and null are equal or not; binary values have no order either (RFC 7644 §3.4.2.2).
fn may_compare(kind: Option<Kind>, operator: Operator, value: &Value) -> bool {
    match operator {
        Operator::Equal | Operator::NotEqual => true,
        _ if kind == Some(Kind::Boolean) || value.is_boolean() || value.is_null() => false,
        Operator::Contains | Operator::StartsWith | Operator::EndsWith => true,
        _ => kind != Some(Kind::Binary),
    }
}

fn joined(mut parts: Vec<Filter>, join: fn(Vec<Filter>) -> Filter) -> Filter {
    if parts.len() == 1 { parts.remove(0) } else { join(parts) }
}

pub(super) fn invalid(detail: impl Into<String>) -> ScimError {
    ScimError::InvalidFilter(detail.into())
}

fn as_filter_error(error: ScimError) -> ScimError {
    match error {
        ScimError::InvalidPath(detail) => ScimError::InvalidFilter(detail),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::scim::dialect::{ENTRA, STRICT};

    fn equalities(text: &str) -> Option<Vec<(String, String)>> {
        let filter = Filter::parse(text, None, &ENTRA).unwrap();
        let parts = filter.equalities()?;
        Some(parts.into_iter().map(|(path, value)| (path.to_string(), value.into())).collect())
    }

    #[test]
    fn what_entra_matches_by_is_known_as_equalities() {
        let id_and_manager = r#"id eq "54D3" and manager eq "2819""#;
        let manager = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value";
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let filters = [
            (r#"USERNAME eq "a b""#, Some(vec![pair("userName", "a b")])),
            ("externalId eq jyoung", Some(vec![pair("externalId", "jyoung")])),
            ("externalId eq 701984", Some(vec![pair("externalId", "701984")])),
            ("externalId eq 007", Some(vec![pair("externalId", "007")])),
            (r#"emails eq "a@b""#, Some(vec![pair("emails.value", "a@b")])),
            (id_and_manager, Some(vec![pair("id", "54D3"), pair(manager, "2819")])),
            (r#"userName eq "a" and active eq true"#, Some(vec![pair("userName", "a")])),
            (
                r#"userName eq "a" and (title pr or not (title co "b"))"#,
                Some(vec![pair("userName", "a")]),
            ),
            (r#"userName eq "a" or userName eq "b""#, None),
            (r#"not (userName eq "a")"#, None),
            (r#"userName ne "a""#, None),
            ("active eq true", None),
        ];
        for (text, expected) in filters {
            assert_eq!(equalities(text), expected, "{text}");
        }
    }

    #[test]
    fn and_binds_closer_than_or() {
        let plain = Filter::parse(r"a pr or b pr and c pr", None, &ENTRA);
        let grouped = Filter::parse(r"a pr or (b pr and c pr)", None, &ENTRA);

        assert_eq!(plain, grouped);
    }

    #[test]
    fn an_invalid_filter_is_refused_in_every_profile() {
        let deep = format!("{}a pr{}", "(".repeat(21), ")".repeat(21));
        let long = format!("a eq \"{}\"", "x".repeat(MAX_LENGTH));
        let filters = [
            "",
            " ",
            "userName",
            "userName eq",
            "userName eq \"",
            "userName xx \"a\"",
            "eq",
            "\"userName\" eq \"a\"",
            "userName eq \"a\" and",
            "userName eq \"a\" userName",
            "()",
            "(userName pr",
            "userName pr)",
            "not userName pr",
            "and userName pr",
            "emails[",
            "emails[]",
            "emails[type]",
            "emails[type eq \"work\"",
            "emails[a[b pr]]",
            "[a pr]",
            "userName eq \"\\x\"",
            "userName eq \"\\ud800\"",
            "active gt true",
            "active co \"t\"",
            "name eq \"a\"",
            "name.givenName.x eq \"a\"",
            "password eq \"a\"",
            "password pr",
            "x509Certificates gt \"a\"",
            "x509Certificates.value le \"a\"",
            "userName eq \"\u{0}\"",
            "userName eq \"\\u0000\"",
            "not not (userName pr)",
            "emails[not type pr]",
            "title gt null",
            &deep,
            &long,
        ];
        for text in filters {
            for profile in [&ENTRA, &STRICT] {
                let refused = Filter::parse(text, None, profile);

                assert!(matches!(refused, Err(ScimError::InvalidFilter(_))), "{text:.40}");
            }
        }
    }

    #[test]
    fn only_a_lenient_profile_takes_text_without_quotation_marks_and_unknown_names() {
        for text in ["userName eq alice", "favourite eq \"blue\"", "active eq True"] {
            assert!(Filter::parse(text, None, &ENTRA).is_ok(), "{text}");
            assert!(Filter::parse(text, None, &STRICT).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_parsed_or_refused(
            text in r#"(userName|emails|active|\[|\]|\(|\)|"|\\|eq|pr|and|or|not|true|1|\.|:|urn:| |é|\PC){0,40}"#
        ) {
            for profile in [&ENTRA, &STRICT] {
                if let Ok(filter) = Filter::parse(&text, None, profile) {
                    filter.matches(json!({ "userName": "a", "emails": [1, {}] }).as_object().unwrap());
                }
                let _ = AttributePath::parse(&text, profile);
            }
        }
    }
}
