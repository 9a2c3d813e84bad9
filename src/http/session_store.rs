//! actix-session's view of the session port.

use std::{collections::HashMap, future::Future};

use actix_session::{
    Session,
    storage::{LoadError, SaveError, SessionKey, SessionStore, UpdateError},
};
use actix_web::cookie::time::Duration;

use crate::{
    domain::secret::{Secret, SecretDigest},
    ports::Ports,
};

/// Under this name a page hands the value of a session that it has just made to the cookie.
const NEW: &str = "new";
/// Under this name actix-session finds that a session is alive.
const ALIVE: &str = "alive";

/// Lets actix-session write and delete the cookie of sessions that the port made and ended.
///
/// A session is made, and made durable, before the page answers; here it only gets its cookie. So
/// nothing can fail between the answer and its cookie.
#[derive(Clone)]
pub struct SessionCookieStore(Ports);

impl SessionCookieStore {
    /// The store over these ports.
    pub fn new(ports: &Ports) -> Self {
        Self(ports.clone())
    }
}

/// Gives the browser the cookie of a session that was made, in place of any that it had.
pub fn begin(session: &Session, token: &Secret) {
    session.renew();
    session.insert(NEW, token.expose()).expect("a text serializes");
}

type State = HashMap<String, String>;

impl SessionStore for SessionCookieStore {
    async fn load(&self, key: &SessionKey) -> Result<Option<State>, LoadError> {
        let digest = SecretDigest::of(key.as_ref().as_bytes());
        match self.0.sessions.find(&digest, self.0.clock.now()).await {
            Ok(live) => Ok(live.map(|_| State::from([(ALIVE.to_owned(), "true".to_owned())]))),
            // The page asks the port itself, and has a better answer than actix-session.
            Err(_) => Ok(None),
        }
    }

    async fn save(&self, state: State, _: &Duration) -> Result<SessionKey, SaveError> {
        let token = state.get(NEW).and_then(|json| serde_json::from_str::<String>(json).ok());
        let token = token.ok_or_else(|| SaveError::Other(NotMadeHere.into()))?;
        token.try_into().map_err(|_| SaveError::Other(NotMadeHere.into()))
    }

    async fn update(
        &self,
        _: SessionKey,
        _: State,
        _: &Duration,
    ) -> Result<SessionKey, UpdateError> {
        Err(UpdateError::Other(NotMadeHere.into()))
    }

    async fn update_ttl(&self, _: &SessionKey, _: &Duration) -> Result<(), anyhow::Error> {
        Ok(())
    }

    fn delete(&self, key: &SessionKey) -> impl Future<Output = Result<(), anyhow::Error>> {
        let digest = SecretDigest::of(key.as_ref().as_bytes());
        async move {
            self.0.sessions.end(&digest).await?;
            Ok(())
        }
    }
}

/// A page put something into a session by itself; sessions are made by the port alone.
#[derive(Debug, thiserror::Error)]
#[error("a session is made by the session port, not by a page")]
struct NotMadeHere;
