//! `[pages]`

use serde::{Deserialize, Serialize};

use super::reading::Section;

/// `[pages]`: what pages say.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Pages {
    /// Whom a person is told to ask, in the middle of a sentence; at most 200 characters.
    /// Default `your organization’s administrator`.
    pub support: String,
}

impl Default for Pages {
    fn default() -> Self {
        Self { support: "your organization’s administrator".into() }
    }
}

impl Section for Pages {
    const NAME: &'static str = "pages";

    fn contradiction(&self) -> Option<&'static str> {
        let fits = (1..=200).contains(&self.support.trim().chars().count());
        (!fits).then_some("pages.support must have 1 to 200 characters")
    }
}
