//! `[listen]`

use std::{net::SocketAddr, num::NonZeroUsize, str::FromStr, thread};

use serde::{Deserialize, Serialize};

use super::{reading::Section, value::Whole};

/// `[listen]`: where the service listens, and how much it carries.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Listen {
    /// IP address and port; port 0 takes any free one. Default `127.0.0.1:8080`.
    pub address: Address,
    /// Threads that answer requests, 1 to 1024. Default: one per core.
    pub workers: Option<Whole<1, 1024>>,
    /// Connections open at once, over all workers, 1 to 1000000; more wait. Default 25000.
    pub max_connections: Whole<1, 1_000_000>,
    /// Seconds that requests in flight may take to end when the service stops, 0 to 3600. Default 30.
    pub shutdown_seconds: Whole<0, 3600>,
}

impl Listen {
    /// The threads that answer requests.
    pub fn workers(&self) -> usize {
        let cores = || thread::available_parallelism().map_or(1, NonZeroUsize::get);
        self.workers.map_or_else(cores, |workers| workers.get() as usize)
    }

    /// Each thread's share of `max_connections`, rounded up.
    pub fn max_connections_per_worker(&self) -> usize {
        (self.max_connections.get() as usize).div_ceil(self.workers())
    }
}

impl Default for Listen {
    fn default() -> Self {
        Self {
            address: Address(SocketAddr::from(([127, 0, 0, 1], 8080))),
            workers: None,
            max_connections: Whole::new(25_000),
            shutdown_seconds: Whole::new(30),
        }
    }
}

impl Section for Listen {
    const NAME: &'static str = "listen";
}

/// An IP address with a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Address(pub SocketAddr);

impl TryFrom<String> for Address {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let not_an_address = "must be an IP address with a port, like 127.0.0.1:8080 or [::]:8080";
        SocketAddr::from_str(&text).map(Self).map_err(|_| not_an_address)
    }
}
