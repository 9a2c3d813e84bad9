//! A sealed value that tells the right master key from a wrong one before anything is written.

use rusqlite::Connection;

use crate::domain::master_key::MasterKey;

const PLACE: &str = "meta/master_key_check";
const PLAIN: &[u8] = b"portico";

/// Keeps the value, for a file that is being made.
pub(super) fn insert(connection: &Connection, master_key: &MasterKey) -> rusqlite::Result<()> {
    let sql = "INSERT INTO meta (name, value) VALUES ('master_key_check', ?)";
    connection.execute(sql, [master_key.seal(PLACE, PLAIN)]).map(drop)
}

/// Whether the file's secrets were sealed under this key.
pub(super) fn passes(connection: &Connection, master_key: &MasterKey) -> rusqlite::Result<bool> {
    let sql = "SELECT value FROM meta WHERE name = 'master_key_check'";
    let sealed: Vec<u8> = connection.query_row(sql, [], |row| row.get(0))?;
    Ok(master_key.open(PLACE, &sealed).is_ok())
}
