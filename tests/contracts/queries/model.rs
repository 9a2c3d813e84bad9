//! Any query of any directory is answered as [`Filter::matches`] and [`Sort::key`] say.

use std::cell::Cell;

use jiff::{SignedDuration, Timestamp};
use portico::{
    domain::{
        account::Account,
        connector::Connector,
        group::Group,
        id::{AccountId, GroupId, MemberId},
    },
    ports::{
        NotDone,
        accounts::AccountConflict,
        query::{Page, Query, Start},
    },
    scim::{
        dialect::ENTRA, filter::Filter, group, resource_meta::ResourceMeta, schema::ResourceType,
        sort::Sort, user::User,
    },
};
use proptest::{
    prelude::*,
    sample::select,
    test_runner::{Config, TestRunner},
};
use serde_json::{Map, Value, json};
use tokio::runtime::Handle;

use super::{accounts, groups};
use crate::support::{
    WholeStore, account_of, directory_in, group, group_in_group, now, person_in_group, stores,
    trail,
};

/// Texts that differ in what does or does not count: case, final sigmas, zones, likeness to
/// patterns, to numbers and to JSON.
const TEXTS: [&str; 24] = [
    "a",
    "A",
    "οδοσ",
    "ΟΔΟΣ",
    "2026-01-01T00:00:00Z",
    "2026-01-01T01:00:00+01:00",
    "",
    "b",
    "ab",
    "ä",
    "Ä",
    "οδος",
    "İ",
    "ß",
    "SS",
    "%",
    "_",
    "\\",
    "\"",
    "7",
    "true",
    "2026-01-01T00:00:00.5Z",
    "2025-12-31T23:59:59Z",
    "2026-01-01",
];

const CUSTOM: &str = "urn:contoso:employee";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// A directory that is about to be made.
#[derive(Clone, Debug)]
struct Made {
    people: Vec<Person>,
    groups: Vec<Team>,
}

#[derive(Clone, Debug)]
struct Person {
    attributes: Map<String, Value>,
    active: bool,
    modified: Timestamp,
}

/// Its members are places in the lists of people and of the groups before it.
#[derive(Clone, Debug)]
struct Team {
    name: String,
    attributes: Map<String, Value>,
    people: Vec<usize>,
    groups: Vec<usize>,
    modified: Timestamp,
}

/// A question to be asked of it: texts as a client writes them. `#3` stands for the `id` of the
/// third resource.
#[derive(Clone, Debug)]
struct Asked {
    filter: Option<String>,
    sort: Option<(String, &'static str)>,
}

/// Often one of the first few, so that much is the same.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![2 => select(&TEXTS[..6]), 1 => select(&TEXTS[..])].prop_map(str::to_owned)
}

/// A text that fewer have.
fn name() -> impl Strategy<Value = String> {
    (text(), select(vec!["", "b", "Ä", "7", "Σ"])).prop_map(|(text, end)| text + end)
}

fn moments() -> impl Strategy<Value = Timestamp> {
    (0..4_i64).prop_map(|step| now() + SignedDuration::from_micros(step * 700))
}

fn simple() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => text().prop_map(Value::from),
        1 => select(vec![json!(7), json!(7.0), json!(9.5), json!(10), json!(-1)]),
        1 => any::<bool>().prop_map(Value::from),
    ]
}

fn email() -> impl Strategy<Value = Value> {
    let kind = select(vec![json!("work"), json!("HOME"), Value::Null]);
    (text(), kind, any::<Option<bool>>()).prop_map(|(value, kind, primary)| {
        let mut email = json!({ "value": format!("{value}@x") });
        if !kind.is_null() {
            email["type"] = kind;
        }
        if let Some(primary) = primary {
            email["primary"] = primary.into();
        }
        email
    })
}

fn custom() -> impl Strategy<Value = Option<Value>> {
    let value = prop_oneof![3 => simple(), 1 => prop::collection::vec(simple(), 0..3).prop_map(Value::from)];
    prop::option::of(prop::collection::btree_map(select(vec!["Level", "joined"]), value, 1..3))
        .prop_map(|members| members.map(|members| json!(members)))
}

fn person() -> impl Strategy<Value = Person> {
    let optional = || prop::option::of(text());
    let names = (name(), optional(), optional(), optional(), optional());
    let others = (prop::collection::vec(email(), 1..4), custom(), optional());
    (names, others, any::<(bool, Option<bool>)>(), moments()).prop_map(
        |((user, display, external, title, given), (emails, custom, manager), flags, modified)| {
            let mut attributes = Map::new();
            let mut set = |name: &str, value: Option<Value>| {
                value.map(|value| attributes.insert(name.to_owned(), value));
            };
            set("userName", Some(user.into()));
            set("displayName", display.map(Value::from));
            set("externalId", external.map(Value::from));
            set("title", title.map(Value::from));
            set("name", given.map(|given| json!({ "givenName": given, "familyName": "b" })));
            set("emails", Some(emails.into()));
            set("active", flags.1.map(Value::from));
            set(CUSTOM, custom);
            set(ENTERPRISE, manager.map(|id| json!({ "manager": { "value": id } })));
            Person { attributes, active: flags.0, modified }
        },
    )
}

fn team() -> impl Strategy<Value = Team> {
    let members = || prop::collection::vec(0..10_usize, 0..5);
    (name(), prop::option::of(text()), custom(), members(), members(), moments()).prop_map(
        |(name, external_id, custom, people, groups, modified)| {
            let mut attributes = Map::new();
            attributes.insert("displayName".into(), name.clone().into());
            external_id.map(|id| attributes.insert("externalId".into(), id.into()));
            custom.map(|custom| attributes.insert(CUSTOM.into(), custom));
            Team { name, attributes, people, groups, modified }
        },
    )
}

fn made() -> impl Strategy<Value = Made> {
    let people = prop::collection::vec(person(), 0..10);
    (people, prop::collection::vec(team(), 0..6))
        .prop_map(|(people, groups)| Made { people, groups })
}

fn names(kind: ResourceType) -> Vec<&'static str> {
    let both = [
        "id",
        "externalId",
        "displayName",
        "meta.created",
        "meta.lastModified",
        "meta.version",
        "meta.resourceType",
        "meta",
        "schemas",
        "urn:contoso:employee:Level",
        "urn:contoso:employee:JOINED",
        "urn:contoso:employee",
    ];
    let own: &[&str] = match kind {
        ResourceType::User => &[
            "userName",
            "USERNAME",
            "active",
            "title",
            "name.givenName",
            "name.familyName",
            "emails",
            "emails.value",
            "emails.type",
            "emails.primary",
            "groups",
            "groups.value",
            "groups.display",
            "groups.type",
            "manager",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value",
            "urn:ietf:params:scim:schemas:core:2.0:User:userName",
        ],
        ResourceType::Group => &["members", "members.value", "members.display", "members.type"],
    };
    [&both[..], own].concat()
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => text().prop_map(|text| json!(text).to_string()),
        2 => text().prop_map(|text| json!(format!("{text}@x")).to_string()),
        3 => (0..10_usize).prop_map(|place| format!("\"#{place}\"")),
        1 => (0..10_usize).prop_map(|place| format!("\"#{place}\"").to_uppercase()),
        3 => select(vec!["7", "7.0", "9.5", "true", "false", "null", "\"True\"", "\"work\"",
            "\"home\"", "\"User\"", "\"direct\"", "\"urn:contoso:employee\"", "\"W/\\\"1\\\"\"",
            "\"2026-03-01T12:00:00.000Z\"", "\"2026-03-01T13:00:00.001+01:00\""])
            .prop_map(str::to_owned),
    ]
}

fn comparison(names: Vec<&'static str>) -> impl Strategy<Value = String> {
    let operators = vec!["eq", "eq", "eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le", "pr"];
    (select(names), select(operators), value()).prop_map(|(name, operator, value)| {
        if operator == "pr" { format!("{name} pr") } else { format!("{name} {operator} {value}") }
    })
}

fn leaf(kind: ResourceType) -> BoxedStrategy<String> {
    let (list, inner) = match kind {
        ResourceType::User => ("emails", vec!["value", "type", "primary"]),
        ResourceType::Group => ("members", vec!["value", "type", "display"]),
    };
    let within = move || {
        (comparison(inner.clone()), comparison(inner.clone()), any::<bool>()).prop_map(
            move |(one, other, both)| {
                let within = if both { format!("{one} and {other}") } else { one };
                format!("{list}[{within}]")
            },
        )
    };
    let compared = (within(), select(vec!["eq", "ne", "co"]), value())
        .prop_map(|(path, operator, value)| format!("{path}.value {operator} {value}"));
    prop_oneof![8 => comparison(names(kind)), 1 => within(), 1 => compared].boxed()
}

fn filter(kind: ResourceType) -> impl Strategy<Value = String> {
    leaf(kind).prop_recursive(3, 8, 3, |part| {
        let parts = prop::collection::vec(part.clone(), 2..4);
        prop_oneof![
            2 => parts.clone().prop_map(|parts| format!("({})", parts.join(" and "))),
            2 => parts.prop_map(|parts| format!("({})", parts.join(" or "))),
            1 => part.prop_map(|part| format!("not ({part})")),
        ]
    })
}

fn asked(kind: ResourceType) -> impl Strategy<Value = Asked> {
    // Nothing is ordered by who belongs where.
    let mut sortable = names(kind);
    sortable.retain(|name| !name.starts_with("groups") && !name.starts_with("members"));
    let sort = (select(sortable), select(vec!["ascending", "descending"]));
    let sort = prop::option::weighted(0.4, sort)
        .prop_map(|sort| sort.map(|(name, order)| (name.to_owned(), order)));
    (prop::option::weighted(0.9, filter(kind)), sort)
        .prop_map(|(filter, sort)| Asked { filter, sort })
}

#[tokio::test(flavor = "multi_thread")]
async fn any_query_is_answered_as_the_filter_and_the_order_say_of_the_whole_resource() {
    for (number, backend) in stores().await.into_iter().enumerate() {
        let (store, here) = (backend.store.clone(), Handle::current());
        let checked = tokio::task::spawn_blocking(move || {
            let case = Cell::new(0);
            let questions = (
                made(),
                prop::collection::vec(asked(ResourceType::User), 12),
                prop::collection::vec(asked(ResourceType::Group), 8),
            );
            let config = Config { cases: cases(), failure_persistence: None, ..Config::default() };
            let mut runner = TestRunner::new(config);
            runner.run(&questions, |(made, of_users, of_groups)| {
                case.set(case.get() + 1);
                let slug = format!("acme-{number}-{}", case.get());
                here.block_on(async {
                    let directory = Directory::make(&*store, &slug, &made).await;
                    for asked in of_users {
                        directory.ask_for_users(&*store, &asked).await?;
                    }
                    for asked in of_groups {
                        directory.ask_for_groups(&*store, &asked).await?;
                    }
                    Ok(())
                })
            })
        });
        if let Err(failure) = checked.await.unwrap() {
            panic!("{failure}");
        }
    }
}

/// As many as `PROPTEST_CASES` says, else enough for every day.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(30)
}

/// A directory that is in the store, and its resources as they are answered.
struct Directory {
    connector: Connector,
    users: Vec<(String, Map<String, Value>)>,
    groups: Vec<(String, Map<String, Value>)>,
}

impl Directory {
    /// Whoever has a name that is taken stays away.
    async fn make(store: &dyn WholeStore, slug: &str, made: &Made) -> Self {
        let connector = directory_in(store, slug).await;
        let (mut people, mut teams) = (Vec::new(), Vec::new());
        for person in &made.people {
            let mut account = person.account(&connector);
            let trail = trail(connector.organization_id, "account.created");
            let mut kept = store.insert_account(&account, &trail).await;
            if matches!(kept, Err(NotDone::Refused(AccountConflict::Email(_)))) {
                account.email = account.id.to_string();
                kept = store.insert_account(&account, &trail).await;
            }
            people.extend(kept.is_ok().then_some(account));
        }
        for team in &made.groups {
            let (group, members) = team.group(&connector, &people, &teams);
            let trail = trail(connector.organization_id, "group.created");
            let kept = store.insert_group(&group, &members, &trail).await;
            teams.extend(kept.is_ok().then_some((group, members)));
        }
        let users = people.iter().map(|account| (account.id.to_string(), user(account, &teams)));
        let groups = teams.iter().map(|(group, members)| {
            (group.id.to_string(), team_resource(group, members, &people, &teams))
        });
        Self { users: users.collect(), groups: groups.collect(), connector }
    }

    async fn ask_for_users(
        &self,
        store: &dyn WholeStore,
        asked: &Asked,
    ) -> Result<(), TestCaseError> {
        let Some(query) = self.query(asked, ResourceType::User) else { return Ok(()) };
        let expected = expected(&query, &self.users);
        for cut in cuts(&query, expected.len()) {
            let page = accounts(store, &self.connector, &cut).await;
            let ids = page.items.iter().map(|account| account.id.to_string()).collect();
            check(asked, &cut, &expected, &page, ids)?;
        }
        Ok(())
    }

    async fn ask_for_groups(
        &self,
        store: &dyn WholeStore,
        asked: &Asked,
    ) -> Result<(), TestCaseError> {
        let Some(query) = self.query(asked, ResourceType::Group) else { return Ok(()) };
        let expected = expected(&query, &self.groups);
        for cut in cuts(&query, expected.len()) {
            let page = groups(store, &self.connector, &cut).await;
            let ids = page.items.iter().map(|group| group.id.to_string()).collect();
            check(asked, &cut, &expected, &page, ids)?;
        }
        Ok(())
    }

    /// `None` for what is no filter, such as a boolean that is greater than another.
    fn query(&self, asked: &Asked, kind: ResourceType) -> Option<Query> {
        let all: Vec<_> = self.users.iter().chain(&self.groups).map(|(id, _)| id).collect();
        let filter = asked.filter.as_ref().map(|filter| {
            let mut filter = filter.clone();
            for (place, id) in all.iter().enumerate().rev() {
                filter = filter.replace(&format!("\"#{place}\""), &format!("\"{id}\""));
            }
            filter
        });
        let parse = |filter: &String| Filter::parse(filter, Some(kind), &ENTRA).ok();
        let filter = match &filter {
            Some(filter) => Some(parse(filter)?),
            None => None,
        };
        let sort = match &asked.sort {
            Some((by, order)) => Some(Sort::parse(by, Some(order), Some(kind), &ENTRA).ok()?),
            None => None,
        };
        Some(Query { filter, sort, start: Start::Offset(0), limit: 99 })
    }
}

impl Person {
    fn account(&self, of: &Connector) -> Account {
        let user = User::from_stored(self.attributes.clone());
        Account {
            id: AccountId::generate(),
            user_name: user.user_name().into(),
            external_id: user.external_id().map(Into::into),
            email: user.primary_email().into(),
            display_name: user.display_name(),
            active: self.active,
            last_modified_at: self.modified,
            attributes: self.attributes.clone(),
            ..account_of(of, "")
        }
    }
}

impl Team {
    fn group(
        &self,
        of: &Connector,
        people: &[Account],
        teams: &[(Group, Vec<MemberId>)],
    ) -> (Group, Vec<MemberId>) {
        let attributes = self.attributes.clone();
        let made = group::Group::from_stored(attributes.clone());
        let external_id = made.external_id().map(Into::into);
        let group = Group {
            id: GroupId::generate(),
            external_id,
            attributes,
            last_modified_at: self.modified,
            ..group(of, &self.name)
        };
        let people = self.people.iter().filter_map(|&place| people.get(place)).map(person_in_group);
        let groups = self.groups.iter().filter_map(|&place| teams.get(place));
        let groups = groups.map(|(group, _)| group_in_group(group));
        let mut members: Vec<_> = people.chain(groups).collect();
        members.sort_unstable();
        members.dedup();
        (group, members)
    }
}

/// The resource that is answered, with whether the person may sign in, and without addresses that
/// a database doesn't know.
fn user(account: &Account, teams: &[(Group, Vec<MemberId>)]) -> Map<String, Value> {
    let of = teams.iter().filter(|(_, members)| members.contains(&person_in_group(account)));
    let groups = of.map(|(group, _)| group::GroupValue {
        value: group.id.to_string(),
        display: group.display_name.clone(),
        location: String::new(),
        direct: true,
    });
    let meta = meta(&account.id, account.created_at, account.last_modified_at);
    let user = User::from_stored(account.attributes.clone());
    let mut resource = user.to_resource(&meta, groups.collect());
    resource.insert("active".into(), account.active.into());
    without_addresses(resource)
}

fn team_resource(
    of: &Group,
    members: &[MemberId],
    people: &[Account],
    teams: &[(Group, Vec<MemberId>)],
) -> Map<String, Value> {
    let within =
        people.iter().map(|it| (person_in_group(it), ResourceType::User, &it.display_name));
    let teams =
        teams.iter().map(|(it, _)| (group_in_group(it), ResourceType::Group, &it.display_name));
    let within = within.chain(teams).filter(|(id, ..)| members.contains(id));
    let values = within.map(|(id, kind, display)| group::MemberValue {
        value: id.to_string(),
        kind,
        display: Some(display.clone()),
        location: String::new(),
    });
    let meta = meta(&of.id, of.created_at, of.last_modified_at);
    let stored = group::Group::from_stored(of.attributes.clone());
    let values: Vec<_> = values.collect();
    without_addresses(stored.to_resource(&meta, (!values.is_empty()).then_some(values)))
}

fn meta(id: &impl ToString, created: Timestamp, last_modified: Timestamp) -> ResourceMeta {
    ResourceMeta { id: id.to_string(), created, last_modified, version: 1, location: String::new() }
}

fn without_addresses(mut resource: Map<String, Value>) -> Map<String, Value> {
    resource["meta"].as_object_mut().unwrap().remove("location");
    for list in ["groups", "members"] {
        let values = resource.get_mut(list).and_then(Value::as_array_mut);
        for value in values.into_iter().flatten() {
            value.as_object_mut().unwrap().remove("$ref");
        }
    }
    resource
}

fn expected(query: &Query, resources: &[(String, Map<String, Value>)]) -> Vec<String> {
    let holds = |resource: &Map<String, Value>| {
        query.filter.as_ref().is_none_or(|filter| filter.matches(resource))
    };
    let mut found: Vec<_> = resources.iter().filter(|(_, resource)| holds(resource)).collect();
    if let Some(sort) = &query.sort {
        found.sort_by(|(_, one), (_, other)| {
            sort.compare(sort.key(one).as_ref(), sort.key(other).as_ref())
        });
    }
    found.into_iter().map(|(id, _)| id.clone()).collect()
}

/// The query with every beginning and every length of a page that there can be.
fn cuts(query: &Query, found: usize) -> Vec<Query> {
    let found = found as u64;
    let offsets = 0..=found + 1;
    let cut = |offset, limit| Query { start: Start::Offset(offset), limit, ..query.clone() };
    let mut cuts = vec![cut(0, 99), cut(0, 0)];
    cuts.extend(offsets.map(|offset| cut(offset, 2)));
    cuts
}

fn check<T>(
    asked: &Asked,
    cut: &Query,
    expected: &[String],
    page: &Page<T>,
    ids: Vec<String>,
) -> Result<(), TestCaseError> {
    let Start::Offset(offset) = cut.start else { unreachable!("cuts are offsets") };
    let offset = usize::try_from(offset).unwrap().min(expected.len());
    let limit = usize::try_from(cut.limit).unwrap();
    let wanted: Vec<_> = expected[offset..].iter().take(limit).cloned().collect();
    let remaining = expected.len() - offset - wanted.len();
    prop_assert_eq!(ids, wanted, "{:?} {:?}", asked, cut.start);
    let told = (page.total, page.remaining);
    prop_assert_eq!(told, (expected.len() as u64, remaining as u64), "{:?} {:?}", asked, cut.start);
    prop_assert_eq!(page.position.is_some(), cut.sort.is_none() && !page.items.is_empty());
    Ok(())
}
