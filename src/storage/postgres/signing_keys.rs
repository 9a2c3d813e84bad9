//! The keys that Portico signs tokens with.

use async_trait::async_trait;
use deadpool_postgres::GenericClient;

use super::{
    PostgresStore, Stop,
    columns::{Columns, Moment, place},
    execute,
    failure::Failure,
    query,
};
use crate::{
    domain::master_key::MasterKey,
    ports::{
        Unavailable,
        store::{SigningKey, SigningKeys},
    },
};

const ALL: &str = "SELECT kid, pkcs8, created_at FROM signing_key ORDER BY created_at DESC, kid";

#[async_trait]
impl SigningKeys for PostgresStore {
    async fn list_signing_keys(&self) -> Result<Vec<SigningKey>, Unavailable> {
        let read = |columns: &mut Columns<'_>| read(columns, &self.master_key);
        self.all("reading the signing keys", ALL, &[], read).await
    }

    async fn insert_first_signing_key(&self, key: &SigningKey) -> Result<SigningKey, Unavailable> {
        let kept =
            transact!(self, transaction => insert_first(&transaction, key, &self.master_key).await);
        let kept = kept.map_err(Stop::into_failure);
        kept.map_err(Unavailable::while_doing("keeping a signing key"))
    }
}

/// The table's lock makes of two nodes that both find none the second see the first one's key.
async fn insert_first(
    client: &impl GenericClient,
    key: &SigningKey,
    master_key: &MasterKey,
) -> Result<SigningKey, Failure> {
    client.batch_execute("LOCK TABLE signing_key IN SHARE ROW EXCLUSIVE MODE").await?;
    let sealed = master_key.seal(&place_of(&key.kid), key.pkcs8.expose().as_bytes());
    let sql = "INSERT INTO signing_key (kid, pkcs8, created_at)
               SELECT $1::text, $2::bytea, $3::timestamptz
               WHERE NOT EXISTS (SELECT FROM signing_key)";
    execute(client, sql, &[&key.kid, &sealed, &Moment(key.created_at)]).await?;
    let rows = query(client, ALL, &[]).await?;
    let newest = rows.first().ok_or_else(|| Failure::damaged("a key was kept and is gone"))?;
    read(&mut Columns::of(newest), master_key)
}

fn read(columns: &mut Columns<'_>, master_key: &MasterKey) -> Result<SigningKey, Failure> {
    let kid: String = columns.read()?;
    Ok(SigningKey {
        pkcs8: columns.open(master_key, &place_of(&kid))?,
        created_at: columns.read::<Moment>()?.0,
        kid,
    })
}

fn place_of(kid: &str) -> String {
    place("signing_key/pkcs8", kid.as_bytes())
}
