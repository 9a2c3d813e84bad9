//! Filters in SQLite's SQL.

use rusqlite::ToSql;

use super::{
    columns::{Json, folded},
    directory::Directory,
    functions,
};
use crate::{
    domain::id::MemberId,
    scim::{
        filter::{Comparison, Filter, Operator},
        schema::ResourceType,
    },
    storage::filter_sql::{Condition, Key, Source},
};

/// The values of a statement's parameters; `?1` is the organization, `?2` the connector.
pub(super) type Values = Vec<Box<dyn ToSql + Send>>;

fn bind(values: &mut Values, value: impl ToSql + Send + 'static) -> String {
    values.push(Box::new(value));
    format!("?{}", values.len())
}

/// The condition that a filter sets to the row `one`; true or false, never `NULL`.
pub(super) fn condition(filter: &Filter, kind: ResourceType, values: &mut Values) -> String {
    let condition = merged(Condition::of(filter, kind));
    condition.to_sql(&mut |source, filter| leaf(source, filter, kind, values))
}

fn leaf(source: Source, filter: &Filter, kind: ResourceType, values: &mut Values) -> String {
    let from = match source {
        Source::Groups => {
            "group_member AS belonging JOIN scim_group AS of
                 ON of.organization_id = ?1 AND of.id = belonging.group_id
             WHERE belonging.organization_id = ?1 AND belonging.member_id = one.id"
        }
        Source::Members => {
            "group_member AS belonging
             LEFT JOIN account AS person ON belonging.kind = 'User'
                 AND person.organization_id = ?1 AND person.id = belonging.member_id
             LEFT JOIN scim_group AS within ON belonging.kind = 'Group'
                 AND within.organization_id = ?1 AND within.id = belonging.member_id
             WHERE belonging.organization_id = ?1 AND belonging.group_id = one.id"
        }
        _ => return matches(source, filter, kind, values),
    };
    let only = named(filter).map_or_else(String::new, |id| {
        let column = if source == Source::Groups { "group_id" } else { "member_id" };
        format!(" AND belonging.{column} = {}", bind(values, id))
    });
    let matches = matches(source, filter, kind, values);
    format!("EXISTS (SELECT 1 FROM {from}{only} AND {matches})")
}

fn matches(source: Source, filter: &Filter, kind: ResourceType, values: &mut Values) -> String {
    let filter = bind(values, Json(filter.clone()));
    let (kind, columns) = (kind.name(), functions::columns(source));
    format!("scim_matches({filter}, '{kind}', '{}', {columns})", source.name())
}

/// The one row that can match: `members eq "…"`.
fn named(filter: &Filter) -> Option<Option<MemberId>> {
    let value = match filter {
        Filter::Compare(Comparison { path, operator: Operator::Equal, value, .. })
            if path.sub_attribute.as_deref().is_none_or(|sub| sub == "value") =>
        {
            value.as_str()?
        }
        _ => return None,
    };
    Some(value.parse().ok())
}

/// Puts leaves of one place together: it is looked at once.
fn merged(condition: Condition) -> Condition {
    let each = |parts: Vec<Condition>| parts.into_iter().map(merged);
    match condition {
        Condition::All(parts) => joined(each(parts), Filter::And, Condition::All),
        Condition::Any(parts) => joined(each(parts), Filter::Or, Condition::Any),
        Condition::Not(part) => match merged(*part) {
            Condition::Leaf(source, filter) if !source.is_rows() => {
                Condition::Leaf(source, Filter::Not(Box::new(filter)))
            }
            other => Condition::Not(Box::new(other)),
        },
        leaf @ Condition::Leaf(..) => leaf,
    }
}

fn joined(
    parts: impl Iterator<Item = Condition>,
    filter: fn(Vec<Filter>) -> Filter,
    condition: fn(Vec<Condition>) -> Condition,
) -> Condition {
    let (mut leaves, mut others): (Vec<(Source, Vec<Filter>)>, Vec<_>) = Default::default();
    for part in parts {
        match part {
            Condition::Leaf(source, leaf) if !source.is_rows() => {
                match leaves.iter_mut().find(|(other, _)| *other == source) {
                    Some((_, filters)) => filters.push(leaf),
                    None => leaves.push((source, vec![leaf])),
                }
            }
            other => others.push(other),
        }
    }
    let of_one_place = leaves.into_iter().map(|(source, mut filters)| {
        let leaf = if filters.len() == 1 { filters.remove(0) } else { filter(filters) };
        Condition::Leaf(source, leaf)
    });
    let mut parts: Vec<_> = of_one_place.chain(others).collect();
    if parts.len() == 1 { parts.remove(0) } else { condition(parts) }
}

/// A query for the rowids of those that have one of the keys.
pub(super) fn candidates(directory: &Directory, keys: &[Key], values: &mut Values) -> String {
    let each: Vec<_> = keys.iter().map(|key| having(directory.kind, key, values)).collect();
    if each.is_empty() { "NULL".to_owned() } else { each.join(" UNION ALL ") }
}

fn having(kind: ResourceType, key: &Key, values: &mut Values) -> String {
    let table = match kind {
        ResourceType::User => "account",
        ResourceType::Group => "scim_group",
    };
    let in_organization = |condition: &str| {
        format!("SELECT rowid FROM {table} WHERE organization_id = ?1 AND {condition}")
    };
    let in_connector =
        |condition: String| in_organization(&format!("connector_id = ?2 AND {condition}"));
    match key {
        Key::Id(id) => {
            in_organization(&format!("id = {}", bind(values, id.parse::<MemberId>().ok())))
        }
        Key::UserName(name) => {
            in_organization(&format!("user_name_folded = {}", bind(values, folded(name))))
        }
        Key::ExternalId(id) => in_connector(format!("external_id = {}", bind(values, id.clone()))),
        Key::Email(address) => {
            let address = bind(values, folded(address));
            let others = format!(
                "id IN (SELECT account_id FROM account_address
                        WHERE organization_id = ?1 AND email_folded = {address})"
            );
            let primary = in_organization(&format!("email_folded = {address}"));
            format!("{primary} UNION ALL {}", in_organization(&others))
        }
        Key::DisplayName(name) => {
            let column = match kind {
                ResourceType::User => "scim_display_name_folded",
                ResourceType::Group => "display_name_folded",
            };
            in_connector(format!("{column} = {}", bind(values, folded(name))))
        }
        Key::InGroup(id) => {
            let id = bind(values, id.parse::<MemberId>().ok());
            in_organization(&format!(
                "id IN (SELECT member_id FROM group_member
                        WHERE organization_id = ?1 AND group_id = {id})"
            ))
        }
        Key::HasMember(id) => {
            let id = bind(values, id.parse::<MemberId>().ok());
            in_organization(&format!(
                "id IN (SELECT group_id FROM group_member
                        WHERE organization_id = ?1 AND member_id = {id})"
            ))
        }
    }
}
