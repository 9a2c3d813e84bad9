//! The database adapters, one folder each; `tests/contracts/` holds all to the same promises.

mod folded;
pub mod postgres;
pub mod sqlite;
