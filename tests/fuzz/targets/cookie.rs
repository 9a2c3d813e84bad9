//! What a browser, or who poses as one, sends as cookies.
//!
//! The input is the `Cookie` header; each line is a header of its own.

#![no_main]

use std::sync::LazyLock;

use actix_web::{
    cookie::Key,
    http::header::{COOKIE, HeaderMap, HeaderValue},
};
use aws_lc_rs::hmac;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use libfuzzer_sys::fuzz_target;
use portico::{
    domain::{master_key::MasterKey, secret::SecretDigest},
    http::cookies::Cookies,
};

/// The value of the one session that there is.
const VALUE: &str = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFG";

static MASTER_KEY: LazyLock<MasterKey> = LazyLock::new(|| MasterKey::new(&[7; 32]));
static COOKIES: LazyLock<[Cookies; 2]> =
    LazyLock::new(|| [true, false].map(|secure| Cookies::new(&MASTER_KEY, secure)));

/// Signature and value of that session, which only Portico can write.
static SIGNED: LazyLock<String> = LazyLock::new(|| {
    let key = Key::from(&*MASTER_KEY.derive::<64>("session cookie"));
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.signing());
    let tag = hmac::sign(&key, VALUE.as_bytes());
    format!("{}{VALUE}", BASE64_STANDARD.encode(tag))
});

fuzz_target!(|input: &[u8]| {
    // The fuzzer can't sign, so it writes `$` for what a signed cookie holds.
    let signed = input.contains(&b'$');
    let mut headers = HeaderMap::new();
    for line in input.split(|byte| *byte == b'\n') {
        let line = line.split(|byte| *byte == b'$').collect::<Vec<_>>().join(SIGNED.as_bytes());
        if let Ok(value) = HeaderValue::from_bytes(&line) {
            headers.append(COOKIE, value);
        }
    }
    for cookies in &*COOKIES {
        if let Some(digest) = cookies.session(&headers) {
            assert!(signed, "a session without a signature");
            assert_eq!(digest, SecretDigest::of(VALUE.as_bytes()));
        }
        if let Some(login) = cookies.login(&headers) {
            assert_eq!(login.expose().len(), 43);
        }
    }
});
