//! Where a person wanted to go before they had to sign in.

use std::fmt;

use url::Url;

/// A place on this origin (`/reports?year=2026`), or on one of the origins that the operator
/// allows.
///
/// At most 2,000 characters of ASCII without control characters, spaces or backslashes. A place on
/// this origin begins with one `/`, not two, so no browser reads it as another host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReturnTo(String);

/// A text is not a place that a sign-in may return to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`return_to` must be a path on this site, beginning with one /, or an address of an allowed origin"
)]
pub struct NotAllowed;

const MAX_LENGTH: usize = 2_000;

impl ReturnTo {
    /// The portal page.
    pub fn portal() -> Self {
        Self("/".to_owned())
    }

    /// Reads a place; `allowed_origins` are ASCII origins such as `https://app.example.com`.
    pub fn parse(text: &str, allowed_origins: &[String]) -> Result<Self, NotAllowed> {
        let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'\\';
        if text.is_empty() || text.len() > MAX_LENGTH || !text.bytes().all(plain) {
            return Err(NotAllowed);
        }
        if is_local_path(text) || is_on_allowed_origin(text, allowed_origins) {
            Ok(Self(text.to_owned()))
        } else {
            Err(NotAllowed)
        }
    }

    /// The place that [`Self::as_str`] wrote, checked when it was made.
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// The place, for a `Location` header.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ReturnTo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A path whose dots and escapes, once resolved as a browser does, still begin with one slash.
fn is_local_path(text: &str) -> bool {
    let Ok(base) = Url::parse("https://portico.invalid/") else { return false };
    let resolved = base.join(text);
    text.starts_with('/')
        && !text.starts_with("//")
        && resolved.is_ok_and(|url| {
            url.origin() == base.origin()
                && url.username().is_empty()
                && !url.path().starts_with("//")
        })
}

fn is_on_allowed_origin(text: &str, allowed_origins: &[String]) -> bool {
    Url::parse(text).is_ok_and(|url| {
        url.username().is_empty()
            && url.password().is_none()
            && allowed_origins.contains(&url.origin().ascii_serialization())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed() -> Vec<String> {
        vec!["https://app.example.com".to_owned()]
    }

    #[test]
    fn a_sign_in_returns_to_a_path_here_or_to_an_allowed_origin() {
        for good in [
            "/",
            "/reports?year=2026#top",
            "/a/../b",
            "/x?next=https://evil.example",
            "https://app.example.com/x",
            "https://app.example.com",
        ] {
            assert!(ReturnTo::parse(good, &allowed()).is_ok(), "{good}");
        }
    }

    #[test]
    fn a_sign_in_returns_nowhere_else() {
        let long = format!("/{}", "a".repeat(MAX_LENGTH));
        for bad in [
            "",
            "reports",
            "//evil.example",
            "/\\evil.example",
            "/\tevil.example",
            "/.//evil.example",
            "/..//evil.example",
            "/a b",
            "/é",
            "https:evil.example",
            "https://evil.example/",
            "https://app.example.com.evil.example/",
            "https://app.example.com@evil.example/",
            "https://me@app.example.com/",
            "http://app.example.com/",
            "https://app.example.com:444/",
            "javascript:alert(1)",
            "data:text/html,x",
            "\u{0}/",
            " /",
            &long,
        ] {
            assert_eq!(ReturnTo::parse(bad, &allowed()), Err(NotAllowed), "{bad}");
        }
    }
}
