//! `[sessions]`

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::{reading::Section, value::Whole};

/// `[sessions]`: how long a sign-in lasts.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sessions {
    /// Minutes without a request after which a session ends, 1 to 43200; at most as long as
    /// `absolute_hours`. Default 480.
    pub idle_minutes: Whole<1, 43_200>,
    /// Hours after the sign-in at which a session ends, used or not, 1 to 720. Default 24.
    pub absolute_hours: Whole<1, 720>,
}

impl Sessions {
    /// How long a session lives without a request.
    pub fn idle(&self) -> SignedDuration {
        SignedDuration::from_mins(self.idle_minutes.get().into())
    }

    /// How long a session lives at most.
    pub fn absolute(&self) -> SignedDuration {
        SignedDuration::from_hours(self.absolute_hours.get().into())
    }
}

impl Default for Sessions {
    fn default() -> Self {
        Self { idle_minutes: Whole::new(480), absolute_hours: Whole::new(24) }
    }
}

impl Section for Sessions {
    const NAME: &'static str = "sessions";

    fn contradiction(&self) -> Option<&'static str> {
        (self.idle() > self.absolute())
            .then_some("sessions.idle_minutes must not be longer than sessions.absolute_hours")
    }
}
