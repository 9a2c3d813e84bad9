//! What `portico serve` needs before the first request: time, memory, disk.

use std::{
    fs,
    io::{self, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::{figures::Spread, process::Process};

/// The program as cargo has just built it.
const PROGRAM: &str = env!("CARGO_BIN_EXE_portico");

/// No start takes longer unless something is wrong.
const TIMEOUT: Duration = Duration::from_secs(10);

/// After this long without a request, a service is idle.
const REST: Duration = Duration::from_millis(500);

/// Starts the program `starts` times on a new database and as often on one that is there.
pub fn measure(starts: u16) -> anyhow::Result<()> {
    let (mut new, mut existing) = (Vec::new(), Vec::new());
    for _ in 0..starts {
        let folder = tempfile::tempdir()?;
        new.push(Started::begin(&folder)?);
        existing.push(Started::begin(&folder)?);
    }
    let ready = |starts: &[Started]| Spread::of(starts.iter().map(|s| s.ready_millis)).fine();
    let memory = existing.iter().map(|start| start.resident_mib);
    println!("portico serve, {starts} starts: medians (least to most)\n");
    println!("ready, new database       {} ms after exec", ready(&new));
    println!("ready, existing database  {} ms after exec", ready(&existing));
    println!("resident memory, idle     {} MiB", Spread::of(memory).fine());
    println!("size of the program       {:.1} MB", megabytes(fs::metadata(PROGRAM)?.len()));
    Ok(())
}

/// A start that has been measured; the process has ended.
struct Started {
    ready_millis: f64,
    resident_mib: f64,
}

impl Started {
    fn begin(folder: &TempDir) -> anyhow::Result<Self> {
        let address = free_address()?;
        let begin = Instant::now();
        let (process, _stdout) = Process::start(&mut command(folder, address))?;
        until_ready(address, begin + TIMEOUT)?;
        let ready_millis = begin.elapsed().as_secs_f64() * 1e3;
        thread::sleep(REST);
        let resident_mib = f64::from(process.resident_kib()?) / 1024.0;
        process.kill()?;
        Ok(Self { ready_millis, resident_mib })
    }
}

fn command(folder: &TempDir, address: SocketAddr) -> Command {
    let mut command = Command::new(PROGRAM);
    command
        .arg("serve")
        .current_dir(folder)
        .env("PORTICO_PUBLIC_URL", "https://login.example")
        .env("PORTICO_LISTEN__ADDRESS", address.to_string())
        .env("PORTICO_DATABASE__PATH", folder.path().join("portico.db"))
        .stderr(Stdio::null());
    command
}

/// An address that was free a moment ago.
fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind(("127.0.0.1", 0))?.local_addr()
}

fn until_ready(address: SocketAddr, deadline: Instant) -> io::Result<()> {
    let mut stream = loop {
        match TcpStream::connect(address) {
            Ok(stream) => break stream,
            Err(refused) if Instant::now() > deadline => return Err(refused),
            Err(_) => thread::sleep(Duration::from_micros(200)),
        }
    };
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.write_all(b"GET /health/ready HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    if answer.starts_with("HTTP/1.1 200 ") { Ok(()) } else { Err(io::Error::other(answer)) }
}

fn megabytes(bytes: u64) -> f64 {
    f64::from(u32::try_from(bytes / 1000).unwrap_or(u32::MAX)) / 1000.0
}
