//! What a directory authenticates with.

use actix_web::{
    HttpResponse,
    web::{Data, Path, Payload},
};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{body, json};
use crate::{
    domain::{
        connector::{Connector, FederatedIdentity, ScimCredential, ScimCredentialKind},
        secret::Secret,
    },
    http::{State, error::ApiError, extract::api_caller::ApiCaller},
    service::scim_credentials::{DEFAULT_CLIENT_SECRET_YEARS, Error, GRACE, Keyring},
};

/// A credential that is asked for.
#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
enum Wanted {
    Password {
        #[serde(default)]
        label: String,
        expires_at: Option<Timestamp>,
    },
    ClientSecret {
        #[serde(default)]
        label: String,
        years: Option<u8>,
    },
    Federated {
        #[serde(default)]
        label: String,
        tenant_id: String,
        subject: String,
        audiences: Vec<String>,
    },
}

/// How a Password is replaced.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rotation {
    #[serde(default)]
    label: String,
    grace_hours: Option<u16>,
}

/// `GET /credentials`
pub async fn list(
    state: Data<State>,
    caller: ApiCaller,
    connector: Path<String>,
) -> Result<HttpResponse, ApiError> {
    let (_, connector) = caller.connector(&state, &connector).await?;
    let listed = keyring(&state, &caller, &connector).list().await.map_err(refusal)?;
    let mut credentials = Vec::with_capacity(listed.len());
    for listed in listed {
        let mut credential = shown(&listed.credential);
        credential["last_used_at"] = json!(listed.last_used_at.map(|at| at.to_string()));
        credentials.push(credential);
    }
    Ok(json(HttpResponse::Ok(), &json!({ "credentials": credentials })))
}

/// `POST /credentials`: makes one; its secret is shown in this answer and never again.
pub async fn add(
    state: Data<State>,
    caller: ApiCaller,
    connector: Path<String>,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let (_, connector) = caller.connector(&state, &connector).await?;
    let keyring = keyring(&state, &caller, &connector);
    let (credential, secret) = match body(payload).await? {
        Wanted::Password { label, expires_at } => {
            let issued = keyring.add_password(&label, expires_at).await.map_err(refusal)?;
            (issued.credential, Some(issued.secret))
        }
        Wanted::ClientSecret { label, years } => {
            let years = years.unwrap_or(DEFAULT_CLIENT_SECRET_YEARS);
            let issued = keyring.add_client_secret(&label, years).await.map_err(refusal)?;
            (issued.credential, Some(issued.secret))
        }
        Wanted::Federated { label, tenant_id, subject, audiences } => {
            let identity = FederatedIdentity { tenant_id, subject, audiences };
            (keyring.add_federated(&label, identity).await.map_err(refusal)?, None)
        }
    };
    Ok(json(HttpResponse::Created(), &issued(&connector, &credential, secret.as_ref())))
}

/// `POST /credentials/rotate`: another Password; the one there is stays valid for a week, or as
/// long as it is told.
pub async fn rotate(
    state: Data<State>,
    caller: ApiCaller,
    connector: Path<String>,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let (_, connector) = caller.connector(&state, &connector).await?;
    let Rotation { label, grace_hours } = body(payload).await?;
    let grace = grace_hours.map_or(GRACE, |hours| SignedDuration::from_hours(hours.into()));
    let keyring = keyring(&state, &caller, &connector);
    let rotated = keyring.rotate_password(&label, grace).await.map_err(refusal)?;
    let issued = issued(&connector, &rotated.credential, Some(&rotated.secret));
    Ok(json(HttpResponse::Created(), &issued))
}

/// `DELETE /credentials/{credential}`: it is refused from now on, tokens issued for it included.
pub async fn revoke(
    state: Data<State>,
    caller: ApiCaller,
    path: Path<(String, String)>,
) -> Result<HttpResponse, ApiError> {
    let (_, connector) = caller.connector(&state, &path.0).await?;
    let no_credential = || ApiError::NotFound("There is no credential with that id.");
    let id = path.1.parse().map_err(|_| no_credential())?;
    if !connector.scim.credentials.iter().any(|credential| credential.id == id) {
        return Err(no_credential());
    }
    keyring(&state, &caller, &connector).revoke(id).await.map_err(refusal)?;
    Ok(HttpResponse::NoContent().finish())
}

fn keyring<'a>(state: &'a State, caller: &ApiCaller, connector: &Connector) -> Keyring<'a> {
    Keyring {
        ports: &state.ports,
        organization_id: connector.organization_id,
        connector_id: connector.id,
        actor: caller.actor(),
    }
}

fn refusal(error: Error) -> ApiError {
    match error {
        Error::Unavailable(unavailable) => unavailable.into(),
        Error::Invalid(_) => ApiError::Refused(error.to_string()),
        error => ApiError::Conflict(error.to_string()),
    }
}

/// A credential with its secret, and the client ID that goes with it at the token endpoint.
fn issued(connector: &Connector, credential: &ScimCredential, secret: Option<&Secret>) -> Value {
    let mut issued = shown(credential);
    issued["secret"] = json!(secret.map(Secret::expose));
    if !matches!(credential.kind, ScimCredentialKind::Password(_)) {
        issued["client_id"] = json!(connector.id);
    }
    issued
}

fn shown(credential: &ScimCredential) -> Value {
    let mut shown = json!({
        "id": credential.id,
        "label": credential.label,
        "created_at": credential.created_at.to_string(),
        "expires_at": credential.expires_at.map(|at| at.to_string()),
    });
    match &credential.kind {
        ScimCredentialKind::Password(_) => shown["kind"] = json!("password"),
        ScimCredentialKind::ClientSecret(_) => shown["kind"] = json!("client_secret"),
        ScimCredentialKind::Federated(identity) => {
            shown["kind"] = json!("federated");
            shown["tenant_id"] = json!(identity.tenant_id);
            shown["subject"] = json!(identity.subject);
            shown["audiences"] = json!(identity.audiences);
        }
    }
    shown
}
