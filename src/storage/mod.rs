//! The database adapters, one folder each; `tests/contracts/` holds all to the same promises.

mod filter_sql;
mod folded;
pub mod postgres;
pub mod sqlite;
