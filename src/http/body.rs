//! Bodies, read within bounds.

use std::time::Duration;

use actix_web::web::{Bytes, Payload};

/// Whoever takes longer to send what is at most 128 KiB holds a connection and nothing else.
const LONGEST_WAIT: Duration = Duration::from_secs(15);

/// Why there is no body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyError {
    /// It is longer than this address takes.
    TooLarge,
    /// It ended before its end.
    BrokenOff,
    /// It did not arrive within 15 seconds.
    TooSlow,
}

/// The whole body, if it has at most `longest` bytes and arrives within 15 seconds.
pub async fn read(payload: Payload, longest: usize) -> Result<Bytes, BodyError> {
    match tokio::time::timeout(LONGEST_WAIT, payload.to_bytes_limited(longest)).await {
        Ok(Ok(Ok(body))) => Ok(body),
        Ok(Ok(Err(_))) => Err(BodyError::BrokenOff),
        Ok(Err(_)) => Err(BodyError::TooLarge),
        Err(_) => Err(BodyError::TooSlow),
    }
}
