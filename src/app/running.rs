//! A service that answers, and what goes on beside the requests.

use std::{io, sync::Arc, time::Duration};

use actix_web::dev::ServerHandle;
use tokio::task::JoinHandle;

use super::kept::{SessionAdapter, watch};
use crate::{
    http::health::Readiness,
    ports::{Ports, Unavailable},
    service::{directory_access::DirectoryMemory, maintenance},
};

/// How often lines of the provisioning log that wait are written down.
const JOURNAL_EVERY: Duration = Duration::from_millis(250);

/// How often what was left for later is done.
const MAINTENANCE_EVERY: Duration = Duration::from_secs(30);

/// A service that answers.
pub struct Running {
    /// What the stories use.
    pub ports: Ports,
    pub(super) handle: ServerHandle,
    pub(super) server: JoinHandle<io::Result<()>>,
    pub(super) background: Vec<JoinHandle<()>>,
    pub(super) readiness: Readiness,
    pub(super) directories: Arc<DirectoryMemory>,
    pub(super) sessions: SessionAdapter,
}

impl Running {
    /// Stops taking requests, finishes those in flight, and writes down what was written behind.
    pub async fn stop(self) {
        self.readiness.stop();
        self.handle.stop(true).await;
        self.background.iter().for_each(JoinHandle::abort);
        if let Ok(Err(error)) = self.server.await {
            tracing::error!(%error, "the listener ended badly");
        }
        if let Err(unavailable) = self.ports.journal.flush(&*self.ports.store).await {
            tracing::error!(%unavailable, "lines of the provisioning log are not written down");
        }
        if let Err(unavailable) = self.directories.write_down(&self.ports).await {
            tracing::error!(%unavailable, "when credentials were last used is not written down");
        }
        if let SessionAdapter::Embedded(sessions) = self.sessions
            && let Err(unavailable) = sessions.flush_last_seen().await
        {
            tracing::error!(%unavailable, "when sessions were last used is not written down");
        }
    }
}

/// What goes on beside the requests.
pub(super) fn background(
    ports: &Ports,
    sessions: &SessionAdapter,
    directories: &Arc<DirectoryMemory>,
) -> Vec<JoinHandle<()>> {
    let maintained = tokio::spawn(maintain(ports.clone(), sessions.clone(), directories.clone()));
    let watched = match sessions {
        SessionAdapter::Embedded(_) => None,
        SessionAdapter::Redis(redis) => Some(tokio::spawn(watch(ports.clone(), redis.clone()))),
    };
    let journaled = tokio::spawn(write_journal(ports.clone()));
    [maintained, journaled].into_iter().chain(watched).collect()
}

async fn write_journal(ports: Ports) {
    let mut ticks = tokio::time::interval(JOURNAL_EVERY);
    loop {
        ticks.tick().await;
        if let Err(unavailable) = ports.journal.flush(&*ports.store).await {
            tracing::error!(%unavailable, "the provisioning log waits to be written");
        }
    }
}

async fn maintain(ports: Ports, sessions: SessionAdapter, directories: Arc<DirectoryMemory>) {
    let mut ticks = tokio::time::interval(MAINTENANCE_EVERY);
    loop {
        ticks.tick().await;
        let done = async {
            if let SessionAdapter::Embedded(sessions) = &sessions {
                sessions.flush_last_seen().await?;
                sessions.sweep(ports.clock.now()).await?;
            }
            directories.write_down(&ports).await?;
            maintenance::forget_expired_logins(&ports).await?;
            maintenance::forget_old_decisions(&ports).await?;
            maintenance::forget_old_revocations(&ports).await?;
            maintenance::forget_old_provisioning_records(&ports).await?;
            Ok::<_, Unavailable>(())
        };
        if let Err(unavailable) = done.await {
            tracing::error!(%unavailable, "maintenance failed; it is tried again in 30 seconds");
        }
    }
}
