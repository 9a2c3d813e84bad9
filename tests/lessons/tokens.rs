//! ID tokens that say too little, too much, or something else.

use aws_lc_rs::digest::{SHA256, SHA384, SHA512, digest};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use portico::{
    domain::secret::Secret,
    oidc::{
        id_token::{ExpectedIdToken, IdTokenError, verify},
        jwks::{Jwks, JwksError},
    },
};
use serde_json::{Value, json};

use crate::forge::{
    ACCESS_TOKEN, AUTHORITY, CLIENT, ISSUER, NONCE, NOW, STRANGER, base64url, claims, expected,
    forged, header, judge, judge_with, jwk, signed, signed_by_hmac, token, with,
};

/// Each forgery breaks the rule; the honest token that it was made of breaks none.
fn assert_refused(rule: &IdTokenError, forgeries: impl IntoIterator<Item = String>) {
    for (number, forgery) in forgeries.into_iter().enumerate() {
        assert_eq!(judge(&forgery).as_ref().err(), Some(rule), "forgery {number}");
    }
    assert!(judge(&token(&claims())).is_ok(), "the honest token is refused, too");
}

/// L20, Keycloak 48694: a token without nonce crashed what should have refused it.
#[test]
fn a_nonce_of_no_kind_of_text_is_refused_and_no_crash() {
    let kinds = [json!(null), json!(0), json!(true), json!([]), json!({}), json!([NONCE])];

    for kind in kinds {
        let verdict = judge(&forged("nonce", kind.clone()));

        let refused = [Some(IdTokenError::Malformed), Some(IdTokenError::Nonce)];
        assert!(refused.contains(&verdict.err()), "{kind}");
    }
}

/// L33, `mod_auth_openidc` 2026: an array counted as claims, and a huge `exp` wrapped around.
#[test]
fn an_array_is_no_set_of_claims_and_no_date_wraps_around() {
    let honest = claims().to_string();
    let arrays = [format!("[{honest}]"), "[]".into(), format!("{honest}{honest}"), "null".into()];
    let with_exp = |exp: &str| {
        let payload = with(claims(), "exp", Some(json!("EXP"))).to_string();
        signed(&header(), &payload.replace(r#""EXP""#, exp), &AUTHORITY)
    };

    let arrays = arrays.iter().map(|payload| signed(&header(), payload, &AUTHORITY));
    let dates = ["1e300", "1e19", "9223372036854775808", "18446744073709551616", "-1", "-1e300"];

    assert_refused(&IdTokenError::Malformed, arrays.chain(dates.map(with_exp)));
    for set in ["[]", "[[]]", "null", r#"{"keys":{}}"#, r#"[{"keys":[]}]"#] {
        let read = Jwks::parse(set.as_bytes());
        assert_eq!(read.err(), Some(JwksError::Malformed), "{set}");
    }
}

/// L39, CVE-2024-10318: the nonce was never compared, and no test had tried a wrong one.
#[test]
fn a_nonce_that_only_resembles_ours_is_another_sign_ins() {
    let resembling = [
        "another".to_owned(),
        NONCE.to_uppercase(),
        format!("{NONCE} "),
        format!("{NONCE}\0"),
        NONCE[..NONCE.len() - 1].to_owned(),
        base64url(digest(&SHA256, NONCE.as_bytes())),
        String::new(),
    ];

    assert_refused(&IdTokenError::Nonce, resembling.map(|nonce| forged("nonce", json!(nonce))));
}

/// L40, `OpenHikmah` 556: no nonce on either side meant that there was nothing to compare.
#[test]
fn a_nonce_that_is_missing_on_both_sides_is_no_agreement() {
    let jwks = json!({ "keys": [jwk("k1", &AUTHORITY)] }).to_string();
    let jwks = Jwks::parse(jwks.as_bytes()).unwrap();
    let nothing = ExpectedIdToken { nonce: Secret::new(""), ..expected() };

    assert_refused(&IdTokenError::Nonce, [forged("nonce", None)]);
    for token in [forged("nonce", None), forged("nonce", json!("")), token(&claims())] {
        let verdict = verify(&token, &jwks, &nothing, "roles", NOW);
        assert_eq!(verdict, Err(IdTokenError::Nonce));
    }
}

/// L41, CVE-2024-53861: the issuer was looked for inside of the expected one.
#[test]
fn an_issuer_is_equal_and_not_contained() {
    let (tenant, host) = ("11111111-2222-3333-4444-555555555555", "login.microsoftonline.com");
    let others = [
        String::new(),
        "https".to_owned(),
        format!("https://{host}/"),
        format!("https://{host}/{tenant}"),
        format!("{ISSUER}/"),
        format!("{ISSUER}.evil.example"),
        format!("https://evil.example/{ISSUER}"),
        format!("{ISSUER} https://evil.example"),
        ISSUER.to_uppercase(),
        ISSUER.replace(tenant, "{tenantid}"),
    ];

    assert_refused(&IdTokenError::Issuer, others.map(|iss| forged("iss", json!(iss))));
}

/// L42, CVE-2026-32597: a critical extension that nobody knew was passed over.
#[test]
fn a_critical_extension_is_refused_however_it_is_written() {
    let demands = [json!(["x"]), json!(["exp"]), json!(["b64"]), json!([]), json!("x"), json!({})];

    let tokens = demands.map(|crit| {
        let header = with(with(header(), "crit", Some(crit)), "b64", Some(json!(true)));
        signed(&header, &claims().to_string(), &AUTHORITY)
    });

    assert_refused(&IdTokenError::Extension, tokens);
}

/// L43, CVE-2026-27962: the key that a token's own header brought along verified it.
#[test]
fn a_token_that_brings_its_own_key_is_held_to_the_published_one() {
    let own = jwk("k1", &STRANGER);
    let brought = [
        ("jwk", own.clone()),
        ("jku", json!("https://evil.example/keys")),
        ("x5u", json!("https://evil.example/certificate")),
        ("x5c", json!(["AAAA"])),
    ];

    for (name, value) in brought {
        for (kid, rule) in [
            (Some(json!("k1")), IdTokenError::Signature),
            (None, IdTokenError::Signature),
            (Some(json!("own")), IdTokenError::UnknownKey { kid: Some("own".into()) }),
        ] {
            let header = with(with(header(), "kid", kid), name, Some(value.clone()));
            let token = signed(&header, &claims().to_string(), &STRANGER);

            assert_eq!(judge(&token), Err(rule), "{name}");
        }
    }
}

/// L44, CVE-2026-28498: the hash of an access token passed where its algorithm was unknown.
#[test]
fn an_access_token_hash_that_can_not_be_ours_is_refused() {
    let whole = digest(&SHA256, ACCESS_TOKEN.as_bytes());
    let right = base64url(&whole.as_ref()[..16]);
    let wrong = [
        String::new(),
        base64url(whole),
        base64url(&digest(&SHA384, ACCESS_TOKEN.as_bytes()).as_ref()[..24]),
        base64url(&digest(&SHA512, ACCESS_TOKEN.as_bytes()).as_ref()[..32]),
        base64url(&digest(&SHA256, b"another").as_ref()[..16]),
        right[..right.len() - 1].to_owned(),
        format!("{right}=="),
    ];

    assert!(judge(&forged("at_hash", json!(right))).is_ok());
    let wrong = wrong.map(|at_hash| forged("at_hash", json!(at_hash)));
    assert_refused(&IdTokenError::AccessTokenHash, wrong);
    let algorithms = ["RS384", "RS512", "PS256", "ES256", "XY999", "rs256", ""].map(|alg| {
        let header = with(header(), "alg", Some(json!(alg)));
        signed(&header, &with(claims(), "at_hash", Some(json!(right))).to_string(), &AUTHORITY)
    });
    assert_refused(&IdTokenError::Algorithm, algorithms);
}

/// L45, CVE-2024-37568: a public key served as the secret of a symmetric signature.
#[test]
fn no_published_key_serves_as_a_secret() {
    use aws_lc_rs::{encoding::AsDer as _, signature::KeyPair as _};

    let der = AUTHORITY.public_key().as_der().unwrap();
    let pem = format!(
        "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
        BASE64_STANDARD.encode(der.as_ref())
    );
    let published = jwk("k1", &AUTHORITY);
    let modulus = published["n"].as_str().unwrap().to_owned();
    let symmetric = json!({ "kty": "oct", "kid": "k2", "alg": "HS256", "k": base64url("secret") });
    let relabelled =
        with(with(published.clone(), "kid", Some(json!("k3"))), "alg", Some(json!("HS256")));
    let keys = [published, symmetric, relabelled];

    for (kid, alg, secret) in [
        ("k1", "HS256", pem.as_bytes()),
        ("k1", "HS256", der.as_ref()),
        ("k1", "HS256", modulus.as_bytes()),
        ("k1", "RS256", pem.as_bytes()),
        ("k2", "HS256", b"secret"),
        ("k2", "RS256", b"secret"),
        ("k3", "HS256", modulus.as_bytes()),
    ] {
        let header = json!({ "typ": "JWT", "alg": alg, "kid": kid });
        let token = signed_by_hmac(&header, &claims().to_string(), secret);

        assert!(judge_with(&keys, &token).is_err(), "{kid} {alg}");
    }
    let by_rsa = |kid: &str| {
        let header = with(header(), "kid", Some(json!(kid)));
        judge_with(&keys, &signed(&header, &claims().to_string(), &AUTHORITY))
    };
    assert!(by_rsa("k1").is_ok());
    assert_eq!(by_rsa("k3"), Err(IdTokenError::UnknownKey { kid: Some("k3".into()) }));
}

/// L46, CVE-2026-29000: an unsigned token inside of an encrypted one was believed.
#[test]
fn a_token_inside_of_another_is_not_unwrapped() {
    let unsigned =
        format!("{}.{}.", base64url(r#"{"alg":"none"}"#), base64url(claims().to_string()));
    let encrypted = |alg: &str, zip: &str| {
        let header = format!(r#"{{"alg":"{alg}","enc":"A128GCM","cty":"JWT"{zip}}}"#);
        format!("{}..AAAA.{}.AAAA", base64url(header), base64url(&unsigned))
    };
    let nested = with(header(), "cty", Some(json!("JWT")));
    let bomb = format!("{}.{}.{}", base64url(header().to_string()), "A".repeat(8 << 20), "AAAA");

    for forgery in [
        unsigned.clone(),
        unsigned.trim_end_matches('.').to_owned(),
        encrypted("dir", ""),
        encrypted("RSA-OAEP", r#","zip":"DEF""#),
        encrypted("RSA1_5", ""),
        signed(&nested, &token(&claims()), &AUTHORITY),
        signed(&header(), &token(&claims()), &AUTHORITY),
        format!("{}.x", token(&claims())),
        bomb,
    ] {
        let verdict = judge(&forgery);

        assert!(verdict.is_err(), "{forgery:.80}");
    }
    for alg in ["none", "None", "NONE", "nOnE", " none"] {
        let header = with(header(), "alg", Some(json!(alg)));
        let payload = claims().to_string();
        let empty = format!("{}.{}.", base64url(header.to_string()), base64url(&payload));

        assert_eq!(judge(&empty), Err(IdTokenError::Algorithm), "{alg}");
        assert_eq!(judge(&signed(&header, &payload, &AUTHORITY)), Err(IdTokenError::Algorithm));
    }
}

/// L47, CVE-2023-22482: whom a token was meant for went unchecked, or only where it was a list.
#[test]
fn a_token_for_somebody_else_is_refused_as_a_text_and_as_a_list() {
    let whoever = [
        None,
        Some(json!("another")),
        Some(json!(["another"])),
        Some(json!([CLIENT, "another"])),
        Some(json!(["another", CLIENT])),
        Some(json!([CLIENT, CLIENT])),
        Some(json!([])),
        Some(json!("")),
        Some(json!(format!("{CLIENT} another"))),
        Some(json!(format!("api://{CLIENT}"))),
    ];

    assert_refused(&IdTokenError::Audience, whoever.map(|aud| forged("aud", aud)));
}

/// L48, CVE-2026-25537: a claim of the wrong type counted as absent, and its check was skipped.
#[test]
fn a_checked_claim_of_another_type_is_refused_and_never_skipped() {
    let soon = NOW.as_second() + 3600;
    let strange = [json!({}), json!([]), json!(true), json!(null)];
    let mut forgeries: Vec<(&str, Value)> = Vec::new();
    for name in ["iss", "sub", "aud", "exp", "iat", "nonce", "tid", "oid", "ver"] {
        forgeries.extend(strange.iter().map(|value| (name, value.clone())));
    }
    for name in ["exp", "iat", "nbf"] {
        forgeries.push((name, json!(soon.to_string())));
        forgeries.push((name, json!([soon])));
    }
    for name in ["nbf", "azp", "at_hash"] {
        forgeries.extend([(name, json!({})), (name, json!([])), (name, json!(true))]);
    }
    forgeries.extend(["iss", "sub", "aud", "nonce", "azp", "at_hash"].map(|name| (name, json!(7))));

    for (name, value) in forgeries {
        assert!(judge(&forged(name, value.clone())).is_err(), "{name}: {value}");
    }
    for name in ["iss", "sub", "aud", "exp", "iat", "nonce", "tid", "oid", "ver"] {
        assert!(judge(&forged(name, None)).is_err(), "{name} is missing");
    }
}

/// L49, l8w8jwt 45: a claim that began like the expected one was taken for it.
#[test]
fn a_claim_that_begins_or_ends_like_the_expected_one_is_another() {
    for name in ["iss", "aud", "azp", "nonce", "tid", "ver"] {
        let honest = with(claims(), "azp", Some(json!(CLIENT)));
        let right = honest[name].as_str().unwrap().to_owned();
        for wrong in [
            right[..right.len() - 1].to_owned(),
            right[..1].to_owned(),
            right[1..].to_owned(),
            format!("{right}x"),
            format!("{right}\0"),
            format!("{right}\0x"),
            format!(" {right}"),
        ] {
            let verdict = judge(&token(&with(honest.clone(), name, Some(json!(wrong)))));

            assert!(verdict.is_err(), "{name}: {wrong:?}");
        }
        assert!(judge(&token(&honest)).is_ok());
    }
}
