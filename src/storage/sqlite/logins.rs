//! Sign-ins under way.

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::{
    SqliteStore,
    columns::{Columns, Count, Moment, place},
};
use crate::{
    domain::{
        id::OrganizationId,
        login_transaction::LoginTransaction,
        master_key::MasterKey,
        return_to::ReturnTo,
        secret::{Secret, SecretDigest},
    },
    ports::{
        FORGOTTEN_AT_ONCE, Unavailable,
        logins::{
            ARRIVAL_REMEMBERED, Arrival, Logins, MOST_OF_A_BROWSER, MOST_OF_AN_ORGANIZATION,
            RecentLogins,
        },
    },
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
            delete_oldest_of_browser(connection, &login.browser)?;
            delete_oldest_of_organization(connection, login.organization_id)
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
                           (SELECT rowid FROM login WHERE expires_at < ? LIMIT ?)";
            let bounds = params![Moment(now), Count(FORGOTTEN_AT_ONCE)];
            Ok(connection.prepare_cached(sql)?.execute(bounds)? as u64)
        })
        .await
    }

    /// Also forgets some of those that are a minute old, which keeps the table small.
    async fn insert_arrival(&self, arrival: &Arrival<'_>) -> Result<(), Unavailable> {
        let (browser, return_to) = (*arrival.browser, arrival.return_to.clone());
        let (begun_at, at) = (arrival.begun_at, arrival.at);
        self.write("remembering an arrival", move |connection| {
            let sql = "DELETE FROM arrival WHERE rowid IN
                           (SELECT rowid FROM arrival WHERE at < ? LIMIT 100)";
            connection.prepare_cached(sql)?.execute([Moment(at - ARRIVAL_REMEMBERED)])?;
            let sql = "INSERT INTO arrival (browser, return_to, begun_at, at) VALUES (?, ?, ?, ?)";
            let arrived = params![browser, return_to, Moment(begun_at), Moment(at)];
            connection.prepare_cached(sql)?.execute(arrived).map(drop)
        })
        .await
    }

    async fn count_recent(
        &self,
        browser: &SecretDigest,
        return_to: &ReturnTo,
        since: Timestamp,
    ) -> Result<RecentLogins, Unavailable> {
        self.read("counting recent logins", |connection| {
            let sql = "SELECT (SELECT count(*) FROM login
                               WHERE browser = ?1 AND return_to = ?2 AND created_at >= ?3),
                              (SELECT count(*) FROM arrival
                               WHERE browser = ?1 AND return_to = ?2 AND at >= ?3),
                              EXISTS (SELECT 1 FROM arrival AS one JOIN arrival AS other
                                          USING (browser, return_to)
                                      WHERE browser = ?1 AND return_to = ?2
                                        AND one.at >= ?3 AND other.at >= ?3
                                        AND one.rowid < other.rowid
                                        AND one.begun_at < other.at
                                        AND other.begun_at < one.at)";
            let mut statement = connection.prepare_cached(sql)?;
            statement.query_row(params![browser, return_to, Moment(since)], |row| {
                let mut columns = Columns::of(row);
                let open = columns.read::<Count>()?.0;
                let arrived = columns.read::<Count>()?.0;
                Ok(RecentLogins { open, arrived, side_by_side: columns.read()? })
            })
        })
    }

    async fn forget_arrivals(&self, browser: &SecretDigest) -> Result<(), Unavailable> {
        let browser = *browser;
        self.write("forgetting arrivals", move |connection| {
            let sql = "DELETE FROM arrival WHERE browser = ?";
            connection.prepare_cached(sql)?.execute([browser]).map(drop)
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

/// Keeps [`MOST_OF_A_BROWSER`]. Row numbers ascend, so they tell which came first also where the
/// clock does not.
fn delete_oldest_of_browser(
    connection: &Connection,
    browser: &SecretDigest,
) -> rusqlite::Result<()> {
    let sql = "DELETE FROM login WHERE rowid IN
                   (SELECT rowid FROM login WHERE browser = ? ORDER BY rowid DESC
                    LIMIT -1 OFFSET ?)";
    let kept = params![browser, Count(MOST_OF_A_BROWSER)];
    connection.prepare_cached(sql)?.execute(kept).map(drop)
}

/// Keeps [`MOST_OF_AN_ORGANIZATION`]. How many there are stands with the organization; the triggers on `login` keep it.
fn delete_oldest_of_organization(
    connection: &Connection,
    organization_id: OrganizationId,
) -> rusqlite::Result<()> {
    let sql = "DELETE FROM login WHERE rowid IN
                   (SELECT rowid FROM login WHERE organization_id = ?1 ORDER BY rowid
                    LIMIT (SELECT max(open_logins - ?2, 0) FROM organization WHERE id = ?1))";
    let kept = params![organization_id, Count(MOST_OF_AN_ORGANIZATION)];
    connection.prepare_cached(sql)?.execute(kept).map(drop)
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
