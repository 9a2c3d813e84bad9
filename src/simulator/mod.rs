//! A simulated Microsoft Entra: tenants that sign people in and provision them, on one port.
//!
//! It answers as `login.microsoftonline.com` does, down to what that leaves out, and can lie on
//! demand ([`Fault`]). It shares no protocol code with the relying party that it tests.
//!
//! | address | module |
//! |---|---|
//! | `/{tenant}/v2.0/.well-known/openid-configuration` | `discovery` |
//! | `/{tenant}/discovery/v2.0/keys` | `discovery` |
//! | `/{tenant}/oauth2/v2.0/authorize`, `…/login` | `authorize` |
//! | `/{tenant}/oauth2/v2.0/token` | `token` |
//! | `/{tenant}/oauth2/v2.0/logout` | `logout` |
//! | `/control/fault` | `control` |
//! | `/control/provisioning`, `…/{job}`, `…/{job}/{button}` | `provisioning` |
//!
//! The same without `v2.0` is the first version of Entra's endpoints.

mod aadsts;
mod application_token;
mod authorization_request;
mod authorize;
mod certificate;
mod client_assertion;
mod client_authentication;
mod client_certificate;
mod control;
mod directory;
mod discovery;
mod entra;
mod fault;
mod faults;
mod id_token;
mod jwe;
mod jws;
mod keys;
mod logout;
mod metadata;
mod pages;
mod parameters;
mod pkce;
mod provisioning;
mod redirect_uri;
mod seed;
mod tenant;
mod token;

use std::{
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    sync::Arc,
};

use actix_web::{
    App, HttpResponse, HttpServer,
    dev::{Server, ServerHandle},
    http::header,
    web::{self, Data, ServiceConfig},
};
use serde_json::json;
use uuid::Uuid;

pub use self::{
    client_certificate::{ClientCertificate, NotACertificate},
    directory::{Application, Group, Person, UserType},
    fault::{Ending, Fault, Station, UnknownFault},
    faults::Faults,
    provisioning::{
        Action, CustomAttribute, CycleKind, ExternalId, JobSettings, JobState, Mapping, Matching,
        MemberRequests, OnDemandError, ProvisioningEntry, ProvisioningJob, ProvisioningLog,
        Quarantine, QuarantineLimits, QuarantineReason, ResourceKind, RoleMapping, RunningJob,
        ScimCredential, ScimTarget, Scope, TestConnectionError,
    },
    redirect_uri::{Platform, RedirectUri, RedirectUriError},
    seed::{ApplicationSeed, GroupSeed, PersonSeed, TenantSeed},
    tenant::{Directory, DirectoryEntry, GroupEntry, SimulatedTenant},
};
use self::{entra::Entra, metadata::Version};
use crate::domain::clock::Clock;

/// With what a simulator starts.
#[derive(Debug)]
pub struct SimulatorOptions {
    /// Where it listens; port 0 takes a free one.
    pub bind: SocketAddr,
    /// Lets it listen beyond the own machine, where everybody could then sign in as anybody.
    pub allow_non_loopback: bool,
    /// The tenants.
    pub tenants: Vec<TenantSeed>,
    /// What dates the tokens.
    pub clock: Clock,
}

/// Why a simulator does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address is not a loopback one, and that was not allowed.
    #[error("{0} is not a loopback address, and a simulated tenant lets everybody in")]
    NotLoopback(SocketAddr),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
}

/// A running simulator; it ends with [`Self::stop`] or with its process.
pub struct SimulatedEntra {
    address: SocketAddr,
    entra: Arc<Entra>,
    server: ServerHandle,
}

impl SimulatedEntra {
    /// Starts a simulator on the Tokio runtime that calls.
    ///
    /// # Errors
    /// [`StartError::NotLoopback`] for an address that others reach, unless allowed;
    /// [`StartError::Listen`] if the port is taken.
    ///
    /// # Panics
    /// Outside of a Tokio runtime.
    pub fn start(options: SimulatorOptions) -> Result<Self, StartError> {
        let SimulatorOptions { bind, allow_non_loopback, tenants, clock } = options;
        if !bind.ip().is_loopback() && !allow_non_loopback {
            return Err(StartError::NotLoopback(bind));
        }
        keys::make_ready();
        let failed = |source| StartError::Listen { address: bind, source };
        let listener = TcpListener::bind(bind).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let tenants = tenants.into_iter().map(TenantSeed::grow).collect();
        let entra = Arc::new(Entra::new(origin(address), clock, tenants));
        let server = serve(listener, Arc::clone(&entra)).map_err(failed)?;
        let handle = server.handle();
        tokio::spawn(server);
        Ok(Self { address, entra, server: handle })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://127.0.0.1:PORT`.
    pub fn origin(&self) -> &str {
        &self.entra.origin
    }

    /// The v2.0 issuer of a tenant: `http://127.0.0.1:PORT/{tenant id}/v2.0`.
    pub fn authority(&self, tenant: Uuid) -> String {
        Version::V2.issuer(&self.entra.origin, &tenant.to_string())
    }

    /// The tenant of that id or domain.
    pub fn tenant(&self, name: &str) -> Option<SimulatedTenant> {
        let id = self.entra.world().tenant_named(name).ok()?.id;
        Some(SimulatedTenant { entra: Arc::clone(&self.entra), id })
    }

    /// All tenants, in the order in which they were given.
    pub fn tenants(&self) -> Vec<SimulatedTenant> {
        let ids: Vec<Uuid> = self.entra.world().tenants.iter().map(|tenant| tenant.id).collect();
        let handle = |id| SimulatedTenant { entra: Arc::clone(&self.entra), id };
        ids.into_iter().map(handle).collect()
    }

    /// Adds a tenant while the simulator runs.
    pub fn add_tenant(&self, seed: TenantSeed) -> SimulatedTenant {
        let tenant = seed.grow();
        let id = tenant.id;
        self.entra.world().tenants.push(tenant);
        SimulatedTenant { entra: Arc::clone(&self.entra), id }
    }

    /// The switch for the faults.
    pub fn faults(&self) -> Faults {
        self.entra.faults.clone()
    }

    /// How many requests a station has received: what a relying party did not do, a test sees here.
    pub fn received(&self, station: Station) -> usize {
        self.entra.received(station)
    }

    /// Signs with a new key from now on, and still publishes the last one.
    pub fn rotate_keys(&self) {
        self.entra.keys.rotate();
    }

    /// Stops listening, and waits for the answers under way.
    pub async fn stop(self) {
        self.server.stop(true).await;
    }
}

/// The address that browsers on this machine use.
fn origin(address: SocketAddr) -> String {
    let unspecified = address.ip().is_unspecified();
    let ip = if unspecified { Ipv4Addr::LOCALHOST.into() } else { address.ip() };
    format!("http://{}", SocketAddr::new(ip, address.port()))
}

fn serve(listener: TcpListener, entra: Arc<Entra>) -> io::Result<Server> {
    let entra = Data::from(entra);
    let server = HttpServer::new(move || App::new().app_data(entra.clone()).configure(routes))
        .workers(1)
        .shutdown_timeout(2)
        .disable_signals()
        .listen(listener)?
        .run();
    Ok(server)
}

fn routes(app: &mut ServiceConfig) {
    app.route("/simulator/style.css", web::get().to(pages::style))
        .route("/simulator/submit.js", web::get().to(pages::submit))
        .route("/control/fault", web::get().to(control::show_fault))
        .route("/control/fault", web::post().to(control::set_fault))
        .route("/control/provisioning", web::get().to(provisioning::control::list))
        .route("/control/provisioning", web::post().to(provisioning::control::create))
        .route("/control/provisioning/{job}", web::get().to(provisioning::control::show))
        .route("/control/provisioning/{job}/{button}", web::post().to(provisioning::control::press))
        .route("/error", web::get().to(error_page))
        .route("/oidc/userinfo", web::route().to(userinfo));
    for version in ["", "/v2.0"] {
        let at = |path: &str| path.replace("/*", version);
        app.route(
            &at("/{tenant}/*/.well-known/openid-configuration"),
            web::get().to(discovery::document),
        )
        .route(&at("/{tenant}/discovery/*/keys"), web::get().to(discovery::keys))
        .route(&at("/{tenant}/oauth2/*/authorize"), web::get().to(authorize::authorize))
        .route(&at("/{tenant}/oauth2/*/authorize"), web::post().to(authorize::authorize))
        .route(&at("/{tenant}/oauth2/*/login"), web::post().to(authorize::login))
        .route(&at("/{tenant}/oauth2/*/token"), web::route().to(token::token))
        .route(&at("/{tenant}/oauth2/*/logout"), web::get().to(logout::logout))
        .route(&at("/{tenant}/oauth2/*/logout"), web::post().to(logout::logout));
    }
}

/// `GET /error?code=`: the page that `error_uri` names.
async fn error_page(query: web::Query<ErrorQuery>) -> HttpResponse {
    pages::error_number(query.code)
}

/// `/oidc/userinfo`: what Microsoft Graph says to a token that is not for it; none here is.
async fn userinfo(entra: Data<Entra>) -> HttpResponse {
    entra.receive(Station::Userinfo).await;
    HttpResponse::Unauthorized()
        .insert_header((header::WWW_AUTHENTICATE, "Bearer"))
        .json(json!({ "error": { "code": "InvalidAuthenticationToken" } }))
}

/// The query of [`error_page`].
#[derive(serde::Deserialize)]
struct ErrorQuery {
    code: u32,
}

#[cfg(test)]
mod tests;
