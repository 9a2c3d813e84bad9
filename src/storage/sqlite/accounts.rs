//! People.

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension as _, Row, ToSql, named_params, params};

use super::{
    SqliteStore, audit_log,
    columns::{Columns, Count, Json, Moment, folded},
    is_taken, revocations,
    writer::Stop,
};
use crate::{
    domain::{
        account::Account,
        audit_event::AuditEvent,
        id::{AccountId, OrganizationId},
    },
    ports::{
        NotDone, Unavailable,
        store::{AccountConflict, AccountLookup, AccountPage, Accounts, Revocation, Revoked},
    },
};

const COLUMNS: &str = "organization_id, id, user_name, external_id, email, display_name, active, \
     scim_roles, access_epoch, version, created_at, last_modified_at, attributes";

#[async_trait]
impl Accounts for SqliteStore {
    async fn insert_account(
        &self,
        account: &Account,
        audit: &AuditEvent,
    ) -> Result<(), NotDone<AccountConflict>> {
        let (account, audit) = (account.clone(), audit.clone());
        self.write_unless("creating an account", move |connection| {
            let sql = "INSERT INTO account
                           (organization_id, id, user_name, user_name_folded, external_id, email,
                            email_folded, display_name, active, scim_roles, access_epoch, version,
                            created_at, last_modified_at, attributes)
                       VALUES
                           (:organization_id, :id, :user_name, :user_name_folded, :external_id,
                            :email, :email_folded, :display_name, :active, :scim_roles,
                            :access_epoch, :version, :created_at, :last_modified_at,
                            :attributes)";
            execute(connection, sql, &account, &[])?;
            Ok(audit_log::insert(connection, &audit)?)
        })
        .await
    }

    async fn replace_account(
        &self,
        account: &Account,
        expected_version: u64,
        audit: &AuditEvent,
    ) -> Result<(), NotDone<AccountConflict>> {
        let (account, audit) = (account.clone(), audit.clone());
        self.write_unless("changing an account", move |connection| {
            let sql = "UPDATE account SET
                           user_name = :user_name, user_name_folded = :user_name_folded,
                           external_id = :external_id, email = :email,
                           email_folded = :email_folded, display_name = :display_name,
                           active = :active, scim_roles = :scim_roles,
                           access_epoch = :access_epoch, version = :version,
                           created_at = :created_at, last_modified_at = :last_modified_at,
                           attributes = :attributes
                       WHERE organization_id = :organization_id AND id = :id
                           AND version = :expected_version";
            let expected: &[(&str, &dyn ToSql)] =
                &[(":expected_version", &Count(expected_version))];
            let revokes = revocations::is_due_to_account(connection, &account)?;
            if execute(connection, sql, &account, expected)? == 0 {
                return Err(Stop::Refused(AccountConflict::Version));
            }
            if revokes {
                revocations::insert(connection, &revocation(&account, &audit))?;
            }
            Ok(audit_log::insert(connection, &audit)?)
        })
        .await
    }

    async fn delete_account(
        &self,
        organization_id: OrganizationId,
        id: AccountId,
        audit: &AuditEvent,
    ) -> Result<bool, Unavailable> {
        let audit = audit.clone();
        self.write("deleting an account", move |connection| {
            let sql = "DELETE FROM account WHERE organization_id = ? AND id = ?";
            let deleted =
                connection.prepare_cached(sql)?.execute(params![organization_id, id])? > 0;
            if deleted {
                let of = Revoked::Account(id);
                let revocation = Revocation { organization_id, of, at: audit.at };
                revocations::insert(connection, &revocation)?;
                audit_log::insert(connection, &audit)?;
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
        self.read("finding an account", |connection| find(connection, organization_id, "id", &id))
    }

    async fn find_accounts(
        &self,
        organization_id: OrganizationId,
        conditions: &[AccountLookup],
        offset: u64,
        limit: u64,
    ) -> Result<AccountPage, Unavailable> {
        self.read("finding accounts", |connection| match conditions {
            [] => list(connection, organization_id, offset, limit),
            // Each condition alone names one account at most.
            [first, others @ ..] => {
                let found = look_up(connection, organization_id, first)?;
                let found =
                    found.filter(|account| others.iter().all(|other| meets(account, other)));
                let in_page = found.iter().filter(|_| offset == 0 && limit > 0);
                Ok(AccountPage {
                    total: found.iter().len() as u64,
                    accounts: in_page.cloned().collect(),
                })
            }
        })
    }
}

fn revocation(account: &Account, audit: &AuditEvent) -> Revocation {
    let Account { organization_id, id, .. } = *account;
    Revocation { organization_id, of: Revoked::Account(id), at: audit.at }
}

fn look_up(
    connection: &Connection,
    organization_id: OrganizationId,
    condition: &AccountLookup,
) -> rusqlite::Result<Option<Account>> {
    let by = |column, value: &dyn ToSql| find(connection, organization_id, column, value);
    match condition {
        AccountLookup::Id(id) => by("id", id),
        AccountLookup::UserName(name) => by("user_name_folded", &folded(name)),
        AccountLookup::ExternalId(id) => by("external_id", id),
        AccountLookup::Email(email) => by("email_folded", &folded(email)),
    }
}

fn meets(account: &Account, condition: &AccountLookup) -> bool {
    match condition {
        AccountLookup::Id(id) => account.id == *id,
        AccountLookup::UserName(name) => folded(&account.user_name) == folded(name),
        AccountLookup::ExternalId(id) => account.external_id.as_ref() == Some(id),
        AccountLookup::Email(email) => folded(&account.email) == folded(email),
    }
}

/// The account with this value in a column whose values are unique in an organization.
fn find(
    connection: &Connection,
    organization_id: OrganizationId,
    column: &'static str,
    value: &dyn ToSql,
) -> rusqlite::Result<Option<Account>> {
    let sql = format!("SELECT {COLUMNS} FROM account WHERE organization_id = ? AND {column} = ?");
    let mut statement = connection.prepare_cached(&sql)?;
    statement.query_row(params![organization_id, value], read).optional()
}

fn list(
    connection: &Connection,
    organization_id: OrganizationId,
    offset: u64,
    limit: u64,
) -> rusqlite::Result<AccountPage> {
    let sql = "SELECT accounts FROM organization WHERE id = ?";
    let mut statement = connection.prepare_cached(sql)?;
    let total = statement.query_row([organization_id], |row| row.get(0)).optional()?;
    let sql = format!(
        "SELECT {COLUMNS} FROM account WHERE organization_id = ? ORDER BY id LIMIT ? OFFSET ?"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map(params![organization_id, Count(limit), Count(offset)], read)?;
    Ok(AccountPage {
        total: total.map_or(0, |Count(total)| total),
        accounts: rows.collect::<Result<_, _>>()?,
    })
}

fn execute(
    connection: &Connection,
    sql: &str,
    account: &Account,
    others: &[(&str, &dyn ToSql)],
) -> Result<usize, Stop<AccountConflict>> {
    let written: &[(&str, &dyn ToSql)] = named_params! {
        ":organization_id": account.organization_id,
        ":id": account.id,
        ":user_name": account.user_name,
        ":user_name_folded": folded(&account.user_name),
        ":external_id": account.external_id,
        ":email": account.email,
        ":email_folded": folded(&account.email),
        ":display_name": account.display_name,
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
    let holder = |column, value: &dyn ToSql| {
        let sql = format!(
            "SELECT id FROM account WHERE organization_id = ? AND {column} = ? AND id <> ?"
        );
        let mut statement = connection.prepare_cached(&sql)?;
        let key = params![account.organization_id, value, account.id];
        statement.query_row(key, |row| row.get::<_, AccountId>(0)).optional()
    };
    let by_user_name = holder("user_name_folded", &folded(&account.user_name))?;
    let by_email = holder("email_folded", &folded(&account.email))?;
    let by_external_id = holder("external_id", &account.external_id)?;
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
