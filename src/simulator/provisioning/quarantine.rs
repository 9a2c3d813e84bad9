//! Quarantine: when a job stops being run at every turn, and how rarely it is tried then.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

/// The pauses before the tries; the last one repeats.
const PAUSES: [SignedDuration; 3] =
    [SignedDuration::from_hours(6), SignedDuration::from_hours(12), SignedDuration::from_hours(24)];
/// After how long a job in quarantine is given up.
const GIVEN_UP_AFTER: SignedDuration = SignedDuration::from_hours(28 * 24);

/// From how many failures on a job goes into quarantine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuarantineLimits {
    /// Fewer failures than these, without those of references, are never too many.
    pub evaluated_from: usize,
    /// More failures than this share of all objects, in percent, are too many.
    pub share: usize,
    /// More failures than these, without those of references, are too many.
    pub objects: usize,
    /// As many failures as these, with those of references, are too many.
    pub total: usize,
}

impl Default for QuarantineLimits {
    /// Entra's.
    fn default() -> Self {
        Self { evaluated_from: 5_000, share: 40, objects: 40_000, total: 60_000 }
    }
}

/// The failures that a job holds after a cycle.
#[derive(Clone, Copy, Debug)]
pub(super) struct Failures {
    /// People and groups that failed.
    pub(super) objects: usize,
    /// Managers and members that failed.
    pub(super) references: usize,
    /// People and groups, those that did not fail among them.
    pub(super) of: usize,
}

impl QuarantineLimits {
    pub(super) fn exceeded(self, failures: Failures) -> Option<QuarantineReason> {
        let Failures { objects, references, of } = failures;
        if objects + references >= self.total {
            return Some(QuarantineReason::TotalEscrows);
        }
        if objects < self.evaluated_from {
            return None;
        }
        if objects > self.objects {
            return Some(QuarantineReason::Escrows);
        }
        (objects * 100 > of * self.share).then_some(QuarantineReason::EscrowShare)
    }
}

/// Why a job is in quarantine; written as Entra names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum QuarantineReason {
    /// The target does not accept the credential.
    #[serde(rename = "EncounteredQuarantineException: the credential is not accepted")]
    InvalidCredentials,
    /// The target answers a query as no SCIM server does.
    #[serde(rename = "EncounteredQuarantineException: the target is not compatible")]
    Incompatible,
    /// Too many people and groups failed.
    #[serde(rename = "EncounteredBaseEscrowThreshold")]
    Escrows,
    /// Too large a share of the people and groups failed.
    #[serde(rename = "EncounteredEscrowProportionThreshold")]
    EscrowShare,
    /// Too many people, groups and references failed.
    #[serde(rename = "EncounteredTotalEscrowThreshold")]
    TotalEscrows,
}

/// A job's stay in quarantine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Quarantine {
    /// Why.
    pub reason: QuarantineReason,
    /// Since when.
    pub since: Timestamp,
    /// When the job is tried again.
    pub next_try: Timestamp,
    /// How often it was tried since.
    pub tries: usize,
}

/// How a job stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum JobState {
    /// Every cycle runs.
    #[default]
    Active,
    /// Few cycles run.
    Quarantined(Quarantine),
    /// None does, after four weeks of quarantine, until the job is restarted.
    Disabled,
}

impl JobState {
    /// Whether a cycle runs at `now`.
    pub(super) fn runs(self, now: Timestamp) -> bool {
        match self {
            Self::Active => true,
            Self::Quarantined(quarantine) => now >= quarantine.next_try,
            Self::Disabled => false,
        }
    }

    /// The state after a cycle that ended at `now`, with a reason for quarantine or without.
    pub(super) fn after(self, reason: Option<QuarantineReason>, now: Timestamp) -> Self {
        let Some(reason) = reason else { return Self::Active };
        let (since, tries) = match self {
            Self::Quarantined(before) => (before.since, before.tries + 1),
            Self::Active | Self::Disabled => (now, 0),
        };
        if now.duration_since(since) >= GIVEN_UP_AFTER {
            return Self::Disabled;
        }
        let next_try = now + PAUSES[tries.min(PAUSES.len() - 1)];
        Self::Quarantined(Quarantine { reason, since, next_try, tries })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_many_failures_are_told_by_entras_numbers() {
        let cases = [
            ((4_999, 0, 4_999), None),
            ((5_000, 0, 12_500), None),
            ((5_000, 0, 12_499), Some(QuarantineReason::EscrowShare)),
            ((40_000, 19_999, 1_000_000), None),
            ((40_001, 0, 1_000_000), Some(QuarantineReason::Escrows)),
            ((0, 59_999, 1_000_000), None),
            ((0, 60_000, 1_000_000), Some(QuarantineReason::TotalEscrows)),
        ];
        for ((objects, references, of), expected) in cases {
            let failures = Failures { objects, references, of };

            let reason = QuarantineLimits::default().exceeded(failures);

            assert_eq!(reason, expected, "{failures:?}");
        }
    }

    #[test]
    fn a_quarantine_is_tried_after_six_twelve_and_then_every_24_hours_and_given_up_after_28_days() {
        let begin: Timestamp = "2026-11-01T00:00:00Z".parse().unwrap();
        let reason = Some(QuarantineReason::InvalidCredentials);
        let mut now = begin;
        let mut state = JobState::Active.after(reason, now);
        let mut pauses = Vec::new();

        while let JobState::Quarantined(quarantine) = state {
            pauses.push(quarantine.next_try.duration_since(now).as_hours());
            assert!(!state.runs(now));
            now = quarantine.next_try;
            assert!(state.runs(now));
            state = state.after(reason, now);
        }

        assert_eq!(pauses[..4], [6, 12, 24, 24]);
        assert_eq!(state, JobState::Disabled);
        assert_eq!(now.duration_since(begin).as_hours(), 28 * 24 + 18);
        assert!(!state.runs(now));
    }

    #[test]
    fn a_cycle_that_goes_well_ends_the_quarantine() {
        let now = "2026-11-01T00:00:00Z".parse().unwrap();
        let state = JobState::Active.after(Some(QuarantineReason::Incompatible), now);

        assert_eq!(state.after(None, now), JobState::Active);
    }
}
