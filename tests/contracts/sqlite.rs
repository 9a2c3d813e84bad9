//! What only the embedded database promises: its file.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, sync::Arc};

use portico::{
    domain::{login_transaction::LoginTransaction, secret::Secret},
    ports::{
        accounts::Accounts as _,
        groups::Groups as _,
        logins::Logins as _,
        query::Start,
        store::{
            Connectors as _, Organizations as _, SessionRecords as _, SigningKey, SigningKeys as _,
        },
    },
    storage::sqlite::{OpenError, SqliteStore},
};
use rusqlite::Connection;
use tempfile::TempDir;
use tokio::task::JoinSet;

use crate::support::{
    Backend, CLIENT_SECRET, account, account_of_in, audit, file, from, group_in, hints, login,
    master_key, now, open, organization_in, person, person_in_group, session, sqlite, trail,
};

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn refusal(path: &Path) -> OpenError {
    SqliteStore::open(path, master_key(7)).expect_err("it must be refused")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_is_there_after_reopening() {
    let Backend { store, folder } = sqlite();
    let (alice, connector) = person(&*store).await;
    drop(Arc::into_inner(store));

    let store = open(&folder);

    let found = store.find_account(alice.organization_id, alice.id).await.unwrap();
    assert_eq!(found, Some(alice));
    assert_eq!(store.find_connector(connector.id).await.unwrap(), Some(connector));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_is_there_without_an_orderly_end() {
    let Backend { store, folder } = sqlite();
    let (alice, connector) = person(&*store).await;
    let staff = group_in(&*store, &connector, "Staff", &[person_in_group(&alice)]).await;
    let copy = tempfile::tempdir().unwrap();
    for name in ["portico.db", "portico.db-wal"] {
        fs::copy(folder.path().join(name), copy.path().join(name)).unwrap();
    }

    let after_crash = open(&copy);

    let acme = alice.organization_id;
    assert_eq!(after_crash.find_account(acme, alice.id).await.unwrap(), Some(alice.clone()));
    let members = after_crash.list_members(acme, staff.id, None, 9).await.unwrap();
    assert_eq!(members[0].id, person_in_group(&alice));
    assert_eq!(after_crash.find_group(acme, connector.id, staff.id).await.unwrap(), Some(staff));
    // What comes next gets the next position.
    let bob = account_of_in(&after_crash, &connector, "bob").await;
    let page = after_crash.query_accounts(acme, connector.id, &from(Start::Offset(0), 9)).await;
    assert_eq!(page.unwrap().items, [alice, bob]);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_stands_in_the_files() {
    let Backend { store, folder } = sqlite();
    let (alice, connector) = person(&*store).await;
    store.insert_login(&login(&connector, b"browser")).await.unwrap();
    store.insert_session(&session(&alice, &connector), &hints()).await.unwrap();
    let pkcs8 = Secret::new("a-signing-key-that-nobody-may-read");
    let key = SigningKey { kid: "kid".into(), pkcs8, created_at: now() };
    store.insert_first_signing_key(&key).await.unwrap();

    let mut bytes = fs::read(file(&folder)).unwrap();
    bytes.extend(fs::read(folder.path().join("portico.db-wal")).unwrap());

    let stands = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(stands(&connector.client_id), "what is no secret is found");
    assert!(!stands(CLIENT_SECRET));
    assert!(!stands("that-nobody-may-read"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sealed_secret_moved_to_another_row_does_not_open() {
    let Backend { store, folder } = sqlite();
    let acme = organization_in(&*store, "acme").await;
    let [one, two] = [(); 2].map(|()| crate::support::connector(acme));
    for connector in [&one, &two] {
        store.insert_connector(connector, &audit(acme, "created")).await.unwrap();
    }
    drop(Arc::into_inner(store));
    let raw = Connection::open(file(&folder)).unwrap();
    let sql = "UPDATE connector SET client_secret =
                   (SELECT client_secret FROM connector WHERE id = ?1) WHERE id = ?2";
    let moved = raw.execute(sql, [one.id.as_bytes(), two.id.as_bytes()]).unwrap();
    assert_eq!(moved, 1);
    drop(raw);

    let store = open(&folder);

    assert!(store.find_connector(one.id).await.unwrap().is_some());
    assert!(store.find_connector(two.id).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn another_master_key_is_refused() {
    let Backend { store, folder } = sqlite();
    drop(Arc::into_inner(store));

    let refused = SqliteStore::open(&file(&folder), master_key(8)).unwrap_err();

    assert!(matches!(refused, OpenError::AnotherMasterKey { .. }), "{refused}");
    open(&folder);
}

#[test]
fn a_file_that_is_no_database_is_refused_and_left_as_it_was() {
    let folder = folder();
    let text = "Dear diary, today I was no database at all. ".repeat(200);
    fs::write(file(&folder), &text).unwrap();

    let refused = refusal(&file(&folder));

    assert!(matches!(refused, OpenError::NotADatabase { .. }), "{refused}");
    assert_eq!(fs::read_to_string(file(&folder)).unwrap(), text);
}

#[test]
fn a_database_of_another_program_is_refused_and_left_as_it_was() {
    for sql in [
        "CREATE TABLE note (text TEXT)",
        "PRAGMA application_id = 42",
        "PRAGMA user_version = 1",
        "PRAGMA application_id = 42; PRAGMA user_version = 99; CREATE TABLE account (id TEXT)",
    ] {
        let folder = folder();
        Connection::open(file(&folder)).unwrap().execute_batch(sql).unwrap();
        let before = fs::read(file(&folder)).unwrap();

        let refused = refusal(&file(&folder));

        assert!(matches!(refused, OpenError::AnotherProgram { .. }), "{sql}: {refused}");
        assert_eq!(fs::read(file(&folder)).unwrap(), before, "{sql}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_file_is_refused() {
    let Backend { store, folder } = sqlite();
    person(&*store).await;
    drop(Arc::into_inner(store));
    let whole = fs::read(file(&folder)).unwrap();
    let cut = whole[..whole.len() / 2].to_vec();
    let mut overwritten = whole.clone();
    overwritten[100..4_096].fill(0xAA);

    for damaged in [cut, overwritten] {
        fs::write(file(&folder), damaged).unwrap();

        let refused = refusal(&file(&folder));

        assert!(matches!(refused, OpenError::Damaged { .. }), "{refused}");
    }
    fs::write(file(&folder), whole).unwrap();
    open(&folder);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_version_than_this_program_knows_is_refused() {
    let Backend { store, folder } = sqlite();
    drop(Arc::into_inner(store));
    let raw = Connection::open(file(&folder)).unwrap();
    raw.execute_batch("PRAGMA user_version = 1000").unwrap();
    drop(raw);

    let refused = refusal(&file(&folder));

    assert!(matches!(refused, OpenError::Newer { found: 1000, .. }), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_process_is_refused_while_the_first_runs() {
    let Backend { store, folder } = sqlite();

    let refused = refusal(&file(&folder));

    assert!(matches!(refused, OpenError::InUse { .. }), "{refused}");
    drop(Arc::into_inner(store));
    open(&folder);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_beside_a_running_service_sees_what_it_wrote_and_is_seen() {
    let Backend { store: service, folder } = sqlite();
    let acme = organization_in(&*service, "acme").await;

    let command = SqliteStore::open_beside(&file(&folder), master_key(7)).unwrap();
    let globex = organization_in(&command, "globex").await;
    let seen = command.find_organization(acme).await.unwrap();
    drop(command);

    assert!(seen.is_some());
    assert!(service.find_organization(globex).await.unwrap().is_some());
    let after = organization_in(&*service, "initech").await;
    assert!(service.find_organization(after).await.unwrap().is_some());
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let folder = folder();
    fs::write(folder.path().join("file"), "").unwrap();

    let refused = refusal(&folder.path().join("file/inside/portico.db"));

    assert!(matches!(refused, OpenError::Folder { .. }), "{refused}");
    assert!(refused.to_string().contains("file/inside"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_owner_can_read_the_files() {
    let folder = folder();
    let path = folder.path().join("made/portico.db");
    let store = SqliteStore::open(&path, master_key(7)).unwrap();
    person(&store).await;

    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;

    assert_eq!(mode(path.parent().unwrap()), 0o700);
    for entry in fs::read_dir(path.parent().unwrap()).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_writers_at_once_all_get_an_answer() {
    let Backend { store, folder: _folder } = sqlite();
    let acme = organization_in(&*store, "acme").await;
    let mut writers = JoinSet::new();
    for number in 0..1_000 {
        let (store, account) = (store.clone(), account(acme, &format!("person-{number}")));
        writers.spawn(async move {
            store.insert_account(&account, &trail(acme, "created")).await.unwrap();
            // A reader sees at once what a writer was told.
            store.find_account(acme, account.id).await.unwrap().unwrap();
        });
    }

    writers.join_all().await;

    assert_eq!(store.count_accounts(acme).await.unwrap(), 1_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_accepted_is_carried_out_though_its_caller_went_away() {
    let Backend { store, folder } = sqlite();
    let acme = organization_in(&*store, "acme").await;
    let accounts: Vec<_> = (0..100).map(|n| account(acme, &format!("person-{n}"))).collect();
    for account in &accounts {
        let event = trail(acme, "created");
        let mut write = std::pin::pin!(store.insert_account(account, &event));
        let polled = std::future::poll_fn(|context| {
            std::task::Poll::Ready(write.as_mut().poll(context).is_ready())
        });
        polled.await;
    }

    drop(Arc::into_inner(store));

    let total = open(&folder).count_accounts(acme).await.unwrap();
    assert_eq!(total, 100);
}

#[tokio::test]
async fn one_organization_cannot_begin_a_login_through_anothers_connector() {
    let Backend { store, .. } = sqlite();
    let (_, connector) = person(&*store).await;
    let globex = organization_in(&*store, "globex").await;
    let login = LoginTransaction { organization_id: globex, ..login(&connector, b"browser") };

    assert!(store.insert_login(&login).await.is_err());

    assert_eq!(store.take_login(&login.state, now()).await.unwrap(), None);
}
