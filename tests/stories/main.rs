//! The user stories, driven from outside: a module per story, a fact per test.

mod log_in;
mod log_out;
mod protect_an_application;
mod support;
