//! Portico.

pub mod domain;
pub mod oidc;
pub mod ports;
pub mod scim;
pub mod sessions;
pub mod simulator;
pub mod storage;
