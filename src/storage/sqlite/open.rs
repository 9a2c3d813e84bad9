//! Opening a database: ours and no other program's, ours alone, and with the right master key.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{self, Read as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, OpenFlags, config::DbConfig, types::FromSql};

use super::{
    failure::Kind,
    functions, master_key_check,
    migrations::{self, APPLICATION_ID},
};
use crate::domain::master_key::MasterKey;

/// Why a database was not opened; every sentence is for the operator.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder could not be made.
    #[error("the folder {} cannot be made: {cause}; make it, and give it to Portico's user", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// The file cannot be made, read or written.
    #[error("{} cannot be written: {cause}; give Portico's user its folder", path.display())]
    NotWritable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// The disk has no room.
    #[error("the disk of {} is full; make room and start again", path.display())]
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
    /// There is a folder where the file should be.
    #[error("{} is a folder; name a file in database.path", path.display())]
    IsAFolder {
        /// The folder.
        path: PathBuf,
    },
    /// The file has nothing in it, which no database of ours ever has.
    #[error(
        "{} is empty, so what it held is lost; restore a backup, or delete it to begin anew",
        path.display()
    )]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// There is no database, but its write-ahead log: it was not always missing.
    #[error(
        "{} is missing, but {} is there; restore a backup, or delete the latter to begin anew",
        path.display(), log.display()
    )]
    OnlyItsLog {
        /// Where the database should be.
        path: PathBuf,
        /// The write-ahead log.
        log: PathBuf,
    },
    /// The file is something else.
    #[error("{} is not an SQLite database; name another file in database.path", path.display())]
    NotADatabase {
        /// The file.
        path: PathBuf,
    },
    /// The database is another program's.
    #[error(
        "{} is a database of another program; name another file in database.path",
        path.display()
    )]
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
        cause: String,
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
        cause: rusqlite::Error,
    },
}

/// How much of a file tells what it is: the header of an SQLite database (its file format, §1.3).
const HEADER: usize = 100;

/// A longer file is not read through at each start: this much takes some 30 milliseconds.
const CHECKED_UP_TO: u64 = 4 << 20;

/// Looks whether there is a database of ours, or none yet; nothing is touched.
///
/// What was written since the last checkpoint stands in the log beside it, so nothing is read here
/// that changes later.
pub(super) fn examine(path: &Path) -> Result<(), OpenError> {
    let here = || path.to_owned();
    if path.is_dir() {
        return Err(OpenError::IsAFolder { path: here() });
    }
    let file = match OpenOptions::new().read(true).write(true).open(path) {
        Ok(file) => file,
        // Making the folder, next, says what is in its way.
        Err(error)
            if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) =>
        {
            return examine_log(path);
        }
        Err(cause) => return Err(OpenError::NotWritable { path: here(), cause }),
    };
    let mut header = Vec::with_capacity(HEADER);
    let read = file.take(HEADER as u64).read_to_end(&mut header);
    read.map_err(|cause| OpenError::NotWritable { path: here(), cause })?;
    if header.is_empty() {
        return Err(OpenError::Empty { path: here() });
    }
    if header.len() < HEADER || !header.starts_with(b"SQLite format 3\0") {
        return Err(OpenError::NotADatabase { path: here() });
    }
    if header[68..72] != APPLICATION_ID.to_be_bytes() {
        return Err(OpenError::AnotherProgram { path: here() });
    }
    Ok(())
}

/// SQLite would carry a log that was left over into a database that is new.
fn examine_log(path: &Path) -> Result<(), OpenError> {
    let log = beside(path, "-wal");
    match fs::metadata(&log) {
        Ok(found) if found.len() > 0 => Err(OpenError::OnlyItsLog { path: path.to_owned(), log }),
        _ => Ok(()),
    }
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut beside = path.as_os_str().to_owned();
    beside.push(ending);
    beside.into()
}

/// Makes the folder (0700) where it is missing.
pub(super) fn make_folder(path: &Path) -> Result<(), OpenError> {
    let Some(folder) = path.parent() else { return Ok(()) };
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|cause| OpenError::Folder { path: folder.to_owned(), cause })
}

/// The lock that only one process holds, on a file beside the database; a process that is killed
/// lets go of it.
pub(super) fn lock(path: &Path) -> Result<File, OpenError> {
    let lock = open_or_make(&beside(path, ".lock"))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse { path: path.to_owned() }),
        Err(TryLockError::Error(cause)) => {
            Err(OpenError::NotWritable { path: path.to_owned(), cause })
        }
    }
}

/// A file that only its owner reads (0600).
fn open_or_make(path: &Path) -> Result<File, OpenError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    options.open(path).map_err(|cause| explain_io(path, cause))
}

fn explain_io(path: &Path, cause: io::Error) -> OpenError {
    let path = path.to_owned();
    match cause.kind() {
        io::ErrorKind::StorageFull => OpenError::DiskFull { path },
        _ => OpenError::NotWritable { path, cause },
    }
}

/// Makes the database if there is none; only for who is alone.
///
/// It gets its name when it is complete and on the disk. So a database that has lost its content
/// never looks like one whose making was cut off.
fn make(path: &Path, master_key: &MasterKey) -> Result<(), OpenError> {
    if path.exists() {
        return Ok(());
    }
    let unfinished = beside(path, ".new");
    clear(&unfinished);
    let made = build(&unfinished, master_key)
        .and_then(|()| name(&unfinished, path).map_err(|cause| explain_io(path, cause)));
    if made.is_err() {
        clear(&unfinished);
    }
    made
}

/// Removes what a start that was cut off, or failed, has left.
fn clear(unfinished: &Path) {
    for path in [unfinished, &beside(unfinished, "-journal")] {
        // What can't be removed is in the way, and making it says so.
        fs::remove_file(path).ok();
    }
}

fn build(unfinished: &Path, master_key: &MasterKey) -> Result<(), OpenError> {
    open_or_make(unfinished)?;
    let explained = |cause| explain(unfinished, cause);
    let mut connection = connect_to(unfinished).map_err(explained)?;
    functions::register(&connection).map_err(explained)?;
    migrations::migrate(&mut connection, 0, master_key).map_err(explained)?;
    connection.close().map_err(|(_, cause)| explained(cause))
}

fn name(unfinished: &Path, path: &Path) -> io::Result<()> {
    fs::rename(unfinished, path)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

fn connect_to(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(path, flags)
}

/// The connection that writes, to a database of this version under this key.
///
/// Only who is `alone` makes one, reads it through, and brings an older one to this version.
pub(super) fn connect(
    path: &Path,
    master_key: &MasterKey,
    alone: bool,
) -> Result<Connection, OpenError> {
    let explained = |cause| explain(path, cause);
    if alone {
        make(path, master_key)?;
    } else if !path.exists() {
        return Err(OpenError::InUse { path: path.to_owned() });
    }
    let mut connection = connect_to(path).map_err(explained)?;
    keep_log_on_close(&connection, true).map_err(explained)?;
    let version = version(path, &connection)?;
    if version < migrations::NEWEST && !alone {
        return Err(OpenError::InUse { path: path.to_owned() });
    }
    if alone {
        check(path, &connection)?;
    }
    if !master_key_check::passes(&connection, master_key).map_err(explained)? {
        return Err(OpenError::AnotherMasterKey { path: path.to_owned() });
    }
    keep_log_on_close(&connection, false).map_err(explained)?;
    configure(&connection).map_err(explained)?;
    functions::register(&connection).map_err(explained)?;
    migrations::migrate(&mut connection, version, master_key).map_err(explained)?;
    Ok(connection)
}

/// Whether closing the connection leaves the log beside the database, instead of carrying it over.
///
/// A database that is refused stays as it was, also where its log is what is wrong with it.
fn keep_log_on_close(connection: &Connection, keep: bool) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, keep).map(drop)
}

/// Reads the file through, its log included, for pages that contradict each other.
///
/// That finds what overwriting, cutting and another database's log do to its structure, not a
/// changed letter in a value. Of a long file damage is found when its page is read: whoever asked
/// is told that the database is away, and the log names the damage.
fn check(path: &Path, connection: &Connection) -> Result<(), OpenError> {
    let explained = |cause| explain(path, cause);
    if fs::metadata(path).is_ok_and(|found| found.len() > CHECKED_UP_TO) {
        return Ok(());
    }
    let verdict: String = pragma(connection, "quick_check(1)").map_err(explained)?;
    if verdict == "ok" {
        return Ok(());
    }
    let cause = verdict.lines().next_back().unwrap_or_default().to_owned();
    Err(OpenError::Damaged { path: path.to_owned(), cause })
}

fn pragma<T: FromSql>(connection: &Connection, name: &str) -> rusqlite::Result<T> {
    connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0))
}

/// The version of the file.
fn version(path: &Path, connection: &Connection) -> Result<usize, OpenError> {
    let number = |name| pragma::<i32>(connection, name).map_err(|cause| explain(path, cause));
    let (application, version) = (number("application_id")?, number("user_version")?);
    let known = migrations::NEWEST;
    match usize::try_from(version) {
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
    match Kind::of(&cause) {
        Some(Kind::NotADatabase) => OpenError::NotADatabase { path },
        Some(Kind::Damaged) => OpenError::Damaged { path, cause: cause.to_string() },
        Some(Kind::DiskFull) => OpenError::DiskFull { path },
        Some(Kind::InUse) => OpenError::InUse { path },
        Some(Kind::NotWritable) => OpenError::NotWritable { path, cause: io::Error::other(cause) },
        None => OpenError::Failed { path, cause },
    }
}
