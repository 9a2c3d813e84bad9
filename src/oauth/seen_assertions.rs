//! Which client assertions were presented already.

use std::collections::HashMap;

use jiff::Timestamp;

use crate::domain::{id::CredentialId, secret::SecretDigest};

/// Assertions of one credential that are remembered at a time; a directory needs one an hour.
const MOST_OF_ONE: usize = 256;
/// Assertions that are remembered at a time in all: some six megabytes.
const MOST: usize = 65_536;

/// The names of assertions that were presented, each until it is refused by itself (RFC 7523 §3,
/// rule 7).
///
/// This process's memory: of several nodes, each takes an assertion once.
#[derive(Debug, Default)]
pub struct SeenAssertions {
    /// Until when each is remembered, by its digest.
    of: HashMap<CredentialId, HashMap<SecretDigest, Timestamp>>,
    count: usize,
}

/// Why an assertion is not accepted, although nothing is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Replay {
    /// It was presented before.
    #[error("the assertion was presented before")]
    Seen,
    /// There are so many that no more can be remembered.
    #[error("too many assertions are presented to remember them all")]
    TooMany,
}

impl SeenAssertions {
    /// Remembers an assertion by its `jti`, unless it was presented before.
    pub fn accept(
        &mut self,
        credential: CredentialId,
        jti: &str,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<(), Replay> {
        let digest = SecretDigest::of(jti.as_bytes());
        if self.of.get(&credential).is_some_and(|seen| seen.contains_key(&digest)) {
            return Err(Replay::Seen);
        }
        let of_this = self.of.get(&credential).map_or(0, HashMap::len);
        if of_this >= MOST_OF_ONE || self.count >= MOST {
            self.forget_expired(now);
        }
        let seen = self.of.entry(credential).or_default();
        if seen.len() >= MOST_OF_ONE || self.count >= MOST {
            return Err(Replay::TooMany);
        }
        seen.insert(digest, until);
        self.count += 1;
        Ok(())
    }

    /// Forgets those that would be refused by themselves.
    pub fn forget_expired(&mut self, now: Timestamp) {
        self.of.retain(|_, seen| {
            seen.retain(|_, until| now < *until);
            !seen.is_empty()
        });
        self.count = self.of.values().map(HashMap::len).sum();
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    const NOW: Timestamp = Timestamp::constant(1_795_348_800, 0);

    fn later(minutes: i64) -> Timestamp {
        NOW + SignedDuration::from_mins(minutes)
    }

    #[test]
    fn an_assertion_is_accepted_once_per_credential() {
        let mut seen = SeenAssertions::default();
        let [ours, theirs] = [CredentialId::generate(), CredentialId::generate()];

        assert_eq!(seen.accept(ours, "a", later(60), NOW), Ok(()));
        assert_eq!(seen.accept(ours, "a", later(60), later(59)), Err(Replay::Seen));
        assert_eq!(seen.accept(ours, "b", later(60), NOW), Ok(()));
        assert_eq!(seen.accept(theirs, "a", later(60), NOW), Ok(()));
    }

    #[test]
    fn memory_is_bounded_and_nobody_fills_it_for_another() {
        let mut seen = SeenAssertions::default();
        let [greedy, modest] = [CredentialId::generate(), CredentialId::generate()];

        let accepted = (0..1_000)
            .filter(|n| seen.accept(greedy, &n.to_string(), later(60), NOW).is_ok())
            .count();

        assert_eq!(accepted, MOST_OF_ONE);
        assert_eq!(seen.accept(modest, "a", later(60), NOW), Ok(()));
        assert_eq!(seen.accept(greedy, "next", later(60), NOW), Err(Replay::TooMany));
        assert_eq!(seen.accept(greedy, "next", later(120), later(60)), Ok(()));
        assert_eq!(seen.count, 1);
    }
}
