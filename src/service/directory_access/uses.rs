//! When credentials were last used, until it is written down.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

use crate::{domain::id::CredentialId, ports::store::CredentialUse};

/// A use so soon after one that was noted is not.
const BETWEEN_NOTES: SignedDuration = SignedDuration::from_mins(1);

/// Uses to be written down; a request waits for none of it.
#[derive(Debug, Default)]
pub(super) struct Uses {
    noted: HashMap<CredentialId, Timestamp>,
    pending: Vec<CredentialUse>,
}

impl Uses {
    /// Notes a use, at most one a minute of each credential.
    pub(super) fn note(&mut self, used: CredentialUse) {
        let last = self.noted.get(&used.credential_id);
        if last.is_none_or(|last| !is_recent(*last, used.at)) {
            self.noted.insert(used.credential_id, used.at);
            self.pending.push(used);
        }
    }

    /// What is to be written down.
    pub(super) fn take(&mut self, now: Timestamp) -> Vec<CredentialUse> {
        self.noted.retain(|_, noted| is_recent(*noted, now));
        std::mem::take(&mut self.pending)
    }
}

fn is_recent(last: Timestamp, now: Timestamp) -> bool {
    now.duration_since(last).abs() < BETWEEN_NOTES
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::{ConnectorId, OrganizationId};

    const NOON: Timestamp = Timestamp::constant(1_795_348_800, 0);

    #[test]
    fn a_credential_in_constant_use_is_noted_once_a_minute() {
        let (mut uses, credential_id) = (Uses::default(), CredentialId::generate());
        let (organization_id, connector_id) = (OrganizationId::generate(), ConnectorId::generate());
        let use_of = |credential_id, seconds| {
            let at = NOON + SignedDuration::from_secs(seconds);
            CredentialUse { organization_id, connector_id, credential_id, at }
        };
        let other = use_of(CredentialId::generate(), 2);

        for seconds in 0..150 {
            uses.note(use_of(credential_id, seconds));
        }
        uses.note(other);

        let noted = [0, 60, 120].map(|seconds| use_of(credential_id, seconds));
        assert_eq!(uses.take(NOON + BETWEEN_NOTES), [&noted[..], &[other]].concat());
        assert_eq!(uses.take(NOON + BETWEEN_NOTES), []);
    }
}
