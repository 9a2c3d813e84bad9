//! An encrypted token (RFC 7516 §3.1): `dir` and `A256GCM`, under the client secret.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

use super::jws::{base64url, sha256};
use crate::domain::secret::random_bytes;

const HEADER: &str = r#"{"alg":"dir","enc":"A256GCM","cty":"JWT"}"#;

/// `token` encrypted with the key that OpenID Connect Core 1.0 §10.2 makes of a client secret.
pub(super) fn encrypt(token: &str, client_secret: &[u8]) -> String {
    let header = base64url(HEADER.as_bytes());
    let nonce = random_bytes::<12>();
    let key = UnboundKey::new(&AES_256_GCM, &sha256(client_secret))
        .expect("a SHA-256 has the length of the key");
    let mut text = token.as_bytes().to_vec();
    let tag = LessSafeKey::new(key)
        .seal_in_place_separate_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(header.as_bytes()),
            &mut text,
        )
        .expect("a token is shorter than the cipher's limit");
    let [nonce, text, tag] = [base64url(&nonce), base64url(&text), base64url(tag.as_ref())];
    format!("{header}..{nonce}.{text}.{tag}")
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};

    use super::*;

    #[test]
    fn whoever_has_the_client_secret_reads_the_token() {
        let encrypted = encrypt("header.payload.signature", b"client secret");

        let parts: Vec<&str> = encrypted.split('.').collect();
        let [header, "", nonce, text, tag] = parts[..] else { panic!("{encrypted}") };
        let bytes = |part: &str| BASE64_URL_SAFE_NO_PAD.decode(part).unwrap();
        let key = UnboundKey::new(&AES_256_GCM, &sha256(b"client secret")).unwrap();
        let nonce = Nonce::assume_unique_for_key(bytes(nonce).try_into().unwrap());
        let mut sealed = [bytes(text), bytes(tag)].concat();
        let opened =
            LessSafeKey::new(key).open_in_place(nonce, Aad::from(header), &mut sealed).unwrap();
        assert_eq!(opened, b"header.payload.signature");
    }
}
