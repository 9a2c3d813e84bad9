//! What must be done now and then.

use jiff::SignedDuration;

use crate::ports::{FORGOTTEN_AT_ONCE, Ports, Unavailable};

/// How long it can be looked up why a sign-in ended as it did.
const DECISIONS_KEPT: SignedDuration = SignedDuration::from_hours(90 * 24);

/// How long a revocation is kept at least: as long as a sign-in may be under way.
const REVOCATIONS_KEPT: SignedDuration = SignedDuration::from_mins(10);

/// Forgets sign-ins that nobody finished; how many.
pub async fn forget_expired_logins(ports: &Ports) -> Result<u64, Unavailable> {
    let now = ports.clock.now();
    batch_by_batch(|| ports.logins.delete_expired_logins(now)).await
}

/// Forgets why sign-ins ended as they did more than 90 days ago; how many.
///
/// Anybody can add to these by beginning a sign-in and cancelling it.
pub async fn forget_old_decisions(ports: &Ports) -> Result<u64, Unavailable> {
    let before = ports.clock.now() - DECISIONS_KEPT;
    batch_by_batch(|| ports.store.delete_decisions_before(before)).await
}

/// Forgets lines of the provisioning log that are older, or more, than are kept; how many.
pub async fn forget_old_provisioning_records(ports: &Ports) -> Result<u64, Unavailable> {
    let limits = ports.settings.provisioning_log;
    let before = ports.clock.now() - limits.kept;
    batch_by_batch(|| ports.store.delete_provisioning_records(before, limits.most)).await
}

/// Forgets revocations that no session is left of; how many. A store of sessions that breaks down
/// may come back with an old copy, so they are kept as long as a session lives.
///
/// None while sessions are not accepted: some may not have been followed yet then.
pub async fn forget_old_revocations(ports: &Ports) -> Result<u64, Unavailable> {
    ports.sessions.ping().await?;
    let longest = ports.settings.session_limits.absolute.max(REVOCATIONS_KEPT);
    let before = ports.clock.now() - longest;
    batch_by_batch(|| ports.store.delete_revocations_before(before)).await
}

/// Calls what forgets [`FORGOTTEN_AT_ONCE`] until it finds fewer; how many it forgot in all.
async fn batch_by_batch<F>(forget: impl Fn() -> F) -> Result<u64, Unavailable>
where
    F: Future<Output = Result<u64, Unavailable>>,
{
    let mut forgotten = 0;
    loop {
        let batch = forget().await?;
        forgotten += batch;
        if batch < FORGOTTEN_AT_ONCE {
            return Ok(forgotten);
        }
    }
}
