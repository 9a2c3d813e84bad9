//! The steps that bring a database from any earlier version to this one.

use tokio_postgres::Transaction;

use super::{failure::Failure, master_key_check};
use crate::domain::master_key::MasterKey;

/// The version that the first step makes: numbers are those of the embedded database, which was
/// there before.
const FIRST: usize = 6;

/// One file per version.
const MIGRATIONS: [&str; 1] = [include_str!("0006_first.sql")];

/// The newest version that this binary knows.
pub(super) const NEWEST: usize = FIRST + MIGRATIONS.len() - 1;

/// Carries out what the database lacks; all of it or, with the transaction, nothing.
pub(super) async fn migrate(
    transaction: &Transaction<'_>,
    from: usize,
    master_key: &MasterKey,
) -> Result<(), Failure> {
    for (version, step) in (FIRST..).zip(MIGRATIONS).filter(|(version, _)| *version > from) {
        transaction.batch_execute(step).await?;
        let number = i32::try_from(version).map_err(Failure::damaged)?;
        if version == FIRST {
            let sql = "INSERT INTO portico (version, master_key_check) VALUES ($1, $2)";
            let sealed = master_key_check::sealed(master_key);
            transaction.execute(sql, &[&number, &sealed]).await?;
        } else {
            transaction.execute("UPDATE portico SET version = $1", &[&number]).await?;
        }
    }
    Ok(())
}
