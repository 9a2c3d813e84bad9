//! The connection to Redis, and whether it may be believed.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwapOption;
use redis::{
    AsyncConnectionConfig, Client, Cmd, ErrorKind, Pipeline, RedisError, RedisResult,
    ScriptInvocation, Value, aio::MultiplexedConnection,
};
use tokio::sync::Notify;

use super::{Kind, server};
use crate::{
    domain::secret::hexadecimal,
    ports::{Part, Unavailable},
};

/// A check of access waits no longer for an answer.
pub(super) const A_CHECK: Duration = Duration::from_millis(250);

/// Nothing else waits longer, and a connection with TLS and password takes no longer to make.
const ANYTHING: Duration = Duration::from_secs(1);

/// One Redis, over one connection that all threads share.
///
/// Whoever owns it waits for [`Self::interrupted`], then calls [`Self::reconnect`] until it
/// succeeds, brings the sessions in line with the accounts, and says so by [`Self::resume`].
///
/// # Why it breaks and stays broken
///
/// A connection that broke may come back to a Redis that lost its last second, and a revocation
/// that failed must be made up for. So after either everything is refused at once, which also keeps
/// requests from piling up, until somebody has connected anew; and no session is accepted before
/// what was revoked of late has been revoked once more.
///
/// Any other command that Redis refuses, or is slow to carry out, fails alone: strangers can begin
/// sign-ins until its memory is full, and must not sign anybody out by it. Whether Redis answers at
/// all is asked right afterwards.
pub struct Redis {
    client: Client,
    prefix: String,
    connection: ArcSwapOption<MultiplexedConnection>,
    /// How often something failed; begins with one that never was a connection.
    failures: AtomicU64,
    /// How many of them a new connection has made good.
    answering: AtomicU64,
    /// How many of them have been caught up with. A failure in the meantime leaves the three
    /// unequal, so it can't be overlooked.
    caught_up: AtomicU64,
    has_failed: Notify,
    /// A command failed alone, and nobody has asked since whether Redis answers.
    is_doubted: AtomicBool,
    /// It may lose what it was told.
    is_forgetful: AtomicBool,
}

/// A number of failures, made good by a new connection.
#[derive(Clone, Copy, Debug)]
pub struct Interruption(u64);

/// The connection is broken and nobody has connected anew yet.
#[derive(Debug, thiserror::Error)]
#[error("the connection is broken; it is being made anew")]
struct Broken;

/// What was revoked while Redis was away has not reached it yet.
#[derive(Debug, thiserror::Error)]
#[error("changes of accounts have not reached the sessions yet")]
struct Behind;

impl Redis {
    /// Redis at an address such as `redis://127.0.0.1:6379/0`, not yet connected; every key begins
    /// with `prefix`.
    pub fn new(url: &str, prefix: String) -> RedisResult<Self> {
        Ok(Self {
            client: Client::open(url)?,
            prefix,
            connection: ArcSwapOption::empty(),
            failures: AtomicU64::new(1),
            answering: AtomicU64::new(0),
            caught_up: AtomicU64::new(0),
            has_failed: Notify::new(),
            is_doubted: AtomicBool::new(false),
            is_forgetful: AtomicBool::new(false),
        })
    }

    /// Waits until something has failed that nobody has made good; asks Redis whether it answers
    /// whenever that is in doubt.
    pub async fn interrupted(&self) {
        while self.accepts_sessions().is_ok() {
            if self.is_doubted.swap(false, Ordering::SeqCst) {
                self.find_out().await;
            } else {
                self.has_failed.notified().await;
            }
        }
    }

    async fn find_out(&self) {
        const DOING: &str = "asking Redis";
        let Ok(mut connection) = self.connection(DOING) else { return };
        if let Err(error) = redis::cmd("PING").query_async::<Value>(&mut connection).await {
            let unavailable = self.failed(unavailable(DOING, error));
            tracing::warn!(%unavailable, "Redis is connected anew");
        }
    }

    /// What the operator should mend, though sessions can be had.
    pub(super) fn warning(&self) -> Option<&'static str> {
        self.is_forgetful.load(Ordering::SeqCst).then_some(server::FORGETFUL)
    }

    /// Connects anew; commands are carried out from then on.
    pub async fn reconnect(&self) -> Result<Interruption, Unavailable> {
        let failures = self.failures.load(Ordering::SeqCst);
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(ANYTHING))
            .set_response_timeout(Some(ANYTHING));
        let connected = self.client.get_multiplexed_async_connection_with_config(&config).await;
        let mut connection = connected.map_err(|error| unavailable("connecting", error))?;
        let answered = redis::cmd("PING").query_async::<Value>(&mut connection).await;
        answered.map_err(|error| unavailable("connecting", error))?;
        let is_forgetful = server::is_forgetful(&mut connection).await?;
        if is_forgetful && !self.is_forgetful.swap(true, Ordering::SeqCst) {
            tracing::error!("{}", server::FORGETFUL);
        }
        self.is_forgetful.store(is_forgetful, Ordering::SeqCst);
        self.connection.store(Some(Arc::new(connection)));
        self.answering.store(failures, Ordering::SeqCst);
        Ok(Interruption(failures))
    }

    /// Sessions are accepted again, unless something has failed since [`Self::reconnect`].
    pub fn resume(&self, made_good: Interruption) {
        self.caught_up.store(made_good.0, Ordering::SeqCst);
    }

    /// A key, named by its kind and by bytes that also choose its slot in a cluster.
    pub(super) fn key(&self, kind: Kind, name: &[u8]) -> Vec<u8> {
        let mut key = Vec::with_capacity(self.prefix.len() + name.len() + 4);
        key.extend_from_slice(self.prefix.as_bytes());
        key.extend_from_slice(&[kind as u8, b':', b'{']);
        key.extend_from_slice(hexadecimal(name).as_bytes());
        key.push(b'}');
        key
    }

    /// What every key of a kind matches, for `SCAN`.
    pub(super) fn pattern(&self, kind: Kind) -> String {
        let mut pattern = String::with_capacity(self.prefix.len() + 5);
        for letter in self.prefix.chars() {
            if "*?[]\\^-".contains(letter) {
                pattern.push('\\');
            }
            pattern.push(letter);
        }
        pattern.push(char::from(kind as u8));
        pattern.push_str(":{*}");
        pattern
    }

    /// Whether what Redis says of sessions is believed now.
    pub(super) fn accepts_sessions(&self) -> Result<(), Unavailable> {
        let failures = self.failures.load(Ordering::SeqCst);
        if self.answering.load(Ordering::SeqCst) != failures {
            return Err(away("asking Redis", Broken));
        }
        if self.caught_up.load(Ordering::SeqCst) != failures {
            return Err(away("asking Redis", Behind));
        }
        Ok(())
    }

    /// Carries a command out; [`Value::Nil`] where another program's value lies under the key.
    pub(super) async fn run(
        &self,
        doing: &'static str,
        command: &Cmd,
    ) -> Result<Value, Unavailable> {
        self.run_within(ANYTHING, doing, command).await
    }

    /// The same within so much time.
    pub(super) async fn run_within(
        &self,
        time: Duration,
        doing: &'static str,
        command: &Cmd,
    ) -> Result<Value, Unavailable> {
        let mut connection = self.connection(doing)?;
        connection.set_response_timeout(time);
        let answer = command.query_async(&mut connection).await;
        self.judge(doing, answer)
    }

    /// The same for a script.
    pub(super) async fn run_script(
        &self,
        doing: &'static str,
        script: &ScriptInvocation<'_>,
    ) -> Result<Value, Unavailable> {
        let mut connection = self.connection(doing)?;
        let answer = script.invoke_async(&mut connection).await;
        self.judge(doing, answer)
    }

    /// The same for several commands at once, each of which succeeds or fails by itself.
    pub(super) async fn run_all(
        &self,
        doing: &'static str,
        commands: &mut Pipeline,
    ) -> Result<Vec<Value>, Unavailable> {
        let mut connection = self.connection(doing)?;
        let answers = commands.ignore_errors().query_async(&mut connection).await;
        let answers: Vec<RedisResult<Value>> = self.judge_whole(doing, answers)?;
        answers.into_iter().map(|answer| self.judge(doing, answer)).collect()
    }

    fn connection(&self, doing: &'static str) -> Result<MultiplexedConnection, Unavailable> {
        let answering = self.answering.load(Ordering::SeqCst);
        let connection = self.connection.load();
        match &*connection {
            Some(connection) if answering == self.failures.load(Ordering::SeqCst) => {
                Ok(MultiplexedConnection::clone(connection))
            }
            _ => Err(away(doing, Broken)),
        }
    }

    fn judge(&self, doing: &'static str, answer: RedisResult<Value>) -> Result<Value, Unavailable> {
        match answer {
            Err(error) if is_of_another_program(&error) => {
                tracing::warn!(doing, "a key of ours in Redis holds another program's value");
                Ok(Value::Nil)
            }
            answer => self.judge_whole(doing, answer),
        }
    }

    fn judge_whole<T>(
        &self,
        doing: &'static str,
        answer: RedisResult<T>,
    ) -> Result<T, Unavailable> {
        answer.map_err(|error| {
            let is_lost = is_lost(&error);
            let unavailable = unavailable(doing, error);
            if is_lost { self.failed(unavailable) } else { self.doubted(unavailable) }
        })
    }

    /// What must be made up for if it is not done; [`Broken`] was known before it was tried.
    pub(super) fn must<T>(&self, done: Result<T, Unavailable>) -> Result<T, Unavailable> {
        match done {
            Err(unavailable) if !unavailable.cause.is::<Broken>() => Err(self.failed(unavailable)),
            done => done,
        }
    }

    fn doubted(&self, unavailable: Unavailable) -> Unavailable {
        self.is_doubted.store(true, Ordering::SeqCst);
        self.has_failed.notify_one();
        unavailable
    }

    /// Believes nothing more until it was reached anew: something could not be done here.
    fn failed(&self, unavailable: Unavailable) -> Unavailable {
        self.failures.fetch_add(1, Ordering::SeqCst);
        self.has_failed.notify_one();
        unavailable
    }
}

/// Whether nothing more can be asked over this connection, or not of this Redis.
fn is_lost(error: &RedisError) -> bool {
    error.is_unrecoverable_error() || matches!(error.code(), Some("READONLY" | "NOAUTH"))
}

/// What could not be done, in words that tell what to mend; never with the password.
pub(super) fn unavailable(doing: &'static str, error: RedisError) -> Unavailable {
    if error.kind() == ErrorKind::AuthenticationFailed
        || matches!(error.code(), Some("NOAUTH" | "WRONGPASS"))
    {
        return away(doing, NotAdmitted);
    }
    away(doing, error)
}

/// User name or password are wrong or missing.
#[derive(Debug, thiserror::Error)]
#[error("Redis refuses the user name or password of redis.url, or wants one")]
struct NotAdmitted;

/// Redis did not do what it was asked.
pub(super) fn away(
    doing: &'static str,
    cause: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> Unavailable {
    Unavailable { part: Part::Redis, doing, cause: cause.into() }
}

/// Of a script, Redis before 7 says it in the middle of its sentence.
fn is_of_another_program(error: &RedisError) -> bool {
    const SIGN: &str = "WRONGTYPE";
    error.code() == Some(SIGN) || error.detail().is_some_and(|detail| detail.contains(SIGN))
}
