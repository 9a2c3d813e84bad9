//! Customers of the platform.

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension as _, Row, ToSql, params};

use super::{
    SqliteStore, audit_log,
    columns::{Columns, Moment},
    is_taken,
    writer::Stop,
};
use crate::{
    domain::{
        audit_event::AuditEvent,
        id::OrganizationId,
        organization::{EmailDomain, Organization, Slug},
    },
    ports::{
        NotDone, Unavailable,
        store::{OrganizationConflict, Organizations},
    },
};

#[async_trait]
impl Organizations for SqliteStore {
    async fn insert_organization(
        &self,
        organization: &Organization,
        audit: &AuditEvent,
    ) -> Result<(), NotDone<OrganizationConflict>> {
        let (organization, audit) = (organization.clone(), audit.clone());
        self.write_unless("creating an organization", move |connection| {
            insert(connection, &organization)
                .map_err(|error| conflict(error, OrganizationConflict::Slug))?;
            insert_domains(connection, &organization)
                .map_err(|error| conflict(error, OrganizationConflict::Domain))?;
            Ok(audit_log::insert(connection, &audit)?)
        })
        .await
    }

    async fn find_organization(
        &self,
        id: OrganizationId,
    ) -> Result<Option<Organization>, Unavailable> {
        self.find_organization_where("id = ?", &id)
    }

    async fn find_organization_by_slug(
        &self,
        slug: &Slug,
    ) -> Result<Option<Organization>, Unavailable> {
        self.find_organization_where("slug = ?", slug)
    }

    async fn find_organization_by_domain(
        &self,
        domain: &EmailDomain,
    ) -> Result<Option<Organization>, Unavailable> {
        let owner = "id = (SELECT organization_id FROM organization_domain WHERE domain = ?)";
        self.find_organization_where(owner, domain)
    }

    async fn list_organizations(&self) -> Result<Vec<Organization>, Unavailable> {
        self.read("listing organizations", |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT id, slug, display_name, edition, created_at FROM organization
                 ORDER BY slug",
            )?;
            let rows = statement.query_map([], |row| read(connection, row))?;
            rows.collect()
        })
    }
}

impl SqliteStore {
    fn find_organization_where(
        &self,
        condition: &'static str,
        value: &dyn ToSql,
    ) -> Result<Option<Organization>, Unavailable> {
        self.read("finding an organization", |connection| {
            let sql = format!(
                "SELECT id, slug, display_name, edition, created_at FROM organization
                 WHERE {condition}"
            );
            let mut statement = connection.prepare_cached(&sql)?;
            statement.query_row([value], |row| read(connection, row)).optional()
        })
    }
}

fn conflict(error: rusqlite::Error, conflict: OrganizationConflict) -> Stop<OrganizationConflict> {
    if is_taken(&error) { Stop::Refused(conflict) } else { error.into() }
}

fn insert(connection: &Connection, organization: &Organization) -> rusqlite::Result<()> {
    let sql = "INSERT INTO organization (id, slug, display_name, edition, created_at)
               VALUES (?, ?, ?, ?, ?)";
    let mut statement = connection.prepare_cached(sql)?;
    let inserted = statement.execute(params![
        organization.id,
        organization.slug,
        organization.display_name,
        organization.edition,
        Moment(organization.created_at),
    ]);
    inserted.map(drop)
}

fn insert_domains(connection: &Connection, organization: &Organization) -> rusqlite::Result<()> {
    let sql = "INSERT INTO organization_domain (organization_id, position, domain)
               VALUES (?, ?, ?)";
    let mut statement = connection.prepare_cached(sql)?;
    for (position, domain) in (0_i64..).zip(&organization.domains) {
        statement.execute(params![organization.id, position, domain])?;
    }
    Ok(())
}

fn read(connection: &Connection, row: &Row<'_>) -> rusqlite::Result<Organization> {
    let mut columns = Columns::of(row);
    let id = columns.read()?;
    Ok(Organization {
        id,
        slug: columns.read()?,
        display_name: columns.read()?,
        edition: columns.read()?,
        domains: domains(connection, id)?,
        created_at: columns.read::<Moment>()?.0,
    })
}

fn domains(connection: &Connection, id: OrganizationId) -> rusqlite::Result<Vec<EmailDomain>> {
    let mut statement = connection.prepare_cached(
        "SELECT domain FROM organization_domain WHERE organization_id = ? ORDER BY position",
    )?;
    let rows = statement.query_map([id], |row| row.get(0))?;
    rows.collect()
}
