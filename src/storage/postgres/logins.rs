//! Sign-ins under way.

use async_trait::async_trait;
use jiff::Timestamp;
use tokio_postgres::types::ToSql;

use super::{
    PostgresStore, Values,
    columns::{Columns, Count, Moment, place},
    failure::Failure,
};
use crate::{
    domain::{
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

const NONCE: &str = "login/nonce";
const CODE_VERIFIER: &str = "login/code_verifier";

#[async_trait]
impl Logins for PostgresStore {
    /// Those too many are dropped by a statement of its own: only what is committed is counted, and
    /// the last to begin counts all.
    async fn insert_login(&self, login: &LoginTransaction) -> Result<(), Unavailable> {
        const DOING: &str = "beginning a login";
        let seal = |column, secret: &Secret| {
            self.master_key.seal(&place(column, login.state.as_bytes()), secret.expose().as_bytes())
        };
        let sql = format!(
            "INSERT INTO login ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
        );
        let values: &Values<'_> = &[
            &login.organization_id,
            &login.connector_id,
            &login.state,
            &login.browser,
            &seal(NONCE, &login.nonce),
            &seal(CODE_VERIFIER, &login.code_verifier),
            &login.redirect_uri,
            &login.max_age.map(i64::from),
            &login.return_to,
            &Moment(login.created_at),
            &Moment(login.expires_at),
        ];
        self.write(DOING, &sql, values).await?;
        let too_many: &Values<'_> = &[
            &login.browser,
            &Count(MOST_OF_A_BROWSER),
            &login.organization_id,
            &Count(MOST_OF_AN_ORGANIZATION),
        ];
        self.write(DOING, DELETE_TOO_MANY, too_many).await.map(drop)
    }

    async fn take_login(
        &self,
        state: &SecretDigest,
        now: Timestamp,
    ) -> Result<Option<LoginTransaction>, Unavailable> {
        let sql =
            format!("DELETE FROM login WHERE state = $1 AND expires_at > $2 RETURNING {COLUMNS}");
        let read = |columns: &mut Columns<'_>| read(columns, &self.master_key);
        self.first("taking a login", &sql, &[state, &Moment(now)], read).await
    }

    async fn delete_expired_logins(&self, now: Timestamp) -> Result<u64, Unavailable> {
        let sql = "DELETE FROM login WHERE state IN
                       (SELECT state FROM login WHERE expires_at < $1
                        LIMIT $2 FOR UPDATE SKIP LOCKED)";
        let bounds: [&(dyn ToSql + Sync); 2] = [&Moment(now), &Count(FORGOTTEN_AT_ONCE)];
        self.write("forgetting expired logins", sql, &bounds).await
    }

    /// Also forgets some of those that are a minute old, which keeps the table small.
    async fn insert_arrival(&self, arrival: &Arrival<'_>) -> Result<(), Unavailable> {
        let sql = "WITH forgotten AS (
                       DELETE FROM arrival WHERE number IN
                           (SELECT number FROM arrival WHERE at < $5
                            LIMIT 100 FOR UPDATE SKIP LOCKED))
                   INSERT INTO arrival (browser, return_to, begun_at, at) VALUES ($1, $2, $3, $4)";
        let values: &Values<'_> = &[
            arrival.browser,
            arrival.return_to,
            &Moment(arrival.begun_at),
            &Moment(arrival.at),
            &Moment(arrival.at - ARRIVAL_REMEMBERED),
        ];
        self.write("remembering an arrival", sql, values).await.map(drop)
    }

    async fn count_recent(
        &self,
        browser: &SecretDigest,
        return_to: &ReturnTo,
        since: Timestamp,
    ) -> Result<RecentLogins, Unavailable> {
        let sql = "SELECT (SELECT count(*) FROM login
                           WHERE browser = $1 AND return_to = $2 AND created_at >= $3),
                          (SELECT count(*) FROM arrival
                           WHERE browser = $1 AND return_to = $2 AND at >= $3),
                          EXISTS (SELECT FROM arrival AS one JOIN arrival AS other
                                      USING (browser, return_to)
                                  WHERE browser = $1 AND return_to = $2
                                    AND one.at >= $3 AND other.at >= $3
                                    AND one.number < other.number
                                    AND one.begun_at < other.at
                                    AND other.begun_at < one.at)";
        let values: &Values<'_> = &[browser, return_to, &Moment(since)];
        let counted = self.first("counting recent logins", sql, values, |columns| {
            let open = columns.read::<Count>()?.0;
            let arrived = columns.read::<Count>()?.0;
            Ok(RecentLogins { open, arrived, side_by_side: columns.read()? })
        });
        Ok(counted.await?.unwrap_or_default())
    }

    async fn forget_arrivals(&self, browser: &SecretDigest) -> Result<(), Unavailable> {
        let sql = "DELETE FROM arrival WHERE browser = $1";
        self.write("forgetting arrivals", sql, &[browser]).await.map(drop)
    }
}

/// Keeps [`MOST_OF_A_BROWSER`] and [`MOST_OF_AN_ORGANIZATION`]; the triggers on `login` keep how
/// many there are. Numbers ascend, so they tell which came first also where the clock does not.
///
/// Nothing is skipped because it is locked: two that drop at once drop the same ones.
const DELETE_TOO_MANY: &str = "DELETE FROM login WHERE state IN (
         SELECT * FROM (SELECT state FROM login WHERE browser = $1
                        ORDER BY number DESC OFFSET $2) AS of_browser
         UNION
         SELECT * FROM (SELECT state FROM login WHERE organization_id = $3 ORDER BY number
                        LIMIT (SELECT greatest(sum(open)::bigint - $4, 0) FROM login_count
                               WHERE organization_id = $3)) AS of_organization)";

fn read(columns: &mut Columns<'_>, master_key: &MasterKey) -> Result<LoginTransaction, Failure> {
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
        max_age: read_max_age(columns)?,
        return_to: columns.read()?,
        created_at: columns.read::<Moment>()?.0,
        expires_at: columns.read::<Moment>()?.0,
    })
}

fn read_max_age(columns: &mut Columns<'_>) -> Result<Option<u32>, Failure> {
    let seconds: Option<i64> = columns.read()?;
    seconds.map(u32::try_from).transpose().map_err(Failure::damaged)
}
