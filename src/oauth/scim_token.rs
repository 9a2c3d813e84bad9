//! Access tokens for SCIM: issued to directories, and believed nowhere but at their connector's
//! SCIM URL.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    domain::{
        id::{ConnectorId, CredentialId},
        secret::Secret,
    },
    oauth::{access_token::Signer, client_credentials::SCOPE},
};

/// What an access token for SCIM says (RFC 9068 §2.2).
///
/// Its audience is the connector's SCIM URL: neither the platform's programs nor another connector
/// take it for theirs, and a token for the platform has another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScimTokenClaims {
    /// This service's public address.
    pub iss: String,
    /// The connector's SCIM URL.
    pub aud: String,
    /// The connector.
    pub sub: ConnectorId,
    /// The same, as OAuth calls it.
    pub client_id: ConnectorId,
    /// The credential that it was exchanged for; the token ends with it.
    pub credential: CredentialId,
    /// When it was issued, in seconds since 1970.
    pub iat: i64,
    /// When it ends.
    pub exp: i64,
    /// Names this token.
    pub jti: String,
    /// `scim`.
    pub scope: String,
}

/// Which rule a token breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScimTokenError {
    /// It was not signed here, or is no access token for SCIM.
    #[error("the access token was not issued here for SCIM")]
    Foreign,
    /// It is another connector's, or another address's.
    #[error("the access token is for another SCIM URL")]
    Audience,
    /// It has ended.
    #[error("the access token has expired")]
    Expired,
}

/// Where a token is issued, and for which address.
#[derive(Clone, Copy, Debug)]
pub struct ScimTokenPlace<'a> {
    /// This service's public address.
    pub issuer: &'a str,
    /// The connector's SCIM URL.
    pub scim_url: &'a str,
    /// The connector.
    pub connector_id: ConnectorId,
}

impl ScimTokenClaims {
    /// A token that ends at `end`.
    pub fn new(
        place: &ScimTokenPlace<'_>,
        credential: CredentialId,
        now: Timestamp,
        end: Timestamp,
    ) -> Self {
        Self {
            iss: place.issuer.to_owned(),
            aud: place.scim_url.to_owned(),
            sub: place.connector_id,
            client_id: place.connector_id,
            credential,
            iat: now.as_second(),
            exp: end.as_second(),
            jti: Secret::generate().expose()[..22].to_owned(),
            scope: SCOPE.to_owned(),
        }
    }

    /// Verifies a token; whether its credential is still good is the caller's to check.
    pub fn verify(
        token: &Secret,
        signer: &Signer,
        place: &ScimTokenPlace<'_>,
        now: Timestamp,
    ) -> Result<Self, ScimTokenError> {
        let claims: Self = signer.verified(token).ok_or(ScimTokenError::Foreign)?;
        ensure(claims.iss == place.issuer && claims.scope == SCOPE, ScimTokenError::Foreign)?;
        ensure(claims.aud == place.scim_url, ScimTokenError::Audience)?;
        let id = place.connector_id;
        ensure(claims.sub == id && claims.client_id == id, ScimTokenError::Audience)?;
        ensure(now.as_second() < claims.exp, ScimTokenError::Expired)?;
        Ok(claims)
    }
}

/// Whether a bearer value has the form of a token; a Password has no dots.
pub fn is_token(bearer: &Secret) -> bool {
    bearer.expose().bytes().filter(|byte| *byte == b'.').count() == 2
}

fn ensure(holds: bool, broken: ScimTokenError) -> Result<(), ScimTokenError> {
    if holds { Ok(()) } else { Err(broken) }
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
    use jiff::SignedDuration;
    use serde_json::{Value, json};

    use super::*;
    use crate::{domain::access_role::AccessRole, oauth::access_token::AccessTokenClaims};

    const NOW: Timestamp = Timestamp::constant(1_795_348_800, 0);
    const ISSUER: &str = "https://portico.example";

    fn signer() -> Signer {
        let _ = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
        let (kid, pkcs8) = Signer::generate();
        Signer::new(kid, &pkcs8).unwrap()
    }

    fn place(connector_id: ConnectorId) -> ScimTokenPlace<'static> {
        ScimTokenPlace { issuer: ISSUER, scim_url: "https://portico.example/scim", connector_id }
    }

    fn claims(place: &ScimTokenPlace<'_>) -> ScimTokenClaims {
        let end = NOW + SignedDuration::from_hours(1);
        ScimTokenClaims::new(place, CredentialId::generate(), NOW, end)
    }

    #[test]
    fn a_token_is_good_at_its_own_address_until_it_ends() {
        let (signer, place) = (signer(), place(ConnectorId::generate()));
        let claims = claims(&place);
        let token = signer.sign(&claims);
        let verify = |place, now| ScimTokenClaims::verify(&token, &signer, place, now);
        let other = ConnectorId::generate();
        let end = NOW + SignedDuration::from_hours(1);

        assert!(is_token(&token) && !is_token(&Secret::generate()));
        assert_eq!(verify(&place, NOW), Ok(claims.clone()));
        assert_eq!(verify(&place, end), Err(ScimTokenError::Expired));
        let elsewhere = ScimTokenPlace { scim_url: "https://portico.example", ..place };
        assert_eq!(verify(&elsewhere, NOW), Err(ScimTokenError::Audience));
        let others = ScimTokenPlace { connector_id: other, ..place };
        assert_eq!(verify(&others, NOW), Err(ScimTokenError::Audience));
        let from_elsewhere = ScimTokenPlace { issuer: "https://other.example", ..place };
        assert_eq!(verify(&from_elsewhere, NOW), Err(ScimTokenError::Foreign));
    }

    #[test]
    fn a_token_for_the_platform_is_none_for_scim() {
        let (signer, place) = (signer(), place(ConnectorId::generate()));
        let (iat, exp, jti) = AccessTokenClaims::issued_at(NOW);
        let token = signer.sign(&AccessTokenClaims {
            iss: ISSUER.into(),
            sub: place.connector_id.to_string(),
            aud: place.scim_url.into(),
            iat,
            exp,
            jti,
            organization: "acme".into(),
            role: AccessRole::EnterpriseAdmin,
            email: "ada@acme.example".into(),
            name: "Ada".into(),
        });

        let verified = ScimTokenClaims::verify(&token, &signer, &place, NOW);

        assert_eq!(verified, Err(ScimTokenError::Foreign));
    }

    #[test]
    fn whatever_was_not_signed_here_is_refused() {
        let (signer, place) = (signer(), place(ConnectorId::generate()));
        let claims = claims(&place);
        let token = signer.sign(&claims);
        let parts: Vec<&str> = token.expose().split('.').collect();
        let encoded = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let header = |alg: &str, typ: &str| {
            let kid = &signer.jwks()["keys"][0]["kid"];
            encoded(&json!({ "alg": alg, "typ": typ, "kid": kid }))
        };
        let mut longer = serde_json::to_value(&claims).unwrap();
        longer["exp"] = json!(NOW.as_second() + 999_999);
        let strangers = self::signer().sign(&claims);
        let forgeries = [
            strangers.expose().to_owned(),
            format!("{}.{}.", header("none", "at+jwt"), parts[1]),
            format!("{}.{}.{}", header("HS256", "at+jwt"), parts[1], parts[2]),
            format!("{}.{}.{}", header("EdDSA", "JWT"), parts[1], parts[2]),
            format!("{}.{}.{}", parts[0], encoded(&longer), parts[2]),
            format!("{}.{}.", parts[0], parts[1]),
            format!("{}.{}.{}.", parts[0], parts[1], parts[2]),
            "..".to_owned(),
            String::new(),
        ];

        for forgery in forgeries {
            let verified = ScimTokenClaims::verify(&Secret::new(&*forgery), &signer, &place, NOW);

            assert_eq!(verified, Err(ScimTokenError::Foreign), "{forgery}");
        }
    }
}
