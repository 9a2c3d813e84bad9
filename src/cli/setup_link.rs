//! `portico setup-link`.

use serde_json::json;

use crate::{
    cli::organization::{self, Output},
    domain::{audit_event::Actor, organization::Slug},
    service::setup_links::{self, IssuedSetupLink},
};

#[derive(clap::Args)]
pub struct Arguments {
    /// The organization's slug
    organization: Slug,
    #[command(flatten)]
    output: Output,
}

pub async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let ports = arguments.output.ports().await?;
    let organization = organization::find_enterprise(&ports, &arguments.organization).await?;
    let issued = setup_links::issue(&ports, &organization, Actor::Operator).await?;
    let json = json!({
        "organization": organization.slug.as_str(),
        "setup_link": issued.url.expose(),
        "expires_at": issued.link.expires_at.to_string(),
    });
    arguments.output.print(&json, &words(&issued));
    Ok(())
}

/// The link, with what its receiver must know.
pub(super) fn words(issued: &IssuedSetupLink) -> String {
    format!(
        "Send this link to whoever looks after the organization’s tenant; it sets up sign-in and \
         provisioning, works once, until {}, and replaces an earlier one:\n\n{}",
        issued.link.expires_at.strftime("%-d %B %Y, %H:%M UTC"),
        issued.url.expose()
    )
}
