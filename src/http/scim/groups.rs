//! `/Groups`: a connector that provisions only people has none.

use actix_web::{HttpRequest, HttpResponse};

use crate::{
    http::{
        error::ScimFault,
        extract::scim_caller::ScimCaller,
        scim::{json, profile},
    },
    scim::list_response::{ListQuery, ListResponse},
};

/// `GET /Groups`: an empty list, which Entra ID's *Test Connection* asks for and must get.
pub async fn list(caller: ScimCaller, request: HttpRequest) -> Result<HttpResponse, ScimFault> {
    let query = ListQuery::parse(request.query_string(), profile(&caller.connector))?;
    Ok(json(HttpResponse::Ok(), &ListResponse::new(0, query.start_index, Vec::new())))
}
