//! `[redis]`

use std::{fmt, str::FromStr};

use redis::Client;
use serde::{Deserialize, Serialize, Serializer};
use url::Url;

use super::reading::Section;
use crate::domain::secret::Secret;

/// `[redis]`: where sessions and sign-ins under way are kept instead of in the database.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Redis {
    /// The Redis, like `redis://127.0.0.1:6379/0`, or `rediss://` for TLS. Default: none.
    pub url: Option<RedisUrl>,
    /// What every key there begins with; 1 to 64 printable characters without space, `{` and `}`.
    /// Default `portico:`.
    pub prefix: String,
}

impl Default for Redis {
    fn default() -> Self {
        Self { url: None, prefix: "portico:".to_owned() }
    }
}

impl Section for Redis {
    const NAME: &'static str = "redis";
    const MASKED: &'static [&'static str] = &["url"];

    fn contradiction(&self) -> Option<&'static str> {
        let is_plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'{' | b'}');
        let fits = (1..=64).contains(&self.prefix.len()) && self.prefix.bytes().all(is_plain);
        (!fits).then_some(
            "redis.prefix must have 1 to 64 printable ASCII characters, without space, { and }",
        )
    }
}

/// The address of a Redis, which may hold a password: shown without it.
#[derive(Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct RedisUrl(Secret);

/// A text is not a [`RedisUrl`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be like redis://127.0.0.1:6379/0, or rediss://user:password@redis.example.com")]
pub struct NotARedisUrl;

impl RedisUrl {
    /// The whole address, for the client alone.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

impl FromStr for RedisUrl {
    type Err = NotARedisUrl;

    fn from_str(text: &str) -> Result<Self, NotARedisUrl> {
        let url = Url::parse(text).map_err(|_| NotARedisUrl)?;
        let is_redis = matches!(url.scheme(), "redis" | "rediss") && url.has_host();
        let is_bare = url.query().is_none() && url.fragment().is_none();
        if is_redis && is_bare && Client::open(text).is_ok() {
            Ok(Self(Secret::new(text)))
        } else {
            Err(NotARedisUrl)
        }
    }
}

impl TryFrom<String> for RedisUrl {
    type Error = NotARedisUrl;

    fn try_from(text: String) -> Result<Self, NotARedisUrl> {
        text.parse()
    }
}

impl fmt::Display for RedisUrl {
    /// With asterisks in the place of the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut url = Url::parse(self.expose()).expect("it was parsed before");
        if url.password().is_some() {
            url.set_password(Some("********")).expect("a URL with a host may have a password");
        }
        f.write_str(url.as_str())
    }
}

impl fmt::Debug for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RedisUrl({self})")
    }
}

impl Serialize for RedisUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
