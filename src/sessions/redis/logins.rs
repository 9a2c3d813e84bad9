//! Sign-ins under way, in Redis.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use redis::Value;

use super::{
    Kind,
    link::Redis,
    record::{self, LOGIN, bulk, place},
    scripts,
};
use crate::{
    domain::{
        id::OrganizationId, login_transaction::LoginTransaction, master_key::MasterKey,
        return_to::ReturnTo, secret::SecretDigest,
    },
    ports::{
        Unavailable,
        logins::{
            ARRIVAL_REMEMBERED, Arrival, Logins, MOST_OF_A_BROWSER, MOST_OF_AN_ORGANIZATION,
            RecentLogins,
        },
    },
};

/// Sign-ins under way, in Redis.
///
/// A sign-in is one hash, sealed as a whole. Its browser has a list of those it began and one of
/// where it arrived, its organization a queue of all; what is dropped there is deleted, also from
/// its browser's list: whoever sends no cookie is a new browser each time. Whoever has expired is
/// the oldest there, and so the first to be dropped.
pub struct RedisLogins {
    redis: Arc<Redis>,
    master_key: Arc<MasterKey>,
}

impl RedisLogins {
    /// The sign-ins that are in Redis, sealed under the master key.
    pub const fn new(redis: Arc<Redis>, master_key: Arc<MasterKey>) -> Self {
        Self { redis, master_key }
    }

    fn login_key(&self, state: &[u8]) -> Vec<u8> {
        self.redis.key(Kind::Login, state)
    }

    fn browser_key(&self, browser: &SecretDigest) -> Vec<u8> {
        self.redis.key(Kind::LoginsOfBrowser, browser.as_bytes())
    }

    fn arrivals_key(&self, browser: &SecretDigest) -> Vec<u8> {
        self.redis.key(Kind::Arrivals, browser.as_bytes())
    }

    fn organization_key(&self, id: OrganizationId) -> Vec<u8> {
        self.redis.key(Kind::LoginsOfOrganization, id.as_bytes())
    }

    /// Enters a sign-in where it is counted; the states of those that make way for it.
    async fn enter(&self, login: &LoginTransaction) -> Result<Vec<Vec<u8>>, Unavailable> {
        const DOING: &str = "entering a login";
        let lifetime = lifetime(login);
        let mut browser = scripts::ENTER_LIST.key(self.browser_key(&login.browser));
        let browser = browser.arg(begun(login)).arg(MOST_OF_A_BROWSER).arg(lifetime);
        let older = entries(self.redis.run_script(DOING, browser).await?);
        let key = self.organization_key(login.organization_id);
        let mut organization = scripts::ENTER_QUEUE.key(key);
        let organization = organization.arg(queued(login));
        let organization = organization.arg(MOST_OF_AN_ORGANIZATION).arg(lifetime);
        let oldest = entries(self.redis.run_script(DOING, organization).await?);
        let of_browser = older.into_iter().filter_map(|entry| Some(Entry::read(&entry)?.name));
        let mut states: Vec<_> = of_browser.collect();
        for (state, browser) in oldest.iter().step_by(2).filter_map(|member| split(member)) {
            let mut list = scripts::LEAVE_LIST.key(self.browser_key(&browser));
            self.redis.run_script(DOING, list.arg(&state)).await?;
            states.push(state);
        }
        Ok(states)
    }

    /// Takes a sign-in out of where it is counted.
    async fn leave(&self, login: &LoginTransaction) -> Result<(), Unavailable> {
        let mut commands = redis::pipe();
        commands.lrem(self.browser_key(&login.browser), 1, begun(login));
        commands.zrem(self.organization_key(login.organization_id), queued(login));
        self.redis.run_all("forgetting a login", &mut commands).await.map(drop)
    }
}

#[async_trait]
impl Logins for RedisLogins {
    /// Entered first: a sign-in that is counted nowhere could not be bounded.
    async fn insert_login(&self, login: &LoginTransaction) -> Result<(), Unavailable> {
        const DOING: &str = "beginning a login";
        let beyond = self.enter(login).await?;
        let sealed = self.master_key.seal(&place(LOGIN, &login.state), &record::write_login(login));
        let mut keep = scripts::KEEP.key(self.login_key(login.state.as_bytes()));
        keep.arg(lifetime(login)).arg("login").arg(sealed);
        keep.arg("expires_at").arg(login.expires_at.as_microsecond());
        self.redis.run_script(DOING, &keep).await?;
        if !beyond.is_empty() {
            let mut forget = redis::pipe();
            for state in beyond {
                forget.del(self.login_key(&state));
            }
            self.redis.run_all(DOING, &mut forget).await?;
        }
        Ok(())
    }

    /// One that does not open, under another master key for one, is none.
    async fn take_login(
        &self,
        state: &SecretDigest,
        now: Timestamp,
    ) -> Result<Option<LoginTransaction>, Unavailable> {
        let mut take = scripts::TAKE_LOGIN.key(self.login_key(state.as_bytes()));
        let taken = self.redis.run_script("taking a login", take.arg(now.as_microsecond())).await?;
        let Some(sealed) = bulk(taken) else { return Ok(None) };
        let plain = self.master_key.open(&place(LOGIN, state), &sealed).ok();
        let login = plain.and_then(|plain| record::read_login(*state, &plain));
        let Some(login) = login else {
            tracing::warn!("a sign-in in Redis can't be read; it counts as none");
            return Ok(None);
        };
        self.leave(&login).await?;
        Ok(Some(login))
    }

    /// Redis forgets them by itself.
    async fn delete_expired_logins(&self, _: Timestamp) -> Result<u64, Unavailable> {
        Ok(0)
    }

    async fn insert_arrival(&self, arrival: &Arrival<'_>) -> Result<(), Unavailable> {
        let entry = arrived(arrival);
        let mut enter = scripts::ENTER_LIST.key(self.arrivals_key(arrival.browser));
        let lifetime = super::milliseconds(ARRIVAL_REMEMBERED);
        let enter = enter.arg(entry).arg(MOST_OF_A_BROWSER).arg(lifetime);
        self.redis.run_script("remembering an arrival", enter).await.map(drop)
    }

    async fn count_recent(
        &self,
        browser: &SecretDigest,
        return_to: &ReturnTo,
        since: Timestamp,
    ) -> Result<RecentLogins, Unavailable> {
        let mut ranges = redis::pipe();
        ranges.lrange(self.browser_key(browser), 0, -1);
        ranges.lrange(self.arrivals_key(browser), 0, -1);
        let mut counted = self.redis.run_all("counting recent logins", &mut ranges).await?;
        let (since, destination) = (since.as_microsecond(), destination(return_to));
        let mut recent = || {
            let mut entries = entries(counted.pop().unwrap_or_default());
            entries.retain(|entry| {
                entry.ends_with(&destination)
                    && Entry::read(entry).is_some_and(|entry| entry.at >= since)
            });
            entries
        };
        let (arrived, open) = (recent(), recent());
        Ok(RecentLogins {
            open: open.len() as u64,
            arrived: arrived.len() as u64,
            side_by_side: are_side_by_side(&arrived),
        })
    }

    async fn forget_arrivals(&self, browser: &SecretDigest) -> Result<(), Unavailable> {
        let mut forget = redis::cmd("DEL");
        forget.arg(self.arrivals_key(browser));
        self.redis.run("forgetting arrivals", &forget).await.map(drop)
    }
}

/// How an entry of a browser's lists begins: when, and a digest that names a sign-in or a destination.
struct Entry {
    at: i64,
    name: Vec<u8>,
}

impl Entry {
    fn read(entry: &[u8]) -> Option<Self> {
        let (at, rest) = entry.split_first_chunk()?;
        let name = rest.first_chunk::<32>()?.to_vec();
        Some(Self { at: i64::from_be_bytes(*at), name })
    }

    fn written(&self, more: &[u8]) -> Vec<u8> {
        [&self.at.to_be_bytes(), self.name.as_slice(), more].concat()
    }
}

/// What stands in its browser's list for a sign-in that has begun.
fn begun(login: &LoginTransaction) -> Vec<u8> {
    let name = login.state.as_bytes().to_vec();
    Entry { at: login.created_at.as_microsecond(), name }.written(&destination(&login.return_to))
}

/// What stands in its organization's queue for a sign-in: its state, then its browser.
fn queued(login: &LoginTransaction) -> Vec<u8> {
    [*login.state.as_bytes(), *login.browser.as_bytes()].concat()
}

fn split(queued: &[u8]) -> Option<(Vec<u8>, SecretDigest)> {
    let (state, browser) = queued.split_at_checked(32)?;
    Some((state.to_vec(), SecretDigest::from_bytes(browser.try_into().ok()?)))
}

/// What stands in its browser's list for a sign-in that succeeded: when, begun when, and where to.
fn arrived(arrival: &Arrival<'_>) -> Vec<u8> {
    let moments = [arrival.at, arrival.begun_at].map(|at| at.as_microsecond().to_be_bytes());
    [moments.as_flattened(), &destination(arrival.return_to)].concat()
}

/// Whether two of these sign-ins were under way at the same time.
fn are_side_by_side(arrived: &[Vec<u8>]) -> bool {
    let moment = |entry: &[u8]| entry.first_chunk().map(|bytes| i64::from_be_bytes(*bytes));
    let span = |entry: &Vec<u8>| Some((moment(entry.get(8..)?)?, moment(entry)?));
    let mut spans: Vec<_> = arrived.iter().filter_map(span).collect();
    spans.sort_unstable();
    spans.windows(2).any(|pair| pair[1].0 < pair[0].1)
}

fn destination(return_to: &ReturnTo) -> Vec<u8> {
    SecretDigest::of(return_to.as_str().as_bytes()).as_bytes().to_vec()
}

fn entries(list: Value) -> Vec<Vec<u8>> {
    list.into_sequence().unwrap_or_default().into_iter().filter_map(bulk).collect()
}

fn lifetime(login: &LoginTransaction) -> i64 {
    super::milliseconds(login.expires_at.duration_since(login.created_at))
}
