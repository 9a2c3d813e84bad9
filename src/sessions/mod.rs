//! The session adapters: who is signed in, looked up on every request.

pub mod embedded;
pub mod redis;
