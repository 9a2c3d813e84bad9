//! The user stories, driven from outside: a module per story, a fact per test.

#![expect(clippy::unwrap_used, reason = "a test that can't be set up has failed")]

mod authenticate_a_directory;
mod command_line;
mod export_users;
mod finish_a_sign_in;
mod keep_organizations_apart;
mod log_in;
mod log_out;
mod look_after_provisioning;
mod lose_access_meanwhile;
mod not_go_in_circles;
mod protect_an_application;
mod provision_users;
mod read_a_refusal;
mod session_cookie;
mod set_up_an_organization;
mod start_and_stop;
mod support;
mod take_over_an_account;
