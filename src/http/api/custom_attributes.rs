//! The attributes of a connector beyond the schemas of the RFCs.

use actix_web::{
    HttpResponse,
    web::{Data, Path, Payload},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{body, json};
use crate::{
    http::{State, error::ApiError, extract::api_caller::ApiCaller},
    scim::{custom::CustomAttribute, schema::Kind},
    service::provisioning_policy,
};

/// An attribute as an admin declares it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Declared {
    schema: String,
    name: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    multi_valued: bool,
}

/// `GET /attributes`
pub async fn list(
    state: Data<State>,
    caller: ApiCaller,
    connector: Path<String>,
) -> Result<HttpResponse, ApiError> {
    let (_, connector) = caller.connector(&state, &connector).await?;
    let (organization_id, id) = (connector.organization_id, connector.id);
    let known = state.ports.store.list_custom_attributes(organization_id, id).await?;
    let known: Vec<_> = known.iter().map(shown).collect();
    Ok(json(HttpResponse::Ok(), &json!({ "attributes": known })))
}

/// `POST /attributes`: declares one, or lays down the type of one that was learned.
pub async fn declare(
    state: Data<State>,
    caller: ApiCaller,
    connector: Path<String>,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let (_, connector) = caller.connector(&state, &connector).await?;
    let Declared { schema, name, kind, multi_valued } = body(payload).await?;
    let kind = Kind::named(&kind).ok_or_else(|| {
        let types = "string, boolean, integer, decimal, dateTime, reference, binary or complex";
        ApiError::Refused(format!("type must be {types}"))
    })?;
    let attribute = CustomAttribute::declare(&schema, &name, kind, multi_valued)
        .map_err(|error| ApiError::Refused(error.to_string()))?;
    provisioning_policy::declare(&state.ports, &connector, &attribute, caller.actor()).await?;
    Ok(json(HttpResponse::Created(), &shown(&attribute)))
}

fn shown(attribute: &CustomAttribute) -> Value {
    json!({
        "schema": attribute.schema,
        "name": attribute.name,
        "type": attribute.kind.as_str(),
        "multi_valued": attribute.multi_valued,
        "declared": attribute.declared,
    })
}
