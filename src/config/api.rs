//! `[api]`

use serde::{Deserialize, Serialize};

use super::{reading::Section, value::masked};
use crate::domain::secret::Secret;

/// An operator token that is shorter could be guessed.
const SHORTEST_TOKEN: usize = 32;

/// `[api]`: who may call the management API besides admins.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Api {
    /// Who sends it as a bearer token may do everything; at least 32 random characters. Only as
    /// `PORTICO_API__OPERATOR_TOKEN`, never in the file. Default: none, so that only admins may
    /// call, each for their own organization.
    #[serde(serialize_with = "masked")]
    pub operator_token: Option<Secret>,
}

impl Section for Api {
    const NAME: &'static str = "api";
    const SECRETS: &'static [&'static str] = &["operator_token"];

    fn contradiction(&self) -> Option<&'static str> {
        let token = self.operator_token.as_ref()?;
        (token.expose().len() < SHORTEST_TOKEN)
            .then_some("api.operator_token must have 32 characters or more, all of them random")
    }
}
