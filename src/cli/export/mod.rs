//! `portico export …`.

use std::{
    io::{self, IsTerminal as _, Write as _},
    path::PathBuf,
};

use anyhow::bail;
use clap::{CommandFactory as _, Subcommand, ValueEnum, error::ErrorKind};
use serde_json::{Value, json};

use self::destination::Destination;
use crate::{
    app::App,
    cli::{self, Configured, organization, stop_signal::stop_signal},
    domain::{
        audit_event::Actor,
        clock::Clock,
        id::ConnectorId,
        organization::{Organization, Slug},
    },
    ports::Ports,
    service::export::{self, Choice, Export, Remarks, Summary},
};

mod destination;

#[derive(Subcommand)]
pub enum Command {
    /// Writes an organization's people out, for Entra ID, a spreadsheet or another SCIM service
    ///
    /// What became of it is told on standard error: how many were written, and who was left out
    /// and why.
    Users(Users),
}

#[derive(clap::Args)]
pub struct Users {
    /// The organization's slug
    organization: Slug,
    /// How to write them
    #[arg(long)]
    format: Format,
    /// Write to this file, readable for its owner alone, in place of standard output; with
    /// `entra-bulk-upload`, an empty folder or one that ends in a slash gets a file per request
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Only those whom the directory of this connector provisions
    #[arg(long, value_name = "ID")]
    connector: Option<ConnectorId>,
    /// Only those who may sign in
    #[arg(long)]
    active_only: bool,
    /// With `entra-csv`, give everybody a random password, of which the file is the only copy
    #[arg(long, requires = "output")]
    initial_passwords: bool,
    /// Tell what became of it as JSON on one line of standard error
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    configured: Configured,
}

/// How people are written, as named on the command line.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// The file of "Bulk create users" in Microsoft's portal
    EntraCsv,
    /// Requests of Microsoft's API-driven inbound provisioning, one per line
    EntraBulkUpload,
    /// A SCIM User per line
    ScimJson,
    /// A table
    Csv,
}

impl From<Format> for export::Format {
    fn from(format: Format) -> Self {
        match format {
            Format::EntraCsv => Self::EntraCsv,
            Format::EntraBulkUpload => Self::EntraBulkUpload,
            Format::ScimJson => Self::ScimJson,
            Format::Csv => Self::Csv,
        }
    }
}

pub async fn run(command: Command) -> anyhow::Result<()> {
    let Command::Users(arguments) = command;
    if arguments.initial_passwords && arguments.format != Format::EntraCsv {
        let said = "--initial-passwords goes with --format entra-csv only";
        cli::Arguments::command().error(ErrorKind::ArgumentConflict, said).exit();
    }
    users(&arguments).await
}

async fn users(arguments: &Users) -> anyhow::Result<()> {
    let config = arguments.configured.load(Vec::new())?;
    let ports = App::open_beside(config, Clock::system()).await?.ports;
    let organization = organization::find(&ports, &arguments.organization).await?;
    let Some(path) = &arguments.output else {
        return write(arguments, &ports, &organization, Destination::Stdout).await;
    };
    let in_parts = arguments.format == Format::EntraBulkUpload;
    let destination = Destination::open(path, in_parts)?;
    // Whoever stops it finds nothing half-written: the destination takes it away.
    tokio::select! {
        written = write(arguments, &ports, &organization, destination) => written,
        stopped = stop_signal() => {
            stopped?;
            bail!("stopped; {} was not written", path.display())
        }
    }
}

async fn write(
    arguments: &Users,
    ports: &Ports,
    organization: &Organization,
    mut destination: Destination,
) -> anyhow::Result<()> {
    let choice = Choice {
        format: arguments.format.into(),
        connector: arguments.connector,
        active_only: arguments.active_only,
        initial_passwords: arguments.initial_passwords,
    };
    let mut export = Export::begin(ports, organization, choice, Actor::Operator).await?;
    let progress = Progress::begin(arguments, ports, organization).await?;
    while let Some(part) = export.next().await? {
        match destination.write(&part) {
            // A reader that has had enough is no failure.
            Err(error) if destination.is_closed_by(&error) => return Ok(()),
            written => written?,
        }
        progress.show(export.read());
        // The database may answer without ever waiting; a signal to stop is heard only here then.
        tokio::task::yield_now().await;
    }
    destination.finish()?;
    drop(progress);
    let summary = export.summary();
    if arguments.json {
        tell(&described(arguments, choice.format, summary).to_string());
    } else {
        tell(&words(choice.format, summary).join("\n"));
    }
    Ok(())
}

/// What became of the export, for a program.
fn described(arguments: &Users, format: export::Format, summary: &Summary) -> Value {
    let mut value = json!({
        "organization": arguments.organization.as_str(),
        "format": format.as_str(),
        "written": summary.written,
        "left_out": listed(&summary.left_out),
        "incomplete": listed(&summary.incomplete),
    });
    if format == export::Format::EntraBulkUpload {
        value["requests"] = summary.parts.into();
    }
    value
}

fn listed(remarks: &Remarks) -> Value {
    let people = remarks.named.iter().map(|remark| {
        json!({
            "id": remark.id.to_string(),
            "userName": remark.user_name,
            "reason": remark.reason,
        })
    });
    json!({ "count": remarks.count, "people": people.collect::<Value>() })
}

/// The same for a person, line by line.
fn words(format: export::Format, summary: &Summary) -> Vec<String> {
    let mut lines = vec![format!("Written: {}", summary.written)];
    if format == export::Format::EntraBulkUpload {
        lines.push(format!("Requests: {}", summary.parts));
    }
    lines.extend(words_of("Left out", &summary.left_out));
    lines.extend(words_of("Incomplete", &summary.incomplete));
    lines
}

fn words_of(heading: &str, remarks: &Remarks) -> Vec<String> {
    if remarks.count == 0 {
        return Vec::new();
    }
    let mut lines = vec![format!("{heading}: {}", remarks.count)];
    lines.extend(remarks.named.iter().map(|remark| {
        format!("  {} {}: {}", remark.id, remark.user_name.escape_debug(), remark.reason)
    }));
    let rest = remarks.count - remarks.named.len() as u64;
    if rest > 0 {
        lines.push(format!("  and {rest} more"));
    }
    lines
}

/// How far an export is, shown where somebody watches and nothing else is written there.
struct Progress {
    /// How many accounts there are; `None` if nobody watches.
    total: Option<u64>,
}

impl Progress {
    async fn begin(
        arguments: &Users,
        ports: &Ports,
        organization: &Organization,
    ) -> anyhow::Result<Self> {
        let apart = arguments.output.is_some() || !io::stdout().is_terminal();
        if arguments.json || !apart || !io::stderr().is_terminal() {
            return Ok(Self { total: None });
        }
        let total = ports.store.count_accounts(organization.id).await?;
        Ok(Self { total: Some(total) })
    }

    fn show(&self, read: u64) {
        if let Some(total) = self.total {
            let percent = read * 100 / total.max(read).max(1);
            let _ = write!(io::stderr(), "\r{read} of {total} people, {percent} % ");
        }
    }
}

/// Takes the line away.
impl Drop for Progress {
    fn drop(&mut self) {
        if self.total.is_some() {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

/// What is to be said about the export, apart from what it writes.
fn tell(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}
