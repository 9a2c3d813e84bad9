//! What only PostgreSQL promises: how a database is opened, and what many writers at once leave.

use std::sync::Arc;

use portico::{
    domain::{account::Account, id::AccountId},
    ports::{
        accounts::Accounts as _,
        query::Start,
        store::{Health as _, Organizations as _},
    },
    storage::postgres::{OpenError, PostgresServer},
};
use tokio::task::JoinSet;

use crate::support::{
    Schema, account_of, connector_in, from, master_key, organization_in, raw, trail,
};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a PostgreSQL server; tests/run starts one"]
async fn nodes_that_start_together_make_one_database() {
    let schema = Arc::new(Schema::new().await);
    let mut starting = JoinSet::new();
    for _ in 0..4 {
        let schema = schema.clone();
        starting.spawn(async move { schema.open().await });
    }

    let nodes = starting.join_all().await;

    let acme = organization_in(&nodes[0], "acme").await;
    for node in &nodes {
        assert!(node.find_organization(acme).await.unwrap().is_some());
        node.ping().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a PostgreSQL server; tests/run starts one"]
async fn another_master_key_is_refused() {
    let schema = Schema::new().await;
    schema.open().await;

    let refused = schema.open_with(master_key(8)).await.unwrap_err();

    assert!(matches!(refused, OpenError::AnotherMasterKey { .. }), "{refused}");
    schema.open().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a PostgreSQL server; tests/run starts one"]
async fn a_database_of_another_program_is_refused_and_left_as_it_was() {
    for sql in [
        "CREATE TABLE note (text TEXT)",
        "CREATE TABLE portico (text TEXT)",
        "CREATE TABLE portico (version TEXT, master_key_check BYTEA)",
        "CREATE TABLE portico (version TEXT, master_key_check BYTEA);
         INSERT INTO portico VALUES ('6', '')",
    ] {
        let schema = Schema::new().await;
        let client = raw(&schema.server()).await;
        client.batch_execute(sql).await.unwrap();

        let refused = schema.open_with(master_key(7)).await.unwrap_err();

        assert!(matches!(refused, OpenError::AnotherProgram { .. }), "{sql}: {refused}");
        let tables = "SELECT FROM pg_tables WHERE schemaname = current_schema()";
        assert_eq!(client.query(tables, &[]).await.unwrap().len(), 1, "{sql}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a PostgreSQL server; tests/run starts one"]
async fn a_database_of_a_newer_version_is_refused() {
    let schema = Schema::new().await;
    schema.open().await;
    let client = raw(&schema.server()).await;
    client.batch_execute("UPDATE portico SET version = version + 1").await.unwrap();

    let refused = schema.open_with(master_key(7)).await.unwrap_err();

    assert!(matches!(refused, OpenError::Newer { .. }), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a PostgreSQL server; tests/run starts one"]
async fn a_server_that_can_not_be_used_is_named_with_what_to_do() {
    let schema = Schema::new().await;
    let mut nobody_there = schema.server();
    nobody_there.password("hunter2");
    let [mut no_database, mut no_user] = [(); 2].map(|()| nobody_there.clone());
    no_database.dbname("nothing");
    no_user.user("nobody");
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut read_only = schema.server();
    read_only.options("-c default_transaction_read_only=on");
    let nobody_there: tokio_postgres::Config =
        format!("postgres://portico:hunter2@127.0.0.1:{port}/portico").parse().unwrap();
    let servers = [
        (nobody_there, "nobody answers there; see that PostgreSQL runs"),
        (no_database, "create the database, or name another in database.url"),
        (no_user, "set user and password in database.url right"),
        (read_only, "takes no writes; name the server that does"),
    ];

    for (server, words) in servers {
        let refused = PostgresServer::reach(server, 2).await.map(drop).unwrap_err().to_string();

        assert!(refused.contains(words), "{refused}");
        assert!(!refused.contains("hunter2"), "{refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a PostgreSQL server; tests/run starts one"]
async fn of_two_nodes_that_keep_sessions_in_memory_the_second_is_told() {
    let schema = Schema::new().await;
    let (one, other) = (schema.open().await, schema.open().await);

    let first = one.claim_sessions().await.unwrap();
    let second = other.claim_sessions().await.unwrap();

    assert_eq!((first, second), (true, false));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a PostgreSQL server; tests/run starts one"]
async fn many_writers_at_once_are_counted_to_the_last() {
    let schema = Schema::new().await;
    let store = Arc::new(schema.open().await);
    let acme = organization_in(&*store, "acme").await;
    let connector = connector_in(&*store, acme).await;
    let mut writing = JoinSet::new();
    for number in 0..200 {
        let (store, connector) = (store.clone(), connector.clone());
        writing.spawn(async move {
            let account = account_of(&connector, &format!("person {number}"));
            store.insert_account(&account, &trail(acme, "created")).await.unwrap();
            if number % 4 == 0 {
                store.delete_account(acme, account.id, &trail(acme, "deleted")).await.unwrap();
            }
        });
    }

    writing.join_all().await;

    assert_eq!(store.count_accounts(acme).await.unwrap(), 150);
    let page = from(Start::Offset(100), 100);
    let page = store.query_accounts(acme, connector.id, &page).await.unwrap();
    assert_eq!((page.total, page.items.len(), page.remaining), (150, 50, 0));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a PostgreSQL server; tests/run starts one"]
async fn a_name_with_a_character_that_no_text_may_hold_is_kept_without_it() {
    let schema = Schema::new().await;
    let store = schema.open().await;
    let acme = organization_in(&store, "acme").await;
    let connector = connector_in(&store, acme).await;
    let odd = Account { id: AccountId::generate(), ..account_of(&connector, "od\0d") };

    store.insert_account(&odd, &trail(acme, "created")).await.unwrap();

    let found = store.find_account(acme, odd.id).await.unwrap().unwrap();
    assert_eq!(found.user_name, "od\u{fffd}d");
    assert_eq!(found.attributes, odd.attributes);
}
