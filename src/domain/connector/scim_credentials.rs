//! What a connector's directory authenticates with.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::{
    id::CredentialId,
    secret::{Secret, SecretDigest},
};

/// Passwords that may be valid at once: two while one is being replaced.
pub const MOST_PASSWORDS: usize = 2;
/// Client secrets and federated credentials that may be valid at once.
pub const MOST_CLIENTS: usize = 8;

/// What a directory authenticates with; at most ten are valid at once.
///
/// A Password as a bearer token, or with the User Name as Basic; a client secret or a federated
/// credential at `POST /oauth/token`, for an access token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScimCredentials {
    /// The User Name of Basic authentication.
    pub user_name: String,
    /// In the order in which they were made; some may have expired.
    pub credentials: Vec<ScimCredential>,
}

/// One of them. As JSON, what the database keeps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScimCredential {
    /// Names it, also in the access tokens that it was exchanged for.
    pub id: CredentialId,
    /// Which kind, and what it is compared with.
    pub kind: ScimCredentialKind,
    /// What the admin calls it.
    pub label: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it is refused; never by itself, if absent.
    pub expires_at: Option<Timestamp>,
}

/// Which kind of credential, and what it is compared with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScimCredentialKind {
    /// The Password: sent with every SCIM request.
    Password(#[serde(with = "digest_in_hexadecimal")] SecretDigest),
    /// A client secret (RFC 6749 §2.3.1): sent for an access token.
    ClientSecret(#[serde(with = "digest_in_hexadecimal")] SecretDigest),
    /// No secret here: an application of an Entra ID tenant (RFC 7523 §2.2).
    Federated(FederatedIdentity),
}

/// Whose assertions are accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FederatedIdentity {
    /// The tenant that signs them: a GUID in small letters.
    pub tenant_id: String,
    /// Their `sub`: the object ID of the application's service principal, a GUID in small letters.
    pub subject: String,
    /// What their `aud` may be, each exactly as it stands here.
    pub audiences: Vec<String>,
}

impl ScimCredential {
    /// A new credential that does not expire.
    pub fn new(kind: ScimCredentialKind, label: impl Into<String>, created_at: Timestamp) -> Self {
        let id = CredentialId::generate();
        Self { id, kind, label: label.into(), created_at, expires_at: None }
    }

    /// A new Password that does not expire.
    pub fn password(password: &Secret, label: impl Into<String>, created_at: Timestamp) -> Self {
        Self::new(ScimCredentialKind::Password(password.digest()), label, created_at)
    }

    /// The same, refused from `moment` on if not before.
    #[must_use]
    pub fn until(self, moment: Timestamp) -> Self {
        let expires_at = self.expires_at.map_or(moment, |earlier| earlier.min(moment));
        Self { expires_at: Some(expires_at), ..self }
    }

    /// Whether it has not expired.
    pub fn is_valid(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|expires_at| now < expires_at)
    }

    const fn is_password(&self) -> bool {
        matches!(self.kind, ScimCredentialKind::Password(_))
    }
}

impl ScimCredentials {
    /// The one credential of a new connector.
    pub fn new(user_name: String, credential: ScimCredential) -> Self {
        Self { user_name, credentials: vec![credential] }
    }

    /// The valid Password that `password` is; every stored digest is compared, in constant time.
    pub fn accept_password(&self, password: &Secret, now: Timestamp) -> Option<CredentialId> {
        self.accept(password, now, |kind| match kind {
            ScimCredentialKind::Password(digest) => Some(digest),
            _ => None,
        })
    }

    /// The valid client secret that `secret` is; every stored digest is compared, in constant time.
    pub fn accept_client_secret(&self, secret: &Secret, now: Timestamp) -> Option<CredentialId> {
        self.accept(secret, now, |kind| match kind {
            ScimCredentialKind::ClientSecret(digest) => Some(digest),
            _ => None,
        })
    }

    fn accept(
        &self,
        secret: &Secret,
        now: Timestamp,
        digest_of: impl Fn(&ScimCredentialKind) -> Option<&SecretDigest>,
    ) -> Option<CredentialId> {
        let presented = secret.digest();
        let is_it = |credential: &&ScimCredential| {
            digest_of(&credential.kind).is_some_and(|digest| *digest == presented)
        };
        self.valid(now).filter(is_it).map(|credential| credential.id).last()
    }

    /// Those that have not expired, in the order in which they were made.
    pub fn valid(&self, now: Timestamp) -> impl Iterator<Item = &ScimCredential> {
        self.credentials.iter().filter(move |credential| credential.is_valid(now))
    }

    /// The credential of this name, expired or not.
    pub fn find(&self, id: CredentialId) -> Option<&ScimCredential> {
        self.credentials.iter().find(|credential| credential.id == id)
    }

    /// Whether the credential is there and has not expired.
    pub fn is_valid(&self, id: CredentialId, now: Timestamp) -> bool {
        self.valid(now).any(|credential| credential.id == id)
    }

    /// How many Passwords are valid.
    pub fn valid_passwords(&self, now: Timestamp) -> usize {
        self.valid(now).filter(|credential| credential.is_password()).count()
    }

    /// The same with one more, and without what has expired.
    ///
    /// `None` where as many of its kind are valid as may be.
    #[must_use]
    pub fn with(self, new: ScimCredential, now: Timestamp) -> Option<Self> {
        let passwords = self.valid_passwords(now);
        let has_room = if new.is_password() {
            passwords < MOST_PASSWORDS
        } else {
            self.valid(now).count() - passwords < MOST_CLIENTS
        };
        has_room.then(|| self.retaining(|credential| credential.is_valid(now)).and(new))
    }

    /// The same with a new Password in place of all others.
    #[must_use]
    pub fn with_only_password(self, new: ScimCredential) -> Self {
        self.retaining(|credential| !credential.is_password()).and(new)
    }

    /// The same with a new Password beside the newest of the others, which is refused from
    /// `former_until` on; without what has expired.
    #[must_use]
    pub fn with_rotated_password(
        self,
        new: ScimCredential,
        former_until: Option<Timestamp>,
        now: Timestamp,
    ) -> Self {
        let newest = self.valid(now).filter(|credential| credential.is_password()).last();
        let newest = newest.map(|credential| credential.id);
        let mut kept = self.retaining(|credential| {
            credential.is_valid(now) && (!credential.is_password() || newest == Some(credential.id))
        });
        for former in kept.credentials.iter_mut().filter(|kept| Some(kept.id) == newest) {
            let same = former.clone();
            *former = former_until.map_or(same.clone(), |moment| same.until(moment));
        }
        kept.and(new)
    }

    /// The same without one.
    #[must_use]
    pub fn without(self, id: CredentialId) -> Self {
        self.retaining(|credential| credential.id != id)
    }

    fn retaining(mut self, keep: impl Fn(&ScimCredential) -> bool) -> Self {
        self.credentials.retain(keep);
        self
    }

    fn and(mut self, new: ScimCredential) -> Self {
        self.credentials.push(new);
        self
    }
}

mod digest_in_hexadecimal {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    use crate::domain::secret::{SecretDigest, hexadecimal};

    pub(super) fn serialize<S: Serializer>(
        digest: &SecretDigest,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hexadecimal(digest.as_bytes()))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<SecretDigest, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digest = bytes(&text).map(SecretDigest::from_bytes);
        digest.ok_or_else(|| D::Error::custom("not 32 bytes in hexadecimal"))
    }

    fn bytes(text: &str) -> Option<[u8; 32]> {
        let half = |digit: &u8| char::from(*digit).to_digit(16).and_then(|d| u8::try_from(d).ok());
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        let bytes: Option<Vec<u8>> =
            pairs.iter().map(|[high, low]| Some(half(high)? << 4 | half(low)?)).collect();
        bytes.filter(|_| rest.is_empty())?.try_into().ok()
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    const NOW: Timestamp = Timestamp::constant(1_795_348_800, 0);

    fn later(hours: i64) -> Timestamp {
        NOW + SignedDuration::from_hours(hours)
    }

    fn password(text: &str) -> ScimCredential {
        ScimCredential::password(&Secret::new(text), text, NOW)
    }

    fn client_secret(text: &str) -> ScimCredential {
        let digest = Secret::new(text).digest();
        ScimCredential::new(ScimCredentialKind::ClientSecret(digest), text, NOW)
    }

    fn labels(credentials: &ScimCredentials) -> Vec<&str> {
        credentials.credentials.iter().map(|credential| &*credential.label).collect()
    }

    #[test]
    fn a_credential_is_accepted_as_what_it_is_until_it_expires() {
        let (word, secret) = (password("word").until(later(1)), client_secret("secret"));
        let (word_id, secret_id) = (word.id, secret.id);
        let all = ScimCredentials::new("directory".into(), word).with(secret, NOW).unwrap();
        let accepted = |text: &str, now| {
            let text = Secret::new(text);
            (all.accept_password(&text, now), all.accept_client_secret(&text, now))
        };

        assert_eq!(accepted("word", NOW), (Some(word_id), None));
        assert_eq!(accepted("word", later(1)), (None, None));
        assert_eq!(accepted("secret", later(1)), (None, Some(secret_id)));
        assert_eq!(accepted("", NOW), (None, None));
        assert!(all.is_valid(word_id, NOW) && !all.is_valid(word_id, later(1)));
    }

    #[test]
    fn at_most_two_passwords_and_eight_others_are_valid_at_once() {
        let mut all = ScimCredentials::new("directory".into(), password("1"));
        all = all.with(password("2").until(later(1)), NOW).unwrap();
        assert_eq!(all.clone().with(password("3"), NOW), None);
        for number in 0..MOST_CLIENTS {
            all = all.with(client_secret(&format!("c{number}")), NOW).unwrap();
        }

        assert_eq!(all.clone().with(client_secret("too many"), NOW), None);
        let after_the_second = all.with(password("3"), later(1)).unwrap();
        assert_eq!(after_the_second.credentials.len(), 2 + MOST_CLIENTS);
        assert!(!labels(&after_the_second).contains(&"2"));
    }

    #[test]
    fn rotation_keeps_the_newest_password_for_a_while_and_every_other_kind() {
        let all = ScimCredentials::new("directory".into(), password("1"));
        let all = all.with(client_secret("c"), NOW).unwrap().with(password("2"), NOW).unwrap();

        let rotated = all.with_rotated_password(password("3"), Some(later(2)), NOW);

        assert_eq!(labels(&rotated), ["c", "2", "3"]);
        let ends: Vec<_> = rotated.credentials.iter().map(|kept| kept.expires_at).collect();
        assert_eq!(ends, [None, Some(later(2)), None]);
    }

    #[test]
    fn a_credential_is_read_as_it_was_written_and_what_is_none_is_not() {
        let federated = ScimCredentialKind::Federated(FederatedIdentity {
            tenant_id: "t".into(),
            subject: "s".into(),
            audiences: vec!["a".into()],
        });
        let federated = ScimCredential::new(federated, "f", NOW);
        for written in [password("1").until(later(1)), client_secret("2"), federated] {
            let json = serde_json::to_string(&written).unwrap();

            assert_eq!(serde_json::from_str::<ScimCredential>(&json).unwrap(), written);
        }

        let good = serde_json::to_string(&password("1")).unwrap();
        let digest = good.split('"').find(|part| part.len() == 64).unwrap();
        for bad in ["", "00", &"g".repeat(64), &format!("{digest}0"), &"é".repeat(32)] {
            assert!(serde_json::from_str::<ScimCredential>(&good.replace(digest, bad)).is_err());
        }
    }
}
