//! One HTTP request, as written.

use std::sync::LazyLock;

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use reqwest::{Client, redirect::Policy};

use super::answer::Answer;

/// A connection each, so that none outlives its test's runtime or keeps a server from stopping.
#[expect(clippy::disallowed_methods, reason = "a test's programs are outside of the service")]
static HTTP: LazyLock<Client> = LazyLock::new(|| {
    portico::app::install_crypto_provider();
    Client::builder()
        .redirect(Policy::none())
        .no_proxy()
        .pool_max_idle_per_host(0)
        .resolve("localhost", ([127, 0, 0, 1], 0).into())
        .build()
        .unwrap()
});

/// A request to be sent exactly so.
#[derive(Clone, Debug)]
pub struct Ask {
    pub method: Method,
    /// An address, or a path at the service.
    pub address: String,
    pub headers: HeaderMap,
    pub body: Option<String>,
}

impl Ask {
    pub fn new(method: Method, address: impl Into<String>) -> Self {
        Self { method, address: address.into(), headers: HeaderMap::new(), body: None }
    }

    pub fn get(address: impl Into<String>) -> Self {
        Self::new(Method::GET, address)
    }

    pub fn post(address: impl Into<String>) -> Self {
        Self::new(Method::POST, address)
    }

    /// Adds a header, also beside one of the same name.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        self.headers.append(name, HeaderValue::from_bytes(value.as_ref()).unwrap());
        self
    }

    #[must_use]
    pub fn body(mut self, body: impl Into<String>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// The fields as a form's body.
    #[must_use]
    pub fn form(self, fields: &[(String, String)]) -> Self {
        let body = serde_urlencoded::to_string(fields).unwrap();
        self.header("content-type", "application/x-www-form-urlencoded").body(body)
    }

    /// The answer, or why there is none.
    pub async fn try_send(self, origin: &str) -> Result<Answer, reqwest::Error> {
        let is_path = self.address.starts_with('/');
        let url = if is_path { format!("{origin}{}", self.address) } else { self.address };
        let mut request = HTTP.request(self.method, &url).headers(self.headers);
        if let Some(body) = self.body {
            request = request.body(body);
        }
        let response = request.send().await?;
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        Ok(Answer { url, status, headers, body: response.text().await? })
    }

    pub async fn send(self, origin: &str) -> Answer {
        self.try_send(origin).await.unwrap()
    }
}
