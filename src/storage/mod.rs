//! The database adapters, one folder each; `tests/contracts/` holds all to the same promises.

pub mod postgres;
pub mod sqlite;
