//! What the service says about itself while it runs: the log, on standard error.

use std::io::{self, IsTerminal as _};

use tracing_subscriber::{fmt, prelude::*};

use crate::config::{Log, LogFormat};

/// Starts the log. Where one already runs, that one stays.
pub fn init(log: &Log) {
    let json = match log.format {
        LogFormat::Json => true,
        LogFormat::Text => false,
        LogFormat::Auto => !io::stderr().is_terminal(),
    };
    let registry = tracing_subscriber::registry().with(log.filter.to_env_filter());
    let started = if json {
        registry
            .with(
                fmt::layer()
                    .json()
                    .flatten_event(true)
                    .with_span_list(false)
                    .with_writer(io::stderr),
            )
            .try_init()
    } else {
        let colours = io::stderr().is_terminal();
        registry.with(fmt::layer().with_ansi(colours).with_writer(io::stderr)).try_init()
    };
    if started.is_err() {
        tracing::debug!("the log already runs");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starting_the_log_twice_is_harmless() {
        let text = Log { format: LogFormat::Text, ..Log::default() };

        init(&text);
        init(&Log::default());

        assert!(tracing::dispatcher::has_been_set());
    }
}
