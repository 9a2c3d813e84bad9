//! A Redis that a story has to itself, and that it may stop.

use std::{
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::support::port::free_port;

/// How long a Redis may take to answer, or to end.
const PATIENCE: Duration = Duration::from_secs(20);

/// A `redis-server`; killed when it is dropped.
pub struct RedisServer {
    port: u16,
    /// Whether it writes everything down before it answers; else only by [`Self::snapshot`].
    is_durable: bool,
    folder: TempDir,
    process: Option<Child>,
}

impl RedisServer {
    /// One that writes everything down before it answers.
    pub fn start() -> Self {
        Self::start_durable(true)
    }

    /// One that loses what came after its last snapshot.
    pub fn start_forgetful() -> Self {
        Self::start_durable(false)
    }

    fn start_durable(is_durable: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut server = Self { port: free_port(), is_durable, folder, process: None };
        server.start_again();
        server
    }

    /// The lines of a configuration that name it.
    pub fn section(&self) -> String {
        format!("[redis]\nurl = \"redis://127.0.0.1:{}/0\"\n", self.port)
    }

    /// Ends it in order.
    pub fn stop(&mut self) {
        self.signal("-TERM");
        self.process.take().expect("it runs").wait().unwrap();
    }

    /// Begins it anew, with what it has written down.
    pub fn start_again(&mut self) {
        let mut command = Command::new("redis-server");
        command.args(["--port", &self.port.to_string(), "--bind", "127.0.0.1", "--save", ""]);
        command.args(["--appendonly", if self.is_durable { "yes" } else { "no" }]);
        command.args(["--appendfsync", "always"]);
        command.arg("--dir").arg(self.folder.path());
        let started = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn();
        let mut process = started.expect("redis-server is installed");
        let deadline = Instant::now() + PATIENCE;
        while !self.is_answered_by(&process) {
            // It ends at once where somebody else has its port.
            let ended = process.try_wait().unwrap();
            assert!(ended.is_none(), "redis-server ended: {ended:?}");
            assert!(Instant::now() < deadline, "redis-server does not answer");
            std::thread::sleep(Duration::from_millis(10));
        }
        self.process = Some(process);
    }

    /// Whether this process, and no stranger, answers at the port.
    fn is_answered_by(&self, process: &Child) -> bool {
        let told = self.ask::<String>(redis::cmd("INFO").arg("server"));
        let identity = format!("process_id:{}\r\n", process.id());
        told.is_ok_and(|told| told.contains(&identity))
    }

    /// Writes down what it holds at this moment.
    pub fn snapshot(&self) {
        self.ask::<()>(&redis::cmd("SAVE")).unwrap();
    }

    fn ask<T: redis::FromRedisValue>(&self, command: &redis::Cmd) -> redis::RedisResult<T> {
        let client = redis::Client::open(("127.0.0.1", self.port))?;
        command.query(&mut client.get_connection_with_timeout(PATIENCE)?)
    }

    /// `kill -9`: nothing is written down.
    pub fn kill(&mut self) {
        let mut process = self.process.take().expect("it runs");
        process.kill().unwrap();
        process.wait().unwrap();
    }

    /// Stops it in the midst of whatever it does, so that it answers nothing.
    pub fn freeze(&self) {
        self.signal("-STOP");
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let id = self.process.as_ref().expect("it runs").id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}
