//! One organization's link to one identity provider.

use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::{
    access_role::RoleTable,
    id::{ConnectorId, OrganizationId},
    provisioning_policy::ProvisioningPolicy,
    secret::Secret,
};

mod scim_credentials;

pub use self::scim_credentials::{
    FederatedIdentity, MOST_CLIENTS, MOST_PASSWORDS, ScimCredential, ScimCredentialKind,
    ScimCredentials,
};

/// One organization's link to one identity provider: how its people sign in, and how its
/// directory writes to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Connector {
    /// Whose it is.
    pub organization_id: OrganizationId,
    /// Part of its redirect URI and SCIM URL; opaque, never reused.
    pub id: ConnectorId,
    /// Which profile of a provider it speaks to.
    pub kind: ConnectorKind,
    /// Off: nobody signs in through it and its SCIM credentials are refused.
    pub enabled: bool,
    /// The authority as the admin pasted it; `oidc::authority` reads it.
    pub authority: String,
    /// The application (client) ID registered at the provider.
    pub client_id: String,
    /// How the client proves itself at the token endpoint.
    pub client_authentication: ClientAuthentication,
    /// Where a person's role comes from.
    pub role_source: RoleSource,
    /// The ID token's role claim; `roles` unless set.
    pub role_claim: String,
    /// Which value means which role.
    pub role_table: RoleTable,
    /// Whether a first sign-in may find its account by user name.
    pub link_by_user_name: LinkByUserName,
    /// What the provider's directory authenticates with.
    pub scim: ScimCredentials,
    /// What that directory may do, and what it must send.
    pub provisioning: ProvisioningPolicy,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Which kind of identity provider a connector speaks to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectorKind {
    /// Microsoft Entra ID (Azure Active Directory), one tenant.
    AzureAd,
    /// Any provider that follows OpenID Connect Discovery 1.0.
    Oidc,
}

impl ConnectorKind {
    /// The name as stored and configured.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AzureAd => "azure_ad",
            Self::Oidc => "oidc",
        }
    }
}

impl FromStr for ConnectorKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "azure_ad" => Ok(Self::AzureAd),
            "oidc" => Ok(Self::Oidc),
            _ => Err("a connector's kind is `azure_ad` or `oidc`".into()),
        }
    }
}

/// How a client proves itself at the token endpoint (OpenID Connect Core 1.0 §9).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientAuthentication {
    /// `client_secret_post`: the secret in the form; what Entra ID is used to.
    SecretPost(Secret),
    /// `client_secret_basic`: the secret in the `Authorization` header.
    SecretBasic(Secret),
    /// `none`: a public client, PKCE alone.
    Public,
}

/// Where a person's role comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RoleSource {
    /// The ID token's role claim.
    Token,
    /// The SCIM `roles` values.
    Scim,
    /// The higher of both.
    Highest,
}

impl RoleSource {
    /// The name as stored and configured.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Scim => "scim",
            Self::Highest => "highest",
        }
    }
}

impl FromStr for RoleSource {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "token" => Ok(Self::Token),
            "scim" => Ok(Self::Scim),
            "highest" => Ok(Self::Highest),
            _ => Err("a role source is `token`, `scim` or `highest`".into()),
        }
    }
}

/// Whether a first sign-in may find its account by `userName` = `preferred_username`, where
/// neither a subject link nor an `externalId` ties them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LinkByUserName {
    /// The person waits until an admin approves.
    Ask,
    /// Linked at once; never with the role Admin or above.
    Allow,
    /// Refused.
    Never,
}

impl LinkByUserName {
    /// The name as stored and configured.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ask => "ask",
            Self::Allow => "allow",
            Self::Never => "never",
        }
    }
}

impl FromStr for LinkByUserName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "ask" => Ok(Self::Ask),
            "allow" => Ok(Self::Allow),
            "never" => Ok(Self::Never),
            _ => Err("linking by user name is `ask`, `allow` or `never`".into()),
        }
    }
}
