//! Sessions at rest.

use portico::domain::{
    access_role::AccessRole,
    account::Account,
    organization::Slug,
    secret::{Secret, SecretDigest},
    session::{Identity, Session},
};

use crate::support::{
    WholeStore, account, after, hints, now, organization_in, person, session, stores, trail,
};

async fn live(store: &dyn WholeStore, second: i64) -> Vec<Session> {
    let listed = store.list_live_sessions(after(second), None, 9_999).await.unwrap();
    listed.into_iter().map(|(session, _)| session).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_read_as_it_was_written_with_whom_it_speaks_for() {
    for backend in stores().await {
        let store = &backend.store;
        let (alice, connector) = person(&**store).await;
        let session = Session { token_role: None, sid: None, ..session(&alice, &connector) };
        store.insert_session(&session, &hints()).await.unwrap();

        let listed = store.list_live_sessions(now(), None, 9).await.unwrap();

        let acme = Slug::parse("acme").unwrap();
        let identity = Identity::new(alice.id, &alice.email, &alice.display_name, &acme);
        assert_eq!(listed, [(session, identity)]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_are_listed_in_parts_in_the_order_of_their_digests() {
    for backend in stores().await {
        let store = &backend.store;
        let (alice, connector) = person(&**store).await;
        let mut digests: Vec<_> = (0..5).map(|_| Secret::generate().digest()).collect();
        for digest in &digests {
            let session = Session { digest: *digest, ..session(&alice, &connector) };
            store.insert_session(&session, &hints()).await.unwrap();
        }
        digests.sort_by_key(|digest| *digest.as_bytes());

        let mut read: Vec<SecretDigest> = Vec::new();
        for expected in [2, 2, 1, 0] {
            let after = read.last().copied();
            let part = store.list_live_sessions(now(), after, 2).await.unwrap();
            assert_eq!(part.len(), expected);
            read.extend(part.iter().map(|(session, _)| session.digest));
        }

        assert_eq!(read, digests);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_sessions_within_their_limits_and_of_the_present_epoch_are_listed() {
    for backend in stores().await {
        let store = &backend.store;
        let (alice, connector) = person(&**store).await;
        let session = session(&alice, &connector);
        store.insert_session(&session, &hints()).await.unwrap();
        let seen = [(session.digest, after(7 * 3_600 + 3_000))];

        assert_eq!(live(&**store, 1_799).await.len(), 1, "within both limits");
        assert_eq!(live(&**store, 1_800).await, [], "idle");
        store.update_last_seen(&seen).await.unwrap();
        assert_eq!(live(&**store, 8 * 3_600 - 1).await.len(), 1, "used meanwhile");
        assert_eq!(live(&**store, 8 * 3_600).await, [], "in all too old");

        let deactivated = Account { access_epoch: 2, version: 2, ..alice.clone() };
        let event = trail(alice.organization_id, "deactivated");
        store.replace_account(&deactivated, 1, &event).await.unwrap();
        assert_eq!(live(&**store, 8 * 3_600 - 1).await, [], "of an older epoch");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_gets_another_role_but_never_that_of_an_older_epoch() {
    for backend in stores().await {
        let store = &backend.store;
        let (alice, connector) = person(&**store).await;
        let alice = Account { access_epoch: 3, version: 2, ..alice };
        let event = trail(alice.organization_id, "changed");
        store.replace_account(&alice, 1, &event).await.unwrap();
        let session = session(&alice, &connector);
        store.insert_session(&session, &hints()).await.unwrap();
        let role_of = async |role, epoch| {
            store.update_session_role(&session.digest, role, epoch).await.unwrap()
        };

        assert!(role_of(AccessRole::User, 3).await);
        assert!(!role_of(AccessRole::EnterpriseAdmin, 2).await);

        let expected = Session { role: AccessRole::User, ..session.clone() };
        assert_eq!(live(&**store, 0).await, [expected]);
        store.delete_sessions(&[session.digest]).await.unwrap();
        assert!(!role_of(AccessRole::User, 3).await, "it has ended");
        assert_eq!(live(&**store, 0).await, []);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_use_is_noted_and_passes_over_sessions_that_have_ended() {
    for backend in stores().await {
        let store = &backend.store;
        let (alice, connector) = person(&**store).await;
        let [one, ended] = [session(&alice, &connector), session(&alice, &connector)];
        store.insert_session(&one, &hints()).await.unwrap();

        let seen = [(ended.digest, after(9)), (one.digest, after(10)), (one.digest, after(5))];
        store.update_last_seen(&seen).await.unwrap();

        assert_eq!(live(&**store, 0).await, [Session { last_seen_at: after(10), ..one }]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_beyond_their_limits_are_forgotten_others_stay() {
    for backend in stores().await {
        let store = &backend.store;
        let (alice, connector) = person(&**store).await;
        let fresh = session(&alice, &connector);
        let idle = Session { last_seen_at: after(-1_801), ..session(&alice, &connector) };
        let old = Session { expires_at: now(), ..session(&alice, &connector) };
        for session in [&fresh, &idle, &old] {
            store.insert_session(session, &hints()).await.unwrap();
        }

        let forgotten = store.delete_dead_sessions(now()).await.unwrap();

        assert_eq!(forgotten, 2);
        assert_eq!(live(&**store, 0).await, [fresh]);
        assert_eq!(live(&**store, -3_600).await.len(), 1, "the others are gone for good");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_of_an_account_deleted_meanwhile_is_not_kept() {
    for backend in stores().await {
        let store = &backend.store;
        let (alice, connector) = person(&**store).await;
        let nobody = account(alice.organization_id, "nobody");

        store.insert_session(&session(&nobody, &connector), &hints()).await.unwrap();

        assert_eq!(live(&**store, 0).await, []);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_organization_cannot_have_a_session_of_anothers_account() {
    for backend in stores().await {
        let store = &backend.store;
        let (alice, connector) = person(&**store).await;
        let globex = organization_in(&**store, "globex").await;

        let stolen = Session { organization_id: globex, ..session(&alice, &connector) };
        store.insert_session(&stolen, &hints()).await.unwrap();

        assert_eq!(live(&**store, 0).await, []);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_taken_once_with_its_hints() {
    for backend in stores().await {
        let store = &backend.store;
        let (alice, connector) = person(&**store).await;
        let session = session(&alice, &connector);
        store.insert_session(&session, &hints()).await.unwrap();

        let first = store.take_session(&session.digest).await.unwrap();
        let second = store.take_session(&session.digest).await.unwrap();

        assert_eq!((first, second), (Some(hints()), None));
        assert_eq!(live(&**store, 0).await, []);
    }
}
