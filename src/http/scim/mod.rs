//! `/scim/v2/{connector}/…`: SCIM 2.0 (RFC 7644) for the directories of identity providers.

use actix_web::{
    HttpRequest, HttpResponse, Resource, Route,
    dev::HttpServiceFactory,
    http::header::{ContentType, ETAG, HeaderMap, HeaderName, IF_MATCH, IF_NONE_MATCH, LOCATION},
    web::{self, Payload},
};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    domain::{account::Account, connector::Connector},
    http::{self, State, error::ScimFault, extract::scim_caller::ScimCaller},
    scim::{
        body,
        dialect::{self, Profile},
        projection::Projection,
        query::{ListQuery, Start},
        resource_meta::{self, ResourceMeta},
        user::User,
    },
    service::{connectors, provisioning::Directory},
};

mod discovery;
mod groups;
mod users;

/// A body is at most this long; a resource has half of it.
const LONGEST_BODY: usize = 128 * 1024;

/// The addresses below `/scim/v2/{connector}`.
pub fn routes() -> impl HttpServiceFactory {
    web::scope("/scim/v2/{connector}")
        .service(
            web::resource(["/Users", "/Users/"])
                .route(web::get().to(users::list))
                .route(web::post().to(users::create))
                .default_service(web::to(method_not_allowed)),
        )
        .service(
            web::resource("/Users/{id}")
                .route(web::get().to(users::show))
                .route(web::put().to(users::replace))
                .route(web::patch().to(users::patch))
                .route(web::delete().to(users::delete))
                .default_service(web::to(method_not_allowed)),
        )
        .service(
            web::resource(["/Groups", "/Groups/"])
                .route(web::get().to(groups::list))
                .default_service(web::to(method_not_allowed)),
        )
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

fn discovery_resource(path: &str, get: Route) -> Resource {
    web::resource(path).route(get).default_service(web::to(method_not_allowed))
}

async fn not_found(_: ScimCaller, request: HttpRequest) -> Result<HttpResponse, ScimFault> {
    let tail = request.path().splitn(5, '/').last().unwrap_or_default().to_owned();
    Err(ScimFault::NotFound(format!("There is no resource at /{tail}.")))
}

async fn method_not_allowed(_: ScimCaller) -> Result<HttpResponse, ScimFault> {
    Err(ScimFault::MethodNotAllowed)
}

/// How this connector's directory speaks.
const fn profile(_: &Connector) -> &'static Profile {
    &dialect::ENTRA
}

impl ScimCaller {
    /// The directory at work.
    fn directory<'a>(&'a self, state: &'a State) -> Directory<'a> {
        Directory {
            ports: &state.ports,
            organization: &self.organization,
            connector: &self.connector,
        }
    }

    /// The address that everything of this connector lies under.
    fn base_url(&self, state: &State) -> String {
        connectors::scim_url(&state.ports, self.connector.id)
    }
}

/// The body as a JSON object.
async fn object(payload: Payload) -> Result<Map<String, Value>, ScimFault> {
    let body = http::body::read(payload, LONGEST_BODY).await?;
    Ok(body::parse(&body)?)
}

/// A header's text, if it is there and is text.
fn header<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

/// Whether the version that a write expects may be `version`.
fn may_write(request: &HttpRequest, version: u64) -> bool {
    header(request.headers(), &IF_MATCH)
        .is_none_or(|wanted| resource_meta::etag_matches(wanted, version))
}

/// Where a page begins, counted from 1; no cursor is given out, so none leads anywhere.
const fn start_index(query: &ListQuery) -> u64 {
    match query.start {
        Start::Index(index) => index,
        Start::Cursor(_) => 1,
    }
}

/// A JSON answer in the protocol's own media type.
fn json(mut response: actix_web::HttpResponseBuilder, body: &impl Serialize) -> HttpResponse {
    let body = serde_json::to_string(body).expect("plain values serialize");
    response
        .insert_header(ContentType("application/scim+json".parse().expect("a media type")))
        .body(body)
}

/// An account as a resource.
fn resource(base_url: &str, account: Account, projection: &Projection) -> Map<String, Value> {
    let meta = meta(base_url, &account);
    projection.apply(User::from_stored(account.attributes).to_resource(&meta, Vec::new()))
}

fn meta(base_url: &str, account: &Account) -> ResourceMeta {
    ResourceMeta {
        id: account.id.to_string(),
        created: account.created_at,
        last_modified: account.last_modified_at,
        version: account.version,
        location: format!("{base_url}/Users/{}", account.id),
    }
}

/// An answer that is one account, with its `ETag` and `Location`.
fn user_answer(
    mut response: actix_web::HttpResponseBuilder,
    base_url: &str,
    account: Account,
    projection: &Projection,
) -> HttpResponse {
    let meta = meta(base_url, &account);
    response
        .insert_header((ETAG, resource_meta::etag(meta.version)))
        .insert_header((LOCATION, meta.location));
    json(response, &resource(base_url, account, projection))
}

/// Whether the client holds this version already.
fn is_unchanged(request: &HttpRequest, version: u64) -> bool {
    header(request.headers(), &IF_NONE_MATCH)
        .is_some_and(|held| resource_meta::etag_matches(held, version))
}
