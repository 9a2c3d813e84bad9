//! Pages of the database that break while the service runs.

use std::{fs, os::unix::fs::FileExt as _, process::Stdio};

use crate::{
    scene::Scene,
    support::{Ask, Directory},
};

const PAGE: usize = 4_096;

/// Stands in the pages of accounts and in no others.
const MARK: &[u8] = b"familyName";

#[tokio::test]
async fn a_page_that_is_met_damaged_costs_what_needs_it_and_the_log_says_restore_a_backup() {
    let scene = Scene::begin().await;
    let installation = &scene.installation;
    let process = installation.serve().await;
    for number in 0..100 {
        scene.directory.create(&Directory::user(&format!("p{number}@acme.example"))).await;
    }
    process.kill().await;
    // From the log to the file, as a later checkpoint would.
    installation.succeed(&["migrate"]).await;
    let log = fs::File::create(installation.path("log")).unwrap();
    let mut command = installation.command(&["serve"]);
    let mut child = command.stderr(log).stdout(Stdio::null()).kill_on_drop(true).spawn().unwrap();
    installation.is_ready().await;

    let damaged = damage_pages(&installation.path("data/portico.db"));
    let list = scene.directory.get("/Users?count=200").await;
    let login = installation.try_ask(Ask::get("/login/acme")).await.unwrap();
    let live = installation.try_ask(Ask::get("/health/live")).await.unwrap();

    assert!(damaged > 10, "{damaged} pages");
    assert_eq!((list.status, login.status, live.status), (503, 302, 200), "{}", list.body);
    let said = fs::read_to_string(installation.path("log")).unwrap();
    assert!(
        said.contains("the database is damaged: stop the service and restore a backup"),
        "{said}"
    );
    assert_eq!(child.try_wait().unwrap(), None, "it goes on");
}

/// Overwrites the pages of accounts; how many.
fn damage_pages(path: &std::path::Path) -> usize {
    let content = fs::read(path).unwrap();
    let file = fs::OpenOptions::new().write(true).open(path).unwrap();
    let pages = content.chunks(PAGE).enumerate();
    let accounts = pages.filter(|(_, page)| page.windows(MARK.len()).any(|window| window == MARK));
    accounts
        .map(|(number, _)| file.write_all_at(&[0xA5; PAGE], (number * PAGE) as u64).unwrap())
        .count()
}
