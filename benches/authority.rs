//! Reading a pasted authority and checking its discovery document: once per connector and hour,
//! and once per keystroke on the setup page.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use portico::{
    domain::connector::ConnectorKind,
    oidc::authority::{Authority, TrustedHosts},
};

const AUTHORITY: &str =
    "https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0";

fn authority(c: &mut Criterion) {
    let trusted = TrustedHosts::default();
    let parsed = Authority::parse(ConnectorKind::AzureAd, AUTHORITY, &trusted)
        .expect("the authority is Entra ID's");
    let document = document();

    c.bench_function("authority/parse", |b| {
        b.iter(|| Authority::parse(ConnectorKind::AzureAd, black_box(AUTHORITY), &trusted));
    });
    c.bench_function("authority/check", |b| b.iter(|| parsed.check(black_box(&document))));
}

fn document() -> Vec<u8> {
    let endpoint = |path: &str| AUTHORITY.replace("/v2.0", path);
    serde_json::json!({
        "issuer": AUTHORITY,
        "authorization_endpoint": endpoint("/oauth2/v2.0/authorize"),
        "token_endpoint": endpoint("/oauth2/v2.0/token"),
        "jwks_uri": endpoint("/discovery/v2.0/keys"),
        "end_session_endpoint": endpoint("/oauth2/v2.0/logout"),
        "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "claims_supported": ["sub", "iss", "aud", "exp", "iat", "nonce", "name", "tid", "ver"],
    })
    .to_string()
    .into_bytes()
}

criterion_group!(benches, authority);
criterion_main!(benches);
