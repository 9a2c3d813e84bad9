//! Configuration in, running service out: the one place that chooses adapters.

mod database;
mod kept;
mod running;

use std::{io, net::TcpListener, sync::Arc};

use actix_web::{HttpServer, web::Data};
use url::Url;

pub use self::running::Running;
use self::{
    database::Database,
    kept::{Kept, SessionAdapter, reach},
};
use crate::{
    config::{Config, MasterKeyError},
    domain::{
        clock::Clock, connector::ConnectorKind, master_key::MasterKey, secret::Secret,
        session::SessionLimits,
    },
    http::{
        self, State,
        cookies::Cookies,
        health::Readiness,
        middleware::security_headers::{FormTargets, SecurityHeaders},
        pages::{Frame, Link, login::DemoOrganization},
    },
    oauth::access_token::{NotAKey, Signer},
    oidc::authority::{Authority, AuthorityError, TrustedHosts},
    outbound::authority_client::AuthorityClient,
    ports::{
        LogLimits, Ports, Settings, Unavailable,
        store::{SigningKey, Store},
    },
    scim::cursor::CursorKey,
    service::{access, directory_access::DirectoryMemory},
    storage::{postgres, sqlite::OpenError},
};

/// Why the service does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The master key can't be had.
    #[error(transparent)]
    MasterKey(#[from] MasterKeyError),
    /// The database's file can't be opened.
    #[error(transparent)]
    Database(#[from] OpenError),
    /// The database's server can't be used.
    #[error(transparent)]
    DatabaseServer(#[from] postgres::OpenError),
    /// The database was opened but does not answer.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// The address of Redis can't be used.
    #[error("redis.url can't be used: {0}")]
    RedisUrl(redis::RedisError),
    /// The stored signing key is damaged.
    #[error(transparent)]
    SigningKey(#[from] NotAKey),
    /// The address to listen on is taken or not this machine's.
    #[error("can't listen on {address}: {cause}")]
    Listen {
        /// The address.
        address: String,
        /// What the system says.
        cause: io::Error,
    },
}

/// The service with its adapters, not yet listening.
pub struct App {
    /// What the stories use.
    pub ports: Ports,
    config: Config,
    cookies: Cookies,
    directories: Arc<DirectoryMemory>,
    sessions: SessionAdapter,
    authorities: Arc<AuthorityClient>,
    master_key: Arc<MasterKey>,
}

/// What only the demo shows.
#[derive(Clone, Debug, Default)]
pub struct DemoPages {
    /// Whom a visitor may play; an empty list is no demo.
    pub organizations: Vec<DemoOrganization>,
    /// Where the portal page leads.
    pub portal_links: Vec<Link>,
}

impl App {
    /// Opens the database, brings it to this version, and connects everything.
    ///
    /// Sessions follow what changed while nobody followed it. Where they are in Redis and that is
    /// away, the service opens nevertheless, and accepts none until they have.
    pub async fn open(config: Config, clock: Clock) -> Result<Self, StartError> {
        let database = Database::open(&config).await?;
        if config.redis.url.is_none() {
            database.warn_of_another_node().await?;
        }
        let app = Self::wire(config, clock, database).await?;
        match &app.sessions {
            SessionAdapter::Embedded(_) => access::catch_up(&app.ports).await?,
            SessionAdapter::Redis(redis) => {
                if let Err(unavailable) = reach(&app.ports, redis).await {
                    tracing::error!(%unavailable, "nobody can be signed in until this is mended");
                }
            }
        }
        Ok(app)
    }

    /// The same for a command that is over soon, also beside a service that runs.
    pub async fn open_beside(config: Config, clock: Clock) -> Result<Self, StartError> {
        let database = Database::open_beside(&config).await?;
        Self::wire(config, clock, database).await
    }

    async fn wire(config: Config, clock: Clock, database: Database) -> Result<Self, StartError> {
        install_crypto_provider();
        let kept = Kept::open(&config, &clock, &database).await?;
        let Database { store, master_key, .. } = database;
        let signer = signer(&*store, &clock).await?;
        let authorities = Arc::new(AuthorityClient::new(trusted_hosts(&config), clock.clone()));
        let ports = Ports {
            store,
            logins: kept.logins,
            sessions: kept.sessions,
            authorities: authorities.clone(),
            journal: Arc::default(),
            signer: Arc::new(signer),
            clock,
            settings: Arc::new(settings(&config)),
        };
        let cookies = Cookies::new(&master_key, config.public_url.is_https());
        Ok(Self {
            ports,
            config,
            cookies,
            directories: Arc::default(),
            sessions: kept.adapter,
            authorities,
            master_key,
        })
    }

    /// Answers on `listener` until [`Running::stop`].
    pub fn run(self, listener: TcpListener, demo: DemoPages) -> Result<Running, StartError> {
        let address = listener.local_addr().map(|address| address.to_string());
        let address = address.unwrap_or_else(|_| self.config.listen.address.0.to_string());
        let readiness = Readiness::default();
        let state = Data::new(self.state(readiness.clone(), demo));
        let listen = &self.config.listen;
        let server = HttpServer::new(move || http::app(&state))
            .workers(listen.workers())
            .max_connections(listen.max_connections_per_worker())
            .shutdown_timeout(listen.shutdown_seconds.get().into())
            .disable_signals()
            .listen(listener)
            .map_err(|cause| StartError::Listen { address, cause })?
            .run();
        let background = running::background(&self.ports, &self.sessions, &self.directories);
        tokio::task::spawn_blocking(move || {
            if let Err(error) = self.authorities.prepare() {
                tracing::error!(%error, "no authority can be reached until this is mended");
            }
        });
        Ok(Running {
            handle: server.handle(),
            server: tokio::spawn(server),
            background,
            readiness,
            ports: self.ports,
            directories: self.directories,
            sessions: self.sessions,
        })
    }

    fn state(&self, readiness: Readiness, demo: DemoPages) -> State {
        let public_url = Url::parse(self.config.public_url.origin().as_str());
        let public_url = public_url.expect("a public URL was parsed from a URL");
        let loopback = self.config.outbound.loopback_authorities.iter().filter_map(|authority| {
            Url::parse(&format!("http://{}", authority.socket_address())).ok()
        });
        let returns = self.ports.settings.return_origins.iter().filter_map(|o| Url::parse(o).ok());
        let form_targets: Vec<Url> = loopback.chain(returns).collect();
        State {
            ports: self.ports.clone(),
            directories: self.directories.clone(),
            cookies: self.cookies.clone(),
            frame: Frame {
                demo: !demo.organizations.is_empty(),
                support: self.config.pages.support.clone(),
                form_targets: FormTargets::new(&form_targets),
            },
            proxies: self.config.proxies.clone(),
            readiness,
            portal_links: demo.portal_links,
            demo_organizations: demo.organizations,
            security_headers: SecurityHeaders::new(&public_url),
            cursor_key: Arc::new(CursorKey::derive(&self.master_key)),
            operator_token: self.config.api.operator_token.as_ref().map(Secret::digest),
            walks: Arc::default(),
        }
    }
}

/// Brings the database to this version.
pub async fn migrate(config: &Config) -> Result<(), StartError> {
    Database::open(config).await.map(drop)
}

/// Whether an authority is one that a connector of this kind may have; where not, the error tells
/// what to paste instead.
pub fn check_authority(
    config: &Config,
    kind: ConnectorKind,
    pasted: &str,
) -> Result<(), AuthorityError> {
    Authority::parse(kind, pasted, &trusted_hosts(config)).map(drop)
}

/// Listens on the configured address.
pub fn bind(config: &Config) -> Result<TcpListener, StartError> {
    let address = config.listen.address.0.to_string();
    TcpListener::bind(&address).map_err(|cause| StartError::Listen { address, cause })
}

/// Names the one implementation of cryptography for TLS and for tokens; a second call is harmless.
pub fn install_crypto_provider() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let _ = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
}

fn settings(config: &Config) -> Settings {
    Settings {
        public_url: config.public_url.origin().as_str().to_owned(),
        session_limits: SessionLimits {
            idle: config.sessions.idle(),
            absolute: config.sessions.absolute(),
        },
        return_origins: config
            .return_to
            .allowed_origins
            .iter()
            .map(|origin| origin.as_str().to_owned())
            .collect(),
        provisioning_log: LogLimits {
            kept: config.scim.log_kept(),
            most: config.scim.log_lines.get().into(),
        },
        scim_token_lifetime: config.scim.access_token_lifetime(),
    }
}

fn trusted_hosts(config: &Config) -> TrustedHosts {
    let configured: Vec<String> = config
        .outbound
        .loopback_authorities
        .iter()
        .map(|authority| authority.socket_address().to_string())
        .collect();
    TrustedHosts::with_configured(configured.iter().map(String::as_str))
        .expect("a socket address is a host and a port")
}

/// The newest signing key, made now if there is none.
async fn signer(store: &dyn Store, clock: &Clock) -> Result<Signer, StartError> {
    let newest = store.list_signing_keys().await?.into_iter().next();
    let key = if let Some(key) = newest {
        key
    } else {
        let (kid, pkcs8) = Signer::generate();
        let key = SigningKey { kid, pkcs8, created_at: clock.now() };
        store.insert_first_signing_key(&key).await?
    };
    Ok(Signer::new(key.kid, &key.pkcs8)?)
}
