//! Where the time comes from.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use jiff::{SignedDuration, Timestamp};

/// The source of "now", handed to whoever needs it: the system's clock, or one that a test moves.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System,
    /// Milliseconds since 1970.
    Stopped(Arc<AtomicI64>),
}

impl Clock {
    /// The system's clock.
    pub const fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands at `now` until [`Self::advance`] moves it; clones move together.
    pub fn stopped_at(now: Timestamp) -> Self {
        Self(Source::Stopped(Arc::new(AtomicI64::new(now.as_millisecond()))))
    }

    /// The present moment, in whole microseconds: the resolution that databases keep.
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            #[expect(clippy::disallowed_methods, reason = "the one place that asks the system")]
            Source::System => {
                let now = Timestamp::now();
                Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now)
            }
            Source::Stopped(milliseconds) => {
                Timestamp::from_millisecond(milliseconds.load(Ordering::Relaxed))
                    .expect("a stopped clock is set from a timestamp")
            }
        }
    }

    /// Moves a stopped clock on (or back); the system's clock goes its own way.
    pub fn advance(&self, by: SignedDuration) {
        if let Source::Stopped(milliseconds) = &self.0 {
            let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
            milliseconds.fetch_add(by, Ordering::Relaxed);
        }
    }
}
