//! The embedded database: one SQLite file, no server.
//!
//! # Why
//!
//! One process owns the file (a lock beside it says so), so one thread can own all writing:
//! commands from many callers share one durable commit (`writer.rs`). Readers never wait for it
//! (write-ahead log) and run where the caller stands (`readers.rs`), but for what must be looked
//! through row by row (`scanners.rs`). A repository is a file; its SQL stands in its methods.

mod accounts;
mod addresses;
mod audit_log;
mod columns;
mod conditions;
mod connectors;
mod custom_attributes;
mod decisions;
mod directory;
mod failure;
mod functions;
mod groups;
mod health;
mod logins;
mod master_key_check;
mod members;
mod migrations;
mod open;
mod organizations;
mod provisioning_log;
mod queries;
mod readers;
mod revocations;
mod scanners;
mod session_records;
mod setup_links;
mod signing_keys;
mod subject_links;
mod trail;
mod writer;

use std::{convert::Infallible, fmt, fs::File, path::Path, sync::Arc};

use rusqlite::Connection;

pub use self::open::OpenError;
use self::{
    failure::Failure,
    readers::Readers,
    scanners::Scanners,
    writer::{Stop, Writer},
};
use crate::{
    domain::master_key::MasterKey,
    ports::{NotDone, Part, Unavailable},
};

/// The embedded database.
///
/// Dropping it carries out every command that was accepted and empties the write-ahead log.
pub struct SqliteStore {
    // In the order of dropping: the lock goes last.
    readers: Readers,
    scanners: Scanners,
    writer: Writer,
    master_key: Arc<MasterKey>,
    _lock: Option<File>,
}

impl SqliteStore {
    /// Opens the database at `path` for this process alone, made or brought to this version where
    /// need be.
    pub fn open(path: &Path, master_key: Arc<MasterKey>) -> Result<Self, OpenError> {
        open::examine(path)?;
        open::make_folder(path)?;
        let lock = open::lock(path)?;
        Self::start(path, master_key, Some(lock))
    }

    /// Opens the database at `path` for a command that is over soon, also while a service of this
    /// version has it open: what the command writes, the service sees.
    ///
    /// Only for what no service keeps in memory: sessions belong to the one that has the lock.
    pub fn open_beside(path: &Path, master_key: Arc<MasterKey>) -> Result<Self, OpenError> {
        open::examine(path)?;
        open::make_folder(path)?;
        let lock = match open::lock(path) {
            Ok(lock) => Some(lock),
            Err(OpenError::InUse { .. }) => None,
            Err(error) => return Err(error),
        };
        Self::start(path, master_key, lock)
    }

    fn start(
        path: &Path,
        master_key: Arc<MasterKey>,
        lock: Option<File>,
    ) -> Result<Self, OpenError> {
        let connection = open::connect(path, &master_key, lock.is_some())?;
        let readers = Readers::open(path).map_err(|cause| open::explain(path, cause))?;
        let scanners = Scanners::open(path).map_err(|cause| open::explain(path, cause))?;
        let writer = Writer::start(connection)
            .map_err(|cause| OpenError::NotWritable { path: path.to_owned(), cause })?;
        Ok(Self { readers, scanners, writer, master_key, _lock: lock })
    }

    /// Answers a question where the caller stands.
    fn read<T>(
        &self,
        doing: &'static str,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, Unavailable> {
        self.readers
            .read(|connection| query(connection))
            .map_err(Failure)
            .map_err(Unavailable::while_doing(doing))
    }

    /// Carries out a command that has no reason of its own to refuse.
    async fn write<T: Send + 'static>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Unavailable> {
        let done = self.writer.run::<T, Infallible>(|connection| Ok(work(connection)?)).await;
        done.map_err(Unavailable::while_doing(doing))
    }

    /// Carries out a command, or tells why not.
    async fn write_unless<T: Send + 'static, Refusal: Send + 'static>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&Connection) -> Result<T, Stop<Refusal>> + Send + 'static,
    ) -> Result<T, NotDone<Refusal>> {
        self.writer.run(work).await.map_err(|stop| match stop {
            Stop::Refused(refusal) => NotDone::Refused(refusal),
            Stop::Failed(cause) => Unavailable { part: Part::Database, doing, cause }.into(),
        })
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").finish_non_exhaustive()
    }
}

/// Whether a statement was refused because a unique index has the value already.
fn is_taken(error: &rusqlite::Error) -> bool {
    error
        .sqlite_error()
        .is_some_and(|error| error.extended_code == rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE)
}
