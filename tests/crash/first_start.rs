//! Power that fails during a start: the next one needs no hand.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    process::Stdio,
    time::{Duration, Instant},
};

use rusqlite::Connection;

use crate::support::{Installation, stderr};

/// A file that a start has left, and its content.
type Left<'c> = (&'static str, &'c [u8]);

/// How many moments of it are tried.
const MOMENTS: u32 = 40;

/// How often they are tried again with twice the time, on a machine that has more to do by then.
const ATTEMPTS: u32 = 6;

#[tokio::test]
async fn a_first_start_that_is_killed_at_any_moment_is_made_good_by_the_next() {
    let began = Instant::now();
    Installation::new("").succeed(&["migrate"]).await;
    let mut longest = began.elapsed();
    let mut found = [0; 3];
    for _ in 0..ATTEMPTS {
        longest *= 2;
        for moment in 0..MOMENTS {
            found[kill_and_start_again(longest * moment / MOMENTS).await] += 1;
        }
        if found[2] > 0 {
            break;
        }
    }
    println!("killed before the key, before the database and after it: {found:?}");
    assert!(found[0] > 0 && found[2] > 0, "{found:?}");
}

/// Kills a first start after so long; how many of key and database the next one found.
async fn kill_and_start_again(after: Duration) -> usize {
    let installation = Installation::new("");
    let mut command = installation.command(&["migrate"]);
    let mut killed =
        command.stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true).spawn().unwrap();
    tokio::time::sleep(after).await;
    killed.kill().await.unwrap();
    let has = |name: &str| installation.path(name).exists();
    let key = fs::read(installation.path("data/master.key")).ok();
    let found = usize::from(has("data/master.key")) + usize::from(has("data/portico.db"));

    let next = installation.run(&["migrate"]).await;

    assert!(next.status.success(), "killed after {after:?}: {}", stderr(&next));
    let now = fs::read(installation.path("data/master.key")).unwrap();
    assert!(key.is_none_or(|key| key == now), "the key that was made first stays");
    assert_as_made_at_once(&installation);
    found
}

/// Each state that a first start passes through, without waiting for a kill to hit it.
#[tokio::test]
async fn a_first_start_goes_on_from_wherever_one_was_cut_off() {
    let pattern = Installation::new("");
    pattern.succeed(&["migrate"]).await;
    let key = fs::read(pattern.path("data/master.key")).unwrap();
    let database = fs::read(pattern.path("data/portico.db")).unwrap();
    let states: [(&str, &[Left]); 7] = [
        ("an empty folder", &[]),
        ("half of a key", &[("master.0badcafe.new", &key[..20])]),
        (
            "a key that has its name and its first one",
            &[("master.0badcafe.new", &key), ("master.key", &key)],
        ),
        ("a key", &[("master.key", &key)]),
        ("a key and a lock", &[("master.key", &key), ("portico.db.lock", b"")]),
        (
            "a key and half of a database",
            &[
                ("master.key", &key),
                ("portico.db.lock", b""),
                ("portico.db.new", &database[..4_096]),
                ("portico.db.new-journal", &[0; 512]),
            ],
        ),
        (
            "a key and a database without its name",
            &[("master.key", &key), ("portico.db.new", &database)],
        ),
    ];
    for (state, files) in states {
        let installation = Installation::new("");
        fs::create_dir(installation.path("data")).unwrap();
        for (name, content) in files {
            let path = installation.path("data").join(name);
            fs::write(&path, content).unwrap();
            fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
        }

        let next = installation.run(&["migrate"]).await;

        assert!(next.status.success(), "{state}: {}", stderr(&next));
        assert_as_made_at_once(&installation);
    }
}

/// Nothing lies about, and the database is whole.
fn assert_as_made_at_once(installation: &Installation) {
    let left = fs::read_dir(installation.path("data")).unwrap().map(|entry| entry.unwrap());
    let mut left: Vec<_> = left.map(|entry| entry.file_name().into_string().unwrap()).collect();
    left.sort();
    assert_eq!(left, ["master.key", "portico.db", "portico.db.lock"]);
    let database = Connection::open(installation.path("data/portico.db")).unwrap();
    let sound = database.query_row("PRAGMA integrity_check", [], |row| row.get::<_, String>(0));
    assert_eq!(sound.unwrap(), "ok");
}
