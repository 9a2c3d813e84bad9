//! `portico migrate`.

use crate::{
    app,
    cli::{Configured, say},
};

pub fn run(configured: &Configured) -> anyhow::Result<()> {
    let config = configured.load(Vec::new())?;
    app::migrate(&config)?;
    say(&format!("{} is at this version.", config.database.path.display()));
    Ok(())
}
