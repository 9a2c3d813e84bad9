//! `/Users` and `/Groups` (RFC 7644 §3.3 to §3.6).

use actix_web::{
    HttpResponse,
    web::{Path, Payload},
};

use super::{LONGEST_BODY, LONGEST_GROUP, answer, request::ScimRequest};
use crate::{
    http::error::ScimFault,
    scim::{query::parse_projection, schema::ResourceType},
    service::provisioning::{Verb, Write},
};

/// `POST`.
pub async fn create(
    scim: ScimRequest,
    kind: ResourceType,
    payload: Payload,
) -> Result<HttpResponse, ScimFault> {
    let projection = parse_projection(scim.query(), scim.profile())?;
    let verb = Verb::Create(scim.object(payload, longest(kind)).await?);
    let created = scim.directory().write(Write { kind, verb }, scim.expected()).await?;
    let created = created.expect("what is created is there");
    answer::resource(&scim, HttpResponse::Created(), created, &projection).await
}

/// `GET`, by `id`.
pub async fn show(
    scim: ScimRequest,
    kind: ResourceType,
    id: Path<(String, String)>,
) -> Result<HttpResponse, ScimFault> {
    let projection = parse_projection(scim.query(), scim.profile())?;
    let found = scim.directory().find(kind, &id.1).await?;
    if scim.holds(found.version()) {
        return Ok(answer::unchanged(&found));
    }
    answer::resource(&scim, HttpResponse::Ok(), found, &projection).await
}

/// `PUT`.
pub async fn replace(
    scim: ScimRequest,
    kind: ResourceType,
    id: Path<(String, String)>,
    payload: Payload,
) -> Result<HttpResponse, ScimFault> {
    let body = scim.object(payload, longest(kind)).await?;
    change(scim, kind, Verb::Replace(id.into_inner().1, body)).await
}

/// `PATCH` (RFC 7644 §3.5.2).
///
/// A group is answered by 204 unless its attributes are asked for: Entra ID wants no members back.
pub async fn patch(
    scim: ScimRequest,
    kind: ResourceType,
    id: Path<(String, String)>,
    payload: Payload,
) -> Result<HttpResponse, ScimFault> {
    let body = scim.object(payload, longest(kind)).await?;
    change(scim, kind, Verb::Patch(id.into_inner().1, body)).await
}

/// `DELETE`.
pub async fn delete(
    scim: ScimRequest,
    kind: ResourceType,
    id: Path<(String, String)>,
) -> Result<HttpResponse, ScimFault> {
    let verb = Verb::Delete(id.into_inner().1);
    scim.directory().write(Write { kind, verb }, scim.expected()).await?;
    Ok(HttpResponse::NoContent().finish())
}

async fn change(
    scim: ScimRequest,
    kind: ResourceType,
    verb: Verb,
) -> Result<HttpResponse, ScimFault> {
    let projection = parse_projection(scim.query(), scim.profile())?;
    let is_silent =
        kind == ResourceType::Group && matches!(verb, Verb::Patch(..)) && projection.is_default();
    let changed = scim.directory().write(Write { kind, verb }, scim.expected()).await?;
    let changed = changed.expect("what is changed is there");
    if is_silent {
        return Ok(answer::silent(&scim, &changed));
    }
    answer::resource(&scim, HttpResponse::Ok(), changed, &projection).await
}

const fn longest(kind: ResourceType) -> usize {
    match kind {
        ResourceType::User => LONGEST_BODY,
        ResourceType::Group => LONGEST_GROUP,
    }
}
