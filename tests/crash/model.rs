//! What must be true of the service, kept beside it: the only judge of what is found after a kill.
//!
//! Of each account the model knows what was last acknowledged and the one write that may be under
//! way. Of each session it knows the answers that are allowed; most of the time that is one.

use std::collections::BTreeSet;

use portico::domain::access_role::AccessRole;
use serde_json::Value;

/// What a directory says of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Stands in two attributes, always written together.
    pub title: String,
    pub active: bool,
    pub role: Option<AccessRole>,
}

/// What a session answers: its role, or nothing.
pub type Seen = Option<AccessRole>;

/// A session and what it may answer.
#[derive(Debug)]
pub struct Session {
    pub cookie: String,
    pub allowed: BTreeSet<Seen>,
    /// In how many rounds it was found dead.
    pub found_dead: u32,
}

/// A person's account, if there is one, and the sessions of all accounts that the person ever had.
#[derive(Debug, Default)]
pub struct Account {
    /// The resource as the service answered it last.
    pub acknowledged: Option<Value>,
    /// What the write that was sent and not answered makes of it.
    #[expect(clippy::option_option, reason = "a write under way may make an end of the account")]
    pub under_way: Option<Option<Facts>>,
    /// Writes begun so far: who sees the same number before and after was not overtaken by one.
    pub writes: u64,
    pub sessions: Vec<Session>,
}

impl Facts {
    pub fn of(resource: &Value) -> Self {
        let title = resource["title"].as_str().unwrap_or_default().to_owned();
        assert_eq!(resource["displayName"], title, "half a write: {resource}");
        let role = resource["roles"][0]["value"].as_str().map(|role| role.parse().unwrap());
        Self { title, active: resource["active"] == true, role }
    }
}

impl Account {
    pub fn facts(&self) -> Option<Facts> {
        self.acknowledged.as_ref().map(Facts::of)
    }

    /// A write is sent, which makes this of the account.
    pub fn begin(&mut self, after: Option<Facts>) {
        assert_eq!(self.under_way, None, "a directory writes an account once at a time");
        self.under_way = Some(after);
        self.writes += 1;
    }

    /// The write was acknowledged, with this answer.
    pub fn acknowledge(&mut self, resource: Option<Value>) {
        let expected = self.under_way.take().expect("a write was under way");
        assert_eq!(resource.as_ref().map(Facts::of), expected, "the answer is another");
        let before = self.facts();
        for session in &mut self.sessions {
            session.allowed = after_write(&session.allowed, before.as_ref(), expected.as_ref());
        }
        self.acknowledged = resource;
    }

    /// A session was begun by an Admin; `undisturbed` if no write overlapped the sign-in.
    pub fn signed_in(&mut self, cookie: String, undisturbed: bool) {
        let lesser = AccessRole::ALL.into_iter().filter(|role| *role <= AccessRole::Admin);
        let allowed = if undisturbed {
            [Some(AccessRole::Admin)].into()
        } else {
            lesser.map(Some).chain([None]).collect()
        };
        self.sessions.push(Session { cookie, allowed, found_dead: 0 });
    }

    /// A sign-out is sent.
    pub fn may_end(&mut self, cookie: &str) {
        self.session(cookie).allowed.insert(None);
    }

    /// The sign-out was acknowledged.
    pub fn has_ended(&mut self, cookie: &str) {
        self.session(cookie).allowed = [None].into();
    }

    pub fn session(&mut self, cookie: &str) -> &mut Session {
        self.sessions.iter_mut().find(|session| session.cookie == cookie).expect("it was begun")
    }

    /// The service was killed and started again: holds what is found against what may be, and
    /// takes it for the truth from now on.
    pub fn settle(&mut self, found: Option<&Value>, sessions: &[Seen]) {
        let before = self.facts();
        match self.under_way.take() {
            Some(after) if found != self.acknowledged.as_ref() => {
                assert_eq!(found.map(Facts::of), after, "neither before ({before:?}) nor after");
                let fell = lost_role(before.as_ref(), after.as_ref());
                for session in &mut self.sessions {
                    session.allowed =
                        after_write(&session.allowed, before.as_ref(), after.as_ref());
                    // Its new role is a commit of its own, and until then it is dead.
                    session.allowed.extend(fell.then_some(None));
                }
            }
            _ => assert_eq!(found, self.acknowledged.as_ref(), "not what was acknowledged"),
        }
        self.acknowledged = found.cloned();
        let is_active = self.facts().is_some_and(|facts| facts.active);
        for (session, seen) in self.sessions.iter_mut().zip(sessions) {
            assert!(is_active || seen.is_none(), "{session:?} of nobody lets in as {seen:?}");
            assert!(session.allowed.contains(seen), "{session:?} is {seen:?}");
            session.allowed = [*seen].into();
            session.found_dead += u32::from(seen.is_none());
        }
    }
}

/// What a session may answer after a write, by what it may have answered before.
fn after_write(
    allowed: &BTreeSet<Seen>,
    before: Option<&Facts>,
    after: Option<&Facts>,
) -> BTreeSet<Seen> {
    let Some(after) = after.filter(|after| after.active) else { return [None].into() };
    // The tenant decides the role; only a fall in the directory caps a session.
    let cap = |role: AccessRole| after.role.map(|cap| cap.min(role));
    let fell = lost_role(before, Some(after));
    allowed.iter().map(|seen| if fell { seen.and_then(cap) } else { *seen }).collect()
}

fn lost_role(before: Option<&Facts>, after: Option<&Facts>) -> bool {
    matches!((before, after), (Some(before), Some(after)) if after.role < before.role)
}
