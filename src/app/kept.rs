//! Where sessions and sign-ins under way are kept: in the database, or in Redis.

use std::{sync::Arc, time::Duration};

use super::{StartError, database::Database};
use crate::{
    config::Config,
    domain::clock::Clock,
    ports::{Ports, Unavailable, logins::Logins, sessions::Sessions},
    service::access,
    sessions::{
        embedded::EmbeddedSessions,
        redis::{Redis, RedisLogins, RedisSessions},
    },
};

/// How soon after a failure Redis is tried again.
const REDIS_TRIED_EVERY: Duration = Duration::from_millis(100);

/// One failure of so many in a row is logged: one in half a minute, or less often.
const LOGGED_FAILURE: u32 = 300;

/// Where the sessions are, for what only their owner does.
#[derive(Clone)]
pub(super) enum SessionAdapter {
    /// In this process's memory, and in the database.
    Embedded(Arc<EmbeddedSessions>),
    /// In Redis.
    Redis(Arc<Redis>),
}

/// What is kept in the database, or in Redis where the configuration names one.
pub(super) struct Kept {
    /// Sign-ins under way.
    pub(super) logins: Arc<dyn Logins>,
    /// Who is signed in.
    pub(super) sessions: Arc<dyn Sessions>,
    /// The same, for its owner.
    pub(super) adapter: SessionAdapter,
}

impl Kept {
    /// Opens what the configuration names; Redis is not reached yet.
    pub(super) async fn open(
        config: &Config,
        clock: &Clock,
        database: &Database,
    ) -> Result<Self, StartError> {
        let Some(url) = &config.redis.url else {
            let records = database.sessions.clone();
            let sessions = Arc::new(EmbeddedSessions::open(records, clock.now()).await?);
            let adapter = SessionAdapter::Embedded(sessions.clone());
            return Ok(Self { logins: database.logins.clone(), sessions, adapter });
        };
        let master_key = &database.master_key;
        let redis = Redis::new(url.expose(), config.redis.prefix.clone());
        let redis = Arc::new(redis.map_err(StartError::RedisUrl)?);
        Ok(Self {
            logins: Arc::new(RedisLogins::new(redis.clone(), master_key.clone())),
            sessions: Arc::new(RedisSessions::new(redis.clone(), master_key.clone())),
            adapter: SessionAdapter::Redis(redis),
        })
    }
}

/// Connects to Redis, and has its sessions follow what changed of late before any is accepted.
pub(super) async fn reach(ports: &Ports, redis: &Redis) -> Result<(), Unavailable> {
    let connected = redis.reconnect().await?;
    access::catch_up(ports).await?;
    redis.resume(connected);
    Ok(())
}

/// Reaches Redis anew whenever something has failed there.
pub(super) async fn watch(ports: Ports, redis: Arc<Redis>) {
    let mut failures = 0_u32;
    loop {
        redis.interrupted().await;
        match reach(&ports, &redis).await {
            Ok(()) => {
                failures = 0;
                tracing::info!("Redis answers, and its sessions are up to date");
            }
            Err(unavailable) => {
                if failures.is_multiple_of(LOGGED_FAILURE) {
                    tracing::error!(%unavailable, "nobody can be signed in until this is mended");
                }
                failures += 1;
                tokio::time::sleep(REDIS_TRIED_EVERY).await;
            }
        }
    }
}
