//! The access token that an application gets for itself: no person, and the service principal as
//! its subject.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    directory::{Application, guid_of},
    entra::Entra,
    fault::Members,
    id_token,
    metadata::Version,
};

/// What a scope ends with that asks for whatever the application may do.
const DEFAULT_SCOPE: &str = "/.default";

/// A signed token for the resource that `scope` names, or what the fault that is on makes of it;
/// `None` where the scope names no resource.
pub(super) fn issue(
    entra: &Entra,
    tenant: Uuid,
    application: &Application,
    scope: &str,
) -> Option<String> {
    let audience = scope.strip_suffix(DEFAULT_SCOPE)?;
    Some(issue_changed(entra, tenant, application, audience, |_| ()))
}

/// The same, its claims changed before they are signed.
pub(super) fn issue_changed(
    entra: &Entra,
    tenant: Uuid,
    application: &Application,
    audience: &str,
    change: impl FnOnce(&mut Members),
) -> String {
    let mut claims = claims(entra, tenant, application, audience);
    change(&mut claims);
    id_token::sign_claims(entra, Version::V2, application, claims)
}

/// The object ID of the application's service principal in the tenant.
pub(super) fn service_principal(tenant: Uuid, client_id: Uuid) -> Uuid {
    guid_of(&format!("service principal {tenant} {client_id}"))
}

fn claims(entra: &Entra, tenant: Uuid, application: &Application, audience: &str) -> Members {
    let principal = service_principal(tenant, application.client_id);
    let claims = json!({
        "aud": audience,
        "azp": application.client_id,
        "azpacr": "1",
        "idtyp": "app",
        "iss": Version::V2.issuer(&entra.origin, &tenant.to_string()),
        "oid": principal,
        "sub": principal,
        "tid": tenant,
        "ver": "2.0",
    });
    let Value::Object(mut claims) = claims else { unreachable!("an object was written") };
    claims.extend(id_token::dates_and_names(entra));
    claims
}
