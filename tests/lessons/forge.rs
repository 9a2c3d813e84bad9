//! ID tokens by hand, for what no authority would sign.

use std::sync::LazyLock;

use aws_lc_rs::{
    hmac,
    rand::SystemRandom,
    rsa::{KeyPair, KeySize},
    signature::{KeyPair as _, RSA_PKCS1_SHA256},
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use jiff::Timestamp;
use portico::{
    domain::secret::Secret,
    oidc::{
        id_token::{ExpectedIdToken, IdTokenError, VerifiedIdentity, verify},
        jwks::Jwks,
    },
};
use serde_json::{Value, json};

pub const NOW: Timestamp = Timestamp::constant(1_795_348_800, 0);
pub const ISSUER: &str =
    "https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0";
pub const CLIENT: &str = "66666666-7777-8888-9999-000000000000";
pub const NONCE: &str = "the nonce of this very sign-in";
pub const ACCESS_TOKEN: &str = "the access token beside it";
const TENANT: &str = "11111111-2222-3333-4444-555555555555";

/// The authority's key, made once: RSA keys are slow to find.
pub static AUTHORITY: LazyLock<KeyPair> =
    LazyLock::new(|| KeyPair::generate(KeySize::Rsa2048).unwrap());
pub static STRANGER: LazyLock<KeyPair> =
    LazyLock::new(|| KeyPair::generate(KeySize::Rsa2048).unwrap());

pub fn base64url(bytes: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// A public key under this `kid`.
pub fn jwk(kid: &str, key: &KeyPair) -> Value {
    let public = key.public_key();
    json!({
        "kty": "RSA", "use": "sig", "kid": kid,
        "n": base64url(public.modulus().big_endian_without_leading_zero()),
        "e": base64url(public.exponent().big_endian_without_leading_zero()),
    })
}

/// The header of an honest token.
pub fn header() -> Value {
    json!({ "typ": "JWT", "alg": "RS256", "kid": "k1" })
}

/// The claims of an honest token.
pub fn claims() -> Value {
    let now = NOW.as_second();
    json!({
        "iss": ISSUER, "aud": CLIENT, "sub": "subject", "nonce": NONCE, "ver": "2.0",
        "tid": TENANT, "oid": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
        "iat": now - 300, "nbf": now - 300, "exp": now + 3600,
        "preferred_username": "ada@acme.example", "roles": ["Admin"],
    })
}

/// The same object with this member, or without it where the value is `None`.
pub fn with(object: Value, name: &str, value: Option<Value>) -> Value {
    let Value::Object(mut members) = object else { panic!("{object} is no object") };
    match value {
        Some(value) => members.insert(name.to_owned(), value),
        None => members.remove(name),
    };
    members.into()
}

fn signing_input(header: &Value, payload: &str) -> String {
    format!("{}.{}", base64url(header.to_string()), base64url(payload))
}

/// A token under an RS256 signature, whatever its header says.
pub fn signed(header: &Value, payload: &str, key: &KeyPair) -> String {
    let input = signing_input(header, payload);
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), input.as_bytes(), &mut signature).unwrap();
    format!("{input}.{}", base64url(signature))
}

/// A token under an HS256 signature.
pub fn signed_by_hmac(header: &Value, payload: &str, secret: &[u8]) -> String {
    let input = signing_input(header, payload);
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), input.as_bytes());
    format!("{input}.{}", base64url(tag))
}

/// A token with these claims, signed by the authority.
pub fn token(claims: &Value) -> String {
    signed(&header(), &claims.to_string(), &AUTHORITY)
}

/// An honest token but for one claim, signed by the authority; `None` leaves the claim out.
pub fn forged(name: &str, value: impl Into<Option<Value>>) -> String {
    token(&with(claims(), name, value.into()))
}

pub fn expected() -> ExpectedIdToken {
    ExpectedIdToken {
        issuer: ISSUER.into(),
        tenant_id: Some(TENANT.into()),
        client_id: CLIENT.into(),
        nonce: Secret::new(NONCE),
        max_age: None,
        access_token: Some(Secret::new(ACCESS_TOKEN)),
        role_claim_alias: None,
    }
}

/// What a sign-in makes of a token, given a key set.
pub fn judge_with(keys: &[Value], token: &str) -> Result<VerifiedIdentity, IdTokenError> {
    let jwks = Jwks::parse(json!({ "keys": keys }).to_string().as_bytes()).unwrap();
    verify(token, &jwks, &expected(), "roles", NOW)
}

/// What a sign-in makes of a token that the authority's one key may have signed.
pub fn judge(token: &str) -> Result<VerifiedIdentity, IdTokenError> {
    judge_with(&[jwk("k1", &AUTHORITY)], token)
}
