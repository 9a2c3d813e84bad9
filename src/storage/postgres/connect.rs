//! Connections to the server: where they live, how they are secured, what they are set to.

use std::{future::Future, io, pin::Pin, sync::Arc, time::Duration};

use deadpool_postgres::{Connect, Manager, ManagerConfig, Pool, RecyclingMethod, Runtime};
use rustls::{ClientConfig, RootCertStore};
use tokio::{runtime::Handle, task::JoinHandle};
use tokio_postgres::{Client, Config, Error, config::SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;

/// How long making a connection, or waiting for a free one, may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// What every connection is set to. The limits are there for what should never happen: a statement
/// that runs away, a lock that is not let go of, a transaction that nobody ends.
const SETTINGS: &str = "SET default_transaction_isolation = 'read committed';
     SET statement_timeout = '10s';
     SET lock_timeout = '5s';
     SET idle_in_transaction_session_timeout = '30s';
     SET timezone = 'UTC';
     SET jit = off";

type Connected = Result<(Client, JoinHandle<()>), Error>;

/// Makes connections that live in the runtime that the store was opened in: those of the web
/// server's threads end before the last command is carried out.
struct Connector {
    runtime: Handle,
    tls: MakeRustlsConnect,
}

impl Connect for Connector {
    fn connect(&self, config: &Config) -> Pin<Box<dyn Future<Output = Connected> + Send + '_>> {
        let (config, tls) = (config.clone(), self.tls.clone());
        let connected = self.runtime.spawn(connect(config, tls));
        Box::pin(async {
            connected.await.expect("connecting does not panic, and the runtime lives")
        })
    }
}

async fn connect(config: Config, tls: MakeRustlsConnect) -> Connected {
    let (client, connection) = config.connect(tls).await?;
    let task = tokio::spawn(async move {
        // Whoever waits for an answer is told; what ends between two commands is nobody's loss.
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection to the database ended");
        }
    });
    client.batch_execute(SETTINGS).await?;
    Ok((client, task))
}

/// At most `most` connections, made as they are needed.
pub(super) fn pool(mut server: Config, most: usize) -> io::Result<Pool> {
    // A server that vanished without a word is noticed within half a minute.
    server.connect_timeout(PATIENCE).tcp_user_timeout(Duration::from_secs(15));
    server.keepalives_idle(Duration::from_secs(15)).keepalives_interval(Duration::from_secs(5));
    if server.get_application_name().is_none() {
        server.application_name("portico");
    }
    let tls = MakeRustlsConnect::new(tls(server.get_ssl_mode())?);
    let connector = Connector { runtime: Handle::current(), tls };
    let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    let pool = Pool::builder(Manager::from_connect(server, connector, recycling))
        .max_size(most)
        .wait_timeout(Some(PATIENCE))
        .create_timeout(Some(2 * PATIENCE))
        .runtime(Runtime::Tokio1)
        .build();
    Ok(pool.expect("a pool with time limits has a runtime to keep them"))
}

/// Certificates are verified against what the machine trusts; without TLS nobody is trusted, and
/// nothing is read.
fn tls(mode: SslMode) -> io::Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    if mode != SslMode::Disable {
        let found = rustls_native_certs::load_native_certs();
        roots.add_parsable_certificates(found.certs);
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(io::Error::other)?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}
