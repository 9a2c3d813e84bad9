//! The identity providers, asked over the network.

use std::sync::Arc;

use async_trait::async_trait;

use crate::{
    domain::connector::Connector,
    oidc::{
        authority::{AuthorityError, DiscoveryError, Provider},
        authorization_request::AcceptedCode,
        jwks::{Jwks, JwksError},
        refusal::Refusal,
        token::{TokenError, TokenResponse},
    },
};

/// The identity providers of all connectors.
#[async_trait]
pub trait Authorities: Send + Sync {
    /// The connector's provider, from a checked discovery document at most a day old.
    async fn provider(&self, connector: &Connector) -> Result<Arc<Provider>, AuthorityFailure>;

    /// The provider's signing keys, at most a day old.
    async fn keys(
        &self,
        connector: &Connector,
        provider: &Provider,
    ) -> Result<Arc<Jwks>, AuthorityFailure>;

    /// The provider's signing keys after a token named `kid`, which [`Self::keys`] did not have.
    ///
    /// Fetched at most every five minutes per connector, whoever asks; in between the keys known.
    async fn refetched_keys(
        &self,
        connector: &Connector,
        provider: &Provider,
        kid: Option<&str>,
    ) -> Result<Arc<Jwks>, AuthorityFailure>;

    /// Redeems a code, once.
    async fn redeem(
        &self,
        connector: &Connector,
        provider: &Provider,
        code: AcceptedCode,
    ) -> Result<TokenResponse, RedeemFailure>;
}

/// Why a provider's discovery document or keys cannot be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthorityFailure {
    /// It does not answer, or not as an authority does.
    #[error("{doing}: {cause}")]
    Unreachable {
        /// What was being done, with the address.
        doing: String,
        /// What went wrong.
        cause: String,
    },
    /// The connector's authority is not one; the admin can mend it.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// Its discovery document is not believed.
    #[error(transparent)]
    Discovery(#[from] DiscoveryError),
    /// Its key set cannot be read.
    #[error(transparent)]
    Keys(#[from] JwksError),
}

/// Why a code was not redeemed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RedeemFailure {
    /// The token endpoint does not answer, or not as one does. The code may be used up.
    #[error("redeeming a code: {0}")]
    Unreachable(String),
    /// The token endpoint says no: a wrong or expired secret, or a code used twice.
    #[error("the authority refused the code: {0}")]
    Refused(Refusal),
    /// The token endpoint's answer is not a token response.
    #[error(transparent)]
    Answer(#[from] TokenError),
}
