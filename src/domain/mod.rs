//! Our own nouns: values with their rules, without I/O and without a protocol.

pub mod access_role;
pub mod account;
pub mod audit_event;
pub mod clock;
pub mod connector;
pub mod decision;
pub mod id;
pub mod master_key;
pub mod organization;
pub mod secret;
pub mod session;
pub mod subject_link;
