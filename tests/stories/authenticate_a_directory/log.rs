//! What the service wrote into its log about directories.

use std::{
    io::{self, Write},
    sync::{Mutex, MutexGuard, Once, PoisonError},
};

use tracing_subscriber::{filter::Targets, fmt, prelude::*};

static WRITTEN: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Writer;

/// Keeps what is logged of directories from now on.
pub fn keep() {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| {
        let filter =
            Targets::new().with_target("portico::service::directory_access", tracing::Level::TRACE);
        let layer = fmt::layer().with_ansi(false).with_writer(|| Writer).with_filter(filter);
        tracing_subscriber::registry().with(layer).init();
    });
}

/// The lines with that word.
pub fn lines(word: &str) -> Vec<String> {
    text().lines().filter(|line| line.contains(word)).map(ToOwned::to_owned).collect()
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
