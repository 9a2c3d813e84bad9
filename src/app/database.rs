//! Where what the service knows is kept: in a file, or in PostgreSQL.

use std::sync::Arc;

use super::StartError;
use crate::{
    config::{Config, Place, PostgresUrl},
    domain::master_key::MasterKey,
    ports::{
        logins::Logins,
        store::{SessionRecords, Store},
    },
    storage::{
        postgres::{PostgresServer, PostgresStore},
        sqlite::SqliteStore,
    },
};

/// The database that the configuration names.
pub(super) struct Database {
    /// What the stories use.
    pub(super) store: Arc<dyn Store>,
    /// Sign-ins under way, where they are not in Redis.
    pub(super) logins: Arc<dyn Logins>,
    /// Sessions at rest, where they are not in Redis.
    pub(super) sessions: Arc<dyn SessionRecords>,
    /// What its secrets are sealed under.
    pub(super) master_key: Arc<MasterKey>,
    postgres: Option<Arc<PostgresStore>>,
}

impl Database {
    /// Opens it for a service, brought to this version.
    pub(super) async fn open(config: &Config) -> Result<Self, StartError> {
        match config.database.place() {
            Place::File(path) => {
                let master_key = Arc::new(config.master_key_source().load_or_create()?);
                Ok(Self::of(SqliteStore::open(path, master_key.clone())?, master_key))
            }
            Place::Postgres(url) => Self::open_postgres(config, url).await,
        }
    }

    /// Opens it for a command that is over soon, also beside a service that runs.
    pub(super) async fn open_beside(config: &Config) -> Result<Self, StartError> {
        match config.database.place() {
            Place::File(path) => {
                let master_key = Arc::new(config.master_key_source().load_or_create()?);
                Ok(Self::of(SqliteStore::open_beside(path, master_key.clone())?, master_key))
            }
            Place::Postgres(url) => Self::open_postgres(config, url).await,
        }
    }

    /// A master key is made only for a database that has nothing in it.
    async fn open_postgres(config: &Config, url: &PostgresUrl) -> Result<Self, StartError> {
        let most_connections = config.database.max_connections();
        let server = PostgresServer::reach(url.server(), most_connections).await?;
        let source = config.master_key_source();
        let master_key =
            if server.is_empty() { source.load_or_create()? } else { source.load()? };
        let master_key = Arc::new(master_key);
        let store = Arc::new(server.open(master_key.clone()).await?);
        Ok(Self {
            store: store.clone(),
            logins: store.clone(),
            sessions: store.clone(),
            master_key,
            postgres: Some(store),
        })
    }

    fn of(sqlite: SqliteStore, master_key: Arc<MasterKey>) -> Self {
        let store = Arc::new(sqlite);
        Self {
            store: store.clone(),
            logins: store.clone(),
            sessions: store,
            master_key,
            postgres: None,
        }
    }

    /// Says so in the log if another node keeps sessions of this database in its memory: neither
    /// knows those of the other.
    pub(super) async fn warn_of_another_node(&self) -> Result<(), StartError> {
        if let Some(postgres) = &self.postgres
            && !postgres.claim_sessions().await?
        {
            tracing::warn!(
                "another Portico uses this database; each knows only the sessions that began at \
                 it: name a Redis for both in redis.url"
            );
        }
        Ok(())
    }
}
