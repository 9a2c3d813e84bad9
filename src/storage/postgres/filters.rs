//! Filters, held against what the database answers.
//!
//! # Why
//!
//! The database finds by its indexes those that may match; whether one does is said by the same
//! function that says it everywhere. Members of a group, and groups of a user, come with each row
//! where a filter asks for them.

use std::borrow::Cow;

use serde_json::{Map, Value, json};
use tokio_postgres::types::ToSql;

use super::{
    accounts,
    columns::{Columns, Json, Text, folded},
    directory,
    failure::Failure,
    groups,
};
use crate::{
    domain::{account::Account, group::Group, id::MemberId},
    scim::{
        filter::{Comparison, Filter, Operator},
        resource_meta::ResourceMeta,
        schema::ResourceType,
    },
    storage::filter_sql::{self, Condition, Key, Source},
};

/// What a directory lists.
pub(super) trait Listed: Sized + Send {
    /// The columns that [`Self::read`] reads; the last are the attributes.
    const COLUMNS: &'static str;

    /// Reads one.
    fn read(columns: &mut Columns<'_>) -> Result<Self, Failure>;

    /// The part of it that stands in one place; nothing of what is rows of another table.
    fn part(&self, source: Source) -> Cow<'_, Map<String, Value>>;
}

impl Listed for Account {
    const COLUMNS: &'static str = accounts::COLUMNS;

    fn read(columns: &mut Columns<'_>) -> Result<Self, Failure> {
        accounts::read(columns)
    }

    fn part(&self, source: Source) -> Cow<'_, Map<String, Value>> {
        let value = match source {
            Source::Id => self.id.to_string().into(),
            Source::UserName => self.user_name.as_str().into(),
            Source::ExternalId => self.external_id.clone().into(),
            Source::Active => self.active.into(),
            Source::Meta => meta(
                ResourceType::User,
                &ResourceMeta {
                    id: String::new(),
                    created: self.created_at,
                    last_modified: self.last_modified_at,
                    version: self.version,
                    location: String::new(),
                },
            ),
            Source::Schemas => filter_sql::schemas(ResourceType::User, &self.attributes),
            Source::Attributes => return Cow::Borrowed(&self.attributes),
            Source::DisplayName | Source::Groups | Source::Members => Value::Null,
        };
        part(source, value)
    }
}

impl Listed for Group {
    const COLUMNS: &'static str = groups::COLUMNS;

    fn read(columns: &mut Columns<'_>) -> Result<Self, Failure> {
        groups::read(columns)
    }

    fn part(&self, source: Source) -> Cow<'_, Map<String, Value>> {
        let value = match source {
            Source::Id => self.id.to_string().into(),
            Source::ExternalId => self.external_id.clone().into(),
            Source::DisplayName => self.display_name.as_str().into(),
            Source::Meta => meta(
                ResourceType::Group,
                &ResourceMeta {
                    id: String::new(),
                    created: self.created_at,
                    last_modified: self.last_modified_at,
                    version: self.version,
                    location: String::new(),
                },
            ),
            Source::Schemas => filter_sql::schemas(ResourceType::Group, &self.attributes),
            Source::Attributes => return Cow::Borrowed(&self.attributes),
            Source::UserName | Source::Active | Source::Groups | Source::Members => Value::Null,
        };
        part(source, value)
    }
}

fn part(source: Source, value: Value) -> Cow<'static, Map<String, Value>> {
    Cow::Owned(Map::from_iter([(source.name().to_owned(), value)]))
}

fn meta(kind: ResourceType, meta: &ResourceMeta) -> Value {
    let mut meta = meta.to_value(kind.name());
    if let Some(members) = meta.as_object_mut() {
        members.remove("location");
    }
    meta
}

/// The values of a statement's parameters; `$1` is the organization, `$2` the connector.
pub(super) type Bound = Vec<Box<dyn ToSql + Sync + Send>>;

fn bind(values: &mut Bound, value: impl ToSql + Sync + Send + 'static) -> String {
    values.push(Box::new(value));
    format!("${}", values.len())
}

/// A filter, and the columns with rows of other tables that it needs.
pub(super) struct Test {
    root: Node,
    /// In SQL, each an array of JSON objects.
    pub(super) columns: Vec<String>,
    /// Whether it looks at the attributes as sent.
    pub(super) needs_attributes: bool,
}

enum Node {
    All(Vec<Self>),
    Any(Vec<Self>),
    Not(Box<Self>),
    Part(Source, Filter),
    /// Holds if it holds for one of the rows in this column.
    Rows(usize, Source, Filter),
}

impl Test {
    /// The test of a filter for the row `one`.
    pub(super) fn of(filter: &Filter, kind: ResourceType, values: &mut Bound) -> Self {
        let mut test =
            Self { root: Node::All(Vec::new()), columns: Vec::new(), needs_attributes: false };
        test.root = test.node(Condition::of(filter, kind), values);
        test
    }

    fn node(&mut self, condition: Condition, values: &mut Bound) -> Node {
        match condition {
            Condition::All(parts) => {
                Node::All(parts.into_iter().map(|part| self.node(part, values)).collect())
            }
            Condition::Any(parts) => {
                Node::Any(parts.into_iter().map(|part| self.node(part, values)).collect())
            }
            Condition::Not(part) => Node::Not(Box::new(self.node(*part, values))),
            Condition::Leaf(source, filter) if source.is_rows() => {
                self.columns.push(rows(source, &filter, values));
                Node::Rows(self.columns.len() - 1, source, filter)
            }
            Condition::Leaf(source, filter) => {
                self.needs_attributes |= matches!(source, Source::Attributes | Source::Schemas);
                Node::Part(source, filter)
            }
        }
    }

    /// Whether the filter holds; the columns of its own come next.
    pub(super) fn holds(
        &self,
        item: &impl Listed,
        columns: &mut Columns<'_>,
    ) -> Result<bool, Failure> {
        let read = |_| Ok(columns.read::<Json<Vec<Value>>>()?.0);
        let rows: Vec<Vec<Value>> =
            self.columns.iter().map(read).collect::<Result<_, Failure>>()?;
        Ok(self.root.holds(item, &rows))
    }
}

impl Node {
    fn holds(&self, item: &impl Listed, rows: &[Vec<Value>]) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.holds(item, rows)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(item, rows)),
            Self::Not(part) => !part.holds(item, rows),
            Self::Part(source, filter) => filter.matches(&item.part(*source)),
            Self::Rows(column, source, filter) => {
                rows[*column].iter().any(|row| filter.matches(&part(*source, json!([row]))))
            }
        }
    }
}

/// The rows of another table that a leaf looks at, as JSON.
fn rows(source: Source, filter: &Filter, values: &mut Bound) -> String {
    let (row, from, column) = if source == Source::Groups {
        (
            "'value', belonging.group_id, 'display', of.display_name, 'type', 'direct'",
            "group_member AS belonging JOIN scim_group AS of
                 ON of.organization_id = $1 AND of.id = belonging.group_id
             WHERE belonging.organization_id = $1 AND belonging.member_id = one.id",
            "group_id",
        )
    } else {
        (
            "'value', belonging.member_id, 'type', belonging.kind,
             'display', coalesce(person.display_name, within.display_name)",
            "group_member AS belonging
             LEFT JOIN account AS person ON belonging.kind = 'User'
                 AND person.organization_id = $1 AND person.id = belonging.member_id
             LEFT JOIN scim_group AS within ON belonging.kind = 'Group'
                 AND within.organization_id = $1 AND within.id = belonging.member_id
             WHERE belonging.organization_id = $1 AND belonging.group_id = one.id",
            "member_id",
        )
    };
    // The one row that can match: `members eq "…"`.
    let only = match filter {
        Filter::Compare(Comparison { path, operator: Operator::Equal, value, .. })
            if path.sub_attribute.as_deref().is_none_or(|sub| sub == "value") =>
        {
            let named = value.as_str().map(|value| value.parse::<MemberId>().ok());
            named.map(|id| format!(" AND belonging.{column} = {}", bind(values, id)))
        }
        _ => None,
    };
    let only = only.unwrap_or_default();
    format!("(SELECT coalesce(json_agg(json_build_object({row})), '[]'::json) FROM {from}{only})")
}

/// The condition that the row `one` has one of the keys.
pub(super) fn candidates(kind: ResourceType, keys: &[Key], values: &mut Bound) -> String {
    let each: Vec<_> = keys.iter().map(|key| having(kind, key, values)).collect();
    match &each[..] {
        [] => "false".to_owned(),
        [one] => one.clone(),
        several => {
            let table = directory::table(kind);
            let select = |condition: &String| {
                format!(
                    "SELECT one.id FROM {table} AS one
                     WHERE one.organization_id = $1 AND one.connector_id = $2 AND {condition}"
                )
            };
            let each: Vec<_> = several.iter().map(select).collect();
            format!("one.id IN ({})", each.join(" UNION ALL "))
        }
    }
}

fn having(kind: ResourceType, key: &Key, values: &mut Bound) -> String {
    let identifier = |id: &str| id.parse::<MemberId>().ok();
    match key {
        Key::Id(id) => format!("one.id = {}", bind(values, identifier(id))),
        Key::UserName(name) => {
            format!("one.user_name_folded = {}", bind(values, Text(folded(name))))
        }
        Key::ExternalId(id) => format!("one.external_id = {}", bind(values, Text(id.clone()))),
        Key::Email(address) => {
            let address = bind(values, Text(folded(address)));
            format!(
                "one.id IN (SELECT id FROM account
                            WHERE organization_id = $1 AND email_folded = {address}
                            UNION ALL
                            SELECT account_id FROM account_address
                            WHERE organization_id = $1 AND email_folded = {address})"
            )
        }
        Key::DisplayName(name) => {
            let column = match kind {
                ResourceType::User => "scim_display_name_folded",
                ResourceType::Group => "display_name_folded",
            };
            format!("one.{column} = {}", bind(values, Text(folded(name))))
        }
        Key::InGroup(id) => format!(
            "one.id IN (SELECT member_id FROM group_member
                        WHERE organization_id = $1 AND group_id = {})",
            bind(values, identifier(id))
        ),
        Key::HasMember(id) => format!(
            "one.id IN (SELECT group_id FROM group_member
                        WHERE organization_id = $1 AND member_id = {})",
            bind(values, identifier(id))
        ),
    }
}
