//! Faults of the authorization response.

use portico::simulator::Fault;

use super::{BAD_ANSWER, BUSY, Forgery, SAID_NO, STALE, Stage, UNREADABLE, harmless, refused};

pub const ROWS: &[Forgery] = &[
    refused(
        Fault::WrongState,
        "fapi2-security-profile-final-client-test-ensure-authorization-response-with-invalid-state-fails",
        Stage::Answer,
        STALE,
        "the answer's state is unknown, expired or used",
    ),
    refused(
        Fault::MissingState,
        "fapi2-security-profile-final-client-test-ensure-authorization-response-with-invalid-missing-state-fails",
        Stage::Answer,
        UNREADABLE,
        "the answer has no state",
    ),
    refused(
        Fault::MissingCode,
        "Core 1.0 §3.1.2.5",
        Stage::Answer,
        BAD_ANSWER,
        "the answer carries no code",
    ),
    refused(
        Fault::DuplicateCode,
        "RFC 6749 §3.1",
        Stage::Answer,
        UNREADABLE,
        "a parameter stands twice in the answer",
    ),
    refused(
        Fault::WrongResponseIss,
        "fapi2-security-profile-final-client-test-invalid-authorization-response-iss",
        Stage::Answer,
        BAD_ANSWER,
        "the answer comes from another provider",
    ),
    refused(
        Fault::HugeCode,
        "RFC 6749 §4.1.2",
        Stage::Answer,
        UNREADABLE,
        "the answer is too long",
    ),
    refused(Fault::ErrorBesideCode, "RFC 6749 §4.1.2.1", Stage::Answer, BUSY, "server_error"),
    refused(Fault::HostileError, "CVE-2021-32702", Stage::Answer, SAID_NO, "brought back an error"),
    harmless(Fault::PromisedResponseIss, "RFC 9207 §2.4"),
    refused(
        Fault::MissingResponseIss,
        "fapi2-security-profile-final-client-test-remove-authorization-response-iss",
        Stage::Answer,
        BAD_ANSWER,
        "the answer comes from another provider",
    ),
    harmless(Fault::FormPostAnswers, "OAuth 2.0 Form Post Response Mode §2"),
    refused(
        Fault::FragmentAnswers,
        "RFC 6749 §4.1.2",
        Stage::Answer,
        UNREADABLE,
        "the answer has no state",
    ),
];
