//! Sign-ins under way, in Redis.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

use super::{
    link::Redis,
    record::{self, bulk},
    scripts,
};
use crate::{
    domain::{login_transaction::LoginTransaction, master_key::MasterKey, secret::SecretDigest},
    ports::{Unavailable, logins::Logins},
};

/// Sign-ins under way, in Redis.
pub struct RedisLogins {
    redis: Arc<Redis>,
    master_key: Arc<MasterKey>,
}

impl RedisLogins {
    /// The sign-ins that are in Redis, sealed under the master key.
    pub const fn new(redis: Arc<Redis>, master_key: Arc<MasterKey>) -> Self {
        Self { redis, master_key }
    }

    fn login_key(&self, state: &[u8]) -> Vec<u8> {
        self.redis.key('t', state)
    }

    fn browser_key(&self, browser: &SecretDigest) -> Vec<u8> {
        self.redis.key('b', browser.as_bytes())
    }
}

#[async_trait]
impl Logins for RedisLogins {
    /// The browser's list first: a sign-in that is not in it would not count.
    async fn insert_login(&self, login: &LoginTransaction) -> Result<(), Unavailable> {
        const DOING: &str = "beginning a login";
        let state = login.state.as_bytes().as_slice();
        let lifetime = super::milliseconds(login.expires_at.duration_since(login.created_at));
        let mut enter = scripts::ENTER_BROWSER.key(self.browser_key(&login.browser));
        let beyond = self.redis.run_script(DOING, enter.arg(state).arg(lifetime)).await?;
        let sealed = self.master_key.seal(&place_of(&login.state), &record::write_login(login));
        let mut keep = scripts::KEEP.key(self.login_key(state));
        keep.arg(lifetime).arg("login").arg(sealed);
        keep.arg("expires_at").arg(login.expires_at.as_microsecond());
        self.redis.run_script(DOING, &keep).await?;
        for state in beyond.into_sequence().unwrap_or_default().into_iter().filter_map(bulk) {
            let mut forget = redis::cmd("DEL");
            self.redis.run(DOING, forget.arg(self.login_key(&state))).await?;
        }
        Ok(())
    }

    /// One that does not open, under another master key for one, is none.
    async fn take_login(
        &self,
        state: &SecretDigest,
        now: Timestamp,
    ) -> Result<Option<LoginTransaction>, Unavailable> {
        const DOING: &str = "taking a login";
        let mut take = scripts::TAKE_LOGIN.key(self.login_key(state.as_bytes()));
        let taken = self.redis.run_script(DOING, take.arg(now.as_microsecond())).await?;
        let Some(sealed) = bulk(taken) else { return Ok(None) };
        let plain = self.master_key.open(&place_of(state), &sealed).ok();
        let login = plain.and_then(|plain| record::read_login(*state, &plain));
        let Some(login) = login else {
            tracing::warn!("a sign-in in Redis can't be read; it counts as none");
            return Ok(None);
        };
        let mut leave = redis::cmd("LREM");
        leave.arg(self.browser_key(&login.browser)).arg(1).arg(state.as_bytes().as_slice());
        self.redis.run(DOING, &leave).await?;
        Ok(Some(login))
    }

    /// Redis forgets them by itself.
    async fn delete_expired_logins(&self, _: Timestamp) -> Result<u64, Unavailable> {
        Ok(0)
    }
}

fn place_of(state: &SecretDigest) -> String {
    format!("login/{:?}", state.as_bytes())
}
