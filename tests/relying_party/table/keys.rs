//! Faults of the key set.

use portico::simulator::Fault;

use super::{BAD_TOKEN, Forgery, Stage, harmless, of_keys, refused, signature::UNKNOWN_KEY};

pub const ROWS: &[Forgery] = &[
    of_keys(
        Fault::KeysUnavailable,
        "oidcc-client-test-discovery-jwks-uri-keys",
        "the server answered 503",
    ),
    of_keys(Fault::NoKeys, "RFC 7517 §5", "has no usable key"),
    harmless(Fault::StrangeKeys, "oidcc-client-test-idtoken-sig-rs256"),
    of_keys(Fault::DuplicateKid, "RFC 7517 §4.5", "has no usable key"),
    of_keys(Fault::KeysRedirect, "CVE-2026-4366", "the server answered 307"),
    of_keys(Fault::KeysHtml, "RFC 7517 §5", "the key set cannot be read"),
    of_keys(Fault::KeysHuge, "RFC 7517 §5", "the answer is longer than"),
    of_keys(Fault::KeysDrip, "RFC 7517 §5", "no answer in time"),
    refused(
        Fault::SigningKeyWithdrawn,
        "Entra ID: key rollover",
        Stage::OwnKeys,
        BAD_TOKEN,
        UNKNOWN_KEY,
    ),
    refused(Fault::KeyForEncryption, "RFC 7517 §4.2", Stage::OwnKeys, BAD_TOKEN, UNKNOWN_KEY),
    refused(Fault::KeyOfOtherAlgorithm, "RFC 7517 §4.4", Stage::OwnKeys, BAD_TOKEN, UNKNOWN_KEY),
    refused(
        Fault::KeyOfOtherTenant,
        "Entra ID: issuer of a key",
        Stage::KeysAgain,
        BAD_TOKEN,
        UNKNOWN_KEY,
    ),
];
