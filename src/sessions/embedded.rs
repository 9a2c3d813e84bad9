//! Sessions in this process's memory, backed by the embedded database.
//!
//! # Why
//!
//! A check costs one lookup in a concurrent map that readers never wait for. What kills a session
//! is a number, its account's epoch, which a check reads beside it: revoking is one store, however
//! many sessions there are. Everything that gives access is durable before it is in memory;
//! everything that takes access away is in memory before it is durable.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
};

use arc_swap::ArcSwap;
use async_trait::async_trait;
use jiff::Timestamp;
use papaya::HashMap;

use crate::{
    domain::{
        access_role::AccessRole,
        id::{AccountId, OrganizationId},
        secret::SecretDigest,
        session::{Identity, Session},
    },
    ports::{
        Unavailable,
        sessions::{LiveSession, Sessions},
        store::SessionRecords,
    },
};

/// Sessions read at once when they are loaded.
const LOADED_AT_ONCE: u64 = 2_000;

/// Sessions written or deleted in one command.
const WRITTEN_AT_ONCE: usize = 500;

/// Uses closer together than this count as one.
const A_SECOND: i64 = 1_000_000;

/// Who is signed in, in this process's memory.
///
/// Whoever owns it calls [`Self::flush_last_seen`] and [`Self::sweep`] from time to time, and the
/// former once more before the process ends.
pub struct EmbeddedSessions {
    records: Arc<dyn SessionRecords>,
    sessions: HashMap<SecretDigest, Arc<Entry>>,
    owners: HashMap<AccountKey, Arc<Owner>>,
}

type AccountKey = (OrganizationId, AccountId);

/// A session in memory.
struct Entry {
    live: ArcSwap<LiveSession>,
    owner: Arc<Owner>,
    /// In microseconds since 1970.
    last_seen: AtomicI64,
    /// The `last_seen` that is written down.
    written: AtomicI64,
    /// Set before the record is deleted and never unset, so nothing that runs beside
    /// [`Sessions::end`] brings the session back.
    ended: AtomicBool,
}

/// An account with sessions.
struct Owner {
    key: AccountKey,
    /// The account's epoch as far as it was told here; sessions of an older one are dead.
    epoch: AtomicU64,
    /// What its sessions share; never held while waiting for the database.
    shared: Mutex<Shared>,
    /// Held by a change of role from its record to memory, so that both see changes in one order.
    changing_role: tokio::sync::Mutex<()>,
}

struct Shared {
    identity: Arc<Identity>,
    digests: Vec<SecretDigest>,
    /// Out of the map: whoever still holds it must look the account up again.
    is_retired: bool,
}

impl EmbeddedSessions {
    /// The sessions of `records` that are alive at `now`.
    pub async fn open(
        records: Arc<dyn SessionRecords>,
        now: Timestamp,
    ) -> Result<Self, Unavailable> {
        let opened = Self { records, sessions: HashMap::new(), owners: HashMap::new() };
        let mut after = None;
        loop {
            let loaded = opened.records.list_live_sessions(now, after, LOADED_AT_ONCE).await?;
            let Some((last, _)) = loaded.last() else { return Ok(opened) };
            after = Some(last.digest);
            for (session, identity) in loaded {
                opened.reserve(&session, identity).publish(session);
            }
        }
    }

    /// Writes down when sessions were last used, those whose use is not written yet.
    pub async fn flush_last_seen(&self) -> Result<(), Unavailable> {
        let unwritten = self.entries_where(|entry| entry.seen() > entry.written());
        for entries in unwritten.chunks(WRITTEN_AT_ONCE) {
            let seen: Vec<_> =
                entries.iter().map(|entry| (entry.digest(), entry.last_seen_at())).collect();
            self.records.update_last_seen(&seen).await?;
            for (entry, (_, at)) in entries.iter().zip(seen) {
                entry.written.store(at.as_microsecond(), Ordering::Relaxed);
            }
        }
        Ok(())
    }

    /// Forgets the sessions that are beyond their limits at `now`, and finishes what
    /// [`Sessions::end`] could not write; how many records it deleted of the former.
    pub async fn sweep(&self, now: Timestamp) -> Result<u64, Unavailable> {
        // First, or a session in use would seem idle by its record.
        self.flush_last_seen().await?;
        let ended = self.entries_where(Entry::has_ended);
        for entries in ended.chunks(WRITTEN_AT_ONCE) {
            let digests: Vec<_> = entries.iter().map(|entry| entry.digest()).collect();
            self.records.delete_sessions(&digests).await?;
            for digest in &digests {
                self.forget(digest);
            }
        }
        for entry in self.entries_where(|entry| !entry.is_within_limits(now)) {
            self.forget(&entry.digest());
        }
        self.delete_dead_records(now).await
    }

    async fn delete_dead_records(&self, now: Timestamp) -> Result<u64, Unavailable> {
        let mut deleted = 0;
        loop {
            match self.records.delete_dead_sessions(now).await? {
                0 => return Ok(deleted),
                some => deleted += some,
            }
        }
    }

    fn entry(&self, digest: &SecretDigest) -> Option<Arc<Entry>> {
        self.sessions.pin().get(digest).cloned()
    }

    fn entries_where(&self, wanted: impl Fn(&Entry) -> bool) -> Vec<Arc<Entry>> {
        let sessions = self.sessions.pin();
        sessions.values().filter(|entry| wanted(entry)).cloned().collect()
    }

    fn owner(&self, key: AccountKey) -> Option<Arc<Owner>> {
        self.owners.pin().get(&key).cloned()
    }

    /// Enters a session's digest at its account, before there is a session of that digest: a
    /// revocation from now on reaches it.
    ///
    /// An account that has sessions already keeps the identity it has, which is never older.
    fn reserve(&self, session: &Session, identity: Identity) -> Reservation<'_> {
        let key = (session.organization_id, session.account_id);
        let identity = Arc::new(identity);
        loop {
            let make = || Arc::new(Owner::new(key, session.access_epoch, identity.clone()));
            let owner = self.owners.pin().get_or_insert_with(key, make).clone();
            let mut shared = owner.shared();
            if !shared.is_retired {
                shared.digests.push(session.digest);
                drop(shared);
                return Reservation { sessions: self, owner, digest: session.digest, keep: false };
            }
        }
    }

    /// Takes a session out of memory; of two callers, one gets it.
    fn forget(&self, digest: &SecretDigest) -> Option<Arc<Entry>> {
        let entry = self.sessions.pin().remove(digest).cloned()?;
        self.leave(&entry.owner, digest);
        Some(entry)
    }

    fn leave(&self, owner: &Owner, digest: &SecretDigest) {
        let mut shared = owner.shared();
        shared.digests.retain(|other| other != digest);
        if shared.digests.is_empty() {
            shared.is_retired = true;
            self.owners.pin().remove(&owner.key);
        }
    }
}

/// A digest entered at its account, taken back unless the session is published: also where the
/// caller goes away halfway.
struct Reservation<'sessions> {
    sessions: &'sessions EmbeddedSessions,
    owner: Arc<Owner>,
    digest: SecretDigest,
    keep: bool,
}

impl Reservation<'_> {
    fn publish(mut self, session: Session) {
        self.keep = true;
        let shared = self.owner.shared();
        let entry = Entry::new(session, shared.identity.clone(), self.owner.clone());
        // Under the lock, or a change of identity that runs beside it would miss this session.
        self.sessions.sessions.pin().insert(self.digest, Arc::new(entry));
    }
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        if !self.keep {
            self.sessions.leave(&self.owner, &self.digest);
        }
    }
}

impl Owner {
    fn new(key: AccountKey, epoch: u64, identity: Arc<Identity>) -> Self {
        let shared = Shared { identity, digests: Vec::with_capacity(1), is_retired: false };
        Self {
            key,
            epoch: AtomicU64::new(epoch),
            shared: Mutex::new(shared),
            changing_role: tokio::sync::Mutex::new(()),
        }
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::SeqCst)
    }
}

impl Entry {
    fn new(session: Session, identity: Arc<Identity>, owner: Arc<Owner>) -> Self {
        let last_seen = session.last_seen_at.as_microsecond();
        Self {
            live: ArcSwap::from_pointee(LiveSession { session, identity }),
            owner,
            last_seen: AtomicI64::new(last_seen),
            written: AtomicI64::new(last_seen),
            ended: AtomicBool::new(false),
        }
    }

    fn digest(&self) -> SecretDigest {
        self.live.load().session.digest
    }

    fn seen(&self) -> i64 {
        self.last_seen.load(Ordering::Relaxed)
    }

    fn written(&self) -> i64 {
        self.written.load(Ordering::Relaxed)
    }

    fn last_seen_at(&self) -> Timestamp {
        Timestamp::from_microsecond(self.seen()).expect("only timestamps are stored")
    }

    fn has_ended(&self) -> bool {
        self.ended.load(Ordering::SeqCst)
    }

    fn is_within_limits(&self, now: Timestamp) -> bool {
        self.live.load().session.is_within_limits(self.last_seen_at(), now)
    }

    /// Whether it lets anybody in at `now`.
    fn is_alive(&self, session: &Session, now: Timestamp) -> bool {
        session.access_epoch >= self.owner.epoch()
            && !self.has_ended()
            && session.is_within_limits(self.last_seen_at(), now)
    }

    fn touch(&self, now: Timestamp) {
        let now = now.as_microsecond();
        if now.saturating_sub(self.seen()) >= A_SECOND {
            self.last_seen.store(now, Ordering::Relaxed);
        }
    }

    /// The session with its last use as known here.
    fn session(&self) -> Session {
        let live = self.live.load();
        Session { last_seen_at: self.last_seen_at(), ..live.session.clone() }
    }

    /// Under the owner's lock, so that a change of role and one of identity don't undo each other.
    fn replace(&self, _: &MutexGuard<'_, Shared>, session: Session, identity: Arc<Identity>) {
        self.live.store(Arc::new(LiveSession { session, identity }));
    }
}

#[async_trait]
impl Sessions for EmbeddedSessions {
    /// Racing a revocation: one that comes while the record is written reaches the account's
    /// entry, and the session is dead from birth; one that came before is seen by the caller, who
    /// reads the epoch once more.
    async fn create(&self, session: Session, identity: Identity) -> Result<(), Unavailable> {
        let reservation = self.reserve(&session, identity);
        self.records.insert_session(&session).await?;
        reservation.publish(session);
        Ok(())
    }

    /// Racing [`Self::end`]: its mark is set before it writes, so whoever asks after that gets
    /// nothing.
    async fn find(
        &self,
        digest: &SecretDigest,
        now: Timestamp,
    ) -> Result<Option<Arc<LiveSession>>, Unavailable> {
        let sessions = self.sessions.pin();
        let Some(entry) = sessions.get(digest) else { return Ok(None) };
        let live = entry.live.load_full();
        if !entry.is_alive(&live.session, now) {
            return Ok(None);
        }
        entry.touch(now);
        Ok(Some(live))
    }

    async fn list_of_account(
        &self,
        organization_id: OrganizationId,
        account_id: AccountId,
        now: Timestamp,
    ) -> Result<Vec<Session>, Unavailable> {
        let Some(owner) = self.owner((organization_id, account_id)) else { return Ok(Vec::new()) };
        let digests = owner.shared().digests.clone();
        let entries = digests.iter().filter_map(|digest| self.entry(digest));
        let alive = entries.filter(|entry| entry.is_alive(&entry.live.load().session, now));
        let mut sessions: Vec<_> = alive.map(|entry| entry.session()).collect();
        sessions.sort_by_key(|session| std::cmp::Reverse(session.created_at));
        Ok(sessions)
    }

    /// Returns those that this call killed. One that an earlier revocation killed and nobody gave
    /// a role since stays dead for good, so a later, milder loss does not bring it back.
    async fn revoke_before(
        &self,
        organization_id: OrganizationId,
        account_id: AccountId,
        access_epoch: u64,
    ) -> Result<Vec<Session>, Unavailable> {
        let Some(owner) = self.owner((organization_id, account_id)) else { return Ok(Vec::new()) };
        let before = owner.epoch.fetch_max(access_epoch, Ordering::SeqCst);
        let digests = owner.shared().digests.clone();
        let entries = digests.iter().filter_map(|digest| self.entry(digest));
        let sessions = entries.filter(|entry| !entry.has_ended()).map(|entry| entry.session());
        let killed = before..access_epoch;
        Ok(sessions.filter(|session| killed.contains(&session.access_epoch)).collect())
    }

    /// Racing [`Self::end`]: only a record and an entry that are there are changed, none is made,
    /// and the entry keeps the mark that it has ended.
    async fn change_role(
        &self,
        session: &Session,
        role: AccessRole,
        access_epoch: u64,
    ) -> Result<bool, Unavailable> {
        let Some(entry) = self.entry(&session.digest) else { return Ok(false) };
        let _turn = entry.owner.changing_role.lock().await;
        if entry.has_ended()
            || !self.records.update_session_role(&session.digest, role, access_epoch).await?
        {
            return Ok(false);
        }
        let shared = entry.owner.shared();
        let session = Session { access_epoch, role, ..entry.live.load().session.clone() };
        entry.replace(&shared, session, shared.identity.clone());
        Ok(!entry.has_ended())
    }

    /// In memory alone: sessions that are loaded read their account's record anew.
    async fn change_identity(
        &self,
        organization_id: OrganizationId,
        account_id: AccountId,
        identity: Identity,
    ) -> Result<(), Unavailable> {
        let Some(owner) = self.owner((organization_id, account_id)) else { return Ok(()) };
        let mut shared = owner.shared();
        shared.identity = Arc::new(identity);
        for entry in shared.digests.iter().filter_map(|digest| self.entry(digest)) {
            let session = entry.live.load().session.clone();
            entry.replace(&shared, session, shared.identity.clone());
        }
        Ok(())
    }

    /// Where the record can't be deleted now, the session is dead nevertheless, the error says so,
    /// and [`Self::sweep`] or the next call deletes it.
    async fn end(&self, digest: &SecretDigest) -> Result<Option<Session>, Unavailable> {
        let Some(entry) = self.entry(digest) else { return Ok(None) };
        entry.ended.store(true, Ordering::SeqCst);
        self.records.delete_sessions(&[*digest]).await?;
        Ok(self.forget(digest).map(|entry| entry.session()))
    }
}
