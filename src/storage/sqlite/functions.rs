//! The functions of ours that SQL calls.

use std::sync::Arc;

use jiff::Timestamp;
use rusqlite::{
    Connection, Row,
    functions::{Context, FunctionFlags},
    types::{FromSql, ToSqlOutput, ValueRef},
};
use serde_json::{Map, Value, json};

use super::columns::{Count, Json, Moment, folded};
use crate::{
    domain::id::{AccountId, MemberId},
    scim::{filter::Filter, resource_meta::ResourceMeta},
    storage::filter_sql::{self, Kind, Source},
};

/// Gives a connection its functions:
///
/// - `folded(text)`;
/// - `scim_matches(filter, kind, source, values…)`: whether a filter, as JSON, holds for the
///   [part of a resource](part) that is made of the values.
pub(super) fn register(connection: &Connection) -> rusqlite::Result<()> {
    let pure = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function("folded", 1, pure, |context| {
        Ok(context.get::<Option<String>>(0)?.map(|text| folded(&text)))
    })?;
    connection.create_scalar_function("scim_matches", -1, pure, matches)
}

fn matches(context: &Context<'_>) -> rusqlite::Result<bool> {
    let parse = |value: ValueRef<'_>| -> Result<Filter, Box<dyn std::error::Error + Send + Sync>> {
        Ok(serde_json::from_str(value.as_str()?)?)
    };
    let filter: Arc<Filter> = context.get_or_create_aux(0, parse)?;
    let (kind, source) = (context.get::<Kind>(1)?, context.get::<Source>(2)?);
    let values = |column: usize| context.get_raw(3 + column);
    Ok(filter.matches(&part(kind, source, values)?))
}

impl rusqlite::ToSql for Kind {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.as_str().into())
    }
}
