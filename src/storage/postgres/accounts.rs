//! People.

use std::collections::BTreeSet;

use async_trait::async_trait;
use deadpool_postgres::GenericClient;
use serde_json::{Map, Value};
use tokio_postgres::types::ToSql;

use super::{
    PostgresStore, Stop, Values,
    columns::{Columns, Count, Json, Moment, Text, folded},
    directory::{self, Directory},
    execute,
    failure::Failure,
    members, query, revocations,
    trail::{self, TrailRows},
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
        trail::Trail,
    },
    scim::schema::ResourceType,
};

pub(super) const COLUMNS: &str = "organization_id, connector_id, id, user_name, external_id, \
     email, display_name, active, scim_roles, access_epoch, version, created_at, \
     last_modified_at, attributes";

/// The columns that are made of others, and the addresses, which stand in rows of their own.
const DERIVED: &str = "user_name_folded, email_folded, scim_display_name_folded";

/// How many values an [`AccountRow`] has; the last are the addresses.
const VALUES: usize = 18;

#[async_trait]
impl Accounts for PostgresStore {
    async fn insert_account(
        &self,
        account: &Account,
        trail: &Trail,
    ) -> Result<(), NotDone<AccountConflict>> {
        let row = AccountRow::of(account);
        let trail = TrailRows::of(trail, account.connector_id);
        let sql = format!(
            "WITH inserted AS (
                 INSERT INTO account ({COLUMNS}, {DERIVED}, position)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,
                         CASE WHEN $2::uuid IS NOT NULL THEN nextval('directory_position') END)
                 RETURNING connector_id, position),
             counted AS ({}),
             addressed AS ({})
             {}",
            directory::counting(ResourceType::User, 1, "inserted"),
            addressing("inserted"),
            trail.insertion(VALUES + 1, "inserted")
        );
        let values = [&row.values()[..], &trail.values()].concat();
        match self.attempt(&sql, &values).await {
            Ok(_) => Ok(()),
            Err(failure) => Err(self.explain("creating an account", &row, failure).await),
        }
    }

    async fn replace_account(
        &self,
        account: &Account,
        expected_version: u64,
        trail: &Trail,
    ) -> Result<(), NotDone<AccountConflict>> {
        const DOING: &str = "changing an account";
        let row = AccountRow::of(account);
        let trail = TrailRows::of(trail, account.connector_id);
        let version = Count(expected_version);
        let sql = replacing(&trail, "connector_id IS NOT DISTINCT FROM $2", "", "");
        let values = [&row.values()[..], &[&version], &trail.values()].concat();
        match self.attempt(&sql, &values).await {
            Ok(0) => Err(NotDone::Refused(AccountConflict::Version)),
            Ok(_) => Ok(()),
            Err(failure) => Err(self.explain(DOING, &row, failure).await),
        }
    }

    async fn adopt_account(
        &self,
        account: &Account,
        expected_version: u64,
        trail: &Trail,
    ) -> Result<(), NotDone<AccountConflict>> {
        const DOING: &str = "taking over an account";
        let row = AccountRow::of(account);
        let trail = TrailRows::of(trail, account.connector_id);
        let adopted = transact!(self, transaction => adopt(&transaction, &row, expected_version, &trail).await);
        match adopted.map_err(Stop::into_failure) {
            Ok(true) => Ok(()),
            Ok(false) => Err(NotDone::Refused(AccountConflict::Version)),
            Err(failure) => Err(self.explain(DOING, &row, failure).await),
        }
    }

    async fn delete_account(
        &self,
        organization_id: OrganizationId,
        id: AccountId,
        trail: &Trail,
    ) -> Result<bool, Unavailable> {
        let trail = TrailRows::of(trail, None);
        let deleted =
            transact!(self, transaction => delete(&transaction, organization_id, id, &trail).await);
        let deleted = deleted.map_err(Stop::into_failure);
        deleted.map_err(Unavailable::while_doing("deleting an account"))
    }

    async fn find_account(
        &self,
        organization_id: OrganizationId,
        id: AccountId,
    ) -> Result<Option<Account>, Unavailable> {
        self.find_account_where("id = $2", &[&organization_id, &id]).await
    }

    async fn find_account_by(
        &self,
        organization_id: OrganizationId,
        lookup: &AccountLookup,
    ) -> Result<Option<Account>, Unavailable> {
        match lookup {
            AccountLookup::UserName(name) => {
                let key: &Values<'_> = &[&organization_id, &Text(folded(name))];
                self.find_account_where("user_name_folded = $2", key).await
            }
            AccountLookup::ExternalId(connector_id, id) => {
                let key: &Values<'_> = &[&organization_id, connector_id, &Text(id)];
                self.find_account_where("connector_id = $2 AND external_id = $3", key).await
            }
            AccountLookup::Email(email) => {
                let key: &Values<'_> = &[&organization_id, &Text(folded(email))];
                self.find_account_where("email_folded = $2", key).await
            }
        }
    }

    async fn query_accounts(
        &self,
        organization_id: OrganizationId,
        connector_id: ConnectorId,
        query: &Query,
    ) -> Result<Page<Account>, NotDone<TooCostly>> {
        let directory = Directory { organization_id, connector_id, kind: ResourceType::User };
        self.list("listing accounts", directory, query).await
    }

    async fn list_accounts(
        &self,
        organization_id: OrganizationId,
        after: Option<AccountId>,
        limit: u64,
    ) -> Result<Vec<Account>, Unavailable> {
        let sql = format!(
            "SELECT {COLUMNS} FROM account WHERE organization_id = $1 AND id > $2
             ORDER BY id LIMIT $3"
        );
        let after = after.unwrap_or(AccountId::from_bytes([0; 16]));
        let values: &Values<'_> = &[&organization_id, &after, &Count(limit)];
        self.all("listing accounts", &sql, values, read).await
    }

    async fn count_accounts(&self, organization_id: OrganizationId) -> Result<u64, Unavailable> {
        let sql = "SELECT coalesce(sum(live), 0)::bigint FROM directory_block
                   WHERE organization_id = $1 AND kind = 'User'";
        let key: &Values<'_> = &[&organization_id];
        let read = |columns: &mut Columns<'_>| Ok(columns.read::<Count>()?.0);
        let counted = self.first("counting accounts", sql, key, read).await?;
        Ok(counted.unwrap_or_default())
    }
}

impl PostgresStore {
    async fn find_account_where(
        &self,
        condition: &'static str,
        key: &Values<'_>,
    ) -> Result<Option<Account>, Unavailable> {
        let sql =
            format!("SELECT {COLUMNS} FROM account WHERE organization_id = $1 AND {condition}");
        self.first("finding an account", &sql, key, read).await
    }

    /// Which other account has what this one wants to have.
    async fn explain(
        &self,
        doing: &'static str,
        row: &AccountRow<'_>,
        failure: Failure,
    ) -> NotDone<AccountConflict> {
        if failure.taken().is_none() {
            return Unavailable::while_doing(doing)(failure).into();
        }
        let sql = "SELECT id, user_name_folded = $3, email_folded = $4 FROM account
                   WHERE organization_id = $1 AND id <> $2
                       AND (user_name_folded = $3 OR email_folded = $4
                            OR connector_id = $5 AND external_id = $6)
                   ORDER BY 2 DESC, 3 DESC LIMIT 1";
        let Account { organization_id, connector_id, id, .. } = row.account;
        let values: &Values<'_> = &[
            organization_id,
            id,
            &row.user_name_folded,
            &row.email_folded,
            connector_id,
            &row.external_id,
        ];
        let holder = self.first(doing, sql, values, |columns| {
            let id: AccountId = columns.read()?;
            Ok(match (columns.read()?, columns.read()?) {
                (true, _) => AccountConflict::UserName(id),
                (false, true) => AccountConflict::Email(id),
                (false, false) => AccountConflict::ExternalId(id),
            })
        });
        match holder.await {
            Ok(Some(conflict)) => NotDone::Refused(conflict),
            // It has gone meanwhile.
            Ok(None) => Unavailable::while_doing(doing)(failure).into(),
            Err(unavailable) => unavailable.into(),
        }
    }
}

/// The part of a statement that keeps the addresses by which the account is found besides its own
/// column's.
fn addressing(source: &str) -> String {
    format!(
        "INSERT INTO account_address (organization_id, account_id, email_folded)
         SELECT $1, $3, address FROM {source}, unnest(${VALUES}::text[]) AS address
         ON CONFLICT DO NOTHING"
    )
}

/// The statement that replaces the account that has the version behind the [`AccountRow`]'s values
/// and meets the condition.
fn replacing(trail: &TrailRows<'_>, condition: &str, sets: &str, counts: &str) -> String {
    let (version, trail_from) = (VALUES + 1, VALUES + 2);
    format!(
        "WITH former AS (
             SELECT access_epoch < $10 OR email <> $6 OR display_name <> $7 AS revokes
             FROM account
             WHERE organization_id = $1 AND id = $3 AND version = ${version} AND {condition}
             FOR NO KEY UPDATE),
         replaced AS (
             UPDATE account SET
                 user_name = $4, external_id = $5, email = $6, display_name = $7, active = $8,
                 scim_roles = $9, access_epoch = $10, version = $11, created_at = $12,
                 last_modified_at = $13, attributes = $14, user_name_folded = $15,
                 email_folded = $16, scim_display_name_folded = $17{sets}
             FROM former
             WHERE organization_id = $1 AND id = $3 AND version = ${version}
             RETURNING former.revokes, connector_id, position),
         noted AS ({}),
         forgotten AS (
             DELETE FROM account_address
             WHERE organization_id = $1 AND account_id = $3
                 AND email_folded <> ALL (${VALUES}::text[]) AND EXISTS (SELECT FROM replaced)),
         addressed AS ({})
         {counts}{}",
        revocations::insertion(
            &format!("$1, 'account', $3, ${}", trail_from + trail::AT),
            "replaced WHERE revokes"
        ),
        addressing("replaced"),
        trail.insertion(trail_from, "replaced")
    )
}

/// Whether an account that was made by hand is its connector's now. Who links it meanwhile waits
/// for its row, so whether it is linked is asked when that is held.
async fn adopt(
    client: &impl GenericClient,
    row: &AccountRow<'_>,
    expected_version: u64,
    trail: &TrailRows<'_>,
) -> Result<bool, Failure> {
    let Account { organization_id, id, .. } = row.account;
    let sql = "SELECT FROM account WHERE organization_id = $1 AND id = $2 FOR NO KEY UPDATE";
    query(client, sql, &[organization_id, id]).await?;
    let is_free = "connector_id IS NULL AND external_id IS NULL
             AND NOT EXISTS (SELECT FROM subject_link AS link
                             WHERE link.organization_id = $1 AND link.account_id = $3)";
    let counts = format!(
        ", left_nobody AS (SELECT NULL::uuid AS connector_id, 0::bigint AS position FROM replaced),
         uncounted AS ({}),
         counted AS ({})",
        directory::counting(ResourceType::User, -1, "left_nobody"),
        directory::counting(ResourceType::User, 1, "replaced")
    );
    let sets = ", connector_id = $2, position = nextval('directory_position')";
    let sql = replacing(trail, is_free, sets, &counts);
    let version = Count(expected_version);
    let values = [&row.values()[..], &[&version], &trail.values()].concat();
    Ok(execute(client, &sql, &values).await? > 0)
}

/// Deletes an account with all that rests on it; `false` if there is none.
///
/// Its groups are locked first, in the order in which everybody locks them. Who puts it into one
/// at this moment holds its row until then, so its memberships are ended when that is gone.
async fn delete(
    client: &impl GenericClient,
    organization_id: OrganizationId,
    id: AccountId,
    trail: &TrailRows<'_>,
) -> Result<bool, Failure> {
    let member = MemberId::from_bytes(*id.as_bytes());
    members::lock_groups(client, organization_id, member).await?;
    let sql = format!(
        "WITH deleted AS (
             DELETE FROM account WHERE organization_id = $1 AND id = $2
             RETURNING connector_id, position),
         counted AS ({}),
         noted AS ({})
         {}",
        directory::counting(ResourceType::User, -1, "deleted"),
        revocations::insertion(&format!("$1, 'account', $2, ${}", 3 + trail::AT), "deleted"),
        trail.insertion(3, "deleted")
    );
    let key: [&(dyn ToSql + Sync); 2] = [&organization_id, &id];
    let values = [&key[..], &trail.values()].concat();
    let deleted = execute(client, &sql, &values).await? > 0;
    if deleted {
        members::leave_all(client, organization_id, member, trail.at()).await?;
    }
    Ok(deleted)
}

/// An account as it is written.
struct AccountRow<'a> {
    account: &'a Account,
    user_name: Text<&'a str>,
    external_id: Option<Text<&'a str>>,
    email: Text<&'a str>,
    display_name: Text<&'a str>,
    scim_roles: Json<&'a [String]>,
    access_epoch: Count,
    version: Count,
    created_at: Moment,
    last_modified_at: Moment,
    attributes: Json<&'a Map<String, Value>>,
    user_name_folded: Text<String>,
    email_folded: Text<String>,
    scim_display_name_folded: Option<Text<String>>,
    addresses: Vec<Text<String>>,
}

impl<'a> AccountRow<'a> {
    fn of(account: &'a Account) -> Self {
        let email_folded = folded(&account.email);
        let mut addresses: BTreeSet<_> = account.email_addresses().map(folded).collect();
        addresses.remove(&email_folded);
        let scim_display_name = account.attributes.get("displayName").and_then(Value::as_str);
        Self {
            account,
            user_name: Text(&account.user_name),
            external_id: account.external_id.as_deref().map(Text),
            email: Text(&account.email),
            display_name: Text(&account.display_name),
            scim_roles: Json(&account.scim_roles),
            access_epoch: Count(account.access_epoch),
            version: Count(account.version),
            created_at: Moment(account.created_at),
            last_modified_at: Moment(account.last_modified_at),
            attributes: Json(&account.attributes),
            user_name_folded: Text(folded(&account.user_name)),
            email_folded: Text(email_folded),
            scim_display_name_folded: scim_display_name.map(folded).map(Text),
            addresses: addresses.into_iter().map(Text).collect(),
        }
    }

    /// In the order of [`COLUMNS`] and [`DERIVED`].
    fn values(&self) -> [&(dyn ToSql + Sync); VALUES] {
        let account = self.account;
        [
            &account.organization_id,
            &account.connector_id,
            &account.id,
            &self.user_name,
            &self.external_id,
            &self.email,
            &self.display_name,
            &account.active,
            &self.scim_roles,
            &self.access_epoch,
            &self.version,
            &self.created_at,
            &self.last_modified_at,
            &self.attributes,
            &self.user_name_folded,
            &self.email_folded,
            &self.scim_display_name_folded,
            &self.addresses,
        ]
    }
}

pub(super) fn read(columns: &mut Columns<'_>) -> Result<Account, Failure> {
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
