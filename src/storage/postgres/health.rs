//! A word from the database itself.

use async_trait::async_trait;

use super::PostgresStore;
use crate::ports::{Unavailable, store::Health};

#[async_trait]
impl Health for PostgresStore {
    /// A real write: a full disk, or a server that has become a standby, shows in nothing less.
    async fn ping(&self) -> Result<(), Unavailable> {
        let sql = "UPDATE portico SET pinged_at = clock_timestamp()";
        self.write("asking the database for a sign of life", sql, &[]).await.map(drop)
    }
}
