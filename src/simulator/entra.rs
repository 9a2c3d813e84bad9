//! What a running simulator knows: tenants, who is signed in where, what was granted.

use std::{
    collections::HashMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use actix_web::HttpResponse;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::{
    aadsts::Aadsts,
    directory::{Application, Person, Tenant},
    fault::Station,
    faults::Faults,
    keys::KeyRing,
    metadata::Version,
    pkce::Challenge,
    provisioning::KnownJob,
    redirect_uri::RedirectUri,
};
use crate::domain::{clock::Clock, secret::Secret};

/// How long an authorization code may be redeemed.
pub(super) const CODE_LIFETIME: SignedDuration = SignedDuration::from_mins(10);
/// How long a refresh token may lie unused.
pub(super) const REFRESH_TOKEN_LIFETIME: SignedDuration = SignedDuration::from_hours(90 * 24);

/// A running simulator, shared by its handlers.
pub(super) struct Entra {
    /// `http://127.0.0.1:PORT`.
    pub(super) origin: String,
    pub(super) clock: Clock,
    pub(super) keys: KeyRing,
    pub(super) faults: Faults,
    pub(super) world: Mutex<World>,
    /// The provisioning jobs, in the order in which they began.
    pub(super) jobs: Mutex<Vec<KnownJob>>,
    /// Requests received, by [`Station`].
    received: [AtomicUsize; 4],
}

/// What changes while the simulator runs.
#[derive(Default)]
pub(super) struct World {
    pub(super) tenants: Vec<Tenant>,
    /// By the value of the browser's cookie.
    browsers: HashMap<String, Vec<SignedIn>>,
    /// By code or refresh token.
    grants: HashMap<String, Grant>,
}

/// A person signed in in a browser: the session that `sid` names.
#[derive(Clone, Debug)]
pub(super) struct SignedIn {
    pub(super) tenant: Uuid,
    pub(super) oid: Uuid,
    pub(super) sid: Uuid,
    pub(super) at: Timestamp,
    /// The applications that took part, to be told when the session ends.
    pub(super) applications: Vec<Uuid>,
}

/// As what a grant may be presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum GrantKind {
    /// Once, within ten minutes.
    Code {
        used: bool,
    },
    RefreshToken,
}

/// What a code or a refresh token stands for.
#[derive(Clone, Debug)]
pub(super) struct Grant {
    pub(super) tenant: Uuid,
    pub(super) version: Version,
    pub(super) client_id: Uuid,
    /// As the request named it, which for a public client may differ in its port.
    pub(super) redirect_uri: RedirectUri,
    pub(super) oid: Uuid,
    pub(super) sid: Uuid,
    pub(super) signed_in_at: Timestamp,
    pub(super) nonce: Option<String>,
    pub(super) scope: Vec<String>,
    pub(super) challenge: Option<Challenge>,
    pub(super) issued_at: Timestamp,
    pub(super) kind: GrantKind,
}

impl Entra {
    /// A simulator at `origin` that nobody has called yet.
    pub(super) fn new(origin: String, clock: Clock, tenants: Vec<Tenant>) -> Self {
        Self {
            origin,
            clock,
            keys: KeyRing::default(),
            faults: Faults::default(),
            world: Mutex::new(World { tenants, ..World::default() }),
            jobs: Mutex::default(),
            received: Default::default(),
        }
    }

    /// Counts a request, and gives the answer of the fault that is on, if it has one.
    pub(super) async fn receive(&self, station: Station) -> Option<HttpResponse> {
        self.received[station as usize].fetch_add(1, Ordering::Relaxed);
        self.faults.intercept(station).await
    }

    /// How many requests a station has received.
    pub(super) fn received(&self, station: Station) -> usize {
        self.received[station as usize].load(Ordering::Relaxed)
    }

    /// Everything that changes; held for moments only, never while waiting or signing.
    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl World {
    pub(super) fn tenant(&self, id: Uuid) -> Option<&Tenant> {
        self.tenants.iter().find(|tenant| tenant.id == id)
    }

    pub(super) fn tenant_mut(&mut self, id: Uuid) -> Option<&mut Tenant> {
        self.tenants.iter_mut().find(|tenant| tenant.id == id)
    }

    /// The tenant that a URL names by id or domain.
    pub(super) fn tenant_named(&self, name: &str) -> Result<&Tenant, Aadsts> {
        self.tenants
            .iter()
            .find(|tenant| tenant.answers_to(name))
            .ok_or_else(|| Aadsts::unknown_tenant(name))
    }

    /// The people of `tenant` signed in in a browser.
    pub(super) fn signed_in(&self, browser: &str, tenant: Uuid) -> impl Iterator<Item = &SignedIn> {
        let sessions = self.browsers.get(browser).into_iter().flatten();
        sessions.filter(move |session| session.tenant == tenant)
    }

    /// Whether somebody signed in with that cookie before.
    pub(super) fn knows_browser(&self, browser: &str) -> bool {
        self.browsers.contains_key(browser)
    }

    /// Puts a session in place of the person's last one in that browser, whose `sid` it keeps.
    pub(super) fn sign_in(&mut self, browser: &str, mut session: SignedIn) -> SignedIn {
        let sessions = self.browsers.entry(browser.to_owned()).or_default();
        match sessions.iter_mut().find(|known| known.oid == session.oid) {
            Some(known) => {
                session.sid = known.sid;
                session.applications.clone_from(&known.applications);
                *known = session.clone();
            }
            None => sessions.push(session.clone()),
        }
        session
    }

    /// Notes that an application takes part in a session.
    pub(super) fn take_part(&mut self, browser: &str, sid: Uuid, client_id: Uuid) {
        let sessions = self.browsers.get_mut(browser).into_iter().flatten();
        for session in sessions.filter(|session| session.sid == sid) {
            if !session.applications.contains(&client_id) {
                session.applications.push(client_id);
            }
        }
    }

    /// Ends the sessions of `tenant` in a browser that `ends` names, and returns them.
    pub(super) fn sign_out(
        &mut self,
        browser: &str,
        tenant: Uuid,
        ends: impl Fn(&SignedIn) -> bool,
    ) -> Vec<SignedIn> {
        let Some(sessions) = self.browsers.get_mut(browser) else { return Vec::new() };
        sessions.extract_if(.., |session| session.tenant == tenant && ends(session)).collect()
    }

    /// Ends a person's sessions in every browser and revokes what was granted.
    pub(super) fn revoke(&mut self, oid: Uuid) {
        for sessions in self.browsers.values_mut() {
            sessions.retain(|session| session.oid != oid);
        }
        self.grants.retain(|_, grant| grant.oid != oid);
    }

    /// A new code or refresh token for `grant`; whatever expired is forgotten.
    pub(super) fn grant(&mut self, grant: Grant) -> String {
        let now = grant.issued_at;
        self.grants.retain(|_, grant| now.duration_since(grant.issued_at) < REFRESH_TOKEN_LIFETIME);
        let name = format!("1.{}", Secret::generate().expose());
        self.grants.insert(name.clone(), grant);
        name
    }

    pub(super) fn find_grant(&self, name: &str) -> Option<&Grant> {
        self.grants.get(name)
    }

    /// Marks a code as used; the code stays known, so that its second use is told from nonsense.
    pub(super) fn use_code(&mut self, name: &str) {
        if let Some(grant) = self.grants.get_mut(name) {
            grant.kind = GrantKind::Code { used: true };
        }
    }

    /// The person and the application of a grant, while both are there and the person may sign in.
    pub(super) fn parties(&self, grant: &Grant) -> Result<(Person, Application), Aadsts> {
        let tenant = self.tenant(grant.tenant).ok_or_else(Aadsts::revoked)?;
        let application = tenant.application(grant.client_id).ok_or_else(Aadsts::revoked)?;
        let person = tenant.person(grant.oid).ok_or_else(Aadsts::revoked)?;
        if !person.may_sign_in() {
            return Err(Aadsts::disabled());
        }
        Ok((person.clone(), tenant.application_for(application, grant.oid)))
    }
}
