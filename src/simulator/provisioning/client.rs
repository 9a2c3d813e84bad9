//! The HTTP side: requests as Entra's provisioning service sends them.

use std::time::Duration;

use actix_web::http::header;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Client, Method, RequestBuilder, redirect::Policy};
use serde_json::Value;
use tokio::{sync::Mutex, time::Instant};

use super::{
    dialect::{Dialect, patch},
    report::ResourceKind,
};
use crate::domain::secret::Secret;

/// The flag that turns the standard's PATCH on, appended to the Tenant URL.
const FEATURE_FLAG: &str = "aadOptscim062020";
/// How often a request is sent again at most, within a cycle, where the target is busy.
const TRIES_WHEN_BUSY: usize = 3;
/// The pause where a busy target does not say how long.
const PAUSE_WHEN_BUSY: Duration = Duration::from_secs(5);

/// What the administrator pastes into the provisioning page.
#[derive(Clone, Debug)]
pub struct ScimTarget {
    /// The Tenant URL; may end in a slash and in `?aadOptscim062020`.
    pub url: String,
    /// The credential.
    pub credential: ScimCredential,
    /// Whether the feature flag is on, beside the URL's own.
    pub feature_flag: bool,
}

/// How the target knows that it is Entra who calls.
#[derive(Clone, Debug)]
pub enum ScimCredential {
    /// The "Secret Token".
    Bearer(Secret),
    /// A user name and a password.
    Basic {
        /// The user name.
        username: String,
        /// The password.
        password: Secret,
    },
    /// An access token, fetched when it is needed (RFC 6749 §4.4).
    ClientCredentials {
        /// The "Token Endpoint".
        token_url: String,
        /// The "Client Identifier".
        client_id: String,
        /// The "Client Secret".
        client_secret: Secret,
    },
}

/// What the target said.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// Null if it is no JSON.
    pub(super) body: Value,
    text: String,
    /// How long the target asks to be left alone.
    retry_after: Option<Duration>,
}

impl Answer {
    /// What the administrator reads in the log: the error's `detail`, else the beginning.
    pub(super) fn detail(&self) -> String {
        let detail = self.body["detail"].as_str().unwrap_or(&self.text);
        detail.chars().take(500).collect()
    }

    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NoAnswer {
    pub(super) timed_out: bool,
    pub(super) cause: String,
}

/// A client for one target.
pub(super) struct ScimClient {
    http: Client,
    base: String,
    credential: ScimCredential,
    /// The access token in use, if the credential is for fetching one.
    access_token: Mutex<Option<Secret>>,
    /// Until when the target asked to be left alone.
    paused_until: Mutex<Option<Instant>>,
    longest_pause: Duration,
    has_flag: bool,
}

impl ScimClient {
    /// A client that waits for an answer as long as `timeout`, and as long as `longest_pause` where
    /// it is asked to.
    ///
    /// # Panics
    /// If the system's certificates cannot be read.
    pub(super) fn new(target: ScimTarget, timeout: Duration, longest_pause: Duration) -> Self {
        #[expect(clippy::disallowed_methods, reason = "the simulator is somebody else's program")]
        let http = Client::builder()
            .no_proxy()
            .redirect(Policy::none())
            .connect_timeout(Duration::from_secs(5))
            .timeout(timeout)
            .build()
            .expect("a client with ordinary settings is built where TLS works at all");
        let (path, query) = target.url.trim().split_once('?').unwrap_or((target.url.trim(), ""));
        Self {
            http,
            base: path.trim_end_matches('/').to_owned(),
            has_flag: target.feature_flag || query.contains(FEATURE_FLAG),
            credential: target.credential,
            access_token: Mutex::default(),
            paused_until: Mutex::default(),
            longest_pause,
        }
    }

    /// The dialect that the Tenant URL asks for.
    pub(super) const fn dialect(&self) -> Dialect {
        if self.has_flag { Dialect::Flagged } else { Dialect::Default }
    }

    /// `GET /{resources}?filter={attribute} eq "{value}"`; of groups never the members.
    pub(super) async fn find(
        &self,
        resource: ResourceKind,
        attribute: &str,
        value: &str,
    ) -> Result<Answer, NoAnswer> {
        let filter = format!("{attribute} eq {}", Value::from(value));
        let mut query = without_members(resource).to_vec();
        query.push(("filter", &filter));
        self.send(Method::GET, resource.endpoint(), &query, None).await
    }

    /// `GET /{resources}/{id}`; of a group never the members.
    pub(super) async fn read(&self, resource: ResourceKind, id: &str) -> Result<Answer, NoAnswer> {
        self.send(Method::GET, &address(resource, id), without_members(resource), None).await
    }

    pub(super) async fn create(
        &self,
        resource: ResourceKind,
        body: &Value,
    ) -> Result<Answer, NoAnswer> {
        self.send(Method::POST, resource.endpoint(), &[], Some(body)).await
    }

    pub(super) async fn patch(
        &self,
        resource: ResourceKind,
        id: &str,
        operations: &[Value],
    ) -> Result<Answer, NoAnswer> {
        let body = patch(operations);
        self.send(Method::PATCH, &address(resource, id), &[], Some(&body)).await
    }

    pub(super) async fn delete(
        &self,
        resource: ResourceKind,
        id: &str,
    ) -> Result<Answer, NoAnswer> {
        self.send(Method::DELETE, &address(resource, id), &[], None).await
    }

    /// Once more with a new access token after a 401, since one ends before the job does; and again
    /// after a 429, when the target may be asked again.
    async fn send(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Answer, NoAnswer> {
        let mut renewed = false;
        for _ in 0..TRIES_WHEN_BUSY {
            let answer = self.try_send(method.clone(), path, query, body).await?;
            match answer.status {
                401 if !renewed && self.access_token.lock().await.take().is_some() => {
                    renewed = true;
                }
                429 => self.pause(answer.retry_after).await,
                _ => return Ok(answer),
            }
        }
        self.try_send(method, path, query, body).await
    }

    async fn try_send(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Answer, NoAnswer> {
        self.respect_pause().await;
        let request = self.http.request(method, self.url(path, query));
        let mut request = self.authorized(request).await?;
        if let Some(body) = body {
            request = request
                .header(header::CONTENT_TYPE.as_str(), "application/scim+json; charset=utf-8")
                .body(body.to_string());
        }
        answer_to(request).await
    }

    /// Leaves the target alone from now on, with all requests.
    async fn pause(&self, retry_after: Option<Duration>) {
        let pause = retry_after.unwrap_or(PAUSE_WHEN_BUSY).min(self.longest_pause);
        *self.paused_until.lock().await = Some(Instant::now() + pause);
    }

    async fn respect_pause(&self) {
        let until = *self.paused_until.lock().await;
        if let Some(until) = until {
            tokio::time::sleep_until(until).await;
        }
    }

    /// The feature flag travels on every request, as a query parameter without a value.
    fn url(&self, path: &str, query: &[(&str, &str)]) -> String {
        let flag = self.has_flag.then(|| FEATURE_FLAG.to_owned());
        let pairs = (!query.is_empty()).then(|| {
            url::form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish()
        });
        let query: Vec<String> = flag.into_iter().chain(pairs).collect();
        let separator = if query.is_empty() { "" } else { "?" };
        format!("{}/{path}{separator}{}", self.base, query.join("&"))
    }

    /// No `User-Agent`, as with Entra, but the header by which some servers know it.
    async fn authorized(&self, request: RequestBuilder) -> Result<RequestBuilder, NoAnswer> {
        let request = request
            .header(header::ACCEPT.as_str(), "application/scim+json")
            .header("adscimversion", "2.0");
        Ok(match &self.credential {
            ScimCredential::Bearer(token) => request.bearer_auth(token.expose()),
            ScimCredential::Basic { username, password } => {
                request.basic_auth(username, Some(password.expose()))
            }
            ScimCredential::ClientCredentials { token_url, client_id, client_secret } => {
                let mut token = self.access_token.lock().await;
                if token.is_none() {
                    *token = Some(self.fetch_token(token_url, client_id, client_secret).await?);
                }
                request.bearer_auth(token.as_ref().map_or("", Secret::expose))
            }
        })
    }

    async fn fetch_token(&self, url: &str, id: &str, secret: &Secret) -> Result<Secret, NoAnswer> {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", id),
            ("client_secret", secret.expose()),
        ];
        let answer = answer_to(self.http.post(url).form(&form)).await?;
        let token = answer.body["access_token"].as_str().filter(|_| answer.status == 200);
        let cause = || format!("no access token (status {}): {}", answer.status, answer.detail());
        token.map(Secret::new).ok_or_else(|| NoAnswer { timed_out: false, cause: cause() })
    }
}

async fn answer_to(request: RequestBuilder) -> Result<Answer, NoAnswer> {
    let explain = |error: reqwest::Error| NoAnswer {
        timed_out: error.is_timeout(),
        cause: error.without_url().to_string(),
    };
    let response = request.send().await.map_err(explain)?;
    let status = response.status().as_u16();
    let retry_after = response.headers().get(header::RETRY_AFTER.as_str());
    let retry_after = retry_after.and_then(|seconds| seconds.to_str().ok()?.parse().ok());
    let retry_after = retry_after.map(Duration::from_secs);
    let text = response.text().await.map_err(explain)?;
    let body = serde_json::from_str(&text).unwrap_or_default();
    Ok(Answer { status, body, text, retry_after })
}

const fn without_members(resource: ResourceKind) -> &'static [(&'static str, &'static str)] {
    match resource {
        ResourceKind::User => &[],
        ResourceKind::Group => &[("excludedAttributes", "members")],
    }
}

fn address(resource: ResourceKind, id: &str) -> String {
    const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');
    format!("{}/{}", resource.endpoint(), utf8_percent_encode(id, PLAIN))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_feature_flag_and_the_slash_of_the_tenant_url_end_up_where_they_belong() {
        let url = |url: &str| {
            let credential = ScimCredential::Bearer(Secret::new("t"));
            let target = ScimTarget { url: url.into(), credential, feature_flag: false };
            ScimClient::new(target, Duration::ZERO, Duration::ZERO)
                .url("Users", &[("filter", r#"userName eq "a+b""#)])
        };

        let plain = url("http://127.0.0.1:1/scim/v2/c/");
        let flagged = url("http://127.0.0.1:1/scim/v2/c/?aadOptscim062020");

        let filter = "filter=userName+eq+%22a%2Bb%22";
        assert_eq!(plain, format!("http://127.0.0.1:1/scim/v2/c/Users?{filter}"));
        assert_eq!(
            flagged,
            format!("http://127.0.0.1:1/scim/v2/c/Users?aadOptscim062020&{filter}")
        );
    }
}
