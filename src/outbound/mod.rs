//! What leaves Portico: HTTPS to identity providers.

pub mod authority_client;
mod cached;
pub mod https;
