//! Web origins: Portico's own, and those a sign-in may return to.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use url::{Host, Url};

/// A scheme, a host and a port (RFC 6454): `https://portal.example.com`.
///
/// `https`, or `http` on the browser's own machine. The host is in lower case and in its `xn--`
/// form; a default port is left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Origin(String);

/// A text is not an [`Origin`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be like https://login.example.com, without a path (http only for localhost, 127.0.0.1, [::1])"
)]
pub struct NotAnOrigin;

impl Origin {
    /// Reads an origin; one `/` may follow it.
    pub fn parse(text: &str) -> Result<Self, NotAnOrigin> {
        let url = Url::parse(text).map_err(|_| NotAnOrigin)?;
        let bare = url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        let safe = match url.scheme() {
            "https" => url.host().is_some(),
            "http" => url.host().is_some_and(|host| is_loopback(&host)),
            _ => false,
        };
        if bare && safe { Ok(Self(url.origin().ascii_serialization())) } else { Err(NotAnOrigin) }
    }

    /// The origin as a browser sends it in `Origin`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

impl TryFrom<String> for Origin {
    type Error = NotAnOrigin;

    fn try_from(text: String) -> Result<Self, NotAnOrigin> {
        Self::parse(&text)
    }
}

impl FromStr for Origin {
    type Err = NotAnOrigin;

    fn from_str(text: &str) -> Result<Self, NotAnOrigin> {
        Self::parse(text)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The address Portico is reached under: an [`Origin`], so it can't live under a path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PublicUrl(Origin);

impl PublicUrl {
    /// Reads a public URL.
    pub fn parse(text: &str) -> Result<Self, NotAnOrigin> {
        Origin::parse(text).map(Self)
    }

    /// The origin itself, without a `/` at its end.
    pub const fn origin(&self) -> &Origin {
        &self.0
    }

    /// The address of a path (and query) here. No path leads to another host.
    pub fn join(&self, path: &str) -> String {
        format!("{}/{}", self.0, path.strip_prefix('/').unwrap_or(path))
    }

    /// Whether cookies can be `Secure`: only plain http on loopback can't have it.
    pub fn is_https(&self) -> bool {
        self.0.as_str().starts_with("https:")
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_https_or_http_on_loopback_and_has_no_path() {
        let accepted = [
            ("https://login.example.com", "https://login.example.com"),
            ("https://Login.Example.com/", "https://login.example.com"),
            ("https://login.example.com:443", "https://login.example.com"),
            ("https://login.example.com:8443", "https://login.example.com:8443"),
            ("http://localhost:8080", "http://localhost:8080"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("http://[::1]:8080", "http://[::1]:8080"),
        ];
        for (written, read) in accepted {
            assert_eq!(Origin::parse(written), Ok(Origin(read.into())), "{written}");
        }
        let refused = [
            "",
            "login.example.com",
            "http://login.example.com",
            "http://localhost.example.com",
            "http://127.0.0.1.example.com",
            "ftp://login.example.com",
            "https://login.example.com/portico",
            "https://login.example.com?a=b",
            "https://login.example.com#a",
            "https://me@login.example.com",
            "https://:secret@login.example.com",
            "https://",
            "javascript:alert(1)",
        ];
        for written in refused {
            assert_eq!(Origin::parse(written), Err(NotAnOrigin), "{written}");
        }
    }

    #[test]
    fn a_path_never_leads_away_from_the_public_url() {
        let public_url = PublicUrl::parse("https://login.example.com/").unwrap();

        assert_eq!(public_url.join("/login?a=b"), "https://login.example.com/login?a=b");
        for hostile in ["//evil.example", ".evil.example", "@evil.example", "https://evil.example"]
        {
            let joined = Url::parse(&public_url.join(hostile)).unwrap();
            assert_eq!(joined.host_str(), Some("login.example.com"), "{hostile}");
        }
    }

    #[test]
    fn only_plain_http_goes_without_secure_cookies() {
        assert!(PublicUrl::parse("https://login.example.com").unwrap().is_https());
        assert!(!PublicUrl::parse("http://localhost:8080").unwrap().is_https());
    }
}
