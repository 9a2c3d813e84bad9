//! Sign-ins under way.

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::{
    SqliteStore,
    columns::{Columns, Moment, place},
};
use crate::{
    domain::{
        login_transaction::LoginTransaction,
        master_key::MasterKey,
        secret::{Secret, SecretDigest},
    },
    ports::{Unavailable, logins::Logins},
};

const COLUMNS: &str = "organization_id, connector_id, state, browser, nonce, code_verifier, \
     redirect_uri, max_age, return_to, created_at, expires_at";

#[async_trait]
impl Logins for SqliteStore {
    async fn insert_login(&self, login: &LoginTransaction) -> Result<(), Unavailable> {
        let login = login.clone();
        let seal = |column, secret: &Secret| {
            self.master_key.seal(&place(column, login.state.as_bytes()), secret.expose().as_bytes())
        };
        let nonce = seal(NONCE, &login.nonce);
        let code_verifier = seal(CODE_VERIFIER, &login.code_verifier);
        self.write("beginning a login", move |connection| {
            insert(connection, &login, &nonce, &code_verifier)?;
            delete_beyond_64(connection, &login.browser)
        })
        .await
    }

    async fn take_login(
        &self,
        state: &SecretDigest,
        now: Timestamp,
    ) -> Result<Option<LoginTransaction>, Unavailable> {
        let (state, master_key) = (*state, self.master_key.clone());
        self.write("taking a login", move |connection| {
            let sql =
                format!("DELETE FROM login WHERE state = ? AND expires_at > ? RETURNING {COLUMNS}");
            let mut statement = connection.prepare_cached(&sql)?;
            let taken = params![state, Moment(now)];
            statement.query_row(taken, |row| read(row, &master_key)).optional()
        })
        .await
    }

    async fn delete_expired_logins(&self, now: Timestamp) -> Result<u64, Unavailable> {
        self.write("forgetting expired logins", move |connection| {
            let sql = "DELETE FROM login WHERE rowid IN
                           (SELECT rowid FROM login WHERE expires_at < ? LIMIT 1000)";
            Ok(connection.prepare_cached(sql)?.execute([Moment(now)])? as u64)
        })
        .await
    }
}

const NONCE: &str = "login/nonce";
const CODE_VERIFIER: &str = "login/code_verifier";

fn insert(
    connection: &Connection,
    login: &LoginTransaction,
    nonce: &[u8],
    code_verifier: &[u8],
) -> rusqlite::Result<()> {
    let sql = format!("INSERT INTO login ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    let inserted = connection.prepare_cached(&sql)?.execute(params![
        login.organization_id,
        login.connector_id,
        login.state,
        login.browser,
        nonce,
        code_verifier,
        login.redirect_uri,
        login.max_age,
        login.return_to,
        Moment(login.created_at),
        Moment(login.expires_at),
    ]);
    inserted.map(drop)
}

/// Row numbers ascend, so they tell which came first also where the clock does not.
fn delete_beyond_64(connection: &Connection, browser: &SecretDigest) -> rusqlite::Result<()> {
    let sql = "DELETE FROM login WHERE rowid IN
                   (SELECT rowid FROM login WHERE browser = ? ORDER BY rowid DESC
                    LIMIT -1 OFFSET 64)";
    connection.prepare_cached(sql)?.execute([browser]).map(drop)
}

fn read(row: &Row<'_>, master_key: &MasterKey) -> rusqlite::Result<LoginTransaction> {
    let mut columns = Columns::of(row);
    let organization_id = columns.read()?;
    let connector_id = columns.read()?;
    let state: SecretDigest = columns.read()?;
    let place = |column| place(column, state.as_bytes());
    Ok(LoginTransaction {
        organization_id,
        connector_id,
        state,
        browser: columns.read()?,
        nonce: columns.open(master_key, &place(NONCE))?,
        code_verifier: columns.open(master_key, &place(CODE_VERIFIER))?,
        redirect_uri: columns.read()?,
        max_age: columns.read()?,
        return_to: columns.read()?,
        created_at: columns.read::<Moment>()?.0,
        expires_at: columns.read::<Moment>()?.0,
    })
}
