//! Our own nouns: values with their rules, without I/O and without a protocol.

pub mod access_role;
pub mod account;
pub mod audit_event;
pub mod clock;
pub mod connector;
pub mod decision;
pub mod group;
pub mod id;
pub mod login_transaction;
pub mod master_key;
pub mod organization;
pub mod provisioning_policy;
pub mod provisioning_record;
pub mod return_to;
pub mod secret;
pub mod session;
pub mod setup_link;
pub mod subject_link;
