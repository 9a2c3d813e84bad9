//! What every adapter of a port promises, asked of each of them.
//!
//! Another adapter joins by one line in [`support::stores`], [`support::login_desks`] or
//! [`support::sign_in_desks`].

#![expect(clippy::unwrap_used, reason = "a test that can't be set up has failed")]

mod accounts;
mod connectors;
mod custom_attributes;
mod embedded_sessions;
mod groups;
mod logins;
mod logs;
mod organizations;
mod postgres;
mod provisioning_log;
mod queries;
mod redis;
mod revocations;
mod session_records;
mod sessions;
mod setup_links;
mod sqlite;
mod subject_links;
mod support;
