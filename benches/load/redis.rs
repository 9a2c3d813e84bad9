//! A Redis for the measurement alone.

use std::{
    io,
    net::{SocketAddr, TcpListener, TcpStream},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::process::Process;

/// No start takes longer unless something is wrong.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A `redis-server` with nothing in it, which writes nothing to the disk.
pub struct Redis {
    pub url: String,
    _process: Process,
    _folder: TempDir,
}

/// Begins one; `None` where `redis-server` is not installed.
pub fn start() -> io::Result<Option<Redis>> {
    let folder = tempfile::tempdir()?;
    let address = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?;
    let mut command = Command::new("redis-server");
    command.args(["--port", &address.port().to_string(), "--bind", "127.0.0.1"]);
    command.args(["--save", "", "--appendonly", "no"]).arg("--dir").arg(folder.path());
    // Its first lines would meet a closed pipe, and end it.
    command.args(["--logfile", "redis.log"]);
    let process = match Process::start(&mut command) {
        Ok((process, _stdout)) => process,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    until_listening(address)?;
    Ok(Some(Redis { url: format!("redis://{address}/0"), _process: process, _folder: folder }))
}

fn until_listening(address: SocketAddr) -> io::Result<()> {
    let deadline = Instant::now() + TIMEOUT;
    while let Err(refused) = TcpStream::connect(address) {
        if Instant::now() > deadline {
            return Err(refused);
        }
        thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}
