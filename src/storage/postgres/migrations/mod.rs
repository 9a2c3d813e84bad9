//! The steps that bring a database from any earlier version to this one.

use tokio_postgres::Transaction;

use super::{failure::Failure, master_key_check};
use crate::domain::master_key::MasterKey;

/// One file per version, numbered as the embedded database's; the first makes version 1.
const MIGRATIONS: [&str; 3] = [
    include_str!("0001_first.sql"),
    include_str!("0002_sign_ins_in_bounds.sql"),
    include_str!("0003_revocations.sql"),
];

/// The newest version that this binary knows.
pub(super) const NEWEST: usize = MIGRATIONS.len();

/// Carries out what the database lacks; all of it or, with the transaction, nothing.
pub(super) async fn migrate(
    transaction: &Transaction<'_>,
    from: usize,
    master_key: &MasterKey,
) -> Result<(), Failure> {
    for (number, step) in (1_i32..).zip(MIGRATIONS).skip(from) {
        transaction.batch_execute(step).await?;
        if number == 1 {
            let sql = "INSERT INTO portico (version, master_key_check) VALUES ($1, $2)";
            let sealed = master_key_check::sealed(master_key);
            transaction.execute(sql, &[&number, &sealed]).await?;
        } else {
            transaction.execute("UPDATE portico SET version = $1", &[&number]).await?;
        }
    }
    Ok(())
}
