//! Who is signed in.

use std::sync::Arc;

use portico::domain::{
    access_role::AccessRole, account::Account, secret::SecretDigest, session::Session,
};
use tokio::{sync::Barrier, task::JoinSet};

use crate::support::{
    Desk, account_in, after, connector_in, hints, identity, now, organization_in, session,
    sign_in_desks, trail,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_found_with_whom_it_speaks_for() {
    for desk in sign_in_desks().await {
        let session = desk.sign_in().await;

        let found = desk.sessions.find(&session.digest, now()).await.unwrap().unwrap();
        let unknown = desk.sessions.find(&SecretDigest::of(b"?"), now()).await.unwrap();

        assert_eq!((&found.session, &*found.identity), (&session, &desk.identity("Alice")));
        assert!(unknown.is_none());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_unused_for_its_idle_time_is_dead_and_each_use_counts() {
    for desk in sign_in_desks().await {
        let session = desk.sign_in().await;

        assert!(desk.is_alive(&session, after(1_799)).await);
        assert!(desk.is_alive(&session, after(1_799 + 1_799)).await);
        assert!(!desk.is_alive(&session, after(1_799 + 1_799 + 1_800)).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_in_time_whatever_is_done_with_it() {
    for desk in sign_in_desks().await {
        let session = desk.sign_in().await;

        for minutes in (0..8 * 60).step_by(20) {
            assert!(desk.is_alive(&session, after(minutes * 60)).await);
        }

        assert!(desk.is_alive(&session, after(8 * 3_600 - 1)).await);
        assert!(!desk.is_alive(&session, after(8 * 3_600)).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_ended_is_returned_once_and_found_no_more() {
    for desk in sign_in_desks().await {
        let [ended, other] = [desk.sign_in().await, desk.sign_in().await];

        let first = desk.sessions.end(&ended.digest).await.unwrap().unwrap();
        let second = desk.sessions.end(&ended.digest).await.unwrap();

        assert_eq!((&first.session, first.hints), (&ended, Some(hints())));
        assert!(second.is_none());
        assert!(!desk.is_alive(&ended, now()).await);
        assert!(desk.is_alive(&other, now()).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_simultaneous_ends_one_gets_the_session() {
    for desk in sign_in_desks().await {
        let session = desk.sign_in().await;
        let mut race = JoinSet::new();
        for _ in 0..8 {
            let sessions = desk.sessions.clone();
            race.spawn(async move { sessions.end(&session.digest).await.unwrap() });
        }

        let ended: Vec<_> = race.join_all().await.into_iter().flatten().collect();
        assert_eq!(ended.len(), 1);
        assert_eq!(ended[0].hints, Some(hints()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_accounts_sessions_are_listed_the_newest_first_with_their_last_use() {
    for desk in sign_in_desks().await {
        let old = desk.sign_in().await;
        let new = Session { created_at: after(10), ..session(&desk.account, &desk.connector) };
        desk.begin(new.clone()).await;
        let ended = desk.sign_in().await;
        desk.sessions.end(&ended.digest).await.unwrap();
        let idle =
            Session { last_seen_at: after(-1_800), ..session(&desk.account, &desk.connector) };
        desk.begin(idle).await;
        assert!(desk.is_alive(&old, after(60)).await);

        let Account { organization_id, id, .. } = desk.account;
        let listed = desk.sessions.list_of_account(organization_id, id, after(60)).await.unwrap();

        assert_eq!(listed, [new, Session { last_seen_at: after(60), ..old }]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_organization_cannot_see_or_revoke_anothers_sessions() {
    for desk in sign_in_desks().await {
        let globex = organization_in(&*desk.store, "globex").await;
        let session = desk.sign_in().await;

        let seen = desk.sessions.list_of_account(globex, desk.account.id, now()).await.unwrap();
        let killed = desk.sessions.revoke_before(globex, desk.account.id, 99).await.unwrap();
        let mallory = identity(&desk.account, "Mallory");
        desk.sessions.change_identity(globex, desk.account.id, mallory).await.unwrap();

        assert_eq!((seen, killed), (vec![], vec![]));
        let found = desk.sessions.find(&session.digest, now()).await.unwrap().unwrap();
        assert_eq!(*found.identity, desk.identity("Alice"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_kills_at_once_and_only_what_is_of_an_older_epoch() {
    for desk in sign_in_desks().await {
        let old = desk.sign_in().await;
        let epoch = desk.raise_epoch().await;
        let new = Session { access_epoch: epoch, ..session(&desk.account, &desk.connector) };
        desk.begin(new.clone()).await;
        let bob = account_in(&*desk.store, desk.account.organization_id, "bob").await;
        let of_bob = session(&bob, &desk.connector);
        desk.sessions.create(of_bob.clone(), hints(), identity(&bob, "Bob")).await.unwrap();

        let killed = desk.revoke_before(epoch).await;

        assert_eq!(killed, std::slice::from_ref(&old));
        assert!(!desk.is_alive(&old, now()).await);
        assert!(desk.is_alive(&new, now()).await);
        assert!(desk.is_alive(&of_bob, now()).await);
        assert_eq!(desk.revoke_before(1).await, [], "an older revocation changes nothing");
        assert!(desk.is_alive(&new, now()).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_session_lives_on_with_a_lesser_role() {
    for desk in sign_in_desks().await {
        let session = desk.sign_in().await;
        let epoch = desk.raise_epoch().await;
        let killed = desk.revoke_before(epoch).await;

        let lives = desk.sessions.change_role(&killed[0], AccessRole::User, epoch).await.unwrap();

        assert!(lives);
        let found = desk.sessions.find(&session.digest, now()).await.unwrap().unwrap();
        assert_eq!((found.session.role, found.session.access_epoch), (AccessRole::User, epoch));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_given_under_an_epoch_that_has_passed_gives_nothing() {
    for desk in sign_in_desks().await {
        let session = desk.sign_in().await;
        let second = desk.raise_epoch().await;
        let killed = desk.revoke_before(second).await;
        let third = desk.raise_epoch().await;
        desk.revoke_before(third).await;

        desk.sessions.change_role(&killed[0], AccessRole::User, second).await.unwrap();

        assert!(!desk.is_alive(&session, now()).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_killed_once_is_not_offered_a_role_by_a_later_revocation() {
    for desk in sign_in_desks().await {
        let session = desk.sign_in().await;
        let deactivated = desk.raise_epoch().await;
        assert_eq!(desk.revoke_before(deactivated).await, [session]);

        let lower_role = desk.raise_epoch().await;

        assert_eq!(desk.revoke_before(lower_role).await, []);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_cannot_bring_back_a_session_that_ended() {
    for desk in sign_in_desks().await {
        let session = desk.sign_in().await;
        desk.sessions.end(&session.digest).await.unwrap();

        let lives = desk.sessions.change_role(&session, AccessRole::User, 1).await.unwrap();

        assert!(!lives);
        assert!(!desk.is_alive(&session, now()).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_is_ended_while_its_role_changes_stays_ended() {
    for desk in sign_in_desks().await {
        for _ in 0..50 {
            let session = desk.sign_in().await;

            let (changed, ended) = tokio::join!(
                desk.sessions.change_role(&session, AccessRole::User, 1),
                desk.sessions.end(&session.digest),
            );

            changed.unwrap();
            assert!(ended.unwrap().is_some());
            assert!(!desk.is_alive(&session, now()).await);
        }
        assert_eq!(desk.store.list_live_sessions(now(), None, 9).await.unwrap(), []);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_name_shows_in_every_session_of_the_account() {
    for desk in sign_in_desks().await {
        let sessions = [desk.sign_in().await, desk.sign_in().await];
        let Account { organization_id, id, .. } = desk.account;
        let lis = desk.identity("Lis");

        desk.sessions.change_identity(organization_id, id, lis.clone()).await.unwrap();

        let later = desk.sign_in().await;
        for session in sessions.iter().chain([&later]) {
            let found = desk.sessions.find(&session.digest, now()).await.unwrap().unwrap();
            assert_eq!(*found.identity, lis);
            assert_eq!(found.session, *session);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connectors_end_ends_its_sessions_and_no_others() {
    for desk in sign_in_desks().await {
        let acme = desk.account.organization_id;
        let of_it = desk.sign_in().await;
        let second = connector_in(&*desk.store, acme).await;
        let other = session(&desk.account, &second);
        desk.begin(other.clone()).await;
        let globex = organization_in(&*desk.store, "globex").await;

        desk.sessions.end_of_connector(globex, desk.connector.id, now()).await.unwrap();
        let untouched = desk.is_alive(&of_it, now()).await;
        desk.sessions.end_of_connector(acme, desk.connector.id, now()).await.unwrap();

        assert!(untouched);
        assert!(!desk.is_alive(&of_it, now()).await);
        assert!(desk.is_alive(&other, now()).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connectors_end_spares_who_signed_in_after_it() {
    for desk in sign_in_desks().await {
        let before = desk.sign_in().await;
        let later = Session { created_at: after(1), ..session(&desk.account, &desk.connector) };
        desk.begin(later.clone()).await;
        let acme = desk.account.organization_id;

        desk.sessions.end_of_connector(acme, desk.connector.id, now()).await.unwrap();

        assert!(!desk.is_alive(&before, after(2)).await);
        assert!(desk.is_alive(&later, after(2)).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connectors_end_reaches_hundreds_of_sessions() {
    for desk in sign_in_desks().await {
        let mut begun = Vec::new();
        for _ in 0..600 {
            begun.push(desk.sign_in().await);
        }
        let acme = desk.account.organization_id;

        desk.sessions.end_of_connector(acme, desk.connector.id, now()).await.unwrap();

        for session in &begun {
            assert!(!desk.is_alive(session, now()).await);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sid_ends_its_sessions_at_its_connector_and_no_others() {
    for desk in sign_in_desks().await {
        let acme = desk.account.organization_id;
        let second = connector_in(&*desk.store, acme).await;
        let of_sid = |sid: Option<&str>, connector| Session {
            sid: sid.map(str::to_owned),
            ..session(&desk.account, connector)
        };
        let [one, two] = [desk.sign_in().await, desk.sign_in().await];
        let others = [
            of_sid(Some("another"), &desk.connector),
            of_sid(None, &desk.connector),
            of_sid(Some("sid"), &second),
        ];
        for other in &others {
            desk.begin(other.clone()).await;
        }
        let globex = organization_in(&*desk.store, "globex").await;
        let end = async |organization, sid| {
            let sessions = &desk.sessions;
            let mut ended =
                sessions.end_of_sid(organization, desk.connector.id, sid).await.unwrap();
            ended.sort_by_key(|session| *session.digest.as_bytes());
            ended
        };
        let mut expected = vec![one.clone(), two.clone()];
        expected.sort_by_key(|session| *session.digest.as_bytes());

        assert_eq!(end(acme, "nobody's").await, []);
        assert_eq!(end(globex, "sid").await, []);
        assert_eq!(end(acme, "sid").await, expected);
        assert_eq!(end(acme, "sid").await, [], "they have ended already");
        for ended in [&one, &two] {
            assert!(!desk.is_alive(ended, now()).await);
        }
        for other in &others {
            assert!(desk.is_alive(other, now()).await);
        }
    }
}

/// What sign-in does: reads the epoch, makes the session, and looks once more.
async fn sign_in_carefully<S>(desk: &Desk<S>, barrier: &Barrier) -> (Session, bool)
where
    S: portico::ports::sessions::Sessions + ?Sized,
{
    let Account { organization_id, id, .. } = desk.account;
    let epoch = desk.store.find_account(organization_id, id).await.unwrap().unwrap().access_epoch;
    barrier.wait().await;
    let session = Session { access_epoch: epoch, ..session(&desk.account, &desk.connector) };
    desk.begin(session.clone()).await;
    let now_epoch =
        desk.store.find_account(organization_id, id).await.unwrap().map(|found| found.access_epoch);
    let refused = now_epoch != Some(epoch);
    if refused {
        desk.sessions.end(&session.digest).await.unwrap();
    }
    (session, refused)
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_deactivated_while_signing_in_is_not_signed_in() {
    for desk in sign_in_desks().await {
        let desk = Arc::new(desk);
        for _ in 0..50 {
            let barrier = Arc::new(Barrier::new(2));
            let (person, at) = (desk.clone(), barrier.clone());
            let signing_in = tokio::spawn(async move { sign_in_carefully(&person, &at).await });

            barrier.wait().await;
            let epoch = desk.raise_epoch().await;
            desk.revoke_before(epoch).await;

            let (session, _) = signing_in.await.unwrap();
            assert!(!desk.is_alive(&session, now()).await);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_was_deactivated_before_the_session_was_made_sees_it_at_the_last_look() {
    for desk in sign_in_desks().await {
        let barrier = Barrier::new(2);
        let deactivated_first = async {
            let epoch = desk.raise_epoch().await;
            desk.revoke_before(epoch).await;
            barrier.wait().await;
        };

        let ((session, refused), ()) =
            tokio::join!(sign_in_carefully(&desk, &barrier), deactivated_first);

        assert!(refused || !desk.is_alive(&session, now()).await);
        assert!(!desk.is_alive(&session, now()).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_signs_in_again_after_all_its_sessions_ended_can_be_revoked() {
    for desk in sign_in_desks().await {
        let first = desk.sign_in().await;
        desk.sessions.end(&first.digest).await.unwrap();
        let second = desk.sign_in().await;

        let killed = desk.revoke_before(2).await;

        assert_eq!(killed, [second]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_whose_last_session_ends_while_another_begins_can_be_revoked() {
    for desk in sign_in_desks().await {
        let mut last = desk.sign_in().await;
        for _ in 0..200 {
            let next = session(&desk.account, &desk.connector);
            let (sessions, ending) = (desk.sessions.clone(), last.digest);
            let ended = tokio::spawn(async move { sessions.end(&ending).await.unwrap() });
            desk.begin(next.clone()).await;
            assert!(ended.await.unwrap().is_some());
            last = next;
        }

        let killed = desk.revoke_before(2).await;

        assert_eq!(killed, std::slice::from_ref(&last));
        assert!(!desk.is_alive(&last, now()).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_account_cannot_be_signed_in_to() {
    for desk in sign_in_desks().await {
        let Account { organization_id, id, .. } = desk.account;
        let before = desk.sign_in().await;
        let event = trail(organization_id, "deleted");
        desk.store.delete_account(organization_id, id, &event).await.unwrap();
        desk.revoke_before(u64::MAX).await;

        let epoch = desk
            .store
            .find_account(organization_id, id)
            .await
            .unwrap()
            .map(|found| found.access_epoch);

        assert_eq!(epoch, None);
        assert!(!desk.is_alive(&before, now()).await);
    }
}
