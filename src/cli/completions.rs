//! `portico completions SHELL`.

use std::io;

use clap_complete::Shell;

#[derive(clap::Args)]
pub struct Arguments {
    /// bash, elvish, fish, powershell or zsh
    shell: Shell,
}

pub fn run(arguments: &Arguments, mut command: clap::Command) -> anyhow::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut command, "portico", &mut script);
    io::Write::write_all(&mut io::stdout(), &script)?;
    Ok(())
}
