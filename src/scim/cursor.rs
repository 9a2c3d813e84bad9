//! Places in a list that a client can come back to (RFC 9865).

use std::fmt;

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey},
    digest,
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::{
    domain::{id::ConnectorId, master_key::MasterKey},
    scim::{error::ScimError, schema::ResourceType},
};

/// How long a cursor leads on, in seconds.
pub const CURSOR_TIMEOUT: i64 = 3600;

const VERSION: u8 = 1;
const NONCE: usize = 12;
const PLAIN: usize = 17;
const TAG: usize = 16;
const SEALED: usize = 1 + NONCE + PLAIN + TAG;

/// A place in a list, as a client has it: base64url of what only a [`CursorKey`] opens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Cursor(String);

impl Cursor {
    /// A cursor as a client sends it; whether it is one shows when it is opened.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text to send.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A place in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Position {
    /// Behind the resource with this position number, in the order of creation.
    After(u64),
    /// Behind so many resources, in any order.
    Offset(u64),
}

/// What a list is a list of. A cursor leads on in that list only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct List {
    /// Whose resources.
    pub connector_id: ConnectorId,
    /// Of which kind; `None` is both.
    pub kind: Option<ResourceType>,
    /// Which of them, in which order.
    pub query: QueryDigest,
}

impl List {
    /// What is bound into a cursor.
    fn bytes(&self) -> [u8; 49] {
        let mut bytes = [0; 49];
        bytes[..16].copy_from_slice(self.connector_id.as_bytes());
        bytes[16] = match self.kind {
            None => 0,
            Some(ResourceType::User) => 1,
            Some(ResourceType::Group) => 2,
        };
        bytes[17..].copy_from_slice(&self.query.0);
        bytes
    }
}

/// The SHA-256 of what makes two queries list the same resources in the same order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct QueryDigest([u8; 32]);

impl QueryDigest {
    /// The digest of a query written out.
    pub(in crate::scim) fn of(query: &[u8]) -> Self {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest::digest(&digest::SHA256, query).as_ref());
        Self(bytes)
    }
}

/// What cursors are sealed under, so that nobody reads or makes one.
pub struct CursorKey(RandomizedNonceKey);

impl CursorKey {
    /// The key for cursors: the same on every node and after every start.
    ///
    /// # Panics
    /// Never: the length is fixed.
    pub fn derive(master_key: &MasterKey) -> Self {
        let bytes = master_key.derive::<32>("SCIM cursors");
        let key = RandomizedNonceKey::new(&AES_256_GCM, &*bytes);
        Self(key.expect("AES-256 takes 32 bytes"))
    }

    /// A cursor to a place in a list.
    ///
    /// # Panics
    /// If the system has no randomness to give.
    pub fn seal(&self, list: &List, position: Position, now: Timestamp) -> Cursor {
        let (kind, number) = match position {
            Position::After(number) => (0, number),
            Position::Offset(number) => (1, number),
        };
        let mut text = vec![kind];
        text.extend_from_slice(&number.to_be_bytes());
        text.extend_from_slice(&now.as_second().to_be_bytes());
        let nonce = self
            .0
            .seal_in_place_append_tag(Aad::from(list.bytes()), &mut text)
            .expect("the system's random source answers");
        let sealed = [&[VERSION], nonce.as_ref().as_slice(), &text].concat();
        Cursor(BASE64_URL_SAFE_NO_PAD.encode(sealed))
    }

    /// The place that a cursor leads to.
    ///
    /// # Errors
    ///
    /// [`ScimError::InvalidCursor`] for one that was not made here, or for another list;
    /// [`ScimError::ExpiredCursor`] an hour after it was made.
    pub fn open(
        &self,
        cursor: &Cursor,
        list: &List,
        now: Timestamp,
    ) -> Result<Position, ScimError> {
        let (position, made_at) = self.opened(cursor, list).ok_or_else(|| {
            let detail = "the cursor is not one of this query; begin again without";
            ScimError::InvalidCursor(detail.into())
        })?;
        if now.duration_since(made_at) >= SignedDuration::from_secs(CURSOR_TIMEOUT) {
            let detail = "the cursor is older than an hour; begin again without";
            return Err(ScimError::ExpiredCursor(detail.into()));
        }
        Ok(position)
    }

    fn opened(&self, cursor: &Cursor, list: &List) -> Option<(Position, Timestamp)> {
        // Decoding what is far too long would be work for nothing.
        let text = Some(cursor.as_str()).filter(|text| text.len() <= 2 * SEALED)?;
        let sealed = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
        if sealed.len() != SEALED || sealed[0] != VERSION {
            return None;
        }
        let (nonce, text) = sealed[1..].split_at(NONCE);
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut text = text.to_vec();
        let plain = self.0.open_in_place(nonce, Aad::from(list.bytes()), &mut text).ok()?;
        let number = u64::from_be_bytes(plain[1..9].try_into().ok()?);
        let made_at = i64::from_be_bytes(plain[9..].try_into().ok()?);
        let position = match plain[0] {
            0 => Position::After(number),
            _ => Position::Offset(number),
        };
        Some((position, Timestamp::from_second(made_at).ok()?))
    }
}

impl fmt::Debug for CursorKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CursorKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::constant(1_800_000_000, 0);

    fn key() -> CursorKey {
        CursorKey::derive(&MasterKey::new(&[7; 32]))
    }

    fn list() -> List {
        List {
            connector_id: ConnectorId::from_bytes([3; 16]),
            kind: Some(ResourceType::User),
            query: QueryDigest::of(b"everybody"),
        }
    }

    #[test]
    fn a_cursor_leads_back_to_its_place_on_every_node() {
        for position in [Position::After(0), Position::After(u64::MAX), Position::Offset(200)] {
            let cursor = key().seal(&list(), position, NOW);

            assert_eq!(key().open(&cursor, &list(), NOW), Ok(position));
            let unreserved =
                |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
            assert!(cursor.as_str().bytes().all(unreserved), "{cursor:?}");
        }
    }

    #[test]
    fn a_cursor_of_another_list_is_invalid() {
        let cursor = key().seal(&list(), Position::After(7), NOW);
        let others = [
            List { connector_id: ConnectorId::from_bytes([4; 16]), ..list() },
            List { kind: Some(ResourceType::Group), ..list() },
            List { kind: None, ..list() },
            List { query: QueryDigest::of(b"nobody"), ..list() },
        ];
        for other in others {
            let refused = key().open(&cursor, &other, NOW);

            assert!(matches!(refused, Err(ScimError::InvalidCursor(_))), "{other:?}");
        }
    }

    #[test]
    fn a_cursor_that_was_not_made_here_is_invalid() {
        let cursor = key().seal(&list(), Position::After(7), NOW).0;
        let theirs = CursorKey::derive(&MasterKey::new(&[8; 32]));
        let changed = |at: usize| {
            let mut bytes = BASE64_URL_SAFE_NO_PAD.decode(&cursor).unwrap();
            bytes[at] ^= 1;
            BASE64_URL_SAFE_NO_PAD.encode(bytes)
        };
        let mut forgeries: Vec<_> = (0..SEALED).map(changed).collect();
        forgeries.extend((0..cursor.len()).map(|end| cursor[..end].to_owned()));
        forgeries.extend([format!("{cursor}A"), "7".into(), "é".into(), "A".repeat(1_000_000)]);
        forgeries.push(theirs.seal(&list(), Position::After(7), NOW).0);
        for forgery in forgeries {
            let refused = key().open(&Cursor::new(forgery.clone()), &list(), NOW);

            assert!(matches!(refused, Err(ScimError::InvalidCursor(_))), "{forgery:.80}");
        }
    }

    #[test]
    fn a_cursor_expires_after_an_hour() {
        let cursor = key().seal(&list(), Position::After(7), NOW);
        let later = |seconds| NOW + SignedDuration::from_secs(seconds);

        let before = key().open(&cursor, &list(), later(3599));
        let after = key().open(&cursor, &list(), later(3600));

        assert_eq!(before, Ok(Position::After(7)));
        assert!(matches!(after, Err(ScimError::ExpiredCursor(_))));
    }
}
