//! What an authority sends: ID tokens, their claims, key sets, the token endpoint's answer.
//!
//! The first byte says which of them the rest is.

#![no_main]

use std::sync::LazyLock;

use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use portico::{
    domain::secret::Secret,
    oidc::{
        id_token::{ExpectedIdToken, IdTokenClaims, verify},
        jwks::Jwks,
        refusal::Refusal,
        token::{Answer, TokenResponse},
    },
};
use serde_json::Value;

const NOW: i64 = 1_795_348_800;
const TENANT: &str = "11111111-2222-3333-4444-555555555555";
const CLIENT: &str = "22222222-2222-3333-4444-555555555555";
const NONCE: &str = "the nonce";

/// An odd number of 2048 bits: nobody knows its factors, so nobody can sign under it.
const MODULUS: &str = include_str!("../seeds/modulus");

static KEYS: LazyLock<Jwks> = LazyLock::new(|| {
    portico::app::install_crypto_provider();
    let modulus = MODULUS.trim();
    let set = format!(
        r#"{{"keys":[{{"kty":"RSA","use":"sig","kid":"k1","n":"{modulus}","e":"AQAB"}}]}}"#
    );
    Jwks::parse(set.as_bytes()).expect("a key set")
});

static EXPECTED: LazyLock<ExpectedIdToken> = LazyLock::new(|| ExpectedIdToken {
    issuer: format!("https://login.microsoftonline.com/{TENANT}/v2.0"),
    tenant_id: Some(TENANT.to_owned()),
    client_id: CLIENT.to_owned(),
    nonce: Secret::new(NONCE),
    max_age: None,
    access_token: Some(Secret::new("the access token")),
    role_claim_alias: None,
});

fuzz_target!(|input: &[u8]| {
    let Some((kind, rest)) = input.split_first() else { return };
    match kind % 4 {
        0 => token(rest),
        1 => claims(rest),
        2 => keys(rest),
        _ => answer(rest),
    }
});

/// Nobody can sign under the one key, so nothing is an ID token.
fn token(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let now = Timestamp::from_second(NOW).expect("a moment");
    assert!(verify(text, &KEYS, &EXPECTED, "roles", now).is_err(), "{text}");
}

/// What passes is what a second, slower reader finds right, too.
fn claims(bytes: &[u8]) {
    // As behind a signature: neither an array nor what is not UTF-8 is claims.
    let is_object = bytes.trim_ascii_start().first() == Some(&b'{');
    if !is_object || std::str::from_utf8(bytes).is_err() {
        return;
    }
    let Ok(claims) = serde_json::from_slice::<IdTokenClaims>(bytes) else { return };
    let now = Timestamp::from_second(NOW).expect("a moment");
    if claims.validate(&EXPECTED, now).is_err() {
        return;
    }
    let read: Value = serde_json::from_slice(bytes).expect("it was read before");
    let text = |name: &str| read[name].as_str().unwrap_or_default();
    assert_eq!(text("iss"), EXPECTED.issuer);
    assert!(read["aud"] == CLIENT || read["aud"] == serde_json::json!([CLIENT]));
    assert!(read["azp"].is_null() || read["azp"] == CLIENT);
    assert_eq!(text("nonce"), NONCE);
    assert_eq!(text("tid").to_ascii_lowercase(), TENANT);
    assert_eq!((text("ver"), text("oid").len()), ("2.0", 36));
    assert!((1..=255).contains(&text("sub").len()) && text("sub").is_ascii());
    let seconds = |name: &str| read[name].as_f64();
    assert!(seconds("exp").is_some_and(|exp| exp > (NOW - 61) as f64));
    assert!(seconds("nbf").is_none_or(|nbf| nbf < (NOW + 61) as f64));
    let issued = (NOW - 601) as f64..(NOW + 61) as f64;
    assert!(seconds("iat").is_some_and(|iat| issued.contains(&iat)));
}

fn keys(bytes: &[u8]) {
    if let Ok(keys) = Jwks::parse(bytes) {
        assert!(keys.usable() + keys.ignored() <= 1_000);
    }
}

fn answer(bytes: &[u8]) {
    if let Ok(answer) = serde_json::from_slice::<Answer>(bytes)
        && let Ok(response) = TokenResponse::try_from(answer)
    {
        assert!(!response.id_token.expose().is_empty());
    }
    if let Ok(refusal) = serde_json::from_slice::<Refusal>(bytes) {
        assert!(refusal.error.len() <= 100);
        assert!(refusal.description.as_ref().is_none_or(|text| text.len() <= 500));
        assert!(!refusal.to_string().contains(char::is_control));
    }
}
