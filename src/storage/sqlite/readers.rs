//! The connections that read.

use std::{
    path::Path,
    sync::{
        Mutex, PoisonError, TryLockError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use rusqlite::{Connection, OpenFlags};

use super::{functions, open};

/// A few connections that only read, used where the caller stands: an indexed lookup takes some
/// microseconds, less than handing it to another thread.
///
/// Every query sees all that was committed before it began, and holds its snapshot no longer.
pub(super) struct Readers {
    connections: Vec<Mutex<Connection>>,
    next: AtomicUsize,
}

impl Readers {
    /// As many as the machine runs threads, 2 to 8.
    pub(super) fn open(path: &Path) -> rusqlite::Result<Self> {
        let count = thread::available_parallelism().map_or(2, |threads| threads.get().clamp(2, 8));
        Self::open_some(path, count)
    }

    /// So many, at least one.
    pub(super) fn open_some(path: &Path, count: usize) -> rusqlite::Result<Self> {
        let connections = (0..count).map(|_| open_one(path).map(Mutex::new));
        Ok(Self { connections: connections.collect::<Result<_, _>>()?, next: AtomicUsize::new(0) })
    }

    /// Runs a query on a connection that is free, or waits for one.
    pub(super) fn read<T>(&self, query: impl FnOnce(&mut Connection) -> T) -> T {
        let count = self.connections.len();
        let first = self.next.fetch_add(1, Ordering::Relaxed);
        let in_turn = (0..count).map(|step| &self.connections[(first.wrapping_add(step)) % count]);
        for connection in in_turn {
            match connection.try_lock() {
                Ok(mut connection) => return query(&mut connection),
                // A query that panicked changed nothing, so its connection is as good as before.
                Err(TryLockError::Poisoned(poisoned)) => return query(&mut poisoned.into_inner()),
                Err(TryLockError::WouldBlock) => {}
            }
        }
        let connection = self.connections[first % count].lock();
        query(&mut connection.unwrap_or_else(PoisonError::into_inner))
    }
}

fn open_one(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    open::configure(&connection)?;
    functions::register(&connection)?;
    Ok(connection)
}
