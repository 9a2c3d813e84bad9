//! Who is signed in.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::{
    domain::{
        access_role::AccessRole,
        id::{AccountId, ConnectorId, OrganizationId},
        secret::SecretDigest,
        session::{Identity, Session, SignOutHints},
    },
    ports::Unavailable,
};

/// A session that was alive when it was looked up, and who it speaks for.
#[derive(Debug)]
pub struct LiveSession {
    /// The session, as of its last change; [`Session::last_seen_at`] may be behind.
    pub session: Session,
    /// Who it speaks for, shared by all sessions of the account.
    pub identity: Arc<Identity>,
}

/// A session that has just ended.
#[derive(Debug)]
pub struct EndedSession {
    /// The session.
    pub session: Session,
    /// What the authority recognizes its person by; nothing if that could not be read any more.
    pub hints: Option<SignOutHints>,
}

/// Who is signed in.
///
/// What is created, re-roled or ended here is kept before the answer, as durably as the adapter's
/// store keeps anything; only the moment of the last use is written behind.
#[async_trait]
pub trait Sessions: Send + Sync {
    /// Keeps a session that begins now.
    ///
    /// The caller reads the account's epoch once more afterwards, and ends the session if it moved.
    async fn create(
        &self,
        session: Session,
        hints: SignOutHints,
        identity: Identity,
    ) -> Result<(), Unavailable>;

    /// The session of this digest if it is alive at `now`, which counts as its use.
    ///
    /// The hot path: one lookup, in memory or one round trip away; no database, no lock that a
    /// writer holds.
    async fn find(
        &self,
        digest: &SecretDigest,
        now: Timestamp,
    ) -> Result<Option<Arc<LiveSession>>, Unavailable>;

    /// The sessions of an account that are alive at `now`, the newest first.
    async fn list_of_account(
        &self,
        organization_id: OrganizationId,
        account_id: AccountId,
        now: Timestamp,
    ) -> Result<Vec<Session>, Unavailable>;

    /// Kills at once every session of the account made under an older epoch than `access_epoch`;
    /// returns them, so that some may be given a lesser role and live on.
    ///
    /// Idempotent. Takes effect before it returns, in memory first.
    async fn revoke_before(
        &self,
        organization_id: OrganizationId,
        account_id: AccountId,
        access_epoch: u64,
    ) -> Result<Vec<Session>, Unavailable>;

    /// Ends every session of an account, of whatever epoch; those that begin later live.
    ///
    /// Idempotent. The account has lost access, and its epoch has risen.
    async fn end_of_account(
        &self,
        organization_id: OrganizationId,
        account_id: AccountId,
    ) -> Result<(), Unavailable>;

    /// Those of `accounts` that may have sessions; quickly, also of many thousands.
    async fn with_sessions(
        &self,
        accounts: Vec<(OrganizationId, AccountId)>,
    ) -> Result<Vec<(OrganizationId, AccountId)>, Unavailable>;

    /// Gives a session another role under `access_epoch`, also one that [`Self::revoke_before`] has
    /// just killed; `false` if it was ended otherwise.
    async fn change_role(
        &self,
        session: &Session,
        role: AccessRole,
        access_epoch: u64,
    ) -> Result<bool, Unavailable>;

    /// What the sessions of an account say of the person from now on.
    async fn change_identity(
        &self,
        organization_id: OrganizationId,
        account_id: AccountId,
        identity: Identity,
    ) -> Result<(), Unavailable>;

    /// Ends a session and returns it; `None` if it had ended already.
    async fn end(&self, digest: &SecretDigest) -> Result<Option<EndedSession>, Unavailable>;

    /// Ends the sessions that were begun through a connector while the provider's own session had
    /// this name, and returns them.
    ///
    /// A sign-in that is under way is not ended, whether its session is almost made or not.
    async fn end_of_sid(
        &self,
        organization_id: OrganizationId,
        connector_id: ConnectorId,
        sid: &str,
    ) -> Result<Vec<Session>, Unavailable>;

    /// Ends every session that was begun through a connector until `begun_until`: it speaks for
    /// another tenant now.
    async fn end_of_connector(
        &self,
        organization_id: OrganizationId,
        connector_id: ConnectorId,
        begun_until: Timestamp,
    ) -> Result<(), Unavailable>;

    /// Whether sessions can be had now.
    async fn ping(&self) -> Result<(), Unavailable>;

    /// What the operator should mend, though sessions can be had.
    fn warning(&self) -> Option<&'static str>;
}
