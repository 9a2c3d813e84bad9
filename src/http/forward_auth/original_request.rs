//! What a proxy tells of the request that it asks about.

use actix_web::{
    HttpRequest,
    http::{header::HeaderMap, uri::PathAndQuery},
};

/// The request that is asked about, as far as the proxy tells; believed only in how to refuse it,
/// and as a place to return to, which is checked like any other.
pub struct OriginalRequest {
    /// Whether a person looks at a page that is to change, and not a script at an answer.
    pub is_navigation: bool,
    /// Whether it can be asked again by following a link.
    pub is_read: bool,
    /// Its address, as far as it can be told.
    pub address: Option<String>,
    /// Whether a redirect reaches the browser.
    pub passes_redirects: bool,
}

impl OriginalRequest {
    /// As `X-Forwarded-*` or `X-Original-*` describe it. The former go first: a proxy that sends
    /// them may pass on whatever its client says in the latter.
    pub fn described(request: &HttpRequest) -> Self {
        let headers = request.headers();
        let text = |name| text(headers, name);
        let method = text("x-forwarded-method").or_else(|| text("x-original-method"));
        let forwarded = text("x-forwarded-uri");
        let address = |path| {
            Some(format!("{}://{}{path}", text("x-forwarded-proto")?, text("x-forwarded-host")?))
        };
        let original = || text("x-original-url").map(str::to_owned);
        Self {
            is_navigation: is_navigation(headers),
            is_read: method.is_none_or(is_read),
            address: match forwarded {
                Some(path) => address(path),
                None => original().or_else(|| address(text("x-original-uri")?)),
            },
            passes_redirects: forwarded.is_some(),
        }
    }

    /// The request at hand is the original one, its path behind a prefix.
    pub fn itself(request: &HttpRequest) -> Self {
        let headers = request.headers();
        let path = request.uri().path_and_query().map_or("", PathAndQuery::as_str);
        let path = path.strip_prefix("/auth/check").unwrap_or_default();
        let origin = text(headers, "x-forwarded-proto").zip(text(headers, "host"));
        Self {
            is_navigation: is_navigation(headers),
            is_read: is_read(request.method().as_str()),
            address: origin.map(|(scheme, host)| format!("{scheme}://{host}{path}")),
            passes_redirects: true,
        }
    }
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn is_read(method: &str) -> bool {
    method == "GET" || method == "HEAD"
}

fn is_navigation(headers: &HeaderMap) -> bool {
    if text(headers, "x-requested-with") == Some("XMLHttpRequest") {
        return false;
    }
    if headers.contains_key("sec-fetch-mode") {
        return text(headers, "sec-fetch-mode") == Some("navigate");
    }
    text(headers, "accept").is_some_and(|accept| accept.contains("text/html"))
}
