//! What is written down with a change.

use tokio_postgres::types::ToSql;

use super::{
    audit_log::{self, AuditRow},
    columns::Moment,
    custom_attributes::{self, LearnedRows},
    provisioning_log::{self, RecordRow},
};
use crate::{
    domain::id::{ConnectorId, OrganizationId},
    ports::trail::Trail,
};

/// Where the moment of the change stands among a trail's values.
pub(super) const AT: usize = 2;

/// A trail as it is written.
pub(super) struct TrailRows<'a> {
    organization_id: OrganizationId,
    connector_id: Option<ConnectorId>,
    audit: AuditRow<'a>,
    record: Option<RecordRow<'a>>,
    learned: Option<LearnedRows<'a>>,
}

impl<'a> TrailRows<'a> {
    /// The rows of a trail. What was learned is the connector's whose user or group was changed.
    pub(super) fn of(trail: &'a Trail, connector_id: Option<ConnectorId>) -> Self {
        let learns = connector_id.is_some() && !trail.learned.is_empty();
        Self {
            organization_id: trail.audit.organization_id,
            connector_id,
            audit: AuditRow::of(&trail.audit),
            record: trail.record.as_ref().map(RecordRow::of),
            learned: learns.then(|| LearnedRows::of(&trail.learned)),
        }
    }

    /// When the change was made.
    pub(super) const fn at(&self) -> &Moment {
        self.audit.at()
    }

    /// The end of a statement that writes the trail down if `source`, a part of the statement
    /// before it, has a row; its values begin at `$first`.
    pub(super) fn insertion(&self, first: usize, source: &str) -> String {
        let mut next = first + audit_log::VALUES;
        let mut parts = Vec::new();
        if self.record.is_some() {
            let insertion = provisioning_log::insertion(next, source);
            parts.push(format!(", recorded AS ({insertion})"));
            next += provisioning_log::VALUES;
        }
        if self.learned.is_some() {
            let insertion = custom_attributes::learning(next, source);
            parts.push(format!(", learned AS ({insertion})"));
        }
        parts.push(audit_log::insertion(first, source));
        parts.join("\n")
    }

    /// In the order of [`Self::insertion`].
    pub(super) fn values(&self) -> Vec<&(dyn ToSql + Sync)> {
        let mut values = self.audit.values().to_vec();
        if let Some(record) = &self.record {
            values.extend(record.values());
        }
        if let Some(learned) = &self.learned {
            values.push(&self.organization_id);
            values.push(&self.connector_id);
            values.extend(learned.values());
        }
        values
    }
}
