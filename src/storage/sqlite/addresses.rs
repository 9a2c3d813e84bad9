//! The e-mail addresses by which an account is found besides its own column's.

use std::collections::BTreeSet;

use rusqlite::{Connection, params};

use super::columns::folded;
use crate::domain::account::Account;

/// Keeps those of a new account: most have none, since their one address stands in the column.
pub(super) fn insert(connection: &Connection, account: &Account) -> rusqlite::Result<()> {
    let mut addresses: BTreeSet<_> = account.email_addresses().map(folded).collect();
    addresses.remove(&folded(&account.email));
    if addresses.is_empty() {
        return Ok(());
    }
    let sql = "INSERT INTO account_address (organization_id, account_id, email_folded)
               VALUES (?, ?, ?)";
    let mut statement = connection.prepare_cached(sql)?;
    addresses.iter().try_for_each(|address| {
        statement.execute(params![account.organization_id, account.id, address]).map(drop)
    })
}

/// Keeps those of an account as it is now.
pub(super) fn replace(connection: &Connection, account: &Account) -> rusqlite::Result<()> {
    let sql = "DELETE FROM account_address WHERE organization_id = ? AND account_id = ?";
    connection.prepare_cached(sql)?.execute(params![account.organization_id, account.id])?;
    insert(connection, account)
}
