//! Which hosts may be a tenant's authority.

use url::Url;

use super::is_domain;

/// A host of Microsoft's sign-in service and the one that serves its v2.0 endpoints today.
const MICROSOFT: [(&str, &str); 7] = [
    ("login.microsoftonline.com", "login.microsoftonline.com"),
    ("login.microsoftonline.us", "login.microsoftonline.us"),
    ("login.partner.microsoftonline.cn", "login.partner.microsoftonline.cn"),
    // The host of v1 issuers, `https://sts.windows.net/{tenant}/`.
    ("sts.windows.net", "login.microsoftonline.com"),
    ("login.windows.net", "login.microsoftonline.com"),
    ("login.microsoft.com", "login.microsoftonline.com"),
    ("sts.chinacloudapi.cn", "login.partner.microsoftonline.cn"),
];

/// Microsoft's sign-in hosts, always, and the `host:port` pairs which the operator's configuration
/// names: a simulated tenant on loopback. Only for those pairs plain http is allowed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedHosts {
    named: Vec<String>,
}

/// A configured pair is not `host:port`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a pair host:port, for example 127.0.0.1:8081")]
pub struct NotAHost(String);

impl TrustedHosts {
    /// Microsoft's hosts and the configured `host:port` pairs.
    pub fn with_configured<'a>(pairs: impl IntoIterator<Item = &'a str>) -> Result<Self, NotAHost> {
        let named = pairs.into_iter().map(host_and_port).collect::<Result<_, _>>()?;
        Ok(Self { named })
    }

    /// Whether the configuration names this `host:port`, lower case.
    pub fn names(&self, host_and_port: &str) -> bool {
        self.named.iter().any(|named| named == host_and_port)
    }

    /// Whether the configuration names the address's host and port.
    pub fn names_url(&self, url: &Url) -> bool {
        let port = url.port_or_known_default().unwrap_or_default();
        url.host_str().is_some_and(|host| self.names(&format!("{host}:{port}")))
    }

    /// Whether the address lies on a host of Microsoft's sign-in service, over https.
    pub fn is_microsoft(&self, url: &Url) -> bool {
        url.scheme() == "https"
            && url.port().is_none()
            && url.host_str().is_some_and(|host| microsoft_host(host).is_some())
    }

    /// The host that serves `host`'s tenants; `None` if it is not trusted.
    pub(super) fn entra_host(&self, host: &str) -> Option<String> {
        if self.names(host) {
            return Some(host.to_owned());
        }
        microsoft_host(host).map(ToOwned::to_owned)
    }
}

fn microsoft_host(host: &str) -> Option<&str> {
    let known = MICROSOFT.iter().find(|(alias, _)| *alias == host).map(|(_, today)| *today);
    known.or_else(|| is_external_id(host).then_some(host))
}

/// `{name}.ciamlogin.com`, External ID: exactly one label before, and none in Punycode, which may
/// stand for no name at all.
pub(super) fn is_external_id(host: &str) -> bool {
    let is_name = |name: &str| !name.contains('.') && !name.starts_with("xn--");
    host.strip_suffix(".ciamlogin.com").is_some_and(is_name) && is_domain(host)
}

fn host_and_port(pair: &str) -> Result<String, NotAHost> {
    let refused = || NotAHost(pair.to_owned());
    let (host, port) = pair.rsplit_once(':').ok_or_else(refused)?;
    port.parse::<u16>().map_err(|_| refused())?;
    let url = Url::parse(&format!("http://{host}:{port}/")).map_err(|_| refused())?;
    let usual = url.host_str() == Some(&host.to_ascii_lowercase()) && url.path() == "/";
    usual.then(|| pair.to_ascii_lowercase()).ok_or_else(refused)
}
