//! What is asked of a connector's users or groups, and the part of them that answers it.

use crate::scim::{filter::Filter, sort::Sort};

/// What is asked of a connector's users or groups.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// Which of them; `None` is all.
    pub filter: Option<Filter>,
    /// In which order; `None` is that in which they came.
    pub sort: Option<Sort>,
    /// Where the page begins.
    pub start: Start,
    /// How many it has at most.
    pub limit: u64,
}

/// Where a page begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// After so many.
    Offset(u64),
    /// After the one that stands at this position, whether it is still there or not; only where
    /// the query has no order of its own.
    After(u64),
}

/// Part of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// How many there are in all.
    pub total: u64,
    /// How many of them stand after this page.
    pub remaining: u64,
    /// Those asked for.
    pub items: Vec<T>,
    /// The position of the last of them, where the query has no order of its own: it grows with
    /// every creation and is never given twice.
    pub position: Option<u64>,
}

impl<T> Page<T> {
    /// The same page of something else.
    pub fn map<U>(self, each: impl FnMut(T) -> U) -> Page<U> {
        let Self { total, remaining, items, position } = self;
        Page { total, remaining, items: items.into_iter().map(each).collect(), position }
    }
}

impl<T> Default for Page<T> {
    fn default() -> Self {
        Self { total: 0, remaining: 0, items: Vec::new(), position: None }
    }
}

/// A query that no index answers would have taken longer than the service is willing to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no index answers the query, and there are too many to look through")]
pub struct TooCostly;
