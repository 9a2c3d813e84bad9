//! Which sessions an authority's own session has here.

use std::{
    collections::{HashMap, hash_map},
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::domain::{id::ConnectorId, secret::SecretDigest, session::Session};

/// The digests of sessions by connector and `sid`; locked for a moment when a session begins or
/// ends, never by a check.
#[derive(Default)]
pub(super) struct Sids(Mutex<HashMap<Sid, Vec<SecretDigest>>>);

/// A connector, and the digest of its authority's name for a session.
type Sid = (ConnectorId, SecretDigest);

impl Sids {
    /// Enters a session under its `sid`, if it has one.
    pub(super) fn enter(&self, session: &Session) {
        if let Some(sid) = sid_of(session) {
            self.map().entry(sid).or_default().push(session.digest);
        }
    }

    /// Takes a session out.
    pub(super) fn leave(&self, session: &Session) {
        let Some(sid) = sid_of(session) else { return };
        if let hash_map::Entry::Occupied(mut entered) = self.map().entry(sid) {
            entered.get_mut().retain(|digest| *digest != session.digest);
            if entered.get().is_empty() {
                entered.remove();
            }
        }
    }

    /// The sessions of a connector under this `sid`.
    pub(super) fn digests(&self, connector_id: ConnectorId, sid: &str) -> Vec<SecretDigest> {
        let sid = (connector_id, SecretDigest::of(sid.as_bytes()));
        self.map().get(&sid).cloned().unwrap_or_default()
    }

    fn map(&self) -> MutexGuard<'_, HashMap<Sid, Vec<SecretDigest>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn sid_of(session: &Session) -> Option<Sid> {
    let sid = session.sid.as_ref()?;
    Some((session.connector_id, SecretDigest::of(sid.as_bytes())))
}
