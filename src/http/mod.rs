//! URLs, headers, status codes and pages.
//!
//! # Why the routes are in two groups
//!
//! `GET /auth/check` stands before every request to the platform, so it carries nothing but itself.
//! Everything else goes through the log and the security headers; of that, the pages that begin or
//! end a session also through actix-session.

use std::sync::Arc;

use actix_web::{
    App,
    body::MessageBody,
    dev::{ServiceFactory, ServiceRequest, ServiceResponse},
    middleware::from_fn,
    web::{self, Data},
};

use crate::{
    config::Proxies,
    domain::secret::SecretDigest,
    http::scim::walks::Walks,
    http::{
        cookies::Cookies,
        health::Readiness,
        middleware::{
            bare_errors::bare_errors,
            request_log::request_log,
            security_headers::{SecurityHeaders, security_headers},
        },
        pages::{Frame, Link, login::DemoOrganization},
    },
    ports::Ports,
    scim::cursor::CursorKey,
    service::directory_access::DirectoryMemory,
};

pub mod api;
pub mod assets;
pub mod body;
pub mod cookies;
pub mod error;
pub mod extract;
pub mod forward_auth;
pub mod health;
pub mod login;
pub mod logout;
pub mod middleware;
pub mod oauth;
pub mod pages;
pub mod portal;
pub mod scim;
pub mod session;
pub mod session_store;
pub mod setup;

/// What every handler may need.
#[derive(Clone)]
pub struct State {
    /// The outside world.
    pub ports: Ports,
    /// What is kept from one request of a directory to the next.
    pub directories: Arc<DirectoryMemory>,
    /// Names and keys of the cookies.
    pub cookies: Cookies,
    /// What stands around every page.
    pub frame: Frame,
    /// Which peers' `X-Forwarded-For` is believed.
    pub proxies: Proxies,
    /// Whether new work is welcome.
    pub readiness: Readiness,
    /// Where the portal page leads.
    pub portal_links: Vec<Link>,
    /// Whom a visitor of the demo may play.
    pub demo_organizations: Vec<DemoOrganization>,
    /// The headers of every page.
    pub security_headers: SecurityHeaders,
    /// What the cursors of SCIM lists are sealed under.
    pub cursor_key: Arc<CursorKey>,
    /// The digest of the operator token, if there is one.
    pub operator_token: Option<SecretDigest>,
    /// Who is on the way through a SCIM list.
    pub walks: Arc<Walks>,
}

/// The whole service: every address it answers.
pub fn app(
    state: &Data<State>,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody + use<>>,
        Error = actix_web::Error,
        InitError = (),
    > + use<>,
> {
    let sessions = || state.cookies.session_middleware(&state.ports);
    let pages = web::scope("")
        .wrap(from_fn(bare_errors))
        .wrap(from_fn(security_headers))
        .wrap(from_fn(request_log))
        .service(web::resource("/").route(web::get().to(portal::show)))
        .service(web::resource("/login").route(web::get().to(login::ask_for_address)))
        .service(
            web::resource("/login/{organization}").route(web::get().to(login::go_to_authority)),
        )
        .service(
            web::resource("/oidc/{connector}/callback")
                .wrap(sessions())
                .route(web::get().to(login::answer_in_query))
                .route(web::post().to(login::answer_in_form)),
        )
        .service(
            web::resource("/oidc/{connector}/frontchannel-logout")
                .route(web::get().to(logout::ended_there)),
        )
        .service(
            web::resource("/logout")
                .wrap(sessions())
                .route(web::get().to(logout::sign_out))
                .route(web::post().to(logout::sign_out)),
        )
        .service(web::resource("/logout/done").route(web::get().to(logout::done)))
        .service(
            web::resource("/setup/{token}")
                .route(web::get().to(setup::show))
                .route(web::post().to(setup::complete)),
        )
        .service(web::resource("/session").route(web::get().to(session::show)))
        .service(web::resource("/session/token").route(web::post().to(session::issue_token)))
        .service(web::resource("/oauth/token").route(web::post().to(oauth::token)))
        .service(web::resource("/.well-known/jwks.json").route(web::get().to(session::jwks)))
        .service(web::resource("/health/live").route(web::get().to(health::live)))
        .service(web::resource("/health/ready").route(web::get().to(health::ready)))
        .configure(assets::routes)
        .service(api::routes())
        .service(scim::routes());
    App::new()
        .app_data(state.clone())
        .app_data(Data::new(state.security_headers.clone()))
        .service(web::resource("/auth/check").route(web::get().to(forward_auth::check)))
        .service(
            web::resource("/auth/check/{path:.*}")
                .route(web::route().to(forward_auth::check_prefixed)),
        )
        .service(pages)
}
