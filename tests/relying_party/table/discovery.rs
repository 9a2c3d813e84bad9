//! Faults of the discovery document.

use portico::simulator::Fault;

use super::{Forgery, of_discovery, of_token};

pub const ROWS: &[Forgery] = &[
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
    of_discovery(
        Fault::DiscoveryHtml,
        "Discovery 1.0 §4.2",
        "the discovery document cannot be read",
    ),
    of_discovery(Fault::DiscoveryHuge, "Discovery 1.0 §4.2", "the answer is longer than"),
    of_discovery(Fault::DiscoveryHalf, "RFC 9112 §8", "end of file before message length reached"),
    of_discovery(Fault::DiscoveryDrips, "Discovery 1.0 §4.2", "no answer in time"),
    of_discovery(Fault::TenantNotFound, "Entra ID: AADSTS90002", "the server answered 400"),
];
