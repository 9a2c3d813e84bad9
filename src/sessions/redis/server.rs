//! How a Redis is set up: whether it keeps what it is told.

use redis::{InfoDict, aio::MultiplexedConnection};

use super::link::{away, unavailable};
use crate::ports::Unavailable;

/// What to tell the operator of a Redis that does not.
pub(super) const FORGETFUL: &str = "Redis may bring sessions back that have ended, or lose them, \
    when it starts again: it does not write down what it is told. Say CONFIG SET appendonly yes \
    to it, and write that into its configuration";

/// It removes keys when its memory is full.
#[derive(Debug, thiserror::Error)]
#[error(
    "Redis removes keys when its memory is full, and so loses track of sessions that must end: its \
     maxmemory-policy is {0}. Say CONFIG SET maxmemory-policy noeviction to it, and write that into \
     its configuration"
)]
struct Evicts(String);

/// Whether it may lose what it was told, when it ends; an error if it may at any time.
///
/// What it does not tell of itself is taken for good.
pub(super) async fn is_forgetful(
    connection: &mut MultiplexedConnection,
) -> Result<bool, Unavailable> {
    const DOING: &str = "connecting";
    let told = redis::cmd("INFO").query_async::<InfoDict>(connection).await;
    let told = match told {
        Err(error) if error.is_io_error() => return Err(unavailable(DOING, error)),
        Err(error) => {
            tracing::warn!(%error, "Redis does not tell how it is set up");
            return Ok(false);
        }
        Ok(told) => told,
    };
    let policy = told.get::<String>("maxmemory_policy");
    match policy.filter(|policy| policy != "noeviction") {
        Some(policy) => Err(away(DOING, Evicts(policy))),
        None => Ok(told.get::<String>("aof_enabled").is_some_and(|enabled| enabled == "0")),
    }
}
