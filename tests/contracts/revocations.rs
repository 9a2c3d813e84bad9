//! Changes that sessions must follow.

use portico::{
    domain::{account::Account, connector::Connector, secret::Secret, setup_link::SetupLink},
    ports::store::{Revocation, Revoked},
};

use crate::support::{WholeStore, account_in, after, audit, now, person, stores, trail};

async fn revoked(store: &dyn WholeStore) -> Vec<Revoked> {
    store.list_revocations().await.unwrap().iter().map(|revocation| revocation.of).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_change_that_sessions_must_follow_is_noted() {
    for backend in stores().await {
        let store = &*backend.store;
        let (alice, _) = person(store).await;
        let event = || trail(alice.organization_id, "changed");
        let next = |change: fn(&mut Account)| {
            let mut changed = Account { version: 2, ..alice.clone() };
            change(&mut changed);
            changed
        };
        for (changed, is_noted) in [
            (next(|account| account.user_name = "lis".into()), false),
            (next(|account| account.external_id = None), false),
            (next(|account| account.scim_roles = vec!["Admin".into()]), false),
            (next(|account| account.attributes.clear()), false),
            (next(|account| account.access_epoch += 1), true),
            (next(|account| account.email = "lis@acme.example".into()), true),
            (next(|account| account.display_name = "Lis".into()), true),
        ] {
            store.replace_account(&changed, 1, &event()).await.unwrap();
            let noted = revoked(store).await;
            store.delete_revocations_before(after(1)).await.unwrap();
            let back = Account { version: 1, access_epoch: 1, ..alice.clone() };
            store.replace_account(&back, 2, &event()).await.unwrap();
            store.delete_revocations_before(after(1)).await.unwrap();

            assert_eq!(noted == [Revoked::Account(alice.id)], is_noted, "{changed:?}");
            assert_eq!(noted.is_empty(), !is_noted, "{changed:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_was_refused_is_not_noted() {
    for backend in stores().await {
        let store = &*backend.store;
        let (alice, _) = person(store).await;
        let bob = account_in(store, alice.organization_id, "bob").await;
        let event = || trail(alice.organization_id, "changed");
        let late = Account { version: 8, access_epoch: 2, ..alice.clone() };
        let taken = Account { version: 2, access_epoch: 2, email: bob.email, ..alice.clone() };

        assert!(store.replace_account(&late, 7, &event()).await.is_err());
        assert!(store.replace_account(&taken, 1, &event()).await.is_err());

        assert_eq!(revoked(store).await, []);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_is_noted_and_so_is_a_connectors_other_authority() {
    for backend in stores().await {
        let store = &*backend.store;
        let (alice, connector) = person(store).await;
        let event = || audit(alice.organization_id, "changed");
        let renamed = Connector { client_id: "other".into(), ..connector.clone() };
        store.replace_connector(&renamed, &event()).await.unwrap();
        assert_eq!(revoked(store).await, []);

        let moved = Connector { authority: "https://other.example".into(), ..connector.clone() };
        store.replace_connector(&moved, &event()).await.unwrap();
        store.delete_account(alice.organization_id, alice.id, &event().into()).await.unwrap();
        store.delete_account(alice.organization_id, alice.id, &event().into()).await.unwrap();

        let mut noted = store.list_revocations().await.unwrap();
        noted.sort_by_key(|revocation| matches!(revocation.of, Revoked::Connector(_)));
        let organization_id = alice.organization_id;
        let of = |of| Revocation { organization_id, of, at: now() };
        let expected = [of(Revoked::Account(alice.id)), of(Revoked::Connector(connector.id))];
        assert_eq!(noted, expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_setup_that_moves_a_connector_notes_it() {
    for backend in stores().await {
        let store = &*backend.store;
        let (_, connector) = person(store).await;
        let event = || audit(connector.organization_id, "changed");
        let (token, link): (Secret, SetupLink) =
            SetupLink::issue(connector.organization_id, connector.id, now());
        store.insert_setup_link(&link, &event()).await.unwrap();
        let moved = Connector { authority: "https://other.example".into(), ..connector.clone() };

        store.complete_setup(&token.digest(), now(), &moved, &event()).await.unwrap();

        assert_eq!(revoked(store).await, [Revoked::Connector(connector.id)]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn old_revocations_are_forgotten_and_a_repeated_one_is_as_new_as_its_last() {
    for backend in stores().await {
        let store = &*backend.store;
        let (alice, _) = person(store).await;
        let bob = account_in(store, alice.organization_id, "bob").await;
        for (account, version, seconds) in [(&alice, 1, 0), (&bob, 1, 0), (&alice, 2, 60)] {
            let changed =
                Account { version: version + 1, access_epoch: version + 1, ..account.clone() };
            let event = audit(alice.organization_id, "changed");
            let event = portico::domain::audit_event::AuditEvent { at: after(seconds), ..event };
            store.replace_account(&changed, version, &event.into()).await.unwrap();
        }

        let forgotten = store.delete_revocations_before(after(60)).await.unwrap();

        assert_eq!(forgotten, 1);
        assert_eq!(revoked(store).await, [Revoked::Account(alice.id)]);
    }
}
