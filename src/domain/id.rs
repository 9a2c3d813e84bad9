//! Identifiers: `UUIDv7` newtypes, so that an account's cannot be passed for an organization's.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::secret;

macro_rules! identifiers {
    ($($(#[$doc:meta])+ $name:ident),+ $(,)?) => {$(
        $(#[$doc])+
        ///
        /// A `UUIDv7` (RFC 9562): ordered by the moment it was made, unguessable only in part.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// A new identifier, greater than those made before it.
            pub fn generate() -> Self {
                Self(Uuid::now_v7())
            }

            /// The 16 bytes, as stored.
            pub const fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }

            /// The identifier that [`Self::as_bytes`] wrote.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::try_parse(text).map(Self)
            }
        }
    )+};
}

identifiers! {
    /// Names an [`Organization`](crate::domain::organization::Organization).
    OrganizationId,
    /// Names a [`Connector`](crate::domain::connector::Connector); part of its redirect URI and SCIM URL.
    ConnectorId,
    /// Names one of a connector's [`ScimCredentials`](crate::domain::connector::ScimCredentials).
    CredentialId,
    /// Names an [`Account`](crate::domain::account::Account); its SCIM `id`, stable for ever.
    AccountId,
    /// Names a [`Group`](crate::domain::group::Group); its SCIM `id`, stable for ever.
    GroupId,
    /// Names who belongs to a group: an account or a group.
    MemberId,
    /// Names a [`ProvisioningRecord`](crate::domain::provisioning_record::ProvisioningRecord).
    ProvisioningRecordId,
    /// Names a [`Decision`](crate::domain::decision::Decision).
    DecisionId,
    /// Names an [`AuditEvent`](crate::domain::audit_event::AuditEvent).
    AuditEventId,
}

/// The number that a page shows a person and that an admin finds in the log: `7K3M-Q9RT`.
///
/// 40 random bits in Crockford's base32, in two groups of four.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Reference(String);

impl Reference {
    /// A new reference number.
    pub fn generate() -> Self {
        const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
        let symbol = |byte: u8| char::from(ALPHABET[usize::from(byte & 31)]);
        let [a, b] = [secret::random_bytes::<4>(), secret::random_bytes::<4>()];
        let group = |bytes: [u8; 4]| bytes.map(symbol).iter().collect::<String>();
        Self(format!("{}-{}", group(a), group(b)))
    }

    /// The reference number as stored; any text, since it only serves to search.
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// The number as shown.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}
