//! What only the sessions in memory promise: how they stand to their records.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;
use jiff::Timestamp;
use portico::{
    domain::{
        access_role::AccessRole,
        secret::SecretDigest,
        session::{Identity, Session, SignOutHints},
    },
    ports::{Part, Unavailable, sessions::Sessions as _, store::SessionRecords},
    sessions::embedded::EmbeddedSessions,
};
use tokio::task::JoinSet;

use crate::support::{Desk, WholeStore, after, embedded_desk, hints, now, session};

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_alive_also_after_a_restart() {
    let desk = embedded_desk().await;
    let session = desk.sign_in().await;

    let desk = desk.reopened(after(60)).await;

    let found = desk.sessions.find(&session.digest, after(60)).await.unwrap().unwrap();
    assert_eq!(found.session, session);
    assert_eq!(*found.identity, desk.identity("Alice Liddell"), "as the account's record says");
}

#[tokio::test(flavor = "multi_thread")]
async fn thousands_of_sessions_are_alive_also_after_a_restart() {
    let desk = embedded_desk().await;
    let mut signed_in = JoinSet::new();
    for _ in 0..2_500 {
        let session = session(&desk.account, &desk.connector);
        let (sessions, alice) = (desk.sessions.clone(), desk.identity("Alice"));
        signed_in.spawn(async move {
            sessions.create(session.clone(), hints(), alice).await.unwrap();
            session
        });
    }
    let signed_in = signed_in.join_all().await;

    let desk = desk.reopened(now()).await;

    for session in &signed_in {
        assert!(desk.is_alive(session, now()).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_of_an_older_epoch_is_dead_also_after_a_restart() {
    let desk = embedded_desk().await;
    let session = desk.sign_in().await;
    desk.raise_epoch().await;

    let desk = desk.reopened(now()).await;

    assert!(!desk.is_alive(&session, now()).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_and_an_end_are_durable_before_they_are_answered() {
    let desk = embedded_desk().await;
    let [ended, re_roled] = [desk.sign_in().await, desk.sign_in().await];
    desk.sessions.end(&ended.digest).await.unwrap();
    desk.sessions.change_role(&re_roled, AccessRole::ReadOnly, 1).await.unwrap();

    let desk = desk.reopened(now()).await;

    assert!(!desk.is_alive(&ended, now()).await);
    let found = desk.sessions.find(&re_roled.digest, now()).await.unwrap().unwrap();
    assert_eq!(found.session.role, AccessRole::ReadOnly);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_use_survives_a_restart_once_it_is_flushed() {
    let desk = embedded_desk().await;
    let session = desk.sign_in().await;
    assert!(desk.is_alive(&session, after(1_500)).await);
    desk.sessions.flush_last_seen().await.unwrap();

    let desk = desk.reopened(after(3_000)).await;

    assert!(desk.is_alive(&session, after(3_000)).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_forgets_the_dead_and_spares_whoever_is_there() {
    let desk = embedded_desk().await;
    let [idle, used] = [desk.sign_in().await, desk.sign_in().await];
    assert!(desk.is_alive(&used, after(1_500)).await);

    let forgotten = desk.sessions.sweep(after(1_800)).await.unwrap();

    assert_eq!(forgotten, 1);
    assert!(desk.sessions.end(&idle.digest).await.unwrap().is_none(), "gone from memory");
    assert!(desk.is_alive(&used, after(1_800)).await);
    let desk = desk.reopened(after(1_800)).await;
    assert!(desk.is_alive(&used, after(1_800)).await);
}

/// Records that can't be written while `are_away` is set.
struct Records {
    store: Arc<dyn WholeStore>,
    are_away: AtomicBool,
}

impl Records {
    fn check(&self) -> Result<(), Unavailable> {
        if self.are_away.load(Ordering::SeqCst) {
            return Err(Unavailable {
                part: Part::Database,
                doing: "writing",
                cause: "away".into(),
            });
        }
        Ok(())
    }
}

#[async_trait]
impl SessionRecords for Records {
    async fn insert_session(
        &self,
        session: &Session,
        hints: &SignOutHints,
    ) -> Result<(), Unavailable> {
        self.check()?;
        self.store.insert_session(session, hints).await
    }

    async fn update_session_role(
        &self,
        digest: &SecretDigest,
        role: AccessRole,
        access_epoch: u64,
    ) -> Result<bool, Unavailable> {
        self.check()?;
        self.store.update_session_role(digest, role, access_epoch).await
    }

    async fn take_session(
        &self,
        digest: &SecretDigest,
    ) -> Result<Option<SignOutHints>, Unavailable> {
        self.check()?;
        self.store.take_session(digest).await
    }

    async fn delete_sessions(&self, digests: &[SecretDigest]) -> Result<(), Unavailable> {
        self.check()?;
        self.store.delete_sessions(digests).await
    }

    async fn update_last_seen(
        &self,
        seen: &[(SecretDigest, Timestamp)],
    ) -> Result<(), Unavailable> {
        self.check()?;
        self.store.update_last_seen(seen).await
    }

    async fn list_live_sessions(
        &self,
        now: Timestamp,
        after: Option<SecretDigest>,
        limit: u64,
    ) -> Result<Vec<(Session, Identity)>, Unavailable> {
        self.check()?;
        self.store.list_live_sessions(now, after, limit).await
    }

    async fn delete_dead_sessions(&self, now: Timestamp) -> Result<u64, Unavailable> {
        self.check()?;
        self.store.delete_dead_sessions(now).await
    }
}

/// A desk whose records can be taken away.
async fn desk_over_records() -> (Desk<EmbeddedSessions>, Arc<Records>) {
    let desk = embedded_desk().await;
    let records = Arc::new(Records { store: desk.store.clone(), are_away: AtomicBool::new(false) });
    let sessions = Arc::new(EmbeddedSessions::open(records.clone(), now()).await.unwrap());
    (Desk { sessions, ..desk }, records)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_whose_record_could_not_be_written_lets_nobody_in() {
    let (desk, records) = desk_over_records().await;
    let session = session(&desk.account, &desk.connector);
    records.are_away.store(true, Ordering::SeqCst);

    let created = desk.sessions.create(session.clone(), hints(), desk.identity("Alice")).await;

    assert!(created.is_err());
    assert!(!desk.is_alive(&session, now()).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_whose_end_could_not_be_written_is_dead_at_once_and_its_record_soon() {
    let (desk, records) = desk_over_records().await;
    let [swept, tried_again] = [desk.sign_in().await, desk.sign_in().await];
    records.are_away.store(true, Ordering::SeqCst);

    for session in [&swept, &tried_again] {
        assert!(desk.sessions.end(&session.digest).await.is_err());
        assert!(!desk.is_alive(session, now()).await);
        let role = desk.sessions.change_role(session, AccessRole::User, 1).await.unwrap();
        assert!(!role, "it has ended");
    }

    records.are_away.store(false, Ordering::SeqCst);
    let ended = desk.sessions.end(&tried_again.digest).await.unwrap().unwrap();
    assert_eq!((ended.session, ended.hints), (tried_again, Some(hints())));
    desk.sessions.sweep(now()).await.unwrap();
    assert_eq!(records.list_live_sessions(now(), None, 9).await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_could_not_be_written_is_not_given() {
    let (desk, records) = desk_over_records().await;
    let session = desk.sign_in().await;
    records.are_away.store(true, Ordering::SeqCst);

    let changed = desk.sessions.change_role(&session, AccessRole::EnterpriseAdmin, 1).await;

    assert!(changed.is_err());
    let found = desk.sessions.find(&session.digest, now()).await.unwrap().unwrap();
    assert_eq!(found.session.role, session.role);
}

#[tokio::test(flavor = "multi_thread")]
async fn checks_and_revocations_work_while_the_records_are_away() {
    let (desk, records) = desk_over_records().await;
    let session = desk.sign_in().await;
    records.are_away.store(true, Ordering::SeqCst);

    assert!(desk.is_alive(&session, after(60)).await);
    let killed = desk.revoke_before(2).await;

    assert_eq!(killed, [Session { last_seen_at: after(60), ..session.clone() }]);
    assert!(!desk.is_alive(&session, after(60)).await);
    assert!(desk.sessions.sweep(after(60)).await.is_err());
}
