//! Changes that sessions must follow.

use async_trait::async_trait;
use jiff::Timestamp;
use tokio_postgres::types::ToSql;

use super::{
    PostgresStore,
    columns::{Columns, Count, Moment},
    failure::Failure,
};
use crate::ports::{
    FORGOTTEN_AT_ONCE, Unavailable,
    store::{Revocation, Revocations, Revoked},
};

pub(super) const ACCOUNT: &str = "account";
pub(super) const CONNECTOR: &str = "connector";

#[async_trait]
impl Revocations for PostgresStore {
    async fn list_revocations(&self) -> Result<Vec<Revocation>, Unavailable> {
        let sql = "SELECT organization_id, kind, id, at FROM revocation";
        self.all("listing the revocations", sql, &[], read).await
    }

    async fn delete_revocations_before(&self, moment: Timestamp) -> Result<u64, Unavailable> {
        // One that was noted again meanwhile is passed over.
        let sql = "DELETE FROM revocation WHERE (organization_id, kind, id) IN
                       (SELECT organization_id, kind, id FROM revocation WHERE at < $1
                        LIMIT $2 FOR UPDATE SKIP LOCKED)";
        let bounds: [&(dyn ToSql + Sync); 2] = [&Moment(moment), &Count(FORGOTTEN_AT_ONCE)];
        self.write("forgetting revocations", sql, &bounds).await
    }
}

/// The part of a statement that notes one for each row of `source`, in place of an earlier one of
/// the same account or connector; what is in the four columns stands in `values`.
pub(super) fn insertion(values: &str, source: &str) -> String {
    format!(
        "INSERT INTO revocation AS noted (organization_id, kind, id, at)
         SELECT {values} FROM {source}
         ON CONFLICT (organization_id, kind, id)
             DO UPDATE SET at = greatest(noted.at, excluded.at)"
    )
}

fn read(columns: &mut Columns<'_>) -> Result<Revocation, Failure> {
    let organization_id = columns.read()?;
    let of = match columns.read()? {
        ACCOUNT => Revoked::Account(columns.read()?),
        CONNECTOR => Revoked::Connector(columns.read()?),
        _ => return Err(Failure::damaged("a revocation of no known kind")),
    };
    Ok(Revocation { organization_id, of, at: columns.read::<Moment>()?.0 })
}
