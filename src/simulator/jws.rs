//! A JWS writer of the simulator's own (RFC 7515 §3.1), sharing no mistake with whoever checks.

use aws_lc_rs::{
    digest, hmac,
    rand::SystemRandom,
    rsa::KeyPair,
    signature::{EcdsaKeyPair, RSA_PKCS1_SHA256, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RsaEncoding},
};
use base64::{
    Engine as _,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use serde_json::{Map, Value};

/// What signs a token.
#[derive(Clone, Copy)]
pub(super) enum Signer<'a> {
    /// `none`: nothing at all.
    Nobody,
    /// `HS256` under this key.
    Hs256(&'a [u8]),
    /// `RS256`, the only algorithm that Entra uses.
    Rs256(&'a KeyPair),
    /// `RS512`.
    Rs512(&'a KeyPair),
    /// `PS256`.
    Ps256(&'a KeyPair),
    /// `ES256`.
    Es256(&'a EcdsaKeyPair),
}

impl Signer<'_> {
    /// The name for the header's `alg`.
    pub(super) const fn algorithm(&self) -> &'static str {
        match self {
            Self::Nobody => "none",
            Self::Hs256(_) => "HS256",
            Self::Rs256(_) => "RS256",
            Self::Rs512(_) => "RS512",
            Self::Ps256(_) => "PS256",
            Self::Es256(_) => "ES256",
        }
    }

    fn sign(&self, input: &[u8]) -> Vec<u8> {
        match self {
            Self::Nobody => Vec::new(),
            Self::Hs256(key) => {
                hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), input).as_ref().to_vec()
            }
            Self::Rs256(pair) => rs256(pair, input),
            Self::Rs512(pair) => rsa(pair, &RSA_PKCS1_SHA512, input),
            Self::Ps256(pair) => rsa(pair, &RSA_PSS_SHA256, input),
            Self::Es256(pair) => pair
                .sign(&SystemRandom::new(), input)
                .expect("the system has randomness to give")
                .as_ref()
                .to_vec(),
        }
    }
}

/// A compact serialization: header, payload as it stands, signature passed through `spoil`.
pub(super) fn compact(
    header: &Map<String, Value>,
    payload: &str,
    signer: &Signer<'_>,
    spoil: impl FnOnce(&mut Vec<u8>),
) -> String {
    let header = serde_json::to_string(header).expect("a map of JSON values is JSON");
    let input = format!("{}.{}", base64url(header.as_bytes()), base64url(payload.as_bytes()));
    let mut signature = signer.sign(input.as_bytes());
    spoil(&mut signature);
    format!("{input}.{}", base64url(&signature))
}

/// An RSASSA-PKCS1-v1_5 signature with SHA-256.
pub(super) fn rs256(pair: &KeyPair, input: &[u8]) -> Vec<u8> {
    rsa(pair, &RSA_PKCS1_SHA256, input)
}

fn rsa(pair: &KeyPair, encoding: &'static dyn RsaEncoding, input: &[u8]) -> Vec<u8> {
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign(encoding, &SystemRandom::new(), input, &mut signature)
        .expect("the buffer has the modulus' length and the key was generated here");
    signature
}

/// Base64url without padding (RFC 7515 §2).
pub(super) fn base64url(bytes: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// The claims of a token, believed without looking at its signature.
pub(super) fn claims_of(token: &str) -> Option<Value> {
    let payload = BASE64_URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    serde_json::from_slice(&payload).ok()
}

/// Ordinary base64, as `x5c` wants it (RFC 7517 §4.7).
pub(super) fn base64(bytes: &[u8]) -> String {
    BASE64_STANDARD.encode(bytes)
}

/// The SHA-256 of `bytes`.
pub(super) fn sha256(bytes: &[u8]) -> Vec<u8> {
    digest::digest(&digest::SHA256, bytes).as_ref().to_vec()
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
    use serde_json::json;

    use super::*;
    use crate::simulator::keys;

    #[test]
    fn a_token_is_header_payload_and_a_signature_that_the_public_key_confirms() {
        let key = keys::key(0);
        let header = json!({ "alg": "RS256" }).as_object().unwrap().clone();

        let token = compact(&header, r#"{"sub":"ada"}"#, &Signer::Rs256(key.pair()), |_| ());

        let (input, signature) = token.rsplit_once('.').unwrap();
        assert_eq!(input, "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhZGEifQ");
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.pair().public_key().as_ref())
            .verify(input.as_bytes(), &BASE64_URL_SAFE_NO_PAD.decode(signature).unwrap())
            .unwrap();
    }

    #[test]
    fn an_hs256_signature_is_the_one_of_rfc_7515_appendix_a_1() {
        let key = BASE64_URL_SAFE_NO_PAD
            .decode("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow")
            .unwrap();
        let input = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";

        let signature = Signer::Hs256(&key).sign(input.as_bytes());

        assert_eq!(base64url(&signature), "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
    }

    #[test]
    fn an_unsigned_token_ends_with_its_second_dot() {
        let token = compact(&Map::new(), "{}", &Signer::Nobody, |_| ());

        assert_eq!(token, "e30.e30.");
    }
}
