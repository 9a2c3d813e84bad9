//! Child processes that don't outlive this one, and what the kernel says of them.

use std::{
    fs, io,
    process::{Child, ChildStdout, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// A tick of the times in `/proc/{pid}/stat`: Linux fixes it at a hundredth of a second for every
/// program, whatever the kernel's own clock does.
const TICK: Duration = Duration::from_millis(10);

/// How long a child may take to end after its standard input has.
const GRACE: Duration = Duration::from_secs(3);

/// A child process, ended when dropped.
pub struct Process(Child);

impl Process {
    /// Begins a process whose standard input ends when this one does, however that happens.
    pub fn start(command: &mut Command) -> io::Result<(Self, ChildStdout)> {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let stdout = child.stdout.take().expect("its output is a pipe");
        Ok((Self(child), stdout))
    }

    /// The CPU time that it has used, its own and the kernel's for it.
    pub fn cpu(&self) -> io::Result<Duration> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.0.id()))?;
        // The second field is the program's name in brackets and may hold anything; user and
        // system time are the 14th and 15th.
        let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
        let times = after_name.split_whitespace().skip(11).take(2);
        let ticks = times.map(|time| time.parse::<u32>().unwrap_or(0)).sum();
        Ok(TICK * ticks)
    }

    /// Its resident memory in KiB, shared pages of the program's file among it.
    pub fn resident_kib(&self) -> io::Result<u32> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let number = line.and_then(|line| line.trim().strip_suffix(" kB"));
        number
            .and_then(|number| number.trim().parse().ok())
            .ok_or_else(|| io::Error::other("the kernel does not say VmRSS"))
    }

    /// Ends it without a word.
    pub fn kill(mut self) -> io::Result<()> {
        self.0.kill()?;
        self.0.wait().map(drop)
    }

    fn has_ended(&mut self) -> bool {
        matches!(self.0.try_wait(), Ok(Some(_)))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let deadline = Instant::now() + GRACE;
        while !self.has_ended() && Instant::now() < deadline {
            thread::sleep(TICK);
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
