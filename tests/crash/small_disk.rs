//! A disk that can be filled: a small file system in a namespace of its own, which needs no
//! privileges, and programs that see it.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::{Output, Stdio},
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
};

use crate::support::{Answer, Ask, Installation};

const MOUNT: &str = "mkdir -p disk && mount -t tmpfs -o size=2m,mode=700 tmpfs disk && \
     cp -a data/. disk/ && rm -f disk/*.lock && echo mounted && exec cat";

/// How long a service may take to be as it should.
const PATIENCE: Duration = Duration::from_secs(30);

/// Two mebibytes, mounted on `disk` with a copy of `data`; gone when it is dropped.
pub struct SmallDisk {
    /// Keeps the namespace, until its input ends.
    keeper: Child,
    folder: PathBuf,
}

/// A service on a small disk; killed when it is dropped.
pub struct Running<'i> {
    child: Child,
    installation: &'i Installation,
}

impl SmallDisk {
    pub async fn mount(installation: &Installation) -> Self {
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--mount", "sh", "-c", MOUNT]);
        command.current_dir(installation.folder.path());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut keeper = command.spawn().expect("`unshare` is installed (util-linux)");
        let mut said = String::new();
        BufReader::new(keeper.stdout.as_mut().unwrap()).read_line(&mut said).await.unwrap();
        let needed = "this test needs a user namespace in which it may mount a tmpfs; see above";
        assert_eq!(said, "mounted\n", "{needed}");
        let root = format!("/proc/{}/root", keeper.id().unwrap());
        let inside = installation.folder.path().strip_prefix("/").unwrap();
        let folder = Path::new(&root).join(inside).join("disk");
        Self { keeper, folder }
    }

    /// A file on the disk, as seen from outside.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Takes all the room that is left.
    pub fn fill(&self) {
        self.fill_but(0);
    }

    /// Takes all the room that is left but so many bytes.
    pub fn fill_but(&self, room: u64) {
        use std::io::Write as _;
        let mut options = fs::OpenOptions::new();
        let mut filler = options.create(true).append(true).open(self.path("filler")).unwrap();
        loop {
            match filler.write(&[0; 4_096]) {
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::StorageFull => break,
                Err(error) => panic!("{error}"),
            }
        }
        filler.set_len(filler.metadata().unwrap().len() - room).unwrap();
    }

    /// Gives the room back.
    pub fn free(&self) {
        fs::remove_file(self.path("filler")).unwrap();
    }

    /// The program with these arguments, its database on the disk.
    fn command(&self, installation: &Installation, arguments: &[&str]) -> Command {
        let target = format!("--target={}", self.keeper.id().unwrap());
        let folder = format!("--wd={}", installation.folder.path().display());
        let namespace = ["nsenter", "--user", "--mount", "--preserve-credentials"];
        let wrapper = [&namespace[..], &[&target, &folder]].concat();
        let mut command = installation.command_under(&wrapper, arguments);
        // Whole: the folder that a program starts in is one outside of the namespace.
        command.env("PORTICO_DATABASE__PATH", installation.path("disk/portico.db"));
        command.kill_on_drop(true);
        command
    }

    /// Runs a command there to its end.
    pub async fn run(&self, installation: &Installation, arguments: &[&str]) -> Output {
        let output = self.command(installation, arguments).output();
        tokio::time::timeout(PATIENCE, output).await.expect("a command ends").unwrap()
    }

    /// Starts the service there, its log in the file `log`.
    pub async fn serve<'i>(&self, installation: &'i Installation) -> Running<'i> {
        let mut options = fs::OpenOptions::new();
        let log = options.create(true).append(true).open(installation.path("log")).unwrap();
        let child = self.command(installation, &["serve"]).stderr(log).spawn().unwrap();
        let running = Running { child, installation };
        running.becomes(200).await;
        running
    }
}

impl Running<'_> {
    /// Waits until `/health/ready` has that status; its answer.
    pub async fn becomes(&self, status: u16) -> Answer {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let answer = self.installation.try_ask(Ask::get("/health/ready")).await;
            if let Some(answer) = answer.filter(|answer| answer.status == status) {
                return answer;
            }
            let log = fs::read_to_string(self.installation.path("log")).unwrap_or_default();
            assert!(Instant::now() < deadline, "it does not become {status}: {log}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// `kill -9`.
    pub async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }
}
