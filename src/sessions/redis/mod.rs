//! Sessions and sign-ins under way in one Redis, for several processes at once.
//!
//! # Why
//!
//! Each session is one hash, so each step is one script on one key: no two steps can interleave
//! within it, and a cluster needs no two keys in one place. What ends a session takes its record
//! away or raises a number in it; what lets somebody in reads that record and nothing else.
//! Indices (by account, by connector, by `sid`) only lead to records: a session is entered there
//! before its record is written, so a record that cannot be reached never exists.
//!
//! # What lies there
//!
//! A key is the configured prefix, the letter of its kind (`Kind`), and in braces, by which a
//! cluster chooses its place, a name in hexadecimal: `portico:s:{0f…}`.
//!
//! | Key | Type | What it holds | Until when |
//! |---|---|---|---|
//! | `s:{session}` | hash | A session: `session` (what never changes), `identity`, `role`, `epoch`, `killed_before` (dead if its epoch is below), `last_seen`, `hints` (sealed) | A minute after it is idle for too long, its absolute end at the latest |
//! | `a:{account}` | hash | Per session of the account its digest and its absolute end; `identity`, which they have in common | The last absolute end in it |
//! | `c:{connector}` | sorted set | The digests of the connector's sessions, by their absolute end | The last of these |
//! | `i:{sid}` | sorted set | The same for a connector's `sid` | The last of these |
//! | `t:{state}` | hash | A sign-in under way: `login` (sealed), `expires_at` | It is taken, or expires |
//! | `b:{browser}` | list | The browser's sign-ins under way, the latest first: when each began, the digest of its `state`, that of where it leads | As long as a sign-in from the latest on |
//! | `v:{browser}` | list | Where the browser's sign-ins arrived, the latest first: when, the digest of where | [A minute](crate::ports::logins::ARRIVAL_REMEMBERED) after the latest |
//! | `o:{organization}` | sorted set | The `state` digests of the organization's sign-ins under way, in the order in which they began | As long as a sign-in from the latest on |
//!
//! A session is named by its token's digest; an account by its organization's identifier and its
//! own; a `sid` by the digest of the connector's identifier and the `sid`. Moments are
//! microseconds since 1970. How the values are written is in `record.rs`.
//!
//! Times are judged by the `now` that is handed in; Redis's own clock only clears away what is
//! dead already.

mod ends;
mod foreign;
mod index;
mod link;
mod logins;
mod record;
mod scripts;
mod server;

use std::{cmp::Reverse, sync::Arc};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use redis::Value;

use self::{
    index::not_an_index,
    record::{FIELDS, HINTS, Record, bulk, place},
};
pub use self::{
    link::{Interruption, Redis},
    logins::RedisLogins,
};
use crate::{
    domain::{
        access_role::AccessRole,
        id::{AccountId, ConnectorId, OrganizationId},
        master_key::MasterKey,
        secret::SecretDigest,
        session::{Identity, Session, SignOutHints},
    },
    ports::{
        Unavailable,
        sessions::{EndedSession, LiveSession, Sessions},
    },
};

/// The kinds of keys, by their letters.
#[derive(Clone, Copy, Debug)]
#[repr(u8)]
enum Kind {
    /// A session's record.
    Session = b's',
    /// The sessions of an account.
    Account = b'a',
    /// The sessions of a connector.
    Connector = b'c',
    /// The sessions of a connector's `sid`.
    Sid = b'i',
    /// A sign-in under way.
    Login = b't',
    /// The sign-ins under way of a browser.
    LoginsOfBrowser = b'b',
    /// The arrivals of a browser.
    Arrivals = b'v',
    /// The sign-ins under way of an organization.
    LoginsOfOrganization = b'o',
}

/// Above every epoch that an account has; the greatest number that Lua counts to.
const GREATEST_EPOCH: u64 = 1 << 53;

/// A use this long after the one that is written down is written down.
const TOUCHED_EVERY: SignedDuration = SignedDuration::from_secs(60);

/// How many sessions of a connector are looked at in one step.
const AT_ONCE: usize = 500;

/// Who is signed in, in Redis.
pub struct RedisSessions {
    redis: Arc<Redis>,
    master_key: Arc<MasterKey>,
}

impl RedisSessions {
    /// The sessions that are in Redis; their hints are sealed under the master key.
    pub const fn new(redis: Arc<Redis>, master_key: Arc<MasterKey>) -> Self {
        Self { redis, master_key }
    }

    async fn record(&self, digest: &SecretDigest) -> Result<Option<Record>, Unavailable> {
        let mut command = redis::cmd("HMGET");
        command.arg(self.session_key(digest)).arg(&FIELDS);
        let values = self.redis.run_within(link::A_CHECK, "finding a session", &command).await?;
        Ok(readable(digest, values))
    }

    async fn records(&self, digests: &[SecretDigest]) -> Result<Vec<Record>, Unavailable> {
        let mut found = Vec::new();
        for digests in digests.chunks(AT_ONCE) {
            let mut commands = redis::pipe();
            for digest in digests {
                commands.cmd("HMGET").arg(self.session_key(digest)).arg(&FIELDS);
            }
            let values = self.redis.run_all("finding sessions", &mut commands).await?;
            let records = digests.iter().zip(values);
            found.extend(records.filter_map(|(digest, values)| readable(digest, values)));
        }
        Ok(found)
    }

    /// Notes a use, seldom; a record that has gone meanwhile is not brought back.
    ///
    /// A failure costs only the note, and is known to the link.
    async fn touch(&self, session: &Session, now: Timestamp) {
        let due = TOUCHED_EVERY.min(session.idle / 10);
        if now.duration_since(session.last_seen_at) < due {
            return;
        }
        let mut script = scripts::TOUCH.key(self.session_key(&session.digest));
        let script = script.arg(now.as_microsecond()).arg(kept_for(session, now));
        if let Err(unavailable) = self.redis.run_script("noting a use", script).await {
            tracing::debug!(%unavailable, "a session's last use is not noted");
        }
    }
}

#[async_trait]
impl Sessions for RedisSessions {
    /// Racing a revocation: the account's new epoch was committed before its sessions were looked
    /// for. If that look missed the session, or found its entry without a record, the caller sees
    /// the new epoch when it reads it once more.
    ///
    /// Racing a change of identity: as above, by the account's version; besides, a session is given
    /// the identity that the account's other sessions have.
    async fn create(
        &self,
        session: Session,
        hints: SignOutHints,
        identity: Identity,
    ) -> Result<(), Unavailable> {
        const DOING: &str = "keeping a session";
        self.redis.accepts_sessions()?;
        let Some(identity) = bulk(self.enter(&session, &identity).await?) else {
            self.clear_indices(&session).await?;
            return Err(not_an_index(DOING));
        };
        let place = place(HINTS, &session.digest);
        let hints = self.master_key.seal(&place, &record::write_hints(&hints));
        let mut script = scripts::KEEP.key(self.session_key(&session.digest));
        script.arg(kept_for(&session, session.created_at));
        script.arg("session").arg(record::write_session(&session));
        script.arg("identity").arg(identity);
        script.arg("role").arg(session.role.as_str());
        script.arg("epoch").arg(session.access_epoch.min(GREATEST_EPOCH));
        script.arg("killed_before").arg(0);
        script.arg("last_seen").arg(session.last_seen_at.as_microsecond());
        script.arg("hints").arg(hints);
        self.redis.run_script(DOING, &script).await.map(drop)
    }

    /// One round trip, and once a minute another.
    async fn find(
        &self,
        digest: &SecretDigest,
        now: Timestamp,
    ) -> Result<Option<Arc<LiveSession>>, Unavailable> {
        self.redis.accepts_sessions()?;
        let found = self.record(digest).await?.filter(|record| record.is_alive(now));
        let Some(Record { session, identity, .. }) = found else { return Ok(None) };
        self.touch(&session, now).await;
        Ok(Some(Arc::new(LiveSession { session, identity: Arc::new(identity) })))
    }

    async fn list_of_account(
        &self,
        organization_id: OrganizationId,
        account_id: AccountId,
        now: Timestamp,
    ) -> Result<Vec<Session>, Unavailable> {
        self.redis.accepts_sessions()?;
        let digests = self.digests_of(organization_id, account_id).await?;
        let mut records = self.records(&digests).await?;
        records.retain(|record| record.is_alive(now));
        let mut sessions: Vec<_> = records.into_iter().map(|record| record.session).collect();
        sessions.sort_by_key(|session| Reverse(session.created_at));
        Ok(sessions)
    }

    /// Returns those that this call killed. One that an earlier revocation killed and nobody gave
    /// a role since stays dead for good, so a later, milder loss does not bring it back.
    ///
    /// Racing [`Self::change_role`]: the record has both numbers, so whichever comes first, a role
    /// that was given under an epoch before this one gives nothing.
    async fn revoke_before(
        &self,
        organization_id: OrganizationId,
        account_id: AccountId,
        access_epoch: u64,
    ) -> Result<Vec<Session>, Unavailable> {
        self.redis.must(self.revoke(organization_id, account_id, access_epoch).await)
    }

    async fn end_of_account(
        &self,
        organization_id: OrganizationId,
        account_id: AccountId,
    ) -> Result<(), Unavailable> {
        self.revoke_before(organization_id, account_id, GREATEST_EPOCH).await.map(drop)
    }

    /// One round trip for many of them.
    async fn with_sessions(
        &self,
        accounts: Vec<(OrganizationId, AccountId)>,
    ) -> Result<Vec<(OrganizationId, AccountId)>, Unavailable> {
        let mut found = Vec::new();
        for accounts in accounts.chunks(AT_ONCE) {
            let mut commands = redis::pipe();
            for (organization_id, account_id) in accounts {
                commands.exists(self.account_key(*organization_id, *account_id));
            }
            let answers = self.redis.run_all("looking for sessions", &mut commands).await?;
            let known = accounts.iter().zip(answers);
            found.extend(known.filter(|(_, is)| *is != Value::Int(0)).map(|(account, _)| *account));
        }
        Ok(found)
    }

    /// Racing [`Self::end`]: only a record that is there is changed, none is made.
    async fn change_role(
        &self,
        session: &Session,
        role: AccessRole,
        access_epoch: u64,
    ) -> Result<bool, Unavailable> {
        let mut script = scripts::CHANGE_ROLE.key(self.session_key(&session.digest));
        let script = script.arg(role.as_str()).arg(access_epoch.min(GREATEST_EPOCH));
        let changed = self.redis.run_script("changing a session's role", script).await;
        Ok(self.redis.must(changed)? == Value::Int(1))
    }

    /// Racing [`Self::create`]: the account is told first, so a session that is entered afterwards
    /// begins with this identity, and one that was entered before gets it here, or by the caller of
    /// `create`.
    async fn change_identity(
        &self,
        organization_id: OrganizationId,
        account_id: AccountId,
        identity: Identity,
    ) -> Result<(), Unavailable> {
        self.redis.must(self.rename(organization_id, account_id, &identity).await)
    }

    /// Of simultaneous calls one takes the record away, and gets it with its hints.
    async fn end(&self, digest: &SecretDigest) -> Result<Option<EndedSession>, Unavailable> {
        self.redis.must(self.take(digest).await)
    }

    async fn end_of_sid(
        &self,
        organization_id: OrganizationId,
        connector_id: ConnectorId,
        sid: &str,
    ) -> Result<Vec<Session>, Unavailable> {
        self.redis.must(self.take_of_sid(organization_id, connector_id, sid).await)
    }

    /// A session that is entered meanwhile was begun later, or is one whose sign-in is under way.
    async fn end_of_connector(
        &self,
        organization_id: OrganizationId,
        connector_id: ConnectorId,
        begun_until: Timestamp,
    ) -> Result<(), Unavailable> {
        let ended = self.delete_of_connector(organization_id, connector_id, begun_until).await;
        self.redis.must(ended)
    }

    async fn ping(&self) -> Result<(), Unavailable> {
        self.redis.accepts_sessions()?;
        self.redis.run("asking Redis", &redis::cmd("PING")).await.map(drop)
    }

    fn warning(&self) -> Option<&'static str> {
        self.redis.warning()
    }
}

/// A record that can be read; what can't is nobody's session.
fn readable(digest: &SecretDigest, values: Value) -> Option<Record> {
    if record::is_empty(&values) {
        return None;
    }
    let record = Record::read(digest, values);
    if record.is_none() {
        tracing::warn!("a session's record in Redis can't be read; it lets nobody in");
    }
    record
}

/// For how many milliseconds from `now` a record is of use at most; a minute more, for uses that
/// are written down late.
fn kept_for(session: &Session, now: Timestamp) -> i64 {
    let idle = session.idle.saturating_add(TOUCHED_EVERY);
    milliseconds(session.expires_at.duration_since(now).min(idle))
}

fn milliseconds(duration: SignedDuration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX).clamp(1_000, 1 << 40)
}
