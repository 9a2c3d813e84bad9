//! `[log]`

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use tracing_subscriber::EnvFilter;

use super::reading::Section;

/// `[log]`: what the log says on standard error, and how.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// `json`, `text`, or `auto`: text on a terminal, JSON otherwise. Default `auto`.
    pub format: LogFormat,
    /// What is logged: a level (`error`, `warn`, `info`, `debug`, `trace`), or levels by module
    /// (`info,portico::service=debug`). Default `info`.
    pub filter: LogFilter,
}

impl Section for Log {
    const NAME: &'static str = "log";
}

/// How a line of the log is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", try_from = "String")]
pub enum LogFormat {
    /// Text on a terminal, JSON otherwise.
    #[default]
    Auto,
    /// One JSON object per line.
    Json,
    /// For people.
    Text,
}

impl TryFrom<String> for LogFormat {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match text.as_str() {
            "auto" => Ok(Self::Auto),
            "json" => Ok(Self::Json),
            "text" => Ok(Self::Text),
            _ => Err("must be \"auto\", \"json\" or \"text\""),
        }
    }
}

/// Which events are logged, as tracing's directives say it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct LogFilter(String);

impl LogFilter {
    /// The filter, ready for a subscriber.
    ///
    /// # Panics
    /// Never: only what parses becomes a `LogFilter`.
    pub fn to_env_filter(&self) -> EnvFilter {
        EnvFilter::try_new(&self.0).expect("it was parsed when it was read")
    }
}

impl Default for LogFilter {
    fn default() -> Self {
        Self("info".into())
    }
}

impl FromStr for LogFilter {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match EnvFilter::try_new(text) {
            Ok(_) => Ok(Self(text.to_owned())),
            Err(_) => Err("must be a level such as \"info\", or like \"info,portico::http=debug\""),
        }
    }
}

impl TryFrom<String> for LogFilter {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}
