//! Lists of a connector's users and groups: pages, filters, orders.

mod model;

use portico::{
    domain::{account::Account, connector::Connector, group::Group},
    ports::query::{Page, Query, Start},
    scim::{
        dialect::ENTRA,
        filter::{Filter, MAX_LENGTH},
        schema::ResourceType,
        sort::Sort,
    },
};
use serde_json::json;

use crate::support::{
    WholeStore, account_in, account_of, account_of_in, after, connector_in, directory_in, from,
    group_in, group_in_group, person_in_group, stores, trail, user_names,
};

async fn accounts(store: &dyn WholeStore, of: &Connector, query: &Query) -> Page<Account> {
    store.query_accounts(of.organization_id, of.id, query).await.unwrap()
}

async fn groups(store: &dyn WholeStore, of: &Connector, query: &Query) -> Page<Group> {
    store.query_groups(of.organization_id, of.id, query).await.unwrap()
}

fn matching(filter: &str, kind: ResourceType) -> Query {
    let filter = Filter::parse(filter, Some(kind), &ENTRA).unwrap();
    Query { filter: Some(filter), ..from(Start::Offset(0), 99) }
}

fn ordered(sort_by: &str, order: &str, query: Query) -> Query {
    Query { sort: Some(Sort::parse(sort_by, Some(order), None, &ENTRA).unwrap()), ..query }
}

async fn delete(store: &dyn WholeStore, account: &Account) {
    let trail = trail(account.organization_id, "account.deleted");
    assert!(store.delete_account(account.organization_id, account.id, &trail).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_come_page_by_page_in_the_order_of_their_creation() {
    for backend in stores().await {
        let store = &*backend.store;
        let acme = directory_in(store, "acme").await;
        let mut all = Vec::new();
        for name in ["zoe", "alice", "mia", "bob", "eve"] {
            all.push(account_of_in(store, &acme, name).await);
        }
        delete(store, &all.remove(2)).await;

        for (offset, limit) in [(0, 2), (2, 2), (1, 100), (4, 1), (9, 1), (0, 0), (0, u64::MAX)] {
            let page = accounts(store, &acme, &from(Start::Offset(offset), limit)).await;

            let from = usize::try_from(offset).unwrap().min(all.len());
            let limit = usize::try_from(limit).unwrap();
            let expected: Vec<_> = all[from..].iter().take(limit).cloned().collect();
            let remaining = (all.len() - from - expected.len()) as u64;
            assert_eq!(page.position.is_some(), !expected.is_empty());
            assert_eq!((page.total, page.remaining, page.items), (4, remaining, expected));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_without_anybody_is_an_empty_page() {
    for backend in stores().await {
        let store = &*backend.store;
        let acme = directory_in(store, "acme").await;
        let queries = [
            from(Start::Offset(0), 9),
            from(Start::Offset(7), 9),
            from(Start::After(7), 9),
            matching("id pr", ResourceType::User),
            matching("userName eq \"alice\"", ResourceType::User),
            ordered("userName", "", from(Start::Offset(0), 9)),
        ];

        for query in queries {
            assert_eq!(accounts(store, &acme, &query).await, Page::default(), "{query:?}");
        }
        assert_eq!(groups(store, &acme, &from(Start::Offset(0), 9)).await, Page::default());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_far_down_are_those_of_a_list_with_holes() {
    for backend in stores().await {
        let store = &*backend.store;
        let acme = directory_in(store, "acme").await;
        let mut all = Vec::new();
        for number in 0..2_100 {
            all.push(account_of_in(store, &acme, &format!("p{number}")).await);
        }
        // A whole thousand is gone, and every third of the others.
        let mut kept = Vec::new();
        for (number, account) in all.into_iter().enumerate() {
            if (1_000..2_060).contains(&number) || number % 3 == 0 {
                delete(store, &account).await;
            } else {
                kept.push(account.user_name);
            }
        }
        let total = kept.len() as u64;

        for offset in [0, 1, 665, 666, 667, 680, 691, 692, 693, 5_000] {
            let page = accounts(store, &acme, &from(Start::Offset(offset), 3)).await;

            let expected: Vec<_> =
                kept.iter().skip(usize::try_from(offset).unwrap()).take(3).collect();
            assert_eq!(user_names(&page), expected, "{offset}");
            let remaining = total.saturating_sub(offset + 3);
            assert_eq!((page.total, page.remaining), (total, remaining), "{offset}");
        }
        assert_eq!(walk(store, &acme, 100).await, kept);
    }
}

/// Who is met on the way from the first page to the last, each page after the last of the one
/// before.
async fn walk(store: &dyn WholeStore, of: &Connector, limit: u64) -> Vec<String> {
    let mut met = Vec::new();
    let mut start = Start::Offset(0);
    loop {
        let page = accounts(store, of, &from(start, limit)).await;
        met.extend(user_names(&page).into_iter().map(str::to_owned));
        match page.position {
            Some(position) if page.remaining > 0 => start = Start::After(position),
            _ => return met,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_stays_is_met_once_on_a_walk_though_others_come_and_go() {
    for backend in stores().await {
        let store = &*backend.store;
        let acme = directory_in(store, "acme").await;
        let mut all = Vec::new();
        for number in 0..20 {
            all.push(account_of_in(store, &acme, &format!("p{number}")).await);
        }
        let (mut met, mut start, mut round) = (Vec::new(), Start::Offset(0), 0);

        loop {
            let page = accounts(store, &acme, &from(start, 3)).await;
            met.extend(user_names(&page).into_iter().map(str::to_owned));
            let Some(position) = page.position.filter(|_| page.remaining > 0) else { break };
            start = Start::After(position);
            if round < 5 {
                // One who was met goes, the last one met among them, and one who was not.
                delete(store, &all[3 * round + 2]).await;
                delete(store, &all[19 - round]).await;
                account_of_in(store, &acme, &format!("new{round}")).await;
            }
            round += 1;
        }

        let stay = (0..15).map(|number| format!("p{number}"));
        let expected: Vec<_> = stay.chain((0..5).map(|number| format!("new{number}"))).collect();
        assert_eq!(met, expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_position_is_never_given_twice() {
    for backend in stores().await {
        let store = &*backend.store;
        let acme = directory_in(store, "acme").await;
        let first = account_of_in(store, &acme, "first").await;
        let query = from(Start::Offset(0), 9);
        let before = accounts(store, &acme, &query).await.position.unwrap();
        delete(store, &first).await;

        account_of_in(store, &acme, "second").await;

        assert!(accounts(store, &acme, &query).await.position.unwrap() > before);
        let page = accounts(store, &acme, &from(Start::After(before), 9)).await;
        assert_eq!((page.total, page.remaining, user_names(&page)), (1, 0, vec!["second"]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_lists_counts_or_matches_what_is_another_connectors() {
    for backend in stores().await {
        let store = &*backend.store;
        let acme = directory_in(store, "acme").await;
        let second = connector_in(store, acme.organization_id).await;
        let globex = directory_in(store, "globex").await;
        let mixed = Connector { organization_id: globex.organization_id, ..acme.clone() };
        let alice = account_of_in(store, &acme, "alice").await;
        account_in(store, acme.organization_id, "by hand").await;
        let staff = group_in(store, &acme, "Staff", &[person_in_group(&alice)]).await;
        let of_users = [
            "id pr".to_owned(),
            format!("id eq \"{}\"", alice.id),
            "userName eq \"alice\"".to_owned(),
            "userName eq \"by hand\"".to_owned(),
            "externalId eq \"external-alice\"".to_owned(),
            "emails.value eq \"alice@acme.example\"".to_owned(),
            format!("groups.value eq \"{}\"", staff.id),
            "not (title pr)".to_owned(),
        ];
        let of_groups = [
            "id pr".to_owned(),
            format!("id eq \"{}\"", staff.id),
            "displayName eq \"Staff\"".to_owned(),
            format!("members eq \"{}\"", alice.id),
        ];

        for stranger in [&second, &globex, &mixed] {
            for filter in &of_users {
                let found = accounts(store, stranger, &matching(filter, ResourceType::User)).await;
                assert_eq!(found, Page::default(), "{filter}");
            }
            for filter in &of_groups {
                let found = groups(store, stranger, &matching(filter, ResourceType::Group)).await;
                assert_eq!(found, Page::default(), "{filter}");
            }
            let all = from(Start::Offset(0), 9);
            assert_eq!(accounts(store, stranger, &all).await, Page::default());
            assert_eq!(groups(store, stranger, &all).await, Page::default());
        }
        let by_hand = matching("userName eq \"by hand\"", ResourceType::User);
        assert_eq!(accounts(store, &acme, &by_hand).await, Page::default());
        assert_eq!(accounts(store, &acme, &from(Start::Offset(0), 9)).await.items, [alice]);
    }
}

async fn some_people(store: &dyn WholeStore, of: &Connector) {
    let people = [
        json!({ "userName": "alice", "displayName": "Alice", "title": "Chef", "externalId": "A-1",
            "emails": [{ "value": "Alice@acme.example", "type": "work", "primary": true },
                       { "value": "al@home.example", "type": "home" }],
            "urn:contoso:employee": { "Level": 7, "Joined": "2026-01-01T01:00:00+01:00" } }),
        json!({ "userName": "BOB", "displayName": "Bob", "title": "", "externalId": "a-1",
            "emails": [{ "value": "bob@acme.example", "type": "home" }],
            "urn:contoso:employee": { "Level": 10, "Joined": "2026-01-02T00:00:00Z" } }),
        json!({ "userName": "ÇELİK", "displayName": "alice", "active": true,
            "emails": [{ "value": "c@acme.example" }] }),
    ];
    for (number, attributes) in people.into_iter().enumerate() {
        let mut account = account_of(of, attributes["userName"].as_str().unwrap());
        account.display_name = attributes["displayName"].as_str().unwrap().into();
        account.external_id = attributes["externalId"].as_str().map(Into::into);
        account.email = attributes["emails"][0]["value"].as_str().unwrap().into();
        account.active = number != 1;
        account.attributes = attributes.as_object().unwrap().clone();
        let minutes = i64::try_from(number).unwrap() * 60;
        account.last_modified_at = after(minutes) + jiff::SignedDuration::from_micros(1_999);
        let trail = trail(of.organization_id, "account.created");
        store.insert_account(&account, &trail).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_finds_those_for_whom_it_holds() {
    for backend in stores().await {
        let store = &*backend.store;
        let acme = directory_in(store, "acme").await;
        some_people(store, &acme).await;
        let filters: [(&str, &[&str]); 43] = [
            ("userName eq \"ALICE\"", &["alice"]),
            ("userName eq \"çeli̇k\"", &["ÇELİK"]),
            ("userName ne \"ALICE\"", &["BOB", "ÇELİK"]),
            ("userName sw \"b\" or userName ew \"ICE\"", &["alice", "BOB"]),
            ("userName co \"\"", &["alice", "BOB", "ÇELİK"]),
            ("userName gt \"b\" and userName le \"bob\"", &["BOB"]),
            ("userName eq \"alic_\"", &[]),
            ("userName sw \"%\"", &[]),
            ("userName eq \"alice' OR '1'='1\"", &[]),
            ("externalId eq \"a-1\"", &["BOB"]),
            ("externalId eq \"A-1\"", &["alice"]),
            ("externalId ne \"A-1\"", &["BOB", "ÇELİK"]),
            ("externalId pr", &["alice", "BOB"]),
            ("externalId eq null", &["ÇELİK"]),
            ("not (externalId pr)", &["ÇELİK"]),
            ("displayName eq \"ALICE\"", &["alice", "ÇELİK"]),
            ("displayName eq \"alice\" and not (userName eq \"alice\")", &["ÇELİK"]),
            ("emails eq \"AL@home.example\"", &["alice"]),
            ("emails.value eq \"alice@ACME.example\"", &["alice"]),
            ("emails.value ne \"alice@acme.example\"", &["BOB", "ÇELİK"]),
            ("emails[type eq \"work\"].value eq \"alice@acme.example\"", &["alice"]),
            ("emails[type eq \"home\"].value eq \"alice@acme.example\"", &[]),
            ("emails[type eq \"home\" and value co \"acme\"]", &["BOB"]),
            ("emails[value eq \"bob@acme.example\"]", &["BOB"]),
            ("emails[value eq \"bob@acme.example\"].type eq null", &["alice", "ÇELİK"]),
            ("not (emails[type eq \"work\"])", &["BOB", "ÇELİK"]),
            ("title pr", &["alice"]),
            ("title eq \"\"", &["BOB"]),
            ("title ne \"chef\"", &["BOB", "ÇELİK"]),
            ("not (title eq \"chef\")", &["BOB", "ÇELİK"]),
            ("active eq true", &["alice", "ÇELİK"]),
            ("active eq \"False\"", &["BOB"]),
            ("active eq true or title eq \"\"", &["alice", "BOB", "ÇELİK"]),
            ("urn:contoso:employee:Level gt 7", &["BOB"]),
            ("urn:contoso:employee:level ge 7.0", &["alice", "BOB"]),
            ("urn:contoso:employee:level eq \"7\"", &["alice"]),
            ("urn:contoso:employee:Joined eq \"2026-01-01T00:00:00Z\"", &["alice"]),
            ("schemas eq \"urn:contoso:employee\"", &["alice", "BOB"]),
            ("meta.resourceType eq \"User\"", &["alice", "BOB", "ÇELİK"]),
            ("meta.lastModified gt \"2026-03-01T12:01:00.001Z\"", &["ÇELİK"]),
            ("meta.lastModified eq \"2026-03-01T14:01:00.001+02:00\"", &["BOB"]),
            ("meta.version eq \"W/\\\"1\\\"\"", &["alice", "BOB", "ÇELİK"]),
            ("id eq \"none\" or id eq \"00000000-0000-0000-0000-000000000000\"", &[]),
        ];

        for (filter, expected) in filters {
            let page = accounts(store, &acme, &matching(filter, ResourceType::User)).await;

            assert_eq!(user_names(&page), expected, "{filter}");
            assert_eq!((page.total, page.remaining), (expected.len() as u64, 0), "{filter}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_of_hundreds_of_conditions_is_answered() {
    for backend in stores().await {
        let store = &*backend.store;
        let acme = directory_in(store, "acme").await;
        some_people(store, &acme).await;
        let filters = [
            ("emails eq \"\" or ", "emails eq \"c@acme.example\""),
            ("id eq \"\" or ", "userName eq \"çeli̇k\""),
            ("groups pr or ", "displayName eq \"alice\" and externalId eq null"),
            ("title ne \"x\" and ", "userName sw \"ç\""),
            ("not (groups pr) and ", "userName sw \"ç\""),
        ];

        for (repeated, last) in filters {
            let times = (MAX_LENGTH - last.len()) / repeated.len();
            let filter = format!("{}{last}", repeated.repeat(times));
            let page = accounts(store, &acme, &matching(&filter, ResourceType::User)).await;

            assert_eq!(user_names(&page), ["ÇELİK"], "{repeated}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_asks_who_belongs_to_a_group() {
    for backend in stores().await {
        let store = &*backend.store;
        let acme = directory_in(store, "acme").await;
        let alice = account_of_in(store, &acme, "alice").await;
        let bob = account_of_in(store, &acme, "bob").await;
        let [in_group, of_bob] = [person_in_group(&alice), person_in_group(&bob)];
        let inner = group_in(store, &acme, "Inner", &[in_group]).await;
        let outer = group_in(store, &acme, "Outer", &[of_bob, group_in_group(&inner)]).await;
        group_in(store, &acme, "Empty", &[]).await;
        let (alice, outer) = (alice.id, outer.id);
        let of_groups: [(String, &[&str]); 10] = [
            (format!("members eq \"{alice}\""), &["Inner"]),
            (format!("members.value eq \"{}\"", inner.id), &["Outer"]),
            (format!("members.value ne \"{alice}\""), &["Outer", "Empty"]),
            (format!("id eq \"{outer}\" and members eq \"{alice}\""), &[]),
            (format!("members[value eq \"{alice}\"]"), &["Inner"]),
            (format!("members[value eq \"{alice}\" and type eq \"Group\"]"), &[]),
            ("members.type eq \"group\"".into(), &["Outer"]),
            ("members.display co \"liddell\"".into(), &["Inner", "Outer"]),
            ("members pr".into(), &["Inner", "Outer"]),
            ("not (members pr)".into(), &["Empty"]),
        ];
        let of_users: [(String, &[&str]); 5] = [
            (format!("groups eq \"{outer}\""), &["bob"]),
            (format!("groups.value eq \"{}\"", inner.id), &["alice"]),
            ("groups.display eq \"OUTER\"".into(), &["bob"]),
            (format!("not (groups.value eq \"{outer}\")"), &["alice"]),
            ("groups.value eq \"no identifier\"".into(), &[]),
        ];

        for (filter, expected) in of_groups {
            let found = groups(store, &acme, &matching(&filter, ResourceType::Group)).await;
            let names: Vec<_> = found.items.iter().map(|it| it.display_name.as_str()).collect();
            assert_eq!(names, expected, "{filter}");
        }
        for (filter, expected) in of_users {
            let found = accounts(store, &acme, &matching(&filter, ResourceType::User)).await;
            assert_eq!(user_names(&found), expected, "{filter}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_matches_comes_page_by_page() {
    for backend in stores().await {
        let store = &*backend.store;
        let acme = directory_in(store, "acme").await;
        for number in 0..10 {
            account_of_in(store, &acme, &format!("{}{number}", ["even", "odd"][number % 2])).await;
        }
        let odd = |start, limit| Query {
            start,
            limit,
            ..matching("userName sw \"odd\"", ResourceType::User)
        };

        let first = accounts(store, &acme, &odd(Start::Offset(0), 2)).await;
        let second = accounts(store, &acme, &odd(Start::After(first.position.unwrap()), 2)).await;
        let last = accounts(store, &acme, &odd(Start::Offset(4), 2)).await;
        let none = accounts(store, &acme, &odd(Start::Offset(5), 2)).await;
        let counted = accounts(store, &acme, &odd(Start::Offset(0), 0)).await;

        let told = [&first, &second, &last, &none, &counted]
            .map(|page| (page.total, page.remaining, user_names(page)));
        let expected = [
            (5, 3, vec!["odd1", "odd3"]),
            (5, 1, vec!["odd5", "odd7"]),
            (5, 0, vec!["odd9"]),
            (5, 0, vec![]),
            (5, 5, vec![]),
        ];
        assert_eq!(told, expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_ordered_as_is_asked() {
    for backend in stores().await {
        let store = &*backend.store;
        let acme = directory_in(store, "acme").await;
        some_people(store, &acme).await;
        let orders: [(&str, &str, &[&str]); 9] = [
            ("userName", "", &["alice", "BOB", "ÇELİK"]),
            ("userName", "descending", &["ÇELİK", "BOB", "alice"]),
            ("displayName", "", &["alice", "ÇELİK", "BOB"]),
            ("displayName", "descending", &["BOB", "alice", "ÇELİK"]),
            ("externalId", "descending", &["ÇELİK", "BOB", "alice"]),
            ("emails.value", "descending", &["ÇELİK", "BOB", "alice"]),
            ("urn:contoso:employee:Level", "descending", &["ÇELİK", "BOB", "alice"]),
            ("meta.lastModified", "descending", &["ÇELİK", "BOB", "alice"]),
            ("active", "", &["BOB", "alice", "ÇELİK"]),
        ];

        for (sort_by, order, expected) in orders {
            let query = ordered(sort_by, order, from(Start::Offset(0), 9));
            let page = accounts(store, &acme, &query).await;
            assert_eq!(user_names(&page), expected, "{sort_by} {order}");
            assert_eq!((page.total, page.remaining, page.position), (3, 0, None));
            let query = ordered(sort_by, order, from(Start::Offset(1), 1));
            let page = accounts(store, &acme, &query).await;
            assert_eq!(user_names(&page), expected[1..2], "{sort_by} {order}");
            assert_eq!((page.total, page.remaining), (3, 1));
        }
        let some = matching("not (userName eq \"bob\")", ResourceType::User);
        let page = accounts(store, &acme, &ordered("userName", "descending", some)).await;
        assert_eq!((page.total, user_names(&page)), (2, vec!["ÇELİK", "alice"]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_or_a_name_that_was_given_up_finds_nobody_any_more() {
    for backend in stores().await {
        let store = &*backend.store;
        let acme = directory_in(store, "acme").await;
        some_people(store, &acme).await;
        let alice = accounts(store, &acme, &from(Start::Offset(0), 1)).await.items.remove(0);
        let mut changed = Account { version: 2, ..alice };
        changed.attributes["emails"] = json!([{ "value": "new@acme.example" }]);
        changed.attributes["displayName"] = "New".into();

        let trail = trail(acme.organization_id, "account.changed");
        store.replace_account(&changed, 1, &trail).await.unwrap();

        for (filter, expected) in [
            ("emails.value eq \"al@home.example\"", 0),
            ("emails.value eq \"alice@acme.example\"", 0),
            ("emails.value eq \"NEW@acme.example\"", 1),
            ("displayName eq \"alice\"", 1),
            ("displayName eq \"new\"", 1),
        ] {
            let page = accounts(store, &acme, &matching(filter, ResourceType::User)).await;
            assert_eq!(page.total, expected, "{filter}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_searches_at_once_are_all_answered() {
    for backend in stores().await {
        let store = backend.store.clone();
        let acme = directory_in(&*store, "acme").await;
        some_people(&*store, &acme).await;
        let mut asking = tokio::task::JoinSet::new();
        for _ in 0..64 {
            let (store, acme) = (store.clone(), acme.clone());
            asking.spawn(async move {
                let query = matching("title co \"che\"", ResourceType::User);
                accounts(&*store, &acme, &query).await.total
            });
        }

        assert_eq!(asking.join_all().await, [1; 64]);
    }
}
