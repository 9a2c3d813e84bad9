//! Microsoft Entra ID (Azure Active Directory), v2.0 endpoints of one tenant.

use super::Profile;

/// Entra ID.
///
/// - All endpoints that Portico calls lie on the authority's host (userinfo does not; it is never
///   called).
/// - `response_mode=query` is recommended by its documentation even for `response_type=code`.
/// - An application with custom signing keys has them at `jwks_uri?appid={client_id}` only.
/// - The hidden frame of its front-channel logout carries `sid` and nothing else.
/// - `logout_hint` takes the optional `login_hint` claim and avoids the account picker.
/// - A claims-mapping policy may emit the role under .NET's name.
pub const PROFILE: Profile = Profile {
    name: "Microsoft Entra ID",
    endpoints_on_issuer_host: true,
    sends_default_response_mode: true,
    keys_by_application: true,
    frontchannel_logout_without_iss: true,
    logout_hint_is_login_hint: true,
    role_claim_alias: Some("http://schemas.microsoft.com/ws/2008/06/identity/claims/role"),
};
