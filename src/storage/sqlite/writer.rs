//! The one connection that writes, and the thread that owns it.
//!
//! Commands wait in a bounded queue. The thread runs all that wait (and those that arrive while it
//! does) inside one transaction, each in a savepoint of its own, commits once, and only then
//! answers: one `fsync` is shared by all who waited for it.

use std::{
    convert::Infallible,
    error::Error,
    io, iter,
    panic::{self, AssertUnwindSafe},
    sync::{
        Arc,
        mpsc::{self, Receiver, SyncSender},
    },
    thread::{self, JoinHandle},
};

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::failure::Failure;

/// Waiting commands at most; at 15,000 a second the last of them waits a quarter of a second.
const QUEUE: usize = 4_096;

/// Commands in one commit at most, so that the first of them does not wait for ever.
const BATCH: usize = 256;

/// Why a command was not carried out.
#[derive(Debug)]
pub(super) enum Stop<Refusal> {
    /// For a reason of its own.
    Refused(Refusal),
    /// The database could not.
    Failed(Box<dyn Error + Send + Sync>),
}

impl<Refusal> From<rusqlite::Error> for Stop<Refusal> {
    fn from(error: rusqlite::Error) -> Self {
        Self::Failed(Failure(error).into())
    }
}

impl From<Stop<Infallible>> for Box<dyn Error + Send + Sync> {
    fn from(stop: Stop<Infallible>) -> Self {
        match stop {
            Stop::Refused(never) => match never {},
            Stop::Failed(cause) => cause,
        }
    }
}

/// The database could not carry out a command, whatever the command was.
#[derive(Clone, Debug, thiserror::Error)]
enum WriterFailure {
    #[error("too many writes are waiting already")]
    QueueFull,
    #[error("the database is closed")]
    Closed,
    #[error("the write was given up; the log of this moment says why")]
    GivenUp,
    #[error("the write could not be committed: {0}")]
    NotCommitted(Arc<Failure>),
}

type Committed = Result<(), WriterFailure>;
type Answer = Box<dyn FnOnce(Committed) + Send>;
type Command = Box<dyn FnOnce(&Connection) -> Ran + Send>;

/// A command that was run and waits for the commit.
struct Ran {
    keep: bool,
    answer: Answer,
}

/// The door to the thread that writes; dropping it carries out what was accepted, then closes.
pub(super) struct Writer {
    queue: Option<SyncSender<Command>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Hands the connection to a new thread.
    pub(super) fn start(connection: Connection) -> io::Result<Self> {
        let (queue, commands) = mpsc::sync_channel(QUEUE);
        let thread = thread::Builder::new()
            .name("sqlite writer".to_owned())
            .spawn(move || write_until_closed(&connection, &commands))?;
        Ok(Self { queue: Some(queue), thread: Some(thread) })
    }

    /// Carries out a command, durably, or changes nothing; a full queue is answered at once.
    ///
    /// The command is carried out also if its caller goes away meanwhile.
    pub(super) async fn run<T, Refusal>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Stop<Refusal>> + Send + 'static,
    ) -> Result<T, Stop<Refusal>>
    where
        T: Send + 'static,
        Refusal: Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let command: Command = Box::new(move |connection| {
            let result = work(connection);
            let keep = result.is_ok();
            let answer = move |committed: Committed| {
                // A refusal may rest on a neighbour's write that was not committed either.
                let settled = committed.map_err(|failure| Stop::Failed(failure.into()));
                reply.send(settled.and(result)).ok();
            };
            Ran { keep, answer: Box::new(answer) }
        });
        self.enqueue(command).map_err(|failure| Stop::Failed(failure.into()))?;
        answer.await.unwrap_or_else(|_| Err(Stop::Failed(WriterFailure::GivenUp.into())))
    }

    fn enqueue(&self, command: Command) -> Result<(), WriterFailure> {
        let queue = self.queue.as_ref().ok_or(WriterFailure::Closed)?;
        queue.try_send(command).map_err(|error| match error {
            mpsc::TrySendError::Full(_) => WriterFailure::QueueFull,
            mpsc::TrySendError::Disconnected(_) => WriterFailure::Closed,
        })
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

fn write_until_closed(connection: &Connection, commands: &Receiver<Command>) {
    while let Ok(first) = commands.recv() {
        write_batch(connection, iter::once(first).chain(commands.try_iter()).take(BATCH));
    }
    let checkpoint = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    if let Err(error) = checkpoint {
        tracing::warn!(%error, "the write-ahead log was not emptied; the next start reads it");
    }
}

fn write_batch(connection: &Connection, batch: impl Iterator<Item = Command>) {
    let began = execute(connection, "BEGIN IMMEDIATE").map_err(Failure);
    if let Err(error) = began {
        tracing::error!(%error, "no write could begin");
        batch.for_each(drop);
        return;
    }
    let mut answers = Vec::new();
    for command in batch {
        answers.extend(run_in_savepoint(connection, command));
        // A full disk or a failing one ends the whole transaction; what came after it would be
        // committed alone.
        if connection.is_autocommit() {
            break;
        }
    }
    let committed = commit(connection);
    for answer in answers {
        answer(committed.clone());
    }
}

/// The answer that waits for the commit; none if the command panicked, which its caller is told.
fn run_in_savepoint(connection: &Connection, command: Command) -> Option<Answer> {
    if let Err(error) = execute(connection, "SAVEPOINT command").map_err(Failure) {
        tracing::error!(%error, "no write could begin inside its batch");
        return None;
    }
    let ran = panic::catch_unwind(AssertUnwindSafe(|| command(connection))).ok();
    let keep = ran.as_ref().is_some_and(|ran| ran.keep);
    if leave_savepoint(connection, keep).is_err() {
        // Half a command must not be committed: the batch goes, and `COMMIT` then fails for all.
        execute(connection, "ROLLBACK").ok();
    }
    ran.map(|ran| ran.answer)
}

fn leave_savepoint(connection: &Connection, keep: bool) -> rusqlite::Result<()> {
    if !keep {
        execute(connection, "ROLLBACK TO command")?;
    }
    execute(connection, "RELEASE command")
}

fn commit(connection: &Connection) -> Committed {
    execute(connection, "COMMIT").map_err(Failure).map_err(|error| {
        tracing::error!(%error, "a batch of writes could not be committed");
        if !connection.is_autocommit() {
            execute(connection, "ROLLBACK").ok();
        }
        WriterFailure::NotCommitted(Arc::new(error))
    })
}

fn execute(connection: &Connection, sql: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.execute([]).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn writer() -> Writer {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE word (text TEXT UNIQUE) STRICT").unwrap();
        Writer::start(connection).unwrap()
    }

    async fn insert(writer: &Writer, text: &'static str) -> Result<(), Stop<Infallible>> {
        writer
            .run(move |connection| {
                Ok(connection.execute("INSERT INTO word VALUES (?)", [text]).map(drop)?)
            })
            .await
    }

    async fn words(writer: &Writer) -> i64 {
        let count = |connection: &Connection| {
            Ok(connection.query_row("SELECT count(*) FROM word", [], |row| row.get(0))?)
        };
        writer.run::<_, Infallible>(count).await.unwrap()
    }

    #[tokio::test]
    async fn a_command_that_fails_halfway_leaves_nothing_and_spares_its_neighbours() {
        let writer = writer();

        let halfway = writer.run::<(), _>(|connection| {
            connection.execute("INSERT INTO word VALUES ('half')", [])?;
            Err(Stop::Refused("enough"))
        });
        let (before, refused, after) =
            tokio::join!(insert(&writer, "before"), halfway, insert(&writer, "after"));

        assert!(before.is_ok() && after.is_ok());
        assert!(matches!(refused, Err(Stop::Refused("enough"))));
        assert_eq!(words(&writer).await, 2);
    }

    #[tokio::test]
    async fn a_panic_in_a_command_is_answered_and_the_next_one_runs() {
        let writer = writer();

        let panicked = writer
            .run::<(), Infallible>(|connection| {
                connection.execute("INSERT INTO word VALUES ('half')", [])?;
                panic!("on purpose")
            })
            .await;

        assert!(panicked.is_err());
        assert!(insert(&writer, "next").await.is_ok());
        assert_eq!(words(&writer).await, 1);
    }

    #[tokio::test]
    async fn a_batch_whose_transaction_is_lost_is_answered_as_failed_by_all_and_the_next_one_runs()
    {
        let writer = writer();
        let (release, released) = mpsc::channel::<()>();

        // Holds the batch open until the others have joined it.
        let holding = writer.run::<(), Infallible>(move |_| {
            released.recv().ok();
            Ok(())
        });
        let refused = writer.run::<(), _>(|_| Err(Stop::Refused("in vain")));
        let losing =
            writer.run::<(), Infallible>(|connection| Ok(connection.execute_batch("ROLLBACK")?));
        let releasing = async { release.send(()) };
        let (held, first, refused, lost, _) =
            tokio::join!(holding, insert(&writer, "first"), refused, losing, releasing);

        assert!(held.is_err() && first.is_err() && lost.is_err());
        assert!(matches!(refused, Err(Stop::Failed(_))));
        assert_eq!(words(&writer).await, 0);
        assert!(insert(&writer, "next").await.is_ok());
    }

    #[tokio::test]
    async fn a_full_queue_is_answered_at_once() {
        let writer = writer();
        let (release, released) = mpsc::channel::<()>();
        let (started, has_started) = mpsc::channel::<()>();
        let blocking = writer.run::<(), Infallible>(move |_| {
            started.send(()).ok();
            released.recv().ok();
            Ok(())
        });
        tokio::pin!(blocking);
        assert!(polled_once(blocking.as_mut()).await.is_none());
        has_started.recv().unwrap();

        let mut waiting = Vec::new();
        let refused = loop {
            let mut next = Box::pin(insert(&writer, "waiting"));
            match polled_once(next.as_mut()).await {
                Some(answer) => break answer,
                None => waiting.push(next),
            }
        };

        release.send(()).unwrap();
        assert!(blocking.await.is_ok());
        assert!(refused.is_err_and(|stop| {
            let cause: Box<dyn Error + Send + Sync> = stop.into();
            cause.to_string() == "too many writes are waiting already"
        }));
        assert_eq!(waiting.len(), QUEUE);
    }

    async fn polled_once<F: Future + Unpin>(mut future: F) -> Option<F::Output> {
        std::future::poll_fn(|context| {
            std::task::Poll::Ready(match std::pin::Pin::new(&mut future).poll(context) {
                std::task::Poll::Ready(output) => Some(output),
                std::task::Poll::Pending => None,
            })
        })
        .await
    }
}
