//! Customers of the platform.

use async_trait::async_trait;
use tokio_postgres::types::ToSql;

use super::{
    PostgresStore,
    audit_log::{self, AuditRow},
    columns::{Columns, Moment},
    failure::Failure,
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

const DOING: &str = "creating an organization";

#[async_trait]
impl Organizations for PostgresStore {
    async fn insert_organization(
        &self,
        organization: &Organization,
        audit: &AuditEvent,
    ) -> Result<(), NotDone<OrganizationConflict>> {
        let sql = format!(
            "WITH inserted AS (
                 INSERT INTO organization (id, slug, display_name, edition, created_at)
                 VALUES ($1, $2, $3, $4, $5) RETURNING id),
             owning AS (
                 INSERT INTO organization_domain (organization_id, position, domain)
                 SELECT id, position, domain
                 FROM inserted, unnest($6::text[]) WITH ORDINALITY AS owned (domain, position))
             {}",
            audit_log::insertion(7, "inserted")
        );
        let created_at = Moment(organization.created_at);
        let domains: Vec<&str> = organization.domains.iter().map(EmailDomain::as_str).collect();
        let values: [&(dyn ToSql + Sync); 6] = [
            &organization.id,
            &organization.slug,
            &organization.display_name,
            &organization.edition,
            &created_at,
            &domains,
        ];
        let audit = AuditRow::of(audit);
        let values = [&values[..], &audit.values()].concat();
        match self.attempt(&sql, &values).await {
            Ok(_) => Ok(()),
            Err(failure) => Err(explain(failure)),
        }
    }

    async fn find_organization(
        &self,
        id: OrganizationId,
    ) -> Result<Option<Organization>, Unavailable> {
        self.find_organization_where("id = $1", &id).await
    }

    async fn find_organization_by_slug(
        &self,
        slug: &Slug,
    ) -> Result<Option<Organization>, Unavailable> {
        self.find_organization_where("slug = $1", slug).await
    }

    async fn find_organization_by_domain(
        &self,
        domain: &EmailDomain,
    ) -> Result<Option<Organization>, Unavailable> {
        let owner = "id = (SELECT organization_id FROM organization_domain WHERE domain = $1)";
        self.find_organization_where(owner, domain).await
    }

    async fn list_organizations(&self) -> Result<Vec<Organization>, Unavailable> {
        let sql = select("true ORDER BY slug");
        self.all("listing organizations", &sql, &[], read).await
    }
}

impl PostgresStore {
    async fn find_organization_where(
        &self,
        condition: &'static str,
        value: &(dyn ToSql + Sync),
    ) -> Result<Option<Organization>, Unavailable> {
        self.first("finding an organization", &select(condition), &[value], read).await
    }
}

fn select(condition: &str) -> String {
    format!(
        "SELECT id, slug, display_name, edition,
                ARRAY(SELECT domain FROM organization_domain WHERE organization_id = id
                      ORDER BY position),
                created_at
         FROM organization WHERE {condition}"
    )
}

fn explain(failure: Failure) -> NotDone<OrganizationConflict> {
    match failure.taken() {
        Some("organization_slug") => NotDone::Refused(OrganizationConflict::Slug),
        Some("organization_domain_name") => NotDone::Refused(OrganizationConflict::Domain),
        _ => Unavailable::while_doing(DOING)(failure).into(),
    }
}

fn read(columns: &mut Columns<'_>) -> Result<Organization, Failure> {
    Ok(Organization {
        id: columns.read()?,
        slug: columns.read()?,
        display_name: columns.read()?,
        edition: columns.read()?,
        domains: columns.read()?,
        created_at: columns.read::<Moment>()?.0,
    })
}
