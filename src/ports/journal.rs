//! Lines of the provisioning log that wait to be written.

use std::{
    collections::HashMap,
    mem,
    sync::{Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;

use crate::{
    domain::{
        connector::Connector,
        id::{ConnectorId, OrganizationId},
        provisioning_record::{ProvisioningOutcome, ProvisioningRecord, ProvisioningTally},
    },
    ports::{Unavailable, provisioning_log::ProvisioningLog},
};

/// Lines that may wait. Beyond them a lookup goes without a line of its own, and is only counted.
const MOST_LINES: usize = 4_096;

const SECONDS_OF_AN_HOUR: i64 = 3_600;

/// Lines of the provisioning log that wait to be written.
///
/// What changed something is written in the commit of the change. Everything else is written
/// behind, a batch at a time: a directory asks far more often than it changes something.
#[derive(Default)]
pub struct Journal {
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    records: Vec<ProvisioningRecord>,
    tallies: HashMap<Hour, ProvisioningTally>,
    without_line: u64,
}

type Hour = (OrganizationId, ConnectorId, Timestamp);

impl Journal {
    /// Takes a line about what changed nothing.
    pub fn note(&self, record: ProvisioningRecord) {
        let mut waiting = self.waiting();
        let ProvisioningRecord { organization_id, connector_id, at, outcome, .. } = record;
        waiting.add(tally(organization_id, connector_id, at, outcome));
        if waiting.records.len() < MOST_LINES {
            waiting.records.push(record);
        } else {
            waiting.without_line += 1;
        }
    }

    /// Counts a change, whose line was committed with it.
    pub fn count_change(&self, connector: &Connector, at: Timestamp) {
        let (organization_id, id) = (connector.organization_id, connector.id);
        self.waiting().add(tally(organization_id, id, at, ProvisioningOutcome::Changed));
    }

    /// Writes down what waits; what can't be written goes on waiting.
    pub async fn flush(&self, log: &(impl ProvisioningLog + ?Sized)) -> Result<(), Unavailable> {
        let taken = mem::take(&mut *self.waiting());
        if taken.tallies.is_empty() {
            return Ok(());
        }
        if taken.without_line > 0 {
            tracing::warn!(taken.without_line, "lookups came too fast for a line each");
        }
        let tallies: Vec<_> = taken.tallies.values().cloned().collect();
        let written = log.note_provisioning(&taken.records, &tallies).await;
        if written.is_err() {
            self.waiting().put_back(taken);
        }
        written
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn add(&mut self, tally: ProvisioningTally) {
        let hour = (tally.organization_id, tally.connector_id, tally.hour);
        match self.tallies.get_mut(&hour) {
            None => drop(self.tallies.insert(hour, tally)),
            Some(sum) => {
                sum.requests += tally.requests;
                sum.changed += tally.changed;
                sum.failures += tally.failures;
                sum.last_request_at = sum.last_request_at.max(tally.last_request_at);
                sum.last_success_at = sum.last_success_at.max(tally.last_success_at);
            }
        }
    }

    /// Lines that have waited once stand before those that came meanwhile.
    fn put_back(&mut self, taken: Self) {
        let since = mem::replace(&mut self.records, taken.records);
        let room = MOST_LINES.saturating_sub(self.records.len());
        self.without_line += since.len().saturating_sub(room) as u64;
        self.records.extend(since.into_iter().take(room));
        taken.tallies.into_values().for_each(|tally| self.add(tally));
    }
}

/// What one request adds to its hour.
fn tally(
    organization_id: OrganizationId,
    connector_id: ConnectorId,
    at: Timestamp,
    outcome: ProvisioningOutcome,
) -> ProvisioningTally {
    use ProvisioningOutcome::{Answered, Changed};
    let is_success = matches!(outcome, Answered | Changed);
    ProvisioningTally {
        organization_id,
        connector_id,
        hour: hour_of(at),
        requests: 1,
        changed: u64::from(outcome == Changed),
        failures: u64::from(!is_success),
        last_request_at: at,
        last_success_at: is_success.then_some(at),
    }
}

/// The beginning of the hour of a moment.
fn hour_of(moment: Timestamp) -> Timestamp {
    let seconds = moment.as_second();
    let hour = seconds - seconds.rem_euclid(SECONDS_OF_AN_HOUR);
    Timestamp::from_second(hour).unwrap_or(moment)
}
