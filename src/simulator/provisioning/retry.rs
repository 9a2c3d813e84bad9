//! The escrow: what failed, and in which cycle it is tried again.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use super::report::Trouble;

/// The longest wait for another try, in cycles: a day of cycles every 40 minutes.
const LONGEST_WAIT: u64 = 36;

/// The people, groups or references that failed.
#[derive(Debug, Default)]
pub(super) struct Escrow(HashMap<Uuid, Held>);

#[derive(Debug)]
struct Held {
    /// Lasting ones, one after the other.
    failures: u32,
    /// The cycle of the next try.
    next: u64,
}

impl Escrow {
    /// Whether an object failed before and is to be tried again in `cycle`.
    pub(super) fn is_due(&self, oid: Uuid, cycle: u64) -> bool {
        self.0.get(&oid).is_some_and(|held| held.next <= cycle)
    }

    /// Whether an object failed before and is not to be tried in `cycle` yet.
    pub(super) fn holds_back(&self, oid: Uuid, cycle: u64) -> bool {
        self.0.get(&oid).is_some_and(|held| held.next > cycle)
    }

    /// Notes how `cycle` ended for an object: a failure that may pass is tried again in the next,
    /// others after twice as many cycles as the time before.
    pub(super) fn note(&mut self, oid: Uuid, trouble: Option<&Trouble>, cycle: u64) {
        let Some(trouble) = trouble else {
            self.0.remove(&oid);
            return;
        };
        let held = self.0.entry(oid).or_insert(Held { failures: 0, next: 0 });
        let wait = match trouble {
            Trouble::Transient | Trouble::Fatal(_) => 1,
            Trouble::Lasting => {
                held.failures += 1;
                2_u64.saturating_pow(held.failures - 1).min(LONGEST_WAIT)
            }
        };
        held.next = cycle + wait;
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn oids(&self) -> impl Iterator<Item = Uuid> {
        self.0.keys().copied()
    }

    /// Forgets everything but these.
    pub(super) fn keep(&mut self, oids: &HashSet<Uuid>) {
        self.0.retain(|oid, _| oids.contains(oid));
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The cycles in which an object is tried that always fails so.
    fn tries(trouble: &Trouble, cycles: u64) -> Vec<u64> {
        let mut escrow = Escrow::default();
        let oid = Uuid::nil();
        escrow.note(oid, Some(trouble), 1);
        let mut tried = Vec::new();
        for cycle in 2..=cycles {
            if escrow.is_due(oid, cycle) {
                escrow.note(oid, Some(trouble), cycle);
                tried.push(cycle);
            }
        }
        tried
    }

    #[test]
    fn what_will_not_pass_by_itself_is_tried_ever_more_rarely() {
        assert_eq!(tries(&Trouble::Lasting, 140), [2, 4, 8, 16, 32, 64, 100, 136]);
    }

    #[test]
    fn what_may_pass_is_tried_in_every_cycle() {
        assert_eq!(tries(&Trouble::Transient, 5), [2, 3, 4, 5]);
    }

    #[test]
    fn what_succeeds_is_forgotten() {
        let mut escrow = Escrow::default();
        escrow.note(Uuid::nil(), Some(&Trouble::Lasting), 1);

        escrow.note(Uuid::nil(), None, 2);

        assert_eq!((escrow.len(), escrow.is_due(Uuid::nil(), 9)), (0, false));
    }
}
