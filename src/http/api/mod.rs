//! `/api/v1/…`: what the admin pages do, for programs. JSON both ways.

mod credentials;
mod custom_attributes;
mod health;
mod policy;
mod records;

use actix_web::{
    HttpResponse, HttpResponseBuilder, Resource,
    dev::HttpServiceFactory,
    http::header::CACHE_CONTROL,
    web::{self, Payload},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use crate::http::{self, error::ApiError, extract::api_caller::ApiCaller};

/// A body is at most this long.
const LONGEST_BODY: usize = 64 * 1024;

/// The addresses below `/api/v1`.
pub fn routes() -> impl HttpServiceFactory {
    web::scope("/api/v1/connectors/{connector}/provisioning")
        .service(resource("").route(web::get().to(health::show)))
        .service(
            resource("/policy")
                .route(web::get().to(policy::show))
                .route(web::put().to(policy::replace)),
        )
        .service(resource("/records").route(web::get().to(records::list)))
        .service(resource("/records/{record}").route(web::get().to(records::show)))
        .service(resource("/records/{record}/replay").route(web::post().to(records::replay)))
        .service(
            resource("/attributes")
                .route(web::get().to(custom_attributes::list))
                .route(web::post().to(custom_attributes::declare)),
        )
        .service(
            resource("/credentials")
                .route(web::get().to(credentials::list))
                .route(web::post().to(credentials::add)),
        )
        .service(resource("/credentials/rotate").route(web::post().to(credentials::rotate)))
        .service(resource("/credentials/{credential}").route(web::delete().to(credentials::revoke)))
        .default_service(web::to(not_found))
}

fn resource(path: &str) -> Resource {
    web::resource(path).default_service(web::to(not_found))
}

async fn not_found(_: ApiCaller) -> Result<HttpResponse, ApiError> {
    Err(ApiError::NotFound("There is nothing at this address for this method."))
}

/// A JSON answer that nobody keeps.
fn json(mut response: HttpResponseBuilder, body: &impl Serialize) -> HttpResponse {
    response.insert_header((CACHE_CONTROL, "no-store")).json(body)
}

/// The body, as what it must be.
async fn body<T: DeserializeOwned>(payload: Payload) -> Result<T, ApiError> {
    let body = http::body::read(payload, LONGEST_BODY).await?;
    // A list would do for an object whose members all have defaults.
    let object = serde_json::from_slice::<Map<String, Value>>(&body);
    let read = object.and_then(|object| serde_json::from_value(object.into()));
    read.map_err(|error| ApiError::Refused(format!("The body: {error}.")))
}
