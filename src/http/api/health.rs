//! How well provisioning goes.

use actix_web::{
    HttpResponse,
    web::{Data, Path},
};
use serde_json::json;

use super::json;
use crate::{
    http::{State, error::ApiError, extract::api_caller::ApiCaller},
    service::{connectors, provisioning::health},
};

/// `GET /`: whether the directory comes, what it brought, what fails, and where it must point.
pub async fn show(
    state: Data<State>,
    caller: ApiCaller,
    connector: Path<String>,
) -> Result<HttpResponse, ApiError> {
    let (_, connector) = caller.connector(&state, &connector).await?;
    let health = health::of(&state.ports, &connector).await?;
    let shown = json!({
        "connector": connector.id,
        "enabled": connector.enabled,
        "scim_url": connectors::scim_url(&state.ports, connector.id),
        "scim_user_name": connector.scim.user_name,
        "health": health,
    });
    Ok(json(HttpResponse::Ok(), &shown))
}
