//! The steps that bring a file from any earlier version to this one.

use rusqlite::{Connection, TransactionBehavior};

use super::master_key_check;
use crate::domain::master_key::MasterKey;

/// In the header of every file of ours: `Port` in ASCII.
pub(super) const APPLICATION_ID: i32 = 0x506F_7274;

/// One file per version, the first makes version 1.
const MIGRATIONS: [&str; 6] = [
    include_str!("0001_first.sql"),
    include_str!("0002_sign_ins_in_bounds.sql"),
    include_str!("0003_revocations.sql"),
    include_str!("0004_scim_credentials.sql"),
    include_str!("0005_provisioning_policy.sql"),
    include_str!("0006_groups_and_queries.sql"),
];

/// The newest version that this binary knows.
pub(super) const NEWEST: usize = MIGRATIONS.len();

/// Carries out what the file lacks, each step and its number in one transaction.
pub(super) fn migrate(
    connection: &mut Connection,
    from: usize,
    master_key: &MasterKey,
) -> rusqlite::Result<()> {
    for (number, step) in (1..).zip(MIGRATIONS).skip(from) {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute_batch(step)?;
        if number == 1 {
            transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
            master_key_check::insert(&transaction, master_key)?;
        }
        transaction.pragma_update(None, "user_version", number)?;
        transaction.commit()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::domain::{
        connector::{ScimCredential, ScimCredentialKind},
        secret::Secret,
    };
    use crate::storage::sqlite::functions;

    fn at_version(version: usize) -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        for step in &MIGRATIONS[..version] {
            connection.execute_batch(step).unwrap();
        }
        connection
    }

    #[test]
    fn scim_passwords_become_credentials_and_stay_valid() {
        let connection = at_version(3);
        let passwords = ["one", "two"].map(Secret::new);
        let digests = passwords.each_ref().map(|word| *word.digest().as_bytes()).concat();
        let insert = "INSERT INTO organization (id, slug, display_name, edition, created_at)
                          VALUES (zeroblob(16), 'acme', 'Acme', 'enterprise', 0)";
        connection.execute_batch(insert).unwrap();
        let insert =
            "INSERT INTO connector VALUES (zeroblob(16), randomblob(16), 'azure_ad', 1, '', '',
                          'none', NULL, 'token', 'roles', '[]', 'ask', ?, ?, 1795348800123456)";
        for (user_name, digests) in [("both", &digests[..]), ("one", &digests[..32]), ("none", &[])]
        {
            connection.execute(insert, (user_name, digests)).unwrap();
        }

        connection.execute_batch(MIGRATIONS[3]).unwrap();

        let credentials = |user_name: &str| -> Vec<ScimCredential> {
            let sql = "SELECT scim_credentials FROM connector WHERE scim_user_name = ?";
            let json: String = connection.query_row(sql, [user_name], |row| row.get(0)).unwrap();
            serde_json::from_str(&json).unwrap()
        };
        let both = credentials("both");
        let kinds: Vec<_> = both.iter().map(|credential| credential.kind.clone()).collect();
        let expected = passwords.map(|word| ScimCredentialKind::Password(word.digest()));
        assert_eq!(kinds, expected);
        assert_ne!(both[0].id, both[1].id);
        assert!(both[0].id.to_string().starts_with("01a2"), "{}", both[0].id);
        let created_at: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
        assert_eq!((both[0].created_at, both[0].expires_at), (created_at, None));
        assert_eq!(credentials("one").len(), 1);
        assert_eq!(credentials("none"), []);
    }

    #[test]
    fn accounts_become_the_oldest_connectors_in_the_order_of_their_creation() {
        let connection = at_version(5);
        functions::register(&connection).unwrap();
        connection
            .execute_batch(
                "INSERT INTO organization (id, slug, display_name, edition, created_at) VALUES
                     (zeroblob(16), 'acme', 'Acme', 'enterprise', 0),
                     (randomblob(16), 'alone', 'Alone', 'enterprise', 0);
                 WITH oldest (id) AS (VALUES (x'22222222222222222222222222222222'),
                                             (x'11111111111111111111111111111111'))
                 INSERT INTO connector
                     (organization_id, id, kind, enabled, authority, client_id,
                      client_authentication, role_source, role_claim, role_table,
                      link_by_user_name, scim_user_name, created_at)
                 SELECT zeroblob(16), id, 'azure_ad', 1, '', '', 'none', 'token', 'roles', '[]',
                        'ask', '', 0 FROM oldest;
                 WITH RECURSIVE number (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM number
                                               WHERE n < 1500)
                 INSERT INTO account
                     (organization_id, id, user_name, user_name_folded, email, email_folded,
                      display_name, active, scim_roles, access_epoch, version, created_at,
                      last_modified_at, attributes)
                 SELECT organization.id, unhex(printf('%032x', 5000 - n)), n, n, n, n, 'A', 1, '[]',
                        1, 1, 0, 0, json_object('displayName', 'ÄRA ' || n, 'emails',
                            json_array(json_object('value', n), json_object('value', 'X' || n)))
                 FROM number, organization WHERE slug = 'acme' OR n = 1",
            )
            .unwrap();

        connection.execute_batch(MIGRATIONS[5]).unwrap();

        let count = |condition: &str| -> i64 {
            let sql = format!("SELECT count(*) FROM account WHERE {condition}");
            connection.query_row(&sql, [], |row| row.get(0)).unwrap()
        };
        let oldest = "connector_id = x'11111111111111111111111111111111'";
        assert_eq!(count(&format!("{oldest} AND position = 1500 - user_name")), 1_500);
        assert_eq!(count("connector_id IS NULL AND position IS NULL"), 1, "made by hand");
        assert_eq!(count("scim_display_name_folded = 'ära ' || user_name"), 1_501);
        let listed = |sql: &str| -> (i64, i64) {
            connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
        };
        assert_eq!(listed("SELECT next_position, live FROM directory"), (1_500, 1_500));
        let blocks = "SELECT group_concat(block), group_concat(live) FROM
                          (SELECT block, live FROM directory_block ORDER BY block)";
        let blocks: (String, String) =
            connection.query_row(blocks, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        assert_eq!(blocks, ("0,1".to_owned(), "1024,476".to_owned()));
        let addresses = "SELECT count(*), sum(email_folded LIKE 'x%') FROM account_address";
        assert_eq!(listed(addresses), (1_501, 1_501), "but for those in the column");
    }
}
