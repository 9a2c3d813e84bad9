//! Faults of the token endpoint.

use portico::simulator::Fault;

use super::{BUSY, Forgery, SAID_NO, Stage, harmless, of_token_endpoint, refused};

pub const ROWS: &[Forgery] = &[
    refused(
        Fault::TokenEndpointError,
        "RFC 6749 §5.2",
        Stage::Code,
        BUSY,
        "temporarily_unavailable",
    ),
    of_token_endpoint(
        Fault::TokenEndpointHtml,
        "Core 1.0 §3.1.3.3",
        "the token endpoint's answer cannot be read",
    ),
    of_token_endpoint(
        Fault::TokenEndpointRedirects,
        "CVE-2026-4366",
        "the token endpoint's answer cannot be read",
    ),
    of_token_endpoint(
        Fault::TokenEndpointHuge,
        "RFC 6749 §5.1",
        "the answer is longer than 1048576 bytes",
    ),
    of_token_endpoint(Fault::Slow, "RFC 6749 §5.1", "no answer in time"),
    refused(
        Fault::ClientSecretBasicOnly,
        "oidcc-client-test-client-secret-basic",
        Stage::Code,
        SAID_NO,
        "AADSTS7000218",
    ),
    of_token_endpoint(
        Fault::MissingIdToken,
        "Core 1.0 §3.1.3.3",
        "the token endpoint's answer has no ID token",
    ),
    harmless(
        Fault::TokenTypeLowercase,
        "fapi2-security-profile-final-client-test-token-type-case-insensitivity",
    ),
    of_token_endpoint(Fault::WrongTokenType, "RFC 6749 §7.1", "another token type than Bearer"),
    harmless(
        Fault::MissingExpiresIn,
        "fapi2-security-profile-final-client-test-token-endpoint-response-without-expires_in",
    ),
    of_token_endpoint(
        Fault::MissingAccessToken,
        "RFC 6749 §5.1",
        "the token endpoint's answer cannot be read",
    ),
    harmless(
        Fault::MissingScope,
        "fapi1-advanced-final-client-test-no-scope-in-token-endpoint-response",
    ),
    of_token_endpoint(Fault::TokenEndpointErrorPage, "RFC 6749 §5.2", "502"),
    of_token_endpoint(
        Fault::TokenEndpointArray,
        "RFC 6749 §5.1",
        "the token endpoint's answer cannot be read",
    ),
    of_token_endpoint(
        Fault::TokenEndpointHalf,
        "RFC 9112 §8",
        "end of file before message length reached",
    ),
    of_token_endpoint(Fault::TokenEndpointStalls, "RFC 9112 §8", "no answer in time"),
    of_token_endpoint(
        Fault::TokenEndpointHangsUp,
        "RFC 9112 §8",
        "connection closed before message completed",
    ),
];
