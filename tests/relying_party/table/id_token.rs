//! Faults of the ID token's claims.

use portico::simulator::Fault;

use super::{End, Forgery, NO_ROLE, Stage, WRONG_TENANT, harmless, of_token, refused};

pub const ROWS: &[Forgery] = &[
    of_token(Fault::WrongIss, "oidcc-client-test-invalid-iss", "comes from another issuer"),
    of_token(Fault::IssAsArray, "CVE-2024-53861", "cannot be read"),
    of_token(Fault::MissingSub, "oidcc-client-test-missing-sub", "names no subject"),
    of_token(Fault::EmptySub, "Core 1.0 §2", "names no subject"),
    of_token(Fault::MissingAud, "oidcc-client-test-missing-aud", "is meant for another client"),
    of_token(Fault::WrongAud, "oidcc-client-test-invalid-aud", "is meant for another client"),
    of_token(
        Fault::UntrustedSecondAud,
        "fapi2-security-profile-final-client-test-invalid-secondary-aud",
        "is meant for another client",
    ),
    harmless(Fault::AudAsArray, "fapi2-security-profile-final-client-test-valid-aud-as-array"),
    of_token(Fault::WrongAzp, "Core 1.0 §3.1.3.7, rule 5", "was issued to another client"),
    of_token(Fault::MissingIat, "oidcc-client-test-missing-iat", "was issued at another time"),
    of_token(Fault::IatInTheFuture, "Core 1.0 §3.1.3.7, rule 10", "was issued at another time"),
    of_token(
        Fault::IatLongAgo,
        "fapi1-advanced-final-client-test-iat-is-week-in-past",
        "was issued at another time",
    ),
    of_token(
        Fault::Expired,
        "fapi2-security-profile-final-client-test-invalid-expired-exp",
        "has expired",
    ),
    of_token(
        Fault::MissingExp,
        "fapi2-security-profile-final-client-test-invalid-missing-exp",
        "has expired",
    ),
    of_token(Fault::ExpAsText, "CVE-2026-25537", "cannot be read"),
    of_token(Fault::NotYetValid, "RFC 7519 §4.1.5", "is not valid yet"),
    harmless(Fault::StaleAuthTime, "Core 1.0 §3.1.3.7, rule 13"),
    of_token(Fault::WrongNonce, "oidcc-client-test-nonce-invalid", "belongs to another sign-in"),
    of_token(
        Fault::MissingNonce,
        "fapi2-security-profile-final-client-test-invalid-missing-nonce",
        "belongs to another sign-in",
    ),
    of_token(
        Fault::WrongAtHash,
        "oidcc-client-test-invalid-athash",
        "belongs to another access token",
    ),
    of_token(Fault::DuplicateClaim, "RFC 7519 §4", "cannot be read"),
    of_token(Fault::PayloadIsAnArray, "RFC 7519 §7.2", "cannot be read"),
    of_token(
        Fault::MissingIss,
        "fapi2-security-profile-final-client-test-invalid-missing-iss",
        "comes from another issuer",
    ),
    of_token(Fault::LongSub, "Core 1.0 §2", "names no subject"),
    harmless(Fault::OtherSub, "Entra ID: sub"),
    of_token(Fault::ExpBeyondTime, "RFC 7519 §2, NumericDate", "cannot be read"),
    harmless(Fault::ExpWithFraction, "RFC 7519 §2, NumericDate"),
    harmless(Fault::Clock4MinutesAhead, "Core 1.0 §3.1.3.7, rule 9"),
    harmless(Fault::Clock6MinutesAhead, "Core 1.0 §3.1.3.7, rule 9"),
    of_token(Fault::Clock1HourAhead, "RFC 7519 §4.1.5", "this server's clock is wrong"),
    harmless(Fault::Clock4MinutesBehind, "Core 1.0 §3.1.3.7, rule 10"),
    of_token(
        Fault::Clock6MinutesBehind,
        "Core 1.0 §3.1.3.7, rule 10",
        "this server's clock is wrong",
    ),
    of_token(Fault::Clock1HourBehind, "Core 1.0 §3.1.3.7, rule 10", "this server's clock is wrong"),
    harmless(Fault::EmailVerifiedAsText, "Core 1.0 §5.1"),
    harmless(Fault::NewClaims, "Core 1.0 §3.1.3.3"),
    of_token(Fault::HugeIdToken, "RFC 7519 §7.2", "cannot be read"),
];

/// Entra ID's own claims, and the roles.
pub const OF_ENTRA: &[Forgery] = &[
    refused(
        Fault::WrongTid,
        "Entra ID: tid",
        Stage::Token,
        WRONG_TENANT,
        "comes from another tenant",
    ),
    refused(
        Fault::MissingTid,
        "Entra ID: tid",
        Stage::Token,
        WRONG_TENANT,
        "comes from another tenant",
    ),
    of_token(Fault::MissingOid, "Entra ID: oid", "names no object ID"),
    of_token(Fault::V1Token, "Entra ID: ver", "comes from another issuer"),
    Forgery {
        fault: Fault::RolesAsText,
        source: "Entra ID: roles",
        stage: Stage::Token,
        end: End::SignedIn("EnterpriseAdmin"),
    },
    refused(
        Fault::UnknownRole,
        "Entra ID: roles",
        Stage::Token,
        NO_ROLE,
        "These values mean nothing here: GlobalAdmin",
    ),
    of_token(
        Fault::RolesElsewhere,
        "oidcc-client-test-distributed-claims",
        "roles cannot be read from it",
    ),
    of_token(Fault::MissingVer, "Entra ID: ver", "is not of version 2.0"),
    harmless(Fault::GroupsElsewhere, "oidcc-client-test-distributed-claims"),
    harmless(Fault::HasGroups, "Entra ID: hasgroups"),
];

/// Faults that only a logout has; a sign-in does not meet them.
pub const LOGOUT: &[Forgery] = &[
    harmless(Fault::LogoutWithoutSid, "Front-Channel Logout 1.0 §2"),
    harmless(Fault::LogoutOfAnotherSid, "Front-Channel Logout 1.0 §2"),
    harmless(Fault::LogoutWithIss, "Front-Channel Logout 1.0 §2"),
    harmless(Fault::LogoutWithAnotherIss, "Front-Channel Logout 1.0 §2"),
];
