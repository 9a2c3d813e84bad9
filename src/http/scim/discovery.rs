//! What this service provider can do (RFC 7644 §4).

use actix_web::{
    HttpResponse,
    web::{Data, Path},
};

use crate::{
    http::{State, error::ScimFault, extract::scim_caller::ScimCaller, scim::json},
    scim::{custom::CustomAttributes, discovery, validation::Requirements},
};

/// `GET /ServiceProviderConfig`.
pub async fn configuration(state: Data<State>, caller: ScimCaller) -> HttpResponse {
    json(HttpResponse::Ok(), &discovery::service_provider_config(&caller.base_url(&state)))
}

/// `GET /ResourceTypes`.
pub async fn resource_types(state: Data<State>, caller: ScimCaller) -> HttpResponse {
    json(
        HttpResponse::Ok(),
        &discovery::resource_types(
            &caller.base_url(&state),
            &CustomAttributes::default(),
            &Requirements::default(),
        ),
    )
}

/// `GET /ResourceTypes/{name}`.
pub async fn resource_type(
    state: Data<State>,
    caller: ScimCaller,
    name: Path<(String, String)>,
) -> Result<HttpResponse, ScimFault> {
    let found = discovery::resource_type(
        &caller.base_url(&state),
        &name.1,
        &CustomAttributes::default(),
        &Requirements::default(),
    );
    let not_found = || ScimFault::NotFound("There is no resource type of that name.".to_owned());
    Ok(json(HttpResponse::Ok(), &found.ok_or_else(not_found)?))
}

/// `GET /Schemas`.
pub async fn schemas(state: Data<State>, caller: ScimCaller) -> HttpResponse {
    json(
        HttpResponse::Ok(),
        &discovery::schemas(
            &caller.base_url(&state),
            &CustomAttributes::default(),
            &Requirements::default(),
        ),
    )
}

/// `GET /Schemas/{urn}`.
pub async fn schema(
    state: Data<State>,
    caller: ScimCaller,
    urn: Path<(String, String)>,
) -> Result<HttpResponse, ScimFault> {
    let found = discovery::schema(
        &caller.base_url(&state),
        &urn.1,
        &CustomAttributes::default(),
        &Requirements::default(),
    );
    let not_found = || ScimFault::NotFound("There is no schema of that URN.".to_owned());
    Ok(json(HttpResponse::Ok(), &found.ok_or_else(not_found)?))
}
