//! A Redis that a story has to itself, and that it may stop.

use std::{
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use portico::domain::secret::Secret;
use tempfile::TempDir;

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
    /// One that writes everything down before it answers. None where no Redis is asked for, by
    /// `PORTICO_TEST_REDIS`.
    pub fn start() -> Option<Self> {
        Self::start_durable(true)
    }

    /// One that loses what came after its last snapshot, where any Redis is asked for.
    pub fn start_forgetful() -> Option<Self> {
        Self::start_durable(false)
    }

    fn start_durable(is_durable: bool) -> Option<Self> {
        std::env::var_os("PORTICO_TEST_REDIS")?;
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let folder = tempfile::tempdir().unwrap();
        let mut server = Self { port, is_durable, folder, process: None };
        server.start_again();
        Some(server)
    }

    /// The lines of a configuration that name it.
    pub fn section(&self) -> String {
        format!("[redis]\nurl = \"redis://127.0.0.1:{}/0\"\n", self.port)
    }

    /// Ends it in order.
    pub fn stop(&mut self) {
        let process = self.process.as_mut().expect("it runs");
        let id = process.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        process.wait().unwrap();
        self.process = None;
    }

    /// Begins it anew, with what it has written down.
    pub fn start_again(&mut self) {
        let mut command = Command::new("redis-server");
        command.args(["--port", &self.port.to_string(), "--bind", "127.0.0.1", "--save", ""]);
        command.args(["--appendonly", if self.is_durable { "yes" } else { "no" }]);
        command.args(["--appendfsync", "always"]);
        command.arg("--dir").arg(self.folder.path());
        let started = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn();
        self.process = Some(started.expect("redis-server is installed"));
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(Instant::now() < deadline, "redis-server does not listen");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Writes down what it holds at this moment.
    pub fn snapshot(&self) {
        let client = redis::Client::open(("127.0.0.1", self.port)).unwrap();
        redis::cmd("SAVE").exec(&mut client.get_connection().unwrap()).unwrap();
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

/// The Redis that all stories keep their sessions in, where `PORTICO_TEST_SESSIONS` is `redis`, and
/// a part of it.
pub fn shared() -> Option<(String, String)> {
    if std::env::var("PORTICO_TEST_SESSIONS").as_deref() != Ok("redis") {
        return None;
    }
    let url = std::env::var("PORTICO_TEST_REDIS").expect("PORTICO_TEST_REDIS names a Redis");
    Some((url, format!("story:{}:", Secret::generate().expose())))
}
