use std::sync::OnceLock;

use aws_lc_rs::{
    rand::SystemRandom,
    rsa::{KeyPair, KeySize},
    signature::{KeyPair as _, RSA_PKCS1_SHA256},
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::*;

const NOW: Timestamp = Timestamp::constant(1_795_348_800, 0);
const ISSUER: &str = "https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0";
const TENANT: &str = "11111111-2222-3333-4444-555555555555";
const OBJECT: &str = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee";

/// The authority's key, made once for all tests: RSA keys are slow to find.
fn authority_key() -> &'static KeyPair {
    static KEY: OnceLock<KeyPair> = OnceLock::new();
    KEY.get_or_init(|| KeyPair::generate(KeySize::Rsa2048).unwrap())
}

fn strangers_key() -> &'static KeyPair {
    static KEY: OnceLock<KeyPair> = OnceLock::new();
    KEY.get_or_init(|| KeyPair::generate(KeySize::Rsa2048).unwrap())
}

fn base64url(bytes: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

fn jwk(kid: &str, key: &KeyPair) -> Value {
    let public = key.public_key();
    json!({
        "kty": "RSA", "use": "sig", "kid": kid,
        "n": base64url(public.modulus().big_endian_without_leading_zero()),
        "e": base64url(public.exponent().big_endian_without_leading_zero()),
        "issuer": "https://login.microsoftonline.com/{tenantid}/v2.0",
    })
}

fn jwks() -> Jwks {
    Jwks::parse(json!({ "keys": [jwk("k1", authority_key())] }).to_string().as_bytes()).unwrap()
}

fn signed(header: &str, payload: impl AsRef<[u8]>, key: &KeyPair) -> String {
    let signed = format!("{}.{}", base64url(header), base64url(payload));
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).unwrap();
    format!("{signed}.{}", base64url(signature))
}

const HEADER: &str = r#"{"typ":"JWT","alg":"RS256","kid":"k1"}"#;

/// A token signed by the authority.
fn token(claims: &Value) -> String {
    signed(HEADER, claims.to_string(), authority_key())
}

/// The claims of a member of the tenant, as Entra ID sends them.
fn valid() -> Value {
    json!({
        "ver": "2.0", "iss": ISSUER, "aud": "portico", "tid": TENANT, "oid": OBJECT,
        "sub": "pairwise-subject", "nonce": "the nonce",
        "iat": NOW.as_second() - 300, "nbf": NOW.as_second() - 300, "exp": NOW.as_second() + 3600,
        "preferred_username": "alice@acme.example", "name": "Alice", "email": "alice@acme.example",
        "roles": ["Admin", "User"], "sid": "0001", "login_hint": "O.hint", "uti": "u1",
        "aio": "internal", "rh": "0.internal", "a_claim_of_next_year": { "x": [1] },
    })
}

fn with(changes: &Value) -> Value {
    let mut claims = valid();
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims
}

fn without(name: &str) -> Value {
    let mut claims = valid();
    claims.as_object_mut().unwrap().remove(name);
    claims
}

fn expected() -> ExpectedIdToken {
    ExpectedIdToken {
        issuer: ISSUER.into(),
        tenant_id: Some(TENANT.into()),
        client_id: "portico".into(),
        nonce: Secret::new("the nonce"),
        max_age: None,
        access_token: None,
        role_claim_alias: Some("urn:role"),
    }
}

/// A provider without tenants.
fn generic() -> ExpectedIdToken {
    ExpectedIdToken { tenant_id: None, role_claim_alias: None, ..expected() }
}

fn verified(claims: &Value) -> VerifiedIdentity {
    verify(&token(claims), &jwks(), &expected(), "roles", NOW)
        .unwrap_or_else(|error| panic!("{error}: {claims}"))
}

#[test]
fn a_valid_token_says_who_signed_in() {
    let identity = verified(&valid());

    assert_eq!(identity.subject().authority, TENANT);
    assert_eq!(identity.subject().identifier, OBJECT);
    assert_eq!((identity.issuer(), identity.sub()), (ISSUER, "pairwise-subject"));
    assert_eq!((identity.tenant_id(), identity.object_id()), (Some(TENANT), Some(OBJECT)));
    assert_eq!(identity.preferred_username(), Some("alice@acme.example"));
    assert_eq!((identity.name(), identity.email()), (Some("Alice"), Some("alice@acme.example")));
    assert_eq!(identity.roles(), ["Admin", "User"]);
    assert_eq!((identity.sid(), identity.login_hint()), (Some("0001"), Some("O.hint")));
    assert_eq!((identity.token_id(), identity.auth_time()), (Some("u1"), None));
    assert_eq!(identity.issued_at().as_second(), NOW.as_second() - 300);
    assert_eq!(identity.expires_at().as_second(), NOW.as_second() + 3600);
    assert!(!identity.is_guest());
}

#[test]
fn a_generic_providers_subject_is_issuer_and_sub() {
    let claims = json!({
        "iss": ISSUER, "aud": ["portico"], "sub": "248289761001", "nonce": "the nonce",
        "iat": NOW.as_second(), "exp": NOW.as_second() + 60, "azp": "portico",
        "tid": 7.to_string(), "acct": 1,
    });

    let identity = verify(&token(&claims), &jwks(), &generic(), "roles", NOW).unwrap();

    assert_eq!(identity.subject().authority, ISSUER);
    assert_eq!(identity.subject().identifier, "248289761001");
    assert!(identity.roles().is_empty() && !identity.is_guest());
}

#[test]
fn a_forged_claim_breaks_its_rule() {
    let now = NOW.as_second();
    let forgeries = [
        (with(&json!({ "iss": format!("{ISSUER}1") })), IdTokenError::Issuer),
        (with(&json!({ "iss": format!("{ISSUER}/") })), IdTokenError::Issuer),
        (
            with(&json!({ "iss": "https://login.microsoftonline.com/{tenantid}/v2.0" })),
            IdTokenError::Issuer,
        ),
        (with(&json!({ "iss": ["https://evil.example", ISSUER] })), IdTokenError::Malformed),
        (with(&json!({ "iss": null })), IdTokenError::Issuer),
        (without("iss"), IdTokenError::Issuer),
        (with(&json!({ "aud": "portico1" })), IdTokenError::Audience),
        (with(&json!({ "aud": ["portico", "evil"] })), IdTokenError::Audience),
        (with(&json!({ "aud": ["portico", "portico"] })), IdTokenError::Audience),
        (with(&json!({ "aud": [] })), IdTokenError::Audience),
        (with(&json!({ "aud": 7 })), IdTokenError::Malformed),
        (with(&json!({ "aud": { "x": "portico" } })), IdTokenError::Malformed),
        (without("aud"), IdTokenError::Audience),
        (with(&json!({ "azp": "evil" })), IdTokenError::AuthorizedParty),
        (with(&json!({ "exp": now - 60 })), IdTokenError::Expired),
        (with(&json!({ "exp": now - 360 })), IdTokenError::Expired),
        (with(&json!({ "exp": "9999999999" })), IdTokenError::Malformed),
        (with(&json!({ "exp": 1e300 })), IdTokenError::Malformed),
        (with(&json!({ "exp": -1 })), IdTokenError::Malformed),
        (with(&json!({ "exp": u64::MAX })), IdTokenError::Malformed),
        (without("exp"), IdTokenError::Expired),
        (with(&json!({ "nbf": now + 61 })), IdTokenError::NotYetValid),
        (with(&json!({ "nbf": "soon" })), IdTokenError::Malformed),
        (with(&json!({ "iat": now + 61 })), IdTokenError::IssuedAt),
        (with(&json!({ "iat": now - 601 })), IdTokenError::IssuedAt),
        (with(&json!({ "iat": now - 7 * 86_400 })), IdTokenError::IssuedAt),
        (without("iat"), IdTokenError::IssuedAt),
        (with(&json!({ "nonce": "the nonce1" })), IdTokenError::Nonce),
        (with(&json!({ "nonce": "" })), IdTokenError::Nonce),
        (without("nonce"), IdTokenError::Nonce),
        (with(&json!({ "sub": "" })), IdTokenError::Subject),
        (with(&json!({ "sub": "a".repeat(256) })), IdTokenError::Subject),
        (with(&json!({ "sub": "älice" })), IdTokenError::Subject),
        (with(&json!({ "sub": 7 })), IdTokenError::Malformed),
        (without("sub"), IdTokenError::Subject),
        (with(&json!({ "tid": "99999999-2222-3333-4444-555555555555" })), IdTokenError::Tenant),
        (with(&json!({ "tid": "contoso.onmicrosoft.com" })), IdTokenError::Tenant),
        (with(&json!({ "tid": [TENANT] })), IdTokenError::Malformed),
        (without("tid"), IdTokenError::Tenant),
        (with(&json!({ "ver": "1.0" })), IdTokenError::Version),
        (with(&json!({ "ver": 2.0 })), IdTokenError::Malformed),
        (without("ver"), IdTokenError::Version),
        (with(&json!({ "oid": "" })), IdTokenError::ObjectId),
        (with(&json!({ "oid": "alice" })), IdTokenError::ObjectId),
        (with(&json!({ "oid": null })), IdTokenError::ObjectId),
        (without("oid"), IdTokenError::ObjectId),
        (with(&json!({ "_claim_names": { "roles": "src1" } })), IdTokenError::Roles),
    ];

    for (claims, broken_rule) in forgeries {
        let refused = verify(&token(&claims), &jwks(), &expected(), "roles", NOW);

        assert_eq!(refused, Err(broken_rule), "{claims}");
    }
}

#[test]
fn what_is_unusual_but_right_is_accepted() {
    let now = NOW.as_second();
    let accepted = [
        with(&json!({ "aud": ["portico"] })),
        with(&json!({ "azp": "portico" })),
        with(&json!({ "exp": now - 59 })),
        with(&json!({ "exp": now + 60, "iat": now + 60, "nbf": now + 60 })),
        with(&json!({ "iat": now - 600 })),
        with(&json!({ "exp": 4_000_000_000.5 })),
        with(&json!({ "tid": TENANT.to_ascii_uppercase(), "oid": OBJECT.to_ascii_uppercase() })),
        with(&json!({ "email_verified": 1, "amr": "pwd", "locale": 7, "updated_at": "2026" })),
        with(
            &json!({ "name": 7, "email": [], "sid": null, "preferred_username": "a".repeat(1025) }),
        ),
        with(&json!({ "at_hash": "of an access token that nobody asked for" })),
        with(&json!({ "_claim_names": { "groups": "src1" } })),
        without("nbf"),
    ];

    for claims in accepted {
        let identity = verified(&claims);

        assert_eq!(identity.subject().identifier, OBJECT);
    }
}

#[test]
fn a_claim_that_stands_twice_is_refused() {
    let claims = valid().to_string();
    for name in ["iss", "sub", "aud", "nonce", "tid", "oid", "roles", "exp"] {
        let twice = claims.replacen('{', &format!(r#"{{"{name}":{},"#, valid()[name]), 1);

        let refused =
            verify(&signed(HEADER, &twice, authority_key()), &jwks(), &expected(), "roles", NOW);

        assert_eq!(refused, Err(IdTokenError::Malformed), "{name}");
    }
}

#[test]
fn claims_that_are_no_object_are_refused() {
    for payload in ["[]", "null", "7", "", r#"[{"iss":"x"}]"#, "{", "\u{feff}{}"] {
        let refused =
            verify(&signed(HEADER, payload, authority_key()), &jwks(), &expected(), "roles", NOW);

        assert_eq!(refused, Err(IdTokenError::Malformed), "{payload}");
    }
}

#[test]
fn claims_that_are_not_utf_8_are_refused_also_where_nobody_reads_them() {
    let claims = with(&json!({ "a_claim_of_next_year": "#" })).to_string().into_bytes();
    let odd: Vec<u8> =
        claims.into_iter().map(|byte| if byte == b'#' { 0xff } else { byte }).collect();

    let refused = verify(&signed(HEADER, odd, authority_key()), &jwks(), &expected(), "roles", NOW);

    assert_eq!(refused, Err(IdTokenError::Malformed));
}

#[test]
fn a_forged_header_is_refused_before_the_claims_are_read() {
    let own_key = format!(r#"{{"alg":"RS256","kid":"k1","jwk":{}}}"#, jwk("k1", strangers_key()));
    let unknown = |kid: &str| IdTokenError::UnknownKey { kid: Some(kid.into()) };
    let forgeries = [
        (r#"{"alg":"none"}"#, IdTokenError::Algorithm),
        (r#"{"alg":"None","kid":"k1"}"#, IdTokenError::Algorithm),
        (r#"{"alg":"HS256","kid":"k1"}"#, IdTokenError::Algorithm),
        (r#"{"alg":"RS512","kid":"k1"}"#, IdTokenError::Algorithm),
        (r#"{"alg":"PS256","kid":"k1"}"#, IdTokenError::Algorithm),
        (r#"{"alg":"ES256","kid":"k1"}"#, IdTokenError::Algorithm),
        (r#"{"alg":"RS256","typ":"at+jwt","kid":"k1"}"#, IdTokenError::Type),
        (r#"{"alg":"RS256","typ":"logout+jwt","kid":"k1"}"#, IdTokenError::Type),
        (r#"{"alg":"RS256","crit":["exp"],"exp":1,"kid":"k1"}"#, IdTokenError::Extension),
        (r#"{"alg":"RS256","crit":[],"kid":"k1"}"#, IdTokenError::Extension),
        (r#"{"alg":"RS256","cty":"JWT","kid":"k1"}"#, IdTokenError::Extension),
        (r#"{"alg":"RS256","kid":"k2"}"#, unknown("k2")),
        (r#"{"alg":"RS256","kid":"K1"}"#, unknown("K1")),
        (r#"{"alg":"RS256","alg":"none","kid":"k1"}"#, IdTokenError::Malformed),
        (r#"{"alg":["RS256"],"kid":"k1"}"#, IdTokenError::Malformed),
        (r#"{"kid":"k1"}"#, IdTokenError::Malformed),
        (r#"["RS256","JWT",null,null,"k1"]"#, IdTokenError::Malformed),
        (own_key.as_str(), IdTokenError::Signature),
        (r#"{"alg":"RS256","kid":"k1","jku":"https://evil.example"}"#, IdTokenError::Signature),
        (HEADER, IdTokenError::Signature),
    ];

    for (header, broken_rule) in forgeries {
        let forged = signed(header, valid().to_string(), strangers_key());

        let refused = verify(&forged, &jwks(), &expected(), "roles", NOW);

        assert_eq!(refused, Err(broken_rule), "{header}");
    }
}

#[test]
fn a_token_that_is_not_three_whole_parts_is_refused() {
    let token = token(&valid());
    let parts: Vec<&str> = token.split('.').collect();
    let [header, payload, signature] = parts[..] else { panic!("three parts") };
    let elsewhere = signed(HEADER, with(&json!({ "sub": "mallory" })).to_string(), authority_key());
    let other_payload = elsewhere.split('.').nth(1).unwrap();
    let broken = [
        (String::new(), IdTokenError::Malformed),
        ("..".into(), IdTokenError::Malformed),
        (format!("{header}.{payload}"), IdTokenError::Malformed),
        (format!("{header}.{payload}."), IdTokenError::Signature),
        (format!("{header}.{payload}.{signature}="), IdTokenError::Signature),
        (format!("{header}.{payload}.{signature}.{signature}"), IdTokenError::Signature),
        (
            format!("{header}.{payload}.{}", &signature[..signature.len() - 4]),
            IdTokenError::Signature,
        ),
        (format!("{header}.{other_payload}.{signature}"), IdTokenError::Signature),
        (format!("{header}=.{payload}.{signature}"), IdTokenError::Malformed),
        (format!(" {token}"), IdTokenError::Malformed),
        ("a".repeat(64 * 1024 + 1), IdTokenError::Malformed),
    ];

    for (forged, broken_rule) in broken {
        let refused = verify(&forged, &jwks(), &expected(), "roles", NOW);

        assert_eq!(refused, Err(broken_rule), "{}", &forged[..forged.len().min(80)]);
    }
}

#[test]
fn a_token_without_kid_is_verified_with_the_only_key() {
    let token = signed(r#"{"alg":"RS256"}"#, valid().to_string(), authority_key());
    let two = json!({ "keys": [jwk("k1", authority_key()), jwk("k2", strangers_key())] });
    let two = Jwks::parse(two.to_string().as_bytes()).unwrap();

    assert!(verify(&token, &jwks(), &expected(), "roles", NOW).is_ok());
    assert_eq!(verify(&token, &two, &expected(), "roles", NOW), Err(IdTokenError::AmbiguousKey));
}

#[test]
fn at_hash_must_be_of_the_access_token_that_came_along() {
    // OpenID Connect Core 1.0 A.3: this access token and its at_hash.
    let access_token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
    let expected = expected().with_access_token(Secret::new(access_token));
    let hashes = [
        (with(&json!({ "at_hash": "77QmUPtjPfzWtF2AnpK9RQ" })), Ok(())),
        (without("at_hash"), Ok(())),
        (
            with(&json!({ "at_hash": "77QmUPtjPfzWtF2AnpK9RQ1" })),
            Err(IdTokenError::AccessTokenHash),
        ),
        (with(&json!({ "at_hash": "" })), Err(IdTokenError::AccessTokenHash)),
    ];

    for (claims, outcome) in hashes {
        let verified = verify(&token(&claims), &jwks(), &expected, "roles", NOW);

        assert_eq!(verified.map(|_| ()), outcome, "{claims}");
    }
}

#[test]
fn a_fresh_proof_is_demanded_where_it_was_asked_for() {
    let now = NOW.as_second();
    let expected = ExpectedIdToken { max_age: Some(300), ..expected() };
    let times = [
        (with(&json!({ "auth_time": now })), Ok(())),
        (with(&json!({ "auth_time": now - 360 })), Ok(())),
        (with(&json!({ "auth_time": now - 361 })), Err(IdTokenError::AuthenticationTime)),
        (with(&json!({ "auth_time": now + 61 })), Err(IdTokenError::AuthenticationTime)),
        (without("auth_time"), Err(IdTokenError::AuthenticationTime)),
    ];

    for (claims, outcome) in times {
        let verified = verify(&token(&claims), &jwks(), &expected, "roles", NOW);

        assert_eq!(verified.map(|_| ()), outcome, "{claims}");
    }
}

#[test]
fn a_guest_is_told_from_a_member() {
    let accounts = [
        (valid(), false),
        (with(&json!({ "acct": 0 })), false),
        (with(&json!({ "idp": ISSUER })), false),
        (with(&json!({ "idp": format!("https://sts.windows.net/{TENANT}/") })), false),
        (with(&json!({ "acct": 1 })), true),
        (with(&json!({ "acct": "1" })), true),
        (with(&json!({ "acct": [] })), true),
        (with(&json!({ "idp": "live.com" })), true),
        (with(&json!({ "idp": 7 })), true),
        (with(&json!({ "preferred_username": "eve_home.example#ext#@acme.example" })), true),
    ];

    for (claims, is_guest) in accounts {
        assert_eq!(verified(&claims).is_guest(), is_guest, "{claims}");
    }
}

#[test]
fn roles_are_a_text_or_a_list_under_the_connectors_name_for_them() {
    let long = "a".repeat(121);
    let many: Vec<String> = (0..60).map(|n| format!("role{n}")).collect();
    let claims = [
        ("roles", with(&json!({ "roles": "Admin" })), vec!["Admin".to_owned()]),
        (
            "roles",
            with(&json!({ "roles": ["Admin", 7, null, "", long, "User"] })),
            vec!["Admin".into(), "User".into()],
        ),
        ("roles", with(&json!({ "roles": { "Admin": true } })), vec![]),
        ("roles", with(&json!({ "roles": null })), vec![]),
        ("roles", without("roles"), vec![]),
        ("roles", with(&json!({ "roles": many })), many[..50].to_vec()),
        ("groups", with(&json!({ "groups": ["g1"] })), vec!["g1".into()]),
        ("groups", valid(), vec![]),
        (
            "urn:role",
            with(&json!({ "urn:role": ["User", "Admin"] })),
            vec!["User".into(), "Admin".into()],
        ),
    ];

    for (role_claim, claims, roles) in claims {
        let verified = verify(&token(&claims), &jwks(), &expected(), role_claim, NOW).unwrap();

        assert_eq!(verified.roles(), roles, "{claims}");
    }
}

#[test]
fn roles_under_two_names_that_differ_are_refused() {
    let claims = with(&json!({ "urn:role": "ReadOnly" }));
    let elsewhere = with(&json!({ "_claim_names": { "groups": "src1" } }));
    let mut twice = with(&json!({ "groups": ["a"] })).to_string();
    twice.insert_str(1, r#""groups":["b"],"#);
    let twice = signed(HEADER, &twice, authority_key());

    let differ = verify(&token(&claims), &jwks(), &expected(), "urn:role", NOW);
    let overage = verify(&token(&elsewhere), &jwks(), &expected(), "groups", NOW);
    let double = verify(&twice, &jwks(), &expected(), "groups", NOW);

    assert_eq!(differ, Err(IdTokenError::Roles));
    assert_eq!(overage, Err(IdTokenError::Roles));
    assert_eq!(double, Err(IdTokenError::Malformed));
}

proptest::proptest! {
    #[test]
    fn no_text_without_the_authoritys_signature_is_an_id_token(
        header in r#"(\{"alg":"RS256","kid":"k1"\}|.{0,40})"#,
        payload in ".{0,60}",
        signature in "[A-Za-z0-9_=.-]{0,80}",
    ) {
        let forged = format!("{}.{}.{signature}", base64url(header), base64url(payload));

        proptest::prop_assert!(verify(&forged, &jwks(), &expected(), "roles", NOW).is_err());
        proptest::prop_assert!(verify(&signature, &jwks(), &expected(), "roles", NOW).is_err());
    }
}
