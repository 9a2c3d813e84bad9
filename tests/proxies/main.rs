//! The recipes of `docs/forward-auth/`, each run by its own proxy: the same stories about nginx,
//! Caddy, HAProxy, Traefik and Envoy.
//!
//! `tests/run` installs the proxies and runs this; plain `cargo test` leaves it out.

#![expect(clippy::unwrap_used, reason = "a test that can't be set up has failed")]

/// Tells each story of every proxy, as a test of its own: `nginx::…`, `caddy::…`.
macro_rules! tell_of_every_proxy {
    ($($story:ident)+) => {
        tell!(nginx Nginx $($story)+);
        tell!(caddy Caddy $($story)+);
        tell!(haproxy Haproxy $($story)+);
        tell!(traefik Traefik $($story)+);
        tell!(envoy Envoy $($story)+);
    };
}

macro_rules! tell {
    ($proxy:ident $kind:ident $($story:ident)+) => {
        mod $proxy {
            $(
                #[tokio::test]
                async fn $story() {
                    super::$story(crate::proxy::Kind::$kind).await;
                }
            )+
        }
    };
}

mod addresses;
mod application;
mod failures;
mod forgeries;
mod passing_on;
mod proxy;
mod relay;
mod scene;
mod signing_in;
mod smuggling;
#[expect(dead_code, unused_imports, reason = "the stories use all of it")]
#[path = "../stories/support/mod.rs"]
mod support;
mod wire;
