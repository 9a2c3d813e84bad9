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

#[cfg(test)]
mod tests {
    use super::*;

    /// Goes on until somebody ends it.
    const ENDLESS: &str = "WITH RECURSIVE number (n) AS
         (SELECT 1 UNION ALL SELECT n + 1 FROM number) SELECT max(n) FROM number";

    fn ask(connection: &Connection, sql: &str) -> rusqlite::Result<i64> {
        connection.query_row(sql, [], |row| row.get(0))
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_takes_too_long_is_given_up_and_the_next_question_answered() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("portico.db");
        Connection::open(&path).unwrap().execute_batch("PRAGMA journal_mode = WAL").unwrap();
        let scanners = Scanners::open(&path).unwrap();
        let long = || scanners.scan("looking", |connection| ask(connection, ENDLESS));

        let begun = Instant::now();
        let given_up = tokio::join!(long(), long(), long(), long());
        let took = begun.elapsed();

        let (a, b, c, d) = given_up;
        for outcome in [a, b, c, d] {
            assert!(matches!(outcome, Err(NotDone::Refused(TooCostly))), "{outcome:?}");
        }
        assert!(took >= LONGEST && took < 4 * LONGEST, "{took:?}");
        let answered = scanners.scan("looking", |connection| ask(connection, "SELECT 7")).await;
        assert_eq!(answered.unwrap(), 7);
    }
}
