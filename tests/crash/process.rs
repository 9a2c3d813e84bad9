//! What a program bears here alone: to be killed, and to be run by another.

use std::process::Stdio;

use tokio::process::Command;

use crate::support::{Installation, program::Process};

impl Process {
    /// `kill -9`: no goodbye.
    pub async fn kill(mut self) {
        self.0.kill().await.unwrap();
    }
}

impl Installation {
    /// The program with these arguments as [`Self::command`] has it, run by another with its own.
    pub fn command_under(&self, wrapper: &[&str], arguments: &[&str]) -> Command {
        let program = self.command(arguments);
        let program = program.as_std();
        let mut command = Command::new(wrapper[0]);
        command.args(&wrapper[1..]).arg(program.get_program()).args(program.get_args());
        command.current_dir(self.folder.path()).stdin(Stdio::null());
        for (name, value) in program.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command
    }
}
