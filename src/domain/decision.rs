//! The stored "why" of a sign-in.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::{
    access_role::AccessRole,
    connector::RoleSource,
    id::{AccountId, ConnectorId, DecisionId, OrganizationId, Reference},
};

/// Why somebody was let in or refused: which claim, which rule, which account.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// Names it.
    pub id: DecisionId,
    /// What the person's page shows, and an admin searches for.
    pub reference: Reference,
    /// Whose it is.
    pub organization_id: OrganizationId,
    /// Through which connector the person came.
    pub connector_id: ConnectorId,
    /// The account that was found, if one was.
    pub account_id: Option<AccountId>,
    /// When.
    pub at: Timestamp,
    /// Let in, or why not.
    pub outcome: Outcome,
    /// What it rests on.
    pub grounds: Grounds,
}

/// How a sign-in ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Let in.
    SignedIn,
    /// The authority answered with an error instead of a code, or its token was not valid.
    NotAuthenticated,
    /// No account here is tied to that person.
    NotProvisioned,
    /// The account is deactivated.
    Inactive,
    /// The person signed in at another tenant than the connector's.
    WrongTenant,
    /// More than one account, or an account tied to somebody else, matches.
    Ambiguous,
    /// An account matches by user name and waits for an admin's approval.
    AwaitsApproval,
    /// The account has no role for the portal.
    NoRole,
    /// The account lost access while the person was signing in.
    AccessLost,
}

impl Outcome {
    /// The name as stored and logged.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SignedIn => "signed_in",
            Self::NotAuthenticated => "not_authenticated",
            Self::NotProvisioned => "not_provisioned",
            Self::Inactive => "inactive",
            Self::WrongTenant => "wrong_tenant",
            Self::Ambiguous => "ambiguous",
            Self::AwaitsApproval => "awaits_approval",
            Self::NoRole => "no_role",
            Self::AccessLost => "access_lost",
        }
    }
}

/// What a decision rests on, in an admin's words and the provider's values.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grounds {
    /// What happened, in one sentence for an admin, and what to do about it.
    pub because: String,
    /// Who came: the tenant or issuer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authority: Option<String>,
    /// Who came: the `oid` or `sub`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identifier: Option<String>,
    /// Who came: `preferred_username`, shown and never believed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preferred_username: Option<String>,
    /// Which rule found the account: `subject_link`, `external_id` or `user_name`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_found_by: Option<String>,
    /// Why the person has the role they have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<RoleGrounds>,
}

/// Why a person has the role they have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleGrounds {
    /// Where the connector takes roles from.
    pub source: RoleSource,
    /// The ID token's claim that was read.
    pub claim: String,
    /// Its values, as they came.
    pub token_values: Vec<String>,
    /// The account's SCIM `roles` values.
    pub scim_values: Vec<String>,
    /// Those that mean nothing here, of what the source reads.
    pub unknown_values: Vec<String>,
    /// What came of it.
    pub role: Option<AccessRole>,
}
