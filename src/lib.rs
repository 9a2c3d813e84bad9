//! Portico.

pub mod config;
pub mod domain;
pub mod oidc;
pub mod scim;
pub mod simulator;
pub mod telemetry;
