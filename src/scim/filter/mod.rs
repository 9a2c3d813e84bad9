//! Filters (RFC 7644 §3.4.2.2).

mod matches;
pub(in crate::scim) mod parser;

use serde_json::Value;

use crate::scim::{attribute_path::AttributePath, dialect::Profile, error::ScimError};

pub use parser::{MAX_DEPTH, MAX_LENGTH};

/// A condition on a resource, or on one value of a multi-valued attribute.
#[derive(Clone, Debug, PartialEq)]
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
#[derive(Clone, Debug, PartialEq)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    /// The operator of that name, in any case.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "eq" => Self::Equal,
            "ne" => Self::NotEqual,
            "co" => Self::Contains,
            "sw" => Self::StartsWith,
            "ew" => Self::EndsWith,
            "gt" => Self::GreaterThan,
            "ge" => Self::GreaterOrEqual,
            "lt" => Self::LessThan,
            "le" => Self::LessOrEqual,
            _ => return None,
        })
    }
}

impl Filter {
    /// Reads the `filter` parameter of a query.
    ///
    /// # Errors
    ///
    /// [`ScimError::InvalidFilter`], also where the text is longer than [`MAX_LENGTH`] bytes or
    /// nested deeper than [`MAX_DEPTH`].
    pub fn parse(text: &str, profile: &Profile) -> Result<Self, ScimError> {
        parser::filter(text, profile)
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
