//! The service under test.

use std::{net::TcpListener, time::Duration};

use jiff::{SignedDuration, Timestamp};
use portico::{
    app::{App, DemoPages, Running, StartError},
    config::{Config, Origin, PublicUrl, Whole},
    domain::{
        audit_event::{Actor, AuditEvent, StoredAuditEvent},
        clock::Clock,
        connector::Connector,
        decision::Decision,
        id::Reference,
        secret::Secret,
    },
    ports::Ports,
    simulator::{SimulatedEntra, SimulatorOptions},
    storage::sqlite::OpenError,
};
use tempfile::TempDir;

use super::{
    answer::Answer,
    browser::Browser,
    organization::{Organization, Terms},
    port::free_port,
    postgres, redis,
    web::Ask,
};

/// What the operator calls the management API with.
pub const OPERATOR_TOKEN: &str = "an operator token of many random characters";

/// What an operator decides, where it matters.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Where browsers reach the service, if not at the port that it listens on.
    pub public_url: Option<String>,
    /// Origins besides the service's own that a sign-in may return to.
    pub return_origins: Vec<&'static str>,
    pub idle_minutes: Option<u32>,
    pub absolute_hours: Option<u32>,
    /// How long an access token for SCIM is good for.
    pub scim_token_minutes: Option<u32>,
    /// Peers whose `X-Forwarded-For` is believed.
    pub proxies: Vec<&'static str>,
}

/// A running service with a simulated Microsoft Entra beside it, at the same stopped moment.
pub struct Service {
    /// `http://localhost:PORT`.
    pub origin: String,
    pub clock: Clock,
    entra: Option<SimulatedEntra>,
    config: Config,
    running: Option<Running>,
    _folder: TempDir,
}

impl Service {
    pub async fn start() -> Self {
        Self::start_with(Options::default()).await
    }

    pub async fn start_with(options: Options) -> Self {
        portico::app::install_crypto_provider();
        let now: Timestamp = "2026-03-03T09:00:00Z".parse().unwrap();
        let clock = Clock::stopped_at(now);
        let entra = SimulatedEntra::start(SimulatorOptions {
            bind: ([127, 0, 0, 1], 0).into(),
            allow_non_loopback: false,
            tenants: Vec::new(),
            clock: clock.clone(),
        });
        let entra = entra.unwrap();
        let port = free_port();
        let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
        let origin = format!("http://localhost:{port}");
        let folder = tempfile::tempdir().unwrap();
        let config = configuration(&options, &origin, &folder, &entra);
        let running = Some(run(&config, &clock, listener).await);
        Self { origin, clock, entra: Some(entra), config, running, _folder: folder }
    }

    /// Stops and starts again, with the same folder, port and clock.
    pub async fn restart(&mut self) {
        self.running.take().unwrap().stop().await;
        let port = self.origin.rsplit(':').next().unwrap();
        let listener = TcpListener::bind(format!("127.0.0.1:{port}")).unwrap();
        self.running = Some(run(&self.config, &self.clock, listener).await);
    }

    /// Stops Microsoft Entra: nothing answers at its address from now on.
    pub async fn stop_entra(&mut self) {
        self.entra.take().unwrap().stop().await;
    }

    pub const fn entra(&self) -> &SimulatedEntra {
        self.entra.as_ref().expect("it was not stopped")
    }

    /// What the operator and the log's reader may use.
    pub fn ports(&self) -> &Ports {
        &self.running.as_ref().unwrap().ports
    }

    /// An organization with a tenant of its own, connected.
    pub async fn organization(&self, slug: &str) -> Organization {
        self.organization_under(slug, Terms::default()).await
    }

    /// An organization that is connected in a way of its own.
    pub async fn organization_under(&self, slug: &str, terms: Terms) -> Organization {
        Organization::create(slug, terms, self.entra(), self.ports()).await
    }

    /// Somebody's browser, which has never been here.
    pub fn browser(&self) -> Browser {
        Browser::new(self)
    }

    /// What a program gets that asks without cookies.
    pub async fn ask(&self, ask: Ask) -> Answer {
        ask.send(&self.origin).await
    }

    pub fn advance(&self, by: SignedDuration) {
        self.clock.advance(by);
    }

    /// Changes an organization's connector, as its admin may.
    pub async fn change_connector(
        &self,
        organization: &Organization,
        change: impl FnOnce(&mut Connector),
    ) {
        let store = &self.ports().store;
        let id = organization.connector_id();
        let mut connector = store.find_connector(id).await.unwrap().unwrap();
        change(&mut connector);
        let audit = AuditEvent::new(
            organization.stored.id,
            self.clock.now(),
            Actor::Operator,
            "connector.changed",
            &id,
        );
        assert!(store.replace_connector(&connector, &audit).await.unwrap());
    }

    /// The stored decision under the reference number that a page shows.
    pub async fn decision(&self, organization: &Organization, page: &Answer) -> Decision {
        let reference = Reference::from_stored(page.reference());
        let found = self.ports().store.find_decision(organization.stored.id, &reference).await;
        found.unwrap().unwrap_or_else(|| panic!("no decision under {reference}"))
    }

    /// The newest lines of an organization's audit log, the newest first.
    pub async fn audit(&self, organization: &Organization) -> Vec<StoredAuditEvent> {
        self.ports().store.list_audit_events(organization.stored.id, 100).await.unwrap()
    }
}

fn configuration(
    options: &Options,
    origin: &str,
    folder: &TempDir,
    entra: &SimulatedEntra,
) -> Config {
    let public_url = options.public_url.as_deref().unwrap_or(origin);
    let mut config = Config::with_defaults(PublicUrl::parse(public_url).unwrap());
    config.listen.workers = Some(Whole::new(1));
    config.database.url = postgres::schema();
    if config.database.url.is_none() {
        config.database.path = Some(folder.path().join("portico.db"));
    }
    config.master_key.file = Some(folder.path().join("master.key"));
    if let Some((url, prefix)) = redis::shared() {
        config.redis.url = Some(url.parse().unwrap());
        config.redis.prefix = prefix;
    }
    config.outbound.loopback_authorities =
        [entra.address().to_string().parse().unwrap()].into_iter().collect();
    config.return_to.allowed_origins =
        options.return_origins.iter().map(|origin| Origin::parse(origin).unwrap()).collect();
    config.api.operator_token = Some(Secret::new(OPERATOR_TOKEN));
    config.proxies.trusted =
        options.proxies.iter().map(|network| network.parse().unwrap()).collect();
    if let Some(minutes) = options.idle_minutes {
        config.sessions.idle_minutes = Whole::new(minutes);
    }
    if let Some(minutes) = options.scim_token_minutes {
        config.scim.access_token_minutes = Whole::new(minutes);
    }
    if let Some(hours) = options.absolute_hours {
        config.sessions.absolute_hours = Whole::new(hours);
    }
    config
}

async fn run(config: &Config, clock: &Clock, listener: TcpListener) -> Running {
    app(config, clock).await.run(listener, DemoPages::default()).unwrap()
}

/// The threads of a service that stopped let go of its database a moment later.
async fn app(config: &Config, clock: &Clock) -> App {
    for _ in 0..500 {
        match App::open(config.clone(), clock.clone()).await {
            Err(StartError::Database(OpenError::InUse { .. })) => {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            opened => return opened.unwrap(),
        }
    }
    panic!("{} stays in use", config.database.place());
}
