//! The client that requests are made by, and how it proves itself at the token endpoint.

use openidconnect::{
    AuthType, AuthUrl, ClientId, ClientSecret, EndpointNotSet, EndpointSet, IssuerUrl,
    JsonWebKeySet, TokenUrl,
    core::{
        CoreAuthDisplay, CoreAuthPrompt, CoreGenderClaim, CoreJsonWebKey,
        CoreJweContentEncryptionAlgorithm, CoreRevocableToken, CoreRevocationErrorResponse,
        CoreTokenIntrospectionResponse,
    },
};

use crate::{
    domain::connector::ClientAuthentication,
    oidc::{
        authority::Provider,
        refusal::Refusal,
        token::{Answer, UnreadClaims},
    },
};

/// openidconnect's client with our error and token answers.
pub type Client = openidconnect::Client<
    UnreadClaims,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    Refusal,
    Answer,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
    EndpointNotSet,
>;

/// The client registered as `client_id` at `provider` (OpenID Connect Core 1.0 §9).
///
/// It holds no keys: ID Tokens are verified by [`crate::oidc::id_token`] alone.
///
/// # Panics
/// Never: a provider's issuer was an address before.
pub fn client(
    provider: &Provider,
    client_id: &str,
    authentication: &ClientAuthentication,
) -> Client {
    let issuer = IssuerUrl::new(provider.issuer().to_owned()).expect("a checked issuer is a URL");
    let client = openidconnect::Client::new(
        ClientId::new(client_id.to_owned()),
        issuer,
        JsonWebKeySet::default(),
    )
    .set_auth_uri(AuthUrl::from_url(provider.authorization_endpoint().clone()))
    .set_token_uri(TokenUrl::from_url(provider.token_endpoint().clone()));
    let secret =
        |secret: &crate::domain::secret::Secret| ClientSecret::new(secret.expose().to_owned());
    match authentication {
        ClientAuthentication::SecretPost(text) => {
            client.set_client_secret(secret(text)).set_auth_type(AuthType::RequestBody)
        }
        ClientAuthentication::SecretBasic(text) => {
            client.set_client_secret(secret(text)).set_auth_type(AuthType::BasicAuth)
        }
        ClientAuthentication::Public => client.set_auth_type(AuthType::RequestBody),
    }
}
