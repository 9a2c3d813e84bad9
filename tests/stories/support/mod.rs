//! The harness: a service, a simulated Microsoft Entra, and the people and programs around them.
//!
//! Everything is driven over real HTTP; only what an operator arranges beforehand, and what an
//! admin looks up afterwards, goes through the ports. Time stands still until a test moves it.

#![expect(clippy::unwrap_used, reason = "a test that can't be set up has failed")]

mod answer;
mod browser;
mod directory;
mod form;
mod organization;
pub mod port;
mod postgres;
pub mod program;
mod redis;
mod service;
mod web;

pub use self::{
    answer::Answer,
    browser::{Browser, Callback, LOGIN, SESSION, assert_refused},
    directory::{Credential, Directory},
    organization::{Organization, Terms},
    program::{Installation, stderr},
    service::{OPERATOR_TOKEN, Options, Service},
    web::Ask,
};
