//! What is written down with a change, in the same commit.

use crate::{
    domain::{audit_event::AuditEvent, provisioning_record::ProvisioningRecord},
    scim::custom::CustomAttribute,
};

/// What is written down with a change, in the same commit.
#[derive(Clone, Debug, PartialEq)]
pub struct Trail {
    /// The line of the audit log.
    pub audit: AuditEvent,
    /// The line of the provisioning log, where a directory asked for the change.
    pub record: Option<ProvisioningRecord>,
    /// Custom attributes that the change brought with it and that were not known before.
    pub learned: Vec<CustomAttribute>,
}

impl From<AuditEvent> for Trail {
    fn from(audit: AuditEvent) -> Self {
        Self { audit, record: None, learned: Vec::new() }
    }
}
