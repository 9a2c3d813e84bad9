//! What Portico issues: signed access tokens, to the platform's own programs and to directories.

pub mod access_token;
pub mod client_credentials;
pub mod scim_token;
pub mod seen_assertions;
