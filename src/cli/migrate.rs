//! `portico migrate`.

use std::sync::Arc;

use crate::{
    app,
    cli::{Configured, say},
};

pub fn run(configured: &Configured) -> anyhow::Result<()> {
    let config = configured.load(Vec::new())?;
    app::install_crypto_provider();
    let master_key = Arc::new(config.master_key_source().load_or_create()?);
    app::open_store(&config, master_key)?;
    say(&format!("{} is at this version.", config.database.path.display()));
    Ok(())
}
