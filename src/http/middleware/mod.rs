//! What is done to every request or answer.

pub mod security_headers;
