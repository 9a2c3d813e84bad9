//! What stands in memory: sessions and the accounts they belong to.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
};

use arc_swap::ArcSwap;
use jiff::Timestamp;

use crate::{
    domain::{
        id::{AccountId, ConnectorId, OrganizationId},
        secret::SecretDigest,
        session::{Identity, Session},
    },
    ports::sessions::LiveSession,
};

/// Uses closer together than this count as one.
const A_SECOND: i64 = 1_000_000;

/// Names an account.
pub(super) type AccountKey = (OrganizationId, AccountId);

/// A session in memory.
pub(super) struct Entry {
    /// What whoever asks is given; only [`Self::replace`] changes it.
    pub(super) live: ArcSwap<LiveSession>,
    /// Whose it is.
    pub(super) owner: Arc<Owner>,
    /// In microseconds since 1970.
    last_seen: AtomicI64,
    /// The `last_seen` that is written down.
    written: AtomicI64,
    /// Set before the record is deleted and never unset, so nothing that runs beside an end brings
    /// the session back.
    ended: AtomicBool,
    /// Set by the one caller that gets the session when it ends.
    taken: AtomicBool,
}

/// An account with sessions.
pub(super) struct Owner {
    /// Its name in the map.
    pub(super) key: AccountKey,
    /// The account's epoch as far as it was told here; sessions of an older one are dead.
    epoch: AtomicU64,
    /// Never held while waiting for the database.
    shared: Mutex<Shared>,
    /// Held by a change of role, and by an end, from the record to memory, so that both see changes
    /// in one order.
    pub(super) changing: tokio::sync::Mutex<()>,
}

/// What the sessions of an account have in common.
pub(super) struct Shared {
    /// Whom they speak for.
    pub(super) identity: Arc<Identity>,
    /// Which they are; also one that is only being made.
    pub(super) digests: Vec<SecretDigest>,
    /// Out of the map: whoever still holds it must look the account up again.
    pub(super) is_retired: bool,
}

impl Owner {
    /// An account whose first session is being made.
    pub(super) fn new(key: AccountKey, epoch: u64, identity: Arc<Identity>) -> Self {
        let shared = Shared { identity, digests: Vec::with_capacity(1), is_retired: false };
        Self {
            key,
            epoch: AtomicU64::new(epoch),
            shared: Mutex::new(shared),
            changing: tokio::sync::Mutex::new(()),
        }
    }

    /// Waits for others who change the account's sessions; the work of each is as long as the
    /// account has sessions.
    pub(super) fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sessions of an epoch below this are dead.
    pub(super) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::SeqCst)
    }

    /// From now on sessions of an epoch below `epoch` are dead; gives the epoch until now.
    pub(super) fn raise_epoch(&self, epoch: u64) -> u64 {
        self.epoch.fetch_max(epoch, Ordering::SeqCst)
    }
}

impl Entry {
    /// A session that is written down.
    pub(super) fn new(session: Session, identity: Arc<Identity>, owner: Arc<Owner>) -> Self {
        let last_seen = session.last_seen_at.as_microsecond();
        Self {
            live: ArcSwap::from_pointee(LiveSession { session, identity }),
            owner,
            last_seen: AtomicI64::new(last_seen),
            written: AtomicI64::new(last_seen),
            ended: AtomicBool::new(false),
            taken: AtomicBool::new(false),
        }
    }

    /// Its name in the map.
    pub(super) fn digest(&self) -> SecretDigest {
        self.live.load().session.digest
    }

    /// When it was used last.
    pub(super) fn last_seen_at(&self) -> Timestamp {
        let last_seen = self.last_seen.load(Ordering::Relaxed);
        Timestamp::from_microsecond(last_seen).expect("only timestamps are stored")
    }

    /// Notes a use.
    pub(super) fn touch(&self, now: Timestamp) {
        let now = now.as_microsecond();
        if now.saturating_sub(self.last_seen.load(Ordering::Relaxed)) >= A_SECOND {
            self.last_seen.store(now, Ordering::Relaxed);
        }
    }

    /// Whether it was used since its record was written.
    pub(super) fn is_unwritten(&self) -> bool {
        self.last_seen.load(Ordering::Relaxed) > self.written.load(Ordering::Relaxed)
    }

    /// Its record now has this last use.
    pub(super) fn mark_written(&self, at: Timestamp) {
        self.written.store(at.as_microsecond(), Ordering::Relaxed);
    }

    /// From now on it lets nobody in.
    pub(super) fn mark_ended(&self) {
        self.ended.store(true, Ordering::SeqCst);
    }

    /// The session, for the first who asks.
    pub(super) fn take(&self) -> Option<Session> {
        (!self.taken.swap(true, Ordering::SeqCst)).then(|| self.session())
    }

    /// Whether it was begun through this connector.
    pub(super) fn is_of(&self, organization_id: OrganizationId, connector_id: ConnectorId) -> bool {
        let live = self.live.load();
        let session = &live.session;
        (session.organization_id, session.connector_id) == (organization_id, connector_id)
    }

    /// Whether it was begun at this moment or before.
    pub(super) fn began_until(&self, moment: Timestamp) -> bool {
        self.live.load().session.created_at <= moment
    }

    /// Whether somebody ended it.
    pub(super) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::SeqCst)
    }

    /// Whether neither of its limits has passed at `now`.
    pub(super) fn is_within_limits(&self, now: Timestamp) -> bool {
        self.live.load().session.is_within_limits(self.last_seen_at(), now)
    }

    /// Whether it lets anybody in at `now`; `session` is what [`Self::live`] gave.
    pub(super) fn is_alive(&self, session: &Session, now: Timestamp) -> bool {
        session.access_epoch >= self.owner.epoch.load(Ordering::SeqCst)
            && !self.has_ended()
            && session.is_within_limits(self.last_seen_at(), now)
    }

    /// The session with its last use as known here.
    pub(super) fn session(&self) -> Session {
        let live = self.live.load();
        Session { last_seen_at: self.last_seen_at(), ..live.session.clone() }
    }

    /// Under the owner's lock, so that a change of role and one of identity don't undo each other.
    pub(super) fn replace(
        &self,
        _: &MutexGuard<'_, Shared>,
        session: Session,
        identity: Arc<Identity>,
    ) {
        self.live.store(Arc::new(LiveSession { session, identity }));
    }
}
