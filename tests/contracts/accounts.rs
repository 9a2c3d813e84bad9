//! Accounts.

use portico::{
    domain::{account::Account, id::AccountId},
    ports::{
        NotDone,
        store::{AccountConflict, AccountLookup, Store},
    },
};
use tokio::task::JoinSet;

use crate::support::{
    account, account_in, after, audit, connector_in, hints, link, link_request, organization_in,
    person, session, stores, subject,
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
        let acme = organization_in(&**store, "acme").await;
        let alice = account_in(&**store, acme, "Élise").await;
        account_in(&**store, acme, "bob").await;
        let lookups = [
            vec![AccountLookup::Id(alice.id)],
            vec![AccountLookup::UserName("éLISE".into())],
            vec![AccountLookup::ExternalId("external-Élise".into())],
            vec![AccountLookup::Email("ÉLISE@ACME.example".into())],
            vec![AccountLookup::Id(alice.id), AccountLookup::UserName("élise".into())],
        ];

        for conditions in lookups {
            let page = store.find_accounts(acme, &conditions, 0, 10).await.unwrap();

            assert_eq!((page.total, page.accounts), (1, vec![alice.clone()]), "{conditions:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn conditions_that_no_one_account_meets_find_none() {
    for backend in stores().await {
        let store = &backend.store;
        let acme = organization_in(&**store, "acme").await;
        let alice = account_in(&**store, acme, "alice").await;
        account_in(&**store, acme, "bob").await;
        let lookups = [
            vec![AccountLookup::UserName("alic".into())],
            vec![AccountLookup::UserName("alice%".into())],
            vec![AccountLookup::UserName("' OR 1=1 --".into())],
            vec![AccountLookup::ExternalId("EXTERNAL-alice".into())],
            vec![AccountLookup::Id(alice.id), AccountLookup::UserName("bob".into())],
        ];

        for conditions in lookups {
            let page = store.find_accounts(acme, &conditions, 0, 10).await.unwrap();

            assert_eq!((page.total, page.accounts), (0, vec![]), "{conditions:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_come_page_by_page_in_the_order_of_their_creation() {
    for backend in stores().await {
        let store = &backend.store;
        let acme = organization_in(&**store, "acme").await;
        let globex = organization_in(&**store, "globex").await;
        let mut all = Vec::new();
        for name in ["zoe", "alice", "mia", "bob", "eve"] {
            all.push(account_in(&**store, acme, name).await);
        }
        account_in(&**store, globex, "not here").await;
        let gone = all.remove(2);
        store.delete_account(acme, gone.id, &audit(acme, "deleted")).await.unwrap();

        for (offset, limit) in [(0, 2), (2, 2), (1, 100), (4, 1), (9, 1), (0, 0), (0, u64::MAX)] {
            let page = store.find_accounts(acme, &[], offset, limit).await.unwrap();

            let from = usize::try_from(offset).unwrap().min(all.len());
            let limit = usize::try_from(limit).unwrap();
            let expected: Vec<_> = all[from..].iter().take(limit).cloned().collect();
            assert_eq!((page.total, page.accounts), (4, expected), "{offset} {limit}");
        }
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

            let refused = store.insert_account(&other, &audit(acme, "created")).await.unwrap_err();

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
        let acme = organization_in(&**store, "acme").await;
        let alice = account_in(&**store, acme, "alice").await;
        let bob = account_in(&**store, acme, "bob").await;
        let next = || Account { version: 2, ..bob.clone() };
        let conflicts = [
            (Account { user_name: "Alice".into(), ..next() }, AccountConflict::UserName(alice.id)),
            (
                Account { email: "ALICE@acme.example".into(), ..next() },
                AccountConflict::Email(alice.id),
            ),
            (
                Account { external_id: alice.external_id.clone(), ..next() },
                AccountConflict::ExternalId(alice.id),
            ),
        ];

        for (changed, expected) in conflicts {
            let refused =
                store.replace_account(&changed, 1, &audit(acme, "changed")).await.unwrap_err();

            assert!(matches!(refused, NotDone::Refused(conflict) if conflict == expected));
            assert_eq!(store.find_account(acme, bob.id).await.unwrap(), Some(bob.clone()));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn external_ids_are_compared_exactly_and_need_not_be_there() {
    for backend in stores().await {
        let store = &backend.store;
        let acme = organization_in(&**store, "acme").await;
        for (name, external_id) in
            [("a", Some("X")), ("b", Some("x")), ("c", None), ("d", None), ("e", Some(""))]
        {
            let external_id = external_id.map(str::to_owned);
            let account = Account { external_id, ..account(acme, name) };

            store.insert_account(&account, &audit(acme, "created")).await.unwrap();
        }
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
        let by_id = [AccountLookup::Id(alice.id)];
        let page = store.find_accounts(globex, &by_id, 0, 10).await.unwrap();
        let all = store.find_accounts(globex, &[], 0, 10).await.unwrap();
        let replaced = store.replace_account(&stolen, 1, &audit(globex, "stolen")).await;
        let deleted = store.delete_account(globex, alice.id, &audit(globex, "stolen")).await;

        assert_eq!((found, page.total, all.total), (None, 0, 0));
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

        store.replace_account(&after, 1, &audit(acme, "account.changed")).await.unwrap();

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
                let done = store.replace_account(&changed, 1, &audit(acme, "changed")).await;
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
            race.spawn(async move { store.insert_account(&alice, &audit(acme, "created")).await });
        }

        let created = race.join_all().await.into_iter().flatten().count();

        assert_eq!(created, 1);
        assert_eq!(store.find_accounts(acme, &[], 0, 99).await.unwrap().total, 1);
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

        let deleted = store.delete_account(acme, alice.id, &audit(acme, "deleted")).await.unwrap();

        assert!(deleted);
        assert_eq!(store.find_account(acme, alice.id).await.unwrap(), None);
        assert_eq!(store.find_link(acme, &subject("a")).await.unwrap(), None);
        assert_eq!(who_is_left(&**store).await, [bob.id, bob.id]);
        let sessions = store.list_live_sessions(after(1), None, 9).await.unwrap();
        assert_eq!(sessions.iter().map(|(s, _)| s.account_id).collect::<Vec<_>>(), [bob.id]);
        let again = store.delete_account(acme, alice.id, &audit(acme, "deleted")).await.unwrap();
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
