//! `portico organization …`.

use std::{io::Read as _, path::PathBuf};

use anyhow::{Context as _, bail};
use clap::Subcommand;
use serde_json::{Value, json};

use crate::{
    app::{self, App},
    cli::{Configured, say, setup_link},
    domain::{
        access_role::{AccessRole, RoleTable},
        audit_event::Actor,
        clock::Clock,
        connector::{ClientAuthentication, ConnectorKind, LinkByUserName, RoleSource},
        organization::{Edition, EmailDomain, Organization, Slug},
        secret::Secret,
        subject_link::LinkRequest,
    },
    ports::{NotDone, Ports},
    service::{
        connectors::{self, NewConnector},
        linking, logout, organizations,
        organizations::NewOrganization,
        setup_links,
    },
};

#[derive(Subcommand)]
pub enum Command {
    /// Creates an organization; prints the one-time setup link for its administrator
    Create(Create),
    /// Connects an organization to its identity provider; prints what to paste there
    Connect(Connect),
    /// Lists the organizations
    List(List),
    /// Shows an organization and its connectors
    Show(Show),
    /// Lists people who wait to be linked to an account, and approves them
    Links(Links),
}

#[derive(clap::Args)]
pub struct Create {
    /// Its name in URLs: a-z, 0-9 and -
    slug: Slug,
    /// Its name on pages [default: the slug]
    #[arg(long)]
    name: Option<String>,
    /// An e-mail domain whose people belong to it; may be repeated
    #[arg(long, value_name = "DOMAIN")]
    domain: Vec<EmailDomain>,
    /// `standard`, or `enterprise`, which has connectors
    #[arg(long, default_value = "enterprise")]
    edition: Edition,
    #[command(flatten)]
    output: Output,
}

#[derive(clap::Args)]
pub struct Connect {
    /// The organization's slug
    organization: Slug,
    /// `azure_ad` for Microsoft Entra ID, or `oidc` for another OpenID Connect provider
    #[arg(long, default_value = "azure_ad")]
    kind: ConnectorKind,
    /// The authority: `https://login.microsoftonline.com/{tenant}`, with or without `/v2.0`
    #[arg(long)]
    authority: String,
    /// The Application (client) ID
    #[arg(long)]
    client_id: String,
    /// A file with the client secret's Value; `-` reads it from standard input
    #[arg(long, value_name = "FILE")]
    client_secret_file: PathBuf,
    /// Send the client secret in the Authorization header instead of the form
    #[arg(long)]
    client_secret_basic: bool,
    /// Where roles come from: `token`, `scim` or `highest`
    #[arg(long, default_value = "token")]
    role_source: RoleSource,
    /// The ID token's role claim
    #[arg(long, default_value = "roles")]
    role_claim: String,
    /// A value of the role claim that means a role: VALUE=ROLE; may be repeated
    #[arg(long, value_name = "VALUE=ROLE", value_parser = mapping)]
    role: Vec<(String, AccessRole)>,
    /// Whether a first sign-in may find its account by user name: `ask`, `allow` or `never`
    #[arg(long, default_value = "ask")]
    link_by_user_name: LinkByUserName,
    #[command(flatten)]
    output: Output,
}

#[derive(clap::Args)]
pub struct List {
    #[command(flatten)]
    output: Output,
}

#[derive(clap::Args)]
pub struct Show {
    /// The organization's slug
    organization: Slug,
    #[command(flatten)]
    output: Output,
}

#[derive(clap::Args)]
pub struct Links {
    /// The organization's slug
    organization: Slug,
    /// Approve whoever waits under this reference number; their page shows it, too
    #[arg(long, value_name = "REFERENCE", conflicts_with = "approve_all")]
    approve: Option<String>,
    /// Approve everybody who waits
    #[arg(long)]
    approve_all: bool,
    #[command(flatten)]
    output: Output,
}

/// How a command answers, and where it finds its configuration.
#[derive(clap::Args)]
pub(super) struct Output {
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    configured: Configured,
}

impl Output {
    /// The stories' ports over the configured database.
    pub(super) async fn ports(&self) -> anyhow::Result<Ports> {
        let config = self.configured.load(Vec::new())?;
        Ok(App::open_beside(config, Clock::system()).await?.ports)
    }

    /// Says the one or the other.
    pub(super) fn print(&self, value: &Value, text: &str) {
        if self.json { say(&value.to_string()) } else { say(text) }
    }
}

pub async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Create(arguments) => create(arguments).await,
        Command::Connect(arguments) => connect(arguments).await,
        Command::List(arguments) => list(&arguments).await,
        Command::Show(arguments) => show(&arguments).await,
        Command::Links(arguments) => links(&arguments).await,
    }
}

async fn create(arguments: Create) -> anyhow::Result<()> {
    let ports = arguments.output.ports().await?;
    let new = NewOrganization {
        display_name: arguments.name.unwrap_or_else(|| arguments.slug.to_string()),
        slug: arguments.slug,
        edition: arguments.edition,
        domains: arguments.domain,
    };
    let organization = organizations::create(&ports, new, Actor::Operator).await?;
    let mut json = description(&organization);
    let next = if organization.edition == Edition::Enterprise {
        let issued = setup_links::issue(&ports, &organization, Actor::Operator).await?;
        json["setup_link"] = issued.url.expose().into();
        setup_link::words(&issued)
    } else {
        "It has no connectors: they need the edition enterprise.".to_owned()
    };
    let text = format!("Created {}. {next}", organization.display_name);
    arguments.output.print(&json, &text);
    Ok(())
}

async fn connect(arguments: Connect) -> anyhow::Result<()> {
    let config = arguments.output.configured.load(Vec::new())?;
    app::check_authority(&config, arguments.kind, &arguments.authority)?;
    let secret = read_secret(&arguments.client_secret_file)?;
    let ports = arguments.output.ports().await?;
    let organization = find_enterprise(&ports, &arguments.organization).await?;
    let authentication = if arguments.client_secret_basic {
        ClientAuthentication::SecretBasic(secret)
    } else {
        ClientAuthentication::SecretPost(secret)
    };
    let new = NewConnector {
        role_source: arguments.role_source,
        role_claim: arguments.role_claim,
        role_table: RoleTable(arguments.role),
        link_by_user_name: arguments.link_by_user_name,
        ..NewConnector::new(
            arguments.kind,
            arguments.authority,
            arguments.client_id,
            authentication,
        )
    };
    let created = connectors::create(&ports, &organization, new, Actor::Operator).await?;
    let id = created.connector.id;
    let redirect_uri = connectors::redirect_uri(&ports, id);
    let frontchannel_logout_uri = logout::frontchannel_logout_uri(&ports, id);
    let scim_url = connectors::scim_url(&ports, id);
    let user_name = &created.connector.scim.user_name;
    let password = created.scim_password.expose();
    let text = format!(
        "Connected {}. Paste into the tenant:\n\
         \n\
         Redirect URI (platform Web)   {redirect_uri}\n\
         Front-channel logout URL      {frontchannel_logout_uri}\n\
         Tenant URL (provisioning)     {scim_url}\n\
         Secret token (provisioning)   {password}\n\
         or User Name and Password     {user_name}  {password}\n\
         \n\
         The secret token is shown this once. In the attribute mapping, map externalId to objectId.\n\
         People sign in at             {}/login/{}",
        organization.display_name, ports.settings.public_url, organization.slug
    );
    let json = json!({
        "connector": id.to_string(),
        "redirect_uri": redirect_uri,
        "frontchannel_logout_uri": frontchannel_logout_uri,
        "scim_url": scim_url,
        "scim_username": user_name,
        "scim_password": password,
    });
    arguments.output.print(&json, &text);
    Ok(())
}

async fn list(arguments: &List) -> anyhow::Result<()> {
    let ports = arguments.output.ports().await?;
    let organizations = ports.store.list_organizations().await?;
    let lines: Vec<String> = organizations
        .iter()
        .map(|found| {
            format!("{:<24} {:<11} {}", found.slug, found.edition.as_str(), found.display_name)
        })
        .collect();
    let text = if lines.is_empty() {
        "There is no organization yet: portico organization create SLUG".to_owned()
    } else {
        lines.join("\n")
    };
    arguments.output.print(&organizations.iter().map(description).collect(), &text);
    Ok(())
}

async fn show(arguments: &Show) -> anyhow::Result<()> {
    let ports = arguments.output.ports().await?;
    let organization = find(&ports, &arguments.organization).await?;
    let connectors = ports.store.list_connectors(organization.id).await?;
    let people = ports.store.count_accounts(organization.id).await?;
    let mut json = description(&organization);
    json["people"] = people.into();
    let described = connectors.iter().map(|connector| {
        json!({
            "connector": connector.id.to_string(),
            "kind": connector.kind.as_str(),
            "enabled": connector.enabled,
            "authority": connector.authority,
            "client_id": connector.client_id,
            "role_source": connector.role_source.as_str(),
            "link_by_user_name": connector.link_by_user_name.as_str(),
            "redirect_uri": connectors::redirect_uri(&ports, connector.id),
            "frontchannel_logout_uri": logout::frontchannel_logout_uri(&ports, connector.id),
            "scim_url": connectors::scim_url(&ports, connector.id),
            "scim_username": connector.scim.user_name,
        })
    });
    json["connectors"] = described.collect();
    let text = serde_json::to_string_pretty(&json)?;
    arguments.output.print(&json, &text);
    Ok(())
}

async fn links(arguments: &Links) -> anyhow::Result<()> {
    let ports = arguments.output.ports().await?;
    let organization = find(&ports, &arguments.organization).await?;
    let waiting = ports.store.list_link_requests(organization.id).await?;
    let is_chosen = |request: &LinkRequest| {
        arguments.approve_all || arguments.approve.as_deref() == Some(request.reference.as_str())
    };
    if let Some(reference) = &arguments.approve
        && !waiting.iter().any(is_chosen)
    {
        bail!("nobody waits under the number {reference}; list them without --approve");
    }
    let mut lines = Vec::new();
    let mut described = Vec::new();
    for request in &waiting {
        let state = if is_chosen(request) { approve(&ports, request).await? } else { "waits" };
        lines.push(format!("{:<9} {}  {}", state, request.reference, request.user_name));
        described.push(json!({
            "user_name": request.user_name,
            "identifier": request.subject.identifier,
            "reference": request.reference.as_str(),
            "state": state,
        }));
    }
    let text = if lines.is_empty() { "Nobody waits.".to_owned() } else { lines.join("\n") };
    arguments.output.print(&described.into(), &text);
    Ok(())
}

/// What became of a request: of two for one account, the second can't be approved any more.
async fn approve(ports: &Ports, request: &LinkRequest) -> anyhow::Result<&'static str> {
    match linking::approve(ports, request, Actor::Operator).await {
        Ok(()) => Ok("approved"),
        Err(NotDone::Refused(_)) => Ok("conflict"),
        Err(NotDone::Unavailable(unavailable)) => Err(unavailable.into()),
    }
}

/// The organization of this slug.
async fn find(ports: &Ports, slug: &Slug) -> anyhow::Result<Organization> {
    let found = ports.store.find_organization_by_slug(slug).await?;
    found.with_context(|| format!("there is no organization {slug}"))
}

/// The organization of this slug, whose edition must have connectors.
pub(super) async fn find_enterprise(ports: &Ports, slug: &Slug) -> anyhow::Result<Organization> {
    let organization = find(ports, slug).await?;
    if organization.edition != Edition::Enterprise {
        bail!("{slug} has the edition standard; connectors need enterprise");
    }
    Ok(organization)
}

fn description(organization: &Organization) -> Value {
    json!({
        "slug": organization.slug.as_str(),
        "display_name": organization.display_name,
        "edition": organization.edition.as_str(),
        "domains": organization.domains,
        "created_at": organization.created_at.to_string(),
    })
}

fn mapping(text: &str) -> Result<(String, AccessRole), String> {
    let (value, role) = text.rsplit_once('=').ok_or("write it as VALUE=ROLE")?;
    let role = role.parse().map_err(|error| format!("{error}"))?;
    Ok((value.to_owned(), role))
}

fn read_secret(file: &PathBuf) -> anyhow::Result<Secret> {
    let mut text = String::new();
    if file.as_os_str() == "-" {
        std::io::stdin().read_to_string(&mut text).context("reading standard input")?;
    } else {
        text = std::fs::read_to_string(file)
            .with_context(|| format!("reading the client secret from {}", file.display()))?;
    }
    let secret = text.trim();
    if secret.is_empty() {
        bail!("the client secret is empty");
    }
    Ok(Secret::new(secret))
}
