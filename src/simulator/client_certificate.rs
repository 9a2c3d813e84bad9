//! Certificates that an application signs its assertions with, as the administrator uploads them.

use aws_lc_rs::digest;
use base64::{Engine as _, prelude::BASE64_STANDARD};

use super::jws::{base64url, sha256};

const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;

/// An uploaded certificate: what identifies it, and its public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificate {
    /// The SHA-1 of the DER form in base64url, a JWS header's `x5t`.
    pub x5t: String,
    /// The SHA-256 of the DER form in base64url, a JWS header's `x5t#S256`.
    pub x5t_s256: String,
    /// The `SubjectPublicKeyInfo` in DER.
    pub(super) public_key: Vec<u8>,
}

/// A text is not a PEM certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is not a PEM certificate (BEGIN CERTIFICATE)")]
pub struct NotACertificate;

impl ClientCertificate {
    /// The certificate of a `.cer` or `.pem` file. Neither its dates nor its signature are checked.
    pub fn parse(pem: &str) -> Result<Self, NotACertificate> {
        let (_, after) = pem.split_once("-----BEGIN CERTIFICATE-----").ok_or(NotACertificate)?;
        let (body, _) = after.split_once("-----END CERTIFICATE-----").ok_or(NotACertificate)?;
        let body: String = body.split_whitespace().collect();
        let der = BASE64_STANDARD.decode(body).map_err(|_| NotACertificate)?;
        let public_key = public_key(&der).ok_or(NotACertificate)?.to_vec();
        let x5t = base64url(digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, &der).as_ref());
        Ok(Self { x5t, x5t_s256: base64url(&sha256(&der)), public_key })
    }
}

/// The seventh part of the signed body, or the sixth if the version is left out (RFC 5280 §4.1).
fn public_key(certificate: &[u8]) -> Option<&[u8]> {
    let body = Element::read(Element::read(certificate)?.of(SEQUENCE)?.content)?.of(SEQUENCE)?;
    let first = Element::read(body.content)?;
    let mut rest = if first.tag == VERSION { first.rest } else { body.content };
    for _before in ["serialNumber", "signature", "issuer", "validity", "subject"] {
        rest = Element::read(rest)?.rest;
    }
    Some(Element::read(rest)?.of(SEQUENCE)?.whole)
}

/// The first DER element of some bytes.
struct Element<'a> {
    tag: u8,
    content: &'a [u8],
    whole: &'a [u8],
    rest: &'a [u8],
}

impl<'a> Element<'a> {
    fn read(input: &'a [u8]) -> Option<Self> {
        let [tag, first, after @ ..] = input else { return None };
        let (length, after) = match first {
            0..=0x7f => (usize::from(*first), after),
            0x81 => (usize::from(*after.first()?), &after[1..]),
            0x82 => {
                let (bytes, after) = after.split_first_chunk::<2>()?;
                (usize::from(u16::from_be_bytes(*bytes)), after)
            }
            _ => return None,
        };
        let (content, rest) = after.split_at_checked(length)?;
        Some(Self { tag: *tag, content, whole: &input[..input.len() - rest.len()], rest })
    }

    fn of(self, tag: u8) -> Option<Self> {
        (self.tag == tag).then_some(self)
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::{encoding::AsDer as _, signature::KeyPair as _};

    use super::*;
    use crate::simulator::{certificate, jws, keys};

    #[test]
    fn the_public_key_of_a_certificate_is_found() {
        let pair = keys::key(0).pair();
        let der = certificate::self_signed(pair, [7; 8]);
        let body = jws::base64(&der);
        let pem = format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n");

        let certificate = ClientCertificate::parse(&pem).unwrap();

        assert_eq!(certificate.public_key, pair.public_key().as_der().unwrap().as_ref());
    }

    #[test]
    fn what_is_cut_short_or_something_else_is_no_certificate() {
        let whole = certificate::self_signed(keys::key(0).pair(), [7; 8]);
        let pem = |der: &[u8]| {
            let body = jws::base64(der);
            format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n")
        };
        let cases = [String::new(), pem(&[]), pem(&whole[..100]), pem(&[0x30, 0x81]), pem(b"text")];

        for case in cases {
            assert_eq!(ClientCertificate::parse(&case), Err(NotACertificate), "{case}");
        }
    }
}
