//! Access tokens: short-lived JWTs (RFC 9068) signed with Ed25519 (RFC 8037).

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::domain::{
    access_role::AccessRole,
    secret::{Secret, random_bytes},
};

/// How long an access token is good for.
pub const LIFETIME: SignedDuration = SignedDuration::from_mins(5);

/// `typ` of what is signed here (RFC 9068 §2.1).
const TYPE: &str = "at+jwt";

/// What an access token says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessTokenClaims {
    /// This service's public address.
    pub iss: String,
    /// The account.
    pub sub: String,
    /// Who it is for: the platform behind this service, named by the same address.
    pub aud: String,
    /// When it was issued, in seconds since 1970.
    pub iat: i64,
    /// When it ends.
    pub exp: i64,
    /// Names this token.
    pub jti: String,
    /// The organization's slug.
    pub organization: String,
    /// What the person may do.
    pub role: AccessRole,
    /// The primary e-mail address.
    pub email: String,
    /// The display name.
    pub name: String,
}

impl AccessTokenClaims {
    /// The claims of a token that was issued here for the platform and has not ended.
    pub fn verify(token: &Secret, signer: &Signer, issuer: &str, now: Timestamp) -> Option<Self> {
        let claims: Self = signer.verified(token)?;
        let is_for_platform = claims.iss == issuer && claims.aud == issuer;
        (is_for_platform && now.as_second() < claims.exp).then_some(claims)
    }

    /// The moments and the name of a token issued at `now`: `(iat, exp, jti)`.
    pub fn issued_at(now: Timestamp) -> (i64, i64, String) {
        let jti = Secret::generate().expose()[..22].to_owned();
        (now.as_second(), (now + LIFETIME).as_second(), jti)
    }
}

/// Signs access tokens with one key pair, and publishes its other half.
pub struct Signer {
    kid: String,
    key: EncodingKey,
    public: Vec<u8>,
}

/// Stored key material is not an Ed25519 pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the stored signing key is not an Ed25519 key pair in PKCS#8")]
pub struct NotAKey;

impl Signer {
    /// A new key pair as PKCS#8 in base64url, and its name.
    pub fn generate() -> (String, Secret) {
        let document = Ed25519KeyPair::generate_pkcs8(&aws_lc_rs::rand::SystemRandom::new())
            .expect("the system's random source answers");
        let kid = BASE64_URL_SAFE_NO_PAD.encode(random_bytes::<12>());
        (kid, Secret::new(BASE64_URL_SAFE_NO_PAD.encode(document.as_ref())))
    }

    /// A signer with the pair that [`Self::generate`] made.
    pub fn new(kid: String, pkcs8: &Secret) -> Result<Self, NotAKey> {
        let der = BASE64_URL_SAFE_NO_PAD.decode(pkcs8.expose()).map(Zeroizing::new);
        let der = der.map_err(|_| NotAKey)?;
        let pair = Ed25519KeyPair::from_pkcs8(&der).map_err(|_| NotAKey)?;
        let public = pair.public_key().as_ref().to_vec();
        Ok(Self { kid, key: EncodingKey::from_ed_der(&der), public })
    }

    /// The claims as a signed JWT with `typ` `at+jwt`.
    pub fn sign(&self, claims: &impl Serialize) -> Secret {
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some(TYPE.to_owned());
        header.kid = Some(self.kid.clone());
        let token = jsonwebtoken::encode(&header, claims, &self.key);
        Secret::new(token.expect("plain claims serialize and a checked key signs"))
    }

    /// The claims of a JWT that [`Self::sign`] made, with this very key; none of them is checked.
    pub(super) fn verified<T: DeserializeOwned>(&self, token: &Secret) -> Option<T> {
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_aud = false;
        let key = DecodingKey::from_ed_der(&self.public);
        let read = jsonwebtoken::decode::<T>(token.expose(), &key, &validation).ok()?;
        let is_ours = read.header.typ.as_deref() == Some(TYPE)
            && read.header.kid.as_deref() == Some(&*self.kid);
        is_ours.then_some(read.claims)
    }

    /// The public half as a JWK Set (RFC 7517).
    pub fn jwks(&self) -> Value {
        json!({ "keys": [{
            "kty": "OKP",
            "crv": "Ed25519",
            "use": "sig",
            "alg": "EdDSA",
            "kid": self.kid,
            "x": BASE64_URL_SAFE_NO_PAD.encode(&self.public),
        }] })
    }
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signer").field("kid", &self.kid).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::str::FromStr as _;

    use jsonwebtoken::{DecodingKey, Validation, jwk::JwkSet};

    use super::*;

    #[test]
    fn a_token_verifies_against_the_published_key() {
        let _ = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
        let (kid, pkcs8) = Signer::generate();
        let signer = Signer::new(kid.clone(), &pkcs8).unwrap();
        let now = Timestamp::from_str("2026-11-21T12:00:00Z").unwrap();
        let (iat, exp, jti) = AccessTokenClaims::issued_at(now);
        let claims = AccessTokenClaims {
            iss: "https://portico.example".into(),
            sub: "0190".into(),
            aud: "https://portico.example".into(),
            iat,
            exp,
            jti,
            organization: "acme".into(),
            role: AccessRole::Admin,
            email: "ada@acme.example".into(),
            name: "Ada".into(),
        };

        let token = signer.sign(&claims);

        let published: JwkSet = serde_json::from_value(signer.jwks()).unwrap();
        let key = DecodingKey::from_jwk(published.find(&kid).unwrap()).unwrap();
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_audience(&["https://portico.example"]);
        validation.validate_exp = false;
        let read = jsonwebtoken::decode::<Value>(token.expose(), &key, &validation).unwrap();
        assert_eq!(read.claims, serde_json::to_value(&claims).unwrap());
        assert_eq!(read.header.typ.as_deref(), Some("at+jwt"));
    }
}
