//! The session adapters.
