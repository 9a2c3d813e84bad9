//! Any provider that follows OpenID Connect Discovery 1.0.

use super::Profile;

/// By the letter.
pub const PROFILE: Profile = Profile::STANDARD;
