//! What is done to every request or answer.

pub mod bare_errors;
pub mod request_log;
pub mod security_headers;
