//! The self-signed certificate in the `x5c` of a signing key: as much DER as that takes.

use aws_lc_rs::{encoding::AsDer as _, rsa::KeyPair, signature::KeyPair as _};

use super::jws;

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const UTF8_STRING: u8 = 0x0c;
const UTC_TIME: u8 = 0x17;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const VERSION: u8 = 0xa0;

/// `sha256WithRSAEncryption` with its NULL parameter (RFC 4055 §5), complete.
const SHA256_WITH_RSA: &[u8] =
    &[0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b, 5, 0];
/// `id-at-commonName` (RFC 5280 appendix A), complete.
const COMMON_NAME: &[u8] = &[0x06, 3, 0x55, 0x04, 0x03];
/// Whose name Entra's own signing certificates bear.
const SUBJECT: &[u8] = b"accounts.accesscontrol.windows.net";

/// A certificate of `pair`'s public key, signed by itself, valid from 2020 to 2049.
pub(super) fn self_signed(pair: &KeyPair, serial: [u8; 8]) -> Vec<u8> {
    let body = to_be_signed(pair, serial);
    let signature = [&[0], &*jws::rs256(pair, &body)].concat();
    der(SEQUENCE, &[&body, SHA256_WITH_RSA, &der(BIT_STRING, &[&signature])])
}

fn to_be_signed(pair: &KeyPair, serial: [u8; 8]) -> Vec<u8> {
    let version = der(VERSION, &[&der(INTEGER, &[&[2]])]);
    // A leading 1 keeps the number positive and free of superfluous zeros.
    let serial = der(INTEGER, &[&[1], &serial]);
    let common_name = der(SEQUENCE, &[COMMON_NAME, &der(UTF8_STRING, &[SUBJECT])]);
    let name = der(SEQUENCE, &[&der(SET, &[&common_name])]);
    let validity =
        der(SEQUENCE, &[&der(UTC_TIME, &[b"200101000000Z"]), &der(UTC_TIME, &[b"491231235959Z"])]);
    let public_key = pair.public_key().as_der().expect("a generated key has a DER form");
    der(
        SEQUENCE,
        &[&version, &serial, SHA256_WITH_RSA, &name, &validity, &name, public_key.as_ref()],
    )
}

/// One element: tag, length, and `parts` one after the other.
fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let mut element = vec![tag];
    match u16::try_from(content.len()).expect("a certificate is far shorter than 64 KiB") {
        length @ 0..=0x7f => element.push(length.to_be_bytes()[1]),
        length @ 0x80..=0xff => element.extend([0x81, length.to_be_bytes()[1]]),
        length => element.extend([&[0x82], &length.to_be_bytes()[..]].concat()),
    }
    element.extend(content);
    element
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_written_in_as_few_bytes_as_der_allows() {
        let cases: [(usize, &[u8]); 4] =
            [(0, &[4, 0]), (127, &[4, 127]), (128, &[4, 0x81, 128]), (256, &[4, 0x82, 1, 0])];

        for (length, head) in cases {
            assert!(der(4, &[&vec![7; length]]).starts_with(head), "{length}");
        }
    }
}
