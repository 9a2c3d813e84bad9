//! The command line: a file per command.
//!
//! Exit codes: 0 done, 1 failed, 2 not understood.

use std::{path::PathBuf, process::ExitCode};

use clap::{CommandFactory as _, Parser, Subcommand};
use tokio::runtime::Builder;

use crate::config::{Config, Sources};

mod completions;
mod config;
mod demo;
mod export;
mod faults;
mod migrate;
mod organization;
mod serve;
mod setup_link;
mod simulate_entra;
mod stop_signal;

/// Signs people in through their organization's Microsoft Entra ID tenant, and keeps their accounts
/// in step with it.
#[derive(Parser)]
#[command(name = "portico", version, propagate_version = true, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Shows everything at work: a simulated Entra tenant, two organizations, people provisioned
    /// over SCIM; prints where to click
    Demo(demo::Arguments),
    /// Runs the service
    Serve(serve::Arguments),
    /// Brings the database to this version (serve does it too)
    Migrate(Configured),
    /// Creates, lists and shows organizations, and connects them to their tenants
    #[command(subcommand)]
    Organization(organization::Command),
    /// Prints a fresh one-time link that opens Organization Setup without a sign-in
    SetupLink(setup_link::Arguments),
    /// Writes people out, for Entra ID, a spreadsheet or another SCIM service
    #[command(subcommand)]
    Export(export::Command),
    /// Runs the simulated Entra tenant alone, for a test suite of your own
    ///
    /// Everybody whom it prints can sign in, so it listens on loopback only unless told otherwise.
    SimulateEntra(simulate_entra::Arguments),
    /// Prints the configuration in force, secrets masked, or a commented example
    Config(config::Arguments),
    /// Prints a completion script for a shell
    Completions(completions::Arguments),
}

/// Where a command finds its configuration.
#[derive(clap::Args)]
struct Configured {
    /// The configuration file; without one, ./portico.toml if it is there. `PORTICO_*` variables
    /// stand over it.
    #[arg(long, short, value_name = "FILE", env = "PORTICO_CONFIG")]
    config: Option<PathBuf>,
}

impl Configured {
    fn load(&self, overrides: Vec<(String, String)>) -> anyhow::Result<Config> {
        let beside = || Some(PathBuf::from("portico.toml")).filter(|path| path.exists());
        let file = self.config.clone().or_else(beside);
        let sources = Sources { overrides, ..Sources::of_process(file) };
        Config::load(sources).map_err(|problems| anyhow::anyhow!("{}", problems.lines().join("\n")))
    }
}

/// Runs what the command line asks for.
pub fn run() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = Builder::new_multi_thread().enable_all().build();
    let result = runtime.map_err(Into::into).and_then(|runtime| {
        runtime.block_on(async {
            match arguments.command {
                Command::Demo(arguments) => demo::run(arguments).await,
                Command::SimulateEntra(arguments) => simulate_entra::run(arguments).await,
                Command::Serve(arguments) => serve::run(arguments).await,
                Command::Migrate(configured) => migrate::run(&configured).await,
                Command::Organization(command) => organization::run(command).await,
                Command::Export(command) => export::run(command).await,
                Command::SetupLink(arguments) => setup_link::run(&arguments).await,
                Command::Config(arguments) => config::run(&arguments),
                Command::Completions(arguments) => {
                    completions::run(&arguments, Arguments::command())
                }
            }
        })
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// What went wrong, for whoever reads it; the exit code says so too, if nobody can.
fn complain(text: &str) {
    use std::io::Write as _;
    for line in text.lines() {
        let _ = writeln!(std::io::stderr(), "portico: {line}");
    }
}

/// A line for whoever, or whatever, reads the output.
///
/// A reader that has gone away is no failure of the command's.
fn say(line: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stdout(), "{line}");
}
