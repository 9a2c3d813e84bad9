//! The steps that bring a file from any earlier version to this one.

use rusqlite::{Connection, TransactionBehavior};

use super::master_key_check;
use crate::domain::master_key::MasterKey;

/// In the header of every file of ours: `Port` in ASCII.
pub(super) const APPLICATION_ID: i32 = 0x506F_7274;

/// One file per version, the first makes version 1.
const MIGRATIONS: [&str; 4] = [
    include_str!("0001_first.sql"),
    include_str!("0002_sign_ins_in_bounds.sql"),
    include_str!("0003_revocations.sql"),
    include_str!("0005_groups_and_queries.sql"),
];

/// The newest version that this binary knows.
pub(super) const NEWEST: usize = MIGRATIONS.len();

/// Carries out what the file lacks, each step and its number in one transaction.
pub(super) fn migrate(
    connection: &mut Connection,
    from: usize,
    master_key: &MasterKey,
) -> rusqlite::Result<()> {
    for (number, step) in (1..).zip(MIGRATIONS).skip(from) {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute_batch(step)?;
        if number == 1 {
            transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
            master_key_check::insert(&transaction, master_key)?;
        }
        transaction.pragma_update(None, "user_version", number)?;
        transaction.commit()?;
    }
    Ok(())
}
