//! What must be done now and then.

use jiff::SignedDuration;

use crate::ports::{Ports, Unavailable};

/// How long a revocation is kept: longer than what a store of sessions may lose when it breaks
/// down, though it writes everything to its disk once a second.
const REVOCATIONS_KEPT: SignedDuration = SignedDuration::from_mins(10);

/// Forgets sign-ins that nobody finished; how many.
///
/// Goes on until none is left, a thousand at a time, so that no single command is long.
pub async fn forget_expired_logins(ports: &Ports) -> Result<u64, Unavailable> {
    let mut forgotten = 0;
    loop {
        let batch = ports.logins.delete_expired_logins(ports.clock.now()).await?;
        forgotten += batch;
        if batch < 1_000 {
            return Ok(forgotten);
        }
    }
}

/// Forgets revocations that all sessions have followed.
///
/// None while sessions are not accepted: some may not have been followed yet then.
pub async fn forget_old_revocations(ports: &Ports) -> Result<(), Unavailable> {
    ports.sessions.ping().await?;
    let old = ports.clock.now() - REVOCATIONS_KEPT;
    while ports.store.delete_revocations(old).await? == 1_000 {}
    Ok(())
}
