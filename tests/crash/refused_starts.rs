//! Starts that are refused: each names the file and what to do, and leaves everything as it was.

use std::{
    fs,
    os::unix::fs::{FileExt as _, PermissionsExt as _, symlink},
    path::Path,
    process::Output,
};

use rusqlite::Connection;

use crate::{
    scene::Scene,
    support::{Directory, Installation, stderr},
};

const DATABASE: &str = "data/portico.db";
const LOG: &str = "data/portico.db-wal";
const KEY: &str = "data/master.key";

/// What was done to an installation before it is started, and what the start says.
type Case = (&'static str, Spoil, &'static [&'static str]);
type Spoil = fn(&Installation);

const REFUSED: [Case; 22] = [
    ("the database is a folder", database_is_a_folder, &[DATABASE, "is a folder", "name a file"]),
    ("the database is empty", |here| put(here, DATABASE, ""), &[DATABASE, "is empty", "restore"]),
    (
        "the database is a text",
        |here| put(here, DATABASE, "Dear diary, today I was no database at all. ".repeat(9)),
        &[DATABASE, "is not an SQLite database", "name another file"],
    ),
    (
        "the database is a word",
        |here| put(here, DATABASE, "SQLite format 3\0"),
        &[DATABASE, "is not an SQLite database"],
    ),
    (
        "the database is another program's",
        |here| another_programs(&here.path(DATABASE)),
        &[DATABASE, "is a database of another program", "name another file"],
    ),
    (
        "the database is of a newer version",
        |here| sql(here, "PRAGMA user_version = 99"),
        &[DATABASE, "newer Portico", "version 99", "restore a backup"],
    ),
    (
        "the database is gone and its log is not",
        |here| fs::rename(here.path(DATABASE), here.path("elsewhere.db")).unwrap(),
        &[DATABASE, "is missing", LOG, "restore a backup"],
    ),
    ("the second half is cut off", |here| cut(here, 2), &[DATABASE, "is damaged", "backup"]),
    ("all but the first page is cut off", |here| cut(here, 1_000), &[DATABASE, "is damaged"]),
    (
        "pages are overwritten at many places",
        |here| (1..39).step_by(3).for_each(|page| overwrite(here, page * 4_096)),
        &[DATABASE, "is damaged", "restore a backup"],
    ),
    ("the schema is overwritten", |here| overwrite(here, 108), &[DATABASE, "is damaged"]),
    (
        "the log is another database's",
        log_of_another_database,
        &[DATABASE, "is damaged", "restore a backup"],
    ),
    (
        "the key is gone",
        |here| fs::remove_file(here.path(KEY)).unwrap(),
        &[KEY, "missing", "backup"],
    ),
    ("the key is another", another_key, &[DATABASE, "another master key", "start with that one"]),
    ("the key is empty", |here| put(here, KEY, ""), &[KEY, "32 bytes in base64", "backup"]),
    ("the key is cut off", |here| put(here, KEY, "AAECAwQFBgcICQoLDA0"), &[KEY, "32 bytes"]),
    ("the key is a folder", key_is_a_folder, &[KEY, "must be a file", "restore it"]),
    ("the key can be read by all", |here| mode(here, KEY, 0o644), &[KEY, "chmod 600"]),
    ("the lock is a folder", lock_is_a_folder, &["portico.db.lock", "Portico's user"]),
    (
        "the database leads nowhere",
        |here| {
            fs::rename(here.path("data"), here.path("elsewhere")).unwrap();
            symlink("/nowhere/at/all", here.path("data")).unwrap();
        },
        &["data", "can't be made"],
    ),
    ("the folder is a file", folder_is_a_file, &["data", "can't be"]),
    (
        "the database is a device",
        |here| replace_by_link(here, "/dev/null"),
        &[DATABASE, "is empty"],
    ),
];

#[tokio::test]
async fn a_start_on_what_is_not_right_says_so_and_changes_nothing() {
    let pattern = installed().await;
    for (case, spoil, expected) in REFUSED {
        let installation = copy_of(&pattern);
        spoil(&installation);
        let before = everything_in(installation.folder.path());

        for arguments in [["serve"], ["migrate"]] {
            let output = installation.run(&arguments).await;

            assert_refused(case, &output, expected);
            assert!(everything_in(installation.folder.path()) == before, "{case}: it was changed");
        }
    }
}

/// Whatever was left over by a process that is gone, or hurts nobody, is no reason to refuse.
#[tokio::test]
async fn a_start_is_not_hindered_by_what_a_killed_process_left() {
    let cases: [(&str, Spoil); 6] = [
        ("a lock that nobody holds", |here| put(here, "data/portico.db.lock", "4711")),
        ("half of a new database", |here| {
            fs::remove_dir_all(here.path("data")).unwrap();
            fs::create_dir(here.path("data")).unwrap();
            put(here, "data/portico.db.new", "half");
            put(here, "data/portico.db.new-journal", "half");
        }),
        ("half of a new key", |here| put(here, "data/master.0badcafe.new", "half")),
        ("a log that broke off", |here| {
            let length = here.path(LOG).metadata().unwrap().len();
            shorten(&here.path(LOG), length - 1_000);
        }),
        ("a log that is none", |here| put(here, LOG, vec![0xAA; 9_000])),
        ("a shared memory that is none", |here| {
            put(here, "data/portico.db-shm", vec![0xAA; 32_768]);
        }),
    ];
    let pattern = installed().await;
    for (case, leave) in cases {
        let installation = copy_of(&pattern);
        leave(&installation);

        let output = installation.run(&["migrate"]).await;

        assert_eq!(output.status.code(), Some(0), "{case}: {}", stderr(&output));
        installation.serve().await.kill().await;
        let left = fs::read_dir(installation.path("data")).unwrap().map(|entry| entry.unwrap());
        let left: Vec<_> = left.map(|entry| entry.file_name().into_string().unwrap()).collect();
        assert!(!left.iter().any(|name| name.contains("db.new")), "{case}: {left:?}");
    }
}

/// Of what belongs to another user and is closed, the program sees what it sees of what is its own
/// and closed: no permission.
#[tokio::test]
async fn a_start_without_the_right_to_write_says_so_and_changes_nothing() {
    let cases: [(&str, u32, &[&str]); 6] = [
        ("data", 0, &["data", "Portico's user"]),
        ("data", 0o500, &["portico.db.lock", "cannot be written", "Portico's user"]),
        (DATABASE, 0, &[DATABASE, "cannot be written", "Portico's user"]),
        (DATABASE, 0o400, &[DATABASE, "cannot be written", "Portico's user"]),
        (KEY, 0, &[KEY, "can't be read", "Portico's user"]),
        (".", 0o500, &["data", "can't be made", "Portico's user"]),
    ];
    let pattern = installed().await;
    for (name, closed, expected) in cases {
        let case = format!("{name} has {closed:04o}");
        let installation = copy_of(&pattern);
        without_log(&installation);
        fs::remove_file(installation.path("data/portico.db.lock")).unwrap();
        if name == "." {
            fs::remove_dir_all(installation.path("data")).unwrap();
        }
        let before = everything_in(installation.folder.path());
        mode(&installation, name, closed);

        let output = without_privileges(&installation, &["migrate"]).await;

        mode(&installation, name, 0o700);
        assert_refused(&case, &output, expected);
        fs::remove_file(installation.path("data/portico.db.lock")).ok();
        assert!(everything_in(installation.folder.path()) == before, "{case}");
    }
}

#[tokio::test]
async fn a_migration_beside_a_running_service_is_refused() {
    let installation = Installation::new("");
    let process = installation.serve().await;

    let output = installation.run(&["migrate"]).await;

    assert_refused("beside", &output, &[DATABASE, "is in use by another running Portico", "stop"]);
    process.kill().await;
    installation.succeed(&["migrate"]).await;
}

#[tokio::test]
async fn a_complaint_that_nobody_can_read_leaves_its_exit_code() {
    let installation = Installation::new("");
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    put(&installation, "data", "");

    let status = installation.command(&["migrate"]).stderr(full).status().await.unwrap();

    assert_eq!(status.code(), Some(1));
}

/// An installation whose service was killed, with people in its database and in its log.
async fn installed() -> Scene {
    let scene = Scene::begin().await;
    let process = scene.installation.serve().await;
    for number in 0..60 {
        scene.directory.create(&Directory::user(&format!("p{number}@acme.example"))).await;
    }
    process.kill().await;
    scene
}

fn copy_of(pattern: &Scene) -> Installation {
    let copy = Installation::new("");
    fs::create_dir(copy.path("data")).unwrap();
    mode(&copy, "data", 0o700);
    for entry in fs::read_dir(pattern.installation.path("data")).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), copy.path("data").join(entry.file_name())).unwrap();
    }
    copy
}

/// Every file and folder with its content, by path.
fn everything_in(folder: &Path) -> Vec<(String, Option<Vec<u8>>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let is_link = path.is_symlink();
        if path.is_dir() && !is_link {
            found.extend(everything_in(&path));
        }
        let is_empty = path.metadata().is_ok_and(|found| found.len() == 0);
        match path.extension().and_then(|extension| extension.to_str()) {
            // Rebuilt by whoever opens the database first.
            Some("db-shm") => continue,
            Some("db-wal") if is_empty => continue,
            _ => {}
        }
        let content = (path.is_file() && !is_link).then(|| fs::read(&path).unwrap());
        found.push((path.to_str().unwrap().to_owned(), content));
    }
    found.sort();
    found
}

fn assert_refused(case: &str, output: &Output, expected: &[&str]) {
    let said = stderr(output);
    let complaints: Vec<_> = said.lines().filter(|line| line.starts_with("portico: ")).collect();
    assert_eq!((output.status.code(), complaints.len()), (Some(1), 1), "{case}: {said}");
    for words in expected {
        assert!(complaints[0].contains(words), "{case}: `{words}` is missing in: {said}");
    }
}

/// Runs a command as somebody whom permissions bind, which they do not bind root.
async fn without_privileges(installation: &Installation, arguments: &[&str]) -> Output {
    let mut command = installation.command_under(&["unshare", "--user"], arguments);
    command.kill_on_drop(true).output().await.unwrap()
}

fn put(here: &Installation, name: &str, content: impl AsRef<[u8]>) {
    fs::write(here.path(name), content).unwrap();
}

fn mode(here: &Installation, name: &str, mode: u32) {
    fs::set_permissions(here.path(name), fs::Permissions::from_mode(mode)).unwrap();
}

fn sql(here: &Installation, sql: &str) {
    Connection::open(here.path(DATABASE)).unwrap().execute_batch(sql).unwrap();
}

fn database_is_a_folder(here: &Installation) {
    fs::remove_file(here.path(DATABASE)).unwrap();
    fs::create_dir(here.path(DATABASE)).unwrap();
}

fn key_is_a_folder(here: &Installation) {
    fs::remove_file(here.path(KEY)).unwrap();
    fs::create_dir(here.path(KEY)).unwrap();
}

fn lock_is_a_folder(here: &Installation) {
    fs::remove_file(here.path("data/portico.db.lock")).unwrap();
    fs::create_dir(here.path("data/portico.db.lock")).unwrap();
}

fn folder_is_a_file(here: &Installation) {
    fs::remove_dir_all(here.path("data")).unwrap();
    put(here, "data", "");
}

fn replace_by_link(here: &Installation, to: &str) {
    fs::remove_file(here.path(DATABASE)).unwrap();
    symlink(to, here.path(DATABASE)).unwrap();
}

fn another_programs(path: &Path) {
    fs::remove_file(path).unwrap();
    let sql = "CREATE TABLE note (text TEXT); PRAGMA application_id = 42; PRAGMA user_version = 1";
    Connection::open(path).unwrap().execute_batch(sql).unwrap();
}

fn another_key(here: &Installation) {
    put(here, KEY, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
}

/// All is in the file itself, as after an orderly end.
fn without_log(here: &Installation) {
    sql(here, "PRAGMA wal_checkpoint(TRUNCATE)");
    assert!(!here.path(LOG).exists());
}

fn shorten(path: &Path, length: u64) {
    fs::OpenOptions::new().write(true).open(path).unwrap().set_len(length).unwrap();
}

/// Keeps one part in so many of the file.
fn cut(here: &Installation, parts: u64) {
    without_log(here);
    let length = here.path(DATABASE).metadata().unwrap().len();
    shorten(&here.path(DATABASE), (length / parts).max(4_096));
}

fn overwrite(here: &Installation, offset: u64) {
    without_log(here);
    let file = fs::OpenOptions::new().write(true).open(here.path(DATABASE)).unwrap();
    file.write_all_at(&[0xA5; 600], offset).unwrap();
}

/// The database of a backup, and beside it the log that another one had when it was killed.
fn log_of_another_database(here: &Installation) {
    let log = fs::read(here.path(LOG)).unwrap();
    let another = here.path("another.db");
    let schema = "PRAGMA journal_mode = DELETE; PRAGMA application_id = 0x506F7274;
        PRAGMA user_version = 1; CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB);
        CREATE TABLE account (id BLOB PRIMARY KEY, text TEXT); CREATE INDEX a ON account (text);";
    let filling = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9000)
        INSERT INTO account SELECT randomblob(16), hex(randomblob(20)) FROM n";
    let database = Connection::open(&another).unwrap();
    database.execute_batch(schema).unwrap();
    database.execute_batch(filling).unwrap();
    drop(database);
    fs::rename(another, here.path(DATABASE)).unwrap();
    fs::remove_file(here.path("data/portico.db-shm")).unwrap();
    put(here, LOG, log);
}
