//! The PostgreSQL of the stories.

use std::thread;

use portico::{config::PostgresUrl, domain::id::OrganizationId};
use tokio::runtime::Builder;
use tokio_postgres::NoTls;

/// The address of a schema of one's own in the PostgreSQL that all stories are kept in, where
/// `PORTICO_TEST_DATABASE` is `postgres`. It goes with the server.
pub fn schema() -> Option<PostgresUrl> {
    if std::env::var("PORTICO_TEST_DATABASE").as_deref() != Ok("postgres") {
        return None;
    }
    let url = std::env::var("PORTICO_TEST_POSTGRES");
    let url = url.expect("PORTICO_TEST_POSTGRES names a PostgreSQL database");
    let server = url.parse::<PostgresUrl>().unwrap().server();
    let name = format!("story_{}", OrganizationId::generate()).replace('-', "");
    let sql = format!("CREATE SCHEMA {name}");
    let created = thread::spawn(move || {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (client, connection) = server.connect(NoTls).await.unwrap();
            tokio::spawn(connection);
            client.batch_execute(&sql).await.unwrap();
        });
    });
    created.join().unwrap();
    Some(format!("{url}?options=-csearch_path%3D{name}").parse().unwrap())
}
