//! The attributes of a connector beyond the schemas of the RFCs.

use async_trait::async_trait;

use crate::{
    domain::{
        audit_event::AuditEvent,
        id::{ConnectorId, OrganizationId},
    },
    ports::Unavailable,
    scim::custom::CustomAttribute,
};

/// The attributes of a connector beyond the schemas of the RFCs: learned from what its directory
/// sent, which comes in the [`Trail`](super::trail::Trail) of the change, or declared by an admin.
#[async_trait]
pub trait CustomAttributes: Send + Sync {
    /// All of a connector, in the order in which they came.
    async fn list_custom_attributes(
        &self,
        organization_id: OrganizationId,
        connector_id: ConnectorId,
    ) -> Result<Vec<CustomAttribute>, Unavailable>;

    /// Keeps one, in place of the one of the same schema and name.
    async fn put_custom_attribute(
        &self,
        organization_id: OrganizationId,
        connector_id: ConnectorId,
        attribute: &CustomAttribute,
        audit: &AuditEvent,
    ) -> Result<(), Unavailable>;
}
