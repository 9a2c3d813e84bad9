//! Mistakes of a tenant's administrator, and what Entra says about them.

use portico::simulator::Fault;

use super::{BUSY, CANCELLED, CIRCLE, End, Forgery, Stage, refused};

const RULE: &str = "Entra ID: error codes";

/// Entra cannot trust the way back.
pub const ON_ENTRAS_PAGE: &[Forgery] = &[
    stopped(Fault::RedirectUriNotRegistered, 50011),
    stopped(Fault::NoRedirectUriRegistered, 500_113),
    stopped(Fault::ApplicationNotFound, 700_016),
    stopped(Fault::NotMultiTenant, 50194),
];

/// The browser brings the error back.
pub const AT_THE_APPLICATION: &[Forgery] = &[
    brought_back(Fault::UserNotAssigned, 50105),
    brought_back(Fault::ConsentMissing, 65001),
    refused(Fault::ConsentDeclined, RULE, Stage::Answer, CANCELLED, "AADSTS65004"),
    brought_back(Fault::AdminApprovalNeeded, 90094),
    brought_back(Fault::MisconfiguredPermissions, 650_056),
    brought_back(Fault::ApplicationDisabled, 7_000_112),
    brought_back(Fault::OtherCloud, 90038),
    brought_back(Fault::ConditionalAccess, 53003),
    brought_back(Fault::DeviceNotCompliant, 53000),
    brought_back(Fault::MfaNeeded, 50076),
    brought_back(Fault::MfaNotEnrolled, 50079),
    brought_back(Fault::GuestBlocked, 500_213),
    brought_back(Fault::OtherTenantsAccount, 50020),
    brought_back(Fault::WrongKindOfAccount, 500_208),
    refused(Fault::LoopDetected, RULE, Stage::Answer, CIRCLE, "AADSTS50196"),
    refused(Fault::MicrosoftBusy, RULE, Stage::Answer, BUSY, "AADSTS90033"),
];

/// The code is not redeemed.
pub const AT_THE_TOKEN_ENDPOINT: &[Forgery] = &[
    redeemed_in_vain(Fault::ExpiredSecret, 7_000_222),
    redeemed_in_vain(Fault::WrongSecret, 7_000_215),
    redeemed_in_vain(Fault::MissingSecret, 7_000_218),
    redeemed_in_vain(Fault::RedirectUriOfPublicClient, 700_025),
    redeemed_in_vain(Fault::RedirectUriOfSpa, 9_002_327),
    redeemed_in_vain(Fault::WrongCertificate, 700_027),
    redeemed_in_vain(Fault::ConfidentialClientAcrossClouds, 900_432),
    redeemed_in_vain(Fault::CodeUsed, 54005),
    redeemed_in_vain(Fault::CodeExpired, 70008),
    redeemed_in_vain(Fault::GrantRevoked, 50173),
    redeemed_in_vain(Fault::UnknownNumber, 9_999_999),
];

const fn stopped(fault: Fault, number: u32) -> Forgery {
    Forgery { fault, source: RULE, stage: Stage::Answer, end: End::Stopped(number) }
}

const fn brought_back(fault: Fault, number: u32) -> Forgery {
    Forgery { fault, source: RULE, stage: Stage::Answer, end: End::SaidNo(number) }
}

const fn redeemed_in_vain(fault: Fault, number: u32) -> Forgery {
    Forgery { fault, source: RULE, stage: Stage::Code, end: End::SaidNo(number) }
}
