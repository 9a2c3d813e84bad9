//! Accounts.

use portico::{
    domain::{
        account::Account,
        id::{AccountId, OrganizationId},
    },
    ports::{
        NotDone,
        accounts::{AccountConflict, AccountLookup},
        query::Start,
        store::{Revoked, Store},
    },
};
use tokio::task::JoinSet;

use crate::support::{
    account, account_in, account_of, account_of_in, after, audit, connector_in, directory_in, from,
    hints, link, link_request, organization_in, person, session, stores, subject, trail,
    user_names,
};

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_read_as_it_was_written() {
    for backend in stores().await {
        let store = &backend.store;
        let acme = organization_in(&**store, "acme").await;
        let alice = account_in(&**store, acme, "alice").await;

        assert_eq!(store.find_account(acme, alice.id).await.unwrap(), Some(alice.clone()));
        assert_eq!(store.find_account(acme, AccountId::generate()).await.unwrap(), None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_found_by_each_of_its_names() {
    for backend in stores().await {
        let store = &backend.store;
        let connector = directory_in(&**store, "acme").await;
        let elise = account_of_in(&**store, &connector, "Élise").await;
        account_of_in(&**store, &connector, "bob").await;
        let lookups = [
            AccountLookup::UserName("éLISE".into()),
            AccountLookup::ExternalId(connector.id, "external-Élise".into()),
            AccountLookup::Email("ÉLISE@ACME.example".into()),
        ];

        for lookup in lookups {
            let found = store.find_account_by(connector.organization_id, &lookup).await.unwrap();

            assert_eq!(found.as_ref(), Some(&elise), "{lookup:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_nobody_has_finds_nobody() {
    for backend in stores().await {
        let store = &backend.store;
        let connector = directory_in(&**store, "acme").await;
        let acme = connector.organization_id;
        let another = connector_in(&**store, acme).await;
        account_of_in(&**store, &connector, "alice").await;
        account_in(&**store, acme, "by hand").await;
        let lookups = [
            AccountLookup::UserName("alic".into()),
            AccountLookup::UserName("alice%".into()),
            AccountLookup::UserName("' OR 1=1 --".into()),
            AccountLookup::Email("alice".into()),
            AccountLookup::ExternalId(connector.id, "EXTERNAL-alice".into()),
            AccountLookup::ExternalId(connector.id, "external-by hand".into()),
            AccountLookup::ExternalId(another.id, "external-alice".into()),
        ];

        for lookup in lookups {
            let found = store.find_account_by(acme, &lookup).await.unwrap();

            assert_eq!(found, None, "{lookup:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_accounts_of_an_organization_are_gone_through_and_counted() {
    for backend in stores().await {
        let store = &backend.store;
        let connector = directory_in(&**store, "acme").await;
        let acme = connector.organization_id;
        let globex = organization_in(&**store, "globex").await;
        let mut all = vec![
            account_of_in(&**store, &connector, "zoe").await,
            account_in(&**store, acme, "alice").await,
            account_of_in(&**store, &connector_in(&**store, acme).await, "mia").await,
            account_in(&**store, acme, "bob").await,
        ];
        account_in(&**store, globex, "not here").await;
        let gone = all.remove(2);
        store.delete_account(acme, gone.id, &trail(acme, "deleted")).await.unwrap();

        let first = store.list_accounts(acme, None, 2).await.unwrap();
        let rest = store.list_accounts(acme, Some(first[1].id), 9).await.unwrap();

        assert_eq!([first, rest].concat(), all);
        assert_eq!(store.count_accounts(acme).await.unwrap(), 3);
        assert_eq!(store.count_accounts(globex).await.unwrap(), 1);
        assert_eq!(store.count_accounts(OrganizationId::generate()).await.unwrap(), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn user_names_are_unique_in_any_case_of_letters() {
    for backend in stores().await {
        let store = &backend.store;
        let acme = organization_in(&**store, "acme").await;
        for (first, second) in [("alice", "ALICE"), ("Jürgen", "JÜRGEN"), ("Οδος", "ΟΔΟΣ")]
        {
            let holder = account_in(&**store, acme, first).await;
            let other = Account {
                user_name: second.into(),
                ..account(acme, &AccountId::generate().to_string())
            };

            let refused = store.insert_account(&other, &trail(acme, "created")).await.unwrap_err();

            let expected = AccountConflict::UserName(holder.id);
            assert!(matches!(refused, NotDone::Refused(conflict) if conflict == expected));
            assert_eq!(store.find_account(acme, other.id).await.unwrap(), None);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_is_taken_tells_who_has_it_also_when_an_account_is_changed() {
    for backend in stores().await {
        let store = &backend.store;
        let connector = directory_in(&**store, "acme").await;
        let acme = connector.organization_id;
        let by_hand = account_in(&**store, acme, "alice").await;
        let carol = account_of_in(&**store, &connector, "carol").await;
        let bob = account_of_in(&**store, &connector, "bob").await;
        let next = || Account { version: 2, ..bob.clone() };
        let conflicts = [
            (
                Account { user_name: "Alice".into(), ..next() },
                AccountConflict::UserName(by_hand.id),
            ),
            (
                Account { email: "ALICE@acme.example".into(), ..next() },
                AccountConflict::Email(by_hand.id),
            ),
            (
                Account { external_id: carol.external_id.clone(), ..next() },
                AccountConflict::ExternalId(carol.id),
            ),
        ];

        for (changed, expected) in conflicts {
            let refused =
                store.replace_account(&changed, 1, &trail(acme, "changed")).await.unwrap_err();

            assert!(matches!(refused, NotDone::Refused(conflict) if conflict == expected));
            assert_eq!(store.find_account(acme, bob.id).await.unwrap(), Some(bob.clone()));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn external_ids_are_a_connectors_own_compared_exactly_and_need_not_be_there() {
    for backend in stores().await {
        let store = &backend.store;
        let one = directory_in(&**store, "acme").await;
        let other = connector_in(&**store, one.organization_id).await;
        let external_ids = [Some("X"), Some("x"), None, None, Some("")];
        let connectors = [Some(one.id), Some(other.id), None];

        for (number, connector_id) in connectors.into_iter().enumerate() {
            for (place, external_id) in external_ids.into_iter().enumerate() {
                let external_id = external_id.map(str::to_owned);
                let name = format!("{number}-{place}");
                let account =
                    Account { connector_id, external_id, ..account(one.organization_id, &name) };

                let trail = trail(one.organization_id, "created");
                store.insert_account(&account, &trail).await.unwrap();
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_made_by_hand_is_taken_over_and_stands_last_in_the_list() {
    for backend in stores().await {
        let store = &backend.store;
        let connector = directory_in(&**store, "acme").await;
        let acme = connector.organization_id;
        let by_hand = Account { external_id: None, ..account(acme, "alice") };
        store.insert_account(&by_hand, &trail(acme, "created")).await.unwrap();
        account_of_in(&**store, &connector, "bob").await;
        let adopted =
            Account { id: by_hand.id, version: 2, ..account_of(&connector, "Alice the Great") };

        store.adopt_account(&adopted, 1, &trail(acme, "account.adopted")).await.unwrap();

        assert_eq!(store.find_account(acme, by_hand.id).await.unwrap(), Some(adopted.clone()));
        let all = from(Start::Offset(0), 9);
        let page = store.query_accounts(acme, connector.id, &all).await.unwrap();
        assert_eq!((page.total, user_names(&page)), (2, vec!["bob", "Alice the Great"]));
        let lookup = AccountLookup::ExternalId(connector.id, adopted.external_id.clone().unwrap());
        let found = store.find_account_by(acme, &lookup).await.unwrap();
        assert_eq!(found, Some(adopted));
        let revoked = store.list_revocations().await.unwrap();
        assert!(revoked.iter().any(|it| it.of == Revoked::Account(by_hand.id)), "its new name");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_is_somebodys_already_is_not_taken_over() {
    for backend in stores().await {
        let store = &backend.store;
        let connector = directory_in(&**store, "acme").await;
        let acme = connector.organization_id;
        let of_another = connector_in(&**store, acme).await;
        let of_another = Account { external_id: None, ..account_of(&of_another, "other's") };
        let with_external_id = account(acme, "with externalId");
        let linked = Account { external_id: None, ..account(acme, "linked") };
        let changed = Account { external_id: None, version: 2, ..account(acme, "changed") };
        for account in [&of_another, &with_external_id, &linked, &changed] {
            store.insert_account(account, &trail(acme, "created")).await.unwrap();
        }
        let link = link(&linked, &connector, "oid");
        store.insert_link(&link, &audit(acme, "linked")).await.unwrap();
        let before = store.list_audit_events(acme, 99).await.unwrap();

        for account in [of_another, with_external_id, linked, changed] {
            let taken = Account { connector_id: Some(connector.id), version: 3, ..account.clone() };
            let refused = store.adopt_account(&taken, 1, &trail(acme, "account.adopted")).await;

            assert!(matches!(refused, Err(NotDone::Refused(AccountConflict::Version))));
            assert_eq!(store.find_account(acme, account.id).await.unwrap(), Some(account));
        }
        assert_eq!(store.list_audit_events(acme, 99).await.unwrap(), before);
        let all = from(Start::Offset(0), 9);
        assert_eq!(store.query_accounts(acme, connector.id, &all).await.unwrap().total, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replacement_never_moves_an_account_to_another_connector() {
    for backend in stores().await {
        let store = &backend.store;
        let (alice, connector) = person(&**store).await;
        let acme = alice.organization_id;
        let another = connector_in(&**store, acme).await;

        for connector_id in [None, Some(another.id)] {
            let moved = Account { connector_id, version: 2, ..alice.clone() };
            let refused = store.replace_account(&moved, 1, &trail(acme, "moved")).await;

            assert!(matches!(refused, Err(NotDone::Refused(AccountConflict::Version))));
        }
        assert_eq!(alice.connector_id, Some(connector.id));
        assert_eq!(store.find_account(acme, alice.id).await.unwrap(), Some(alice));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_organizations_may_have_the_same_names() {
    for backend in stores().await {
        let store = &backend.store;
        let acme = organization_in(&**store, "acme").await;
        let globex = organization_in(&**store, "globex").await;
        account_in(&**store, acme, "alice").await;

        account_in(&**store, globex, "alice").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_organization_cannot_read_change_or_delete_anothers_account() {
    for backend in stores().await {
        let store = &backend.store;
        let acme = organization_in(&**store, "acme").await;
        let globex = organization_in(&**store, "globex").await;
        let alice = account_in(&**store, acme, "alice").await;
        let stolen = Account { organization_id: globex, version: 2, ..alice.clone() };

        let found = store.find_account(globex, alice.id).await.unwrap();
        let by_name = AccountLookup::UserName(alice.user_name.clone());
        let by_name = store.find_account_by(globex, &by_name).await.unwrap();
        let all = store.list_accounts(globex, None, 10).await.unwrap();
        let replaced = store.replace_account(&stolen, 1, &trail(globex, "stolen")).await;
        let deleted = store.delete_account(globex, alice.id, &trail(globex, "stolen")).await;

        assert_eq!((found, by_name, all), (None, None, Vec::new()));
        assert!(matches!(replaced, Err(NotDone::Refused(AccountConflict::Version))));
        assert!(!deleted.unwrap());
        assert_eq!(store.find_account(acme, alice.id).await.unwrap(), Some(alice));
        assert_eq!(store.list_audit_events(globex, 9).await.unwrap().len(), 1, "its creation");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replaced_account_is_read_as_it_was_replaced() {
    for backend in stores().await {
        let store = &backend.store;
        let acme = organization_in(&**store, "acme").await;
        let before = account_in(&**store, acme, "alice").await;
        let after = Account {
            user_name: "ALICE".into(),
            external_id: None,
            email: "lis@acme.example".into(),
            display_name: String::new(),
            active: false,
            scim_roles: Vec::new(),
            access_epoch: 2,
            version: 2,
            last_modified_at: after(60),
            attributes: serde_json::Map::new(),
            ..before
        };

        store.replace_account(&after, 1, &trail(acme, "account.changed")).await.unwrap();

        assert_eq!(store.find_account(acme, before.id).await.unwrap(), Some(after));
        let audited = store.list_audit_events(acme, 1).await.unwrap();
        assert_eq!(audited[0].action, "account.changed");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_replacements_from_one_version_one_wins() {
    for backend in stores().await {
        let store = &backend.store;
        let acme = organization_in(&**store, "acme").await;
        let alice = account_in(&**store, acme, "alice").await;
        let mut race = JoinSet::new();
        for writer in 0..16 {
            let store = store.clone();
            let display_name = format!("writer {writer}");
            let changed = Account { display_name, version: 2, ..alice.clone() };
            race.spawn(async move {
                let done = store.replace_account(&changed, 1, &trail(acme, "changed")).await;
                (changed, done)
            });
        }

        let (won, lost): (Vec<_>, Vec<_>) =
            race.join_all().await.into_iter().partition(|(_, done)| done.is_ok());

        assert_eq!(won.len(), 1);
        for (_, refusal) in &lost {
            assert!(matches!(refusal, Err(NotDone::Refused(AccountConflict::Version))));
        }
        assert_eq!(store.find_account(acme, alice.id).await.unwrap().as_ref(), Some(&won[0].0));
        assert_eq!(store.list_audit_events(acme, 99).await.unwrap().len(), 3, "of the winner only");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_simultaneous_creations_of_one_user_name_one_wins() {
    for backend in stores().await {
        let store = &backend.store;
        let acme = organization_in(&**store, "acme").await;
        let mut race = JoinSet::new();
        for _ in 0..16 {
            let (store, alice) = (store.clone(), account(acme, "alice"));
            race.spawn(async move { store.insert_account(&alice, &trail(acme, "created")).await });
        }

        let created = race.join_all().await.into_iter().flatten().count();

        assert_eq!(created, 1);
        assert_eq!(store.count_accounts(acme).await.unwrap(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_deleted_takes_its_link_and_sessions_with_it() {
    for backend in stores().await {
        let store = &backend.store;
        let (alice, connector) = person(&**store).await;
        let acme = alice.organization_id;
        let bob = account_in(&**store, acme, "bob").await;
        let second = connector_in(&**store, acme).await;
        for (account, subject) in [(&alice, "a"), (&bob, "b")] {
            let link = link(account, &connector, subject);
            store.insert_link(&link, &audit(acme, "linked")).await.unwrap();
            let request = link_request(account, &second, subject);
            store.insert_link_request(&request, &audit(acme, "asked")).await.unwrap();
            store.insert_session(&session(account, &connector), &hints()).await.unwrap();
        }

        let deleted = store.delete_account(acme, alice.id, &trail(acme, "deleted")).await.unwrap();

        assert!(deleted);
        assert_eq!(store.find_account(acme, alice.id).await.unwrap(), None);
        assert_eq!(store.find_link(acme, &subject("a")).await.unwrap(), None);
        assert_eq!(who_is_left(&**store).await, [bob.id, bob.id]);
        let sessions = store.list_live_sessions(after(1), None, 9).await.unwrap();
        assert_eq!(sessions.iter().map(|(s, _)| s.account_id).collect::<Vec<_>>(), [bob.id]);
        let again = store.delete_account(acme, alice.id, &trail(acme, "deleted")).await.unwrap();
        assert!(!again);
    }
}

async fn who_is_left(store: &(impl Store + ?Sized)) -> Vec<AccountId> {
    let acme = store.list_organizations().await.unwrap()[0].id;
    let linked = store.find_link(acme, &subject("b")).await.unwrap();
    let asking = store.list_link_requests(acme).await.unwrap();
    let asking = asking.into_iter().map(|request| request.account_id);
    linked.map(|link| link.account_id).into_iter().chain(asking).collect()
}
