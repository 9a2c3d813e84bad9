//! People.

use std::collections::BTreeSet;

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, ToSql, named_params, params};

use super::{
    SqliteStore,
    columns::{Columns, Count, Json, Moment, folded},
    directory::Directory,
    is_taken, members,
    queries::Reading,
    revocations, trail,
    writer::Stop,
};
use crate::{
    domain::{
        account::Account,
        id::{AccountId, ConnectorId, MemberId, OrganizationId},
    },
    ports::{
        NotDone, Unavailable,
        accounts::{AccountConflict, AccountLookup, Accounts},
        query::{Page, Query, TooCostly},
        store::{Revocation, Revoked},
        trail::Trail,
    },
    scim::schema::ResourceType,
};

const COLUMNS: &str = "organization_id, connector_id, id, user_name, external_id, email, \
     display_name, active, scim_roles, access_epoch, version, created_at, last_modified_at, \
     attributes";

const VALUES: &str = "user_name = :user_name, user_name_folded = :user_name_folded, \
     external_id = :external_id, email = :email, email_folded = :email_folded, \
     display_name = :display_name, scim_display_name_folded = :scim_display_name_folded, \
     active = :active, scim_roles = :scim_roles, access_epoch = :access_epoch, \
     version = :version, created_at = :created_at, last_modified_at = :last_modified_at, \
     attributes = :attributes";

const WHICH: &str =
    "organization_id = :organization_id AND id = :id AND version = :expected_version";

#[async_trait]
impl Accounts for SqliteStore {
    async fn insert_account(
        &self,
        account: &Account,
        trail: &Trail,
    ) -> Result<(), NotDone<AccountConflict>> {
        let (account, trail) = (account.clone(), trail.clone());
        self.write_unless("creating an account", move |connection| {
            let position = take_position(connection, &account)?;
            insert(connection, &account, position)?;
            insert_addresses(connection, &account)?;
            Ok(trail::insert(connection, &trail, account.connector_id)?)
        })
        .await
    }

    async fn replace_account(
        &self,
        account: &Account,
        expected_version: u64,
        trail: &Trail,
    ) -> Result<(), NotDone<AccountConflict>> {
        let (account, trail) = (account.clone(), trail.clone());
        self.write_unless("changing an account", move |connection| {
            let sql = format!(
                "UPDATE account SET {VALUES} WHERE {WHICH} AND connector_id IS :connector_id"
            );
            let expected: &[(&str, &dyn ToSql)] =
                &[(":expected_version", &Count(expected_version))];
            replace(connection, &sql, &account, expected, trail.audit.at)?;
            Ok(trail::insert(connection, &trail, account.connector_id)?)
        })
        .await
    }

    async fn adopt_account(
        &self,
        account: &Account,
        expected_version: u64,
        trail: &Trail,
    ) -> Result<(), NotDone<AccountConflict>> {
        let (account, trail) = (account.clone(), trail.clone());
        self.write_unless("taking over an account", move |connection| {
            let position = take_position(connection, &account)?;
            let sql = format!(
                "UPDATE account SET connector_id = :connector_id, position = :position, {VALUES}
                 WHERE {WHICH} AND connector_id IS NULL AND external_id IS NULL
                     AND NOT EXISTS (SELECT 1 FROM subject_link AS link
                                     WHERE link.organization_id = account.organization_id
                                         AND link.account_id = account.id)"
            );
            let others: &[(&str, &dyn ToSql)] = &[
                (":expected_version", &Count(expected_version)),
                (":position", &position.map(Count)),
            ];
            replace(connection, &sql, &account, others, trail.audit.at)?;
            Ok(trail::insert(connection, &trail, account.connector_id)?)
        })
        .await
    }

    async fn delete_account(
        &self,
        organization_id: OrganizationId,
        id: AccountId,
        trail: &Trail,
    ) -> Result<bool, Unavailable> {
        let trail = trail.clone();
        self.write("deleting an account", move |connection| {
            let deleted = delete(connection, organization_id, id, trail.audit.at)?;
            if deleted {
                trail::insert(connection, &trail, None)?;
            }
            Ok(deleted)
        })
        .await
    }

    async fn find_account(
        &self,
        organization_id: OrganizationId,
        id: AccountId,
    ) -> Result<Option<Account>, Unavailable> {
        self.read("finding an account", |connection| {
            find(connection, "id = ?", &[&organization_id, &id])
        })
    }

    async fn find_account_by(
        &self,
        organization_id: OrganizationId,
        lookup: &AccountLookup,
    ) -> Result<Option<Account>, Unavailable> {
        self.read("finding an account", |connection| match lookup {
            AccountLookup::UserName(name) => {
                find(connection, "user_name_folded = ?", &[&organization_id, &folded(name)])
            }
            AccountLookup::ExternalId(connector_id, id) => {
                let condition = "connector_id = ? AND external_id = ?";
                find(connection, condition, &[&organization_id, connector_id, id])
            }
            AccountLookup::Email(email) => {
                find(connection, "email_folded = ?", &[&organization_id, &folded(email)])
            }
        })
    }

    async fn query_accounts(
        &self,
        organization_id: OrganizationId,
        connector_id: ConnectorId,
        query: &Query,
    ) -> Result<Page<Account>, NotDone<TooCostly>> {
        let directory = Directory { organization_id, connector_id, kind: ResourceType::User };
        let reading = Reading { columns: COLUMNS, read };
        self.query("listing accounts", directory, query, reading).await
    }

    async fn list_accounts(
        &self,
        organization_id: OrganizationId,
        after: Option<AccountId>,
        limit: u64,
    ) -> Result<Vec<Account>, Unavailable> {
        self.read("listing accounts", |connection| {
            let after = after.map_or(Vec::new(), |id| id.as_bytes().to_vec());
            let sql = format!(
                "SELECT {COLUMNS} FROM account WHERE organization_id = ? AND id > ?
                 ORDER BY id LIMIT ?"
            );
            let mut statement = connection.prepare_cached(&sql)?;
            statement.query_map(params![organization_id, after, Count(limit)], read)?.collect()
        })
    }

    async fn count_accounts(&self, organization_id: OrganizationId) -> Result<u64, Unavailable> {
        self.read("counting accounts", |connection| {
            let sql = "SELECT accounts FROM organization WHERE id = ?";
            let mut statement = connection.prepare_cached(sql)?;
            let total = statement.query_row([organization_id], |row| row.get(0)).optional()?;
            Ok(total.map_or(0, |Count(total)| total))
        })
    }
}

/// The account of an organization that meets the condition, which names one at most.
fn find(
    connection: &Connection,
    condition: &'static str,
    key: &[&dyn ToSql],
) -> rusqlite::Result<Option<Account>> {
    let sql = format!("SELECT {COLUMNS} FROM account WHERE organization_id = ? AND {condition}");
    connection.prepare_cached(&sql)?.query_row(key, read).optional()
}

/// The position of an account that is to be its connector's; none where it is made by hand.
fn take_position(connection: &Connection, account: &Account) -> rusqlite::Result<Option<u64>> {
    let Account { organization_id, connector_id, .. } = *account;
    let directory = connector_id.map(|connector_id| Directory {
        organization_id,
        connector_id,
        kind: ResourceType::User,
    });
    directory.map(|directory| directory.take_position(connection)).transpose()
}

fn insert(
    connection: &Connection,
    account: &Account,
    position: Option<u64>,
) -> Result<(), Stop<AccountConflict>> {
    let sql = "INSERT INTO account
                   (organization_id, connector_id, position, id, user_name, user_name_folded,
                    external_id, email, email_folded, display_name, scim_display_name_folded,
                    active, scim_roles, access_epoch, version, created_at, last_modified_at,
                    attributes)
               VALUES
                   (:organization_id, :connector_id, :position, :id, :user_name,
                    :user_name_folded, :external_id, :email, :email_folded, :display_name,
                    :scim_display_name_folded, :active, :scim_roles, :access_epoch, :version,
                    :created_at, :last_modified_at, :attributes)";
    execute(connection, sql, account, &[(":position", &position.map(Count))]).map(drop)
}

fn replace(
    connection: &Connection,
    sql: &str,
    account: &Account,
    others: &[(&str, &dyn ToSql)],
    at: Timestamp,
) -> Result<(), Stop<AccountConflict>> {
    let revokes = revocations::is_due_to_account(connection, account)?;
    if execute(connection, sql, account, others)? == 0 {
        return Err(Stop::Refused(AccountConflict::Version));
    }
    let key = params![account.organization_id, account.id];
    let sql = "DELETE FROM account_address WHERE organization_id = ? AND account_id = ?";
    connection.prepare_cached(sql)?.execute(key)?;
    insert_addresses(connection, account)?;
    if revokes {
        revoke(connection, account.organization_id, account.id, at)?;
    }
    Ok(())
}

/// Keeps the addresses by which the account is found besides its own column's.
fn insert_addresses(connection: &Connection, account: &Account) -> rusqlite::Result<()> {
    let mut addresses: BTreeSet<_> = account.email_addresses().map(folded).collect();
    addresses.remove(&folded(&account.email));
    if addresses.is_empty() {
        return Ok(());
    }
    let sql = "INSERT INTO account_address (organization_id, account_id, email_folded)
               VALUES (?, ?, ?)";
    let mut statement = connection.prepare_cached(sql)?;
    addresses.iter().try_for_each(|address| {
        statement.execute(params![account.organization_id, account.id, address]).map(drop)
    })
}

/// Deletes an account with all that rests on it; `false` if there is none.
fn delete(
    connection: &Connection,
    organization_id: OrganizationId,
    id: AccountId,
    at: Timestamp,
) -> rusqlite::Result<bool> {
    let sql = "DELETE FROM account WHERE organization_id = ? AND id = ?
               RETURNING connector_id, position";
    let place = |row: &Row<'_>| Ok((row.get(0)?, row.get::<_, Option<Count>>(1)?));
    let mut statement = connection.prepare_cached(sql)?;
    let deleted = statement.query_row(params![organization_id, id], place).optional()?;
    let Some((connector_id, position)) = deleted else { return Ok(false) };
    if let (Some(connector_id), Some(Count(position))) = (connector_id, position) {
        let directory = Directory { organization_id, connector_id, kind: ResourceType::User };
        directory.leave_position(connection, position)?;
    }
    members::leave_all(connection, organization_id, MemberId::from_bytes(*id.as_bytes()), at)?;
    revoke(connection, organization_id, id, at)?;
    Ok(true)
}

fn revoke(
    connection: &Connection,
    organization_id: OrganizationId,
    id: AccountId,
    at: Timestamp,
) -> rusqlite::Result<()> {
    let of = Revoked::Account(id);
    revocations::insert(connection, &Revocation { organization_id, of, at })
}

fn execute(
    connection: &Connection,
    sql: &str,
    account: &Account,
    others: &[(&str, &dyn ToSql)],
) -> Result<usize, Stop<AccountConflict>> {
    let scim_display_name = account.attributes.get("displayName").and_then(|name| name.as_str());
    let written: &[(&str, &dyn ToSql)] = named_params! {
        ":organization_id": account.organization_id,
        ":connector_id": account.connector_id,
        ":id": account.id,
        ":user_name": account.user_name,
        ":user_name_folded": folded(&account.user_name),
        ":external_id": account.external_id,
        ":email": account.email,
        ":email_folded": folded(&account.email),
        ":display_name": account.display_name,
        ":scim_display_name_folded": scim_display_name.map(folded),
        ":active": account.active,
        ":scim_roles": Json(&account.scim_roles),
        ":access_epoch": Count(account.access_epoch),
        ":version": Count(account.version),
        ":created_at": Moment(account.created_at),
        ":last_modified_at": Moment(account.last_modified_at),
        ":attributes": Json(&account.attributes),
    };
    let executed = connection.prepare_cached(sql)?.execute(&*[written, others].concat());
    executed.or_else(|error| Err(explain(connection, account, error)?))
}

/// Which other account has what this one wants to have.
fn explain(
    connection: &Connection,
    account: &Account,
    error: rusqlite::Error,
) -> rusqlite::Result<Stop<AccountConflict>> {
    if !is_taken(&error) {
        return Ok(error.into());
    }
    let Account { organization_id, connector_id, id, .. } = account;
    let holder = |condition, others: &[&dyn ToSql]| {
        let sql =
            format!("SELECT id FROM account WHERE organization_id = ? AND id <> ? AND {condition}");
        let mut statement = connection.prepare_cached(&sql)?;
        let key: &[&dyn ToSql] = &[organization_id, id];
        let key = &*[key, others].concat();
        statement.query_row(key, |row| row.get::<_, AccountId>(0)).optional()
    };
    let by_user_name = holder("user_name_folded = ?", &[&folded(&account.user_name)])?;
    let by_email = holder("email_folded = ?", &[&folded(&account.email)])?;
    let of_connector = "connector_id = ? AND external_id = ?";
    let by_external_id = holder(of_connector, &[connector_id, &account.external_id])?;
    let conflict = by_user_name
        .map(AccountConflict::UserName)
        .or(by_email.map(AccountConflict::Email))
        .or(by_external_id.map(AccountConflict::ExternalId));
    Ok(conflict.map_or_else(|| error.into(), Stop::Refused))
}

fn read(row: &Row<'_>) -> rusqlite::Result<Account> {
    let mut columns = Columns::of(row);
    Ok(Account {
        organization_id: columns.read()?,
        connector_id: columns.read()?,
        id: columns.read()?,
        user_name: columns.read()?,
        external_id: columns.read()?,
        email: columns.read()?,
        display_name: columns.read()?,
        active: columns.read()?,
        scim_roles: columns.read::<Json<_>>()?.0,
        access_epoch: columns.read::<Count>()?.0,
        version: columns.read::<Count>()?.0,
        created_at: columns.read::<Moment>()?.0,
        last_modified_at: columns.read::<Moment>()?.0,
        attributes: columns.read::<Json<_>>()?.0,
    })
}
