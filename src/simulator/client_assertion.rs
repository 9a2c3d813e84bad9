//! A client's own JWT in place of a secret (RFC 7523 §3), signed with an uploaded certificate.

use aws_lc_rs::signature::{
    RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, RsaParameters, UnparsedPublicKey,
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use jiff::Timestamp;
use serde_json::Value;

use super::{aadsts::Aadsts, client_certificate::ClientCertificate, directory::Application, jws};

/// The value of `client_assertion_type`.
pub(super) const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// How far the client's clock may be off, in seconds.
const SKEW: i64 = 300;

/// Checks that `assertion` is `application`'s, for one of `audiences`, and valid at `now`.
pub(super) fn check(
    assertion: &str,
    application: &Application,
    audiences: &[String],
    now: Timestamp,
) -> Result<(), Aadsts> {
    if !is_signed(assertion, &application.certificates) {
        return Err(Aadsts::assertion_signature());
    }
    let claims = jws::claims_of(assertion).unwrap_or_default();
    let client_id = application.client_id.to_string();
    if claims["iss"] != client_id || claims["sub"] != client_id {
        return Err(Aadsts::assertion_issuer());
    }
    if !audiences.iter().any(|audience| claims["aud"] == *audience) {
        return Err(Aadsts::assertion_audience());
    }
    let now = now.as_second();
    let is_valid = claims["exp"].as_i64().is_some_and(|exp| now < exp + SKEW)
        && claims["nbf"].as_i64().is_none_or(|nbf| nbf <= now + SKEW);
    if is_valid { Ok(()) } else { Err(Aadsts::assertion_time()) }
}

/// Whether one of `certificates`, named by the header, confirms the signature.
fn is_signed(assertion: &str, certificates: &[ClientCertificate]) -> bool {
    let Some((input, signature)) = assertion.rsplit_once('.') else { return false };
    let header = input.split('.').next().unwrap_or_default();
    let decode = |text: &str| BASE64_URL_SAFE_NO_PAD.decode(text).unwrap_or_default();
    let header: Value = serde_json::from_slice(&decode(header)).unwrap_or_default();
    let algorithm: &'static RsaParameters = match header["alg"].as_str() {
        Some("PS256") => &RSA_PSS_2048_8192_SHA256,
        Some("RS256") => &RSA_PKCS1_2048_8192_SHA256,
        _ => return false,
    };
    let is_named = |certificate: &&ClientCertificate| {
        header["x5t#S256"] == *certificate.x5t_s256 || header["x5t"] == *certificate.x5t
    };
    certificates.iter().find(is_named).is_some_and(|certificate| {
        UnparsedPublicKey::new(algorithm, &certificate.public_key)
            .verify(input.as_bytes(), &decode(signature))
            .is_ok()
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::simulator::{ApplicationSeed, TenantSeed, certificate, jws::Signer, keys};

    const NOW: i64 = 1_800_000_000;
    const AUDIENCE: &str = "http://127.0.0.1:1/t/oauth2/v2.0/token";

    fn application() -> Application {
        let der = certificate::self_signed(keys::key(0).pair(), [7; 8]);
        let body = jws::base64(&der);
        let pem = format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----");
        let mut application =
            ApplicationSeed::new("Portico").grow(&TenantSeed::sample("acme").grow());
        application.certificates.push(ClientCertificate::parse(&pem).unwrap());
        application
    }

    fn check_changed(change: (&str, Value), key: usize) -> Result<(), Aadsts> {
        let application = application();
        let id = application.client_id;
        let header = json!({ "alg": "RS256", "x5t#S256": application.certificates[0].x5t_s256 });
        let mut claims =
            json!({ "iss": id, "sub": id, "aud": AUDIENCE, "nbf": NOW, "exp": NOW + 300 });
        claims[change.0] = change.1;
        let assertion = jws::compact(
            header.as_object().unwrap(),
            &claims.to_string(),
            &Signer::Rs256(keys::key(key).pair()),
            |_| (),
        );
        let now = Timestamp::from_second(NOW).unwrap();
        check(&assertion, &application, &[AUDIENCE.to_owned()], now)
    }

    #[test]
    fn an_assertion_of_the_uploaded_certificate_is_taken_and_each_forgery_refused() {
        let forgeries = [
            (("iss", json!("somebody")), 0, Aadsts::assertion_issuer()),
            (("aud", json!("https://elsewhere.example/")), 0, Aadsts::assertion_audience()),
            (("exp", json!(NOW - 301)), 0, Aadsts::assertion_time()),
            (("exp", Value::Null), 0, Aadsts::assertion_time()),
            (("nbf", json!(NOW + 301)), 0, Aadsts::assertion_time()),
            (("jti", json!("1")), 1, Aadsts::assertion_signature()),
        ];

        assert_eq!(check_changed(("jti", json!("1")), 0), Ok(()));
        for (change, key, error) in forgeries {
            assert_eq!(check_changed(change.clone(), key), Err(error), "{change:?}");
        }
    }
}
