//! A sealed value that tells the right master key from a wrong one before anything is written.

use crate::domain::master_key::MasterKey;

const PLACE: &str = "meta/master_key_check";
const PLAIN: &[u8] = b"portico";

/// The value, for a database that is being made.
pub(super) fn sealed(master_key: &MasterKey) -> Vec<u8> {
    master_key.seal(PLACE, PLAIN)
}

/// Whether the database's secrets were sealed under this key.
pub(super) fn passes(master_key: &MasterKey, sealed: &[u8]) -> bool {
    master_key.open(PLACE, sealed).is_ok()
}
