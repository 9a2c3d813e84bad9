//! What `kill -9` can't show: that an answer waits for the disk.

use std::{fs, process::Stdio, time::Duration};

use tokio::process::Command;

use crate::{
    scene::Scene,
    support::{Ask, Directory},
};

/// Watches the program's calls of the system: between the arrival of a request to create somebody
/// and its answer, the log of the database must have been brought to the disk.
#[tokio::test]
async fn a_write_is_on_the_disk_before_it_is_acknowledged() {
    if Command::new("strace").arg("-V").stdout(Stdio::null()).status().await.is_err() {
        println!("strace is not installed: whether the disk is asked was not watched");
        return;
    }
    let scene = Scene::begin().await;
    let installation = &scene.installation;
    let program = installation.command(&["serve"]);
    let mut strace = Command::new("strace");
    strace
        .args([
            "-D",
            "-f",
            "-y",
            "-s",
            "400",
            "-e",
            "trace=fdatasync,fsync,sendto,write,writev,sendmsg",
        ])
        .args(["-o", installation.path("calls").to_str().unwrap()])
        .arg(program.as_std().get_program())
        .arg("serve")
        .current_dir(installation.folder.path())
        .stderr(Stdio::null());
    let mut watched = strace.kill_on_drop(true).spawn().unwrap();
    while installation.try_ask(Ask::get("/health/live")).await.is_none() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }

    for number in 0..3 {
        scene.directory.create(&Directory::user(&format!("p{number}@acme.example"))).await;
    }

    watched.kill().await.unwrap();
    let calls = fs::read_to_string(installation.path("calls")).unwrap();
    let synced = |call: &&str| call.contains("sync(") && call.contains("portico.db-wal");
    let answers: Vec<&str> = calls.split("HTTP/1.1 201").collect();
    assert_eq!(answers.len(), 4, "{calls}");
    for before in &answers[..3] {
        assert!(before.lines().any(|call| synced(&call)), "no call for the disk: {before}");
    }
}
