//! Sign-ins under way.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use crate::{
    domain::{login_transaction::LoginTransaction, return_to::ReturnTo, secret::SecretDigest},
    ports::Unavailable,
};

/// How long an arrival is remembered.
pub const ARRIVAL_REMEMBERED: SignedDuration = SignedDuration::from_secs(60);

/// How many sign-ins of one browser are under way at most; an adapter that must bound its arrivals
/// keeps as many of these.
pub const MOST_OF_A_BROWSER: u64 = 64;

/// How many sign-ins of one organization are under way at most.
pub const MOST_OF_AN_ORGANIZATION: u64 = 20_000;

/// What one browser did of late on the way to one place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RecentLogins {
    /// Sign-ins that began and have not been taken.
    pub open: u64,
    /// Sign-ins that succeeded.
    pub arrived: u64,
    /// Whether two of those that succeeded were under way at the same time: in two tabs.
    pub side_by_side: bool,
}

/// A sign-in that succeeded.
#[derive(Clone, Copy, Debug)]
pub struct Arrival<'a> {
    /// The digest of its browser's login cookie.
    pub browser: &'a SecretDigest,
    /// Where it sent the browser.
    pub return_to: &'a ReturnTo,
    /// When the browser left for the authority.
    pub begun_at: Timestamp,
    /// When it was back.
    pub at: Timestamp,
}

/// Sign-ins under way, and where they ended a moment ago; nonce and verifier are sealed at rest by
/// the adapter.
#[async_trait]
pub trait Logins: Send + Sync {
    /// Keeps a sign-in that begins now.
    ///
    /// Drops this browser's oldest beyond [`MOST_OF_A_BROWSER`], and this organization's oldest
    /// beyond [`MOST_OF_AN_ORGANIZATION`]: who begins sign-ins and finishes none fills nothing.
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

    /// Forgets those that expired before `now`, at most [`super::FORGOTTEN_AT_ONCE`] of them; how many
    /// it forgot. An adapter that forgets them by itself has nothing to do.
    async fn delete_expired_logins(&self, now: Timestamp) -> Result<u64, Unavailable>;

    /// Remembers a sign-in that succeeded for [`ARRIVAL_REMEMBERED`].
    async fn insert_arrival(&self, arrival: &Arrival<'_>) -> Result<(), Unavailable>;

    /// This browser's sign-ins to exactly `return_to`: those begun at `since` or later and still
    /// open, and the arrivals at `since` or later.
    async fn count_recent(
        &self,
        browser: &SecretDigest,
        return_to: &ReturnTo,
        since: Timestamp,
    ) -> Result<RecentLogins, Unavailable>;

    /// Forgets all arrivals of this browser.
    async fn forget_arrivals(&self, browser: &SecretDigest) -> Result<(), Unavailable>;
}
