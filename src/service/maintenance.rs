//! What must be done now and then.

use crate::ports::{Ports, Unavailable};

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
