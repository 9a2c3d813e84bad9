//! Portico.

pub mod app;
pub mod cli;
pub mod config;
pub mod domain;
pub mod http;
pub mod oauth;
pub mod oidc;
pub mod outbound;
pub mod ports;
pub mod scim;
pub mod service;
pub mod sessions;
pub mod simulator;
pub mod storage;
pub mod telemetry;
