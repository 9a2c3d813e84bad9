//! Opening a database: ours and no other program's, of this version, and with the right master key.

use std::{fmt, io};

use deadpool_postgres::Pool;
use tokio_postgres::{Config, Transaction, config::Host};

use super::{
    failure::{Failure, Kind, words},
    master_key_check, migrations,
};
use crate::domain::master_key::MasterKey;

/// Why a database was not opened; every sentence is for the operator.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// What the machine trusts can't be read.
    #[error("the certificates that this machine trusts can't be used: {0}")]
    Tls(io::Error),
    /// There is no connection, or the server refused something.
    #[error("{server} can't be used: {cause}{}", remedy(.kind.as_ref()))]
    Refused {
        /// Which database of which server.
        server: Server,
        /// What the server said, or what came between.
        cause: String,
        /// What kind of failure it is, if that is known.
        kind: Option<FailureKind>,
    },
    /// The server is older than this program can use.
    #[error("{server} runs PostgreSQL {found}; Portico needs 13 or later")]
    OldServer {
        /// Which database of which server.
        server: Server,
        /// Its version.
        found: i32,
    },
    /// Not every text can be kept.
    #[error("{server} keeps its texts in {found}; create it anew with ENCODING 'UTF8'")]
    Encoding {
        /// Which database of which server.
        server: Server,
        /// The encoding that it has.
        found: String,
    },
    /// The server is a standby, or told to take no writes.
    #[error("{server} takes no writes; name the server that does in database.url")]
    ReadOnly {
        /// Which database of which server.
        server: Server,
    },
    /// The database is another program's.
    #[error("{server} holds another program's tables; create a database for Portico alone")]
    AnotherProgram {
        /// Which database of which server.
        server: Server,
    },
    /// A later version of Portico wrote it.
    #[error(
        "{server} was written by a newer Portico (database version {found}, this one knows \
         {known}); start that version again, or restore a backup from before it"
    )]
    Newer {
        /// Which database of which server.
        server: Server,
        /// The database's version.
        found: usize,
        /// The newest version that this binary knows.
        known: usize,
    },
    /// What is sealed in it does not open.
    #[error("{server} was made under another master key; start with that one")]
    AnotherMasterKey {
        /// Which database of which server.
        server: Server,
    },
}

/// What kind of failure an [`OpenError::Refused`] tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FailureKind(Kind);

fn remedy(kind: Option<&FailureKind>) -> String {
    kind.map_or(String::new(), |FailureKind(kind)| format!("; {}", kind.remedy()))
}

/// A database, in the operator's words: `the database "portico" at db.example.com:5432`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server(String);

impl Server {
    pub(super) fn of(config: &Config) -> Self {
        let database = config.get_dbname().or(config.get_user()).unwrap_or_default();
        let port = config.get_ports().first().copied().unwrap_or(5432);
        let host = match config.get_hosts().first() {
            Some(Host::Tcp(name)) => format!("{name}:{port}"),
            Some(Host::Unix(folder)) => format!("{}, port {port}", folder.display()),
            None => String::new(),
        };
        Self(format!("the database {database:?} at {host}"))
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The lock that whoever makes or changes tables holds, `Port` in ASCII: of two nodes that start
/// together one waits for the other.
const LOCK: i64 = 0x506F_7274;

/// Looks whether there is a database of ours, or none yet; nothing is touched.
pub(super) async fn is_empty(pool: &Pool, server: &Server) -> Result<bool, OpenError> {
    let explained = |failure: Failure| explain(server, &failure);
    let mut client = pool.get().await.map_err(|error| explained(error.into()))?;
    let transaction = client.transaction().await.map_err(|error| explained(error.into()))?;
    examine(&transaction, server).await
}

/// Brings the database to this version; it stays as it was if it is refused.
pub(super) async fn prepare(
    pool: &Pool,
    server: &Server,
    master_key: &MasterKey,
) -> Result<(), OpenError> {
    let explained = |failure: Failure| explain(server, &failure);
    let mut client = pool.get().await.map_err(|error| explained(error.into()))?;
    let transaction = client.transaction().await.map_err(|error| explained(error.into()))?;
    lock(&transaction).await.map_err(|error| explained(error.into()))?;
    let version = if examine(&transaction, server).await? {
        0
    } else {
        check(&transaction, server, master_key).await?
    };
    migrations::migrate(&transaction, version, master_key).await.map_err(explained)?;
    transaction.commit().await.map_err(|error| explained(error.into()))
}

/// Waits until no other node makes or changes tables; until the transaction ends, none does.
async fn lock(transaction: &Transaction<'_>) -> Result<(), tokio_postgres::Error> {
    let patience = "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '60s'";
    transaction.batch_execute(patience).await?;
    transaction.execute("SELECT pg_advisory_xact_lock($1)", &[&LOCK]).await.map(drop)
}

/// Whether the database has nothing in it yet, if this program may use it.
async fn examine(transaction: &Transaction<'_>, server: &Server) -> Result<bool, OpenError> {
    let here = || server.clone();
    // What an extension brought belongs to no program.
    let sql = "SELECT current_setting('server_version_num')::integer / 10000,
                      current_setting('server_encoding'),
                      pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean,
                      to_regclass('portico') IS NOT NULL,
                      EXISTS (SELECT FROM pg_class
                              WHERE relnamespace = current_schema()::regnamespace
                                  AND relkind IN ('r', 'p')
                                  AND NOT EXISTS (SELECT FROM pg_depend
                                                  WHERE objid = pg_class.oid AND deptype = 'e'))";
    let row = transaction.query_one(sql, &[]).await;
    let row = row.map_err(|error| explain(server, &error.into()))?;
    let (version, encoding): (i32, String) = (row.get(0), row.get(1));
    if version < 13 {
        return Err(OpenError::OldServer { server: here(), found: version });
    }
    if encoding != "UTF8" {
        return Err(OpenError::Encoding { server: here(), found: encoding });
    }
    if row.get(2) {
        return Err(OpenError::ReadOnly { server: here() });
    }
    match (row.get(3), row.get(4)) {
        (true, _) => Ok(false),
        (false, false) => Ok(true),
        (false, true) => Err(OpenError::AnotherProgram { server: here() }),
    }
}

/// The version of a database that is there, if this program may open it.
async fn check(
    transaction: &Transaction<'_>,
    server: &Server,
    master_key: &MasterKey,
) -> Result<usize, OpenError> {
    let here = || server.clone();
    let sql = "SELECT version, master_key_check FROM portico";
    let row = match transaction.query_opt(sql, &[]).await {
        Ok(Some(row)) => row,
        // Another program's table of our name has other columns, or nothing in it.
        Ok(None) => return Err(OpenError::AnotherProgram { server: here() }),
        Err(error) if error.code().is_some_and(|code| code.code() == "42703") => {
            return Err(OpenError::AnotherProgram { server: here() });
        }
        Err(error) => return Err(explain(server, &error.into())),
    };
    let unlike = |_| OpenError::AnotherProgram { server: here() };
    let version: i32 = row.try_get(0).map_err(unlike)?;
    let sealed: &[u8] = row.try_get(1).map_err(unlike)?;
    let (found, known) = (usize::try_from(version).unwrap_or(0), migrations::NEWEST);
    if found > known {
        return Err(OpenError::Newer { server: here(), found, known });
    }
    if !master_key_check::passes(master_key, sealed) {
        return Err(OpenError::AnotherMasterKey { server: here() });
    }
    Ok(found)
}

/// A failure while opening, in the operator's words.
fn explain(server: &Server, failure: &Failure) -> OpenError {
    let server = server.clone();
    match failure {
        Failure::Postgres(error) => {
            let kind = Kind::of(error).map(FailureKind);
            OpenError::Refused { server, cause: words(error), kind }
        }
        other => OpenError::Refused { server, cause: other.to_string(), kind: None },
    }
}
