//! What leads to sessions: by account, by connector, by `sid`.
//!
//! Redis forgets an index with the last session that was entered in it; whoever has expired is
//! taken out when another is entered.

use redis::Value;

use super::{
    Kind, RedisSessions,
    link::away,
    milliseconds,
    record::{self, bulk},
    scripts,
};
use crate::{
    domain::{
        id::{AccountId, ConnectorId, OrganizationId},
        secret::SecretDigest,
        session::{Identity, Session},
    },
    ports::Unavailable,
};

impl RedisSessions {
    pub(super) fn session_key(&self, digest: &SecretDigest) -> Vec<u8> {
        self.redis.key(Kind::Session, digest.as_bytes())
    }

    pub(super) fn account_key(
        &self,
        organization_id: OrganizationId,
        account_id: AccountId,
    ) -> Vec<u8> {
        self.redis
            .key(Kind::Account, &[*organization_id.as_bytes(), *account_id.as_bytes()].concat())
    }

    pub(super) fn connector_key(&self, connector_id: ConnectorId) -> Vec<u8> {
        self.redis.key(Kind::Connector, connector_id.as_bytes())
    }

    pub(super) fn sid_key(&self, connector_id: ConnectorId, sid: &str) -> Vec<u8> {
        let sid = SecretDigest::of(&[connector_id.as_bytes(), sid.as_bytes()].concat());
        self.redis.key(Kind::Sid, sid.as_bytes())
    }

    /// Enters a session in all indices; the identity that its account's sessions have, or nothing
    /// if another program's value lies where an index should be.
    pub(super) async fn enter(
        &self,
        session: &Session,
        identity: &Identity,
    ) -> Result<Value, Unavailable> {
        const DOING: &str = "entering a session";
        let (begun, expires) =
            (session.created_at.as_microsecond(), session.expires_at.as_microsecond());
        let lifetime = milliseconds(session.expires_at.duration_since(session.created_at));
        let digest = session.digest.as_bytes().as_slice();
        let sid = session.sid.as_ref().map(|sid| self.sid_key(session.connector_id, sid));
        for key in [self.connector_key(session.connector_id)].into_iter().chain(sid) {
            let mut script = scripts::ENTER_SET.key(key);
            let script = script.arg(digest).arg(expires).arg(begun).arg(lifetime);
            if self.redis.run_script(DOING, script).await? != Value::Int(1) {
                return Ok(Value::Nil);
            }
        }
        let account = self.account_key(session.organization_id, session.account_id);
        let mut script = scripts::ENTER_ACCOUNT.key(account);
        let script = script.arg(digest).arg(expires).arg(begun).arg(lifetime);
        self.redis.run_script(DOING, script.arg(record::write_identity(identity))).await
    }

    /// Takes a session that has ended out of all indices; where that fails, they expire.
    pub(super) async fn leave(&self, session: &Session) {
        const DOING: &str = "forgetting a session";
        let digest = session.digest.as_bytes().as_slice();
        let account = self.account_key(session.organization_id, session.account_id);
        let mut script = scripts::LEAVE_ACCOUNT.key(account);
        let left = self.redis.run_script(DOING, script.arg(digest)).await;
        let mut commands = redis::pipe();
        commands.zrem(self.connector_key(session.connector_id), digest);
        if let Some(sid) = &session.sid {
            commands.zrem(self.sid_key(session.connector_id, sid), digest);
        }
        let left = left.and(self.redis.run_all(DOING, &mut commands).await.map(drop));
        if let Err(unavailable) = left {
            tracing::debug!(%unavailable, "an ended session stays in an index until that expires");
        }
    }

    /// The digests in an account's index.
    pub(super) async fn digests_of(
        &self,
        organization_id: OrganizationId,
        account_id: AccountId,
    ) -> Result<Vec<SecretDigest>, Unavailable> {
        const DOING: &str = "looking for an account's sessions";
        let mut keys = redis::cmd("HKEYS");
        keys.arg(self.account_key(organization_id, account_id));
        let members = self.redis.run(DOING, &keys).await?;
        if members == Value::Nil {
            self.clear_account(organization_id, account_id).await?;
        }
        Ok(digests(members))
    }
}

/// The members of an index; whatever else stands there is passed over.
pub(super) fn digests(members: Value) -> Vec<SecretDigest> {
    members.into_sequence().unwrap_or_default().into_iter().filter_map(digest).collect()
}

/// A session that is in no index could not be ended with its account, so it does not begin.
pub(super) fn not_an_index(doing: &'static str) -> Unavailable {
    away(doing, "another program's value lay where an index should be; try again")
}

fn digest(member: Value) -> Option<SecretDigest> {
    bulk(member)?.try_into().ok().map(SecretDigest::from_bytes)
}

/// The next cursor, and the members without their scores.
pub(super) fn scanned(part: Value) -> Option<(Vec<u8>, Vec<SecretDigest>)> {
    let mut part = part.into_sequence().ok()?.into_iter();
    let (cursor, members) = (bulk(part.next()?)?, part.next()?.into_sequence().ok()?);
    Some((cursor, members.into_iter().step_by(2).filter_map(digest).collect()))
}
