//! What differs between providers, as data: a quirk is a field, not a branch.

use crate::domain::connector::ConnectorKind;

mod entra_id;
mod generic;

/// How one kind of provider departs from OpenID Connect's letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "quirks do not depend on each other")]
pub struct Profile {
    /// Its name on pages.
    pub name: &'static str,
    /// Whether every endpoint must lie on the issuer's own host.
    pub endpoints_on_issuer_host: bool,
    /// Whether `response_mode` is sent even where it is the default.
    pub sends_default_response_mode: bool,
    /// Whether the keys of an application with a claims-mapping policy need `?appid=`.
    pub keys_by_application: bool,
    /// Whether its front-channel logout names a session by `sid` without `iss`.
    pub frontchannel_logout_without_iss: bool,
    /// Whether `logout_hint` takes the ID Token's `login_hint`.
    pub logout_hint_is_login_hint: bool,
    /// Another name of the role claim; a token in which both stand and differ is refused.
    pub role_claim_alias: Option<&'static str>,
}

impl Profile {
    /// OpenID Connect by the letter.
    pub const STANDARD: Self = Self {
        name: "OpenID Connect",
        endpoints_on_issuer_host: false,
        sends_default_response_mode: false,
        keys_by_application: false,
        frontchannel_logout_without_iss: false,
        logout_hint_is_login_hint: false,
        role_claim_alias: None,
    };

    /// The profile of a connector's kind.
    pub const fn of(kind: ConnectorKind) -> &'static Self {
        match kind {
            ConnectorKind::AzureAd => &entra_id::PROFILE,
            ConnectorKind::Oidc => &generic::PROFILE,
        }
    }
}
