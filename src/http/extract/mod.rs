//! What a handler needs to know of a request, proved before it runs.

pub mod api_caller;
pub mod client_address;
pub mod scim_caller;
pub mod session;
