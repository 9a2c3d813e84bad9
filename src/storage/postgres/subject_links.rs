//! The ties of accounts to subjects.

use async_trait::async_trait;
use deadpool_postgres::GenericClient;
use tokio_postgres::types::ToSql;

use super::{
    PostgresStore, Stop, Values,
    audit_log::{self, AuditRow},
    columns::{Columns, Moment},
    execute,
    failure::Failure,
    query,
};
use crate::{
    domain::{
        audit_event::AuditEvent,
        id::{AccountId, ConnectorId, OrganizationId},
        subject_link::{LinkRequest, Subject, SubjectLink},
    },
    ports::{
        NotDone, Unavailable,
        store::{LinkConflict, SubjectLinks},
    },
};

const LINK: &str =
    "organization_id, connector_id, account_id, authority, identifier, sub, basis, linked_at";

const REQUEST: &str = "organization_id, connector_id, account_id, authority, identifier, sub, \
     user_name, reference, requested_at";

#[async_trait]
impl SubjectLinks for PostgresStore {
    async fn find_link(
        &self,
        organization_id: OrganizationId,
        subject: &Subject,
    ) -> Result<Option<SubjectLink>, Unavailable> {
        let sql = select("authority = $2 AND identifier = $3");
        let values: &Values<'_> = &[&organization_id, &subject.authority, &subject.identifier];
        self.first("finding a link", &sql, values, read_link).await
    }

    async fn find_link_of_account(
        &self,
        organization_id: OrganizationId,
        connector_id: ConnectorId,
        account_id: AccountId,
    ) -> Result<Option<SubjectLink>, Unavailable> {
        let sql = select("connector_id = $2 AND account_id = $3");
        let values: &Values<'_> = &[&organization_id, &connector_id, &account_id];
        self.first("finding an account's link", &sql, values, read_link).await
    }

    async fn insert_link(
        &self,
        link: &SubjectLink,
        audit: &AuditEvent,
    ) -> Result<(), NotDone<LinkConflict>> {
        let linked =
            transact!(self, transaction => insert_unless_taken(&transaction, link, audit).await);
        linked.map_err(Stop::while_doing("linking an account"))
    }

    async fn update_link_sub(
        &self,
        organization_id: OrganizationId,
        subject: &Subject,
        sub: &str,
        audit: &AuditEvent,
    ) -> Result<(), Unavailable> {
        let sql = format!(
            "WITH updated AS (
                 UPDATE subject_link SET sub = $1
                 WHERE organization_id = $2 AND authority = $3 AND identifier = $4 AND sub <> $1
                 RETURNING 1)
             {}",
            audit_log::insertion(5, "updated")
        );
        let audit = AuditRow::of(audit);
        let values: [&(dyn ToSql + Sync); 4] =
            [&sub, &organization_id, &subject.authority, &subject.identifier];
        let values = [&values[..], &audit.values()].concat();
        self.write("noting a link's sub", &sql, &values).await.map(drop)
    }

    /// The audit event is written for a request that is new, not each time the person comes back.
    async fn insert_link_request(
        &self,
        request: &LinkRequest,
        audit: &AuditEvent,
    ) -> Result<(), Unavailable> {
        // A row that is new has no transaction that deleted or locked it.
        let sql = format!(
            "WITH kept AS (
                 INSERT INTO link_request ({REQUEST})
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
                 ON CONFLICT (organization_id, account_id, authority, identifier)
                     DO UPDATE SET reference = excluded.reference
                 RETURNING xmax = 0 AS is_new)
             {}",
            audit_log::insertion(10, "kept WHERE is_new")
        );
        let requested_at = Moment(request.requested_at);
        let values: [&(dyn ToSql + Sync); 9] = [
            &request.organization_id,
            &request.connector_id,
            &request.account_id,
            &request.subject.authority,
            &request.subject.identifier,
            &request.sub,
            &request.user_name,
            &request.reference,
            &requested_at,
        ];
        let audit = AuditRow::of(audit);
        let values = [&values[..], &audit.values()].concat();
        self.write("noting a request to be linked", &sql, &values).await.map(drop)
    }

    async fn list_link_requests(
        &self,
        organization_id: OrganizationId,
    ) -> Result<Vec<LinkRequest>, Unavailable> {
        let sql = format!(
            "SELECT {REQUEST} FROM link_request WHERE organization_id = $1
             ORDER BY requested_at, number"
        );
        self.all("listing requests to be linked", &sql, &[&organization_id], read_request).await
    }
}

fn select(condition: &str) -> String {
    format!("SELECT {LINK} FROM subject_link WHERE organization_id = $1 AND {condition}")
}

/// Who links the account meanwhile waits for its row.
async fn insert_unless_taken(
    client: &impl GenericClient,
    link: &SubjectLink,
    audit: &AuditEvent,
) -> Result<(), Stop<LinkConflict>> {
    let account: &Values<'_> = &[&link.organization_id, &link.account_id];
    let sql = "SELECT FROM account WHERE organization_id = $1 AND id = $2 FOR NO KEY UPDATE";
    if query(client, sql, account).await?.is_empty() {
        return Err(Stop::Refused(LinkConflict::NoAccount));
    }
    forget_other_tenants(client, link).await?;
    if !insert(client, link).await? {
        return Err(Stop::Refused(conflict(client, link).await?));
    }
    Ok(end_requests(client, link, audit).await?)
}

/// Forgets the account's link to a subject of the tenant that the connector had before.
async fn forget_other_tenants(
    client: &impl GenericClient,
    link: &SubjectLink,
) -> Result<(), Failure> {
    let sql = "DELETE FROM subject_link
               WHERE organization_id = $1 AND connector_id = $2 AND account_id = $3
                   AND authority <> $4";
    let values: &Values<'_> =
        &[&link.organization_id, &link.connector_id, &link.account_id, &link.subject.authority];
    execute(client, sql, values).await.map(drop)
}

/// Whether nobody else has subject or account; waits for who is about to have one.
async fn insert(client: &impl GenericClient, link: &SubjectLink) -> Result<bool, Failure> {
    let sql = format!(
        "INSERT INTO subject_link ({LINK}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT DO NOTHING"
    );
    let values: &Values<'_> = &[
        &link.organization_id,
        &link.connector_id,
        &link.account_id,
        &link.subject.authority,
        &link.subject.identifier,
        &link.sub,
        &link.basis,
        &Moment(link.linked_at),
    ];
    Ok(execute(client, &sql, values).await? > 0)
}

async fn conflict(
    client: &impl GenericClient,
    link: &SubjectLink,
) -> Result<LinkConflict, Failure> {
    let sql = select("authority = $2 AND identifier = $3");
    let values: &Values<'_> =
        &[&link.organization_id, &link.subject.authority, &link.subject.identifier];
    let holder = query(client, &sql, values).await?;
    let Some(row) = holder.first() else { return Ok(LinkConflict::AccountTaken) };
    let holder = read_link(&mut Columns::of(row))?;
    Ok(LinkConflict::SubjectTaken(holder.account_id))
}

/// Whoever else waited to be tied to the account through this connector can't be any more.
async fn end_requests(
    client: &impl GenericClient,
    link: &SubjectLink,
    audit: &AuditEvent,
) -> Result<(), Failure> {
    let sql = format!(
        "WITH ended AS (
             DELETE FROM link_request
             WHERE organization_id = $1 AND account_id = $2 AND connector_id = $3)
         {}",
        audit_log::insertion(4, "(SELECT) AS always")
    );
    let values: [&(dyn ToSql + Sync); 3] =
        [&link.organization_id, &link.account_id, &link.connector_id];
    let audit = AuditRow::of(audit);
    let values = [&values[..], &audit.values()].concat();
    execute(client, &sql, &values).await.map(drop)
}

fn read_link(columns: &mut Columns<'_>) -> Result<SubjectLink, Failure> {
    Ok(SubjectLink {
        organization_id: columns.read()?,
        connector_id: columns.read()?,
        account_id: columns.read()?,
        subject: read_subject(columns)?,
        sub: columns.read()?,
        basis: columns.read()?,
        linked_at: columns.read::<Moment>()?.0,
    })
}

fn read_request(columns: &mut Columns<'_>) -> Result<LinkRequest, Failure> {
    Ok(LinkRequest {
        organization_id: columns.read()?,
        connector_id: columns.read()?,
        account_id: columns.read()?,
        subject: read_subject(columns)?,
        sub: columns.read()?,
        user_name: columns.read()?,
        reference: columns.read()?,
        requested_at: columns.read::<Moment>()?.0,
    })
}

fn read_subject(columns: &mut Columns<'_>) -> Result<Subject, Failure> {
    Ok(Subject { authority: columns.read()?, identifier: columns.read()? })
}
