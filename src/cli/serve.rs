//! `portico serve`.

use std::net::SocketAddr;

use crate::{
    app::{self, App, DemoPages},
    cli::{Configured, stop_signal::stop_signal},
    domain::clock::Clock,
    telemetry,
};

#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    configured: Configured,
    /// Listen here instead of where the configuration says
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
}

pub async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let listen = arguments.listen.map(|address| ("listen.address".to_owned(), address.to_string()));
    let config = arguments.configured.load(listen.into_iter().collect())?;
    telemetry::init(&config.log);
    let listener = app::bind(&config)?;
    let public_url = config.public_url.origin().as_str().to_owned();
    let address = listener.local_addr()?;
    let app = App::open(config, Clock::system()).await?;
    let running = app.run(listener, DemoPages::default())?;
    tracing::info!(%address, public_url, version = env!("CARGO_PKG_VERSION"), "ready");
    stop_signal().await?;
    tracing::info!("stopping: finishing what is in flight");
    running.stop().await;
    Ok(())
}
