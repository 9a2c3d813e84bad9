//! Another program's value where an index should be.
//!
//! It has taken the place of an index that led to sessions, and nobody knows to which. So all that
//! there may be are looked for one by one, and ended; then it is taken away. Until then nothing can
//! be entered there, so no session is missed.

use redis::Value;

use super::{
    AT_ONCE, Kind, RedisSessions,
    record::{Record, bulk},
    scripts,
};
use crate::{
    domain::{
        id::{AccountId, ConnectorId, OrganizationId},
        secret::SecretDigest,
        session::Session,
    },
    ports::Unavailable,
};

const DOING: &str = "clearing an index";

/// What Redis calls an account's index, and the two others.
const MAP: &str = "hash";
const SET: &str = "zset";

impl RedisSessions {
    /// Clears every index that a session would be entered in.
    pub(super) async fn clear_indices(&self, session: &Session) -> Result<(), Unavailable> {
        let Session { organization_id, account_id, connector_id, .. } = *session;
        self.clear_account(organization_id, account_id).await?;
        self.clear_connector(connector_id).await?;
        if let Some(sid) = &session.sid {
            self.clear_sid(connector_id, sid).await?;
        }
        Ok(())
    }

    pub(super) async fn clear_account(
        &self,
        organization_id: OrganizationId,
        account_id: AccountId,
    ) -> Result<Vec<Session>, Unavailable> {
        let of = (organization_id, account_id);
        let key = self.account_key(organization_id, account_id);
        self.clear(&key, MAP, |session| (session.organization_id, session.account_id) == of).await
    }

    pub(super) async fn clear_connector(
        &self,
        connector_id: ConnectorId,
    ) -> Result<Vec<Session>, Unavailable> {
        let key = self.connector_key(connector_id);
        self.clear(&key, SET, |session| session.connector_id == connector_id).await
    }

    pub(super) async fn clear_sid(
        &self,
        connector_id: ConnectorId,
        sid: &str,
    ) -> Result<Vec<Session>, Unavailable> {
        let led_to = |session: &Session| {
            session.connector_id == connector_id && session.sid.as_deref() == Some(sid)
        };
        self.clear(&self.sid_key(connector_id, sid), SET, led_to).await
    }

    /// Ends every session that an index led to, and takes away what lies in its place; returns them.
    /// Does nothing where there is the index, or nothing at all.
    async fn clear(
        &self,
        key: &[u8],
        kind: &str,
        led_to: impl Fn(&Session) -> bool + Send,
    ) -> Result<Vec<Session>, Unavailable> {
        let found = self.redis.run(DOING, redis::cmd("TYPE").arg(key)).await?;
        if bulk_or_status(found).is_some_and(|found| found == kind || found == "none") {
            return Ok(Vec::new());
        }
        let ended = self.end_where(led_to).await?;
        self.redis.run_script(DOING, scripts::CLEAR.key(key).arg(kind)).await?;
        let key = String::from_utf8_lossy(key);
        let sessions = ended.len();
        tracing::error!(
            %key, sessions,
            "another program's value lay in Redis where an index should be: it is taken away, and \
             the sessions of that index are ended; give this service a Redis or a prefix of its own"
        );
        Ok(ended)
    }

    async fn end_where(
        &self,
        wanted: impl Fn(&Session) -> bool + Send,
    ) -> Result<Vec<Session>, Unavailable> {
        let mut ended = Vec::new();
        let mut cursor = b"0".to_vec();
        loop {
            let mut scan = redis::cmd("SCAN");
            scan.arg(cursor)
                .arg("MATCH")
                .arg(self.redis.pattern(Kind::Session))
                .arg("COUNT")
                .arg(AT_ONCE);
            let (next, digests) = scanned_keys(self.redis.run(DOING, &scan).await?);
            let mut delete = redis::pipe();
            for Record { session, .. } in self.records(&digests).await? {
                if wanted(&session) {
                    delete.del(self.session_key(&session.digest));
                    ended.push(session);
                }
            }
            if !delete.is_empty() {
                self.redis.run_all(DOING, &mut delete).await?;
            }
            if next == b"0" {
                return Ok(ended);
            }
            cursor = next;
        }
    }
}

fn bulk_or_status(value: Value) -> Option<String> {
    match value {
        Value::SimpleString(status) => Some(status),
        value => String::from_utf8(bulk(value)?).ok(),
    }
}

/// The next cursor, and the digests that the keys of sessions name.
fn scanned_keys(part: Value) -> (Vec<u8>, Vec<SecretDigest>) {
    let mut part = part.into_sequence().unwrap_or_default().into_iter();
    let cursor = part.next().and_then(bulk).unwrap_or_else(|| b"0".to_vec());
    let keys = part.next().and_then(|keys| keys.into_sequence().ok()).unwrap_or_default();
    (cursor, keys.into_iter().filter_map(bulk).filter_map(|key| digest_in(&key)).collect())
}

fn digest_in(key: &[u8]) -> Option<SecretDigest> {
    let digits = key.strip_suffix(b"}")?.last_chunk::<64>()?;
    let digits = str::from_utf8(digits).ok()?;
    let mut bytes = [0; 32];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(digits.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(SecretDigest::from_bytes(bytes))
}
