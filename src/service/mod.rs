//! The stories: what happens, step by step, in terms of the ports.
//!
//! # Why functions
//!
//! A story is a function over [`Ports`](crate::ports::Ports) and values. It names no adapter, opens
//! no transaction and keeps nothing from one call to the next but whose turn it is to change an
//! account ([`provisioning`]). Each command of a port is whole, so a story that stops half-way
//! leaves nothing half-written; where a second step must follow a commit, both are carried to
//! their end though the caller hangs up.

pub mod access;
pub mod connectors;
pub mod directory_access;
pub mod export;
pub mod linking;
pub mod login;
pub mod logout;
pub mod maintenance;
pub mod organizations;
pub mod provisioning;
pub mod provisioning_policy;
pub mod role;
pub mod scim_credentials;
pub mod session_token;
pub mod setup_links;

/// Does the work also if whoever asked for it hangs up halfway, which ends the future that waits.
///
/// The database carries a write out in any case. Were the sessions not told then, they would live
/// on, and a second try would find nothing left to change.
async fn to_its_end<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    tokio::spawn(work).await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}
