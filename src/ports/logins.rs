//! Sign-ins under way.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::{
    domain::{login_transaction::LoginTransaction, secret::SecretDigest},
    ports::Unavailable,
};

/// Sign-ins under way; nonce and verifier are sealed at rest by the adapter.
#[async_trait]
pub trait Logins: Send + Sync {
    /// Keeps a sign-in that begins now, and drops this browser's oldest beyond 64.
    async fn insert_login(&self, login: &LoginTransaction) -> Result<(), Unavailable>;

    /// Removes the sign-in named by `state` and returns it.
    ///
    /// `None` if it is unknown, expired at `now`, or already taken. Removal and return are one
    /// statement, so of two simultaneous callbacks one gets it.
    async fn take_login(
        &self,
        state: &SecretDigest,
        now: Timestamp,
    ) -> Result<Option<LoginTransaction>, Unavailable>;

    /// Forgets those that expired before `now`, at most 1,000 of them; how many it forgot. An
    /// adapter that forgets them by itself has nothing to do.
    async fn delete_expired_logins(&self, now: Timestamp) -> Result<u64, Unavailable>;
}
