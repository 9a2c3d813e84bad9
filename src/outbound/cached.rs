//! Something fetched from an authority and kept: young enough, fetched once at a time, and never
//! so often that a stranger's tokens could make Portico knock at the authority's door all day.

use std::{future::Future, sync::Arc};

use arc_swap::ArcSwapOption;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex;

use crate::ports::authorities::AuthorityFailure;

/// Older than this, it is fetched anew in the background.
const REFRESH: SignedDuration = SignedDuration::from_hours(1);
/// Older than this, it is not used.
const TTL: SignedDuration = SignedDuration::from_hours(24);
/// After a failure, the same failure is the answer for so long.
const PAUSE: SignedDuration = SignedDuration::from_secs(10);
/// Between two fetches that a stranger asked for.
const BETWEEN_REFETCHES: SignedDuration = SignedDuration::from_mins(5);

/// The last good `T` and the state of fetching another.
#[derive(Debug)]
pub(super) struct Cached<T> {
    good: ArcSwapOption<Fetched<T>>,
    flight: Mutex<Flight>,
}

#[derive(Debug)]
struct Fetched<T> {
    value: Arc<T>,
    /// Where it comes from; something from elsewhere is not it.
    source: String,
    at: Timestamp,
}

/// What whoever fetches holds: one at a time.
#[derive(Debug, Default)]
struct Flight {
    failed: Option<(Timestamp, AuthorityFailure)>,
    refetched_at: Option<Timestamp>,
}

impl<T> Default for Cached<T> {
    fn default() -> Self {
        Self { good: ArcSwapOption::empty(), flight: Mutex::default() }
    }
}

impl<T: Send + Sync + 'static> Cached<T> {
    /// The value from `source`, at most a day old.
    ///
    /// # Errors
    /// `fetch`'s, where there is no value; within ten seconds of it the same again.
    pub(super) async fn get<F>(
        self: &Arc<Self>,
        source: &str,
        now: Timestamp,
        fetch: F,
    ) -> Result<Arc<T>, AuthorityFailure>
    where
        F: Future<Output = Result<T, AuthorityFailure>> + Send + 'static,
    {
        if let Some(good) = self.usable(source, now) {
            if now.duration_since(good.at) >= REFRESH {
                tokio::spawn(Arc::clone(self).refresh(source.to_owned(), now, fetch));
            }
            return Ok(Arc::clone(&good.value));
        }
        let mut flight = self.flight.lock().await;
        if let Some(good) = self.usable(source, now) {
            return Ok(Arc::clone(&good.value));
        }
        match flight.failure_since(now) {
            Some(failure) => Err(failure),
            None => self.fetch(&mut flight, source, now, fetch).await,
        }
    }

    /// The value from `source` fetched anew, or the last good one if that was done less than five
    /// minutes ago or fails.
    pub(super) async fn refetch(
        &self,
        source: &str,
        now: Timestamp,
        fetch: impl Future<Output = Result<T, AuthorityFailure>> + Send,
    ) -> Result<Arc<T>, AuthorityFailure> {
        let mut flight = self.flight.lock().await;
        let last = self.usable(source, now).map(|good| Arc::clone(&good.value));
        let recent = |at: Timestamp| now.duration_since(at) < BETWEEN_REFETCHES;
        match (last, flight.failure_since(now)) {
            (Some(last), _) if flight.refetched_at.is_some_and(recent) => Ok(last),
            (None, Some(failure)) => Err(failure),
            (last, _) => {
                flight.refetched_at = Some(now);
                let fetched = self.fetch(&mut flight, source, now, fetch).await;
                fetched.or_else(|failure| last.ok_or(failure))
            }
        }
    }

    /// Fetches unless somebody does already; a failure leaves the last good value.
    async fn refresh(
        self: Arc<Self>,
        source: String,
        now: Timestamp,
        fetch: impl Future<Output = Result<T, AuthorityFailure>> + Send,
    ) {
        let Ok(mut flight) = self.flight.try_lock() else { return };
        let still_old =
            self.usable(&source, now).is_none_or(|good| now.duration_since(good.at) >= REFRESH);
        if !still_old || flight.failure_since(now).is_some() {
            return;
        }
        if let Err(failure) = self.fetch(&mut flight, &source, now, fetch).await {
            tracing::warn!(%failure, "an authority does not answer; what it last said is kept");
        }
    }

    fn usable(&self, source: &str, now: Timestamp) -> Option<Arc<Fetched<T>>> {
        let young = |good: &Arc<Fetched<T>>| now.duration_since(good.at) < TTL;
        self.good.load_full().filter(|good| good.source == source).filter(young)
    }

    async fn fetch(
        &self,
        flight: &mut Flight,
        source: &str,
        now: Timestamp,
        fetch: impl Future<Output = Result<T, AuthorityFailure>> + Send,
    ) -> Result<Arc<T>, AuthorityFailure> {
        match fetch.await {
            Ok(value) => {
                flight.failed = None;
                let value = Arc::new(value);
                let source = source.to_owned();
                let fetched = Fetched { value: Arc::clone(&value), source, at: now };
                self.good.store(Some(Arc::new(fetched)));
                Ok(value)
            }
            Err(failure) => {
                flight.failed = Some((now, failure.clone()));
                Err(failure)
            }
        }
    }
}

impl Flight {
    fn failure_since(&self, now: Timestamp) -> Option<AuthorityFailure> {
        let recent = |(at, _): &&(Timestamp, _)| now.duration_since(*at) < PAUSE;
        self.failed.as_ref().filter(recent).map(|(_, failure)| failure.clone())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    const NOON: Timestamp = Timestamp::constant(1_795_348_800, 0);

    /// An authority that answers with the number of the question, until it is unplugged.
    #[derive(Default)]
    struct Authority {
        asked: Arc<AtomicU32>,
    }

    impl Authority {
        fn answer(&self) -> impl Future<Output = Result<u32, AuthorityFailure>> + Send + use<> {
            let asked = Arc::clone(&self.asked);
            async move {
                tokio::task::yield_now().await;
                Ok(asked.fetch_add(1, Ordering::SeqCst) + 1)
            }
        }

        fn silence(&self) -> impl Future<Output = Result<u32, AuthorityFailure>> + Send + use<> {
            let asked = Arc::clone(&self.asked);
            async move {
                asked.fetch_add(1, Ordering::SeqCst);
                Err(AuthorityFailure::Unreachable { doing: "asking".into(), cause: "dark".into() })
            }
        }

        fn asked(&self) -> u32 {
            self.asked.load(Ordering::SeqCst)
        }
    }

    fn after(minutes: i64) -> Timestamp {
        NOON + SignedDuration::from_mins(minutes)
    }

    #[tokio::test]
    async fn many_sign_ins_at_once_ask_once() {
        let (cached, authority) = (Arc::new(Cached::default()), Authority::default());

        let (a, b, c) = tokio::join!(
            cached.get("keys", NOON, authority.answer()),
            cached.get("keys", NOON, authority.answer()),
            cached.get("keys", NOON, authority.answer()),
        );

        assert_eq!([*a.unwrap(), *b.unwrap(), *c.unwrap()], [1, 1, 1]);
        assert_eq!(authority.asked(), 1);
    }

    #[tokio::test]
    async fn after_an_hour_the_old_value_serves_while_a_new_one_is_fetched() {
        let (cached, authority) = (Arc::new(Cached::default()), Authority::default());
        cached.get("keys", NOON, authority.answer()).await.unwrap();

        let served = *cached.get("keys", after(61), authority.answer()).await.unwrap();
        while authority.asked() < 2 {
            tokio::task::yield_now().await;
        }
        tokio::task::yield_now().await;
        let next = *cached.get("keys", after(62), authority.answer()).await.unwrap();

        assert_eq!((served, next), (1, 2));
    }

    #[tokio::test]
    async fn the_last_good_value_outlives_an_outage_for_a_day() {
        let (cached, authority) = (Arc::new(Cached::default()), Authority::default());
        cached.get("keys", NOON, authority.answer()).await.unwrap();

        let in_time = cached.get("keys", after(23 * 60), authority.silence()).await;
        let too_late = cached.get("keys", after(24 * 60), authority.silence()).await;

        assert_eq!(*in_time.unwrap(), 1);
        assert!(too_late.is_err());
    }

    #[tokio::test]
    async fn a_silent_authority_is_asked_once_in_ten_seconds() {
        let (cached, authority) = (Arc::new(Cached::<u32>::default()), Authority::default());

        for _ in 0..3 {
            assert!(cached.get("keys", NOON, authority.silence()).await.is_err());
        }
        let later = NOON + PAUSE;
        assert!(cached.get("keys", later, authority.answer()).await.is_ok());

        assert_eq!(authority.asked(), 2);
    }

    #[tokio::test]
    async fn unknown_keys_are_looked_for_at_most_every_five_minutes() {
        let (cached, authority) = (Arc::new(Cached::default()), Authority::default());
        cached.get("keys", NOON, authority.answer()).await.unwrap();

        let first = *cached.refetch("keys", NOON, authority.answer()).await.unwrap();
        let soon = *cached.refetch("keys", after(4), authority.answer()).await.unwrap();
        let later = *cached.refetch("keys", after(5), authority.answer()).await.unwrap();

        assert_eq!((first, soon, later), (2, 2, 3));
    }

    #[tokio::test]
    async fn a_failed_look_for_unknown_keys_keeps_the_known_ones_and_counts() {
        let (cached, authority) = (Arc::new(Cached::default()), Authority::default());
        cached.get("keys", NOON, authority.answer()).await.unwrap();

        let failed = *cached.refetch("keys", NOON, authority.silence()).await.unwrap();
        let soon = *cached.refetch("keys", after(4), authority.answer()).await.unwrap();

        assert_eq!((failed, soon), (1, 1));
        assert_eq!(authority.asked(), 2);
    }

    #[tokio::test]
    async fn keys_from_another_address_are_not_these() {
        let (cached, authority) = (Arc::new(Cached::default()), Authority::default());
        cached.get("old", NOON, authority.answer()).await.unwrap();

        let other = *cached.get("new", NOON, authority.answer()).await.unwrap();

        assert_eq!(other, 2);
    }
}
