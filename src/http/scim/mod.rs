//! `/scim/v2/{connector}/…`: SCIM 2.0 (RFC 7644) for the directories of identity providers.

mod answer;
mod bulk;
mod discovery;
mod journal;
mod list;
mod request;
mod resources;
pub mod walks;

use actix_web::{
    HttpRequest, HttpResponse, Resource, Route,
    dev::HttpServiceFactory,
    middleware::from_fn,
    web::{self, Path, Payload},
};

use self::{journal::journal, request::ScimRequest};
use crate::{http::error::ScimFault, scim::schema::ResourceType};

/// A body is at most this long; a resource has much less.
const LONGEST_BODY: usize = 1024 * 1024;

/// A group's body is at most this long: a directory may send all its members at once.
const LONGEST_GROUP: usize = 4 * 1024 * 1024;

/// The addresses below `/scim/v2/{connector}`.
pub fn routes() -> impl HttpServiceFactory {
    let [users, groups] = ResourceType::ALL.map(collection);
    let [user, group] = ResourceType::ALL.map(one);
    let [user_search, group_search] =
        ResourceType::ALL.map(|kind| search(&format!("{}/.search", kind.endpoint()), Some(kind)));
    web::scope("/scim/v2/{connector}")
        .wrap(from_fn(journal))
        .service(
            web::resource(["", "/"])
                .route(web::get().to(|scim| list::get(scim, None)))
                .default_service(web::to(method_not_allowed)),
        )
        .service(search("/.search", None))
        .service(user_search)
        .service(group_search)
        .service(users)
        .service(groups)
        .service(user)
        .service(group)
        .service(
            web::resource("/Bulk")
                .route(web::post().to(bulk::carry_out))
                .default_service(web::to(method_not_allowed)),
        )
        .service(web::resource("/Me").default_service(web::to(nobody_in_particular)))
        .service(discovery_resource(
            "/ServiceProviderConfig",
            web::get().to(discovery::configuration),
        ))
        .service(discovery_resource("/ResourceTypes", web::get().to(discovery::resource_types)))
        .service(discovery_resource(
            "/ResourceTypes/{name}",
            web::get().to(discovery::resource_type),
        ))
        .service(discovery_resource("/Schemas", web::get().to(discovery::schemas)))
        .service(discovery_resource("/Schemas/{urn}", web::get().to(discovery::schema)))
        .default_service(web::to(not_found))
}

/// All resources of a kind.
fn collection(kind: ResourceType) -> Resource {
    let path = kind.endpoint();
    web::resource([path.to_owned(), format!("{path}/")])
        .route(web::get().to(move |scim| list::get(scim, Some(kind))))
        .route(
            web::post().to(move |scim: ScimRequest, payload: Payload| {
                resources::create(scim, kind, payload)
            }),
        )
        .default_service(web::to(method_not_allowed))
}

/// One resource of a kind.
fn one(kind: ResourceType) -> Resource {
    type Id = Path<(String, String)>;
    web::resource(format!("{}/{{id}}", kind.endpoint()))
        .route(web::get().to(move |scim: ScimRequest, id: Id| resources::show(scim, kind, id)))
        .route(web::put().to(move |scim: ScimRequest, id: Id, payload: Payload| {
            resources::replace(scim, kind, id, payload)
        }))
        .route(web::patch().to(move |scim: ScimRequest, id: Id, payload: Payload| {
            resources::patch(scim, kind, id, payload)
        }))
        .route(web::delete().to(move |scim: ScimRequest, id: Id| resources::delete(scim, kind, id)))
        .default_service(web::to(method_not_allowed))
}

fn search(path: &str, kind: Option<ResourceType>) -> Resource {
    web::resource(path)
        .route(
            web::post()
                .to(move |scim: ScimRequest, payload: Payload| list::search(scim, kind, payload)),
        )
        .default_service(web::to(method_not_allowed))
}

fn discovery_resource(path: &str, get: Route) -> Resource {
    web::resource(path).route(get).default_service(web::to(method_not_allowed))
}

async fn not_found(_: ScimRequest, request: HttpRequest) -> Result<HttpResponse, ScimFault> {
    let tail = request.path().splitn(5, '/').last().unwrap_or_default().to_owned();
    Err(ScimFault::NotFound(format!("There is no resource at /{tail}.")))
}

async fn method_not_allowed(_: ScimRequest) -> Result<HttpResponse, ScimFault> {
    Err(ScimFault::MethodNotAllowed)
}

/// `/Me` (RFC 7644 §3.11): a directory is nobody of its own people.
async fn nobody_in_particular(_: ScimRequest) -> Result<HttpResponse, ScimFault> {
    Err(ScimFault::NotImplemented(
        "These credentials are a directory's and stand for no user. Ask for /Users/{id}.",
    ))
}
