//! What `kill -9` can't show: that an answer waits for the disk.

use std::{
    fs,
    process::Stdio,
    time::{Duration, Instant},
};

use tokio::process::{Child, Command};

use crate::{
    scene::Scene,
    support::{Directory, Installation},
};

/// The calls of the system that are watched: what asks for the disk, and what answers.
const WATCHED: &str = "trace=fdatasync,fsync,sendto,write,writev,sendmsg";

/// How long strace may take to write down the end.
const PATIENCE: Duration = Duration::from_secs(20);

/// Watches the program's calls of the system while a directory creates people. Between one answer
/// and the next, the log of the database must have been brought to the disk.
#[tokio::test]
async fn a_write_is_on_the_disk_before_it_is_acknowledged() {
    let scene = Scene::begin().await;
    let mut watched = serve_watched(&scene.installation);
    scene.installation.is_ready().await;

    for number in 0..4 {
        scene.directory.create(&Directory::user(&format!("p{number}@acme.example"))).await;
    }

    watched.kill().await.unwrap();
    let calls = calls_until_killed(&scene.installation).await;
    let parts: Vec<&str> = calls.split("HTTP/1.1 201").collect();
    // What the start brought to the disk stands before the first answer, and proves nothing.
    let [_, between @ .., _] = &*parts else { panic!("no answer: {calls}") };
    assert_eq!(between.len(), 3, "{calls}");
    for calls in between {
        assert!(calls.lines().any(is_synced), "no call for the disk: {calls}");
    }
}

/// The service under strace, which is its child (`-D`), so that the kill hits the service.
fn serve_watched(installation: &Installation) -> Child {
    let program = installation.command(&["serve"]);
    Command::new("strace")
        .args(["-D", "-f", "-y", "-s", "400", "-e", WATCHED, "-o"])
        .arg(installation.path("calls"))
        .arg(program.as_std().get_program())
        .arg("serve")
        .current_dir(installation.folder.path())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("run tests/run, which installs strace")
}

/// What strace wrote down, to the end.
async fn calls_until_killed(installation: &Installation) -> String {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let calls = fs::read_to_string(installation.path("calls")).unwrap();
        if calls.contains("+++ killed") {
            return calls;
        }
        assert!(Instant::now() < deadline, "strace does not see the end: {calls}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn is_synced(call: &str) -> bool {
    call.contains("sync(") && call.contains("portico.db-wal")
}
