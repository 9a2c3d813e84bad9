//! Portico.

pub mod config;
pub mod domain;
pub mod oauth;
pub mod oidc;
pub mod ports;
pub mod scim;
pub mod simulator;
pub mod telemetry;
