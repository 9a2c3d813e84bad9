//! The one outgoing door: where it leads, how long it waits, how much it lets in.
//!
//! # Why
//!
//! An authority is an address that a customer typed. It must not become a way into the network
//! that Portico stands in, so each kind of connector reaches only what it needs: `azure_ad`
//! Microsoft's sign-in hosts, others any public https host, whose address is checked where it is
//! resolved and used as resolved. Loopback and the rest of the private network is reached only
//! where the operator's configuration names `host:port`. Redirects are answers, not orders, and no
//! proxy is taken from the environment: behind one the check of addresses would be void.

use std::{
    error::Error as _,
    future::Future,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    pin::Pin,
    sync::{Arc, OnceLock},
    time::Duration,
};

use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};
use reqwest::{
    StatusCode,
    dns::{Addrs, Name, Resolve, Resolving},
    header::CONTENT_TYPE,
    redirect::Policy,
};
use url::{Host, Url};

use crate::{domain::connector::ConnectorKind, oidc::authority::TrustedHosts};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
const TOTAL_TIMEOUT: Duration = Duration::from_secs(10);

/// A connection that has been idle for longer is not used again.
///
/// Servers close theirs after 5 seconds or more. A request that meets this on its way gets no
/// answer, and the redemption of a code can't be repeated: the first may have used it up.
const IDLE_TIMEOUT: Duration = Duration::from_secs(2);

/// The one outgoing door.
#[derive(Clone, Debug)]
pub struct Https {
    clients: Arc<Clients>,
    trusted: TrustedHosts,
}

#[derive(Debug, Default)]
struct Clients {
    /// Resolves as the system does.
    ordinary: OnceLock<reqwest::Client>,
    /// Connects to public addresses only.
    guarded: OnceLock<reqwest::Client>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum HttpsError {
    /// TLS cannot be set up on this system.
    #[error("TLS cannot be set up: {0}")]
    Setup(String),
    /// The door does not lead there.
    #[error("{0} may not be reached from here")]
    Refused(String),
    /// No connection, no answer in ten seconds, or the answer broke off.
    #[error("{0}")]
    Transport(String),
    /// The answer is longer than expected.
    #[error("the answer is longer than {0} bytes")]
    TooLong(usize),
    /// A proxy or a server in trouble answers in the authority's place.
    #[error("the server answered {0}")]
    Busy(StatusCode),
}

impl Https {
    /// The door; `trusted` are the hosts that the operator's configuration names.
    ///
    /// Its clients are made when the first request needs them, or by [`Self::prepare`]: reading the
    /// system's root certificates takes longer than all else at the start of the service.
    pub fn new(trusted: TrustedHosts) -> Self {
        Self { clients: Arc::default(), trusted }
    }

    /// Makes what the first request would otherwise wait for.
    pub fn prepare(&self) -> Result<(), HttpsError> {
        self.ordinary()?;
        self.guarded()?;
        Ok(())
    }

    fn ordinary(&self) -> Result<&reqwest::Client, HttpsError> {
        made_once(&self.clients.ordinary, builder)
    }

    fn guarded(&self) -> Result<&reqwest::Client, HttpsError> {
        made_once(&self.clients.guarded, || {
            builder().https_only(true).dns_resolver(PublicAddresses)
        })
    }

    /// The door for a connector's kind, for answers of at most `longest` bytes.
    pub const fn door(&self, kind: ConnectorKind, longest: usize) -> Door<'_> {
        Door { https: self, kind, longest }
    }

    /// Which client may go to `url` for a connector of this kind.
    fn client_for(&self, kind: ConnectorKind, url: &Url) -> Result<&reqwest::Client, HttpsError> {
        let allowed = match kind {
            _ if self.trusted.names_url(url) => Some(self.ordinary()),
            ConnectorKind::AzureAd => self.trusted.is_microsoft(url).then(|| self.ordinary()),
            ConnectorKind::Oidc => is_public_https(url).then(|| self.guarded()),
        };
        let host = || url.host_str().unwrap_or("it").to_owned();
        allowed.unwrap_or_else(|| Err(HttpsError::Refused(host())))
    }
}

/// The client in `cell`, made now if it is not there yet.
fn made_once(
    cell: &OnceLock<reqwest::Client>,
    builder: impl FnOnce() -> reqwest::ClientBuilder,
) -> Result<&reqwest::Client, HttpsError> {
    if let Some(client) = cell.get() {
        return Ok(client);
    }
    let made = builder().build().map_err(|error| HttpsError::Setup(cause(&error)))?;
    Ok(cell.get_or_init(|| made))
}

#[expect(clippy::disallowed_methods, reason = "the one outgoing door")]
fn builder() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .redirect(Policy::none())
        .no_proxy()
        .referer(false)
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(TOTAL_TIMEOUT)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .user_agent(concat!("Portico/", env!("CARGO_PKG_VERSION")))
}

/// The door, for one kind of connector and one size of answer; what openidconnect sends through.
#[derive(Clone, Copy, Debug)]
pub struct Door<'a> {
    https: &'a Https,
    kind: ConnectorKind,
    longest: usize,
}

impl Door<'_> {
    /// Sends a request and reads the whole answer, whatever its status.
    ///
    /// # Errors
    /// [`HttpsError::Busy`] for a 429 or 5xx that is not JSON: nobody's protocol.
    pub async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpsError> {
        let request = reqwest::Request::try_from(request).map_err(|error| transport(&error))?;
        let client = self.https.client_for(self.kind, request.url())?;
        let mut answer = client.execute(request).await.map_err(|error| transport(&error))?;
        let status = answer.status();
        let in_trouble = status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS;
        if in_trouble && !is_json(&answer) {
            return Err(HttpsError::Busy(status));
        }
        let body = self.read(&mut answer).await?;
        let mut response = HttpResponse::new(body);
        *response.status_mut() = status;
        *response.headers_mut() = std::mem::take(answer.headers_mut());
        Ok(response)
    }

    async fn read(&self, answer: &mut reqwest::Response) -> Result<Vec<u8>, HttpsError> {
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|error| transport(&error))? {
            if body.len() + chunk.len() > self.longest {
                return Err(HttpsError::TooLong(self.longest));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }
}

impl<'c> AsyncHttpClient<'c> for Door<'_> {
    type Error = HttpsError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, HttpsError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send(request))
    }
}

fn is_json(answer: &reqwest::Response) -> bool {
    let content_type = answer.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    content_type.is_some_and(|text| text.to_ascii_lowercase().contains("json"))
}

fn transport(error: &reqwest::Error) -> HttpsError {
    HttpsError::Transport(cause(error))
}

/// What went wrong, down to the root, without the address: it may carry what is no log's business.
fn cause(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".to_owned();
    }
    let mut root: &dyn std::error::Error = error;
    while let Some(deeper) = root.source() {
        root = deeper;
    }
    match error.source() {
        Some(_) => root.to_string(),
        None => "the request failed".to_owned(),
    }
}

fn is_public_https(url: &Url) -> bool {
    url.scheme() == "https"
        && match url.host() {
            Some(Host::Ipv4(ip)) => is_public(ip.into()),
            Some(Host::Ipv6(ip)) => is_public(ip.into()),
            // Resolved and checked on the way out, by `PublicAddresses`.
            Some(Host::Domain(_)) => true,
            None => false,
        }
}

/// Resolves names to their public addresses; what is resolved here is what is connected to, so no
/// second answer of a name server can lead elsewhere.
struct PublicAddresses;

impl Resolve for PublicAddresses {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public: Vec<SocketAddr> = found.filter(|found| is_public(found.ip())).collect();
            if public.is_empty() {
                return Err("the name leads to no public address".into());
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}

/// Whether an address is anybody's on the Internet: neither private nor special (RFC 6890).
fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

/// The networks of IPv4 that are nobody's or only somebody's, with the length of their prefix.
const SPECIAL_V4: [([u8; 4], u32); 15] = [
    ([0, 0, 0, 0], 8),
    ([10, 0, 0, 0], 8),
    // Shared between a carrier and its customers (RFC 6598).
    ([100, 64, 0, 0], 10),
    ([127, 0, 0, 0], 8),
    // Link-local; cloud metadata lies there.
    ([169, 254, 0, 0], 16),
    ([172, 16, 0, 0], 12),
    ([192, 0, 0, 0], 24),
    ([192, 0, 2, 0], 24),
    ([192, 88, 99, 0], 24),
    ([192, 168, 0, 0], 16),
    ([198, 18, 0, 0], 15),
    ([198, 51, 100, 0], 24),
    ([203, 0, 113, 0], 24),
    // Multicast; reserved, broadcast among it.
    ([224, 0, 0, 0], 4),
    ([240, 0, 0, 0], 4),
];

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let within = |(network, length): &([u8; 4], u32)| {
        (ip.to_bits() ^ u32::from_be_bytes(*network)) >> (32 - length) == 0
    };
    !SPECIAL_V4.iter().any(within)
}

/// Global unicast is `2000::/3`; everything outside, IPv4-mapped and unique local among it, is not.
fn is_public_v6(ip: Ipv6Addr) -> bool {
    let special = match ip.segments() {
        // Protocol assignments, Teredo among them; documentation; 6to4.
        [0x2001, 0..=0x01ff | 0x0db8, ..] | [0x2002, ..] | [0x3fff, 0..=0x0fff, ..] => true,
        [first, ..] => !(0x2000..=0x3fff).contains(&first),
    };
    !special
}

#[cfg(test)]
mod tests {
    use openidconnect::http;
    use tokio::{
        io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
        net::TcpListener,
    };

    use super::*;

    fn https() -> Https {
        Https::new(TrustedHosts::with_configured(["127.0.0.1:8081"]).unwrap())
    }

    #[test]
    fn each_kind_of_connector_reaches_only_what_it_needs() {
        use ConnectorKind::{AzureAd, Oidc};
        let https = https();
        let addresses = [
            ("https://login.microsoftonline.com/t/oauth2/v2.0/token", AzureAd, true),
            ("https://contoso.ciamlogin.com/t/v2.0", AzureAd, true),
            ("http://127.0.0.1:8081/t", AzureAd, true),
            ("http://127.0.0.1:8081/t", Oidc, true),
            ("https://idp.example/token", Oidc, true),
            ("https://1.1.1.1/token", Oidc, true),
            ("http://login.microsoftonline.com/t", AzureAd, false),
            ("https://login.microsoftonline.com:8443/t", AzureAd, false),
            ("https://idp.example/token", AzureAd, false),
            ("https://evil-login.microsoftonline.com/t", AzureAd, false),
            ("https://a.b.ciamlogin.com/t", AzureAd, false),
            ("http://127.0.0.1:8082/t", AzureAd, false),
            ("http://idp.example/token", Oidc, false),
            ("https://127.0.0.1/token", Oidc, false),
            ("https://127.0.0.1:8082/token", Oidc, false),
            ("https://169.254.169.254/latest/meta-data", Oidc, false),
            ("https://0x7f000001/token", Oidc, false),
            ("https://[::1]/token", Oidc, false),
            ("https://[::ffff:10.0.0.1]/token", Oidc, false),
            ("file:///etc/passwd", Oidc, false),
        ];

        for (address, kind, reached) in addresses {
            let url = Url::parse(address).unwrap();

            assert_eq!(https.client_for(kind, &url).is_ok(), reached, "{kind:?} {address}");
        }
    }

    #[test]
    fn private_and_special_addresses_are_not_public() {
        let special = [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.9.9.9",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::1",
            "3fff::1",
        ];
        let public = [
            "1.1.1.1",
            "8.8.8.8",
            "100.63.0.1",
            "100.128.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "192.169.0.1",
            "223.255.255.255",
            "2001:4860:4860::8888",
            "2a00:1450::1",
        ];

        for address in special {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
        for address in public {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[tokio::test]
    async fn a_name_that_leads_to_loopback_resolves_to_nothing() {
        let resolved = PublicAddresses.resolve("localhost".parse().unwrap()).await;

        assert!(resolved.is_err());
    }

    /// Answers the first request on each connection, and hangs up on the second.
    async fn hang_up_on_the_second(listener: TcpListener) {
        loop {
            let (connection, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let mut connection = BufReader::new(connection);
                let mut line = String::new();
                while line != "\r\n" {
                    line.clear();
                    connection.read_line(&mut line).await.unwrap();
                }
                let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
                connection.write_all(answer).await.unwrap();
                connection.read_line(&mut line).await.ok();
            });
        }
    }

    #[tokio::test]
    async fn a_connection_that_its_server_is_about_to_close_is_not_used_again() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        tokio::spawn(hang_up_on_the_second(listener));
        let https = Https::new(TrustedHosts::with_configured([address.as_str()]).unwrap());
        let door = https.door(ConnectorKind::Oidc, 100);
        let redeem = || {
            let request = http::Request::post(format!("http://{address}/token"));
            door.send(request.body(b"code=1".to_vec()).unwrap())
        };

        let first = redeem().await.map(|answer| answer.status());
        tokio::time::sleep(IDLE_TIMEOUT + Duration::from_millis(100)).await;
        let second = redeem().await.map(|answer| answer.status());

        assert_eq!(first.unwrap(), StatusCode::OK);
        assert_eq!(second.unwrap(), StatusCode::OK);
    }
}
