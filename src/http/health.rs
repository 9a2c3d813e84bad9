//! Whether the service runs, and whether it can serve.

use actix_web::{
    HttpResponse,
    http::header::{CACHE_CONTROL, HeaderValue},
    web::Data,
};
use serde_json::json;

use crate::http::State;

/// `GET /health/live`: the process answers.
pub async fn live() -> HttpResponse {
    answer(HttpResponse::Ok(), "live")
}

/// `GET /health/ready`: it is not shutting down, and the database takes writes.
pub async fn ready(state: Data<State>) -> HttpResponse {
    if state.readiness.is_stopping() {
        return answer(HttpResponse::ServiceUnavailable(), "stopping");
    }
    match state.ports.store.ping().await {
        Ok(()) => answer(HttpResponse::Ok(), "ready"),
        Err(unavailable) => {
            tracing::error!(%unavailable, "not ready");
            answer(HttpResponse::ServiceUnavailable(), "the database is not available")
        }
    }
}

fn answer(mut response: actix_web::HttpResponseBuilder, status: &str) -> HttpResponse {
    response
        .insert_header((CACHE_CONTROL, HeaderValue::from_static("no-store")))
        .json(json!({ "status": status }))
}
