//! The discovery document and what is left of it once checked.

use openidconnect::{
    AdditionalProviderMetadata, ProviderMetadata, TokenUrl,
    core::{
        CoreAuthDisplay, CoreClaimName, CoreClaimType, CoreClientAuthMethod, CoreGrantType,
        CoreJsonWebKey, CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm,
        CoreJwsSigningAlgorithm, CoreResponseMode, CoreResponseType, CoreSubjectIdentifierType,
    },
};
use serde::{Deserialize, Serialize};
use url::{Origin, Url};

use super::{Authority, PERSONAL_ACCOUNTS, Place, Tenant};
use crate::{
    domain::connector::ConnectorKind,
    oidc::{
        authorization_request::OUR_PARAMETERS, guid, json_object, plain_text,
        provider_kind::Profile,
    },
};

/// A discovery document is at most this long: 256 KiB.
pub const LONGEST_DOCUMENT: usize = 256 * 1024;

/// An identity provider whose discovery document was checked; has no other source than
/// [`Authority::check`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    kind: ConnectorKind,
    issuer: String,
    tenant_id: Option<String>,
    authorization_endpoint: Url,
    token_endpoint: Url,
    jwks_uri: Url,
    end_session_endpoint: Option<Url>,
    authorization_response_iss_parameter_supported: bool,
    token_endpoint_auth_methods_supported: Vec<String>,
}

/// Why a discovery document is not believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DiscoveryError {
    /// Longer than 256 KiB.
    #[error("the discovery document is longer than 256 KiB")]
    TooLong,
    /// Not the JSON object that OpenID Connect Discovery 1.0 §3 describes.
    #[error("the discovery document cannot be read: {0}")]
    Malformed(String),
    /// It speaks for another issuer.
    #[error(
        "the discovery document names the issuer {found}, not {expected}; paste the authority \
         exactly as the provider writes its issuer"
    )]
    Issuer {
        /// Whose document was asked for.
        expected: String,
        /// Whose it says it is.
        found: String,
    },
    /// An endpoint is missing, not https, or on a host that it must not be on.
    #[error("the discovery document's {0} is missing or does not lie where it must")]
    Endpoint(&'static str),
    /// RS256 is not among `id_token_signing_alg_values_supported`.
    #[error("the provider does not sign ID tokens with RS256")]
    NoRs256,
    /// `code` is not among `response_types_supported`.
    #[error("the provider does not support the authorization code flow")]
    NoCodeFlow,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
struct Additional {
    end_session_endpoint: Option<Url>,
    authorization_response_iss_parameter_supported: Option<bool>,
}

impl AdditionalProviderMetadata for Additional {}

type Metadata = ProviderMetadata<
    Additional,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

impl Authority {
    /// Checks a discovery document fetched from [`Authority::discovery_url`].
    ///
    /// Unknown members are ignored, and members that are not needed may be absent.
    pub fn check(&self, document: &[u8]) -> Result<Provider, DiscoveryError> {
        if document.len() > LONGEST_DOCUMENT {
            return Err(DiscoveryError::TooLong);
        }
        let metadata: Metadata = json_object(document)
            .map_err(|cause| DiscoveryError::Malformed(plain_text(&cause.to_string(), 200)))?;
        let tenant_id = self.check_issuer(metadata.issuer().as_str())?;
        check_capabilities(&metadata)?;
        self.provider(&metadata, tenant_id)
    }

    /// The tenant that the issuer names; `None` where there are no tenants.
    fn check_issuer(&self, found: &str) -> Result<Option<String>, DiscoveryError> {
        let tenant_id = match &self.place {
            Place::Entra { tenant: Tenant::Id(id), .. } => Some(id.clone()),
            Place::Entra { tenant: Tenant::Domain(_), .. } => tenant_named_by(found),
            Place::Issuer(_) => None,
        };
        let expected = self.issuers_of(tenant_id.as_deref().unwrap_or("{tenant id}"));
        if expected.iter().any(|expected| expected == found) {
            return Ok(tenant_id);
        }
        let [expected, ..] = expected.as_slice() else { return Ok(None) };
        Err(DiscoveryError::Issuer { expected: expected.clone(), found: plain_text(found, 200) })
    }

    fn provider(
        &self,
        metadata: &Metadata,
        tenant_id: Option<String>,
    ) -> Result<Provider, DiscoveryError> {
        let endpoint = |name: &'static str, url: Option<&Url>| {
            url.filter(|url| self.may_be_called(url, tenant_id.as_deref()))
                .cloned()
                .ok_or(DiscoveryError::Endpoint(name))
        };
        let authorization = metadata.authorization_endpoint().url();
        let additional = metadata.additional_metadata();
        let end_session = additional.end_session_endpoint.as_ref();
        Ok(Provider {
            kind: self.kind,
            issuer: metadata.issuer().as_str().to_owned(),
            authorization_endpoint: endpoint(
                "authorization_endpoint",
                Some(authorization).filter(|url| leaves_our_parameters_alone(url)),
            )?,
            token_endpoint: endpoint(
                "token_endpoint",
                metadata.token_endpoint().map(TokenUrl::url),
            )?,
            jwks_uri: endpoint("jwks_uri", Some(metadata.jwks_uri().url()))?,
            end_session_endpoint: end_session
                .map(|url| endpoint("end_session_endpoint", Some(url)))
                .transpose()?,
            authorization_response_iss_parameter_supported: additional
                .authorization_response_iss_parameter_supported
                .unwrap_or(false),
            token_endpoint_auth_methods_supported: auth_methods(metadata),
            tenant_id,
        })
    }

    /// Whether an endpoint lies where the kind of provider demands: on the authority's host for
    /// Entra ID, on any https host for others, or on a pair that the configuration names.
    fn may_be_called(&self, url: &Url, tenant_id: Option<&str>) -> bool {
        let anonymous = url.username().is_empty() && url.password().is_none();
        if !anonymous || url.fragment().is_some() || !url.has_host() {
            return false;
        }
        if self.profile().endpoints_on_issuer_host {
            return self.origins(tenant_id.unwrap_or_default()).contains(&url.origin());
        }
        url.scheme() == "https" || self.trusted.names_url(url)
    }

    fn origins(&self, tenant: &str) -> Vec<Origin> {
        let issuers = self.issuers_of(tenant);
        let urls = issuers.iter().filter_map(|issuer| Url::parse(issuer).ok());
        urls.map(|url| url.origin()).collect()
    }
}

/// The tenant in `https://{host}/{tenant}/v2.0`, if it is an organization's.
fn tenant_named_by(issuer: &str) -> Option<String> {
    let tenant = issuer.strip_suffix("/v2.0")?.rsplit('/').next()?;
    guid(tenant).filter(|id| id == tenant && id != PERSONAL_ACCOUNTS)
}

fn check_capabilities(metadata: &Metadata) -> Result<(), DiscoveryError> {
    let rs256 = CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256;
    if !metadata.id_token_signing_alg_values_supported().contains(&rs256) {
        return Err(DiscoveryError::NoRs256);
    }
    let code = [CoreResponseType::Code];
    if !metadata.response_types_supported().iter().any(|types| types[..] == code) {
        return Err(DiscoveryError::NoCodeFlow);
    }
    Ok(())
}

/// Whether the endpoint's own query has none of the parameters that a request adds to it.
fn leaves_our_parameters_alone(url: &Url) -> bool {
    url.query_pairs().all(|(name, _)| !OUR_PARAMETERS.contains(&name.as_ref()))
}

fn auth_methods(metadata: &Metadata) -> Vec<String> {
    let methods = metadata.token_endpoint_auth_methods_supported().map_or(&[][..], Vec::as_slice);
    methods.iter().map(|method| method.as_ref().to_owned()).collect()
}

impl Provider {
    /// What `iss` must be, byte for byte.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Entra ID: the tenant, a GUID in lower case. `None` for providers without tenants.
    pub fn tenant_id(&self) -> Option<&str> {
        self.tenant_id.as_deref()
    }

    /// Where the browser is sent.
    pub const fn authorization_endpoint(&self) -> &Url {
        &self.authorization_endpoint
    }

    /// Where a code is redeemed.
    pub const fn token_endpoint(&self) -> &Url {
        &self.token_endpoint
    }

    /// Where the signing keys lie.
    pub const fn jwks_uri(&self) -> &Url {
        &self.jwks_uri
    }

    /// Where the browser signs out at the provider, if that is offered.
    pub const fn end_session_endpoint(&self) -> Option<&Url> {
        self.end_session_endpoint.as_ref()
    }

    /// Whether every authorization response carries `iss` (RFC 9207 §3).
    pub const fn authorization_response_iss_parameter_supported(&self) -> bool {
        self.authorization_response_iss_parameter_supported
    }

    /// How clients may prove themselves, by the registered names; empty if it does not say.
    pub fn token_endpoint_auth_methods_supported(&self) -> &[String] {
        &self.token_endpoint_auth_methods_supported
    }

    /// The quirks of its kind.
    pub const fn profile(&self) -> &'static Profile {
        Profile::of(self.kind)
    }
}
