//! `/Groups`: a connector that provisions only people has none.

use actix_web::{HttpRequest, HttpResponse};

use crate::{
    http::{
        error::ScimFault,
        extract::scim_caller::ScimCaller,
        scim::{json, profile, start_index},
    },
    scim::{list_response::ListResponse, query::ListQuery, schema::ResourceType},
};

/// `GET /Groups`: an empty list, which Entra ID's *Test Connection* asks for and must get.
pub async fn list(caller: ScimCaller, request: HttpRequest) -> Result<HttpResponse, ScimFault> {
    let kind = Some(ResourceType::Group);
    let query = ListQuery::parse(request.query_string(), kind, profile(&caller.connector))?;
    Ok(json(HttpResponse::Ok(), &ListResponse::new(0, start_index(&query), Vec::new())))
}
