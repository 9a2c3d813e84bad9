//! The keys that sign, as Entra keeps them: several published at a time, changed without notice.

use std::sync::{
    OnceLock,
    atomic::{AtomicUsize, Ordering},
};

use aws_lc_rs::{
    digest,
    encoding::{AsDer as _, PublicKeyX509Der},
    rsa::{KeyPair, KeySize},
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use serde_json::{Value, json};

use super::{
    certificate,
    jws::{base64, base64url},
};
use crate::domain::secret;

/// Three keys take turns; they are made once per process, since each costs a tenth of a second.
const COUNT: usize = 3;
static KEYS: [OnceLock<SigningKey>; COUNT] = [const { OnceLock::new() }; COUNT];

/// An RSA-2048 key with what the JWKS says about it.
pub(super) struct SigningKey {
    pair: KeyPair,
    /// Also the `kid`, as with Entra.
    x5t: String,
    x5c: String,
}

/// The key of that number; whoever asks first waits while it is made.
pub(super) fn key(number: usize) -> &'static SigningKey {
    KEYS[number % COUNT].get_or_init(SigningKey::generate)
}

/// Makes the keys on a thread of its own, so that nobody waits for them later.
pub(super) fn make_ready() {
    std::thread::spawn(|| {
        for number in 0..COUNT {
            key(number);
        }
    });
}

impl SigningKey {
    fn generate() -> Self {
        let pair = KeyPair::generate(KeySize::Rsa2048).expect("the system has randomness to give");
        let certificate = certificate::self_signed(&pair, secret::random_bytes());
        let thumbprint = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, &certificate);
        Self { x5t: base64url(thumbprint.as_ref()), x5c: base64(&certificate), pair }
    }

    /// The private key.
    pub(super) const fn pair(&self) -> &KeyPair {
        &self.pair
    }

    /// The name under which the JWKS has it.
    pub(super) fn kid(&self) -> &str {
        &self.x5t
    }

    /// The public key in PEM: the text that a confused verifier may take for an HMAC secret.
    pub(super) fn public_pem(&self) -> String {
        let der: PublicKeyX509Der<'_> =
            self.pair.public_key().as_der().expect("a generated key has a DER form");
        let text = base64(der.as_ref());
        let lines: Vec<&str> =
            text.as_bytes().chunks(64).filter_map(|line| str::from_utf8(line).ok()).collect();
        format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n"))
    }

    /// The JWK without `alg`, as Entra has it; `issuer` only in the v2.0 document.
    pub(super) fn jwk(&self, issuer: Option<&str>) -> Value {
        let public = self.pair.public_key();
        let mut jwk = json!({
            "kty": "RSA",
            "use": "sig",
            "kid": self.kid(),
            "x5t": self.x5t,
            "n": base64url(public.modulus().big_endian_without_leading_zero()),
            "e": base64url(public.exponent().big_endian_without_leading_zero()),
            "x5c": [self.x5c],
        });
        if let Some(issuer) = issuer {
            jwk["cloud_instance_name"] = json!("microsoftonline.com");
            jwk["issuer"] = json!(issuer);
        }
        jwk
    }
}

/// The name of the elliptic key, which is published only while a fault signs with it.
pub(super) const ELLIPTIC_KID: &str = "elliptic";

/// A key on the curve P-256; Entra has none.
pub(super) fn elliptic() -> &'static EcdsaKeyPair {
    static KEY: OnceLock<EcdsaKeyPair> = OnceLock::new();
    KEY.get_or_init(|| {
        EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)
            .expect("the system has randomness to give")
    })
}

/// The JWK of [`elliptic`] (RFC 7518 §6.2.1).
pub(super) fn elliptic_jwk() -> Value {
    let point = elliptic().public_key().as_ref();
    // An uncompressed point: a byte that says so, then both coordinates.
    let (x, y) = point[1..].split_at(32);
    json!({
        "kty": "EC",
        "crv": "P-256",
        "use": "sig",
        "kid": ELLIPTIC_KID,
        "x": base64url(x),
        "y": base64url(y),
    })
}

/// One simulator's turn through the keys.
#[derive(Default)]
pub(super) struct KeyRing {
    turn: AtomicUsize,
}

impl KeyRing {
    /// The key that signs now.
    pub(super) fn current(&self) -> &'static SigningKey {
        key(self.turn.load(Ordering::Relaxed))
    }

    /// The key that is not published at the moment.
    pub(super) fn unpublished(&self) -> &'static SigningKey {
        key(self.turn.load(Ordering::Relaxed) + 1)
    }

    /// Lets the unpublished key sign from now on, and unpublishes the oldest one.
    pub(super) fn rotate(&self) {
        self.turn.fetch_add(1, Ordering::Relaxed);
    }

    /// The published keys, the signing one last: their order means nothing.
    pub(super) fn jwks(&self, issuer: Option<&str>) -> Vec<Value> {
        let turn = self.turn.load(Ordering::Relaxed);
        [turn + COUNT - 1, turn].map(|number| key(number).jwk(issuer)).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_rotation_a_new_key_signs_and_the_last_one_is_still_published() {
        let ring = KeyRing::default();
        let [before, next] = [ring.current().kid(), ring.unpublished().kid()];

        ring.rotate();

        let published = ring.jwks(None);
        let kids: Vec<_> = published.iter().map(|jwk| jwk["kid"].as_str().unwrap()).collect();
        assert_eq!((ring.current().kid(), kids), (next, vec![before, next]));
    }

    #[test]
    fn a_key_names_its_issuer_in_the_second_version_only_and_never_its_algorithm() {
        let ring = KeyRing::default();

        let [v1, v2] = [ring.jwks(None), ring.jwks(Some("http://127.0.0.1/x/v2.0"))];

        assert_eq!(v1[0].get("issuer"), None);
        assert_eq!(v2[0]["issuer"], "http://127.0.0.1/x/v2.0");
        assert_eq!(v2[0].get("alg"), None);
    }
}
