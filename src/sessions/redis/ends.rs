//! What takes access away, or changes what sessions say; whoever calls it makes up for a failure.

use jiff::Timestamp;
use redis::Value;

use super::{
    AT_ONCE, GREATEST_EPOCH, RedisSessions,
    index::{digests, scanned},
    readable,
    record::{self, HINTS, Record, bulk, place},
    scripts,
};
use crate::{
    domain::{
        id::{AccountId, ConnectorId, OrganizationId},
        secret::SecretDigest,
        session::{Identity, Session, SignOutHints},
    },
    ports::{Unavailable, sessions::EndedSession},
};

impl RedisSessions {
    pub(super) async fn revoke(
        &self,
        organization_id: OrganizationId,
        account_id: AccountId,
        access_epoch: u64,
    ) -> Result<Vec<Session>, Unavailable> {
        let mut killed = Vec::new();
        for digest in self.digests_of(organization_id, account_id).await? {
            let mut script = scripts::REVOKE.key(self.session_key(&digest));
            let script = script.arg(access_epoch.min(GREATEST_EPOCH));
            let values = self.redis.run_script("revoking a session", script).await?;
            killed.extend(readable(&digest, values).map(|record| record.session));
        }
        Ok(killed)
    }

    pub(super) async fn rename(
        &self,
        organization_id: OrganizationId,
        account_id: AccountId,
        identity: &Identity,
    ) -> Result<(), Unavailable> {
        const DOING: &str = "changing an identity";
        let identity = record::write_identity(identity);
        let account = self.account_key(organization_id, account_id);
        let mut script = scripts::CHANGE_IDENTITY.key(account);
        self.redis.run_script(DOING, script.arg(&identity)).await?;
        for digest in self.digests_of(organization_id, account_id).await? {
            let mut script = scripts::CHANGE_IDENTITY.key(self.session_key(&digest));
            self.redis.run_script(DOING, script.arg(&identity)).await?;
        }
        Ok(())
    }

    pub(super) async fn take(
        &self,
        digest: &SecretDigest,
    ) -> Result<Option<EndedSession>, Unavailable> {
        let script = scripts::END.key(self.session_key(digest));
        let ended = self.redis.run_script("ending a session", &script).await?;
        let hints = match &ended {
            Value::Array(values) => values.last().cloned().and_then(bulk),
            _ => None,
        };
        let Some(Record { session, .. }) = readable(digest, ended) else { return Ok(None) };
        self.leave(&session).await;
        let hints = hints.and_then(|sealed| self.open_hints(digest, &sealed));
        Ok(Some(EndedSession { session, hints }))
    }

    pub(super) async fn take_of_sid(
        &self,
        organization_id: OrganizationId,
        connector_id: ConnectorId,
        sid: &str,
    ) -> Result<Vec<Session>, Unavailable> {
        const DOING: &str = "looking for the sessions of a sid";
        let mut range = redis::cmd("ZRANGE");
        range.arg(self.sid_key(connector_id, sid)).arg(0).arg(-1);
        let members = self.redis.run(DOING, &range).await?;
        if members == Value::Nil {
            return self.clear_sid(connector_id, sid).await;
        }
        let digests = digests(members);
        let mut ended = Vec::new();
        for Record { session, .. } in self.records(&digests).await? {
            if session.organization_id == organization_id {
                let gone = self.take(&session.digest).await?;
                ended.extend(gone.map(|gone| gone.session));
            }
        }
        Ok(ended)
    }

    pub(super) async fn delete_of_connector(
        &self,
        organization_id: OrganizationId,
        connector_id: ConnectorId,
        begun_until: Timestamp,
    ) -> Result<(), Unavailable> {
        const DOING: &str = "looking for a connector's sessions";
        let mut cursor = b"0".to_vec();
        loop {
            let mut scan = redis::cmd("ZSCAN");
            scan.arg(self.connector_key(connector_id)).arg(cursor).arg("COUNT").arg(AT_ONCE);
            let part = self.redis.run(DOING, &scan).await?;
            let Some((next, members)) = scanned(part) else {
                return self.clear_connector(connector_id).await.map(drop);
            };
            self.end_begun_until(organization_id, connector_id, begun_until, &members).await?;
            if next == b"0" {
                return Ok(());
            }
            cursor = next;
        }
    }

    /// Ends those of a connector's sessions in `digests` that were begun until `begun_until`.
    ///
    /// Their entries at accounts and `sid`s expire by themselves.
    async fn end_begun_until(
        &self,
        organization_id: OrganizationId,
        connector_id: ConnectorId,
        begun_until: Timestamp,
        digests: &[SecretDigest],
    ) -> Result<(), Unavailable> {
        let mut commands = redis::pipe();
        for Record { session, .. } in self.records(digests).await? {
            if session.organization_id == organization_id && session.created_at <= begun_until {
                commands.del(self.session_key(&session.digest));
                let digest = session.digest.as_bytes().as_slice();
                commands.zrem(self.connector_key(connector_id), digest);
            }
        }
        if !commands.is_empty() {
            self.redis.run_all("ending a connector's sessions", &mut commands).await?;
        }
        Ok(())
    }

    fn open_hints(&self, digest: &SecretDigest, sealed: &[u8]) -> Option<SignOutHints> {
        let plain = self.master_key.open(&place(HINTS, digest), sealed).ok()?;
        record::read_hints(&plain)
    }
}
