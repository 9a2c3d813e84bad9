//! What the actors share: a running service, and what must be true of it.

use std::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use http::Method;
use portico::{domain::clock::Clock, simulator::Person};
use serde_json::Value;

use crate::{
    model::{Account, Seen},
    support::{Answer, Ask, Browser, Callback, Directory},
};

const SESSION: &str = "portico-session";

/// Nobody answers any more.
#[derive(Debug)]
pub struct Killed;

/// Numbers that one seed repeats (splitmix64).
pub struct Random(u64);

/// A service and everybody in it.
pub struct World {
    pub origin: String,
    pub directory: Directory,
    pub slots: Vec<Slot>,
    /// From here on no answer is no surprise.
    is_killed: AtomicBool,
    /// Writes, sign-ins and sign-outs that were acknowledged.
    steps: AtomicU64,
}

/// Somebody who has an account from time to time.
pub struct Slot {
    /// User name and address.
    pub user: Value,
    /// Who signs in, if anybody does.
    pub person: Option<Person>,
    account: Mutex<Account>,
}

impl Random {
    pub const fn new(seed: u64, stream: u64) -> Self {
        Self(seed ^ stream.wrapping_mul(0xD1B5_4A32_D192_ED03))
    }

    /// A number below `end`.
    pub const fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % end
    }
}

impl Slot {
    pub fn new(user: Value, person: Option<Person>) -> Self {
        Self { user, person, account: Mutex::default() }
    }

    pub fn user_name(&self) -> &str {
        self.user["userName"].as_str().unwrap()
    }

    /// What is known of the account; never held across a request.
    pub fn account(&self) -> MutexGuard<'_, Account> {
        self.account.lock().unwrap()
    }
}

impl World {
    pub fn new(origin: String, directory: Directory, slots: Vec<Slot>) -> Self {
        Self {
            origin,
            directory,
            slots,
            is_killed: AtomicBool::new(false),
            steps: AtomicU64::new(0),
        }
    }

    /// From now on no answer is no surprise, or one again.
    pub fn expect_silence(&self, is_killed: bool) {
        self.is_killed.store(is_killed, Ordering::SeqCst);
    }

    /// Somebody got something done.
    pub fn count_step(&self) {
        self.steps.fetch_add(1, Ordering::SeqCst);
    }

    /// How much everybody got done so far.
    pub fn steps(&self) -> u64 {
        self.steps.load(Ordering::SeqCst)
    }

    /// The answer, unless the service was killed meanwhile.
    pub async fn ask(&self, ask: Ask) -> Result<Answer, Killed> {
        ask.try_send(&self.origin).await.map_err(|error| {
            let is_killed = self.is_killed.load(Ordering::SeqCst);
            assert!(is_killed, "no answer, though nobody has killed the service: {error:?}");
            Killed
        })
    }

    /// The same for a directory's request.
    pub async fn scim(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Answer, Killed> {
        let ask = self.directory.request(method, path);
        let ask = ask.header("content-type", "application/scim+json");
        self.ask(match body {
            Some(body) => ask.body(body.to_string()),
            None => ask,
        })
        .await
    }

    /// A sign-in from the first click to the session's cookie; `None` if it was refused.
    ///
    /// The authority outlives the service, so only the steps here can be cut off.
    pub async fn sign_in(&self, person: &Person) -> Result<Option<String>, Killed> {
        let begun = self.ask(Ask::get("/login/acme")).await?;
        let (login, value) = cookies_set(&begun).next_back().expect("a sign-in begins");
        let mut browser = Browser::at(&self.origin, Clock::system());
        let callback = browser.authenticate(&begun.location().unwrap(), person).await;
        let cookie = format!("{login}={value}");
        let ask = match callback {
            Callback::Query(url) => Ask::get(url),
            Callback::Form(form) => Ask::post(form.action.clone()).form(&form.filled(&[])),
        };
        let answer = self.ask(ask.header("cookie", cookie)).await?;
        assert!(matches!(answer.status, 303 | 403), "{answer:?}");
        let mut session = cookies_set(&answer).filter(|(name, _)| *name == SESSION);
        let session = session.next_back().map(|(_, value)| value.to_owned());
        Ok(session.filter(|_| answer.status == 303))
    }

    /// Signs a session out here, which must succeed.
    pub async fn sign_out(&self, cookie: &str) -> Result<(), Killed> {
        let answer = self.ask(with_session(Ask::post("/logout?local=true"), cookie)).await?;
        assert_eq!(answer.status, 303, "{answer:?}");
        Ok(())
    }

    /// What a session answers at `/session`.
    pub async fn seen(&self, cookie: &str) -> Result<Seen, Killed> {
        let session = self.ask(with_session(Ask::get("/session"), cookie)).await?;
        if session.status == 401 {
            return Ok(None);
        }
        assert_eq!(session.status, 200, "{session:?}");
        Ok(Some(session.json()["role"].as_str().unwrap().parse().unwrap()))
    }

    /// What a proxy is told of a session.
    pub async fn checked(&self, cookie: &str) -> Result<Seen, Killed> {
        let checked = self.ask(with_session(Ask::get("/auth/check"), cookie)).await?;
        assert!(matches!(checked.status, 200 | 401), "{checked:?}");
        Ok(checked.header("x-portico-role").map(|role| role.parse().unwrap()))
    }
}

fn with_session(ask: Ask, cookie: &str) -> Ask {
    ask.header("cookie", format!("{SESSION}={cookie}"))
}

/// The names and values of the cookies that an answer sets.
fn cookies_set(answer: &Answer) -> impl DoubleEndedIterator<Item = (&str, &str)> {
    let headers = answer.headers.get_all("set-cookie").iter();
    headers.filter_map(|header| header.to_str().unwrap().split(';').next()?.split_once('='))
}
