//! Filters (RFC 7644 §3.4.2.2).
//!
//! # Why
//!
//! A filter is evaluated in three places: in memory ([`Filter::matches`]), by SQLite, which calls
//! that, and by PostgreSQL, which compares with the [`search_form()`] of a resource. They agree
//! because one function, [`fold()`], says which texts are the same where case does not count.

mod display;
mod fold;
mod matches;
pub(in crate::scim) mod parser;
#[cfg(test)]
mod rfc_examples;
mod search_form;
mod text;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::scim::{
    attribute_path::AttributePath, dialect::Profile, error::ScimError, schema::ResourceType,
};

pub(in crate::scim) use matches::compare_numbers;

pub use fold::fold;
pub use parser::{MAX_DEPTH, MAX_LENGTH};
pub use search_form::search_form;

/// A condition on a resource, or on one value of a multi-valued attribute.
///
/// Written out ([`Display`](std::fmt::Display)) it reads as a client would write it; serialized,
/// it can be handed to a database's own function.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Filter {
    /// All hold; two or more.
    And(Vec<Self>),
    /// One holds at least; two or more.
    Or(Vec<Self>),
    /// It does not hold.
    Not(Box<Self>),
    /// The path names a value that is not empty: `title pr`, `emails[type eq "work"]`.
    Present(AttributePath),
    /// A value that the path names stands so to `value`.
    Compare(Comparison),
}

/// How the values that a path names stand to a given one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// Where the values stand. Where a complex attribute was named, this is its `value`.
    pub path: AttributePath,
    /// How they compare.
    pub operator: Operator,
    /// What with: text, a number, a boolean, or null for "nothing".
    pub value: Value,
    /// Whether case counts (RFC 7643 §7, `caseExact`).
    pub case_exact: bool,
}

/// How two values compare. Where an attribute has several, one is enough, but for
/// [`NotEqual`](Self::NotEqual).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Operator {
    /// `eq`
    Equal,
    /// `ne`: no value is equal, or there is none.
    NotEqual,
    /// `co`
    Contains,
    /// `sw`
    StartsWith,
    /// `ew`
    EndsWith,
    /// `gt`
    GreaterThan,
    /// `ge`
    GreaterOrEqual,
    /// `lt`
    LessThan,
    /// `le`
    LessOrEqual,
}

impl Operator {
    const ALL: [Self; 9] = [
        Self::Equal,
        Self::NotEqual,
        Self::Contains,
        Self::StartsWith,
        Self::EndsWith,
        Self::GreaterThan,
        Self::GreaterOrEqual,
        Self::LessThan,
        Self::LessOrEqual,
    ];

    /// The operator of that name, in any case.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|operator| operator.as_str().eq_ignore_ascii_case(name))
    }

    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Equal => "eq",
            Self::NotEqual => "ne",
            Self::Contains => "co",
            Self::StartsWith => "sw",
            Self::EndsWith => "ew",
            Self::GreaterThan => "gt",
            Self::GreaterOrEqual => "ge",
            Self::LessThan => "lt",
            Self::LessOrEqual => "le",
        }
    }
}

impl Comparison {
    /// What to compare the [`search_form()`] of a resource with: the value, its text folded unless
    /// case counts.
    pub fn wanted(&self) -> Value {
        match &self.value {
            Value::String(text) if !self.case_exact => fold(text).into(),
            other => other.clone(),
        }
    }

    /// The values in a [`search_form()`] that are equal: [`Self::wanted`], and what it spells or is
    /// spelled by. `"true"` and `true` are equal, and `"7"` and `7`: Entra ID quotes whatever it
    /// compares with, and an attribute that nobody published may have values of any type.
    pub fn equals(&self) -> Vec<Value> {
        let wanted = self.wanted();
        let other = match &wanted {
            Value::String(text) => match text.to_ascii_lowercase().parse() {
                Ok(boolean) => Some(Value::Bool(boolean)),
                Err(_) => serde_json::from_str(text).ok().map(Value::Number),
            },
            Value::Bool(_) | Value::Number(_) => Some(wanted.to_string().into()),
            _ => None,
        };
        std::iter::once(wanted).chain(other).collect()
    }
}

impl Filter {
    /// Reads the `filter` parameter of a query for one kind of resource, or for both (`None`).
    ///
    /// An attribute that a resource does not have has no value there. So it is with an unknown one
    /// under an extension's URN, and with any unknown one where the profile keeps such.
    ///
    /// # Errors
    ///
    /// [`ScimError::InvalidFilter`], also where the text is longer than [`MAX_LENGTH`] bytes or
    /// nested deeper than [`MAX_DEPTH`], and for an unknown core attribute where the profile keeps
    /// none; it is named.
    pub fn parse(
        text: &str,
        kind: Option<ResourceType>,
        profile: &Profile,
    ) -> Result<Self, ScimError> {
        parser::filter(text, kind, profile)
    }

    /// The comparisons by `eq` with text that must hold for the whole filter to hold.
    ///
    /// `None` where there are none. What they name can be looked up by an index; see
    /// [`AttributePath::is`]. The rest of the filter, and a filter in a path, is still to be
    /// confirmed by [`Self::matches`].
    pub fn equalities(&self) -> Option<Vec<(&AttributePath, &str)>> {
        match self {
            Self::Compare(Comparison { path, operator: Operator::Equal, value, .. }) => {
                Some(vec![(path, value.as_str()?)])
            }
            Self::And(parts) => {
                let found: Vec<_> = parts.iter().filter_map(Self::equalities).flatten().collect();
                (!found.is_empty()).then_some(found)
            }
            _ => None,
        }
    }

    /// The parts of a filter that is nothing but one `eq`, or several joined by `and`.
    pub(in crate::scim) fn equal_values(&self) -> Option<Vec<(&AttributePath, &Value)>> {
        match self {
            Self::Compare(Comparison { path, operator: Operator::Equal, value, .. }) => {
                Some(vec![(path, value)])
            }
            Self::And(parts) => {
                let parts: Option<Vec<_>> = parts.iter().map(Self::equal_values).collect();
                parts.map(|parts| parts.into_iter().flatten().collect())
            }
            _ => None,
        }
    }

    /// How many conditions it is made of: what looking at one resource costs.
    pub(in crate::scim) fn conditions(&self) -> usize {
        let within = |path: &AttributePath| path.filter.as_ref().map_or(0, |f| f.conditions());
        match self {
            Self::And(parts) | Self::Or(parts) => parts.iter().map(Self::conditions).sum(),
            Self::Not(part) => part.conditions(),
            Self::Present(path) | Self::Compare(Comparison { path, .. }) => 1 + within(path),
        }
    }
}
