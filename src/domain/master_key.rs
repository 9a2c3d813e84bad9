//! The key that everything kept secret at rest is sealed under.

use std::fmt;

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey},
    hkdf,
};
use zeroize::Zeroizing;

const VERSION: u8 = 1;
const NONCE: usize = 12;
const TAG: usize = 16;

/// 256 bits from which the sealing key and the cookie keys are derived (HKDF-SHA-256, RFC 5869).
pub struct MasterKey {
    root: hkdf::Prk,
    sealing: RandomizedNonceKey,
}

/// A sealed value does not open: another key, another place, or damaged bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a sealed value does not open under this master key")]
pub struct NotOpened;

impl MasterKey {
    /// The master key of these 32 bytes.
    ///
    /// # Panics
    /// Never: both lengths are fixed.
    pub fn new(bytes: &[u8; 32]) -> Self {
        let root = hkdf::Salt::new(hkdf::HKDF_SHA256, b"portico master key").extract(bytes);
        let sealing = RandomizedNonceKey::new(&AES_256_GCM, &*expand::<32>(&root, "sealing"))
            .expect("AES-256 takes 32 bytes");
        Self { root, sealing }
    }

    /// `N` bytes for one purpose, the same on every start.
    pub fn derive<const N: usize>(&self, purpose: &str) -> Zeroizing<[u8; N]> {
        expand(&self.root, purpose)
    }

    /// Seals `plain` for one place: `place` (table, column, row) is bound into the result, so a
    /// sealed value moved to another row does not open there.
    ///
    /// `version (1) | nonce (12) | ciphertext | tag (16)`, AES-256-GCM.
    ///
    /// # Panics
    /// If the system has no randomness to give.
    pub fn seal(&self, place: &str, plain: &[u8]) -> Vec<u8> {
        let mut sealed = Vec::with_capacity(1 + NONCE + plain.len() + TAG);
        let mut text = plain.to_vec();
        let nonce = self
            .sealing
            .seal_in_place_append_tag(Aad::from(place), &mut text)
            .expect("the system's random source answers");
        sealed.push(VERSION);
        sealed.extend_from_slice(nonce.as_ref());
        sealed.extend_from_slice(&text);
        sealed
    }

    /// What [`Self::seal`] sealed for the same place.
    pub fn open(&self, place: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, NotOpened> {
        if sealed.len() < 1 + NONCE + TAG || sealed[0] != VERSION {
            return Err(NotOpened);
        }
        let (nonce, text) = sealed[1..].split_at(NONCE);
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| NotOpened)?;
        let mut text = Zeroizing::new(text.to_vec());
        let length = self
            .sealing
            .open_in_place(nonce, Aad::from(place), &mut text)
            .map_err(|_| NotOpened)?
            .len();
        text.truncate(length);
        Ok(text)
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

fn expand<const N: usize>(root: &hkdf::Prk, purpose: &str) -> Zeroizing<[u8; N]> {
    struct Length(usize);
    impl hkdf::KeyType for Length {
        fn len(&self) -> usize {
            self.0
        }
    }
    let mut bytes = Zeroizing::new([0; N]);
    root.expand(&[purpose.as_bytes()], Length(N))
        .and_then(|material| material.fill(bytes.as_mut()))
        .expect("HKDF-SHA-256 gives up to 8160 bytes");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_value_opens_only_in_its_place_and_under_its_key() {
        let key = MasterKey::new(&[7; 32]);
        let sealed = key.seal("connector/1/client_secret", b"hunter2");

        assert_eq!(key.open("connector/1/client_secret", &sealed).unwrap().as_slice(), b"hunter2");
        assert!(key.open("connector/2/client_secret", &sealed).is_err());
        assert!(MasterKey::new(&[8; 32]).open("connector/1/client_secret", &sealed).is_err());
        for cut in 0..sealed.len() {
            assert!(key.open("connector/1/client_secret", &sealed[..cut]).is_err());
        }
    }

    #[test]
    fn keys_for_different_purposes_differ_and_stay_the_same() {
        let [a, b] = [MasterKey::new(&[7; 32]), MasterKey::new(&[7; 32])];

        assert_eq!(a.derive::<64>("cookies"), b.derive::<64>("cookies"));
        assert_ne!(a.derive::<32>("cookies"), a.derive::<32>("sealing"));
    }
}
