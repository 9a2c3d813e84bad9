//! SCIM 2.0 (RFC 7643, RFC 7644) as values and checks, without I/O.
//!
//! # Why
//!
//! Two layers. [`dialect`] turns what clients really send into canonical SCIM; everything else
//! follows the RFCs and knows no client. A client's habit is a field of
//! [`Profile`](dialect::Profile), never a branch in the engine.

pub mod attribute_path;
pub mod body;
pub mod bulk;
pub mod cursor;
pub mod custom;
pub mod dialect;
pub mod discovery;
pub mod error;
pub mod filter;
pub mod group;
pub mod list_response;
pub mod patch;
pub mod projection;
pub mod query;
pub mod resource_meta;
pub mod schema;
pub mod search_request;
pub mod sort;
pub mod user;
pub mod validation;
