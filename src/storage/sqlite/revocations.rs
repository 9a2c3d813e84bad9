//! Changes that sessions must follow.

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{Connection, Row, params, types::FromSqlError};

use super::{
    SqliteStore,
    columns::{Columns, Count, Moment},
};
use crate::{
    domain::{account::Account, connector::Connector},
    ports::{
        FORGOTTEN_AT_ONCE, Unavailable,
        store::{Revocation, Revocations, Revoked},
    },
};

const ACCOUNT: &str = "account";
const CONNECTOR: &str = "connector";

#[async_trait]
impl Revocations for SqliteStore {
    async fn list_revocations(&self) -> Result<Vec<Revocation>, Unavailable> {
        self.read("listing the revocations", |connection| {
            let sql = "SELECT organization_id, kind, id, at FROM revocation";
            let mut statement = connection.prepare_cached(sql)?;
            statement.query_map([], read)?.collect()
        })
    }

    async fn delete_revocations_before(&self, moment: Timestamp) -> Result<u64, Unavailable> {
        self.write("forgetting revocations", move |connection| {
            let sql = "DELETE FROM revocation WHERE (organization_id, kind, id) IN
                           (SELECT organization_id, kind, id FROM revocation
                            WHERE at < ? LIMIT ?)";
            let bounds = params![Moment(moment), Count(FORGOTTEN_AT_ONCE)];
            Ok(connection.prepare_cached(sql)?.execute(bounds)? as u64)
        })
        .await
    }
}

/// Notes one, in place of an earlier one of the same account or connector.
pub(super) fn insert(connection: &Connection, revocation: &Revocation) -> rusqlite::Result<()> {
    let sql = "INSERT INTO revocation (organization_id, kind, id, at) VALUES (?1, ?2, ?3, ?4)
               ON CONFLICT DO UPDATE SET at = max(at, excluded.at)";
    let (kind, id) = match &revocation.of {
        Revoked::Account(id) => (ACCOUNT, id.as_bytes()),
        Revoked::Connector(id) => (CONNECTOR, id.as_bytes()),
    };
    let values = params![revocation.organization_id, kind, id, Moment(revocation.at)];
    connection.prepare_cached(sql)?.execute(values).map(drop)
}

/// Whether sessions of the account as it is now must follow what it becomes.
pub(super) fn is_due_to_account(
    connection: &Connection,
    becomes: &Account,
) -> rusqlite::Result<bool> {
    let sql = "SELECT access_epoch < ?3 OR email <> ?4 OR display_name <> ?5 FROM account
               WHERE organization_id = ?1 AND id = ?2";
    let values = params![
        becomes.organization_id,
        becomes.id,
        Count(becomes.access_epoch),
        becomes.email,
        becomes.display_name,
    ];
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement.query_map(values, |row| row.get(0))?.next().transpose()?.unwrap_or(false))
}

/// Whether sessions of the connector as it is now must follow what it becomes.
pub(super) fn is_due_to_connector(
    connection: &Connection,
    becomes: &Connector,
) -> rusqlite::Result<bool> {
    let sql = "SELECT authority <> ?3 FROM connector WHERE organization_id = ?1 AND id = ?2";
    let values = params![becomes.organization_id, becomes.id, becomes.authority];
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement.query_map(values, |row| row.get(0))?.next().transpose()?.unwrap_or(false))
}

fn read(row: &Row<'_>) -> rusqlite::Result<Revocation> {
    let mut columns = Columns::of(row);
    let organization_id = columns.read()?;
    let of = match columns.read::<String>()?.as_str() {
        ACCOUNT => Revoked::Account(columns.read()?),
        CONNECTOR => Revoked::Connector(columns.read()?),
        _ => return Err(FromSqlError::InvalidType.into()),
    };
    Ok(Revocation { organization_id, of, at: columns.read::<Moment>()?.0 })
}
