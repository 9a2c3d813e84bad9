//! Every module of the OpenID Foundation's conformance suite for relying parties that matters to a
//! code flow, and where it is proved here.

use std::collections::{HashMap, HashSet};

use portico::simulator::Fault;

use crate::table::TABLE;

/// Where a module is proved.
enum Proof {
    /// By a fault of the table.
    Told(Fault),
    /// By a test of this crate: its file and its name.
    Shown(&'static str, &'static str),
    /// Nowhere, for this reason.
    NotHere(&'static str),
}

use Proof::{NotHere, Shown, Told};

const USERINFO: &str = "userinfo is never asked, as `forgeries.rs` holds of every fault";
const FRONT_CHANNEL: &str = "no ID token comes by way of the browser";
const REFRESH: &str = "no refresh token is asked for or used";
const REQUEST_OBJECT: &str = "requests travel in the address";
const WEBFINGER: &str = "the connector names its authority";
const DPOP: &str = "access tokens are never used";
const JARM: &str = "answers travel as they are";

/// The modules of `openid/client/`.
const CORE: &[(&str, Proof)] = &[
    ("oidcc-client-test", Shown("fetching.rs", "many_sign_ins_ask_for_discovery_and_keys_once")),
    (
        "oidcc-client-test-client-secret-basic",
        Shown("connections.rs", "a_secret_goes_into_the_header_where_the_authority_wants_it_there"),
    ),
    ("oidcc-client-test-scope-userinfo-claims", NotHere(USERINFO)),
    (
        "oidcc-client-test-nonce-unless-code-flow",
        Shown("answers.rs", "no_two_sign_ins_share_a_state_a_nonce_or_a_challenge"),
    ),
    ("oidcc-client-test-nonce-invalid", Told(Fault::WrongNonce)),
    ("oidcc-client-test-invalid-iss", Told(Fault::WrongIss)),
    ("oidcc-client-test-missing-sub", Told(Fault::MissingSub)),
    ("oidcc-client-test-missing-aud", Told(Fault::MissingAud)),
    ("oidcc-client-test-invalid-aud", Told(Fault::WrongAud)),
    ("oidcc-client-test-missing-iat", Told(Fault::MissingIat)),
    ("oidcc-client-test-kid-absent-single-jwks", Told(Fault::KidAbsentSingleKey)),
    ("oidcc-client-test-kid-absent-multiple-jwks", Told(Fault::KidAbsentManyKeys)),
    ("oidcc-client-test-idtoken-sig-rs256", Told(Fault::StrangeKeys)),
    ("oidcc-client-test-idtoken-sig-none", Told(Fault::Unsigned)),
    ("oidcc-client-test-invalid-sig-rs256", Told(Fault::BadSignature)),
    ("oidcc-client-test-invalid-sig-es256", Told(Fault::BadSignatureEs256)),
    ("oidcc-client-test-invalid-sig-hs256", Told(Fault::BadSignatureHs256)),
    ("oidcc-client-test-invalid-athash", Told(Fault::WrongAtHash)),
    ("oidcc-client-test-missing-athash", NotHere(FRONT_CHANNEL)),
    ("oidcc-client-test-invalid-chash", NotHere(FRONT_CHANNEL)),
    ("oidcc-client-test-missing-chash", NotHere(FRONT_CHANNEL)),
    ("oidcc-client-test-userinfo-bearer-header", NotHere(USERINFO)),
    ("oidcc-client-test-userinfo-bearer-body", NotHere(USERINFO)),
    ("oidcc-client-test-userinfo-invalid-sub", NotHere(USERINFO)),
    ("oidcc-client-test-userinfo-signed", NotHere(USERINFO)),
    (
        "oidcc-client-test-aggregated-claims",
        NotHere("a claim that came signed by somebody else is never read"),
    ),
    ("oidcc-client-test-distributed-claims", Told(Fault::RolesElsewhere)),
    (
        "oidcc-client-test-form-post-error",
        Shown("answers.rs", "an_error_that_is_posted_has_its_page"),
    ),
    ("oidcc-client-test-mtls-endpoint-aliases", NotHere("no client certificate is shown in TLS")),
    ("oidcc-client-test-request-uri-signed-rs256", NotHere(REQUEST_OBJECT)),
    ("oidcc-client-test-request-uri-signed-none", NotHere(REQUEST_OBJECT)),
    ("oidcc-client-test-refresh-token", NotHere(REFRESH)),
    ("oidcc-client-test-refresh-token-invalid-issuer", NotHere(REFRESH)),
    ("oidcc-client-test-refresh-token-invalid-sub", NotHere(REFRESH)),
    (
        "oidcc-client-test-3rd-party-init-login",
        NotHere("a sign-in begins at an address of the organization's own, whoever links to it"),
    ),
];

/// The modules of `openid/client/config/`.
const CONFIG: &[(&str, Proof)] = &[
    (
        "oidcc-client-test-discovery-openid-config",
        Shown("fetching.rs", "many_sign_ins_ask_for_discovery_and_keys_once"),
    ),
    ("oidcc-client-test-discovery-jwks-uri-keys", Told(Fault::KeysUnavailable)),
    ("oidcc-client-test-discovery-issuer-mismatch", Told(Fault::WrongDiscoveryIssuer)),
    (
        "oidcc-client-test-signing-key-rotation",
        Shown("fetching.rs", "keys_that_change_between_two_sign_ins_are_fetched_once_more"),
    ),
    (
        "oidcc-client-test-signing-key-rotation-just-before-signing",
        Told(Fault::KeysRotatedBeforeSigning),
    ),
    ("oidcc-client-test-discovery-webfinger-acct", NotHere(WEBFINGER)),
    ("oidcc-client-test-discovery-webfinger-url", NotHere(WEBFINGER)),
    (
        "oidcc-client-test-dynamic-registration",
        NotHere("an administrator registers Portico by hand"),
    ),
];

/// The modules of `fapi2spfinal/`, whose rules go beyond a certification's.
const FAPI2: &[(&str, Proof)] = &[
    (
        "fapi2-security-profile-final-client-test-happy-path",
        Shown("fetching.rs", "many_sign_ins_ask_for_discovery_and_keys_once"),
    ),
    ("fapi2-security-profile-final-client-test-happy-path-no-dpop-nonce", NotHere(DPOP)),
    (
        "fapi2-security-profile-final-client-test-happy-path-no-mtls-endpoint-aliases",
        NotHere("no client certificate is shown in TLS"),
    ),
    (
        "fapi2-security-profile-final-client-test-discovery-issuer-mismatch",
        Told(Fault::DiscoveryIssuerWithSlash),
    ),
    ("fapi2-security-profile-final-client-test-invalid-iss", Told(Fault::WrongIss)),
    ("fapi2-security-profile-final-client-test-invalid-missing-iss", Told(Fault::MissingIss)),
    ("fapi2-security-profile-final-client-test-invalid-aud", Told(Fault::WrongAud)),
    ("fapi2-security-profile-final-client-test-invalid-missing-aud", Told(Fault::MissingAud)),
    (
        "fapi2-security-profile-final-client-test-invalid-secondary-aud",
        Told(Fault::UntrustedSecondAud),
    ),
    ("fapi2-security-profile-final-client-test-valid-aud-as-array", Told(Fault::AudAsArray)),
    ("fapi2-security-profile-final-client-test-invalid-null-alg", Told(Fault::Unsigned)),
    ("fapi2-security-profile-final-client-test-invalid-alternate-alg", Told(Fault::OtherAlgorithm)),
    ("fapi2-security-profile-final-client-test-invalid-expired-exp", Told(Fault::Expired)),
    ("fapi2-security-profile-final-client-test-invalid-missing-exp", Told(Fault::MissingExp)),
    ("fapi2-security-profile-final-client-test-invalid-nonce", Told(Fault::WrongNonce)),
    ("fapi2-security-profile-final-client-test-invalid-missing-nonce", Told(Fault::MissingNonce)),
    (
        "fapi2-security-profile-final-client-test-invalid-authorization-response-iss",
        Told(Fault::WrongResponseIss),
    ),
    (
        "fapi2-security-profile-final-client-test-remove-authorization-response-iss",
        Told(Fault::MissingResponseIss),
    ),
    (
        "fapi2-security-profile-final-client-test-ensure-authorization-response-with-invalid-state-fails",
        Told(Fault::WrongState),
    ),
    (
        "fapi2-security-profile-final-client-test-ensure-authorization-response-with-invalid-missing-state-fails",
        Told(Fault::MissingState),
    ),
    (
        "fapi2-security-profile-final-client-test-token-endpoint-response-without-expires_in",
        Told(Fault::MissingExpiresIn),
    ),
    (
        "fapi2-security-profile-final-client-test-token-type-case-insensitivity",
        Told(Fault::TokenTypeLowercase),
    ),
    (
        "fapi2-security-profile-final-client-test-rs-dpop-auth-scheme-case-insensitivity",
        NotHere(DPOP),
    ),
    ("fapi2-security-profile-final-client-test-ensure-jarm-without-iss-fails", NotHere(JARM)),
    ("fapi2-security-profile-final-client-test-ensure-jarm-without-aud-fails", NotHere(JARM)),
    ("fapi2-security-profile-final-client-test-ensure-jarm-without-exp-fails", NotHere(JARM)),
    ("fapi2-security-profile-final-client-test-ensure-jarm-with-invalid-iss-fails", NotHere(JARM)),
    ("fapi2-security-profile-final-client-test-ensure-jarm-with-invalid-aud-fails", NotHere(JARM)),
    ("fapi2-security-profile-final-client-test-ensure-jarm-with-invalid-sig-fails", NotHere(JARM)),
    ("fapi2-security-profile-final-client-test-ensure-jarm-with-expired-exp-fails", NotHere(JARM)),
    ("fapi2-security-profile-final-client-test-ensure-jarm-signature-is-not-none", NotHere(JARM)),
    ("fapi2-security-profile-final-client-refresh-token-test", NotHere(REFRESH)),
    (
        "fapi2-security-profile-final-client-test-invalid-openbanking-intent-id",
        NotHere("Portico is no bank"),
    ),
];

/// Those of `fapi1advancedfinal/` that neither has.
const FAPI1: &[(&str, Proof)] = &[
    ("fapi1-advanced-final-client-test-iat-is-week-in-past", Told(Fault::IatLongAgo)),
    ("fapi1-advanced-final-client-test-invalid-signature", Told(Fault::StrangersSignature)),
    ("fapi1-advanced-final-client-test-invalid-shash", NotHere(FRONT_CHANNEL)),
    ("fapi1-advanced-final-client-test-missing-shash", NotHere(FRONT_CHANNEL)),
    ("fapi1-advanced-final-client-test-encrypted-idtoken", Told(Fault::EncryptedIdToken)),
    (
        "fapi1-advanced-final-client-test-encrypted-idtoken-usingrsa15",
        Told(Fault::EncryptedIdToken),
    ),
    (
        "fapi1-advanced-final-client-test-no-scope-in-token-endpoint-response",
        Told(Fault::MissingScope),
    ),
];

/// `oidcc-client-basic-certification-test-plan`; by a form, it is the Form Post Basic plan.
pub const BASIC: &[&str] = &[
    "oidcc-client-test",
    "oidcc-client-test-invalid-iss",
    "oidcc-client-test-missing-sub",
    "oidcc-client-test-invalid-aud",
    "oidcc-client-test-missing-iat",
    "oidcc-client-test-kid-absent-single-jwks",
    "oidcc-client-test-kid-absent-multiple-jwks",
    "oidcc-client-test-idtoken-sig-rs256",
    "oidcc-client-test-idtoken-sig-none",
    "oidcc-client-test-invalid-sig-rs256",
    "oidcc-client-test-userinfo-invalid-sub",
    "oidcc-client-test-nonce-invalid",
    "oidcc-client-test-scope-userinfo-claims",
    "oidcc-client-test-client-secret-basic",
];

/// `oidcc-client-config-certification-test-plan`
const CONFIGURATION: &[&str] = &[
    "oidcc-client-test-discovery-openid-config",
    "oidcc-client-test-discovery-jwks-uri-keys",
    "oidcc-client-test-discovery-issuer-mismatch",
    "oidcc-client-test-idtoken-sig-none",
    "oidcc-client-test-signing-key-rotation",
    "oidcc-client-test-signing-key-rotation-just-before-signing",
];

const FILES: [(&str, &str); 3] = [
    ("answers.rs", include_str!("answers.rs")),
    ("connections.rs", include_str!("connections.rs")),
    ("fetching.rs", include_str!("fetching.rs")),
];

fn modules() -> impl Iterator<Item = &'static (&'static str, Proof)> {
    [CORE, CONFIG, FAPI2, FAPI1].into_iter().flatten()
}

#[test]
fn every_module_stands_here_once_and_is_proved_or_has_a_reason() {
    let told: HashSet<Fault> = TABLE.iter().copied().flatten().map(|row| row.fault).collect();
    let files = HashMap::from(FILES);
    let mut seen = HashSet::new();

    for (module, proof) in modules() {
        assert!(seen.insert(module), "{module} stands twice");
        match proof {
            Told(fault) => assert!(told.contains(fault), "{module}: {fault} is not told"),
            Shown(file, test) => {
                let name = format!("async fn {test}()");
                assert!(files[file].contains(&name), "{module}: {file} has no {test}");
            }
            NotHere(reason) => assert!(!reason.is_empty(), "{module}"),
        }
    }
}

#[test]
fn every_module_that_the_table_names_stands_here() {
    let known: HashSet<&str> = modules().map(|(module, _)| *module).collect();
    let sources = TABLE.iter().copied().flatten().map(|row| row.source);

    for source in sources.filter(|source| source.starts_with("oidcc") || source.starts_with("fapi"))
    {
        assert!(known.contains(source), "{source}");
    }
}

#[test]
fn the_plans_name_modules_that_stand_here() {
    let known: HashSet<&str> = modules().map(|(module, _)| *module).collect();

    for module in BASIC.iter().chain(CONFIGURATION) {
        assert!(known.contains(module), "{module}");
    }
}
