//! Faults of the ID token's header and signature.

use portico::simulator::Fault;

use super::{BAD_TOKEN, Forgery, Stage, harmless, of_token, refused};

pub const UNKNOWN_KEY: &str = "signed with a key that the authority did not publish";

pub const ROWS: &[Forgery] = &[
    of_token(Fault::Unsigned, "oidcc-client-test-idtoken-sig-none", "is not signed with RS256"),
    of_token(Fault::BadSignature, "oidcc-client-test-invalid-sig-rs256", "signature is wrong"),
    of_token(Fault::MissingSignature, "oidcc-client-test-invalid-sig-rs256", "signature is wrong"),
    of_token(
        Fault::StrangersSignature,
        "oidcc-client-test-invalid-sig-rs256",
        "signature is wrong",
    ),
    of_token(
        Fault::Hs256WithClientSecret,
        "oidcc-client-test-invalid-sig-hs256",
        "is not signed with RS256",
    ),
    of_token(Fault::Hs256WithPublicKey, "CVE-2024-37568", "is not signed with RS256"),
    of_token(
        Fault::OtherAlgorithm,
        "fapi2-security-profile-final-client-test-invalid-alternate-alg",
        "is not signed with RS256",
    ),
    harmless(Fault::KidAbsentSingleKey, "oidcc-client-test-kid-absent-single-jwks"),
    of_token(
        Fault::KidAbsentManyKeys,
        "oidcc-client-test-kid-absent-multiple-jwks",
        "does not say which key it is signed with",
    ),
    refused(Fault::UnknownKid, "RFC 7515 §4.1.4", Stage::OwnKeys, BAD_TOKEN, UNKNOWN_KEY),
    harmless(
        Fault::KeysRotatedBeforeSigning,
        "oidcc-client-test-signing-key-rotation-just-before-signing",
    ),
    of_token(Fault::TypAtJwt, "RFC 9068 §4", "the token is not an ID token"),
    of_token(Fault::CritHeader, "CVE-2026-32597", "demands an extension"),
    of_token(Fault::CtyHeader, "RFC 7519 §5.2", "demands an extension"),
    refused(Fault::JwkHeader, "CVE-2026-27962", Stage::OwnKeys, BAD_TOKEN, UNKNOWN_KEY),
    of_token(Fault::UnsignedInCapitals, "RFC 8725 §3.1", "is not signed with RS256"),
    of_token(
        Fault::BadSignatureHs256,
        "oidcc-client-test-invalid-sig-hs256",
        "is not signed with RS256",
    ),
    of_token(
        Fault::Ps256,
        "fapi2-security-profile-final-client-test-invalid-alternate-alg",
        "is not signed with RS256",
    ),
    of_token(
        Fault::Es256,
        "fapi2-security-profile-final-client-test-invalid-alternate-alg",
        "is not signed with RS256",
    ),
    of_token(
        Fault::BadSignatureEs256,
        "oidcc-client-test-invalid-sig-es256",
        "is not signed with RS256",
    ),
    of_token(Fault::UnknownAlgorithm, "CVE-2026-28498", "is not signed with RS256"),
    of_token(
        Fault::EncryptedIdToken,
        "fapi1-advanced-final-client-test-encrypted-idtoken",
        "is not signed with RS256",
    ),
    of_token(Fault::EncryptedUnsigned, "CVE-2026-29000", "is not signed with RS256"),
    harmless(Fault::KeysReplacedAtOnce, "Entra ID: key rollover"),
    refused(Fault::JkuHeader, "RFC 8725 §3.10", Stage::OwnKeys, BAD_TOKEN, UNKNOWN_KEY),
];
