//! How well a directory's provisioning goes.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::{
    domain::connector::Connector,
    ports::{
        NotDone, Part, Ports, Unavailable,
        query::{Query, Start, TooCostly},
    },
};

/// How far back requests are counted.
const COUNTED: SignedDuration = SignedDuration::from_hours(24);

/// Entra ID comes every 40 minutes; after so long it does not come any more.
const SILENT_AFTER: SignedDuration = SignedDuration::from_hours(3);

/// Entra ID looks at the share of failures from so many on.
const WEIGHED_FROM: u64 = 5_000;

/// So many failures of a hundred requests put a job into quarantine.
const TOLERATED_PERCENT: u64 = 40;

/// So many failures put a job into quarantine whatever their share.
const TOLERATED: u64 = 40_000;

/// How well a connector's provisioning goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Health {
    /// The last request, if there was one within the time that is kept.
    pub last_request_at: Option<Timestamp>,
    /// The last request that was neither refused nor failed.
    pub last_success_at: Option<Timestamp>,
    /// How many people the directory provisions, active or not.
    pub people: u64,
    /// How many groups.
    pub groups: u64,
    /// Requests within the last 24 hours, by whole hours.
    pub requests: u64,
    /// Those that changed something.
    pub changed: u64,
    /// Those refused or failed.
    pub failures: u64,
    /// What that means to Entra ID, which stops a job that fails too often.
    pub quarantine_risk: QuarantineRisk,
    /// What to look at first, if anything.
    pub advice: Option<&'static str>,
}

/// How near a job is to being stopped by Entra ID: from 5,000 failures on if more than 40 of 100
/// requests fail, and in any case at 40,000 failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum QuarantineRisk {
    /// Nothing failed of late.
    None,
    /// Failures, far from the limit.
    Low,
    /// A tenth of the failures that are looked at, or more than the share.
    Elevated,
    /// Beyond the limit.
    High,
}

impl QuarantineRisk {
    const fn of(requests: u64, failures: u64) -> Self {
        let beyond_share = failures * 100 > requests * TOLERATED_PERCENT;
        if failures == 0 {
            Self::None
        } else if failures > TOLERATED || (failures >= WEIGHED_FROM && beyond_share) {
            Self::High
        } else if failures >= WEIGHED_FROM / 10 || (beyond_share && requests >= 10) {
            Self::Elevated
        } else {
            Self::Low
        }
    }
}

/// How well a connector's provisioning goes.
pub async fn of(ports: &Ports, connector: &Connector) -> Result<Health, Unavailable> {
    let now = ports.clock.now();
    let (organization_id, id) = (connector.organization_id, connector.id);
    let kept = now - ports.settings.provisioning_log.kept;
    let tallies = ports.store.list_provisioning_tallies(organization_id, id, kept).await?;
    let of_late: Vec<_> = tallies.iter().filter(|tally| tally.hour > now - COUNTED).collect();
    let requests = of_late.iter().map(|tally| tally.requests).sum();
    let failures = of_late.iter().map(|tally| tally.failures).sum();
    let last_request_at = tallies.iter().map(|tally| tally.last_request_at).max();
    let all = Query { filter: None, sort: None, start: Start::Offset(0), limit: 0 };
    let people = counted(ports.store.query_accounts(organization_id, id, &all).await)?.total;
    let groups = counted(ports.store.query_groups(organization_id, id, &all).await)?.total;
    let quarantine_risk = QuarantineRisk::of(requests, failures);
    Ok(Health {
        last_request_at,
        last_success_at: tallies.iter().filter_map(|tally| tally.last_success_at).max(),
        people,
        groups,
        requests,
        changed: of_late.iter().map(|tally| tally.changed).sum(),
        failures,
        quarantine_risk,
        advice: advice(last_request_at, now, quarantine_risk),
    })
}

const fn nothing_yet() -> &'static str {
    "The directory has not called yet. Paste the SCIM URL and the Password into its provisioning \
     settings, and test the connection."
}

fn advice(
    last_request_at: Option<Timestamp>,
    now: Timestamp,
    risk: QuarantineRisk,
) -> Option<&'static str> {
    match (last_request_at, risk) {
        (None, _) => Some(nothing_yet()),
        (_, QuarantineRisk::High | QuarantineRisk::Elevated) => Some(
            "Many requests are refused. Read the refused lines of the provisioning log, mend their \
             cause in the directory, and restart provisioning there.",
        ),
        (Some(last), _) if now.duration_since(last) > SILENT_AFTER => Some(
            "The directory has not called for three hours. Look whether its provisioning is \
             switched on, and whether its credentials have expired.",
        ),
        _ => None,
    }
}

/// Nothing is filtered or sorted, so nothing is too costly.
fn counted<T>(page: Result<T, NotDone<TooCostly>>) -> Result<T, Unavailable> {
    page.map_err(|not_done| match not_done {
        NotDone::Unavailable(unavailable) => unavailable,
        NotDone::Refused(cause) => {
            Unavailable { part: Part::Database, doing: "counting", cause: cause.into() }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_risk_of_quarantine_rises_with_failures_and_their_share() {
        let cases = [
            (0, 0, QuarantineRisk::None),
            (1_000, 0, QuarantineRisk::None),
            (1_000, 3, QuarantineRisk::Low),
            (9, 9, QuarantineRisk::Low),
            (100, 41, QuarantineRisk::Elevated),
            (100_000, 500, QuarantineRisk::Elevated),
            (100_000, 4_999, QuarantineRisk::Elevated),
            (12_500, 5_000, QuarantineRisk::Elevated),
            (12_499, 5_000, QuarantineRisk::High),
            (10_000_000, 40_001, QuarantineRisk::High),
        ];
        for (requests, failures, risk) in cases {
            assert_eq!(QuarantineRisk::of(requests, failures), risk, "{failures} of {requests}");
        }
    }
}
