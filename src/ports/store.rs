//! The database: one trait per repository, one method per atomic command.
//!
//! Every command is whole: it and the audit event handed in with it are committed together, or
//! nothing is. The organization is the first argument of everything that belongs to one; what
//! belongs to another is answered as if it did not exist.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::{
    domain::{
        access_role::AccessRole,
        audit_event::{AuditEvent, StoredAuditEvent},
        connector::{Connector, ScimCredential},
        decision::Decision,
        id::{AccountId, ConnectorId, CredentialId, OrganizationId, Reference},
        organization::{EmailDomain, Organization, Slug},
        provisioning_policy::ProvisioningPolicy,
        secret::{Secret, SecretDigest},
        session::{Identity, Session, SignOutHints},
        setup_link::SetupLink,
        subject_link::{LinkRequest, Subject, SubjectLink},
    },
    ports::{
        NotDone, Unavailable, accounts::Accounts, custom_attributes::CustomAttributes,
        groups::Groups, provisioning_log::ProvisioningLog,
    },
};

/// The whole database.
pub trait Store:
    Organizations
    + Connectors
    + SetupLinks
    + Accounts
    + Groups
    + CustomAttributes
    + ProvisioningLog
    + Revocations
    + SubjectLinks
    + Decisions
    + AuditLog
    + SigningKeys
    + Health
{
}

impl<T> Store for T where
    T: Organizations
        + Connectors
        + SetupLinks
        + Accounts
        + Groups
        + CustomAttributes
        + ProvisioningLog
        + Revocations
        + SubjectLinks
        + Decisions
        + AuditLog
        + SigningKeys
        + Health
{
}

/// Why an organization was not created.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OrganizationConflict {
    /// Another organization has this slug.
    #[error("another organization has this slug; choose another")]
    Slug,
    /// One of its e-mail domains belongs to another organization.
    #[error("one of the domains belongs to another organization")]
    Domain,
}

/// Customers of the platform.
#[async_trait]
pub trait Organizations: Send + Sync {
    /// Creates an organization with its domains.
    async fn insert_organization(
        &self,
        organization: &Organization,
        audit: &AuditEvent,
    ) -> Result<(), NotDone<OrganizationConflict>>;

    /// The organization of this identifier.
    async fn find_organization(
        &self,
        id: OrganizationId,
    ) -> Result<Option<Organization>, Unavailable>;

    /// The organization of this slug.
    async fn find_organization_by_slug(
        &self,
        slug: &Slug,
    ) -> Result<Option<Organization>, Unavailable>;

    /// The organization that owns this e-mail domain.
    async fn find_organization_by_domain(
        &self,
        domain: &EmailDomain,
    ) -> Result<Option<Organization>, Unavailable>;

    /// All organizations, by slug.
    async fn list_organizations(&self) -> Result<Vec<Organization>, Unavailable>;
}

/// When one of a connector's SCIM credentials was last used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CredentialUse {
    /// Whose connector it is.
    pub organization_id: OrganizationId,
    /// Which connector's.
    pub connector_id: ConnectorId,
    /// Which credential.
    pub credential_id: CredentialId,
    /// When.
    pub at: Timestamp,
}

/// Links to identity providers; client secrets are sealed at rest by the adapter.
#[async_trait]
pub trait Connectors: Send + Sync {
    /// Creates a connector.
    async fn insert_connector(
        &self,
        connector: &Connector,
        audit: &AuditEvent,
    ) -> Result<(), Unavailable>;

    /// Replaces everything but the identifiers and the moment of creation; under another authority
    /// a [`Revocation`] is noted with it.
    ///
    /// `false` if the organization has no such connector.
    async fn replace_connector(
        &self,
        connector: &Connector,
        audit: &AuditEvent,
    ) -> Result<bool, Unavailable>;

    /// The connector of this identifier, enabled or not; it names its organization.
    async fn find_connector(&self, id: ConnectorId) -> Result<Option<Connector>, Unavailable>;

    /// All connectors of an organization, the oldest first.
    async fn list_connectors(
        &self,
        organization_id: OrganizationId,
    ) -> Result<Vec<Connector>, Unavailable>;

    /// Gives a connector another provisioning policy.
    ///
    /// `false` if the organization has no such connector.
    async fn replace_provisioning_policy(
        &self,
        organization_id: OrganizationId,
        id: ConnectorId,
        policy: &ProvisioningPolicy,
        audit: &AuditEvent,
    ) -> Result<bool, Unavailable>;

    /// Gives a connector other SCIM credentials, if it still has those of `expected`.
    ///
    /// `false` if it has not, or the organization has no such connector: read it again. Of two that
    /// were computed from the same, one succeeds.
    async fn replace_scim_credentials(
        &self,
        organization_id: OrganizationId,
        id: ConnectorId,
        expected: &[ScimCredential],
        credentials: &[ScimCredential],
        audit: &AuditEvent,
    ) -> Result<bool, Unavailable>;

    /// Notes when SCIM credentials were used.
    ///
    /// An earlier moment than is known changes nothing; a credential that the connector no longer
    /// has is passed over. Whatever takes a credential away forgets its use as well.
    async fn note_credential_uses(&self, uses: &[CredentialUse]) -> Result<(), Unavailable>;

    /// When the SCIM credentials of a connector were last used, in the order of their identifiers;
    /// those never used are not among them.
    async fn list_credential_uses(
        &self,
        organization_id: OrganizationId,
        id: ConnectorId,
    ) -> Result<Vec<CredentialUse>, Unavailable>;
}

/// Why a setup was not completed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SetupRefusal {
    /// The link is unknown, expired, replaced, used already, or for another connector.
    #[error("the setup link is not good any more; ask for a fresh one")]
    Gone,
}

/// Ways into Organization Setup without a sign-in.
#[async_trait]
pub trait SetupLinks: Send + Sync {
    /// Keeps a link in place of the organization's earlier one.
    async fn insert_setup_link(
        &self,
        link: &SetupLink,
        audit: &AuditEvent,
    ) -> Result<(), Unavailable>;

    /// The link of this digest, if it has not expired at `now`; finding it uses nothing up.
    async fn find_setup_link(
        &self,
        digest: &SecretDigest,
        now: Timestamp,
    ) -> Result<Option<SetupLink>, Unavailable>;

    /// The organization's link that nobody has used, expired or not.
    async fn find_setup_link_of_organization(
        &self,
        organization_id: OrganizationId,
    ) -> Result<Option<SetupLink>, Unavailable>;

    /// Uses up the link and keeps its connector: a new one, or everything but the moment of
    /// creation of the one there is. Under another authority a [`Revocation`] is noted with it.
    ///
    /// [`SetupRefusal::Gone`] unless the link is the connector's own and has not expired at `now`.
    /// Of two simultaneous completions one succeeds.
    async fn complete_setup(
        &self,
        digest: &SecretDigest,
        now: Timestamp,
        connector: &Connector,
        audit: &AuditEvent,
    ) -> Result<(), NotDone<SetupRefusal>>;
}

/// A change that sessions must follow, a new display name as well as lost access; noted in the same
/// commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// Whose it is.
    pub organization_id: OrganizationId,
    /// What changed.
    pub of: Revoked,
    /// When; the last time, if it changed more than once.
    pub at: Timestamp,
}

/// What changed so that sessions must follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revoked {
    /// An account lost access, has another name or e-mail address, or was deleted.
    Account(AccountId),
    /// A connector leads to another authority.
    Connector(ConnectorId),
}

/// Changes of late that sessions must follow, or have followed; not all of them take access away.
///
/// They are told to the sessions right after their commit. They are kept for a while beyond that,
/// since the process may end between the two, and a store of sessions may lose what it was told.
#[async_trait]
pub trait Revocations: Send + Sync {
    /// All that are kept, in no order.
    async fn list_revocations(&self) -> Result<Vec<Revocation>, Unavailable>;

    /// Forgets those of before `moment`, at most [`super::FORGOTTEN_AT_ONCE`] of them; how many it
    /// forgot.
    async fn delete_revocations_before(&self, moment: Timestamp) -> Result<u64, Unavailable>;
}

/// Why a link was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkConflict {
    /// The subject is tied to this account of the organization.
    #[error("the person is linked to account {0} already; delete one of the two accounts")]
    SubjectTaken(AccountId),
    /// The account is tied to another subject of this connector.
    #[error("the account is linked to somebody else; delete it if it has passed to another person")]
    AccountTaken,
    /// The account was deleted meanwhile.
    #[error("the account was deleted meanwhile")]
    NoAccount,
}

/// The ties of accounts to subjects.
#[async_trait]
pub trait SubjectLinks: Send + Sync {
    /// The link of a subject.
    async fn find_link(
        &self,
        organization_id: OrganizationId,
        subject: &Subject,
    ) -> Result<Option<SubjectLink>, Unavailable>;

    /// The link of an account through a connector.
    async fn find_link_of_account(
        &self,
        organization_id: OrganizationId,
        connector_id: ConnectorId,
        account_id: AccountId,
    ) -> Result<Option<SubjectLink>, Unavailable>;

    /// Ties an account to a subject, and ends the account's request to be, if there was one.
    ///
    /// A link of the account through this connector to a subject of another authority makes way:
    /// the connector has moved to another tenant since.
    async fn insert_link(
        &self,
        link: &SubjectLink,
        audit: &AuditEvent,
    ) -> Result<(), NotDone<LinkConflict>>;

    /// Notes the `sub` of the last sign-in; an audit event comes with it if it changed.
    async fn update_link_sub(
        &self,
        organization_id: OrganizationId,
        subject: &Subject,
        sub: &str,
        audit: &AuditEvent,
    ) -> Result<(), Unavailable>;

    /// Notes that somebody waits to be tied to an account; of one who waits already only the
    /// reference number is new.
    async fn insert_link_request(
        &self,
        request: &LinkRequest,
        audit: &AuditEvent,
    ) -> Result<(), Unavailable>;

    /// Everybody who waits, the longest first.
    async fn list_link_requests(
        &self,
        organization_id: OrganizationId,
    ) -> Result<Vec<LinkRequest>, Unavailable>;
}

/// The stored "why" of sign-ins.
#[async_trait]
pub trait Decisions: Send + Sync {
    /// Keeps a decision.
    async fn insert_decision(
        &self,
        decision: &Decision,
        audit: &AuditEvent,
    ) -> Result<(), Unavailable>;

    /// The decision under a reference number.
    async fn find_decision(
        &self,
        organization_id: OrganizationId,
        reference: &Reference,
    ) -> Result<Option<Decision>, Unavailable>;

    /// Forgets decisions made before `before`, at most [`super::FORGOTTEN_AT_ONCE`] of them; how many it
    /// forgot.
    async fn delete_decisions_before(&self, before: Timestamp) -> Result<u64, Unavailable>;
}

/// What happened.
#[async_trait]
pub trait AuditLog: Send + Sync {
    /// Writes down what changed nothing else.
    async fn insert_audit_event(&self, audit: &AuditEvent) -> Result<(), Unavailable>;

    /// The newest events of an organization, at most `limit`.
    async fn list_audit_events(
        &self,
        organization_id: OrganizationId,
        limit: u64,
    ) -> Result<Vec<StoredAuditEvent>, Unavailable>;
}

/// A key pair that Portico signs tokens with.
#[derive(Clone, Debug, PartialEq)]
pub struct SigningKey {
    /// Its name in `kid`.
    pub kid: String,
    /// The Ed25519 pair as PKCS#8 in base64url; sealed at rest by the adapter.
    pub pkcs8: Secret,
    /// When it was made; the newest signs.
    pub created_at: Timestamp,
}

/// The keys that Portico signs tokens with.
#[async_trait]
pub trait SigningKeys: Send + Sync {
    /// All keys, the newest first.
    async fn list_signing_keys(&self) -> Result<Vec<SigningKey>, Unavailable>;

    /// Keeps `key` if there is none yet, and returns the newest: of two nodes that start together,
    /// both sign with the same.
    async fn insert_first_signing_key(&self, key: &SigningKey) -> Result<SigningKey, Unavailable>;
}

/// A word from the database itself.
#[async_trait]
pub trait Health: Send + Sync {
    /// Whether a write would be carried out now.
    async fn ping(&self) -> Result<(), Unavailable>;
}

/// Sessions at rest, for the adapter that keeps them in memory.
#[async_trait]
pub trait SessionRecords: Send + Sync {
    /// Keeps a session; durable when it returns.
    async fn insert_session(
        &self,
        session: &Session,
        hints: &SignOutHints,
    ) -> Result<(), Unavailable>;

    /// Gives a session another role and epoch; `false` if it has ended.
    async fn update_session_role(
        &self,
        digest: &SecretDigest,
        role: AccessRole,
        access_epoch: u64,
    ) -> Result<bool, Unavailable>;

    /// Forgets a session; its hints, if it was there and they can be read.
    async fn take_session(
        &self,
        digest: &SecretDigest,
    ) -> Result<Option<SignOutHints>, Unavailable>;

    /// Forgets these sessions.
    async fn delete_sessions(&self, digests: &[SecretDigest]) -> Result<(), Unavailable>;

    /// Notes when sessions were last used; those that have ended are passed over.
    async fn update_last_seen(&self, seen: &[(SecretDigest, Timestamp)])
    -> Result<(), Unavailable>;

    /// The sessions that are within their limits at `now` and of their account's present epoch,
    /// with who they speak for; after `after` in the order of digests, at most `limit`.
    async fn list_live_sessions(
        &self,
        now: Timestamp,
        after: Option<SecretDigest>,
        limit: u64,
    ) -> Result<Vec<(Session, Identity)>, Unavailable>;

    /// Forgets sessions that can't come alive again at `now`, at most [`super::FORGOTTEN_AT_ONCE`]; how
    /// many it forgot.
    async fn delete_dead_sessions(&self, now: Timestamp) -> Result<u64, Unavailable>;
}
