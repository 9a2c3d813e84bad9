//! The stories: what happens, step by step, in terms of the ports.
//!
//! # Why functions
//!
//! A story is a function over [`Ports`](crate::ports::Ports) and values. It holds no state, names
//! no adapter and opens no transaction: each command of a port is whole, so a story that stops
//! half-way leaves nothing half-written.

pub mod access;
pub mod connectors;
pub mod linking;
pub mod login;
pub mod logout;
pub mod maintenance;
pub mod organizations;
pub mod provisioning;
pub mod role;
pub mod session_token;
pub mod setup_links;
