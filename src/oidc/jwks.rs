//! An authority's signing keys, and the choice of one for a token.

use std::collections::HashSet;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use jsonwebtoken::DecodingKey;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::oidc::json_object;

/// A key set is at most this long: 256 KiB.
pub const LONGEST_SET: usize = 256 * 1024;

const MOST_KEYS: usize = 100;
/// RFC 7518 §3.3 demands 2048 bits; the verifier takes no more than 8192.
const MODULUS_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// The keys of an authority that can verify RS256 (RFC 7517), made ready once.
#[derive(Clone, Debug)]
pub struct Jwks {
    keys: Vec<Key>,
    ignored: usize,
}

#[derive(Clone, Debug)]
struct Key {
    kid: Option<String>,
    /// Entra ID: whose tokens it signs, perhaps with `{tenantid}` in the tenant's place.
    issuer: Option<String>,
    decoding: DecodingKey,
}

/// Why bytes are not a key set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JwksError {
    /// Longer than 256 KiB or more than 100 keys.
    #[error("the key set is longer than 256 KiB or has more than 100 keys")]
    TooLong,
    /// Not a JSON object with a list `keys`.
    #[error("the key set cannot be read")]
    Malformed,
    /// No key in it that an ID Token may be signed with.
    #[error("the key set has no usable key")]
    NoUsableKey,
}

/// Why no key of the set fits a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoKey {
    /// The `kid` is not there; a newer set may have it.
    Unknown,
    /// No `kid`, and several keys to choose from.
    Ambiguous,
}

#[derive(Deserialize)]
struct WireSet<'a> {
    #[serde(borrow)]
    keys: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct WireKey {
    kty: String,
    #[serde(rename = "use")]
    key_use: Option<String>,
    key_ops: Option<Vec<String>>,
    alg: Option<String>,
    kid: Option<String>,
    issuer: Option<String>,
    n: String,
    e: String,
}

impl Jwks {
    /// Reads a key set; keys that cannot verify RS256 are counted and left out.
    ///
    /// Of keys with the same `kid` none is used: there is no telling which one is meant.
    ///
    /// # Errors
    /// For the set as a whole; one bad key spoils no other.
    pub fn parse(bytes: &[u8]) -> Result<Self, JwksError> {
        if bytes.len() > LONGEST_SET {
            return Err(JwksError::TooLong);
        }
        let set: WireSet<'_> = json_object(bytes).map_err(|_| JwksError::Malformed)?;
        if set.keys.len() > MOST_KEYS {
            return Err(JwksError::TooLong);
        }
        let mut keys: Vec<Key> = set.keys.iter().filter_map(|key| Key::parse(key.get())).collect();
        let twice = kids_that_stand_twice(&keys);
        keys.retain(|key| key.kid.as_ref().is_none_or(|kid| !twice.contains(kid)));
        Ok(Self { ignored: set.keys.len() - keys.len(), keys })
    }

    /// How many keys can verify a token; none is worth an alarm.
    pub fn usable(&self) -> usize {
        self.keys.len()
    }

    /// How many keys were left out: other types and uses, too short, or with a `kid` that stands
    /// twice.
    pub fn ignored(&self) -> usize {
        self.ignored
    }

    /// Whether the set has this key, or one at all where a token names none.
    pub fn has(&self, kid: Option<&str>) -> bool {
        self.keys.iter().any(|key| kid.is_none() || key.kid.as_deref() == kid)
    }

    /// The key for a token of `tenant` that names `kid`; without a `kid`, the only key there is.
    pub(super) fn choose(
        &self,
        kid: Option<&str>,
        tenant: Option<&str>,
    ) -> Result<&DecodingKey, NoKey> {
        let mut fitting = self
            .keys
            .iter()
            .filter(|key| kid.is_none() || key.kid.as_deref() == kid)
            .filter(|key| key.serves(tenant));
        let key = fitting.next().ok_or(NoKey::Unknown)?;
        match fitting.next() {
            Some(_) => Err(NoKey::Ambiguous),
            None => Ok(&key.decoding),
        }
    }
}

impl Key {
    fn parse(json: &str) -> Option<Self> {
        let wire: WireKey = json_object(json.as_bytes()).ok()?;
        let verifies = |operations: &Vec<String>| operations.iter().any(|name| name == "verify");
        let for_rs256 = wire.kty == "RSA"
            && wire.key_use.as_deref().is_none_or(|key_use| key_use == "sig")
            && wire.alg.as_deref().is_none_or(|alg| alg == "RS256")
            && wire.key_ops.as_ref().is_none_or(verifies);
        let modulus = number(&wire.n).filter(|n| MODULUS_BITS.contains(&bits(n)) && is_odd(n))?;
        let exponent = number(&wire.e).filter(|e| (2..=32).contains(&bits(e)) && is_odd(e))?;
        for_rs256.then(|| Self {
            kid: wire.kid,
            issuer: wire.issuer,
            decoding: DecodingKey::from_rsa_raw_components(&modulus, &exponent),
        })
    }

    /// Whether the key may sign for the tenant: Entra ID publishes some keys, those of personal
    /// accounts for one, for a single tenant only.
    fn serves(&self, tenant: Option<&str>) -> bool {
        let (Some(issuer), Some(tenant)) = (&self.issuer, tenant) else { return true };
        issuer.split('/').any(|step| step == "{tenantid}" || step.eq_ignore_ascii_case(tenant))
    }
}

fn kids_that_stand_twice(keys: &[Key]) -> HashSet<String> {
    let mut seen = HashSet::new();
    let kids = keys.iter().filter_map(|key| key.kid.as_ref());
    kids.filter(|kid| !seen.insert(*kid)).cloned().collect()
}

/// A big-endian number in base64url, without leading zeros.
fn number(text: &str) -> Option<Vec<u8>> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    Some(bytes[zeros..].to_vec())
}

fn bits(number: &[u8]) -> usize {
    number.first().map_or(0, |first| number.len() * 8 - first.leading_zeros() as usize)
}

fn is_odd(number: &[u8]) -> bool {
    number.last().is_some_and(|last| last % 2 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `bits` bits long and odd; only the shape matters here.
    fn n(bits: usize) -> String {
        let mut bytes = vec![0xA5; bits / 8];
        bytes[0] = 0x80;
        BASE64_URL_SAFE_NO_PAD.encode(bytes)
    }

    fn set(keys: &[String]) -> Jwks {
        Jwks::parse(format!(r#"{{"keys":[{}],"new":1}}"#, keys.join(",")).as_bytes()).unwrap()
    }

    fn rsa(members: &str) -> String {
        format!(r#"{{"kty":"RSA","n":"{}","e":"AQAB"{members}}}"#, n(2048))
    }

    #[test]
    fn only_keys_that_verify_rs256_are_used() {
        let keys = [
            (rsa(""), 1),
            (rsa(r#","use":"sig","alg":"RS256","kid":"a","x5c":["MIIC"]"#), 1),
            (rsa(r#","key_ops":["verify"]"#), 1),
            (rsa(r#","use":"enc""#), 0),
            (rsa(r#","alg":"RS512""#), 0),
            (rsa(r#","alg":"RSA-OAEP""#), 0),
            (rsa(r#","key_ops":["encrypt"]"#), 0),
            (rsa(r#","kid":7"#), 0),
            (rsa(r#","kty":"RSA""#), 0),
            (format!(r#"{{"kty":"RSA","n":"{}","e":"AQAB"}}"#, n(1024)), 0),
            (format!(r#"{{"kty":"RSA","n":"{}","e":"AQAB"}}"#, n(16384)), 0),
            (format!(r#"{{"kty":"RSA","n":"{}","e":"AQ"}}"#, n(2048)), 0),
            (format!(r#"{{"kty":"RSA","n":"{}","e":"AQAA"}}"#, n(2048)), 0),
            (format!(r#"{{"kty":"RSA","n":"{}"}}"#, n(2048)), 0),
            (r#"{"kty":"RSA","n":"!","e":"AQAB"}"#.into(), 0),
            (r#"{"kty":"oct","k":"c2VjcmV0"}"#.into(), 0),
            (r#"{"kty":"EC","crv":"secp256k1","x":"AA","y":"AA"}"#.into(), 0),
            (r#"{"kty":"AKP","alg":"ML-DSA-44","pub":"AA"}"#.into(), 0),
            ("7".into(), 0),
            ("null".into(), 0),
        ];

        for (key, usable) in keys {
            let jwks = set(&[key.clone(), "{}".into()]);

            assert_eq!((jwks.usable(), jwks.ignored()), (usable, 2 - usable), "{key}");
        }
    }

    #[test]
    fn of_keys_with_the_same_kid_none_is_used() {
        let jwks = set(&[
            rsa(r#","kid":"a""#),
            rsa(r#","kid":"b""#),
            rsa(r#","kid":"a""#),
            rsa(r#","kid":"a""#),
        ]);

        assert_eq!((jwks.usable(), jwks.ignored()), (1, 3));
        assert!(jwks.choose(Some("a"), None).is_err());
        assert!(jwks.choose(Some("b"), None).is_ok());
    }

    #[test]
    fn a_token_without_kid_gets_the_only_key_or_none() {
        let one = set(&[rsa(r#","kid":"a""#), r#"{"kty":"oct","k":"AA"}"#.into()]);
        let two = set(&[rsa(r#","kid":"a""#), rsa(r#","kid":"b""#)]);

        assert!(one.choose(None, None).is_ok());
        assert_eq!(two.choose(None, None).err(), Some(NoKey::Ambiguous));
        assert_eq!(set(&[]).choose(None, None).err(), Some(NoKey::Unknown));
    }

    #[test]
    fn a_key_of_another_tenant_serves_nobody_else() {
        let issuer = |tenant: &str| {
            rsa(&format!(r#","kid":"{tenant}","issuer":"https://login.example/{tenant}/v2.0""#))
        };
        let jwks = set(&[issuer("{tenantid}"), issuer("ours"), issuer("theirs")]);

        assert!(jwks.choose(Some("{tenantid}"), Some("ours")).is_ok());
        assert!(jwks.choose(Some("ours"), Some("ours")).is_ok());
        assert_eq!(jwks.choose(Some("theirs"), Some("ours")).err(), Some(NoKey::Unknown));
    }

    #[test]
    fn what_is_not_a_key_set_is_refused() {
        let many = format!(r#"{{"keys":[{}]}}"#, vec!["{}"; MOST_KEYS + 1].join(","));
        let long = format!(r#"{{"keys":[]}}{}"#, " ".repeat(LONGEST_SET));
        let sets = [
            ("", JwksError::Malformed),
            ("{}", JwksError::Malformed),
            ("[]", JwksError::Malformed),
            (r#"{"keys":{}}"#, JwksError::Malformed),
            (r#"{"keys":[],"keys":[]}"#, JwksError::Malformed),
            (many.as_str(), JwksError::TooLong),
            (long.as_str(), JwksError::TooLong),
        ];

        for (bytes, expected) in sets {
            assert_eq!(Jwks::parse(bytes.as_bytes()).err(), Some(expected));
        }
    }
}
