//! Identity providers over HTTPS: discovery, keys, and the code's redemption.

use std::{
    borrow::Cow,
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use http::{StatusCode, header::ACCEPT};
use openidconnect::{
    AuthorizationCode, HttpRequest, PkceCodeVerifier, RedirectUrl, RequestTokenError,
};
use url::Url;

use crate::{
    domain::{
        clock::Clock,
        connector::{Connector, ConnectorKind},
        id::ConnectorId,
    },
    oidc::{
        authority::{Authority, LONGEST_DOCUMENT, Provider, TrustedHosts},
        authorization_request::AcceptedCode,
        client_authentication::client,
        jwks::{Jwks, JwksError, LONGEST_SET},
        token::{LONGEST_ANSWER, TokenError, TokenResponse},
    },
    outbound::{
        cached::Cached,
        https::{Https, HttpsError},
    },
    ports::authorities::{Authorities, AuthorityFailure, RedeemFailure},
};

/// More connectors than one instance serves; beyond it everything is asked anew.
const MOST_CONNECTORS: usize = 10_000;

/// Asks identity providers and remembers, per connector, what they said.
#[derive(Debug)]
pub struct AuthorityClient {
    https: Https,
    trusted: TrustedHosts,
    clock: Clock,
    known: Mutex<HashMap<ConnectorId, Arc<Known>>>,
}

/// What is known of one connector's authority.
#[derive(Debug, Default)]
struct Known {
    provider: Arc<Cached<Provider>>,
    keys: Arc<Cached<Jwks>>,
}

impl AuthorityClient {
    /// A client that reaches Microsoft's hosts, public hosts, and what `trusted` names.
    pub fn new(trusted: TrustedHosts, clock: Clock) -> Self {
        Self { https: Https::new(trusted.clone()), trusted, clock, known: Mutex::default() }
    }

    /// Makes what the first request would otherwise wait for; blocks while it reads certificates.
    pub fn prepare(&self) -> Result<(), HttpsError> {
        self.https.prepare()
    }

    fn known(&self, connector: &Connector) -> Arc<Known> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST_CONNECTORS && !known.contains_key(&connector.id) {
            known.clear();
        }
        Arc::clone(known.entry(connector.id).or_default())
    }
}

#[async_trait]
impl Authorities for AuthorityClient {
    async fn provider(&self, connector: &Connector) -> Result<Arc<Provider>, AuthorityFailure> {
        let authority = Authority::parse(connector.kind, &connector.authority, &self.trusted)?;
        // The pasted text, not the address: a domain and an id may lead to the same document.
        let source = format!("{} {}", connector.kind.as_str(), connector.authority);
        let fetch = discover(self.https.clone(), authority);
        self.known(connector).provider.get(&source, self.clock.now(), fetch).await
    }

    async fn keys(
        &self,
        connector: &Connector,
        provider: &Provider,
    ) -> Result<Arc<Jwks>, AuthorityFailure> {
        let jwks_uri = provider.jwks_uri();
        let fetch = fetch_keys(self.https.clone(), connector.kind, jwks_uri.clone());
        self.known(connector).keys.get(jwks_uri.as_str(), self.clock.now(), fetch).await
    }

    async fn refetched_keys(
        &self,
        connector: &Connector,
        provider: &Provider,
        kid: Option<&str>,
    ) -> Result<Arc<Jwks>, AuthorityFailure> {
        let jwks_uri = provider.jwks_uri();
        let fetch = fetch_keys_with(self.https.clone(), connector, provider, kid);
        self.known(connector).keys.refetch(jwks_uri.as_str(), self.clock.now(), fetch).await
    }

    async fn redeem(
        &self,
        connector: &Connector,
        provider: &Provider,
        code: AcceptedCode,
    ) -> Result<TokenResponse, RedeemFailure> {
        let client = client(provider, &connector.client_id, &connector.client_authentication);
        let redirect_uri = RedirectUrl::new(code.redirect_uri().to_owned())
            .map_err(|error| RedeemFailure::Unreachable(error.to_string()))?;
        let verifier = PkceCodeVerifier::new(code.code_verifier().expose().to_owned());
        let door = self.https.door(connector.kind, LONGEST_ANSWER);
        let answer = client
            .exchange_code(AuthorizationCode::new(code.code().expose().to_owned()))
            .set_pkce_verifier(verifier)
            .set_redirect_uri(Cow::Owned(redirect_uri))
            .request_async(&door)
            .await
            .map_err(|error| match error {
                RequestTokenError::ServerResponse(refusal) => RedeemFailure::Refused(refusal),
                RequestTokenError::Request(error) => RedeemFailure::Unreachable(error.to_string()),
                // These carry the answer's body, which is no log's business.
                RequestTokenError::Parse(..) | RequestTokenError::Other(_) => {
                    RedeemFailure::Answer(TokenError::Malformed)
                }
            })?;
        Ok(TokenResponse::try_from(answer)?)
    }
}

async fn discover(https: Https, authority: Authority) -> Result<Provider, AuthorityFailure> {
    let url = authority.discovery_url();
    let document = get(&https, authority.kind(), &url, LONGEST_DOCUMENT).await?;
    Ok(authority.check(&document)?)
}

async fn fetch_keys(
    https: Https,
    kind: ConnectorKind,
    jwks_uri: Url,
) -> Result<Jwks, AuthorityFailure> {
    let keys = Jwks::parse(&get(&https, kind, &jwks_uri, LONGEST_SET).await?)?;
    if keys.usable() == 0 {
        tracing::warn!(%jwks_uri, ignored = keys.ignored(), "an authority has no usable key");
        return Err(JwksError::NoUsableKey.into());
    }
    Ok(keys)
}

/// The keys; if `kid` is not among them and the application may have keys of its own, those.
async fn fetch_keys_with(
    https: Https,
    connector: &Connector,
    provider: &Provider,
    kid: Option<&str>,
) -> Result<Jwks, AuthorityFailure> {
    let mut jwks_uri = provider.jwks_uri().clone();
    let keys = fetch_keys(https.clone(), connector.kind, jwks_uri.clone()).await?;
    if keys.has(kid) || !provider.profile().keys_by_application {
        return Ok(keys);
    }
    jwks_uri.query_pairs_mut().append_pair("appid", &connector.client_id);
    match fetch_keys(https, connector.kind, jwks_uri).await {
        Ok(own) if own.has(kid) => Ok(own),
        Ok(_) | Err(_) => Ok(keys),
    }
}

async fn get(
    https: &Https,
    kind: ConnectorKind,
    url: &Url,
    longest: usize,
) -> Result<Vec<u8>, AuthorityFailure> {
    let failed =
        |cause: String| AuthorityFailure::Unreachable { doing: format!("GET {url}"), cause };
    let mut request = HttpRequest::new(Vec::new());
    *request.uri_mut() = url.as_str().parse().map_err(|_| failed("not an address".into()))?;
    request.headers_mut().insert(ACCEPT, http::HeaderValue::from_static("application/json"));
    let answer = https.door(kind, longest).send(request).await;
    let answer = answer.map_err(|error| failed(error.to_string()))?;
    match answer.status() {
        StatusCode::OK => Ok(answer.into_body()),
        status => Err(failed(format!("the server answered {status}"))),
    }
}

#[cfg(test)]
mod tests;
