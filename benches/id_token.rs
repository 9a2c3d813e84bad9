//! The whole validation of an ID Token beside the bare verification of its RSA signature, the
//! least that any validation costs.

use std::hint::black_box;

use aws_lc_rs::{
    rand::SystemRandom,
    rsa::{KeyPair, KeySize},
    signature::{
        KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaPublicKeyComponents,
    },
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use criterion::{Criterion, criterion_group, criterion_main};
use jiff::Timestamp;
use portico::{
    domain::secret::Secret,
    oidc::{
        id_token::{ExpectedIdToken, verify},
        jwks::Jwks,
    },
};

const NOW: Timestamp = Timestamp::constant(1_795_348_800, 0);
const TENANT: &str = "11111111-2222-3333-4444-555555555555";

fn id_token(c: &mut Criterion) {
    let key = KeyPair::generate(KeySize::Rsa2048).expect("a key is found");
    let modulus = key.public_key().modulus().big_endian_without_leading_zero().to_vec();
    let exponent = key.public_key().exponent().big_endian_without_leading_zero().to_vec();
    let token = token(&key);
    let jwks = jwks(&modulus, &exponent);
    let expected = expected();

    let (signed, signature) = token.rsplit_once('.').expect("a token has parts");
    let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).expect("a signature is base64url");
    let public = RsaPublicKeyComponents { n: &modulus, e: &exponent };
    let parsed = public.to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256).expect("a key is a key");

    let mut group = c.benchmark_group("id_token");
    group.bench_function("bare RSA verification", |b| {
        b.iter(|| parsed.verify_sig(black_box(signed.as_bytes()), &signature));
    });
    group.bench_function("bare RSA verification, key from components", |b| {
        b.iter(|| {
            public.verify(&RSA_PKCS1_2048_8192_SHA256, black_box(signed.as_bytes()), &signature)
        });
    });
    group.bench_function("whole validation", |b| {
        b.iter(|| verify(black_box(&token), &jwks, &expected, "roles", NOW).expect("valid"));
    });
    group.finish();
}

fn jwks(modulus: &[u8], exponent: &[u8]) -> Jwks {
    let set = serde_json::json!({ "keys": [{
        "kty": "RSA", "use": "sig", "kid": "k1",
        "n": BASE64_URL_SAFE_NO_PAD.encode(modulus), "e": BASE64_URL_SAFE_NO_PAD.encode(exponent),
    }] });
    Jwks::parse(set.to_string().as_bytes()).expect("a key set")
}

fn token(key: &KeyPair) -> String {
    let now = NOW.as_second();
    let claims = serde_json::json!({
        "ver": "2.0", "iss": issuer(), "aud": "22222222-2222-3333-4444-555555555555",
        "sub": "AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ", "tid": TENANT,
        "oid": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee", "nonce": "the nonce", "iat": now - 300,
        "nbf": now - 300, "exp": now + 3600, "name": "Alice", "roles": ["Admin", "User"],
        "preferred_username": "alice@acme.example", "email": "alice@acme.example",
        "sid": "001a", "uti": "u1", "aio": "internal", "rh": "0.internal",
    });
    let header = r#"{"typ":"JWT","alg":"RS256","kid":"k1"}"#;
    let signed = [header, &claims.to_string()].map(|part| BASE64_URL_SAFE_NO_PAD.encode(part));
    let signed = signed.join(".");
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)
        .expect("the key signs");
    format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
}

fn issuer() -> String {
    format!("https://login.microsoftonline.com/{TENANT}/v2.0")
}

fn expected() -> ExpectedIdToken {
    ExpectedIdToken {
        issuer: issuer(),
        tenant_id: Some(TENANT.into()),
        client_id: "22222222-2222-3333-4444-555555555555".into(),
        nonce: Secret::new("the nonce"),
        max_age: None,
        access_token: None,
        role_claim_alias: None,
    }
}

criterion_group!(benches, id_token);
criterion_main!(benches);
