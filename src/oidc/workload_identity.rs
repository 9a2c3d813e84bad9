//! A JWT by which a program of an Entra ID tenant proves what it is (RFC 7523 §2.2): workload
//! identity federation, without a secret on this side.
//!
//! It is the access token that Entra ID issues to the application for an audience of its own, so
//! it has an ID Token's form, and a program in the place of a person.

use jiff::{SignedDuration, Timestamp};

use crate::oidc::{
    authority::Provider,
    guid,
    id_token::{self, IdTokenClaims, IdTokenError, LEEWAY},
    jwks::Jwks,
};

/// An assertion lives at most this long from now on: Entra ID's longest-lived tokens end after 28
/// hours.
const LONGEST_LIFE: SignedDuration = SignedDuration::from_hours(48);

/// Which rule an assertion breaks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AssertionError {
    /// Its form, its header, or its signature.
    #[error("the assertion is not one of the tenant's: {0}")]
    Token(#[from] IdTokenError),
    /// `iss` is not the tenant's issuer, byte for byte.
    #[error("the assertion comes from another issuer")]
    Issuer,
    /// `aud` is not exactly one of those registered, alone.
    #[error("the assertion is meant for another audience")]
    Audience,
    /// `sub` is not the registered object ID.
    #[error("the assertion is another application's")]
    Subject,
    /// `tid` is not the registered tenant.
    #[error("the assertion comes from another tenant")]
    Tenant,
    /// `ver` is not 2.0.
    #[error("the assertion is not of version 2.0")]
    Version,
    /// `exp` is absent, past, or unreasonably far ahead.
    #[error("the assertion has expired, or never does")]
    Expired,
    /// `nbf` lies ahead.
    #[error("the assertion is not valid yet")]
    NotYetValid,
    /// `iat` is absent, or lies ahead.
    #[error("the assertion was issued at another time")]
    IssuedAt,
}

/// What an assertion must say.
#[derive(Clone, Copy, Debug)]
pub struct ExpectedAssertion<'a> {
    /// `tid`.
    pub tenant_id: &'a str,
    /// `sub`: the object ID of the application's service principal.
    pub subject: &'a str,
    /// What `aud` may be, each exactly.
    pub audiences: &'a [String],
}

/// What an assertion says of itself, before anybody has verified it: enough to find what it must
/// be held against, and nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimed {
    tenant_id: String,
    subject: String,
    audiences: Vec<String>,
}

/// An assertion that was verified; has no other source than [`verify`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedAssertion {
    jti: Option<String>,
    accepted_until: Timestamp,
}

impl Claimed {
    /// Reads an assertion without verifying it; `None` if it cannot be one.
    pub fn read(assertion: &str) -> Option<Self> {
        let claims = id_token::claims_unverified(assertion).ok()?;
        Some(Self {
            tenant_id: claims.tid.as_deref().and_then(guid)?,
            subject: claims.sub?,
            audiences: claims.aud,
        })
    }

    /// Whether it is worth verifying against `expected`.
    pub fn is_for(&self, expected: &ExpectedAssertion<'_>) -> bool {
        self.tenant_id == expected.tenant_id
            && self.subject == expected.subject
            && self.audiences.iter().any(|audience| expected.audiences.contains(audience))
    }
}

impl VerifiedAssertion {
    /// Its own name, if it has one (RFC 7519 §4.1.7): under it, it is good for once.
    pub fn jti(&self) -> Option<&str> {
        self.jti.as_deref()
    }

    /// From when on it would be refused by itself.
    pub const fn accepted_until(&self) -> Timestamp {
        self.accepted_until
    }
}

/// Verifies an assertion: header, signature, then the claims (RFC 7523 §3).
///
/// That it is presented once is the caller's to check.
///
/// # Errors
/// The first rule broken. After [`IdTokenError::UnknownKey`] a newer key set is worth one more try.
pub fn verify(
    assertion: &str,
    jwks: &Jwks,
    provider: &Provider,
    expected: &ExpectedAssertion<'_>,
    now: Timestamp,
) -> Result<VerifiedAssertion, AssertionError> {
    let claims = id_token::signed_claims(assertion, jwks, expected.tenant_id)?;
    validate(claims, provider.issuer(), expected, now)
}

fn validate(
    claims: IdTokenClaims,
    issuer: &str,
    expected: &ExpectedAssertion<'_>,
    now: Timestamp,
) -> Result<VerifiedAssertion, AssertionError> {
    let seconds = now.as_second();
    let last = seconds + LONGEST_LIFE.as_secs();
    let tid = claims.tid.as_deref().and_then(guid);
    let exp = claims.exp.filter(|exp| (seconds - LEEWAY + 1..=last).contains(exp));

    ensure(claims.iss.as_deref() == Some(issuer), AssertionError::Issuer)?;
    ensure(is_one_of(&claims.aud, expected.audiences), AssertionError::Audience)?;
    ensure(claims.sub.as_deref() == Some(expected.subject), AssertionError::Subject)?;
    ensure(tid.as_deref() == Some(expected.tenant_id), AssertionError::Tenant)?;
    ensure(claims.ver.as_deref() == Some("2.0"), AssertionError::Version)?;
    let exp = exp.ok_or(AssertionError::Expired)?;
    ensure(claims.nbf.is_none_or(|nbf| nbf <= seconds + LEEWAY), AssertionError::NotYetValid)?;
    ensure(claims.iat.is_some_and(|iat| iat <= seconds + LEEWAY), AssertionError::IssuedAt)?;
    let accepted_until = now + SignedDuration::from_secs(exp + LEEWAY - seconds);
    Ok(VerifiedAssertion { jti: claims.jti, accepted_until })
}

/// Whether the audience is a single one, and exactly one of those listed.
fn is_one_of(found: &[String], listed: &[String]) -> bool {
    matches!(found, [only] if listed.contains(only))
}

fn ensure(holds: bool, broken: AssertionError) -> Result<(), AssertionError> {
    if holds { Ok(()) } else { Err(broken) }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const NOW: Timestamp = Timestamp::constant(1_795_348_800, 0);
    const ISSUER: &str =
        "https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0";
    const TENANT: &str = "11111111-2222-3333-4444-555555555555";
    const SUBJECT: &str = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee";

    fn claims() -> Value {
        let now = NOW.as_second();
        json!({
            "ver": "2.0", "iss": ISSUER, "aud": "api://scim", "tid": TENANT, "sub": SUBJECT,
            "oid": SUBJECT, "azp": "client", "idtyp": "app", "iat": now - 300, "nbf": now - 300,
            "exp": now + 3600, "jti": "once",
        })
    }

    fn with(name: &str, value: Value) -> Value {
        let mut claims = claims();
        claims[name] = value;
        claims
    }

    fn without(name: &str) -> Value {
        let mut claims = claims();
        claims.as_object_mut().unwrap().remove(name);
        claims
    }

    fn validated(claims: Value) -> Result<VerifiedAssertion, AssertionError> {
        let audiences = ["api://scim".to_owned(), "client".to_owned()];
        let expected =
            ExpectedAssertion { tenant_id: TENANT, subject: SUBJECT, audiences: &audiences };
        validate(serde_json::from_value(claims).unwrap(), ISSUER, &expected, NOW)
    }

    #[test]
    fn what_says_what_it_must_is_accepted_a_minute_of_skew_included() {
        let now = NOW.as_second();
        let good = [
            claims(),
            with("aud", json!("client")),
            with("aud", json!(["api://scim"])),
            with("tid", json!(TENANT.to_uppercase())),
            with("exp", json!(now - 59)),
            with("nbf", json!(now + 60)),
            with("iat", json!(now + 60)),
            with("iat", json!(now - 80_000)),
            without("nbf"),
            without("jti"),
        ];

        for claims in good {
            assert!(validated(claims.clone()).is_ok(), "{claims}");
        }
        let verified = validated(claims()).unwrap();
        assert_eq!(verified.jti(), Some("once"));
        assert_eq!(verified.accepted_until(), NOW + SignedDuration::from_secs(3660));
    }

    #[test]
    fn whatever_breaks_a_rule_is_refused_by_that_rule() {
        let now = NOW.as_second();
        let forgeries = [
            (with("iss", json!(format!("{ISSUER}/"))), AssertionError::Issuer),
            (with("iss", json!(ISSUER.replace("1111", "9999"))), AssertionError::Issuer),
            (
                with("iss", json!(format!("https://sts.windows.net/{TENANT}/"))),
                AssertionError::Issuer,
            ),
            (without("iss"), AssertionError::Issuer),
            (with("aud", json!("api://other")), AssertionError::Audience),
            (with("aud", json!("api://scim/")), AssertionError::Audience),
            (with("aud", json!("api://scim/portico.example")), AssertionError::Audience),
            (with("aud", json!("api://sci")), AssertionError::Audience),
            (with("aud", json!("API://SCIM")), AssertionError::Audience),
            (with("aud", json!(["api://scim", "api://other"])), AssertionError::Audience),
            (with("aud", json!(["api://scim", "client"])), AssertionError::Audience),
            (with("aud", json!([])), AssertionError::Audience),
            (without("aud"), AssertionError::Audience),
            (with("sub", json!(TENANT)), AssertionError::Subject),
            (with("sub", json!("")), AssertionError::Subject),
            (without("sub"), AssertionError::Subject),
            (with("tid", json!(SUBJECT)), AssertionError::Tenant),
            (without("tid"), AssertionError::Tenant),
            (with("ver", json!("1.0")), AssertionError::Version),
            (with("exp", json!(now - 60)), AssertionError::Expired),
            (with("exp", json!(now + 49 * 3600)), AssertionError::Expired),
            (without("exp"), AssertionError::Expired),
            (with("nbf", json!(now + 61)), AssertionError::NotYetValid),
            (with("iat", json!(now + 61)), AssertionError::IssuedAt),
            (without("iat"), AssertionError::IssuedAt),
        ];

        for (claims, rule) in forgeries {
            assert_eq!(validated(claims.clone()).err(), Some(rule), "{claims}");
        }
    }

    #[test]
    fn what_cannot_be_an_assertion_claims_nothing() {
        for rubbish in ["", "..", "e30.e30.", "a.b.c", "e30.W10.", "e30.eyJ0aWQiOiJ4In0."] {
            assert_eq!(Claimed::read(rubbish), None, "{rubbish}");
        }
    }
}
