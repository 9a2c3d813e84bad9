//! What Portico issues to the platform's own programs: signed access tokens.

pub mod access_token;
