//! `portico config`.

use crate::{
    cli::{Configured, say},
    config::Config,
};

#[derive(clap::Args)]
pub struct Arguments {
    /// Print a portico.toml that explains every key, with the values to fill in marked
    #[arg(long, conflicts_with = "json")]
    example: bool,
    /// Print it as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    configured: Configured,
}

pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    if arguments.example {
        say(Config::example().trim_end());
        return Ok(());
    }
    let config = arguments.configured.load(Vec::new())?;
    if arguments.json {
        say(&serde_json::to_string(&config)?);
    } else {
        say(config.masked().trim_end());
    }
    Ok(())
}
