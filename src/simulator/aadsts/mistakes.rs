//! What Entra says about mistakes of an administrator, rules of a tenant, and trouble of its own.

use uuid::Uuid;

use super::{Aadsts, of};

/// Refusals for which Entra stops on its own page.
impl Aadsts {
    pub(in crate::simulator) fn no_redirect_uri_registered() -> Self {
        of(500_113, "invalid_request", "No reply address is registered for the application.".into())
    }
}

/// Refusals sent back to the application once the person has signed in.
impl Aadsts {
    pub(in crate::simulator) fn consent_missing(client_id: Uuid) -> Self {
        of(
            65001,
            "consent_required",
            format!(
                "The user or administrator has not consented to use the application with ID \
                '{client_id}'. Send an interactive authorization request for this user and \
                resource."
            ),
        )
    }

    pub(in crate::simulator) fn admin_approval() -> Self {
        of(90094, "consent_required", "The grant requires admin permission.".into())
    }

    pub(in crate::simulator) fn misconfigured(client_id: Uuid) -> Self {
        of(
            650_056,
            "invalid_client",
            format!(
                "Misconfigured application '{client_id}': it lists permissions that it cannot \
                have, or the administrator has not consented."
            ),
        )
    }

    pub(in crate::simulator) fn application_disabled(client_id: Uuid) -> Self {
        of(7_000_112, "unauthorized_client", format!("Application '{client_id}' is disabled."))
    }

    pub(in crate::simulator) fn other_cloud(tenant: Uuid) -> Self {
        of(
            90038,
            "invalid_request",
            format!(
                "Tenant '{tenant}' request is being redirected to the National Cloud \
                'MicrosoftOnline.US'."
            ),
        )
    }

    pub(in crate::simulator) fn conditional_access() -> Self {
        of(
            53003,
            "access_denied",
            "Access has been blocked by Conditional Access policies. The access policy does not \
                allow token issuance."
                .into(),
        )
    }

    pub(in crate::simulator) fn device_not_compliant() -> Self {
        of(
            53000,
            "interaction_required",
            "Device is not in required device state: compliant. The policy requires a compliant \
                device, and the device in use is not."
                .into(),
        )
    }

    pub(in crate::simulator) fn second_factor() -> Self {
        of(
            50076,
            "interaction_required",
            "Due to a configuration change made by your administrator, or because you moved to a \
                new location, you must use multi-factor authentication."
                .into(),
        )
    }

    pub(in crate::simulator) fn second_factor_enrolment() -> Self {
        of(
            50079,
            "interaction_required",
            "Due to a configuration change made by your administrator, or because you moved to a \
                new location, you must enroll in multi-factor authentication."
                .into(),
        )
    }

    pub(in crate::simulator) fn guest_blocked() -> Self {
        of(
            500_213,
            "access_denied",
            "The resource tenant's cross-tenant access policy does not allow this user to access \
                this tenant."
                .into(),
        )
    }

    pub(in crate::simulator) fn foreign_account(person: &str) -> Self {
        of(
            50020,
            "access_denied",
            format!(
                "User account '{person}' from another identity provider does not exist in the \
                tenant and cannot access the application in it. The account needs to be added as \
                an external user in the tenant first."
            ),
        )
    }

    pub(in crate::simulator) fn wrong_kind_of_account() -> Self {
        of(
            500_208,
            "access_denied",
            "The domain is not a valid login domain for the account type.".into(),
        )
    }

    pub(in crate::simulator) fn loop_detected() -> Self {
        of(
            50196,
            "server_error",
            "The server terminated an operation because it encountered a client request loop."
                .into(),
        )
    }

    pub(in crate::simulator) fn busy() -> Self {
        of(
            90033,
            "temporarily_unavailable",
            "A transient error has occurred. Please try again.".into(),
        )
    }
}

/// Refusals of the token endpoint.
impl Aadsts {
    pub(in crate::simulator) fn expired_secret(client_id: Uuid) -> Self {
        of(
            7_000_222,
            "invalid_client",
            format!("The provided client secret keys for app '{client_id}' are expired."),
        )
    }

    pub(in crate::simulator) fn single_page_application() -> Self {
        of(
            9_002_327,
            "invalid_request",
            "Tokens issued for the 'Single-Page Application' client-type may only be redeemed \
                via cross-origin requests."
                .into(),
        )
    }

    pub(in crate::simulator) fn across_clouds() -> Self {
        of(
            900_432,
            "invalid_request",
            "Confidential Client is not supported in Cross Cloud request.".into(),
        )
    }

    pub(in crate::simulator) fn unheard_of() -> Self {
        of(9_999_999, "invalid_request", "Something new has happened.".into())
    }
}
