//! `[return_to]`

use serde::{Deserialize, Serialize};

use super::{origin::Origin, reading::Section, value::List};

/// `[return_to]`: where a sign-in may end besides Portico itself.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReturnTo {
    /// Origins that `return_to` may name, such as `https://portal.example.com`. Default: none, so
    /// only paths on Portico's own address are followed.
    pub allowed_origins: List<Origin>,
}

impl Section for ReturnTo {
    const NAME: &'static str = "return_to";
}
