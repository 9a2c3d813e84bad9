//! What an admin pastes as authority, and the discovery document that is found there.
//!
//! The input is the pasted text, and after the first line break the document.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use portico::{
    domain::connector::ConnectorKind,
    oidc::authority::{Authority, Provider, TrustedHosts},
};
use url::Url;

/// The hosts that sign-ins of an Entra tenant may ever be sent to.
const MICROSOFT: [&str; 3] =
    ["login.microsoftonline.com", "login.microsoftonline.us", "login.partner.microsoftonline.cn"];

/// Tenants that belong to nobody in particular.
const SHARED: [&str; 4] =
    ["common", "organizations", "consumers", "9188040d-6c67-4c5b-b112-36a304b66dad"];

static TRUSTED: LazyLock<TrustedHosts> = LazyLock::new(TrustedHosts::default);

fuzz_target!(|input: &str| {
    let (pasted, document) = input.split_once('\n').unwrap_or((input, ""));
    for kind in [ConnectorKind::AzureAd, ConnectorKind::Oidc] {
        let Ok(authority) = Authority::parse(kind, pasted, &TRUSTED) else { continue };
        let address = authority.discovery_url();
        assert_public(kind, &address);
        assert!(address.path().ends_with("/.well-known/openid-configuration"), "{address}");
        if let Ok(provider) = authority.check(document.as_bytes()) {
            assert_checked(kind, pasted, &address, &provider);
        }
    }
});

fn assert_public(kind: ConnectorKind, address: &Url) {
    assert_eq!(address.scheme(), "https", "{address}");
    assert!(address.username().is_empty() && address.password().is_none(), "{address}");
    let host = address.domain().expect("a name, not a number");
    assert!(host.is_ascii() && host.contains('.'), "{address}");
    if kind == ConnectorKind::AzureAd {
        let known = MICROSOFT.contains(&host) || host.ends_with(".ciamlogin.com");
        assert!(known && address.port().is_none(), "{address}");
        let tenant = address.path_segments().and_then(|mut steps| steps.next()).unwrap_or_default();
        assert!(!SHARED.contains(&tenant) && !tenant.is_empty(), "{address}");
    }
}

/// A tenant's endpoints lie with its issuer or with the authority that was asked, where External ID
/// has a name for each.
fn assert_checked(kind: ConnectorKind, pasted: &str, asked: &Url, provider: &Provider) {
    let issuer = Url::parse(provider.issuer()).expect("an issuer is an address");
    let endpoints =
        [provider.authorization_endpoint(), provider.token_endpoint(), provider.jwks_uri()];
    for endpoint in endpoints.into_iter().chain(provider.end_session_endpoint()) {
        assert_eq!(endpoint.scheme(), "https", "{endpoint}");
        assert!(endpoint.username().is_empty() && endpoint.fragment().is_none(), "{endpoint}");
        if kind == ConnectorKind::AzureAd {
            assert_public(kind, &issuer);
            assert!([issuer.origin(), asked.origin()].contains(&endpoint.origin()), "{endpoint}");
        }
    }
    match kind {
        ConnectorKind::AzureAd => assert_eq!(provider.tenant_id().map(str::len), Some(36)),
        ConnectorKind::Oidc => assert!(pasted.contains(provider.issuer()), "{pasted}"),
    }
}
