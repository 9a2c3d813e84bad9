//! What a connector's directory may do, and what it must send, as an admin decides.

use crate::{
    domain::{
        audit_event::{Actor, AuditEvent},
        connector::Connector,
        provisioning_policy::ProvisioningPolicy,
    },
    ports::{Ports, Unavailable},
    scim::{attribute_path::AttributePath, custom::CustomAttribute, dialect::Profile},
};

/// Why a policy was not kept.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No profile has that name.
    #[error("profile must be one of: {}", Profile::NAMES.join(", "))]
    Profile,
    /// A path is none.
    #[error("{0} is not the path of a SCIM attribute")]
    Path(String),
    /// The connector was deleted meanwhile.
    #[error("the connector was deleted meanwhile")]
    Gone,
    /// The database is away.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Gives a connector another policy; it holds from the next request on.
pub async fn replace(
    ports: &Ports,
    connector: &Connector,
    policy: ProvisioningPolicy,
    actor: Actor,
) -> Result<ProvisioningPolicy, Error> {
    let profile = Profile::named(&policy.profile).ok_or(Error::Profile)?;
    let fields = &policy.fields;
    let optional = [&fields.email, &fields.display_name].into_iter().flatten();
    for path in optional.chain([&fields.department, &fields.team]) {
        AttributePath::parse(path, profile).map_err(|_| Error::Path(path.clone()))?;
    }
    let (organization_id, id) = (connector.organization_id, connector.id);
    let now = ports.clock.now();
    let action = "connector.provisioning_changed";
    let audit = AuditEvent::new(organization_id, now, actor, action, &id)
        .with("profile", policy.profile.as_str());
    let kept = ports.store.replace_provisioning_policy(organization_id, id, &policy, &audit);
    if kept.await? { Ok(policy) } else { Err(Error::Gone) }
}

/// Declares a custom attribute, or lays down the type of one that was learned.
pub async fn declare(
    ports: &Ports,
    connector: &Connector,
    attribute: &CustomAttribute,
    actor: Actor,
) -> Result<(), Unavailable> {
    let (organization_id, id) = (connector.organization_id, connector.id);
    let now = ports.clock.now();
    let audit = AuditEvent::new(organization_id, now, actor, "custom_attribute.declared", &id)
        .with("attribute", format!("{}:{}", attribute.schema, attribute.name))
        .with("type", attribute.kind.as_str());
    ports.store.put_custom_attribute(organization_id, id, attribute, &audit).await
}
