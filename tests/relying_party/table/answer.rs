//! Lies of the authorization response.

use portico::simulator::Fault;

use super::{BAD_ANSWER, BUSY, Forgery, SAID_NO, STALE, Stage, UNREADABLE, harmless, lie};

pub const ROWS: &[Forgery] = &[
    lie(
        Fault::WrongState,
        "fapi2-security-profile-final-client-test-ensure-authorization-response-with-invalid-state-fails",
        Stage::Answer,
        STALE,
        "the answer's state is unknown, expired or used",
    ),
    lie(
        Fault::MissingState,
        "fapi2-security-profile-final-client-test-ensure-authorization-response-with-invalid-missing-state-fails",
        Stage::Answer,
        UNREADABLE,
        "the answer has no state",
    ),
    lie(
        Fault::MissingCode,
        "Core 1.0 §3.1.2.5",
        Stage::Answer,
        BAD_ANSWER,
        "the answer carries no code",
    ),
    lie(
        Fault::DuplicateCode,
        "RFC 6749 §3.1",
        Stage::Answer,
        UNREADABLE,
        "a parameter stands twice in the answer",
    ),
    lie(
        Fault::WrongResponseIss,
        "fapi2-security-profile-final-client-test-invalid-authorization-response-iss",
        Stage::Answer,
        BAD_ANSWER,
        "the answer comes from another provider",
    ),
    lie(Fault::HugeCode, "RFC 6749 §4.1.2", Stage::Answer, UNREADABLE, "the answer is too long"),
    lie(Fault::ErrorBesideCode, "RFC 6749 §4.1.2.1", Stage::Answer, BUSY, "server_error"),
    lie(Fault::HostileError, "CVE-2021-32702", Stage::Answer, SAID_NO, "brought back an error"),
    harmless(Fault::PromisedResponseIss, "RFC 9207 §2.4"),
    lie(
        Fault::MissingResponseIss,
        "fapi2-security-profile-final-client-test-remove-authorization-response-iss",
        Stage::Answer,
        BAD_ANSWER,
        "the answer comes from another provider",
    ),
    harmless(Fault::FormPostAnswers, "OAuth 2.0 Form Post Response Mode §2"),
    lie(
        Fault::FragmentAnswers,
        "RFC 6749 §4.1.2",
        Stage::Answer,
        UNREADABLE,
        "the answer has no state",
    ),
];
