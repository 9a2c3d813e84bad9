//! What a connector's directory may do, and what it must send.

use actix_web::{
    HttpResponse,
    web::{Data, Path, Payload},
};

use super::{body, json};
use crate::{
    domain::provisioning_policy::ProvisioningPolicy,
    http::{State, error::ApiError, extract::api_caller::ApiCaller},
    service::provisioning_policy::{self, Error},
};

/// `GET /policy`
pub async fn show(
    state: Data<State>,
    caller: ApiCaller,
    connector: Path<String>,
) -> Result<HttpResponse, ApiError> {
    let (_, connector) = caller.connector(&state, &connector).await?;
    Ok(json(HttpResponse::Ok(), &connector.provisioning))
}

/// `PUT /policy`: what is left out goes back to its default.
pub async fn replace(
    state: Data<State>,
    caller: ApiCaller,
    connector: Path<String>,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let (_, connector) = caller.connector(&state, &connector).await?;
    let policy: ProvisioningPolicy = body(payload).await?;
    match provisioning_policy::replace(&state.ports, &connector, policy, caller.actor()).await {
        Ok(policy) => Ok(json(HttpResponse::Ok(), &policy)),
        Err(Error::Unavailable(unavailable)) => Err(unavailable.into()),
        Err(refused) => Err(ApiError::Refused(refused.to_string())),
    }
}
