//! People.

use async_trait::async_trait;
use tokio_postgres::types::ToSql;

use super::{
    PostgresStore, Values,
    audit_log::{self, AuditRow},
    columns::{Columns, Count, Json, Moment},
    failure::Failure,
    revocations,
};
use crate::{
    domain::{
        account::Account,
        audit_event::AuditEvent,
        id::{AccountId, OrganizationId},
    },
    ports::{
        NotDone, Unavailable,
        store::{AccountConflict, AccountLookup, AccountPage, Accounts},
    },
    storage::folded::folded,
};

const COLUMNS: &str = "organization_id, id, user_name, external_id, email, display_name, active, \
     scim_roles, access_epoch, version, created_at, last_modified_at, attributes";

#[async_trait]
impl Accounts for PostgresStore {
    async fn insert_account(
        &self,
        account: &Account,
        audit: &AuditEvent,
    ) -> Result<(), NotDone<AccountConflict>> {
        let sql = format!(
            "WITH inserted AS (
                 INSERT INTO account ({COLUMNS}, user_name_folded, email_folded)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
                 RETURNING 1)
             {}",
            audit_log::insertion(16, "inserted")
        );
        let row = AccountRow::of(account);
        let audit = AuditRow::of(audit);
        let values = [&row.values()[..], &audit.values()].concat();
        match self.attempt(&sql, &values).await {
            Ok(_) => Ok(()),
            Err(failure) => Err(self.explain("creating an account", &row, failure).await),
        }
    }

    async fn replace_account(
        &self,
        account: &Account,
        expected_version: u64,
        audit: &AuditEvent,
    ) -> Result<(), NotDone<AccountConflict>> {
        let sql = format!(
            "WITH former AS (
                 SELECT access_epoch < $9 OR email <> $5 OR display_name <> $6 AS revokes
                 FROM account WHERE organization_id = $1 AND id = $2 AND version = $24
                 FOR NO KEY UPDATE),
             replaced AS (
                 UPDATE account SET
                     user_name = $3, external_id = $4, email = $5, display_name = $6, active = $7,
                     scim_roles = $8, access_epoch = $9, version = $10, created_at = $11,
                     last_modified_at = $12, attributes = $13, user_name_folded = $14,
                     email_folded = $15
                 FROM former
                 WHERE organization_id = $1 AND id = $2 AND version = $24
                 RETURNING former.revokes),
             noted AS ({})
             {}",
            revocations::insertion("$1, 'account', $2, $18", "replaced WHERE revokes"),
            audit_log::insertion(16, "replaced")
        );
        let row = AccountRow::of(account);
        let audit = AuditRow::of(audit);
        let expected = Count(expected_version);
        let values = [&row.values()[..], &audit.values(), &[&expected]].concat();
        match self.attempt(&sql, &values).await {
            Ok(0) => Err(NotDone::Refused(AccountConflict::Version)),
            Ok(_) => Ok(()),
            Err(failure) => Err(self.explain("changing an account", &row, failure).await),
        }
    }

    async fn delete_account(
        &self,
        organization_id: OrganizationId,
        id: AccountId,
        audit: &AuditEvent,
    ) -> Result<bool, Unavailable> {
        let sql = format!(
            "WITH deleted AS (
                 DELETE FROM account WHERE organization_id = $1 AND id = $2 RETURNING 1),
             noted AS ({})
             {}",
            revocations::insertion("$1, 'account', $2, $5", "deleted"),
            audit_log::insertion(3, "deleted")
        );
        let audit = AuditRow::of(audit);
        let key: [&(dyn ToSql + Sync); 2] = [&organization_id, &id];
        let values = [&key[..], &audit.values()].concat();
        Ok(self.write("deleting an account", &sql, &values).await? > 0)
    }

    async fn find_account(
        &self,
        organization_id: OrganizationId,
        id: AccountId,
    ) -> Result<Option<Account>, Unavailable> {
        let sql = format!("SELECT {COLUMNS} FROM account WHERE organization_id = $1 AND id = $2");
        self.first("finding an account", &sql, &[&organization_id, &id], read).await
    }

    async fn find_accounts(
        &self,
        organization_id: OrganizationId,
        conditions: &[AccountLookup],
        offset: u64,
        limit: u64,
    ) -> Result<AccountPage, Unavailable> {
        let mut sql = format!("SELECT {COLUMNS} FROM account WHERE organization_id = $1");
        let texts: Vec<Box<dyn ToSql + Sync + Send>> = conditions
            .iter()
            .map(|condition| match condition {
                AccountLookup::Id(id) => Box::new(*id) as Box<dyn ToSql + Sync + Send>,
                AccountLookup::UserName(name) => Box::new(folded(name)),
                AccountLookup::ExternalId(id) => Box::new(id.clone()),
                AccountLookup::Email(email) => Box::new(folded(email)),
            })
            .collect();
        for (number, condition) in (2..).zip(conditions) {
            let column = match condition {
                AccountLookup::Id(_) => "id",
                AccountLookup::UserName(_) => "user_name_folded",
                AccountLookup::ExternalId(_) => "external_id",
                AccountLookup::Email(_) => "email_folded",
            };
            sql.push_str(&format!(" AND {column} = ${number}"));
        }
        sql.push_str(" ORDER BY id");
        let mut values: Vec<&(dyn ToSql + Sync)> = vec![&organization_id];
        values.extend(texts.iter().map(|text| &**text as &(dyn ToSql + Sync)));
        let all = self.all("finding accounts", &sql, &values, read).await?;
        let total = all.len() as u64;
        let offset = usize::try_from(offset).unwrap_or(usize::MAX);
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Ok(AccountPage { total, accounts: all.into_iter().skip(offset).take(limit).collect() })
    }
}

impl PostgresStore {
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
                       AND (user_name_folded = $3 OR email_folded = $4 OR external_id = $5)
                   ORDER BY 2 DESC, 3 DESC LIMIT 1";
        let account = row.account;
        let values: &Values<'_> = &[
            &account.organization_id,
            &account.id,
            &row.user_name_folded,
            &row.email_folded,
            &account.external_id,
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
            // Gone meanwhile.
            Ok(None) => Unavailable::while_doing(doing)(failure).into(),
            Err(unavailable) => unavailable.into(),
        }
    }
}

/// An account as it is written.
struct AccountRow<'a> {
    account: &'a Account,
    user_name_folded: String,
    email_folded: String,
    scim_roles: Json<&'a [String]>,
    access_epoch: Count,
    version: Count,
    created_at: Moment,
    last_modified_at: Moment,
    attributes: Json<&'a serde_json::Map<String, serde_json::Value>>,
}

impl<'a> AccountRow<'a> {
    fn of(account: &'a Account) -> Self {
        Self {
            account,
            user_name_folded: folded(&account.user_name),
            email_folded: folded(&account.email),
            scim_roles: Json(&account.scim_roles),
            access_epoch: Count(account.access_epoch),
            version: Count(account.version),
            created_at: Moment(account.created_at),
            last_modified_at: Moment(account.last_modified_at),
            attributes: Json(&account.attributes),
        }
    }

    /// In the order of [`COLUMNS`], and then the folded ones.
    fn values(&self) -> [&(dyn ToSql + Sync); 15] {
        let account = self.account;
        [
            &account.organization_id,
            &account.id,
            &account.user_name,
            &account.external_id,
            &account.email,
            &account.display_name,
            &account.active,
            &self.scim_roles,
            &self.access_epoch,
            &self.version,
            &self.created_at,
            &self.last_modified_at,
            &self.attributes,
            &self.user_name_folded,
            &self.email_folded,
        ]
    }
}

fn read(columns: &mut Columns<'_>) -> Result<Account, Failure> {
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
