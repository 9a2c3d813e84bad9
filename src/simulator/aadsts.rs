//! Refusals as Entra words them: a number, an OAuth error code, a sentence, and ids for support.

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::directory::guid;

mod mistakes;

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Aadsts {
    /// The number after `AADSTS`.
    pub(super) code: u32,
    /// The value of `error` (RFC 6749 §4.1.2.1, §5.2).
    pub(super) error: &'static str,
    message: String,
}

const fn of(code: u32, error: &'static str, message: String) -> Aadsts {
    Aadsts { code, error, message }
}

/// Refusals for which Entra stops on its own page, since it cannot trust the way back.
impl Aadsts {
    pub(super) fn unknown_tenant(name: &str) -> Self {
        of(
            90002,
            "invalid_tenant",
            format!(
                "Tenant '{name}' not found. Check to make sure you have the correct tenant ID \
                and are signing into the correct cloud."
            ),
        )
    }

    pub(super) fn not_multi_tenant(client_id: &str) -> Self {
        of(
            50194,
            "invalid_request",
            format!(
                "Application '{client_id}' is not configured as a multi-tenant application. Use \
                a tenant-specific endpoint."
            ),
        )
    }

    pub(super) fn unknown_application(client_id: &str, tenant: &str) -> Self {
        of(
            700_016,
            "unauthorized_client",
            format!(
                "Application with identifier '{client_id}' was not found in the directory \
                '{tenant}'."
            ),
        )
    }

    pub(super) fn wrong_redirect_uri(uri: &str, client_id: Uuid) -> Self {
        of(
            50011,
            "invalid_request",
            format!(
                "The redirect URI '{uri}' specified in the request does not match the redirect \
                URIs configured for the application '{client_id}'."
            ),
        )
    }

    pub(super) fn no_redirect_uri() -> Self {
        of(900_971, "invalid_request", "No reply address provided.".into())
    }

    pub(super) fn duplicated(parameter: &str) -> Self {
        of(
            9_000_411,
            "invalid_request",
            format!(
                "The request is not properly formatted. The parameter '{parameter}' is duplicated."
            ),
        )
    }
}

/// Refusals sent back to the application, or shown while the person can still do something.
impl Aadsts {
    pub(super) fn missing(parameter: &str) -> Self {
        of(
            900_144,
            "invalid_request",
            format!("The request body must contain the following parameter: '{parameter}'."),
        )
    }

    pub(super) fn response_type(value: &str, client_id: Uuid) -> Self {
        of(
            700_054,
            "unsupported_response_type",
            format!("response_type '{value}' is not enabled for the application '{client_id}'."),
        )
    }

    pub(super) fn unsupported(parameter: &str, value: &str) -> Self {
        of(
            90023,
            "invalid_request",
            format!("Unsupported value '{value}' for the parameter '{parameter}'."),
        )
    }

    pub(super) fn challenge_size() -> Self {
        of(501_491, "invalid_request", "Invalid size of Code_Challenge parameter.".into())
    }

    pub(super) fn not_signed_in() -> Self {
        of(
            50058,
            "login_required",
            "A silent sign-in request was sent but no user is signed in.".into(),
        )
    }

    pub(super) fn several_signed_in() -> Self {
        of(
            16000,
            "interaction_required",
            "Either multiple user identities are available for the current request or \
                selected account is not supported for the scenario."
                .into(),
        )
    }

    pub(super) fn not_assigned(person: &str, client_id: Uuid) -> Self {
        of(
            50105,
            "access_denied",
            format!(
                "Your administrator has configured the application ('{client_id}') to block \
                users unless they are specifically granted ('assigned') access to the \
                application. The signed in user '{person}' is blocked."
            ),
        )
    }

    pub(super) fn consent_declined() -> Self {
        of(65004, "access_denied", "User declined to consent to access the app.".into())
    }

    pub(super) fn wrong_password() -> Self {
        of(
            50126,
            "invalid_grant",
            "Error validating credentials due to invalid username or password.".into(),
        )
    }

    pub(super) fn disabled() -> Self {
        of(50057, "invalid_grant", "The user account is disabled.".into())
    }

    pub(super) fn unknown_person(login: &str, tenant: &str) -> Self {
        of(
            50034,
            "invalid_grant",
            format!("The user account '{login}' does not exist in the '{tenant}' directory."),
        )
    }
}

/// Refusals of the token endpoint.
impl Aadsts {
    pub(super) fn method(method: &str) -> Self {
        of(
            900_561,
            "invalid_request",
            format!("The endpoint only accepts POST requests. Received a {method} request."),
        )
    }

    pub(super) fn grant_type(value: &str) -> Self {
        of(
            70003,
            "unsupported_grant_type",
            format!("The app requested an unsupported grant type '{value}'."),
        )
    }

    pub(super) fn cross_origin() -> Self {
        of(
            9_002_326,
            "invalid_request",
            "Cross-origin token redemption is permitted only for the 'Single-Page \
                Application' client-type."
                .into(),
        )
    }

    pub(super) fn no_credential() -> Self {
        of(
            7_000_218,
            "invalid_client",
            "The request body must contain the following parameter: 'client_assertion' or \
                'client_secret'."
                .into(),
        )
    }

    pub(super) fn public_client() -> Self {
        of(
            700_025,
            "invalid_client",
            "Client is public so neither 'client_assertion' nor 'client_secret' should be \
                presented."
                .into(),
        )
    }

    pub(super) fn wrong_secret(client_id: Uuid) -> Self {
        of(
            7_000_215,
            "invalid_client",
            format!(
                "Invalid client secret provided. Ensure the secret being sent in the request is \
                the client secret value, not the client secret ID, for a secret added to app \
                '{client_id}'."
            ),
        )
    }

    pub(super) fn assertion_signature() -> Self {
        of(
            700_027,
            "invalid_client",
            "The certificate with identifier used to sign the client assertion is not \
                registered on application, or the assertion failed signature validation."
                .into(),
        )
    }

    pub(super) fn assertion_issuer() -> Self {
        of(
            700_021,
            "invalid_client",
            "Client assertion application identifier doesn't match 'client_id' parameter.".into(),
        )
    }

    pub(super) fn assertion_audience() -> Self {
        of(
            700_023,
            "invalid_client",
            "Client assertion audience claim does not match Realm issuer.".into(),
        )
    }

    pub(super) fn assertion_time() -> Self {
        of(700_024, "invalid_client", "Client assertion is not within its valid time range.".into())
    }

    pub(super) fn malformed_grant() -> Self {
        of(9_002_313, "invalid_grant", "Invalid request. Request is malformed or invalid.".into())
    }

    pub(super) fn code_used() -> Self {
        of(
            54005,
            "invalid_grant",
            "OAuth2 Authorization code was already redeemed, please retry with a new valid \
                code or use an existing refresh token."
                .into(),
        )
    }

    pub(super) fn code_expired() -> Self {
        of(
            70008,
            "invalid_grant",
            "The provided authorization code or refresh token has expired due to \
                inactivity. Send a new interactive authorization request for this user and \
                resource."
                .into(),
        )
    }

    pub(super) fn other_tenants_code() -> Self {
        of(
            700_005,
            "invalid_grant",
            "Provided Authorization Code is intended to use against other tenant, thus rejected."
                .into(),
        )
    }

    pub(super) fn other_redirect_uri(sent: &str, asked: &str) -> Self {
        of(
            500_112,
            "invalid_client",
            format!(
                "The reply address '{sent}' does not match the reply address '{asked}' provided \
                when requesting Authorization code."
            ),
        )
    }

    pub(super) fn no_verifier() -> Self {
        of(
            50148,
            "invalid_grant",
            "The code_verifier does not match the code_challenge supplied in the \
                authorization request for PKCE."
                .into(),
        )
    }

    pub(super) fn wrong_verifier() -> Self {
        of(
            501_481,
            "invalid_grant",
            "The Code_Verifier does not match the code_challenge supplied in the \
                authorization request."
                .into(),
        )
    }

    pub(super) fn revoked() -> Self {
        of(
            50173,
            "invalid_grant",
            "The provided grant has expired due to it being revoked, a fresh auth token is needed."
                .into(),
        )
    }
}

impl Aadsts {
    /// The same refusal of a silent request, which Entra reports as a need for interaction.
    pub(super) fn while_silent(self) -> Self {
        Self { error: "interaction_required", ..self }
    }

    /// The sentence with its number: `AADSTS50126: …`.
    pub(super) fn sentence(&self) -> String {
        format!("AADSTS{}: {}", self.code, self.message)
    }

    /// What is sent as `error_description`.
    pub(super) fn description(&self, trace: &Trace) -> String {
        format!(
            "{} Trace ID: {} Correlation ID: {} Timestamp: {}",
            self.sentence(),
            trace.trace_id,
            trace.correlation_id,
            trace.timestamp
        )
    }

    /// The token endpoint's body.
    pub(super) fn body(&self, trace: &Trace, origin: &str) -> Value {
        json!({
            "error": self.error,
            "error_description": self.description(trace),
            "error_codes": [self.code],
            "timestamp": trace.timestamp,
            "trace_id": trace.trace_id,
            "correlation_id": trace.correlation_id,
            "error_uri": format!("{origin}/error?code={}", self.code),
        })
    }
}

/// The ids that Microsoft's support asks for.
#[expect(clippy::struct_field_names, reason = "the wire's names")]
pub(super) struct Trace {
    pub(super) trace_id: Uuid,
    pub(super) correlation_id: Uuid,
    pub(super) timestamp: String,
}

impl Trace {
    pub(super) fn at(now: Timestamp) -> Self {
        let timestamp = now.strftime("%Y-%m-%d %H:%M:%SZ").to_string();
        Self { trace_id: guid(), correlation_id: guid(), timestamp }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_ends_with_what_the_support_asks_for() {
        let trace = Trace::at("2026-01-09T02:02:12Z".parse().unwrap());

        let description = Aadsts::disabled().description(&trace);

        let start = "AADSTS50057: The user account is disabled. Trace ID: ";
        assert!(description.starts_with(start), "{description}");
        assert!(description.ends_with("Timestamp: 2026-01-09 02:02:12Z"), "{description}");
    }
}
