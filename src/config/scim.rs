//! `[scim]`

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::{reading::Section, value::Whole};

/// `[scim]`: how directories are let in.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Scim {
    /// Minutes that an access token from `/oauth/token` is good for, 60 to 360: Entra ID asks for
    /// no less and takes no more. Default 60.
    pub access_token_minutes: Whole<60, 360>,
}

impl Scim {
    /// How long an access token is good for.
    pub fn access_token_lifetime(&self) -> SignedDuration {
        SignedDuration::from_mins(self.access_token_minutes.get().into())
    }
}

impl Default for Scim {
    fn default() -> Self {
        Self { access_token_minutes: Whole::new(60) }
    }
}

impl Section for Scim {
    const NAME: &'static str = "scim";
}
