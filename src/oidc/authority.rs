//! The authority as an admin pastes it, and the discovery document that it leads to.

use url::Url;

use crate::{
    domain::connector::ConnectorKind,
    oidc::{guid, provider_kind::Profile},
};

mod metadata;
mod trusted_hosts;

pub use metadata::{DiscoveryError, LONGEST_DOCUMENT, Provider};
pub use trusted_hosts::{NotAHost, TrustedHosts};

/// The tenant of personal Microsoft accounts: nobody's organization.
const PERSONAL_ACCOUNTS: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";
const SHARED_TENANTS: [&str; 4] = ["common", "organizations", "consumers", PERSONAL_ACCOUNTS];
const WELL_KNOWN: &str = "/.well-known/openid-configuration";
const LONGEST: usize = 500;

/// An identity provider's address, read from what an admin pasted; never fetched as pasted.
///
/// Entra ID: the cloud's host and the tenant, from which the v2.0 addresses are built here.
/// Others: the issuer, byte for byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority {
    kind: ConnectorKind,
    place: Place,
    trusted: TrustedHosts,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    /// `origin` without a slash at its end; `host` as in the origin.
    Entra {
        origin: String,
        host: String,
        tenant: Tenant,
    },
    Issuer(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Tenant {
    /// Lower case.
    Id(String),
    /// A verified domain, lower case; discovery tells whose.
    Domain(String),
}

/// Why a pasted authority is not one; the text says what to paste instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthorityError {
    /// Nothing there.
    #[error("paste the authority, for example https://login.microsoftonline.com/{{tenant id}}")]
    Empty,
    /// Longer than 500 characters.
    #[error("the authority is at most 500 characters long; paste only its address")]
    TooLong,
    /// Another scheme, or none.
    #[error(
        "the authority begins with https://, for example \
         https://login.microsoftonline.com/{{tenant id}}"
    )]
    NotHttps,
    /// A character that no authority has: a space, a backslash, a letter beyond ASCII.
    #[error("the authority has a character that does not belong in it ({0:?}); paste it again")]
    Character(char),
    /// User name, port, query or fragment.
    #[error("leave the {0} out of the authority")]
    Superfluous(&'static str),
    /// Not a host of Microsoft's sign-in service.
    #[error(
        "{0} is not a Microsoft sign-in address; paste \
         https://login.microsoftonline.com/{{tenant id}}"
    )]
    UnknownHost(String),
    /// The address ends before the tenant.
    #[error(
        "the tenant is missing; add the Directory (tenant) ID from the app registration's \
         Overview page: https://{0}/{{tenant id}}"
    )]
    NoTenant(String),
    /// A tenant that everybody shares.
    #[error(
        "use your own tenant ID, not '{0}': it is called Directory (tenant) ID on the app \
         registration's Overview page"
    )]
    SharedTenant(String),
    /// Neither a GUID nor a domain.
    #[error("'{0}' is neither a tenant ID (a GUID) nor a domain; paste the Directory (tenant) ID")]
    MalformedTenant(String),
    /// A path that leads elsewhere, or a spelling that is not the usual one.
    #[error("paste {corrected} instead")]
    Elsewhere {
        /// What to paste.
        corrected: String,
    },
}

impl Authority {
    /// Reads what an admin pasted.
    ///
    /// Entra ID: with or without `/v2.0`, a trailing slash, `oauth2/…` or `.well-known/…`; old
    /// aliases and `sts.windows.net` lead to the host of today. Others: any https issuer, kept as
    /// pasted but for an appended `/.well-known/openid-configuration`.
    ///
    /// # Errors
    /// Everything that is not certainly an authority; the text tells the correction.
    pub fn parse(
        kind: ConnectorKind,
        pasted: &str,
        trusted: &TrustedHosts,
    ) -> Result<Self, AuthorityError> {
        let pasted = Pasted::split(pasted.trim(), trusted)?;
        let place = match kind {
            ConnectorKind::AzureAd => parse_entra(&pasted, trusted)?,
            ConnectorKind::Oidc => parse_issuer(&pasted, trusted)?,
        };
        Ok(Self { kind, place, trusted: trusted.clone() })
    }

    /// Where the discovery document lies (OpenID Connect Discovery 1.0 §4).
    ///
    /// # Panics
    /// Never: `parse` let only addresses through.
    pub fn discovery_url(&self) -> Url {
        let address = match &self.place {
            Place::Entra { origin, tenant, .. } => {
                format!("{origin}/{}/v2.0{WELL_KNOWN}", tenant.as_str())
            }
            Place::Issuer(issuer) => format!("{}{WELL_KNOWN}", issuer.trim_end_matches('/')),
        };
        Url::parse(&address).expect("`parse` checked the parts of the address")
    }

    /// Which kind of provider it is.
    pub const fn kind(&self) -> ConnectorKind {
        self.kind
    }

    /// The issuers that the discovery document may name for `tenant`.
    fn issuers_of(&self, tenant: &str) -> Vec<String> {
        match &self.place {
            Place::Entra { origin, host, .. } => {
                let mut issuers = vec![format!("{origin}/{tenant}/v2.0")];
                // External ID names the tenant's own host, whatever name was asked.
                if trusted_hosts::is_external_id(host) {
                    issuers.push(format!("https://{tenant}.ciamlogin.com/{tenant}/v2.0"));
                }
                issuers
            }
            Place::Issuer(issuer) => vec![issuer.clone()],
        }
    }

    const fn profile(&self) -> &'static Profile {
        Profile::of(self.kind)
    }
}

impl Tenant {
    fn parse(text: &str, host: &str) -> Result<Self, AuthorityError> {
        let tenant = text.to_ascii_lowercase();
        if tenant.is_empty() {
            return Err(AuthorityError::NoTenant(host.to_owned()));
        }
        if SHARED_TENANTS.contains(&tenant.as_str()) {
            return Err(AuthorityError::SharedTenant(tenant));
        }
        match guid(&tenant) {
            Some(id) => Ok(Self::Id(id)),
            None if is_domain(&tenant) => Ok(Self::Domain(tenant)),
            None => Err(AuthorityError::MalformedTenant(tenant)),
        }
    }

    fn as_str(&self) -> &str {
        match self {
            Self::Id(tenant) | Self::Domain(tenant) => tenant,
        }
    }
}

/// A pasted address, taken apart and nothing decoded.
struct Pasted<'a> {
    text: &'a str,
    scheme: &'static str,
    /// Lower case, with the port where one stands.
    host: String,
    /// From the first slash on; may be empty.
    path: &'a str,
}

impl<'a> Pasted<'a> {
    fn split(text: &'a str, trusted: &TrustedHosts) -> Result<Self, AuthorityError> {
        if text.is_empty() {
            return Err(AuthorityError::Empty);
        }
        if text.len() > LONGEST {
            return Err(AuthorityError::TooLong);
        }
        if let Some(odd) =
            text.chars().find(|c| !c.is_ascii_graphic() || "\\\"<>^`{|}".contains(*c))
        {
            return Err(AuthorityError::Character(odd));
        }
        let (scheme, rest) = split_scheme(text).ok_or(AuthorityError::NotHttps)?;
        let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let host = host.to_ascii_lowercase();
        refuse_superfluous(&host, rest)?;
        if scheme == "http" && !trusted.names(&host) {
            return Err(AuthorityError::NotHttps);
        }
        Ok(Self { text, scheme, host, path })
    }
}

fn split_scheme(text: &str) -> Option<(&'static str, &str)> {
    ["https", "http"].into_iter().find_map(|scheme| {
        let (found, rest) = text.split_once("://")?;
        found.eq_ignore_ascii_case(scheme).then_some((scheme, rest))
    })
}

fn refuse_superfluous(host: &str, rest: &str) -> Result<(), AuthorityError> {
    let parts = [
        ("query (from ? on)", rest.contains('?')),
        ("fragment (from # on)", rest.contains('#')),
        ("user name", host.contains('@')),
    ];
    match parts.into_iter().find(|(_, found)| *found) {
        Some((part, _)) => Err(AuthorityError::Superfluous(part)),
        None => Ok(()),
    }
}

fn parse_entra(pasted: &Pasted<'_>, trusted: &TrustedHosts) -> Result<Place, AuthorityError> {
    if pasted.host.contains(':') && !trusted.names(&pasted.host) {
        return Err(AuthorityError::Superfluous("port"));
    }
    let host = trusted
        .entra_host(&pasted.host)
        .ok_or_else(|| AuthorityError::UnknownHost(pasted.host.clone()))?;
    let path = pasted.path.trim_matches('/');
    let (tenant, rest) = path.split_once('/').unwrap_or((path, ""));
    let tenant = Tenant::parse(tenant, &host)?;
    let origin = format!("{}://{host}", pasted.scheme);
    if !is_entra_path(rest) {
        let corrected = format!("{origin}/{}", tenant.as_str());
        return Err(AuthorityError::Elsewhere { corrected });
    }
    Ok(Place::Entra { origin, host, tenant })
}

/// What may follow the tenant in an address copied from the Azure portal.
fn is_entra_path(rest: &str) -> bool {
    let rest = rest.strip_suffix(WELL_KNOWN.trim_start_matches('/')).unwrap_or(rest);
    let steps: Vec<&str> = rest.trim_end_matches('/').split('/').collect();
    match steps.as_slice() {
        ["" | "v2.0"] => true,
        ["oauth2", steps @ ..] => steps
            .iter()
            .all(|step| ["v2.0", "authorize", "token", "logout", "devicecode"].contains(step)),
        _ => false,
    }
}

/// Keeps the issuer as pasted; a spelling that `Url` would change is refused, so that the address
/// compared is the address fetched.
fn parse_issuer(pasted: &Pasted<'_>, trusted: &TrustedHosts) -> Result<Place, AuthorityError> {
    let issuer = pasted.text.strip_suffix(WELL_KNOWN).unwrap_or(pasted.text);
    let url = Url::parse(issuer).map_err(|_| AuthorityError::NotHttps)?;
    let usual = url.as_str();
    if usual != issuer && usual.strip_suffix('/') != Some(issuer) {
        return Err(AuthorityError::Elsewhere { corrected: usual.to_owned() });
    }
    if !trusted.names(&pasted.host) && !url.host_str().is_some_and(is_domain) {
        return Err(AuthorityError::UnknownHost(pasted.host.clone()));
    }
    Ok(Place::Issuer(issuer.to_owned()))
}

/// Whether a lower-case text is a host name of two labels or more (RFC 1123 §2.1), the last not a
/// number: an IP address is none.
fn is_domain(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 253
        && text.contains('.')
        && text.split('.').all(is_label)
        && !text.rsplit('.').next().is_some_and(|last| last.bytes().all(|c| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests;
