//! `portico migrate`.

use crate::{
    app,
    cli::{Configured, say},
};

pub async fn run(configured: &Configured) -> anyhow::Result<()> {
    let config = configured.load(Vec::new())?;
    app::migrate(&config).await?;
    say(&format!("{} is at this version.", config.database.place()));
    Ok(())
}
