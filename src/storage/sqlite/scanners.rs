//! The connections that look through lists.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use rusqlite::{Connection, ErrorCode};
use tokio::{sync::Semaphore, task, time};

use super::{Failure, readers::Readers};
use crate::ports::{NotDone, Part, Unavailable, query::TooCostly};

/// How long one list may be looked through.
const LONGEST: Duration = Duration::from_secs(1);

/// How many lists are looked through at once.
const AT_ONCE: usize = 2;

/// Steps of SQLite between two looks at the time; they take well under a millisecond.
const STEPS: i32 = 1_000;

/// A few connections for what must be looked through row by row: on threads of their own, and for
/// a second at most, so nobody else waits for it.
pub(super) struct Scanners {
    readers: Arc<Readers>,
    free: Arc<Semaphore>,
}

impl Scanners {
    pub(super) fn open(path: &Path) -> rusqlite::Result<Self> {
        let readers = Arc::new(Readers::open_some(path, AT_ONCE)?);
        Ok(Self { readers, free: Arc::new(Semaphore::new(AT_ONCE)) })
    }

    /// Runs a query; [`TooCostly`] also where others look through theirs all the while.
    pub(super) async fn scan<T: Send + 'static>(
        &self,
        doing: &'static str,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, NotDone<TooCostly>> {
        let waiting = time::timeout(LONGEST, self.free.clone().acquire_owned());
        let Ok(turn) = waiting.await else { return Err(NotDone::Refused(TooCostly)) };
        let readers = self.readers.clone();
        let scanned = task::spawn_blocking(move || {
            let _turn = turn;
            readers.read(|connection| in_time(connection, query))
        });
        let failed = |cause| Unavailable { part: Part::Database, doing, cause };
        match scanned.await {
            Ok(Ok(found)) => Ok(found),
            Ok(Err(error)) if is_interrupted(&error) => Err(NotDone::Refused(TooCostly)),
            Ok(Err(error)) => Err(failed(Failure(error).into()).into()),
            Err(error) => Err(failed(error.into()).into()),
        }
    }
}

fn in_time<T>(
    connection: &mut Connection,
    query: impl FnOnce(&Connection) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    let end = Instant::now() + LONGEST;
    connection.progress_handler(STEPS, Some(move || Instant::now() > end))?;
    let found = query(connection);
    connection.progress_handler(0, None::<fn() -> bool>)?;
    found
}

fn is_interrupted(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted)
}
