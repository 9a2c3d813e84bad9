//! One line in the log for every request.

use std::time::Instant;

use actix_web::{
    Error,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::header::{HeaderName, HeaderValue},
    middleware::Next,
};
use tracing::Instrument as _;

use crate::domain::id::Reference;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Logs method, route, status and time of a request under a number that its answer carries.
///
/// The route is a pattern such as `/setup/{token}`, or `none`: an address may hold a token, and
/// its query a code, a state or somebody's address.
pub async fn request_log(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let began = Instant::now();
    let id = Reference::generate();
    let method = request.method().clone();
    let route = request.match_pattern().unwrap_or_else(|| "none".to_owned());
    let span = tracing::info_span!("request", id = %id);
    let result = next.call(request).instrument(span.clone()).await;
    let status = match &result {
        Ok(response) => response.status(),
        Err(error) => error.as_response_error().status_code(),
    };
    let milliseconds = began.elapsed().as_secs_f64() * 1_000.0;
    span.in_scope(|| {
        tracing::info!(%method, route, status = status.as_u16(), milliseconds, "answered");
    });
    result.map(|mut response| {
        let id = HeaderValue::from_str(id.as_str()).expect("a reference number is ASCII");
        response.headers_mut().insert(REQUEST_ID, id);
        response
    })
}
