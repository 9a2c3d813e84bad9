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
}
