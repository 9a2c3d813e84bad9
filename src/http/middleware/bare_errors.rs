//! Gives errors that actix-web itself answers a page.

use actix_web::{
    Error,
    body::{BodySize, BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::header::ALLOW,
    middleware::Next,
    web::Data,
};

use crate::http::{State, pages::error::ErrorPage};

/// Puts the error page in place of an error without a body: no such address, no such method, a
/// query that can't be read.
pub async fn bare_errors(
    state: Data<State>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let response = next.call(request).await?.map_into_boxed_body();
    let status = response.status();
    let is_error = status.is_client_error() || status.is_server_error();
    if !is_error
        || !matches!(response.response().body().size(), BodySize::None | BodySize::Sized(0))
    {
        return Ok(response);
    }
    let allow = response.headers().get(ALLOW).cloned();
    let page = ErrorPage { frame: &state.frame, status, detail: None, reference: None };
    let mut page = response.into_response(page.respond());
    if let Some(allow) = allow {
        page.headers_mut().insert(ALLOW, allow);
    }
    Ok(page)
}
