//! The two servers: this program begun anew, until its standard input ends.

use std::{
    env,
    io::{self, BufRead as _, BufReader, Read as _},
    net::{SocketAddr, TcpListener},
    process::Command,
};

use actix_web::{
    App, HttpResponse, HttpServer,
    cookie::{Cookie, CookieJar, Key},
    http::StatusCode,
    web,
};
use anyhow::Context as _;
use portico::{
    app::{self, DemoPages},
    config::{Config, Sources},
    domain::{
        access_role::AccessRole,
        account::Account,
        audit_event::{Actor, AuditEvent},
        clock::Clock,
        connector::{ClientAuthentication, Connector, ConnectorKind},
        id::AccountId,
        organization::{Edition, Organization, Slug},
        secret::Secret,
        session::{Identity, Session, SignOutHints},
    },
    ports::Ports,
    service::{
        connectors::{self, NewConnector},
        organizations::{self, NewOrganization},
    },
    telemetry,
};
use serde_json::Map;
use tempfile::TempDir;
use tokio::runtime::Builder;

use crate::process::Process;

/// The argument for a server whose one handler does nothing.
pub const BARE: &str = "bare";

/// The argument for the whole service; after it the address of a Redis, if sessions are kept there.
pub const PORTICO: &str = "portico";

/// Threads that answer, in either server.
const WORKERS: usize = 2;

/// A server that is ready.
pub struct Server {
    pub process: Process,
    pub address: SocketAddr,
    /// What a signed-in browser sends; empty where nobody can sign in.
    pub cookie: String,
}

/// Begins this program anew with `arguments`, and waits until it answers.
pub fn start(arguments: &[&str]) -> anyhow::Result<Server> {
    let (process, stdout) = Process::start(Command::new(env::current_exe()?).args(arguments))?;
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line)?;
    let (address, cookie) = line
        .trim_end_matches('\n')
        .split_once(' ')
        .with_context(|| format!("{} did not start", arguments.join(" ")))?;
    Ok(Server { process, address: address.parse()?, cookie: cookie.to_owned() })
}

/// Serves a handler that does nothing.
pub fn bare() -> anyhow::Result<()> {
    block_on(async {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let address = listener.local_addr()?;
        let server =
            HttpServer::new(|| App::new().route("/auth/check", web::get().to(let_everybody_in)))
                .workers(WORKERS)
                .disable_signals()
                .listen(listener)?
                .run();
        let handle = server.handle();
        let server = tokio::spawn(server);
        until_told_to_end(address, "").await?;
        handle.stop(false).await;
        Ok(server.await??)
    })
}

async fn let_everybody_in() -> HttpResponse {
    HttpResponse::new(StatusCode::OK)
}

/// Serves Portico with one person signed in.
pub fn portico(redis: Option<&str>) -> anyhow::Result<()> {
    block_on(async {
        let folder = tempfile::tempdir()?;
        let config = config(&folder, redis)?;
        telemetry::init(&config.log);
        let app = app::App::open(config.clone(), Clock::system()).await?;
        let value = sign_in(&app.ports).await?;
        let listener = app::bind(&config)?;
        let address = listener.local_addr()?;
        let running = app.run(listener, DemoPages::default())?;
        until_told_to_end(address, &cookie(&config, &value)?).await?;
        running.stop().await;
        Ok(())
    })
}

/// In the runtime that the command line makes.
fn block_on(server: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    Builder::new_multi_thread().enable_all().build()?.block_on(server)
}

async fn until_told_to_end(address: SocketAddr, cookie: &str) -> io::Result<()> {
    println!("{address} {cookie}");
    let to_its_end = || io::stdin().read_to_end(&mut Vec::new());
    tokio::task::spawn_blocking(to_its_end).await?.map(drop)
}

fn config(folder: &TempDir, redis: Option<&str>) -> anyhow::Result<Config> {
    let database = folder.path().join("portico.db");
    let overrides = [
        ("public_url", "https://login.example"),
        ("listen.address", "127.0.0.1:0"),
        ("listen.workers", &WORKERS.to_string()),
        ("listen.shutdown_seconds", "1"),
        ("database.path", &database.to_string_lossy()),
        ("log.filter", "error"),
    ];
    let redis = redis.map(|url| ("redis.url", url));
    let overrides = overrides.into_iter().chain(redis);
    let overrides = overrides.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
    Ok(Config::load(Sources { overrides, ..Sources::default() })?)
}

/// Signs a new person of a new organization in; the cookie's value.
async fn sign_in(ports: &Ports) -> anyhow::Result<Secret> {
    let acme = organizations::create(ports, acme()?, Actor::Operator).await;
    let acme = acme.map_err(|refused| anyhow::anyhow!("{refused:?}"))?;
    let connector = connectors::create(ports, &acme, entra(), Actor::Operator).await?.connector;
    let account = account(ports, &acme);
    let audit = AuditEvent::new(
        acme.id,
        account.created_at,
        Actor::Operator,
        "account.created",
        &account.id,
    );
    let inserted = ports.store.insert_account(&account, &audit.into()).await;
    inserted.map_err(|refused| anyhow::anyhow!("{refused:?}"))?;
    let value = Secret::generate();
    let identity = Identity::new(account.id, &account.email, &account.display_name, &acme.slug);
    let hints = SignOutHints { id_token: Secret::new("none"), logout_hint: None };
    ports.sessions.create(session(ports, &account, &connector, &value), hints, identity).await?;
    Ok(value)
}

fn acme() -> anyhow::Result<NewOrganization> {
    Ok(NewOrganization {
        slug: Slug::parse("acme")?,
        display_name: "Acme".to_owned(),
        edition: Edition::Enterprise,
        domains: Vec::new(),
    })
}

fn entra() -> NewConnector {
    NewConnector::new(
        ConnectorKind::AzureAd,
        "https://login.microsoftonline.com/contoso.example/v2.0".to_owned(),
        "client".to_owned(),
        ClientAuthentication::Public,
    )
}

fn account(ports: &Ports, organization: &Organization) -> Account {
    let now = ports.clock.now();
    Account {
        organization_id: organization.id,
        connector_id: None,
        id: AccountId::generate(),
        user_name: "alice@acme.example".to_owned(),
        external_id: None,
        email: "alice@acme.example".to_owned(),
        display_name: "Alice Liddell".to_owned(),
        active: true,
        scim_roles: Vec::new(),
        access_epoch: 1,
        version: 1,
        created_at: now,
        last_modified_at: now,
        attributes: Map::new(),
    }
}

fn session(ports: &Ports, account: &Account, connector: &Connector, value: &Secret) -> Session {
    let limits = ports.settings.session_limits;
    Session {
        digest: value.digest(),
        organization_id: account.organization_id,
        account_id: account.id,
        connector_id: connector.id,
        access_epoch: account.access_epoch,
        token_role: Some(AccessRole::User),
        role: AccessRole::User,
        sid: None,
        created_at: account.created_at,
        last_seen_at: account.created_at,
        idle: limits.idle,
        expires_at: account.created_at + limits.absolute,
        user_agent: "Browser/1.0".to_owned(),
        address: "127.0.0.1".to_owned(),
    }
}

/// The cookie as a browser sends it back: signed and escaped as actix-session does.
fn cookie(config: &Config, value: &Secret) -> anyhow::Result<String> {
    let master_key = config.master_key_source().load_or_create()?;
    let key = Key::from(&*master_key.derive::<64>("session cookie"));
    let mut jar = CookieJar::new();
    jar.signed_mut(&key).add(Cookie::new("__Host-portico-session", value.expose().to_owned()));
    let signed = jar.iter().next().context("the jar holds the cookie")?;
    Ok(signed.encoded().to_string())
}
