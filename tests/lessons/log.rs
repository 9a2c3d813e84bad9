//! What the service wrote into its log, down to the finest grain.

use std::{
    io::{self, Write},
    sync::{Mutex, Once, PoisonError},
};

use tracing_subscriber::{filter::LevelFilter, fmt, prelude::*};

static WRITTEN: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Writer;

/// Keeps what is logged from now on, at every level.
pub fn keep() {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| {
        let layer = fmt::layer().with_ansi(false).with_writer(|| Writer);
        tracing_subscriber::registry().with(LevelFilter::TRACE).with(layer).init();
    });
}

/// Everything.
pub fn text() -> String {
    String::from_utf8(WRITTEN.lock().unwrap_or_else(PoisonError::into_inner).clone()).unwrap()
}

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        WRITTEN.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
