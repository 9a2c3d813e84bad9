//! Opening a database: ours and no other program's, ours alone, and with the right master key.

use std::{
    fs::{DirBuilder, File, OpenOptions, TryLockError},
    io,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::{
    master_key_check,
    migrations::{self, APPLICATION_ID},
};
use crate::domain::master_key::MasterKey;

/// Why a database was not opened; every sentence is for the operator.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder could not be made.
    #[error("the folder {} cannot be made: {cause}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// The file cannot be made, read or written.
    #[error("{} cannot be written: {cause}; give Portico's user its folder", path.display())]
    NotWritable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// The disk has no room.
    #[error("the disk of {} is full", path.display())]
    DiskFull {
        /// The file.
        path: PathBuf,
    },
    /// Another process has it open.
    #[error("{} is in use by another running Portico; stop that one first", path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// The file is something else.
    #[error("{} is not an SQLite database", path.display())]
    NotADatabase {
        /// The file.
        path: PathBuf,
    },
    /// The database is another program's.
    #[error("{} is a database of another program", path.display())]
    AnotherProgram {
        /// The file.
        path: PathBuf,
    },
    /// A later version of Portico wrote it.
    #[error(
        "{} was written by a newer Portico (database version {found}, this one knows {known}); \
         start that version again, or restore a backup from before it",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// The file's version.
        found: usize,
        /// The newest version that this binary knows.
        known: usize,
    },
    /// Parts of the file are missing or overwritten.
    #[error("{} is damaged ({cause}); restore a backup", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        #[source]
        cause: rusqlite::Error,
    },
    /// What is sealed in it does not open.
    #[error("{} was made under another master key; start with that one", path.display())]
    AnotherMasterKey {
        /// The file.
        path: PathBuf,
    },
    /// Anything else.
    #[error("{} cannot be opened: {cause}", path.display())]
    Failed {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        #[source]
        cause: rusqlite::Error,
    },
}

/// Makes the folder (0700) and the file (0600) where they are missing.
pub(super) fn create(path: &Path) -> Result<(), OpenError> {
    if let Some(folder) = path.parent() {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
        made.map_err(|cause| OpenError::Folder { path: folder.to_owned(), cause })?;
    }
    open_file(path).map(drop)
}

/// The lock that only one process holds, on a file beside the database.
pub(super) fn lock(path: &Path) -> Result<File, OpenError> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".lock");
    let lock = open_file(Path::new(&beside))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse { path: path.to_owned() }),
        Err(TryLockError::Error(cause)) => {
            Err(OpenError::NotWritable { path: path.to_owned(), cause })
        }
    }
}

fn open_file(path: &Path) -> Result<File, OpenError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    options.open(path).map_err(|cause| match cause.kind() {
        io::ErrorKind::StorageFull => OpenError::DiskFull { path: path.to_owned() },
        _ => OpenError::NotWritable { path: path.to_owned(), cause },
    })
}

/// The connection that writes, to a database of this version under this key.
///
/// Only who is `alone` brings an older one to this version.
pub(super) fn connect(
    path: &Path,
    master_key: &MasterKey,
    alone: bool,
) -> Result<Connection, OpenError> {
    let explained = |cause| explain(path, cause);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags).map_err(explained)?;
    // Before anything is written, so that another program's file stays as it was.
    let version = version(path, &connection)?;
    if version < migrations::NEWEST && !alone {
        return Err(OpenError::InUse { path: path.to_owned() });
    }
    configure(&connection).map_err(explained)?;
    migrations::migrate(&mut connection, version, master_key).map_err(explained)?;
    if !master_key_check::passes(&connection, master_key).map_err(explained)? {
        return Err(OpenError::AnotherMasterKey { path: path.to_owned() });
    }
    Ok(connection)
}

/// The version of the file, 0 where it is empty.
fn version(path: &Path, connection: &Connection) -> Result<usize, OpenError> {
    let number = |sql| connection.query_row(sql, [], |row| row.get::<_, i32>(0));
    let (application, version, tables) = number("PRAGMA application_id")
        .and_then(|application| Ok((application, number("PRAGMA user_version")?)))
        .and_then(|(application, version)| {
            Ok((application, version, number("SELECT count(*) FROM sqlite_schema")?))
        })
        .map_err(|cause| explain(path, cause))?;
    let is_empty = (application, version, tables) == (0, 0, 0);
    let known = migrations::NEWEST;
    match usize::try_from(version) {
        Ok(0) if is_empty => Ok(0),
        Ok(found) if application == APPLICATION_ID && found > known => {
            Err(OpenError::Newer { path: path.to_owned(), found, known })
        }
        Ok(found) if application == APPLICATION_ID && found > 0 => Ok(found),
        _ => Err(OpenError::AnotherProgram { path: path.to_owned() }),
    }
}

/// What every connection is set to.
pub(super) fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.set_prepared_statement_cache_capacity(64);
    connection.execute_batch(
        "PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA foreign_keys = ON;
         PRAGMA temp_store = MEMORY;
         PRAGMA cache_size = -8000;
         PRAGMA journal_size_limit = 67108864;
         PRAGMA trusted_schema = OFF;",
    )
}

/// A failure of SQLite, in the operator's words.
pub(super) fn explain(path: &Path, cause: rusqlite::Error) -> OpenError {
    let path = path.to_owned();
    match cause.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => OpenError::NotADatabase { path },
        Some(ErrorCode::DatabaseCorrupt) => OpenError::Damaged { path, cause },
        Some(ErrorCode::DiskFull) => OpenError::DiskFull { path },
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => OpenError::InUse { path },
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
            OpenError::NotWritable { path, cause: io::Error::other(cause) }
        }
        _ => OpenError::Failed { path, cause },
    }
}
