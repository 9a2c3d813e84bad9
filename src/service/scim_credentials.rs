//! What a connector's directory authenticates with: made, replaced, taken away.

use jiff::{SignedDuration, Timestamp};

use crate::{
    domain::{
        audit_event::{Actor, AuditEvent},
        connector::{FederatedIdentity, ScimCredential, ScimCredentialKind, ScimCredentials},
        id::{ConnectorId, CredentialId, OrganizationId},
        secret::Secret,
    },
    oidc,
    ports::{Ports, Unavailable},
};

/// How long a replaced Password stays valid unless the admin says otherwise.
pub const GRACE: SignedDuration = SignedDuration::from_hours(7 * 24);
/// The longest that it may.
pub const LONGEST_GRACE: SignedDuration = SignedDuration::from_hours(90 * 24);
/// How many years a client secret may be good for.
pub const CLIENT_SECRET_YEARS: std::ops::RangeInclusive<u8> = 1..=3;
/// How many it is good for unless the admin says otherwise.
pub const DEFAULT_CLIENT_SECRET_YEARS: u8 = 2;

const YEAR: SignedDuration = SignedDuration::from_hours(365 * 24);
const LONGEST_LABEL: usize = 100;
const MOST_AUDIENCES: usize = 10;
const LONGEST_AUDIENCE: usize = 500;

/// After so many conflicts in a row the admin is asked to try again.
const MAX_CONFLICTS: usize = 8;

/// Why credentials were not changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The organization has no such connector, or the connector no such credential.
    #[error("there is no such connector or credential")]
    NotFound,
    /// Two Passwords are valid.
    #[error("two Passwords are valid already; revoke one, or replace the older one")]
    TwoPasswords,
    /// As many other credentials are valid as may be.
    #[error("eight client secrets and federated credentials are valid already; revoke one")]
    Full,
    /// What the admin wrote is not usable; the text says what is.
    #[error("{0}")]
    Invalid(&'static str),
    /// Others change the same credentials all the time.
    #[error("the credentials were changed meanwhile; try again")]
    Conflict,
    /// The database is away.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// A credential that was just made.
#[derive(Debug)]
pub struct IssuedCredential {
    /// The credential.
    pub credential: ScimCredential,
    /// The Password or client secret, shown once; only its digest is kept.
    pub secret: Secret,
}

/// A credential as an admin sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedCredential {
    /// The credential; it may have expired.
    pub credential: ScimCredential,
    /// When it was last used, to the minute; never, or too long ago to know, if absent.
    pub last_used_at: Option<Timestamp>,
}

/// A connector whose credentials somebody looks after.
#[derive(Clone, Copy)]
pub struct Keyring<'a> {
    /// The outside world.
    pub ports: &'a Ports,
    /// Whose connector it is.
    pub organization_id: OrganizationId,
    /// Which connector.
    pub connector_id: ConnectorId,
    /// On whose word.
    pub actor: Actor,
}

impl Keyring<'_> {
    /// Makes another Password; it does not expire unless it is told when.
    pub async fn add_password(
        &self,
        label: &str,
        expires_at: Option<Timestamp>,
    ) -> Result<IssuedCredential, Error> {
        let now = self.ports.clock.now();
        if expires_at.is_some_and(|expires_at| expires_at <= now) {
            return Err(Error::Invalid("the Password must not have expired when it is made"));
        }
        let secret = Secret::generate();
        let new = ScimCredential::password(&secret, label_or(label, "Password")?, now);
        let credential = ScimCredential { expires_at, ..new };
        self.add(&credential).await?;
        Ok(IssuedCredential { credential, secret })
    }

    /// Makes a Password in place of the one there is, which stays valid for `grace` beside it; of
    /// two, the older one is refused at once.
    pub async fn rotate_password(
        &self,
        label: &str,
        grace: SignedDuration,
    ) -> Result<IssuedCredential, Error> {
        if grace.is_negative() || grace > LONGEST_GRACE {
            return Err(Error::Invalid("the former Password stays valid for 0 to 90 days"));
        }
        let now = self.ports.clock.now();
        let secret = Secret::generate();
        let credential = ScimCredential::password(&secret, label_or(label, "Password")?, now);
        let former_until = Some(now + grace);
        let audit = self.audit("scim_credential.rotated", &credential, now);
        let audit = audit.with("former_until", former_until.map(|moment| moment.to_string()));
        self.change(&audit, |scim| {
            Ok(scim.with_rotated_password(credential.clone(), former_until, now))
        })
        .await?;
        Ok(IssuedCredential { credential, secret })
    }

    /// Makes a client secret that is good for so many years.
    pub async fn add_client_secret(
        &self,
        label: &str,
        years: u8,
    ) -> Result<IssuedCredential, Error> {
        if !CLIENT_SECRET_YEARS.contains(&years) {
            return Err(Error::Invalid("a client secret is good for one, two or three years"));
        }
        let now = self.ports.clock.now();
        let secret = Secret::generate();
        let kind = ScimCredentialKind::ClientSecret(secret.digest());
        let new = ScimCredential::new(kind, label_or(label, "Client secret")?, now);
        let credential = new.until(now + YEAR * i32::from(years));
        self.add(&credential).await?;
        Ok(IssuedCredential { credential, secret })
    }

    /// Lets an application of an Entra ID tenant in by the tenant's word.
    pub async fn add_federated(
        &self,
        label: &str,
        identity: FederatedIdentity,
    ) -> Result<ScimCredential, Error> {
        let kind = ScimCredentialKind::Federated(checked(identity)?);
        let label = label_or(label, "Federated credential")?;
        let credential = ScimCredential::new(kind, label, self.ports.clock.now());
        self.add(&credential).await?;
        Ok(credential)
    }

    /// Takes a credential away; it and the access tokens that it was exchanged for are refused from
    /// now on.
    pub async fn revoke(&self, id: CredentialId) -> Result<(), Error> {
        let found = self.find().await?.credentials.into_iter().find(|found| found.id == id);
        let found = found.ok_or(Error::NotFound)?;
        let audit = self.audit("scim_credential.revoked", &found, self.ports.clock.now());
        self.change(&audit, |scim| {
            let is_there = scim.credentials.iter().any(|found| found.id == id);
            is_there.then(|| scim.without(id)).ok_or(Error::NotFound)
        })
        .await
    }

    /// All credentials in the order in which they were made, expired ones included until the next
    /// one is made.
    pub async fn list(&self) -> Result<Vec<ListedCredential>, Error> {
        let credentials = self.find().await?.credentials;
        let (store, of) = (&self.ports.store, self.organization_id);
        let uses = store.list_credential_uses(of, self.connector_id).await?;
        let last_use = |id| uses.iter().find(|used| used.credential_id == id).map(|used| used.at);
        let listed = credentials.into_iter().map(|credential| {
            let last_used_at = last_use(credential.id);
            ListedCredential { credential, last_used_at }
        });
        Ok(listed.collect())
    }

    async fn add(&self, new: &ScimCredential) -> Result<(), Error> {
        let now = self.ports.clock.now();
        let full = match new.kind {
            ScimCredentialKind::Password(_) => || Error::TwoPasswords,
            ScimCredentialKind::ClientSecret(_) | ScimCredentialKind::Federated(_) => {
                || Error::Full
            }
        };
        let audit = self.audit("scim_credential.added", new, now);
        self.change(&audit, |scim| scim.with(new.clone(), now).ok_or_else(full)).await
    }

    async fn find(&self) -> Result<ScimCredentials, Error> {
        let found = self.ports.store.find_connector(self.connector_id).await?;
        let found = found.filter(|found| found.organization_id == self.organization_id);
        found.map(|found| found.scim).ok_or(Error::NotFound)
    }

    /// Changes the credentials as they are; if somebody else was faster, as they are then.
    async fn change(
        &self,
        audit: &AuditEvent,
        change: impl Fn(ScimCredentials) -> Result<ScimCredentials, Error>,
    ) -> Result<(), Error> {
        let (store, of, id) = (&self.ports.store, self.organization_id, self.connector_id);
        for _ in 0..MAX_CONFLICTS {
            let found = self.find().await?;
            let expected = found.credentials.clone();
            let changed = change(found)?.credentials;
            if store.replace_scim_credentials(of, id, &expected, &changed, audit).await? {
                return Ok(());
            }
        }
        Err(Error::Conflict)
    }

    fn audit(&self, action: &'static str, of: &ScimCredential, now: Timestamp) -> AuditEvent {
        let kind = match &of.kind {
            ScimCredentialKind::Password(_) => "password",
            ScimCredentialKind::ClientSecret(_) => "client_secret",
            ScimCredentialKind::Federated(_) => "federated",
        };
        AuditEvent::new(self.organization_id, now, self.actor, action, &self.connector_id)
            .with("credential", of.id.to_string())
            .with("kind", kind)
            .with("label", of.label.as_str())
            .with("expires_at", of.expires_at.map(|moment| moment.to_string()))
    }
}

/// The label as written, without spaces around it; `otherwise` where there is none.
fn label_or(label: &str, otherwise: &str) -> Result<String, Error> {
    let label = label.trim();
    if label.chars().count() > LONGEST_LABEL || label.chars().any(char::is_control) {
        return Err(Error::Invalid("a label is one line of at most 100 characters"));
    }
    Ok(if label.is_empty() { otherwise } else { label }.to_owned())
}

fn checked(identity: FederatedIdentity) -> Result<FederatedIdentity, Error> {
    let FederatedIdentity { tenant_id, subject, audiences } = identity;
    let tenant_id = oidc::guid(tenant_id.trim())
        .ok_or(Error::Invalid("the tenant is named by its Directory (tenant) ID, a GUID"))?;
    let subject = oidc::guid(subject.trim()).ok_or(Error::Invalid(
        "the subject is the object ID of the application's service principal, a GUID",
    ))?;
    let is_audience = |audience: &String| {
        (1..=LONGEST_AUDIENCE).contains(&audience.len())
            && audience.bytes().all(|byte| byte.is_ascii_graphic())
    };
    let audiences: Vec<String> =
        audiences.iter().map(|audience| audience.trim().to_owned()).collect();
    if !(1..=MOST_AUDIENCES).contains(&audiences.len()) || !audiences.iter().all(is_audience) {
        return Err(Error::Invalid(
            "name one to ten audiences, each exactly as it will stand in the assertion",
        ));
    }
    Ok(FederatedIdentity { tenant_id, subject, audiences })
}
