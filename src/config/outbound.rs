//! `[outbound]`

use std::{net::SocketAddr, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{reading::Section, value::List};

/// `[outbound]`: what outgoing requests may reach besides public https hosts.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Outbound {
    /// Where a simulated tenant listens on this machine, like `127.0.0.1:8081`; its authority may
    /// then be plain http. For tests only: whoever can bind that port can sign anyone in.
    /// Default: none.
    pub loopback_authorities: List<LoopbackAuthority>,
}

impl Section for Outbound {
    const NAME: &'static str = "outbound";
}

/// A loopback address with a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct LoopbackAuthority(SocketAddr);

impl LoopbackAuthority {
    /// The address to connect to.
    pub const fn socket_address(self) -> SocketAddr {
        self.0
    }
}

/// A text is not a [`LoopbackAuthority`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must hold loopback addresses with a port, like 127.0.0.1:8081")]
pub struct NotALoopbackAuthority;

impl FromStr for LoopbackAuthority {
    type Err = NotALoopbackAuthority;

    fn from_str(text: &str) -> Result<Self, NotALoopbackAuthority> {
        match text.parse::<SocketAddr>() {
            Ok(address) if address.ip().is_loopback() && address.port() != 0 => Ok(Self(address)),
            _ => Err(NotALoopbackAuthority),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loopback_authority_is_on_this_machine() {
        for good in ["127.0.0.1:8081", "127.8.8.8:1", "[::1]:8081"] {
            assert!(LoopbackAuthority::from_str(good).is_ok(), "{good}");
        }
        for bad in ["10.0.0.1:80", "169.254.169.254:80", "0.0.0.0:80", "127.0.0.1", "127.0.0.1:0"] {
            assert_eq!(LoopbackAuthority::from_str(bad), Err(NotALoopbackAuthority), "{bad}");
        }
    }
}
