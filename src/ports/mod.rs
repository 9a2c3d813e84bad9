//! What the stories need from outside, as traits; adapters stand on the floor above.

use std::{error::Error, sync::Arc};

use jiff::SignedDuration;

use self::journal::Journal;
use crate::{
    domain::{clock::Clock, session::SessionLimits},
    oauth::access_token::Signer,
};

pub mod accounts;
pub mod authorities;
pub mod custom_attributes;
pub mod groups;
pub mod journal;
pub mod logins;
pub mod provisioning_log;
pub mod query;
pub mod sessions;
pub mod store;
pub mod trail;

/// How many one command forgets at most of what is old, so that none is long.
pub const FORGOTTEN_AT_ONCE: u64 = 1_000;

/// Everything a story may use of the outside world.
#[derive(Clone)]
pub struct Ports {
    /// The database.
    pub store: Arc<dyn store::Store>,
    /// Sign-ins under way.
    pub logins: Arc<dyn logins::Logins>,
    /// Who is signed in.
    pub sessions: Arc<dyn sessions::Sessions>,
    /// The identity providers.
    pub authorities: Arc<dyn authorities::Authorities>,
    /// Lines of the provisioning log that wait to be written.
    pub journal: Arc<Journal>,
    /// What signs the tokens that the platform's programs believe.
    pub signer: Arc<Signer>,
    /// The time.
    pub clock: Clock,
    /// What the operator decided.
    pub settings: Arc<Settings>,
}

/// What the operator decided and a story needs to know.
#[derive(Clone, Debug)]
pub struct Settings {
    /// This service's public origin, without a slash at its end: `https://login.example.com`.
    pub public_url: String,
    /// How long sessions live.
    pub session_limits: SessionLimits,
    /// How much of the provisioning log is kept.
    pub provisioning_log: LogLimits,
    /// Other origins that a sign-in may return to: `https://app.example.com`.
    pub return_origins: Vec<String>,
    /// How long an access token for SCIM is good for.
    pub scim_token_lifetime: SignedDuration,
}

/// How much of a connector's provisioning log is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogLimits {
    /// How long.
    pub kept: SignedDuration,
    /// How many lines at most.
    pub most: u64,
}

/// A part of the outside world that may be away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Where the service keeps what it knows.
    Database,
    /// Where it keeps who is signed in, if that is Redis.
    Redis,
}

impl Part {
    /// What people call it, at the beginning of a sentence.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Database => "The database",
            Self::Redis => "Redis, where the sessions are kept,",
        }
    }
}

/// A part of the outside world did not do what it was asked; nothing was changed.
///
/// Only its log line tells the cause; a person is told which part is away.
#[derive(Debug, thiserror::Error)]
#[error("{doing} failed: {cause}")]
pub struct Unavailable {
    /// Which part it is.
    pub part: Part,
    /// What was being done: `taking a login`.
    pub doing: &'static str,
    /// Why it failed.
    pub cause: Box<dyn Error + Send + Sync>,
}

impl Unavailable {
    /// For `map_err`: the same failure of the database, with what was being done.
    pub fn while_doing<E: Into<Box<dyn Error + Send + Sync>>>(
        doing: &'static str,
    ) -> impl FnOnce(E) -> Self {
        move |cause| Self { part: Part::Database, doing, cause: cause.into() }
    }
}

/// A command was not carried out: refused for a reason of its own, or the adapter is away.
#[derive(Debug, thiserror::Error)]
pub enum NotDone<Refusal> {
    /// The state of things does not allow it; nothing was changed.
    #[error(transparent)]
    Refused(Refusal),
    /// The adapter could not say; nothing was changed.
    #[error(transparent)]
    Unavailable(Unavailable),
}

impl<Refusal> From<Unavailable> for NotDone<Refusal> {
    fn from(unavailable: Unavailable) -> Self {
        Self::Unavailable(unavailable)
    }
}
