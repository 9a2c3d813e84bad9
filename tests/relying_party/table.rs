//! Every lie of the simulator, and how the sign-in into which it is told ends.

use portico::{domain::decision::Outcome, simulator::Fault};

/// One lie.
pub struct Forgery {
    pub fault: Fault,
    /// The module of the conformance suite that tells it too, or the rule where the suite has none.
    pub source: &'static str,
    /// How far the sign-in gets.
    pub stage: Stage,
    pub end: End,
}

/// How far a sign-in gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Nobody is sent to the authority.
    Discovery,
    /// No code is redeemed.
    Answer,
    /// The code is redeemed, no key is needed.
    Code,
    /// The keys are fetched once.
    Token,
    /// The keys are fetched once more, since the token names one that they don't have, and then
    /// those of the application alone.
    OwnKeys,
}

/// What comes of a sign-in.
pub enum End {
    /// A session with this role.
    SignedIn(&'static str),
    /// This page, for a reason that the log has.
    Refused(Page, &'static str),
}

/// A refusal, as the person and the decision log have it.
#[derive(Clone, Copy)]
pub struct Page {
    pub status: u16,
    pub heading: &'static str,
    /// `None` where too little is known of the sign-in, or where nobody decided anything.
    pub outcome: Option<Outcome>,
}

const UNREACHABLE: Page =
    Page {
        status: 502, heading: "Your organization’s sign-in can’t be reached", outcome: None
    };
const STALE: Page = Page { status: 400, heading: "This sign-in is no longer open", outcome: None };
const UNREADABLE: Page =
    Page { status: 400, heading: "We couldn’t trust the answer we got", outcome: None };
const BAD_ANSWER: Page = Page { outcome: Some(Outcome::NotAuthenticated), ..UNREADABLE };
const SAID_NO: Page = Page {
    status: 403,
    heading: "Your organization’s sign-in said no",
    outcome: Some(Outcome::NotAuthenticated),
};
const BAD_TOKEN: Page = Page { status: 403, ..BAD_ANSWER };
const WRONG_TENANT: Page = Page {
    status: 403,
    heading: "That is not your work account here",
    outcome: Some(Outcome::WrongTenant),
};
const NO_ROLE: Page = Page {
    status: 403,
    heading: "Your account is for the mobile app only",
    outcome: Some(Outcome::NoRole),
};

impl Stage {
    /// The requests that the discovery document, the keys and the token endpoint receive.
    pub const fn requests(self) -> [usize; 3] {
        match self {
            Self::Discovery | Self::Answer => [1, 0, 0],
            Self::Code => [1, 0, 1],
            Self::Token => [1, 1, 1],
            Self::OwnKeys => [1, 3, 1],
        }
    }
}

impl Forgery {
    /// Whether the authority takes half a minute.
    pub const fn is_slow(&self) -> bool {
        matches!(self.fault, Fault::SlowDiscovery | Fault::Slow)
    }
}

const fn lie(
    fault: Fault,
    source: &'static str,
    stage: Stage,
    page: Page,
    because: &'static str,
) -> Forgery {
    Forgery { fault, source, stage, end: End::Refused(page, because) }
}

/// A lie told in the discovery document.
const fn of_discovery(fault: Fault, source: &'static str, because: &'static str) -> Forgery {
    lie(fault, source, Stage::Discovery, UNREACHABLE, because)
}

/// A lie told in an ID token whose key is known.
const fn of_token(fault: Fault, source: &'static str, because: &'static str) -> Forgery {
    lie(fault, source, Stage::Token, BAD_TOKEN, because)
}

const fn harmless(fault: Fault, source: &'static str, stage: Stage) -> Forgery {
    Forgery { fault, source, stage, end: End::SignedIn("Admin") }
}

/// Every fault of the simulator, once.
pub const TABLE: &[&[Forgery]] = &[DISCOVERY, KEYS, ANSWER, CODE, SIGNATURE, CLAIMS, ENTRA];

const DISCOVERY: &[Forgery] = &[
    of_discovery(Fault::DiscoveryUnavailable, "Discovery 1.0 §4", "the server answered 503"),
    of_discovery(Fault::DiscoveryRedirects, "CVE-2026-4366", "the server answered 307"),
    of_discovery(Fault::SlowDiscovery, "Discovery 1.0 §4", "no answer in time"),
    of_discovery(
        Fault::WrongDiscoveryIssuer,
        "oidcc-client-test-discovery-issuer-mismatch",
        "the discovery document names the issuer",
    ),
    of_discovery(
        Fault::DiscoveryIssuerWithSlash,
        "fapi2-security-profile-final-client-test-discovery-issuer-mismatch",
        "the discovery document names the issuer",
    ),
    of_discovery(
        Fault::ForeignTokenEndpoint,
        "CVE-2026-1180",
        "the discovery document's token_endpoint is missing or does not lie where it must",
    ),
    of_discovery(
        Fault::ForeignJwksUri,
        "CVE-2026-1180",
        "the discovery document's jwks_uri is missing or does not lie where it must",
    ),
    of_token(Fault::DiscoveryOffersHs256, "CVE-2024-37568", "is not signed with RS256"),
];

const KEYS: &[Forgery] = &[
    lie(
        Fault::KeysUnavailable,
        "oidcc-client-test-discovery-jwks-uri-keys",
        Stage::Token,
        UNREACHABLE,
        "the server answered 503",
    ),
    lie(Fault::NoKeys, "RFC 7517 §5", Stage::Token, UNREACHABLE, "has no usable key"),
    harmless(Fault::StrangeKeys, "oidcc-client-test-idtoken-sig-rs256", Stage::Token),
    lie(Fault::DuplicateKid, "RFC 7517 §4.5", Stage::Token, UNREACHABLE, "has no usable key"),
];

const UNKNOWN_KEY: &str = "signed with a key that the authority did not publish";

const ANSWER: &[Forgery] = &[
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
];

const CODE: &[Forgery] = &[
    lie(
        Fault::TokenEndpointError,
        "RFC 6749 §5.2",
        Stage::Code,
        SAID_NO,
        "temporarily_unavailable",
    ),
    lie(
        Fault::TokenEndpointHtml,
        "Core 1.0 §3.1.3.3",
        Stage::Code,
        UNREACHABLE,
        "the token endpoint's answer cannot be read",
    ),
    lie(
        Fault::TokenEndpointRedirects,
        "CVE-2026-4366",
        Stage::Code,
        UNREACHABLE,
        "the token endpoint's answer cannot be read",
    ),
    lie(
        Fault::TokenEndpointHuge,
        "RFC 6749 §5.1",
        Stage::Code,
        UNREACHABLE,
        "the answer is longer than 1048576 bytes",
    ),
    lie(Fault::Slow, "RFC 6749 §5.1", Stage::Code, UNREACHABLE, "no answer in time"),
    lie(
        Fault::ClientSecretBasicOnly,
        "oidcc-client-test-client-secret-basic",
        Stage::Code,
        SAID_NO,
        "AADSTS7000218",
    ),
    lie(
        Fault::MissingIdToken,
        "Core 1.0 §3.1.3.3",
        Stage::Code,
        UNREACHABLE,
        "the token endpoint's answer has no ID token",
    ),
    harmless(
        Fault::TokenTypeLowercase,
        "fapi2-security-profile-final-client-test-token-type-case-insensitivity",
        Stage::Token,
    ),
    lie(
        Fault::WrongTokenType,
        "RFC 6749 §7.1",
        Stage::Code,
        UNREACHABLE,
        "another token type than Bearer",
    ),
    harmless(
        Fault::MissingExpiresIn,
        "fapi2-security-profile-final-client-test-token-endpoint-response-without-expires_in",
        Stage::Token,
    ),
];

const SIGNATURE: &[Forgery] = &[
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
    harmless(Fault::KidAbsentSingleKey, "oidcc-client-test-kid-absent-single-jwks", Stage::Token),
    of_token(
        Fault::KidAbsentManyKeys,
        "oidcc-client-test-kid-absent-multiple-jwks",
        "does not say which key it is signed with",
    ),
    lie(Fault::UnknownKid, "RFC 7515 §4.1.4", Stage::OwnKeys, BAD_TOKEN, UNKNOWN_KEY),
    harmless(
        Fault::KeysRotatedBeforeSigning,
        "oidcc-client-test-signing-key-rotation-just-before-signing",
        Stage::Token,
    ),
    of_token(Fault::TypAtJwt, "RFC 9068 §4", "the token is not an ID token"),
    of_token(Fault::CritHeader, "CVE-2026-32597", "demands an extension"),
    lie(Fault::JwkHeader, "CVE-2026-27962", Stage::OwnKeys, BAD_TOKEN, UNKNOWN_KEY),
];

const CLAIMS: &[Forgery] = &[
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
    harmless(
        Fault::AudAsArray,
        "fapi2-security-profile-final-client-test-valid-aud-as-array",
        Stage::Token,
    ),
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
];

/// Entra ID's own claims, and the roles.
const ENTRA: &[Forgery] = &[
    lie(Fault::WrongTid, "Entra ID: tid", Stage::Token, WRONG_TENANT, "comes from another tenant"),
    lie(
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
    lie(
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
];
