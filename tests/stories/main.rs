//! The user stories, driven from outside: a module per story, a fact per test.

mod log_in;
mod set_up_an_organization;
mod support;
