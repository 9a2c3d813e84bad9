//! The disk is full: nothing is half-written, nobody is lied to, and when there is room again
//! everything goes on by itself.

use std::fs;

use portico::domain::clock::Clock;
use serde_json::json;

use crate::{
    scene::Scene,
    small_disk::SmallDisk,
    support::{Ask, Browser, Directory, stderr},
};

/// So many accounts never fit on the disk.
const TOO_MANY: usize = 3_000;

/// Creates people until one is refused; those whom the service has acknowledged.
async fn create_until_refused(directory: &Directory) -> Vec<String> {
    let mut acknowledged = Vec::new();
    for number in 0..TOO_MANY {
        let user_name = format!("p{number}@acme.example");
        let answer = directory.post("/Users", &Directory::user(&user_name)).await;
        if answer.status == 503 {
            assert!(answer.headers.contains_key("retry-after"), "{answer:?}");
            let detail = answer.json()["detail"].as_str().unwrap().to_owned();
            assert!(detail.contains("nothing was changed"), "{detail}");
            assert!(detail.contains("Try again"), "{detail}");
            return acknowledged;
        }
        assert_eq!(answer.status, 201, "{}", answer.body);
        acknowledged.push(user_name);
    }
    panic!("the disk is never full")
}

/// Everybody whom the service has, sorted.
async fn everybody(directory: &Directory) -> Vec<String> {
    let mut names = Vec::new();
    loop {
        let from = names.len() + 1;
        let list = directory.get(&format!("/Users?startIndex={from}&count=200")).await.json();
        let page = list["Resources"].as_array().cloned().unwrap_or_default();
        names.extend(page.iter().map(|user| user["userName"].as_str().unwrap().to_owned()));
        if page.is_empty() {
            assert_eq!(list["totalResults"], names.len());
            names.sort();
            return names;
        }
    }
}

#[tokio::test]
async fn a_full_disk_stops_writes_alone_and_room_on_it_is_enough_to_go_on() {
    let scene = Scene::begin().await;
    let (installation, directory) = (&scene.installation, &scene.directory);
    let ada = scene.has_person("ada");
    let disk = SmallDisk::mount(installation).await;
    let running = disk.serve(installation).await;
    let id = directory.create(&Scene::user(&ada)).await;
    let mut browser = Browser::at(&installation.origin, Clock::system());
    assert_eq!(browser.sign_in_from("/login/acme", &ada).await.heading(), "Welcome, ada Example");
    let deactivate = json!([{ "op": "replace", "path": "active", "value": false }]);

    disk.fill();
    let mut acknowledged = create_until_refused(directory).await;
    let ready = running.becomes(503).await;
    let live = installation.try_ask(Ask::get("/health/live")).await.unwrap();
    let login = Browser::at(&installation.origin, Clock::system()).open("/login/acme").await;
    let email_box = Browser::at(&installation.origin, Clock::system()).open("/login").await;
    let (session, check) = (browser.ask(Ask::get("/session")).await, browser.check("").await);
    let refused = directory.patch(&id, deactivate.clone()).await;
    let after_refusal = browser.check("").await;
    let log = fs::read_to_string(installation.path("log")).unwrap();
    acknowledged.push("ada@acme.example".to_owned());
    acknowledged.sort();
    let while_full = everybody(directory).await;

    assert_eq!(ready.json()["status"], "the database is not available");
    assert_eq!((live.status, email_box.status), (200, 200));
    assert_eq!((login.status, login.forms().len()), (503, 0), "{}", login.text());
    assert_eq!((session.status, check.status), (200, 200));
    assert_eq!((refused.status, after_refusal.status), (503, 200), "{}", refused.body);
    assert!(log.contains("make room on the database's disk"), "{log}");
    assert_eq!(while_full, acknowledged);

    disk.free();
    running.becomes(200).await;

    assert_eq!(everybody(directory).await, acknowledged);
    directory.create(&Directory::user("after@acme.example")).await;
    assert_eq!(directory.patch(&id, deactivate).await.status, 200);
    assert_eq!(browser.check("").await.status, 401);
    acknowledged.push("after@acme.example".to_owned());
    acknowledged.sort();

    running.kill().await;
    let _running = disk.serve(installation).await;

    assert_eq!(everybody(directory).await, acknowledged);
    assert_eq!(browser.check("").await.status, 401);
}

#[tokio::test]
async fn a_kill_while_the_disk_is_full_loses_nothing_that_was_acknowledged() {
    let scene = Scene::begin().await;
    let disk = SmallDisk::mount(&scene.installation).await;
    let running = disk.serve(&scene.installation).await;
    disk.fill();
    let mut acknowledged = create_until_refused(&scene.directory).await;
    acknowledged.sort();

    running.kill().await;
    disk.run(&scene.installation, &["migrate"]).await;
    disk.free();
    let _running = disk.serve(&scene.installation).await;

    assert_eq!(everybody(&scene.directory).await, acknowledged);
}

#[tokio::test]
async fn a_start_on_a_full_disk_says_so_and_the_next_one_with_room_succeeds() {
    let scene = Scene::begin().await;
    let disk = SmallDisk::mount(&scene.installation).await;
    let database = fs::read(disk.path("portico.db")).unwrap();
    for first_start in [false, true] {
        if first_start {
            fs::remove_file(disk.path("portico.db")).unwrap();
            fs::remove_file(disk.path("master.key")).unwrap();
        }
        disk.fill();

        let refused = disk.run(&scene.installation, &["serve"]).await;

        let said = stderr(&refused);
        assert_eq!(refused.status.code(), Some(1), "{said}");
        assert!(said.contains("disk/") && said.contains("make room"), "{said}");
        if first_start {
            let left = fs::read_dir(disk.path("")).unwrap().map(|entry| entry.unwrap().file_name());
            let left: Vec<_> = left.filter(|name| name != "filler").collect();
            assert!(left.is_empty(), "{left:?}");
        } else {
            assert_eq!(fs::read(disk.path("portico.db")).unwrap(), database);
        }
        disk.free();
        disk.serve(&scene.installation).await.kill().await;
        for name in ["portico.db-wal", "portico.db-shm", "portico.db.lock"] {
            fs::remove_file(disk.path(name)).unwrap();
        }
    }
}

/// However much room there is, a first start leaves nothing that hinders the next.
#[tokio::test]
async fn a_first_start_that_runs_out_of_room_halfway_leaves_no_half_of_a_database() {
    let scene = Scene::begin().await;
    let disk = SmallDisk::mount(&scene.installation).await;
    for pages in [1, 2, 3, 5, 10, 20, 38, 39, 40, 42, 44, 50] {
        for entry in fs::read_dir(disk.path("")).unwrap() {
            fs::remove_file(entry.unwrap().path()).unwrap();
        }
        disk.fill_but(pages * 4_096);

        let first = disk.run(&scene.installation, &["migrate"]).await;

        if !first.status.success() {
            let said = stderr(&first);
            assert!(said.contains("make room"), "{pages} pages: {said}");
            assert!(!disk.path("portico.db.new").exists(), "{pages} pages");
        }
        disk.free();
        let second = disk.run(&scene.installation, &["migrate"]).await;
        assert!(second.status.success(), "{pages} pages: {}", stderr(&second));
    }
}
