//! Portico.

pub mod domain;
pub mod oidc;
pub mod outbound;
pub mod ports;
pub mod scim;
pub mod simulator;
