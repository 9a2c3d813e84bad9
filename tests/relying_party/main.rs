//! The relying party, lied to: a forgery per rule of OpenID Connect, told by the simulated
//! Microsoft Entra over real HTTP; and what has to be borne besides.

#![expect(clippy::unwrap_used, reason = "a test that can't be set up has failed")]

mod answers;
mod conformance;
mod connections;
mod demo;
mod documents;
mod fetching;
mod forgeries;
mod log;
mod scene;
#[expect(dead_code, unused_imports, reason = "the stories use all of it")]
#[path = "../stories/support/mod.rs"]
mod support;
mod table;
mod tenants;

use tracing_subscriber::filter::LevelFilter;

/// How finely the service logs.
const LOGGED: LevelFilter = LevelFilter::INFO;
