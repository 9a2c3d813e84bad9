//! The database of several nodes, or of one that has a server already: PostgreSQL.
//!
//! # Why
//!
//! Each command is one statement wherever it can be, audit event included: one round trip, one
//! commit, no lock held while the network works. What may be had once is had by `DELETE …
//! RETURNING`; races are decided by unique constraints and row locks, never by looking first. No
//! row is written by everybody: what is counted is counted in many rows. A repository is a file;
//! its SQL stands in its methods.

/// Carries out several statements as one, or tells why not: `$work` has `$transaction`, and what it
/// refuses is not committed. What has to give way to another is carried out anew.
///
/// A macro, since a future that a closure made would have to be shown to be one for threads.
macro_rules! transact {
    ($store:expr, $transaction:ident => $work:expr) => {
        tokio::time::timeout(super::PATIENCE, async {
            let mut attempt = 1;
            loop {
                let once = async {
                    let mut client = $store.client().await?;
                    let $transaction = client.transaction().await?;
                    let done = $work?;
                    $transaction.commit().await?;
                    Ok(done)
                };
                match once.await {
                    Err(super::Stop::Failed(failure))
                        if failure.gave_way() && attempt < super::ATTEMPTS =>
                    {
                        attempt += 1;
                    }
                    done => break done,
                }
            }
        })
        .await
        .unwrap_or(Err(super::Stop::Failed(super::Failure::TooSlow)))
    };
}

mod accounts;
mod audit_log;
mod columns;
mod connect;
mod connectors;
mod custom_attributes;
mod decisions;
mod directory;
mod failure;
mod filters;
mod groups;
mod health;
mod logins;
mod master_key_check;
mod members;
mod migrations;
mod open;
mod organizations;
mod provisioning_log;
mod queries;
mod revocations;
mod session_records;
mod setup_links;
mod signing_keys;
mod subject_links;
mod trail;

use std::{
    convert::Infallible,
    fmt,
    future::Future,
    sync::{Arc, OnceLock},
    time::Duration,
};

use deadpool_postgres::{Client, ClientWrapper, GenericClient, Pool};
use tokio::sync::Semaphore;
use tokio_postgres::{Config, Row, types::ToSql};

pub use self::open::{FailureKind, OpenError, Server};
use self::{columns::Columns, failure::Failure};
use crate::{
    domain::master_key::MasterKey,
    ports::{NotDone, Unavailable},
};

/// How long a command may take; the server gives up a statement sooner.
const PATIENCE: Duration = Duration::from_secs(20);

/// How often a command that had to give way to another is carried out anew.
const ATTEMPTS: u32 = 3;

/// What a statement is given: `$1`, `$2` and so on.
type Values<'a> = [&'a (dyn ToSql + Sync)];

/// A server that was reached, and whose database this program may use.
pub struct PostgresServer {
    name: Server,
    pool: Pool,
    is_empty: bool,
}

impl PostgresServer {
    /// Connects, with at most `most_connections` later on; nothing is changed.
    ///
    /// Connections live in the runtime that this is called in.
    pub async fn reach(server: Config, most_connections: usize) -> Result<Self, OpenError> {
        let name = Server::of(&server);
        let pool = connect::pool(server, most_connections).map_err(OpenError::Tls)?;
        let is_empty = open::is_empty(&pool, &name).await?;
        Ok(Self { name, pool, is_empty })
    }

    /// Whether the database has nothing in it yet.
    pub const fn is_empty(&self) -> bool {
        self.is_empty
    }

    /// Opens the database, its tables made or brought to this version where need be.
    pub async fn open(self, master_key: Arc<MasterKey>) -> Result<PostgresStore, OpenError> {
        open::prepare(&self.pool, &self.name, &master_key).await?;
        let scans = Semaphore::new(queries::AT_ONCE);
        Ok(PostgresStore { pool: self.pool, master_key, scans, claim: OnceLock::new() })
    }
}

/// A PostgreSQL database.
pub struct PostgresStore {
    pool: Pool,
    master_key: Arc<MasterKey>,
    /// Turns of those who look through lists.
    scans: Semaphore,
    /// The connection whose lock tells others that sessions are in this process's memory.
    claim: OnceLock<ClientWrapper>,
}

/// The lock of who keeps sessions in memory, `Sess` in ASCII.
const SESSIONS_LOCK: i64 = 0x5365_7373;

impl PostgresStore {
    /// Whether this process is the only one that keeps sessions of this database in its memory;
    /// others will be told that it is not theirs alone, as long as this one runs.
    pub async fn claim_sessions(&self) -> Result<bool, Unavailable> {
        let claimed = within(async {
            let client = self.client().await?;
            let sql = "SELECT pg_try_advisory_lock($1)";
            let rows = query(&client, sql, &[&SESSIONS_LOCK]).await?;
            let is_alone = rows.first().is_some_and(|row| row.get(0));
            if is_alone {
                // Out of the pool, which may close it.
                self.claim.set(Client::take(client)).ok();
            }
            Ok(is_alone)
        });
        claimed.await.map_err(Unavailable::while_doing("looking for other nodes"))
    }

    async fn client(&self) -> Result<Client, Failure> {
        Ok(self.pool.get().await?)
    }

    /// The rows that a statement answers with, each read.
    async fn all<T>(
        &self,
        doing: &'static str,
        sql: &str,
        values: &Values<'_>,
        read: impl Fn(&mut Columns<'_>) -> Result<T, Failure>,
    ) -> Result<Vec<T>, Unavailable> {
        let rows = self.answer(sql, values).await;
        let read = |rows: Vec<Row>| rows.iter().map(|row| read(&mut Columns::of(row))).collect();
        rows.and_then(read).map_err(Unavailable::while_doing(doing))
    }

    /// The first row that a statement answers with, read; none if there is none.
    async fn first<T>(
        &self,
        doing: &'static str,
        sql: &str,
        values: &Values<'_>,
        read: impl Fn(&mut Columns<'_>) -> Result<T, Failure>,
    ) -> Result<Option<T>, Unavailable> {
        let rows = self.answer(sql, values).await;
        let read = |rows: Vec<Row>| rows.first().map(|row| read(&mut Columns::of(row))).transpose();
        rows.and_then(read).map_err(Unavailable::while_doing(doing))
    }

    /// How many rows a statement wrote.
    async fn write(
        &self,
        doing: &'static str,
        sql: &str,
        values: &Values<'_>,
    ) -> Result<u64, Unavailable> {
        self.attempt(sql, values).await.map_err(Unavailable::while_doing(doing))
    }

    /// The same, for a caller who can tell a refusal from a failure.
    async fn attempt(&self, sql: &str, values: &Values<'_>) -> Result<u64, Failure> {
        within(async {
            for _ in 1..ATTEMPTS {
                match execute(&self.client().await?, sql, values).await {
                    Err(failure) if failure.gave_way() => {}
                    answered => return answered,
                }
            }
            execute(&self.client().await?, sql, values).await
        })
        .await
    }

    async fn answer(&self, sql: &str, values: &Values<'_>) -> Result<Vec<Row>, Failure> {
        within(async {
            for _ in 1..ATTEMPTS {
                match query(&self.client().await?, sql, values).await {
                    Err(failure) if failure.gave_way() => {}
                    answered => return answered,
                }
            }
            query(&self.client().await?, sql, values).await
        })
        .await
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore").finish_non_exhaustive()
    }
}

/// Gives up what takes too long: then nobody knows whether the server has carried it out.
async fn within<T>(command: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    tokio::time::timeout(PATIENCE, command).await.unwrap_or(Err(Failure::TooSlow))
}

/// The rows that a statement, prepared once on each connection, answers with.
async fn query(
    client: &impl GenericClient,
    sql: &str,
    values: &Values<'_>,
) -> Result<Vec<Row>, Failure> {
    let statement = client.prepare_cached(sql).await?;
    Ok(client.query(&statement, values).await?)
}

/// How many rows a statement, prepared once on each connection, wrote.
async fn execute(
    client: &impl GenericClient,
    sql: &str,
    values: &Values<'_>,
) -> Result<u64, Failure> {
    let statement = client.prepare_cached(sql).await?;
    Ok(client.execute(&statement, values).await?)
}

/// Why a command was not carried out.
#[derive(Debug)]
enum Stop<Refusal> {
    /// For a reason of its own.
    Refused(Refusal),
    /// The database could not.
    Failed(Failure),
}

impl<Refusal> Stop<Refusal> {
    fn while_doing(doing: &'static str) -> impl FnOnce(Self) -> NotDone<Refusal> {
        move |stop| match stop {
            Self::Refused(refusal) => NotDone::Refused(refusal),
            Self::Failed(failure) => Unavailable::while_doing(doing)(failure).into(),
        }
    }
}

impl Stop<Infallible> {
    /// The failure that alone is left.
    fn into_failure(self) -> Failure {
        match self {
            Self::Refused(never) => match never {},
            Self::Failed(failure) => failure,
        }
    }
}

impl<Refusal> From<Failure> for Stop<Refusal> {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl<Refusal> From<tokio_postgres::Error> for Stop<Refusal> {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Failed(error.into())
    }
}
