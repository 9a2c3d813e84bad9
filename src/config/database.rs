//! `[database]`

use std::{
    fmt,
    net::IpAddr,
    path::{Path, PathBuf},
    str::FromStr,
};

use serde::{Deserialize, Serialize, Serializer};
use tokio_postgres::config::{Host, SslMode};

use super::{reading::Section, value::Whole};
use crate::domain::secret::Secret;

/// `[database]`: where the service keeps what it knows, a file or a PostgreSQL database.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, into = "InForce")]
pub struct Database {
    /// The SQLite file; made, with its folder, where it is missing. Two more files lie beside it
    /// while the service runs. Default `./data/portico.db`, from the folder the service starts in;
    /// none with [`url`](Self::url).
    pub path: Option<PathBuf>,
    /// The PostgreSQL database, instead of a file: `postgres://user@127.0.0.1:5432/portico`.
    /// Default: none.
    pub url: Option<PostgresUrl>,
    /// Open connections to PostgreSQL at most, 2 to 1000; a file has no use for them. Default 16.
    pub max_connections: Whole<2, 1000>,
}

/// Where a database is.
#[derive(Clone, Copy, Debug)]
pub enum Place<'a> {
    /// In this SQLite file.
    File(&'a Path),
    /// In PostgreSQL.
    Postgres(&'a PostgresUrl),
}

/// Where the database is if nothing says otherwise.
pub(super) const FILE: &str = "./data/portico.db";

impl Default for Database {
    fn default() -> Self {
        Self { path: None, url: None, max_connections: Whole::new(16) }
    }
}

impl Database {
    /// Where it is.
    pub fn place(&self) -> Place<'_> {
        match (&self.url, &self.path) {
            (Some(url), _) => Place::Postgres(url),
            (None, Some(path)) => Place::File(path),
            (None, None) => Place::File(Path::new(FILE)),
        }
    }

    /// Open connections to PostgreSQL at most.
    pub fn max_connections(&self) -> usize {
        self.max_connections.get() as usize
    }
}

/// The section as it is shown: with the file that is used if none is named.
#[derive(Serialize)]
struct InForce {
    path: Option<PathBuf>,
    url: Option<PostgresUrl>,
    max_connections: Whole<2, 1000>,
}

impl From<Database> for InForce {
    fn from(database: Database) -> Self {
        let path = match database.place() {
            Place::File(path) => Some(path.to_owned()),
            Place::Postgres(_) => None,
        };
        Self { path, url: database.url, max_connections: database.max_connections }
    }
}

impl Section for Database {
    const NAME: &'static str = "database";
    const MASKED: &'static [&'static str] = &["url"];

    fn contradiction(&self) -> Option<&'static str> {
        match (&self.path, &self.url) {
            (Some(_), Some(_)) => Some(
                "database.path and database.url are both set: a file, or a PostgreSQL database",
            ),
            (Some(path), None) if path.file_name().is_none() => {
                Some("database.path must name a file")
            }
            _ => None,
        }
    }
}

/// The address of a PostgreSQL database, which may hold a password: shown without it.
///
/// TLS is required unless the server is on this machine (a socket, or loopback) or `sslmode` says
/// otherwise; where there is TLS, the server's certificate is verified.
#[derive(Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct PostgresUrl {
    written: Secret,
    server: tokio_postgres::Config,
}

/// A text is not a [`PostgresUrl`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAPostgresUrl {
    /// It is something else.
    #[error(
        "must be like postgres://user:password@db.example.com:5432/portico, or \
         postgres://user@/portico?host=/run/postgresql for a socket"
    )]
    Address,
    /// It asks for a kind of TLS that protects nobody.
    #[error(
        "may end in ?sslmode=require (TLS, the certificate verified) or ?sslmode=disable, nothing \
         between"
    )]
    SslMode,
}

impl PostgresUrl {
    /// What the client connects to.
    pub fn server(&self) -> tokio_postgres::Config {
        self.server.clone()
    }
}

impl FromStr for PostgresUrl {
    type Err = NotAPostgresUrl;

    fn from_str(text: &str) -> Result<Self, NotAPostgresUrl> {
        let (address, parameters) = text.split_once('?').unwrap_or((text, ""));
        let is_one = SCHEMES.iter().any(|scheme| address.starts_with(scheme))
            && address.matches('@').count() <= 1
            && !parameters.contains(['@', '#']);
        let (modes, others): (Vec<_>, Vec<_>) = parameters
            .split('&')
            .filter(|parameter| !parameter.is_empty())
            .partition(|parameter| parameter.starts_with("sslmode="));
        // A password there would be shown.
        let is_plain =
            |name: &str| !name.contains('%') && !matches!(name, "user" | "password" | "dbname");
        let names = others.iter().filter_map(|parameter| parameter.split('=').next());
        if !is_one || !names.into_iter().all(is_plain) {
            return Err(NotAPostgresUrl::Address);
        }
        let server: tokio_postgres::Config = format!("{address}?{}", others.join("&"))
            .parse()
            .map_err(|_| NotAPostgresUrl::Address)?;
        if server.get_hosts().is_empty() || server.get_dbname().is_none() {
            return Err(NotAPostgresUrl::Address);
        }
        let mode = modes.last().and_then(|mode| mode.split('=').nth(1));
        Self::secured(text, server, mode)
    }
}

/// What an address begins with.
const SCHEMES: [&str; 2] = ["postgres://", "postgresql://"];

impl PostgresUrl {
    fn secured(
        text: &str,
        mut server: tokio_postgres::Config,
        mode: Option<&str>,
    ) -> Result<Self, NotAPostgresUrl> {
        let mode = match mode {
            None if server.get_hosts().iter().all(is_this_machine) => SslMode::Disable,
            None | Some("require" | "verify-full") => SslMode::Require,
            Some("disable") => SslMode::Disable,
            Some(_) => return Err(NotAPostgresUrl::SslMode),
        };
        server.ssl_mode(mode);
        Ok(Self { written: Secret::new(text), server })
    }
}

fn is_this_machine(host: &Host) -> bool {
    match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => {
            name == "localhost" || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
        }
    }
}

impl TryFrom<String> for PostgresUrl {
    type Error = NotAPostgresUrl;

    fn try_from(text: String) -> Result<Self, NotAPostgresUrl> {
        text.parse()
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Postgres(url) => url.fmt(f),
        }
    }
}

impl fmt::Display for PostgresUrl {
    /// With asterisks in the place of the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.written.expose();
        let (scheme, rest) = text.split_once("://").unwrap_or_default();
        match rest.split_once('@').map(|(who, place)| (who.split_once(':'), place)) {
            Some((Some((user, _)), place)) => write!(f, "{scheme}://{user}:********@{place}"),
            _ => f.write_str(text),
        }
    }
}

impl fmt::Debug for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgresUrl({self})")
    }
}

impl Serialize for PostgresUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
