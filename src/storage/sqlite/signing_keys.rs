//! The keys that Portico signs tokens with.

use async_trait::async_trait;
use rusqlite::{Connection, params};

use super::{
    SqliteStore,
    columns::{Columns, Moment, place},
};
use crate::{
    domain::master_key::MasterKey,
    ports::{
        Unavailable,
        store::{SigningKey, SigningKeys},
    },
};

#[async_trait]
impl SigningKeys for SqliteStore {
    async fn list_signing_keys(&self) -> Result<Vec<SigningKey>, Unavailable> {
        self.read("reading the signing keys", |connection| list(connection, &self.master_key))
    }

    async fn insert_first_signing_key(&self, key: &SigningKey) -> Result<SigningKey, Unavailable> {
        let key = key.clone();
        let sealed = self.master_key.seal(&place_of(&key.kid), key.pkcs8.expose().as_bytes());
        let master_key = self.master_key.clone();
        self.write("keeping a signing key", move |connection| {
            connection.execute(
                "INSERT INTO signing_key (kid, pkcs8, created_at)
                 SELECT ?, ?, ? WHERE NOT EXISTS (SELECT 1 FROM signing_key)",
                params![key.kid, sealed, Moment(key.created_at)],
            )?;
            let newest = list(connection, &master_key)?.into_iter().next();
            newest.ok_or(rusqlite::Error::QueryReturnedNoRows)
        })
        .await
    }
}

fn list(connection: &Connection, master_key: &MasterKey) -> rusqlite::Result<Vec<SigningKey>> {
    let sql = "SELECT kid, pkcs8, created_at FROM signing_key ORDER BY created_at DESC, kid";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([], |row| {
        let mut columns = Columns::of(row);
        let kid: String = columns.read()?;
        Ok(SigningKey {
            pkcs8: columns.open(master_key, &place_of(&kid))?,
            created_at: columns.read::<Moment>()?.0,
            kid,
        })
    })?;
    rows.collect()
}

fn place_of(kid: &str) -> String {
    place("signing_key/pkcs8", kid.as_bytes())
}
