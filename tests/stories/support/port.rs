//! Ports for programs that listen by themselves, or stop listening and begin again.

use std::{
    net::TcpListener,
    sync::atomic::{AtomicU16, Ordering},
};

/// A port that nobody has: below those that the system hands out, so that none is taken between
/// this moment and the program's start.
pub fn free_port() -> u16 {
    static COUNT: AtomicU16 = AtomicU16::new(0);
    // Two runs at once begin at different ports.
    let first = 20_000 + u16::try_from(std::process::id() % 50).unwrap() * 200;
    loop {
        let port = first + COUNT.fetch_add(1, Ordering::Relaxed);
        assert!(port < 32_000, "no port is free");
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
