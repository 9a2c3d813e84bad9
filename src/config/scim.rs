//! `[scim]`

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::{reading::Section, value::Whole};

/// `[scim]`: how directories are let in, and how long it is known what they did.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Scim {
    /// Minutes that an access token from `/oauth/token` is good for, 60 to 360: Entra ID asks for
    /// no less and takes no more. Default 60.
    pub access_token_minutes: Whole<60, 360>,
    /// Days that lines of the provisioning log are kept. Default 30.
    pub log_days: Whole<1, 3650>,
    /// Lines of the provisioning log that a connector has at most; the oldest make way.
    /// Default 1000000.
    pub log_lines: Whole<1_000, 100_000_000>,
}

impl Scim {
    /// How long an access token is good for.
    pub fn access_token_lifetime(&self) -> SignedDuration {
        SignedDuration::from_mins(self.access_token_minutes.get().into())
    }

    /// How long lines of the provisioning log are kept.
    pub fn log_kept(&self) -> SignedDuration {
        SignedDuration::from_hours(24 * i64::from(self.log_days.get()))
    }
}

impl Default for Scim {
    fn default() -> Self {
        Self {
            access_token_minutes: Whole::new(60),
            log_days: Whole::new(30),
            log_lines: Whole::new(1_000_000),
        }
    }
}

impl Section for Scim {
    const NAME: &'static str = "scim";
}
