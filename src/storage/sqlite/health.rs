//! A word from the database itself.

use async_trait::async_trait;

use super::SqliteStore;
use crate::ports::{Unavailable, store::Health};

#[async_trait]
impl Health for SqliteStore {
    /// A real write: a full disk shows in nothing less. SQLite spares itself one that changes
    /// nothing, so each is another.
    async fn ping(&self) -> Result<(), Unavailable> {
        self.write("asking the database for a sign of life", |connection| {
            let sql = "INSERT OR REPLACE INTO meta (name, value) VALUES ('ping', randomblob(8))";
            connection.prepare_cached(sql)?.execute([]).map(drop)
        })
        .await
    }
}
