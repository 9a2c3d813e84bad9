//! Which redirect URIs Entra takes for registration, and which request matches one.

use serde::{Deserialize, Serialize};
use url::{Host, Url};

/// The platform under which a redirect URI is registered; it decides whether the client is public.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Platform {
    /// A server: it must send a credential.
    Web,
    /// "Mobile and desktop applications": it must not send one.
    PublicClient,
}

/// A registered redirect URI.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RedirectUri {
    /// As registered, compared character by character.
    pub uri: String,
    /// Where it is registered.
    pub platform: Platform,
}

/// Why a redirect URI is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RedirectUriError {
    /// No such registration.
    #[error("there is no application with that client id")]
    UnknownApplication,
    /// Not an absolute URI, or one with a fragment.
    #[error("a redirect URI is absolute and has no fragment")]
    NotAbsolute,
    /// Longer than 256 characters.
    #[error("a redirect URI has at most 256 characters")]
    TooLong,
    /// One of the characters that Entra refuses.
    #[error("a redirect URI has none of the characters ! $ ' ( ) , ; *")]
    ForbiddenCharacter,
    /// `http` beyond the own machine, or another scheme on the platform Web.
    #[error("a redirect URI is https; http is for localhost; other schemes for public clients")]
    Scheme,
}

impl RedirectUri {
    /// A redirect URI that may be registered.
    pub fn parse(uri: &str, platform: Platform) -> Result<Self, RedirectUriError> {
        if uri.len() > 256 {
            return Err(RedirectUriError::TooLong);
        }
        if uri.contains(['!', '$', '\'', '(', ')', ',', ';', '*']) {
            return Err(RedirectUriError::ForbiddenCharacter);
        }
        let url = Url::parse(uri).map_err(|_| RedirectUriError::NotAbsolute)?;
        if url.fragment().is_some() {
            return Err(RedirectUriError::NotAbsolute);
        }
        let allowed = match url.scheme() {
            "https" => true,
            "http" => is_own_machine(&url),
            _ => platform == Platform::PublicClient,
        };
        allowed.then(|| Self { uri: uri.into(), platform }).ok_or(RedirectUriError::Scheme)
    }

    /// Whether a request may name `requested`.
    ///
    /// Equality, except that a public client's loopback URI matches at any port (RFC 8252 §7.3).
    pub fn matches(&self, requested: &str) -> bool {
        self.uri == requested
            || self.platform == Platform::PublicClient && {
                let portless = (portless_loopback(&self.uri), portless_loopback(requested));
                matches!(portless, (Some(registered), Some(requested)) if registered == requested)
            }
    }
}

/// `localhost` and `127.0.0.1`; Entra has no IPv6 loopback.
fn is_own_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(domain)) => domain == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        _ => false,
    }
}

/// The URI without its port, if it is an `http` one to the own machine.
fn portless_loopback(uri: &str) -> Option<Url> {
    let mut url = Url::parse(uri).ok()?;
    let plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    (plain && url.scheme() == "http" && is_own_machine(&url)).then(|| {
        url.set_port(None).expect("an http URL may be without a port");
        url
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use Platform::{PublicClient, Web};

    #[test]
    fn plain_http_is_registered_for_the_own_machine_only() {
        let cases = [
            ("https://portal.example/callback", Web, None),
            ("http://localhost:8080/callback", Web, None),
            ("http://127.0.0.1/callback", PublicClient, None),
            ("http://portal.example/callback", Web, Some(RedirectUriError::Scheme)),
            ("http://localhost.example/callback", Web, Some(RedirectUriError::Scheme)),
            ("http://[::1]/callback", PublicClient, Some(RedirectUriError::Scheme)),
            ("com.example.app:/callback", PublicClient, None),
            ("com.example.app:/callback", Web, Some(RedirectUriError::Scheme)),
            ("/callback", Web, Some(RedirectUriError::NotAbsolute)),
            ("https://portal.example/#x", Web, Some(RedirectUriError::NotAbsolute)),
            ("https://*.portal.example/", Web, Some(RedirectUriError::ForbiddenCharacter)),
        ];

        for (uri, platform, error) in cases {
            assert_eq!(RedirectUri::parse(uri, platform).err(), error, "{uri}");
        }
    }

    #[test]
    fn a_request_names_a_registered_uri_exactly_but_for_a_public_clients_loopback_port() {
        let cases = [
            ("https://a.example/cb", Web, "https://a.example/cb", true),
            ("https://a.example/cb", Web, "https://a.example/cb/", false),
            ("https://a.example/cb", Web, "https://a.example/CB", false),
            ("https://a.example/cb", Web, "https://a.example/cb?x=1", false),
            ("http://localhost:1/cb", Web, "http://localhost:2/cb", false),
            ("http://localhost/cb", PublicClient, "http://localhost:49152/cb", true),
            ("http://127.0.0.1:5/cb", PublicClient, "http://127.0.0.1:49152/cb", true),
            ("http://localhost/cb", PublicClient, "http://127.0.0.1:49152/cb", false),
            ("http://localhost/cb", PublicClient, "http://localhost:49152/other", false),
            ("http://localhost/cb", PublicClient, "http://localhost@evil.example/cb", false),
            ("http://localhost/cb", PublicClient, "http://x@localhost/cb", false),
            ("app.example:/cb", PublicClient, "app.example:/cb", true),
            ("https://a.example/cb", PublicClient, "https://a.example:8443/cb", false),
        ];

        for (registered, platform, requested, matches) in cases {
            let registered = RedirectUri::parse(registered, platform).unwrap();

            assert_eq!(registered.matches(requested), matches, "{registered:?} {requested}");
        }
    }
}
