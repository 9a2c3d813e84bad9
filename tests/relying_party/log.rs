//! What the service wrote into its log.

use std::{
    io::{self, Write},
    sync::{Mutex, MutexGuard, Once, PoisonError},
};

use tracing_subscriber::{filter::LevelFilter, fmt, prelude::*};

static WRITTEN: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Writer;

/// Keeps what is logged from now on, down to that level.
pub fn keep(level: LevelFilter) {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| {
        let layer = fmt::layer().with_ansi(false).with_writer(|| Writer);
        tracing_subscriber::registry().with(level).with(layer).init();
    });
}

/// The line under a reference number.
pub fn line(reference: &str) -> String {
    let text = text();
    let found = text.lines().find(|line| line.contains(reference));
    found.unwrap_or_else(|| panic!("nothing is logged under {reference}")).to_owned()
}

/// Everything.
pub fn text() -> String {
    String::from_utf8(written().clone()).unwrap()
}

fn written() -> MutexGuard<'static, Vec<u8>> {
    WRITTEN.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        written().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
