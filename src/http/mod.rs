//! URLs, headers, status codes and pages.

pub mod assets;
pub mod middleware;
pub mod pages;
