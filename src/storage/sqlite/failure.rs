//! What a failure of SQLite means to the operator.

use std::fmt;

use rusqlite::{ErrorCode, ffi};

/// A failure of SQLite while the service runs, in the log with what to do about it.
#[derive(Debug)]
pub(super) struct Failure(pub(super) rusqlite::Error);

/// What kind of failure it is, where the operator can do something about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The disk has no room.
    DiskFull,
    /// Parts of the file are missing or overwritten.
    Damaged,
    /// It is no SQLite database.
    NotADatabase,
    /// The file, its folder or its disk takes no writes.
    NotWritable,
    /// Another process holds it.
    InUse,
}

impl Kind {
    /// The kind of a failure, if it has one.
    pub(super) fn of(error: &rusqlite::Error) -> Option<Self> {
        let error = error.sqlite_error()?;
        match error.code {
            ErrorCode::DiskFull => Some(Self::DiskFull),
            // The file that readers and the writer share in memory could not be made as long as it
            // must be: SQLite does not ask the system why.
            _ if error.extended_code == ffi::SQLITE_IOERR_SHMSIZE => Some(Self::DiskFull),
            ErrorCode::DatabaseCorrupt => Some(Self::Damaged),
            ErrorCode::NotADatabase => Some(Self::NotADatabase),
            ErrorCode::ReadOnly | ErrorCode::PermissionDenied => Some(Self::NotWritable),
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Some(Self::InUse),
            _ => None,
        }
    }

    const fn remedy(self) -> &'static str {
        match self {
            Self::DiskFull => "make room on the database's disk, and the service goes on by itself",
            Self::Damaged | Self::NotADatabase => {
                "the database is damaged: stop the service and restore a backup"
            }
            Self::NotWritable => "give Portico's user the database and its folder",
            Self::InUse => "another program has the database open; stop that one",
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)?;
        match Kind::of(&self.0) {
            Some(kind) => write!(f, "; {}", kind.remedy()),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Failure {}
