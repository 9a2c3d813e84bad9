//! `portico demo`.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::PathBuf,
};

use anyhow::{Context as _, bail};
use serde_json::{Value, json};

use crate::{
    app::{App, DemoPages},
    cli::{demo::stage::Stage, faults, say, stop_signal::stop_signal},
    config::{Config, LogFilter, LogFormat, PublicUrl},
    domain::clock::Clock,
    http::pages::Link,
    simulator::Fault,
    telemetry,
};

mod cast;
mod sample_application;
mod stage;

#[derive(clap::Args)]
pub struct Arguments {
    /// Portico listens on this port of localhost, the simulated tenant on the next one of
    /// 127.0.0.1, a sample application on the one after
    #[arg(long, default_value_t = 8080, value_parser = clap::value_parser!(u16).range(1..=65533))]
    port: u16,
    /// People per organization
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u32).range(6..=100_000))]
    users: u32,
    /// Keep the data in this folder, for the next time [default: forgotten at the end]
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
    /// Break the simulated tenants on purpose once everybody is provisioned; `--list-faults` tells
    /// how
    #[arg(long, value_name = "NAME")]
    fault: Option<Fault>,
    /// List the faults and stop
    #[arg(long)]
    list_faults: bool,
    /// Print where everything is as JSON on one line, once everything listens
    #[arg(long)]
    json: bool,
    /// What to log: error, warn, info, debug or trace
    #[arg(long, default_value = "warn")]
    log: LogFilter,
}

/// Where the three servers of the demo listen.
#[derive(Clone, Copy)]
struct Ports {
    portico: u16,
    tenant: u16,
    sample: u16,
}

impl Ports {
    const fn from(first: u16) -> Self {
        Self { portico: first, tenant: first + 1, sample: first + 2 }
    }

    fn public_url(self) -> String {
        format!("http://localhost:{}", self.portico)
    }

    /// Under the name of Portico's own host, so that the browser sends its cookie along.
    fn sample_url(self) -> String {
        format!("http://localhost:{}", self.sample)
    }
}

/// A folder for the data, which goes with the demo unless it was asked for.
enum Folder {
    Kept(PathBuf),
    Forgotten(PathBuf),
}

impl Folder {
    fn new(asked: Option<PathBuf>) -> Self {
        let own = || {
            let name = format!("portico-demo-{}", std::process::id());
            Self::Forgotten(std::env::temp_dir().join(name))
        };
        asked.map_or_else(own, Self::Kept)
    }

    fn database(&self) -> PathBuf {
        let (Self::Kept(folder) | Self::Forgotten(folder)) = self;
        folder.join("portico.db")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Self::Forgotten(folder) = self {
            let _ = std::fs::remove_dir_all(folder);
        }
    }
}

pub async fn run(arguments: Arguments) -> anyhow::Result<()> {
    if arguments.list_faults {
        faults::list();
        return Ok(());
    }
    let ports = Ports::from(arguments.port);
    let folder = Folder::new(arguments.data);
    let config = config(ports, &folder, arguments.log)?;
    telemetry::init(&config.log);
    let listener = listen(ports.portico)?;
    let sample_listener = listen(ports.sample)?;
    let key = config.master_key_source().load_or_create()?;
    let stage = Stage::open(ports.tenant, &key, arguments.users)?;
    let app = App::open(config, Clock::system()).await?;
    let cast = stage.connect(&app.ports).await?;
    let portal_links = links(&ports.sample_url(), stage.control());
    let pages =
        DemoPages { organizations: cast.iter().map(cast::Cast::page).collect(), portal_links };
    let running = app.run(listener, pages)?;
    let sample = sample_application::run(sample_listener, &ports.public_url())?;
    stage.provision(&cast).await?;
    stage.misbehave(arguments.fault);
    if arguments.json {
        print_json(ports, &stage, &cast);
    } else {
        print(ports, &stage, &cast, arguments.fault);
    }
    stop_signal().await?;
    sample.stop(true).await;
    running.stop().await;
    stage.close().await;
    Ok(())
}

fn config(ports: Ports, folder: &Folder, log: LogFilter) -> anyhow::Result<Config> {
    let public_url = PublicUrl::parse(&ports.public_url()).context("a loopback address")?;
    let mut config = Config::with_defaults(public_url);
    config.database.path = Some(folder.database());
    config.listen.address.0 = address(ports.portico);
    config.outbound.loopback_authorities =
        [format!("127.0.0.1:{}", ports.tenant).parse().context("a loopback authority")?]
            .into_iter()
            .collect();
    config.return_to.allowed_origins =
        [ports.sample_url().parse().context("an origin")?].into_iter().collect();
    config.log.format = LogFormat::Text;
    config.log.filter = log;
    Ok(config)
}

fn address(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

fn listen(port: u16) -> anyhow::Result<TcpListener> {
    match TcpListener::bind(address(port)) {
        Ok(listener) => Ok(listener),
        Err(error) => bail!("port {port} can't be used: {error}; choose others with --port"),
    }
}

fn links(sample_url: &str, control: String) -> Vec<Link> {
    let pages = sample_application::PAGES.iter();
    let pages = pages.map(|page| {
        let needs = match page.needs {
            Some(role) => format!("needs {role}"),
            None => "needs any role".to_owned(),
        };
        let label = format!("{} of the sample application ({needs})", page.name);
        Link { href: format!("{sample_url}{}", page.path), label }
    });
    let faults = Link { href: control, label: "Faults of the simulated tenant".to_owned() };
    pages.chain([faults]).collect()
}

fn print_json(ports: Ports, stage: &Stage, cast: &[cast::Cast]) {
    let organizations: Vec<Value> = cast.iter().map(cast::Cast::json).collect();
    let line = json!({
        "public_url": ports.public_url(),
        "authority": stage.origin(),
        "organizations": organizations,
    });
    say(&line.to_string());
}

fn print(ports: Ports, stage: &Stage, cast: &[cast::Cast], fault: Option<Fault>) {
    say(&format!("Portico is open: {}", ports.public_url()));
    say("");
    say("  Choose an organization there, sign in at its simulated Microsoft tenant as one of the");
    say("  people that the page lists, and open the sample application that it protects:");
    say(&format!("  {}", ports.sample_url()));
    say("");
    for member in cast {
        say(&member.text());
    }
    print_fault(&stage.control(), fault);
    say("");
    say("Stop with Ctrl-C.");
}

/// Which fault is on, what to expect of it, and how to choose another.
fn print_fault(control: &str, fault: Option<Fault>) {
    match fault {
        Some(fault) => {
            say(&format!("The simulated tenants misbehave: {fault}"));
            say(&format!("  {}.", fault.description()));
            say(&format!("  {}.", faults::expected(fault.ending())));
        }
        None => say("The simulated tenants behave well. To see what happens if they don’t:"),
    }
    say(&format!("  Choose a fault in a browser   {control}"));
    say(&format!("  or from a terminal            curl -d name=expired-secret {control}"));
    say(&format!("  All is well again             curl -d name= {control}"));
}
