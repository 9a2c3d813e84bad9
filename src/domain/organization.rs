//! A customer of the platform.

use std::{fmt, str::FromStr};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::id::OrganizationId;

/// A customer of the platform: a tenant of Portico.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Organization {
    /// First part of every key.
    pub id: OrganizationId,
    /// Its name in URLs; unique.
    pub slug: Slug,
    /// Its name on pages, 1 to 200 characters.
    pub display_name: String,
    /// What it may use.
    pub edition: Edition,
    /// Verified e-mail domains; each belongs to one organization.
    pub domains: Vec<EmailDomain>,
    /// When it was created.
    pub created_at: Timestamp,
}

/// What an organization may use: connectors need [`Edition::Enterprise`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Edition {
    /// No connectors; pages show what the other edition gives.
    Standard,
    /// Connectors, provisioning, rules.
    Enterprise,
}

impl Edition {
    /// The name as stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Enterprise => "enterprise",
        }
    }
}

impl FromStr for Edition {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "standard" => Ok(Self::Standard),
            "enterprise" => Ok(Self::Enterprise),
            _ => Err("an edition is `standard` or `enterprise`".into()),
        }
    }
}

/// Names an [`Organization`] in its URLs: `/login/{slug}`.
///
/// 1 to 63 characters of `a-z`, `0-9` and `-`, beginning and ending with a letter or digit:
/// a DNS label (RFC 1123 §2.1), so a slug can serve as a subdomain.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Slug(String);

/// A text is not a [`Slug`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a slug is 1 to 63 characters of a-z, 0-9 and -, beginning and ending with a letter or digit"
)]
pub struct NotASlug;

impl Slug {
    /// Reads a slug; nothing is trimmed or lower-cased.
    pub fn parse(text: &str) -> Result<Self, NotASlug> {
        let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let ends = |byte: Option<&u8>| byte.is_some_and(|byte| *byte != b'-');
        let bytes = text.as_bytes();
        let well_formed = bytes.len() <= 63
            && bytes.iter().copied().all(inner)
            && ends(bytes.first())
            && ends(bytes.last());
        if well_formed { Ok(Self(text.to_owned())) } else { Err(NotASlug) }
    }

    /// The slug itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for Slug {
    type Err = NotASlug;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

/// The part of an e-mail address after its last `@`, in lower case ASCII: `contoso.com`.
///
/// At least two DNS labels; an internationalized domain in its `xn--` form.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct EmailDomain(String);

/// A text is not an [`EmailDomain`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a domain looks like contoso.com; write an internationalized one in its xn-- form")]
pub struct NotADomain;

impl EmailDomain {
    /// Reads a domain, in any case.
    pub fn parse(text: &str) -> Result<Self, NotADomain> {
        let text = text.to_ascii_lowercase();
        let labels = text.split('.').map(Slug::parse).collect::<Result<Vec<_>, _>>();
        match labels {
            Ok(labels) if labels.len() >= 2 && text.len() <= 253 => Ok(Self(text)),
            _ => Err(NotADomain),
        }
    }

    /// The domain of an e-mail address: what follows its only `@`.
    ///
    /// An address with more than one `@` has none, so `a@evil.example@contoso.com` names nobody's.
    pub fn of_address(address: &str) -> Result<Self, NotADomain> {
        match address.trim().split_once('@') {
            Some((local, domain)) if !local.is_empty() => Self::parse(domain),
            _ => Err(NotADomain),
        }
    }

    /// The domain itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EmailDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for EmailDomain {
    type Err = NotADomain;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_is_a_dns_label() {
        for good in ["a", "acme", "acme-2", "0", &"a".repeat(63)] {
            assert_eq!(Slug::parse(good).map(|slug| slug.0), Ok(good.to_owned()));
        }
        for bad in ["", "-", "-acme", "acme-", "Acme", "ac me", "acmé", "a/b", &"a".repeat(64)] {
            assert_eq!(Slug::parse(bad), Err(NotASlug), "{bad}");
        }
    }

    #[test]
    fn the_domain_of_an_address_is_never_ambiguous() {
        let domain = |address| EmailDomain::of_address(address).map(|domain| domain.0);

        assert_eq!(domain("Alice@Contoso.COM"), Ok("contoso.com".into()));
        for bad in ["", "alice", "@contoso.com", "a@evil.example@contoso.com", "a@com", "a@.com"] {
            assert_eq!(domain(bad), Err(NotADomain), "{bad}");
        }
    }
}
