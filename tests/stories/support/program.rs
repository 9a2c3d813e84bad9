//! The program itself, as an operator runs it.

use std::{
    path::PathBuf,
    process::{Output, Stdio},
    time::Duration,
};

use tempfile::TempDir;
use tokio::process::{Child, Command};

use super::{answer::Answer, port::free_port, redis, web::Ask};

/// How long a program may take to do what it was told.
const PATIENCE: Duration = Duration::from_secs(30);

/// A folder with a configuration, in which the program is run.
pub struct Installation {
    pub folder: TempDir,
    /// `http://localhost:PORT`.
    pub origin: String,
}

/// A service that runs as a process of its own; killed when it is dropped.
pub struct Process(pub Child);

impl Installation {
    /// A configuration for a free port, with these lines besides.
    pub fn new(more: &str) -> Self {
        let port = free_port();
        let folder = tempfile::tempdir().unwrap();
        let origin = format!("http://localhost:{port}");
        let installation = Self { folder, origin };
        let listen = format!("[listen]\naddress = \"127.0.0.1:{port}\"\nworkers = 1\n");
        let public_url = format!("public_url = \"{}\"\n", installation.origin);
        let redis = redis::shared().filter(|_| !more.contains("[redis]"));
        let redis = redis.map_or(String::new(), |(url, prefix)| {
            format!("[redis]\nurl = \"{url}\"\nprefix = \"{prefix}\"\n")
        });
        installation.write("portico.toml", &format!("{public_url}{listen}{redis}{more}"));
        installation
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    /// The program with these arguments, in the folder, in an environment without settings.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_portico"));
        command.args(arguments).current_dir(self.folder.path()).stdin(Stdio::null());
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("PORTICO_")) {
            command.env_remove(name);
        }
        command
    }

    /// Runs a command to its end.
    pub async fn run(&self, arguments: &[&str]) -> Output {
        let output = self.command(arguments).kill_on_drop(true).output();
        tokio::time::timeout(PATIENCE, output).await.expect("a command ends").unwrap()
    }

    /// Runs a command that must succeed; what it prints.
    pub async fn succeed(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments).await;
        assert!(output.status.success(), "{arguments:?}: {}", stderr(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Starts the service and waits until it is ready.
    pub async fn serve(&self) -> Process {
        let process = self.serve_at_all().await;
        self.is_ready().await;
        process
    }

    /// Waits until the service is ready.
    pub async fn is_ready(&self) {
        self.wait_until("/health/ready", "the service does not become ready", |answer| {
            answer.is_some_and(|answer| answer.status == 200)
        })
        .await;
    }

    /// Starts the service and waits until it answers, ready or not.
    pub async fn serve_at_all(&self) -> Process {
        let mut command = self.command(&["serve"]);
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true).spawn();
        let process = Process(child.unwrap());
        let listens = |answer: Option<Answer>| answer.is_some();
        self.wait_until("/health/live", "the service does not listen", listens).await;
        process
    }

    /// Waits until nobody listens any more.
    pub async fn is_closed(&self) {
        let closed = |answer: Option<Answer>| answer.is_none();
        self.wait_until("/health/live", "the service goes on taking requests", closed).await;
    }

    async fn wait_until(
        &self,
        path: &str,
        otherwise: &str,
        is_so: impl Fn(Option<Answer>) -> bool,
    ) {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while !is_so(self.try_ask(Ask::get(path)).await) {
            assert!(tokio::time::Instant::now() < deadline, "{otherwise}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The answer, if anybody listens.
    pub async fn try_ask(&self, ask: Ask) -> Option<Answer> {
        ask.try_send(&self.origin).await.ok()
    }
}

impl Process {
    /// `kill -TERM`.
    pub fn terminate(&self) {
        let id = self.0.id().unwrap().to_string();
        let sent = std::process::Command::new("kill").args(["-TERM", &id]).status();
        assert!(sent.unwrap().success());
    }

    /// Its exit code, once it has ended.
    pub async fn ended(mut self) -> Option<i32> {
        tokio::time::timeout(PATIENCE, self.0.wait()).await.expect("it ends").unwrap().code()
    }
}

/// What a command says of what went wrong.
pub fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}
