//! SCIM as its clients, its standards and their mishaps know it, driven from outside over HTTP.
//!
//! `fixtures/` holds what real clients send, `rfc7643` and `rfc7644` what the RFCs require,
//! `regressions` what broke elsewhere, `validator` what Microsoft asks before it lists an
//! application, and `apart` what two connectors may not know of each other.

#![expect(clippy::unwrap_used, reason = "a test that can't be set up has failed")]

mod apart;
mod client;
mod fixtures;
mod matching;
mod regressions;
mod replay;
mod requirements;
mod rfc7643;
mod rfc7644;
mod sources;
#[expect(dead_code, unused_imports, reason = "the stories use all of it")]
#[path = "../stories/support/mod.rs"]
mod support;
mod validator;
