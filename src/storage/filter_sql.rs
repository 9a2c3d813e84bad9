//! What a database must look at to answer a filter; each adapter writes it in its own SQL.
//!
//! # Why
//!
//! A resource is spread over columns, a JSON document and rows of members, so a filter is taken
//! apart by where its values stand: a [`Condition`] whose leaves have one [`Source`] each. Every
//! leaf is true or false, never `NULL`: what says that something is *not* so (`ne`, `eq null`) has
//! become the [`Condition::Not`] of a leaf that holds if any one value meets it. Apart from that a
//! database can be told what its indexes have to say: the [`Key`]s of a filter name all resources
//! that can match, and perhaps a few more.

use serde_json::{Map, Value};

use crate::scim::{
    attribute_path::AttributePath,
    filter::{Comparison, Filter, Operator, fold},
    schema,
    schema::ResourceType,
};

/// Where the values stand that a path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// The column of `id`.
    Id,
    /// The column of a user's `userName`.
    UserName,
    /// The column of `externalId`.
    ExternalId,
    /// The column of a group's `displayName`.
    DisplayName,
    /// The column of whether a user may sign in: so even if `active` was never sent.
    Active,
    /// The columns of `meta`; it has no `location`, which the database doesn't know.
    Meta,
    /// What `schemas` says: the URNs among the names of the attributes.
    Schemas,
    /// The rows of the groups that a user belongs to.
    Groups,
    /// The rows of a group's members.
    Members,
    /// The attributes as sent.
    Attributes,
}

impl Source {
    /// Where the values of a path stand.
    pub(super) fn of(path: &AttributePath, kind: ResourceType) -> Self {
        if path.schema.is_some() {
            return Self::Attributes;
        }
        match (path.attribute.to_ascii_lowercase().as_str(), kind) {
            ("id", _) => Self::Id,
            ("username", ResourceType::User) => Self::UserName,
            ("externalid", _) => Self::ExternalId,
            ("displayname", ResourceType::Group) => Self::DisplayName,
            ("active", ResourceType::User) => Self::Active,
            ("meta", _) => Self::Meta,
            ("schemas", _) => Self::Schemas,
            ("groups", ResourceType::User) => Self::Groups,
            ("members", ResourceType::Group) => Self::Members,
            _ => Self::Attributes,
        }
    }

    /// All of them.
    pub(super) const ALL: [Self; 10] = [
        Self::Id,
        Self::UserName,
        Self::ExternalId,
        Self::DisplayName,
        Self::Active,
        Self::Meta,
        Self::Schemas,
        Self::Groups,
        Self::Members,
        Self::Attributes,
    ];

    /// The attribute that stands there, where it is one.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::UserName => "userName",
            Self::ExternalId => "externalId",
            Self::DisplayName => "displayName",
            Self::Active => "active",
            Self::Meta => "meta",
            Self::Schemas => "schemas",
            Self::Groups => "groups",
            Self::Members => "members",
            Self::Attributes => "attributes",
        }
    }

    /// Whether it is rows of another table.
    pub(super) const fn is_rows(self) -> bool {
        matches!(self, Self::Groups | Self::Members)
    }
}

/// A filter, taken apart by where its values stand.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Condition {
    /// All hold.
    All(Vec<Self>),
    /// One holds at least.
    Any(Vec<Self>),
    /// It does not hold.
    Not(Box<Self>),
    /// A filter whose values all stand in one place. One of rows is a single [`Filter::Present`]
    /// or [`Filter::Compare`]: it holds if it holds for any one row.
    Leaf(Source, Filter),
}

impl Condition {
    /// A filter, taken apart.
    pub(super) fn of(filter: &Filter, kind: ResourceType) -> Self {
        let parts = |parts: &[Filter]| parts.iter().map(|part| Self::of(part, kind)).collect();
        match filter {
            Filter::And(filters) => Self::All(parts(filters)),
            Filter::Or(filters) => Self::Any(parts(filters)),
            Filter::Not(filter) => Self::of(filter, kind).negated(),
            Filter::Present(path) => Self::Leaf(Source::of(path, kind), filter.clone()),
            Filter::Compare(comparison) => Self::of_comparison(comparison, kind),
        }
    }

    fn of_comparison(comparison: &Comparison, kind: ResourceType) -> Self {
        let source = Source::of(&comparison.path, kind);
        let present = || Self::Leaf(source, Filter::Present(comparison.path.clone()));
        match (comparison.operator, comparison.value.is_null()) {
            (Operator::Equal, true) => present().negated(),
            (Operator::NotEqual, true) => present(),
            (Operator::NotEqual, false) => {
                let equal = Comparison { operator: Operator::Equal, ..comparison.clone() };
                Self::Leaf(source, Filter::Compare(equal)).negated()
            }
            _ => Self::Leaf(source, Filter::Compare(comparison.clone())),
        }
    }

    fn negated(self) -> Self {
        Self::Not(Box::new(self))
    }

    /// In SQL; the adapter writes its leaves.
    pub(super) fn to_sql(&self, leaf: &mut impl FnMut(Source, &Filter) -> String) -> String {
        let mut joined = |parts: &[Self], operator: &str| {
            let parts: Vec<_> = parts.iter().map(|part| part.to_sql(leaf)).collect();
            format!("({})", parts.join(operator))
        };
        match self {
            Self::All(parts) => joined(parts, " AND "),
            Self::Any(parts) => joined(parts, " OR "),
            Self::Not(part) => format!("NOT {}", part.to_sql(leaf)),
            Self::Leaf(source, filter) => leaf(*source, filter),
        }
    }
}

/// A value by which an index finds resources: at least those that have it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    /// The `id`.
    Id(String),
    /// `userName`, in any case of letters.
    UserName(String),
    /// `externalId`, exactly.
    ExternalId(String),
    /// One of the e-mail addresses, in any case of letters.
    Email(String),
    /// `displayName`, in any case of letters: a group's, or a user's as sent.
    DisplayName(String),
    /// The `id` of a group that the user belongs to.
    InGroup(String),
    /// The `id` of one that belongs to the group.
    HasMember(String),
}

impl Key {
    /// Whether it names one resource, or a few at most.
    const fn names_few(&self, kind: ResourceType) -> bool {
        match self {
            Self::Id(_) | Self::UserName(_) | Self::ExternalId(_) | Self::Email(_) => true,
            Self::DisplayName(_) => matches!(kind, ResourceType::Group),
            Self::InGroup(_) | Self::HasMember(_) => false,
        }
    }
}

/// More keys than these are no help, and more than a statement can have.
const MOST_KEYS: usize = 100;

/// So many keys of a few resources each name a few at most.
const FEW_KEYS: usize = 20;

/// Whether the keys name a few resources at most.
pub(super) fn name_few(keys: &[Key], kind: ResourceType) -> bool {
    keys.len() <= FEW_KEYS && keys.iter().all(|key| key.names_few(kind))
}

/// Keys of which every resource that matches the filter has one; `None` where no index helps.
pub(super) fn keys(filter: &Filter, kind: ResourceType) -> Option<Vec<Key>> {
    match filter {
        Filter::And(parts) => {
            let narrowed = parts.iter().filter_map(|part| keys(part, kind));
            narrowed.min_by_key(|keys| (!name_few(keys, kind), keys.len()))
        }
        Filter::Or(parts) => {
            let each: Option<Vec<_>> = parts.iter().map(|part| keys(part, kind)).collect();
            let keys: Vec<_> = each?.into_iter().flatten().collect();
            (keys.len() <= MOST_KEYS).then_some(keys)
        }
        Filter::Present(path) => key_within(path, kind),
        Filter::Compare(Comparison { path, operator: Operator::Equal, value, .. })
            if !value.is_null() =>
        {
            let key = value.as_str().and_then(|value| key(path, value, kind));
            key.map(|key| vec![key]).or_else(|| key_within(path, kind))
        }
        Filter::Compare(_) | Filter::Not(_) => None,
    }
}

/// The key of `emails[value eq "…"]`: who has such a value has that address.
fn key_within(path: &AttributePath, kind: ResourceType) -> Option<Vec<Key>> {
    let equalities = path.filter.as_ref()?.equalities()?;
    let of_value = equalities.into_iter().find(|(inner, _)| inner.is("value"))?;
    let outer = AttributePath { filter: None, sub_attribute: None, ..path.clone() };
    key(&outer, of_value.1, kind).map(|key| vec![key])
}

fn key(path: &AttributePath, value: &str, kind: ResourceType) -> Option<Key> {
    let text = || value.to_owned();
    // A moment equals others that are written otherwise; an index of names doesn't know them.
    let name = || (fold(value) == value.to_lowercase()).then(text);
    let values_themselves = path.sub_attribute.as_deref().is_none_or(|sub| sub == "value");
    let simple = path.sub_attribute.is_none() && path.filter.is_none();
    match Source::of(path, kind) {
        Source::Id if simple => Some(Key::Id(text())),
        Source::UserName if simple => name().map(Key::UserName),
        Source::ExternalId if simple => Some(Key::ExternalId(text())),
        Source::DisplayName if simple => name().map(Key::DisplayName),
        Source::Groups if values_themselves => Some(Key::InGroup(text())),
        Source::Members if values_themselves => Some(Key::HasMember(text())),
        Source::Attributes if path.schema.is_none() && kind == ResourceType::User => {
            match path.attribute.to_ascii_lowercase().as_str() {
                "emails" if values_themselves => name().map(Key::Email),
                "displayname" if simple => name().map(Key::DisplayName),
                _ => None,
            }
        }
        _ => None,
    }
}

/// A resource's `schemas`: the URN of its kind, and those of the extensions that it has.
pub(super) fn schemas(kind: ResourceType, attributes: &Map<String, Value>) -> Value {
    let core = match kind {
        ResourceType::User => schema::USER,
        ResourceType::Group => schema::GROUP,
    };
    let is_urn = |name: &&String| name.get(..4).is_some_and(|s| s.eq_ignore_ascii_case("urn:"));
    let extensions = attributes.keys().filter(is_urn).map(String::as_str);
    std::iter::once(core).chain(extensions).collect()
}
