//! The two cookies: the session's, and the login's.
//!
//! # Why the login cookie's name has an end of its own
//!
//! Thirty tabs that a browser opens at once all ask before the first answer has brought a cookie, so
//! each answer brings one. Under a single name the last would take the others' place, and all but
//! one tab would come back to a cookie that is not theirs. Whatever comes later uses the first, and
//! the others are gone after ten minutes.
//!
//! # Why the session cookie is read in two ways
//!
//! actix-session wraps the pages that begin or end a session and writes the cookie. Every other
//! route only asks whose session it is, which must cost next to nothing, so [`Cookies::session`]
//! verifies the same signature over the same bytes by itself. `tests/stories/session_cookie.rs`
//! holds both to the same answers, but for two cookies that never were ours: actix-session gives
//! up on a header in which some other cookie is malformed, and takes a name that is percent-encoded.

use actix_session::{
    SessionMiddleware,
    config::{CookieContentSecurity, PersistentSession},
};
use actix_web::{
    cookie::{Cookie, Key, SameSite, time::Duration},
    http::header::{COOKIE, HeaderMap},
};
use aws_lc_rs::hmac;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use percent_encoding::percent_decode_str;

use crate::{
    domain::{
        master_key::MasterKey,
        secret::{Secret, SecretDigest},
    },
    http::session_store::SessionCookieStore,
    oidc::authorization_request,
    ports::Ports,
};

/// The signature before a cookie's value: a SHA-256 HMAC in base64.
const SIGNATURE_LENGTH: usize = 44;

/// The value after it: 256 bits in base64url.
const VALUE_LENGTH: usize = 43;

/// A longer cookie is not ours: signature and value, each character escaped at worst.
const LONGEST_VALUE: usize = 3 * (SIGNATURE_LENGTH + VALUE_LENGTH);

/// A browser keeps so many login cookies at most once a sign-in has succeeded.
const MOST_LOGINS: usize = 40;

/// Names, keys and attributes of the cookies.
#[derive(Clone)]
pub struct Cookies {
    session_name: &'static str,
    login_name: &'static str,
    secure: bool,
    key: Key,
    signature: hmac::Key,
}

impl Cookies {
    /// The cookies of a service whose pages are reached by https, or by plain http on loopback:
    /// there alone the `__Host-` prefix and `Secure` are dropped, since browsers refuse them.
    pub fn new(master_key: &MasterKey, secure: bool) -> Self {
        let key = Key::from(&*master_key.derive::<64>("session cookie"));
        let signature = hmac::Key::new(hmac::HMAC_SHA256, key.signing());
        let (session_name, login_name) = if secure {
            ("__Host-portico-session", "__Host-portico-login")
        } else {
            ("portico-session", "portico-login")
        };
        Self { session_name, login_name, secure, key, signature }
    }

    /// The digest of the session cookie's value, if the signature is ours.
    pub fn session(&self, headers: &HeaderMap) -> Option<SecretDigest> {
        let mut unescaped = [0; SIGNATURE_LENGTH + VALUE_LENGTH];
        let signed = unescape(find(headers, self.session_name)?, &mut unescaped)?;
        let (signature, value) = signed.split_at_checked(SIGNATURE_LENGTH)?;
        let mut tag = [0; 33];
        let length = BASE64_STANDARD.decode_slice(signature, &mut tag).ok()?;
        hmac::verify(&self.signature, value, &tag[..length]).ok()?;
        Some(SecretDigest::of(value))
    }

    /// What wraps the pages that begin or end a session.
    pub fn session_middleware(&self, ports: &Ports) -> SessionMiddleware<SessionCookieStore> {
        let absolute = ports.settings.session_limits.absolute.as_secs();
        let lifecycle = PersistentSession::default().session_ttl(Duration::seconds(absolute));
        SessionMiddleware::builder(SessionCookieStore::new(ports), self.key.clone())
            .cookie_name(self.session_name.to_owned())
            .cookie_secure(self.secure)
            .cookie_http_only(true)
            .cookie_same_site(SameSite::Lax)
            .cookie_path("/".to_owned())
            .cookie_content_security(CookieContentSecurity::Signed)
            .session_lifecycle(lifecycle)
            .build()
    }

    /// The value of the login cookie, which ties a sign-in to the browser that began it.
    pub fn login(&self, headers: &HeaderMap) -> Option<Secret> {
        self.logins(headers).next()
    }

    /// The values of the login cookies, at most a hundred.
    ///
    /// Without the `__Host-` prefix a neighbouring host or path can plant some, which the browser
    /// may send first.
    pub fn logins(&self, headers: &HeaderMap) -> impl Iterator<Item = Secret> {
        self.login_pairs(headers).filter_map(|(_, value)| login_value(value)).take(100)
    }

    /// The end of the login cookies beyond the first forty: tabs that opened at once have left one
    /// each, and proxies refuse headers that grow too long.
    pub fn without_surplus_logins(&self, headers: &HeaderMap) -> Vec<Cookie<'static>> {
        let surplus = self.login_pairs(headers).skip(MOST_LOGINS).map(|(name, _)| name.to_owned());
        let end = |name| {
            let mut cookie = Cookie::build(name, "").path("/").secure(self.secure).finish();
            cookie.make_removal();
            cookie
        };
        surplus.take(100).map(end).collect()
    }

    fn login_pairs<'h>(&self, headers: &'h HeaderMap) -> impl Iterator<Item = (&'h str, &'h str)> {
        let name = self.login_name;
        pairs(headers).filter(move |(found, _)| {
            found.strip_prefix(name).is_some_and(|end| end.is_empty() || end.starts_with('-'))
        })
    }

    /// The login cookie with this value, good for another ten minutes.
    pub fn new_login(&self, value: &Secret) -> Cookie<'static> {
        let [a, b, c, d, ..] = *value.digest().as_bytes();
        let name = format!("{}-{a:02x}{b:02x}{c:02x}{d:02x}", self.login_name);
        Cookie::build(name, value.expose().to_owned())
            .path("/")
            .http_only(true)
            .secure(self.secure)
            .same_site(SameSite::Lax)
            .max_age(Duration::seconds(authorization_request::LIFETIME.as_secs()))
            .finish()
    }
}

fn login_value(escaped: &str) -> Option<Secret> {
    let mut unescaped = [0; VALUE_LENGTH];
    let value = std::str::from_utf8(unescape(escaped, &mut unescaped)?).ok()?;
    (value.len() == VALUE_LENGTH).then(|| Secret::new(value))
}

/// The first cookie of this name, still escaped; `None` also if it is longer than any of ours.
fn find<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let (_, value) = pairs(headers).find(|(found, _)| *found == name)?;
    Some(value).filter(|value| value.len() <= LONGEST_VALUE)
}

/// All cookies by name and value, still escaped.
fn pairs(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    headers
        .get_all(COOKIE)
        .flat_map(|header| header.as_bytes().split(|byte| *byte == b';'))
        .filter_map(|pair| std::str::from_utf8(pair).ok()?.split_once('='))
        .map(|(name, value)| (name.trim(), unquoted(value.trim())))
}

/// The bytes that a cookie's value stands for; `None` if there are more than fit.
fn unescape<'b>(escaped: &str, buffer: &'b mut [u8]) -> Option<&'b [u8]> {
    let mut length = 0;
    for byte in percent_decode_str(escaped) {
        *buffer.get_mut(length)? = byte;
        length += 1;
    }
    Some(&buffer[..length])
}

/// A value without the quotation marks that may stand around it (RFC 6265 §4.1.1).
fn unquoted(value: &str) -> &str {
    value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    #[test]
    fn of_the_login_cookies_of_a_hundred_tabs_forty_stay() {
        let cookies = Cookies::new(&MasterKey::new(&[7; 32]), true);
        let header = |count: usize| {
            let tabs = (0..count).map(|tab| format!("__Host-portico-login-{tab:08x}=x"));
            let all = tabs.chain(["other=1".to_owned()]).collect::<Vec<_>>().join("; ");
            HeaderMap::from_iter([(COOKIE, HeaderValue::from_str(&all).unwrap())])
        };

        let few = cookies.without_surplus_logins(&header(40));
        let many = cookies.without_surplus_logins(&header(100));

        assert_eq!((few.len(), many.len()), (0, 60));
        let last = many.last().unwrap();
        assert_eq!(
            (last.name(), last.max_age()),
            ("__Host-portico-login-00000063", Some(Duration::ZERO))
        );
        assert_eq!((last.path(), last.secure()), (Some("/"), Some(true)));
    }
}
