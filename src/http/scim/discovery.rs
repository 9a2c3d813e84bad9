//! What this service provider can do (RFC 7644 §4).

use actix_web::{HttpResponse, web::Path};
use serde::Serialize;

use super::{answer, request::ScimRequest};
use crate::{
    http::error::ScimFault,
    scim::{custom::CustomAttributes, discovery, validation::Requirements},
};

/// `GET /ServiceProviderConfig`.
pub async fn configuration(scim: ScimRequest) -> HttpResponse {
    described(&scim, &discovery::service_provider_config(&scim.base_url()))
}

/// `GET /ResourceTypes`.
pub async fn resource_types(scim: ScimRequest) -> Result<HttpResponse, ScimFault> {
    refuse_filter(&scim)?;
    let (custom, requires) = known(&scim).await?;
    Ok(described(&scim, &discovery::resource_types(&scim.base_url(), &custom, &requires)))
}

/// `GET /ResourceTypes/{name}`.
pub async fn resource_type(
    scim: ScimRequest,
    name: Path<(String, String)>,
) -> Result<HttpResponse, ScimFault> {
    let (custom, requires) = known(&scim).await?;
    let found = discovery::resource_type(&scim.base_url(), &name.1, &custom, &requires);
    let not_found = || ScimFault::NotFound("There is no resource type of that name.".to_owned());
    Ok(described(&scim, &found.ok_or_else(not_found)?))
}

/// `GET /Schemas`.
pub async fn schemas(scim: ScimRequest) -> Result<HttpResponse, ScimFault> {
    refuse_filter(&scim)?;
    let (custom, requires) = known(&scim).await?;
    Ok(described(&scim, &discovery::schemas(&scim.base_url(), &custom, &requires)))
}

/// `GET /Schemas/{urn}`.
pub async fn schema(
    scim: ScimRequest,
    urn: Path<(String, String)>,
) -> Result<HttpResponse, ScimFault> {
    let (custom, requires) = known(&scim).await?;
    let found = discovery::schema(&scim.base_url(), &urn.1, &custom, &requires);
    let not_found = || ScimFault::NotFound("There is no schema of that URN.".to_owned());
    Ok(described(&scim, &found.ok_or_else(not_found)?))
}

/// What is discovered is answered whole (RFC 7644 §4): a filter would promise otherwise.
fn refuse_filter(scim: &ScimRequest) -> Result<(), ScimFault> {
    let mut parameters = url::form_urlencoded::parse(scim.query().as_bytes());
    if parameters.any(|(name, _)| name.eq_ignore_ascii_case("filter")) {
        return Err(ScimFault::Forbidden("What is discovered can't be filtered."));
    }
    Ok(())
}

/// What is known and wanted of this connector's resources beyond the schemas of the RFCs.
async fn known(scim: &ScimRequest) -> Result<(CustomAttributes, Requirements), ScimFault> {
    let connector = scim.connector();
    let store = &scim.state().ports.store;
    let custom = store.list_custom_attributes(connector.organization_id, connector.id).await?;
    let requires = Requirements { department: connector.provisioning.requires.department };
    Ok((custom.into_iter().collect(), requires))
}

fn described(scim: &ScimRequest, body: &impl Serialize) -> HttpResponse {
    scim.directory().answered(200, "Described what can be provisioned", None);
    answer::json(HttpResponse::Ok(), body)
}
