//! Groups and who belongs to them.

use std::collections::BTreeSet;

use portico::{
    domain::{
        connector::Connector,
        group::{Group, Member, MemberKind, Membership},
        id::{AccountId, GroupId, MemberId},
    },
    ports::{
        NotDone,
        groups::{ChangedGroup, GroupChange, GroupConflict, MembersChange},
        query::Start,
        store::Store,
    },
};
use serde_json::json;
use tokio::task::JoinSet;

use crate::support::{
    WholeStore, account_in, account_of_in, after, connector_in, directory_in, from, group,
    group_in, group_in_group, person_in_group, stores, trail,
};

fn change(group: &Group, members: Vec<MembersChange>) -> GroupChange {
    GroupChange {
        organization_id: group.organization_id,
        connector_id: group.connector_id,
        id: group.id,
        expected_version: None,
        attributes: None,
        members,
        at: after(60),
    }
}

async fn carry_out(
    store: &(impl Store + ?Sized),
    change: &GroupChange,
) -> Result<ChangedGroup, NotDone<GroupConflict>> {
    store.change_group(change, &trail(change.organization_id, "group.changed")).await
}

async fn find(store: &(impl Store + ?Sized), group: &Group) -> Option<Group> {
    let Group { organization_id, connector_id, id, .. } = *group;
    store.find_group(organization_id, connector_id, id).await.unwrap()
}

async fn members(store: &(impl Store + ?Sized), group: &Group) -> Vec<MemberId> {
    let listed = store.list_members(group.organization_id, group.id, None, u64::MAX).await.unwrap();
    listed.into_iter().map(|member| member.id).collect()
}

async fn audited(store: &dyn WholeStore, of: &Connector) -> Vec<String> {
    let events = store.list_audit_events(of.organization_id, 999).await.unwrap();
    events.into_iter().map(|event| event.action).filter(|it| it.starts_with("group.")).collect()
}

/// Identifiers of so many people of a connector, in their order.
async fn people(store: &dyn WholeStore, of: &Connector, count: usize) -> Vec<MemberId> {
    let mut people = Vec::new();
    for number in 0..count {
        people.push(person_in_group(&account_of_in(store, of, &format!("p{number}")).await));
    }
    people
}

fn refusal<T>(outcome: Result<T, NotDone<GroupConflict>>) -> GroupConflict {
    match outcome {
        Err(NotDone::Refused(conflict)) => conflict,
        Err(NotDone::Unavailable(unavailable)) => panic!("{unavailable}"),
        Ok(_) => panic!("it must be refused"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_is_read_as_it_was_written_and_its_members_with_their_names_of_now() {
    for backend in stores().await {
        let store = &*backend.store;
        let acme = directory_in(store, "acme").await;
        let alice = account_of_in(store, &acme, "alice").await;
        let inner = group_in(store, &acme, "Inner", &[]).await;
        let ids = [person_in_group(&alice), group_in_group(&inner)];

        let outer = group_in(store, &acme, "Outer", &ids).await;

        assert_eq!(find(store, &outer).await, Some(outer.clone()));
        let listed = store.list_members(acme.organization_id, outer.id, None, 9).await.unwrap();
        let named = |id, kind, display: &str| Member { id, kind, display: display.into() };
        let mut expected = [
            named(ids[0], MemberKind::Account, &alice.display_name),
            named(ids[1], MemberKind::Group, "Inner"),
        ];
        expected.sort_by_key(|member| member.id);
        assert_eq!(listed, expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn members_come_part_by_part_in_the_order_of_their_identifiers() {
    for backend in stores().await {
        let store = &*backend.store;
        let acme = directory_in(store, "acme").await;
        let people = people(store, &acme, 5).await;
        let group = group_in(store, &acme, "All", &people).await;

        let mut read: Vec<MemberId> = Vec::new();
        for expected in [2, 2, 1, 0] {
            let after = read.last().copied();
            let part = store.list_members(acme.organization_id, group.id, after, 2).await.unwrap();
            assert_eq!(part.len(), expected);
            read.extend(part.iter().map(|member| member.id));
        }

        assert_eq!(
            read,
            people.into_iter().collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_groups_of_many_accounts_are_read_in_one_question() {
    for backend in stores().await {
        let store = &*backend.store;
        let acme = directory_in(store, "acme").await;
        let alice = account_of_in(store, &acme, "alice").await;
        let bob = account_of_in(store, &acme, "bob").await;
        let nobody = account_of_in(store, &acme, "nobody").await;
        let both = [person_in_group(&alice), person_in_group(&bob)];
        let staff = group_in(store, &acme, "Staff", &both).await;
        let chefs = group_in(store, &acme, "Chefs", &both[..1]).await;
        group_in(store, &acme, "Nested", &[group_in_group(&staff)]).await;

        let asked = [alice.id, nobody.id, bob.id, AccountId::generate()];
        let mut found = store.list_memberships(acme.organization_id, &asked).await.unwrap();

        found.sort_by_key(|membership| (membership.account_id, membership.group_id));
        let of = |account_id, group: &Group| Membership {
            account_id,
            group_id: group.id,
            display: group.display_name.clone(),
        };
        let mut expected = vec![of(alice.id, &staff), of(alice.id, &chefs), of(bob.id, &staff)];
        expected.sort_by_key(|membership| (membership.account_id, membership.group_id));
        assert_eq!(found, expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_gives_the_group_as_it_is_then_and_what_came_of_it() {
    for backend in stores().await {
        let store = &*backend.store;
        let acme = directory_in(store, "acme").await;
        let people = people(store, &acme, 4).await;
        let group = group_in(store, &acme, "Staff", &people[..2]).await;
        let renamed = Group {
            display_name: "STAFF".into(),
            external_id: None,
            attributes: json!({ "displayName": "STAFF" }).as_object().unwrap().clone(),
            version: 99,
            ..group.clone()
        };
        let wanted = GroupChange {
            expected_version: Some(1),
            attributes: Some(renamed.clone()),
            ..change(
                &group,
                vec![
                    MembersChange::Remove(people[..1].to_vec()),
                    MembersChange::Add(people[1..].to_vec()),
                ],
            )
        };

        let changed = carry_out(store, &wanted).await.unwrap();

        let expected = Group { version: 2, last_modified_at: after(60), ..renamed };
        assert_eq!(changed, ChangedGroup { group: expected.clone(), added: 2, removed: 1 });
        assert_eq!(find(store, &group).await, Some(expected));
        assert_eq!(members(store, &group).await, sorted(&people[1..]));
        assert_eq!(audited(store, &acme).await, ["group.changed", "group.created"]);
    }
}

fn sorted(ids: &[MemberId]) -> Vec<MemberId> {
    let mut sorted = ids.to_vec();
    sorted.sort_unstable();
    sorted
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_nothing_writes_nothing() {
    for backend in stores().await {
        let store = &*backend.store;
        let acme = directory_in(store, "acme").await;
        let people = people(store, &acme, 3).await;
        let stranger = MemberId::from_bytes(*GroupId::generate().as_bytes());
        let group = group_in(store, &acme, "Staff", &people[..2]).await;
        let same = Group { version: 7, last_modified_at: after(9), ..group.clone() };
        let nothing = [
            change(&group, vec![]),
            change(&group, vec![MembersChange::Add(people[..2].to_vec())]),
            change(&group, vec![MembersChange::Remove(vec![people[2], stranger])]),
            change(&group, vec![MembersChange::Set(vec![people[1], people[0], people[1]])]),
            change(
                &group,
                vec![
                    MembersChange::Add(people.clone()),
                    MembersChange::Set(vec![]),
                    MembersChange::Add(people[..2].to_vec()),
                ],
            ),
            GroupChange { attributes: Some(same), ..change(&group, vec![]) },
        ];

        for change in nothing {
            let changed = carry_out(store, &change).await.unwrap();

            let expected = ChangedGroup { group: group.clone(), added: 0, removed: 0 };
            assert_eq!(changed, expected, "{change:?}");
            assert_eq!(find(store, &group).await, Some(group.clone()));
            assert_eq!(members(store, &group).await, sorted(&people[..2]));
        }
        assert_eq!(audited(store, &acme).await, ["group.created"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_change_leaves_neither_half_a_group_nor_a_trail() {
    for backend in stores().await {
        let store = &*backend.store;
        let acme = directory_in(store, "acme").await;
        let people = people(store, &acme, 3).await;
        let staff = group_in(store, &acme, "Staff", &people[..1]).await;
        let chefs = group_in(store, &acme, "Chefs", &[]).await;
        let named = |name: &str| Group { display_name: name.into(), ..staff.clone() };
        let gone = Group { id: GroupId::generate(), ..staff.clone() };
        let nobody = MemberId::from_bytes(*GroupId::generate().as_bytes());
        let itself = group_in_group(&staff);
        let add = |id| vec![MembersChange::Set(vec![]), MembersChange::Add(vec![people[1], id])];
        let refused = [
            (change(&staff, add(nobody)), GroupConflict::NoMember(nobody)),
            (change(&staff, add(itself)), GroupConflict::NoMember(itself)),
            (
                change(&staff, vec![MembersChange::Set(vec![people[2], nobody])]),
                GroupConflict::NoMember(nobody),
            ),
            (
                GroupChange { expected_version: Some(2), ..change(&staff, add(people[2])) },
                GroupConflict::Version,
            ),
            (
                GroupChange { attributes: Some(named("CHEFS")), ..change(&staff, add(people[2])) },
                GroupConflict::DisplayName(chefs.id),
            ),
            (
                GroupChange {
                    attributes: Some(Group {
                        external_id: chefs.external_id.clone(),
                        ..named("other")
                    }),
                    ..change(&staff, add(people[2]))
                },
                GroupConflict::ExternalId(chefs.id),
            ),
            (change(&gone, vec![]), GroupConflict::Gone),
        ];

        for (change, expected) in refused {
            assert_eq!(refusal(carry_out(store, &change).await), expected);

            assert_eq!(find(store, &staff).await, Some(staff.clone()), "{expected}");
            assert_eq!(members(store, &staff).await, people[..1], "{expected}");
        }
        assert_eq!(audited(store, &acme).await, ["group.created", "group.created"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_that_is_refused_is_not_there() {
    for backend in stores().await {
        let store = &*backend.store;
        let acme = directory_in(store, "acme").await;
        let staff = group_in(store, &acme, "Straße ΟΔΟΣ", &[]).await;
        let nobody = MemberId::from_bytes(*GroupId::generate().as_bytes());
        let itself = group(&acme, "itself");
        let (self_id, of_itself) = (group_in_group(&itself), itself.id);
        let same_id = Group { external_id: staff.external_id.clone(), ..group(&acme, "other") };
        let refused = [
            (group(&acme, "strAßE οδος"), vec![], GroupConflict::DisplayName(staff.id)),
            (same_id, vec![], GroupConflict::ExternalId(staff.id)),
            (group(&acme, "new"), vec![nobody], GroupConflict::NoMember(nobody)),
            (itself, vec![self_id], GroupConflict::NoMember(self_id)),
        ];

        for (group, members, expected) in refused {
            let trail = trail(acme.organization_id, "group.created");
            let outcome = store.insert_group(&group, &members, &trail).await;

            assert_eq!(refusal(outcome), expected);
            assert_eq!(find(store, &group).await, None, "{expected}");
        }
        let all = from(Start::Offset(0), 9);
        let page = store.query_groups(acme.organization_id, acme.id, &all).await.unwrap();
        assert_eq!((page.total, page.items), (1, vec![staff]));
        assert_eq!(audited(store, &acme).await, ["group.created"]);
        let members = store.list_members(acme.organization_id, of_itself, None, 9).await.unwrap();
        assert_eq!(members, []);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_accounts_and_groups_of_the_same_connector_can_belong_to_a_group() {
    for backend in stores().await {
        let store = &*backend.store;
        let acme = directory_in(store, "acme").await;
        let second = connector_in(store, acme.organization_id).await;
        let globex = directory_in(store, "globex").await;
        let group = group_in(store, &acme, "Staff", &[]).await;
        let strangers = [
            person_in_group(&account_in(store, acme.organization_id, "by hand").await),
            person_in_group(&account_of_in(store, &second, "second's").await),
            person_in_group(&account_of_in(store, &globex, "globex's").await),
            group_in_group(&group_in(store, &second, "Second's", &[]).await),
            group_in_group(&group_in(store, &globex, "Globex's", &[]).await),
        ];

        for stranger in strangers {
            for change_of_members in [MembersChange::Add, MembersChange::Set] {
                let change = change(&group, vec![change_of_members(vec![stranger])]);
                let refused = refusal(carry_out(store, &change).await);

                assert_eq!(refused, GroupConflict::NoMember(stranger));
            }
        }
        assert_eq!(members(store, &group).await, []);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_another_connector_nor_another_organization_reaches_a_group() {
    for backend in stores().await {
        let store = &*backend.store;
        let acme = directory_in(store, "acme").await;
        let second = connector_in(store, acme.organization_id).await;
        let globex = directory_in(store, "globex").await;
        let alice = account_of_in(store, &acme, "alice").await;
        let group = group_in(store, &acme, "Staff", &[person_in_group(&alice)]).await;

        for stranger in [&second, &globex] {
            let (organization_id, connector_id) = (stranger.organization_id, stranger.id);
            let theirs = Group { organization_id, connector_id, ..group.clone() };
            let emptied = change(&theirs, vec![MembersChange::Set(vec![])]);
            let found = find(store, &theirs).await;
            let changed = carry_out(store, &emptied).await;
            let trail = trail(organization_id, "group.deleted");
            let deleted = store.delete_group(organization_id, connector_id, group.id, &trail).await;

            assert_eq!(found, None);
            assert_eq!(refusal(changed), GroupConflict::Gone);
            assert!(!deleted.unwrap());
            group_in(store, stranger, "Staff", &[]).await;
        }
        let globex = globex.organization_id;
        assert_eq!(store.list_members(globex, group.id, None, 9).await.unwrap(), []);
        assert_eq!(store.list_memberships(globex, &[alice.id]).await.unwrap(), []);
        assert_eq!(find(store, &group).await, Some(group.clone()));
        assert_eq!(members(store, &group).await.len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_deleted_leaves_the_groups_and_these_have_changed() {
    for backend in stores().await {
        let store = &*backend.store;
        let acme = directory_in(store, "acme").await;
        let alice = account_of_in(store, &acme, "alice").await;
        let bob = account_of_in(store, &acme, "bob").await;
        let inner = group_in(store, &acme, "Inner", &[person_in_group(&alice)]).await;
        let everybody = [person_in_group(&alice), person_in_group(&bob), group_in_group(&inner)];
        let outer = group_in(store, &acme, "Outer", &everybody).await;
        let other = group_in(store, &acme, "Other", &[person_in_group(&bob)]).await;
        let event = |action, seconds| {
            let mut trail = trail(acme.organization_id, action);
            trail.audit.at = after(seconds);
            trail
        };

        let deleted = event("account.deleted", 60);
        assert!(store.delete_account(acme.organization_id, alice.id, &deleted).await.unwrap());
        let deleted = event("group.deleted", 120);
        let gone = store.delete_group(acme.organization_id, acme.id, inner.id, &deleted).await;
        assert!(gone.unwrap());

        let twice = Group { version: 3, last_modified_at: after(120), ..outer.clone() };
        assert_eq!(find(store, &outer).await, Some(twice));
        assert_eq!(members(store, &outer).await, [person_in_group(&bob)]);
        assert_eq!(find(store, &other).await, Some(other.clone()));
        assert_eq!(find(store, &inner).await, None);
        assert_eq!(members(store, &inner).await, []);
        let gone = store.delete_group(acme.organization_id, acme.id, inner.id, &deleted).await;
        assert!(!gone.unwrap());
        assert_eq!(audited(store, &acme).await.len(), 4);
        group_in(store, &acme, "Inner", &[]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_changes_of_one_group_at_once_all_take_effect() {
    for backend in stores().await {
        let store = backend.store.clone();
        let acme = directory_in(&*store, "acme").await;
        let people = people(&*store, &acme, 75).await;
        let group = group_in(&*store, &acme, "Staff", &people[50..]).await;
        let mut race = JoinSet::new();
        for number in 0..50 {
            // Half of them also take somebody out, and all repeat what a neighbour does.
            let joining = vec![people[number], people[(number + 1) % 50]];
            let mut changes = vec![MembersChange::Add(joining)];
            if number % 2 == 0 {
                changes.push(MembersChange::Remove(vec![people[50 + number / 2]]));
            }
            let (store, change) = (store.clone(), change(&group, changes));
            race.spawn(async move { carry_out(&*store, &change).await.unwrap() });
        }

        let changed = race.join_all().await;

        assert_eq!(members(&*store, &group).await, sorted(&people[..50]));
        assert_eq!(changed.iter().map(|it| it.added).sum::<u64>(), 50);
        assert_eq!(changed.iter().map(|it| it.removed).sum::<u64>(), 25);
        let different = changed.iter().filter(|it| it.added + it.removed > 0).count();
        let versions = find(&*store, &group).await.unwrap().version;
        assert_eq!(versions, 1 + different as u64);
        assert_eq!(audited(&*store, &acme).await.len(), 1 + different);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_changes_that_rest_on_one_version_one_wins() {
    for backend in stores().await {
        let store = backend.store.clone();
        let acme = directory_in(&*store, "acme").await;
        let group = group_in(&*store, &acme, "Staff", &[]).await;
        let mut race = JoinSet::new();
        for number in 0..16 {
            let renamed = Group { display_name: format!("Staff {number}"), ..group.clone() };
            let change = GroupChange {
                expected_version: Some(1),
                attributes: Some(renamed),
                ..change(&group, vec![])
            };
            let store = store.clone();
            race.spawn(async move { carry_out(&*store, &change).await });
        }

        let (won, lost): (Vec<_>, Vec<_>) =
            race.join_all().await.into_iter().partition(Result::is_ok);

        assert_eq!((won.len(), lost.len()), (1, 15));
        for refused in lost {
            assert_eq!(refusal(refused), GroupConflict::Version);
        }
        let winner = won.into_iter().next().unwrap().unwrap();
        assert_eq!(find(&*store, &group).await, Some(winner.group));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn thousands_of_members_are_set_in_one_change() {
    const MANY: usize = 5_000;
    for backend in stores().await {
        let store = backend.store.clone();
        let acme = directory_in(&*store, "acme").await;
        let mut joining = JoinSet::new();
        for number in 0..MANY {
            let (store, acme) = (store.clone(), acme.clone());
            joining.spawn(async move {
                let account = account_of_in(&*store, &acme, &format!("p{number}")).await;
                person_in_group(&account)
            });
            if joining.len() == 500 {
                joining.join_next().await.unwrap().unwrap();
            }
        }
        drop(joining.join_all().await);
        let all = store.list_accounts(acme.organization_id, None, MANY as u64).await.unwrap();
        let all: Vec<_> = all.iter().map(person_in_group).collect();
        let group = group_in(&*store, &acme, "All", &all[..10]).await;

        let set = change(&group, vec![MembersChange::Set(all[5..].to_vec())]);
        let changed = carry_out(&*store, &set).await.unwrap();

        assert_eq!((changed.added, changed.removed), (MANY as u64 - 10, 5));
        assert_eq!(members(&*store, &group).await, all[5..]);
    }
}
