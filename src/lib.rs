//! Portico.

pub mod domain;
pub mod http;
pub mod oidc;
pub mod ports;
pub mod scim;
pub mod simulator;
