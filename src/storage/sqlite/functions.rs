//! The functions of ours that SQL calls.

use std::{error::Error, sync::Arc};

use rusqlite::{
    Connection,
    functions::{Context, FunctionFlags},
    types::{FromSql, FromSqlError, FromSqlResult, ValueRef},
};
use serde_json::{Map, Value, json};

use super::columns::{Count, Json, Moment, folded};
use crate::{
    domain::id::MemberId,
    scim::{filter::Filter, resource_meta::ResourceMeta, schema::ResourceType},
    storage::filter_sql::{self, Source},
};

/// Gives a connection its functions:
///
/// - `folded(text)`;
/// - `scim_matches(filter, kind, source, values…)`: whether a filter, written as JSON, holds for
///   the [part] of a resource that is made of the values.
pub(super) fn register(connection: &Connection) -> rusqlite::Result<()> {
    let pure = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function("folded", 1, pure, |context| {
        Ok(context.get::<Option<String>>(0)?.map(|text| folded(&text)))
    })?;
    connection.create_scalar_function("scim_matches", -1, pure, matches)
}

fn matches(context: &Context<'_>) -> rusqlite::Result<bool> {
    let filter: Arc<Filter> = context.get_or_create_aux(0, parse)?;
    let (kind, source) = (context.get(1)?, context.get(2)?);
    let part = part(kind, source, |place| context.get_raw(3 + place));
    let unreadable = |error| rusqlite::Error::UserFunctionError(Box::new(error));
    Ok(filter.matches(&part.map_err(unreadable)?))
}

fn parse(filter: ValueRef<'_>) -> Result<Filter, Box<dyn Error + Send + Sync>> {
    Ok(serde_json::from_str(filter.as_str()?)?)
}

/// What [`part`] is made of, in SQL.
pub(super) const fn columns(source: Source) -> &'static str {
    match source {
        Source::Id => "id",
        Source::UserName => "user_name",
        Source::ExternalId => "external_id",
        Source::DisplayName => "display_name",
        Source::Active => "active",
        Source::Meta => "created_at, last_modified_at, version",
        Source::Schemas | Source::Attributes => "attributes",
        Source::Groups => "belonging.group_id, of.display_name",
        Source::Members => {
            "belonging.member_id, belonging.kind, coalesce(person.display_name, within.display_name)"
        }
    }
}

/// The part of a resource that stands in one place. Of groups and members it is a single one.
pub(super) fn part<'v>(
    kind: ResourceType,
    source: Source,
    value: impl Fn(usize) -> ValueRef<'v>,
) -> FromSqlResult<Map<String, Value>> {
    let part = match source {
        Source::Id => id(value(0))?,
        Source::UserName | Source::ExternalId | Source::DisplayName => {
            value(0).as_str_or_null()?.into()
        }
        Source::Active => bool::column_result(value(0))?.into(),
        Source::Meta => meta(kind, value(0), value(1), value(2))?,
        Source::Schemas => filter_sql::schemas(kind, &attributes(value(0))?),
        Source::Groups => {
            json!([{ "value": id(value(0))?, "display": value(1).as_str()?, "type": "direct" }])
        }
        Source::Members => {
            let display = value(2).as_str_or_null()?;
            json!([{ "value": id(value(0))?, "type": value(1).as_str()?, "display": display }])
        }
        Source::Attributes => return attributes(value(0)),
    };
    Ok(Map::from_iter([(source.name().to_owned(), part)]))
}

fn id(value: ValueRef<'_>) -> FromSqlResult<Value> {
    Ok(MemberId::column_result(value)?.to_string().into())
}

fn attributes(value: ValueRef<'_>) -> FromSqlResult<Map<String, Value>> {
    Json::column_result(value).map(|Json(attributes)| attributes)
}

fn meta(
    kind: ResourceType,
    created: ValueRef<'_>,
    last_modified: ValueRef<'_>,
    version: ValueRef<'_>,
) -> FromSqlResult<Value> {
    let meta = ResourceMeta {
        id: String::new(),
        created: Moment::column_result(created)?.0,
        last_modified: Moment::column_result(last_modified)?.0,
        version: Count::column_result(version)?.0,
        location: String::new(),
    };
    let mut meta = meta.to_value(kind.name());
    if let Some(members) = meta.as_object_mut() {
        members.remove("location");
    }
    Ok(meta)
}

macro_rules! by_name {
    ($($type:ty),+) => {$(
        impl FromSql for $type {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                let name = value.as_str()?;
                let named = Self::ALL.into_iter().find(|one| one.name() == name);
                named.ok_or(FromSqlError::InvalidType)
            }
        }
    )+};
}

by_name!(ResourceType, Source);
