//! Customers of the platform, as the operator makes them.

use crate::{
    domain::{
        audit_event::{Actor, AuditEvent},
        id::OrganizationId,
        organization::{Edition, EmailDomain, Organization, Slug},
    },
    ports::{NotDone, Ports, Unavailable, store::OrganizationConflict},
};

/// What the operator says of a new organization.
#[derive(Clone, Debug)]
pub struct NewOrganization {
    /// Its name in URLs.
    pub slug: Slug,
    /// Its name on pages.
    pub display_name: String,
    /// What it may use.
    pub edition: Edition,
    /// The e-mail domains whose people belong to it; the operator vouches for them.
    pub domains: Vec<EmailDomain>,
}

/// Creates an organization.
pub async fn create(
    ports: &Ports,
    new: NewOrganization,
    actor: Actor,
) -> Result<Organization, NotDone<OrganizationConflict>> {
    let created_at = ports.clock.now();
    let organization = Organization {
        id: OrganizationId::generate(),
        slug: new.slug,
        display_name: new.display_name,
        edition: new.edition,
        domains: new.domains,
        created_at,
    };
    let audit = AuditEvent::new(
        organization.id,
        created_at,
        actor,
        "organization.created",
        &organization.slug,
    )
    .with("edition", organization.edition.as_str());
    ports.store.insert_organization(&organization, &audit).await?;
    Ok(organization)
}

/// The organization whose people have this e-mail address, by its domain (home-realm discovery).
pub async fn find_by_address(
    ports: &Ports,
    address: &str,
) -> Result<Option<Organization>, Unavailable> {
    match EmailDomain::of_address(address) {
        Ok(domain) => ports.store.find_organization_by_domain(&domain).await,
        Err(_) => Ok(None),
    }
}
