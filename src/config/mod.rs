//! The configuration: one TOML file, over it the environment, over that the command line's flags.
//!
//! A key `path` of the section `[database]` is `PORTICO_DATABASE__PATH` in the environment. What an
//! administrator changes (connectors, roles, rules) is data and does not stand here.
//!
//! # Why
//! Every key is read on its own before its section is, so that one start names every mistake of a
//! file instead of the first. The keys that exist are those of the sections' structs: nothing
//! repeats them, and a test holds `example.toml` against them.

mod database;
mod listen;
mod log;
mod master_key;
mod origin;
mod outbound;
mod pages;
mod proxies;
mod reading;
mod redis;
mod return_to;
mod scim;
mod sessions;
mod value;

use std::iter;

use serde::Serialize;
use serde_json::Value;

use self::reading::Reader;
pub use self::{
    database::{Database, NotAPostgresUrl, Place, PostgresUrl},
    listen::{Address, Listen},
    log::{Log, LogFilter, LogFormat},
    master_key::{MasterKeyError, MasterKeySection, MasterKeySource},
    origin::{NotAnOrigin, Origin, PublicUrl},
    outbound::{LoopbackAuthority, NotALoopbackAuthority, Outbound},
    pages::Pages,
    proxies::{Network, NotANetwork, Proxies},
    reading::{Problems, Sources},
    redis::{NotARedisUrl, Redis, RedisUrl},
    return_to::ReturnTo,
    scim::Scim,
    sessions::Sessions,
    value::{List, Whole},
};

/// What the operator decides before the service starts.
#[derive(Clone, Debug, Serialize)]
pub struct Config {
    /// The address that people's browsers, identity providers and apps reach Portico under. Required.
    pub public_url: PublicUrl,
    /// Where it listens and how much it carries.
    pub listen: Listen,
    /// Where it keeps what it knows.
    pub database: Database,
    /// The key that secrets at rest are sealed under.
    pub master_key: MasterKeySection,
    /// How long a sign-in lasts.
    pub sessions: Sessions,
    /// Where sessions are kept, if not in the database.
    pub redis: Redis,
    /// Whose word about the caller's address counts.
    pub proxies: Proxies,
    /// Where a sign-in may end besides Portico itself.
    pub return_to: ReturnTo,
    /// How directories are let in.
    pub scim: Scim,
    /// What outgoing requests may reach besides public hosts.
    pub outbound: Outbound,
    /// What pages say.
    pub pages: Pages,
    /// What the log says, and how.
    pub log: Log,
}

impl Config {
    /// Every key at its default.
    pub fn with_defaults(public_url: PublicUrl) -> Self {
        Self {
            public_url,
            listen: Listen::default(),
            database: Database::default(),
            master_key: MasterKeySection::default(),
            sessions: Sessions::default(),
            redis: Redis::default(),
            proxies: Proxies::default(),
            return_to: ReturnTo::default(),
            scim: Scim::default(),
            outbound: Outbound::default(),
            pages: Pages::default(),
            log: Log::default(),
        }
    }

    /// The configuration that `sources` add up to.
    ///
    /// # Errors
    /// Every unknown key, value out of bounds and contradiction at once, a line each.
    pub fn load(sources: Sources) -> Result<Self, Problems> {
        let mut reader = Reader::open(sources)?;
        let public_url = reader.required("public_url", "https://login.example.com");
        Ok(Self {
            listen: reader.section(),
            database: reader.section(),
            master_key: reader.section(),
            sessions: reader.section(),
            redis: reader.section(),
            proxies: reader.section(),
            return_to: reader.section(),
            scim: reader.section(),
            outbound: reader.section(),
            pages: reader.section(),
            log: reader.section(),
            public_url: reader.finish(public_url)?,
        })
    }

    /// A `portico.toml` that explains every key and shows its default.
    pub const fn example() -> &'static str {
        include_str!("example.toml")
    }

    /// The configuration in force as a `portico.toml`, secrets masked.
    pub fn masked(&self) -> String {
        let (sections, above): (Vec<_>, Vec<_>) =
            value::keys(self).into_iter().partition(|(_, value)| value.is_object());
        let section = |(name, keys): (String, Value)| {
            let keys = keys.as_object().into_iter().flatten();
            iter::once(format!("\n[{name}]\n"))
                .chain(keys.map(|(key, value)| line(key, value)))
                .collect::<String>()
        };
        let above = above.iter().map(|(key, value)| line(key, value));
        above.chain(sections.into_iter().map(section)).collect()
    }

    /// Where the master key comes from: the environment, the named file, or `master.key` beside
    /// the database; where that is no file, in `./data`.
    pub fn master_key_source(&self) -> MasterKeySource {
        let database = match self.database.place() {
            Place::File(path) => Some(path.to_owned()),
            Place::Postgres(_) => None,
        };
        let beside = || {
            let file = database.clone().unwrap_or_else(|| database::FILE.into());
            file.with_file_name("master.key")
        };
        match &self.master_key.value {
            Some(value) => MasterKeySource::Value(value.clone()),
            None => MasterKeySource::File {
                path: self.master_key.file.clone().unwrap_or_else(beside),
                database,
            },
        }
    }
}

/// One key in TOML, whose texts, numbers and lists are written as JSON writes them.
fn line(key: &str, value: &Value) -> String {
    if value.is_null() { format!("# {key} is not set\n") } else { format!("{key} = {value}\n") }
}

#[cfg(test)]
mod tests;
