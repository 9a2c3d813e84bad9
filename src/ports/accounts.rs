//! People, as the database keeps them.

use async_trait::async_trait;

use crate::{
    domain::{
        account::Account,
        id::{AccountId, ConnectorId, OrganizationId},
    },
    ports::{
        NotDone, Unavailable,
        query::{Page, Query, TooCostly},
        trail::Trail,
    },
};

/// Why an account was not created or replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccountConflict {
    /// Another account of the organization has this user name, in any case of letters.
    #[error("account {0} has the same user name")]
    UserName(AccountId),
    /// Another account of the organization has this e-mail address, in any case of letters.
    #[error("account {0} has the same e-mail address")]
    Email(AccountId),
    /// Another account of the connector has this `externalId`.
    #[error("account {0} has the same externalId")]
    ExternalId(AccountId),
    /// The account was written since, linked, or deleted: read it again.
    #[error("the account was changed or deleted meanwhile")]
    Version,
}

/// A value by which one account can be found, from an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountLookup {
    /// `userName`, in any case of letters.
    UserName(String),
    /// A connector's `externalId`, exactly.
    ExternalId(ConnectorId, String),
    /// The primary e-mail address, in any case of letters.
    Email(String),
}

/// People.
#[async_trait]
pub trait Accounts: Send + Sync {
    /// Creates an account.
    async fn insert_account(
        &self,
        account: &Account,
        trail: &Trail,
    ) -> Result<(), NotDone<AccountConflict>>;

    /// Replaces an account if it still has the version `expected_version`.
    ///
    /// `account` carries the new version and epoch. Of two that were computed from one version, one
    /// succeeds and the other gets [`AccountConflict::Version`]. Under a higher epoch, another name
    /// or another e-mail address a [`Revocation`](super::store::Revocation) is noted with it.
    async fn replace_account(
        &self,
        account: &Account,
        expected_version: u64,
        trail: &Trail,
    ) -> Result<(), NotDone<AccountConflict>>;

    /// The same for an account made by hand that a connector's directory takes over:
    /// [`AccountConflict::Version`] also if it belongs to a connector, has an `externalId` or is
    /// linked to a subject by now.
    async fn adopt_account(
        &self,
        account: &Account,
        expected_version: u64,
        trail: &Trail,
    ) -> Result<(), NotDone<AccountConflict>>;

    /// Deletes an account with its memberships, links, link requests and sessions; a
    /// [`Revocation`](super::store::Revocation) is noted with it.
    ///
    /// `false` if the organization has no such account.
    async fn delete_account(
        &self,
        organization_id: OrganizationId,
        id: AccountId,
        trail: &Trail,
    ) -> Result<bool, Unavailable>;

    /// The account of this identifier.
    async fn find_account(
        &self,
        organization_id: OrganizationId,
        id: AccountId,
    ) -> Result<Option<Account>, Unavailable>;

    /// The account that has this value.
    async fn find_account_by(
        &self,
        organization_id: OrganizationId,
        lookup: &AccountLookup,
    ) -> Result<Option<Account>, Unavailable>;

    /// The accounts of a connector that a query asks for.
    async fn query_accounts(
        &self,
        organization_id: OrganizationId,
        connector_id: ConnectorId,
        query: &Query,
    ) -> Result<Page<Account>, NotDone<TooCostly>>;

    /// The accounts of an organization after `after` in the order of identifiers, at most `limit`.
    async fn list_accounts(
        &self,
        organization_id: OrganizationId,
        after: Option<AccountId>,
        limit: u64,
    ) -> Result<Vec<Account>, Unavailable>;

    /// How many accounts an organization has.
    async fn count_accounts(&self, organization_id: OrganizationId) -> Result<u64, Unavailable>;
}
