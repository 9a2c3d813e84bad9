//! Sessions in this process's memory, backed by the embedded database.
//!
//! # Why
//!
//! A check costs one lookup in a concurrent map that readers never wait for. What kills a session
//! is a number, its account's epoch, which a check reads beside it: revoking is one store, however
//! many sessions there are. Everything that gives access is durable before it is in memory;
//! everything that takes access away is in memory before it is durable.

mod entry;
mod sids;

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use papaya::HashMap;

use self::{
    entry::{AccountKey, Entry, Owner},
    sids::Sids,
};
use crate::{
    domain::{
        access_role::AccessRole,
        id::{AccountId, ConnectorId, OrganizationId},
        secret::SecretDigest,
        session::{Identity, Session, SignOutHints},
    },
    ports::{
        Unavailable,
        sessions::{EndedSession, LiveSession, Sessions},
        store::SessionRecords,
    },
};

/// Sessions read at once when they are loaded.
const LOADED_AT_ONCE: u64 = 2_000;

/// Sessions written or deleted in one command.
const WRITTEN_AT_ONCE: usize = 500;

/// Who is signed in, in this process's memory.
///
/// Whoever owns it calls [`Self::flush_last_seen`] and [`Self::sweep`] from time to time, and the
/// former once more before the process ends.
pub struct EmbeddedSessions {
    records: Arc<dyn SessionRecords>,
    sessions: HashMap<SecretDigest, Arc<Entry>>,
    owners: HashMap<AccountKey, Arc<Owner>>,
    sids: Sids,
}

impl EmbeddedSessions {
    /// The sessions of `records` that are alive at `now`.
    pub async fn open(
        records: Arc<dyn SessionRecords>,
        now: Timestamp,
    ) -> Result<Self, Unavailable> {
        let opened = Self {
            records,
            sessions: HashMap::new(),
            owners: HashMap::new(),
            sids: Sids::default(),
        };
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
        let unwritten = self.entries_where(Entry::is_unwritten);
        for entries in unwritten.chunks(WRITTEN_AT_ONCE) {
            let seen: Vec<_> =
                entries.iter().map(|entry| (entry.digest(), entry.last_seen_at())).collect();
            self.records.update_last_seen(&seen).await?;
            for (entry, (_, at)) in entries.iter().zip(seen) {
                entry.mark_written(at);
            }
        }
        Ok(())
    }

    /// Forgets the sessions that are beyond their limits at `now`, and finishes what
    /// [`Sessions::end`] could not write; how many records it deleted of the former.
    pub async fn sweep(&self, now: Timestamp) -> Result<u64, Unavailable> {
        // First, or a session in use would seem idle by its record.
        self.flush_last_seen().await?;
        self.delete_ended().await?;
        for entry in self.entries_where(|entry| !entry.is_within_limits(now)) {
            self.forget(&entry.digest());
        }
        self.delete_dead_records(now).await
    }

    /// Deletes the records of what was ended, and forgets it.
    async fn delete_ended(&self) -> Result<(), Unavailable> {
        let ended = self.entries_where(Entry::has_ended);
        for entries in ended.chunks(WRITTEN_AT_ONCE) {
            let digests: Vec<_> = entries.iter().map(|entry| entry.digest()).collect();
            self.records.delete_sessions(&digests).await?;
            for digest in &digests {
                self.forget(digest);
            }
        }
        Ok(())
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

    /// Takes a session out of memory, if it is still there.
    fn forget(&self, digest: &SecretDigest) {
        let entry = self.sessions.pin().remove(digest).cloned();
        if let Some(entry) = entry {
            self.sids.leave(&entry.live.load().session);
            self.leave(&entry.owner, digest);
        }
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
        self.sessions.sids.enter(&session);
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

#[async_trait]
impl Sessions for EmbeddedSessions {
    /// Racing a revocation: one that comes while the record is written reaches the account's
    /// entry, and the session is dead from birth; one that came before is seen by the caller, who
    /// reads the epoch once more.
    async fn create(
        &self,
        session: Session,
        hints: SignOutHints,
        identity: Identity,
    ) -> Result<(), Unavailable> {
        let reservation = self.reserve(&session, identity);
        self.records.insert_session(&session, &hints).await?;
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
        let before = owner.raise_epoch(access_epoch);
        let digests = owner.shared().digests.clone();
        let entries = digests.iter().filter_map(|digest| self.entry(digest));
        let sessions = entries.filter(|entry| !entry.has_ended()).map(|entry| entry.session());
        let killed = before..access_epoch;
        Ok(sessions.filter(|session| killed.contains(&session.access_epoch)).collect())
    }

    /// Those that a raised epoch has killed need no end of their own, and that is all of them as a
    /// rule.
    async fn end_of_account(
        &self,
        organization_id: OrganizationId,
        account_id: AccountId,
    ) -> Result<(), Unavailable> {
        let Some(owner) = self.owner((organization_id, account_id)) else { return Ok(()) };
        let digests = owner.shared().digests.clone();
        for entry in digests.iter().filter_map(|digest| self.entry(digest)) {
            if entry.session().access_epoch >= owner.epoch() {
                self.end(&entry.digest()).await?;
            }
        }
        Ok(())
    }

    async fn with_sessions(
        &self,
        mut accounts: Vec<(OrganizationId, AccountId)>,
    ) -> Result<Vec<(OrganizationId, AccountId)>, Unavailable> {
        accounts.retain(|key| self.owners.pin().contains_key(key));
        Ok(accounts)
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
        let _turn = entry.owner.changing.lock().await;
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
    /// and [`Self::sweep`] or the next call deletes it. A sweep that comes in between may forget the
    /// session and its hints, but does not take it from the caller. Of simultaneous calls one after
    /// the other deletes and takes, so the hints go to the one that gets the session.
    async fn end(&self, digest: &SecretDigest) -> Result<Option<EndedSession>, Unavailable> {
        let Some(entry) = self.entry(digest) else { return Ok(None) };
        entry.mark_ended();
        let _turn = entry.owner.changing.lock().await;
        let hints = self.records.take_session(digest).await?;
        self.forget(digest);
        Ok(entry.take().map(|session| EndedSession { session, hints }))
    }

    /// All of them are dead before the first record is deleted.
    async fn end_of_sid(
        &self,
        organization_id: OrganizationId,
        connector_id: ConnectorId,
        sid: &str,
    ) -> Result<Vec<Session>, Unavailable> {
        let entries: Vec<_> = self
            .sids
            .digests(connector_id, sid)
            .iter()
            .filter_map(|digest| self.entry(digest))
            .filter(|entry| entry.is_of(organization_id, connector_id))
            .collect();
        for entry in &entries {
            entry.mark_ended();
        }
        let mut ended = Vec::new();
        for entry in entries {
            ended.extend(self.end(&entry.digest()).await?.map(|ended| ended.session));
        }
        Ok(ended)
    }

    /// All of them are dead before the first record is deleted.
    async fn end_of_connector(
        &self,
        organization_id: OrganizationId,
        connector_id: ConnectorId,
        begun_until: Timestamp,
    ) -> Result<(), Unavailable> {
        let led_here = |entry: &Entry| {
            entry.is_of(organization_id, connector_id) && entry.began_until(begun_until)
        };
        for entry in self.entries_where(led_here) {
            entry.mark_ended();
        }
        self.delete_ended().await
    }

    /// In this process's memory they always can.
    async fn ping(&self) -> Result<(), Unavailable> {
        Ok(())
    }

    fn warning(&self) -> Option<&'static str> {
        None
    }
}
