//! Portico.

pub mod domain;
pub mod oidc;
pub mod scim;
pub mod simulator;
