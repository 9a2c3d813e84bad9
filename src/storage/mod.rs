//! The database adapters, one folder each; `tests/contracts/` holds all to the same promises.

mod filter_sql;
pub mod sqlite;
