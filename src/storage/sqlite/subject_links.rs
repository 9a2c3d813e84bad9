//! The ties of accounts to subjects.

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension as _, Params, Row, params};

use super::{
    SqliteStore, audit_log,
    columns::{Columns, Moment},
    writer::Stop,
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
impl SubjectLinks for SqliteStore {
    async fn find_link(
        &self,
        organization_id: OrganizationId,
        subject: &Subject,
    ) -> Result<Option<SubjectLink>, Unavailable> {
        self.read("finding a link", |connection| find(connection, organization_id, subject))
    }

    async fn find_link_of_account(
        &self,
        organization_id: OrganizationId,
        connector_id: ConnectorId,
        account_id: AccountId,
    ) -> Result<Option<SubjectLink>, Unavailable> {
        self.read("finding an account's link", |connection| {
            find_of_account(connection, organization_id, connector_id, account_id)
        })
    }

    async fn insert_link(
        &self,
        link: &SubjectLink,
        audit: &AuditEvent,
    ) -> Result<(), NotDone<LinkConflict>> {
        let (link, audit) = (link.clone(), audit.clone());
        self.write_unless("linking an account", move |connection| {
            forget_other_tenants(connection, &link)?;
            if let Some(conflict) = conflict(connection, &link)? {
                return Err(Stop::Refused(conflict));
            }
            insert(connection, &link)?;
            end_requests(connection, &link)?;
            Ok(audit_log::insert(connection, &audit)?)
        })
        .await
    }

    async fn update_link_sub(
        &self,
        organization_id: OrganizationId,
        subject: &Subject,
        sub: &str,
        audit: &AuditEvent,
    ) -> Result<(), Unavailable> {
        let (subject, sub, audit) = (subject.clone(), sub.to_owned(), audit.clone());
        self.write("noting a link's sub", move |connection| {
            let sql = "UPDATE subject_link SET sub = ?1
                       WHERE organization_id = ?2 AND authority = ?3 AND identifier = ?4
                           AND sub <> ?1";
            let key = params![sub, organization_id, subject.authority, subject.identifier];
            if connection.prepare_cached(sql)?.execute(key)? > 0 {
                audit_log::insert(connection, &audit)?;
            }
            Ok(())
        })
        .await
    }

    /// The audit event is written for a request that is new, not each time the person comes back.
    async fn insert_link_request(
        &self,
        request: &LinkRequest,
        audit: &AuditEvent,
    ) -> Result<(), Unavailable> {
        let (request, audit) = (request.clone(), audit.clone());
        self.write("noting a request to be linked", move |connection| {
            if insert_request(connection, &request)? {
                audit_log::insert(connection, &audit)
            } else {
                renew_request(connection, &request)
            }
        })
        .await
    }

    async fn list_link_requests(
        &self,
        organization_id: OrganizationId,
    ) -> Result<Vec<LinkRequest>, Unavailable> {
        self.read("listing requests to be linked", |connection| {
            let sql = format!(
                "SELECT {REQUEST} FROM link_request WHERE organization_id = ?
                 ORDER BY requested_at, rowid"
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let rows = statement.query_map([organization_id], read_request)?;
            rows.collect()
        })
    }
}

/// Forgets the account's link to a subject of the tenant that the connector had before.
fn forget_other_tenants(connection: &Connection, link: &SubjectLink) -> rusqlite::Result<()> {
    let sql = "DELETE FROM subject_link
               WHERE organization_id = ? AND connector_id = ? AND account_id = ?
                   AND authority <> ?";
    let key =
        params![link.organization_id, link.connector_id, link.account_id, link.subject.authority];
    connection.prepare_cached(sql)?.execute(key)?;
    Ok(())
}

fn find(
    connection: &Connection,
    organization_id: OrganizationId,
    subject: &Subject,
) -> rusqlite::Result<Option<SubjectLink>> {
    let condition = "authority = ? AND identifier = ?";
    let key = params![organization_id, subject.authority, subject.identifier];
    find_where(connection, condition, key)
}

fn find_of_account(
    connection: &Connection,
    organization_id: OrganizationId,
    connector_id: ConnectorId,
    account_id: AccountId,
) -> rusqlite::Result<Option<SubjectLink>> {
    let condition = "connector_id = ? AND account_id = ?";
    find_where(connection, condition, params![organization_id, connector_id, account_id])
}

fn find_where(
    connection: &Connection,
    condition: &'static str,
    key: impl Params,
) -> rusqlite::Result<Option<SubjectLink>> {
    let sql = format!("SELECT {LINK} FROM subject_link WHERE organization_id = ? AND {condition}");
    connection.prepare_cached(&sql)?.query_row(key, read_link).optional()
}

fn conflict(connection: &Connection, link: &SubjectLink) -> rusqlite::Result<Option<LinkConflict>> {
    let SubjectLink { organization_id, connector_id, account_id, .. } = *link;
    let sql = "SELECT 1 FROM account WHERE organization_id = ? AND id = ?";
    let mut statement = connection.prepare_cached(sql)?;
    if !statement.exists(params![organization_id, account_id])? {
        return Ok(Some(LinkConflict::NoAccount));
    }
    if let Some(other) = find(connection, organization_id, &link.subject)? {
        return Ok(Some(LinkConflict::SubjectTaken(other.account_id)));
    }
    let other = find_of_account(connection, organization_id, connector_id, account_id)?;
    Ok(other.map(|_| LinkConflict::AccountTaken))
}

fn insert(connection: &Connection, link: &SubjectLink) -> rusqlite::Result<()> {
    let sql = format!("INSERT INTO subject_link ({LINK}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
    let inserted = connection.prepare_cached(&sql)?.execute(params![
        link.organization_id,
        link.connector_id,
        link.account_id,
        link.subject.authority,
        link.subject.identifier,
        link.sub,
        link.basis,
        Moment(link.linked_at),
    ]);
    inserted.map(drop)
}

/// Whoever else waited to be tied to the account through this connector can't be any more.
fn end_requests(connection: &Connection, link: &SubjectLink) -> rusqlite::Result<()> {
    let sql = "DELETE FROM link_request
               WHERE organization_id = ? AND account_id = ? AND connector_id = ?";
    let key = params![link.organization_id, link.account_id, link.connector_id];
    connection.prepare_cached(sql)?.execute(key).map(drop)
}

/// Whether the request is the first of its subject for its account.
fn insert_request(connection: &Connection, request: &LinkRequest) -> rusqlite::Result<bool> {
    let sql = format!(
        "INSERT INTO link_request ({REQUEST}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT DO NOTHING"
    );
    let inserted = connection.prepare_cached(&sql)?.execute(params![
        request.organization_id,
        request.connector_id,
        request.account_id,
        request.subject.authority,
        request.subject.identifier,
        request.sub,
        request.user_name,
        request.reference,
        Moment(request.requested_at),
    ])?;
    Ok(inserted > 0)
}

/// Puts the number that the person has just been shown in place of the last one.
fn renew_request(connection: &Connection, request: &LinkRequest) -> rusqlite::Result<()> {
    let sql = "UPDATE link_request SET reference = ?
               WHERE organization_id = ? AND account_id = ? AND authority = ? AND identifier = ?";
    connection.prepare_cached(sql)?.execute(params![
        request.reference,
        request.organization_id,
        request.account_id,
        request.subject.authority,
        request.subject.identifier,
    ])?;
    Ok(())
}

fn read_link(row: &Row<'_>) -> rusqlite::Result<SubjectLink> {
    let mut columns = Columns::of(row);
    Ok(SubjectLink {
        organization_id: columns.read()?,
        connector_id: columns.read()?,
        account_id: columns.read()?,
        subject: read_subject(&mut columns)?,
        sub: columns.read()?,
        basis: columns.read()?,
        linked_at: columns.read::<Moment>()?.0,
    })
}

fn read_request(row: &Row<'_>) -> rusqlite::Result<LinkRequest> {
    let mut columns = Columns::of(row);
    Ok(LinkRequest {
        organization_id: columns.read()?,
        connector_id: columns.read()?,
        account_id: columns.read()?,
        subject: read_subject(&mut columns)?,
        sub: columns.read()?,
        user_name: columns.read()?,
        reference: columns.read()?,
        requested_at: columns.read::<Moment>()?.0,
    })
}

fn read_subject(columns: &mut Columns<'_, '_>) -> rusqlite::Result<Subject> {
    Ok(Subject { authority: columns.read()?, identifier: columns.read()? })
}
