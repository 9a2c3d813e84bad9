//! `[database]`

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::reading::Section;

/// `[database]`: where the service keeps what it knows.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Database {
    /// The SQLite file; made, with its folder, where it is missing. Two more files lie beside it
    /// while the service runs. Default `./data/portico.db`, from the folder the service starts in.
    pub path: PathBuf,
}

impl Default for Database {
    fn default() -> Self {
        Self { path: "./data/portico.db".into() }
    }
}

impl Section for Database {
    const NAME: &'static str = "database";

    fn contradiction(&self) -> Option<&'static str> {
        (self.path.file_name().is_none()).then_some("database.path must name a file")
    }
}
