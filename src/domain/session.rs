//! A signed-in browser or device.

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode, utf8_percent_encode};

use crate::domain::{
    access_role::AccessRole,
    id::{AccountId, ConnectorId, OrganizationId},
    organization::Slug,
    secret::{Secret, SecretDigest},
};

/// A signed-in browser or device: server side, listable, revocable.
///
/// Alive while its account's epoch is the one it was made under, it was used within
/// [`idle`](SessionLimits::idle), and [`expires_at`](Self::expires_at) has not come.
#[derive(Clone, Debug, PartialEq)]
pub struct Session {
    /// The digest of the cookie's value; the value itself is kept by the browser alone.
    pub digest: SecretDigest,
    /// Whose it is.
    pub organization_id: OrganizationId,
    /// Who is signed in.
    pub account_id: AccountId,
    /// Through which connector.
    pub connector_id: ConnectorId,
    /// The account's epoch when the session was made or last given a role.
    pub access_epoch: u64,
    /// What the ID token's role claim gave, if anything.
    pub token_role: Option<AccessRole>,
    /// What the person may do in this session.
    pub role: AccessRole,
    /// The provider's name for its own session, which its front-channel logout sends.
    pub sid: Option<String>,
    /// When the person signed in here.
    pub created_at: Timestamp,
    /// When the session was last used; written behind, so it may be a minute old after a crash.
    pub last_seen_at: Timestamp,
    /// How long it may rest unused.
    pub idle: SignedDuration,
    /// When it ends whatever is done with it.
    pub expires_at: Timestamp,
    /// The browser's `User-Agent`, at most 256 characters.
    pub user_agent: String,
    /// The address it was made from.
    pub address: String,
}

impl Session {
    /// Whether neither limit has passed at `now`, having been used last at `last_seen_at`.
    pub fn is_within_limits(&self, last_seen_at: Timestamp, now: Timestamp) -> bool {
        now < self.expires_at && now.duration_since(last_seen_at) < self.idle
    }
}

/// What a session keeps for its end alone: how the authority recognizes the person who signs out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignOutHints {
    /// The ID token, to be sent as `id_token_hint`.
    pub id_token: Secret,
    /// The `login_hint` claim, to be sent as `logout_hint`.
    pub logout_hint: Option<String>,
}

/// How long sessions live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionLimits {
    /// Unused, at most this long.
    pub idle: SignedDuration,
    /// In all, at most this long.
    pub absolute: SignedDuration,
}

/// Who a session speaks for, in the form that the identity headers carry.
///
/// Every field is printable ASCII: anything else, and `%`, is percent-encoded UTF-8, so no value
/// can end a header or begin another. Cloning shares the bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The account's identifier.
    pub account: Bytes,
    /// Its primary e-mail address.
    pub email: Bytes,
    /// Its display name.
    pub name: Bytes,
    /// The organization's slug.
    pub organization: Bytes,
}

impl Identity {
    /// The identity of an account.
    pub fn new(account: AccountId, email: &str, name: &str, organization: &Slug) -> Self {
        Self {
            account: Bytes::from(account.to_string()),
            email: header_text(email),
            name: header_text(name),
            organization: Bytes::from(organization.as_str().to_owned()),
        }
    }

    /// The identity whose fields were kept as they are; `None` if one of them never was a field.
    pub fn from_stored(fields: [Bytes; 4]) -> Option<Self> {
        let is_printable = |byte: &u8| matches!(byte, b' '..=b'~');
        let [account, email, name, organization] = fields;
        let identity = Self { account, email, name, organization };
        identity.fields().iter().all(|field| field.iter().all(is_printable)).then_some(identity)
    }

    /// What [`Self::from_stored`] takes.
    pub const fn fields(&self) -> [&Bytes; 4] {
        [&self.account, &self.email, &self.name, &self.organization]
    }

    /// The text that one of the fields stands for, its escapes undone.
    pub fn text(field: &Bytes) -> String {
        percent_decode(field).decode_utf8_lossy().into_owned()
    }
}

fn header_text(text: &str) -> Bytes {
    const REWRITTEN: &AsciiSet = &CONTROLS.add(b'%');
    Bytes::from(utf8_percent_encode(text, REWRITTEN).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_break_out_of_its_header() {
        let slug = Slug::parse("acme").unwrap();
        let name = "Jürgen\r\nX-Portico-Role: Admin 100%";

        let identity = Identity::new(AccountId::generate(), "j@acme.example", name, &slug);

        let expected = "J%C3%BCrgen%0D%0AX-Portico-Role: Admin 100%25";
        assert_eq!(identity.name, Bytes::from_static(expected.as_bytes()));
        assert_eq!(Identity::text(&identity.name), name);
    }
}
