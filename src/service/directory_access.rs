//! Letting a directory in: by its Password, or by an access token that it asked for before, with a
//! client secret or its tenant's word.
//!
//! Whatever is wrong, a stranger gets one answer, and nothing tells which connectors there are; the
//! log has the reason, once.

use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use subtle::ConstantTimeEq as _;

use crate::{
    domain::{
        connector::{Connector, ScimCredential},
        id::{ConnectorId, CredentialId},
        organization::{Edition, Organization},
        secret::Secret,
    },
    oauth::{
        client_credentials::{ClientProof, TokenFault, TokenRequest},
        scim_token::{self, ScimTokenClaims, ScimTokenPlace},
        seen_assertions::SeenAssertions,
    },
    ports::{Ports, Unavailable, store::CredentialUse},
    service::{connectors, session_token::IssuedToken},
};

mod assertion;
mod uses;

use self::uses::Uses;

/// One command writes down so many uses at most, so that none is long.
const USES_AT_ONCE: usize = 200;

/// What a directory presents with a SCIM request.
#[derive(Debug)]
pub enum Presented {
    /// `Bearer` (RFC 6750): the Password, or an access token.
    Bearer(Secret),
    /// `Basic` (RFC 7617).
    Basic {
        /// The User Name.
        user_name: String,
        /// The Password.
        password: Secret,
    },
}

/// What is kept from one request of a directory to the next.
#[derive(Debug, Default)]
pub struct DirectoryMemory {
    seen: Mutex<SeenAssertions>,
    uses: Mutex<Uses>,
}

/// Why a directory is not let in.
#[derive(Debug)]
pub enum Refused {
    /// It is not the one of that connector, or nothing lets it in now.
    NotAccepted,
    /// The database is away.
    Unavailable(Unavailable),
}

impl From<Unavailable> for Refused {
    fn from(unavailable: Unavailable) -> Self {
        Self::Unavailable(unavailable)
    }
}

/// Why a directory gets no access token.
#[derive(Debug)]
pub enum NoToken {
    /// The request breaks a rule, or the client is not accepted.
    Fault(TokenFault),
    /// The tenant that signed the assertion cannot be asked for its keys.
    AuthorityUnavailable,
    /// The database is away.
    Unavailable(Unavailable),
}

impl From<Unavailable> for NoToken {
    fn from(unavailable: Unavailable) -> Self {
        Self::Unavailable(unavailable)
    }
}

/// Why nobody is let in, for the log alone.
struct Because(String);

/// A connector, if there is one, that lets nobody in.
struct Closed(Option<ConnectorId>, Because);

impl<T: ToString> From<T> for Because {
    fn from(reason: T) -> Self {
        Self(reason.to_string())
    }
}

/// The directory of the connector that an address names, by what it presents.
pub async fn authenticate(
    ports: &Ports,
    memory: &DirectoryMemory,
    named: Option<ConnectorId>,
    presented: Option<Presented>,
) -> Result<(Organization, Connector), Refused> {
    let (organization, connector) = match find(ports, named).await? {
        Ok(found) => found,
        Err(Closed(connector, because)) => return Err(refuse(connector, &because)),
    };
    match accept(ports, &connector, presented) {
        Ok(credential) => {
            memory.note_use(ports, &connector, credential);
            Ok((organization, connector))
        }
        Err(because) => Err(refuse(Some(connector.id), &because)),
    }
}

fn refuse(connector: Option<ConnectorId>, because: &Because) -> Refused {
    log_refusal(connector, because);
    Refused::NotAccepted
}

fn log_refusal(connector: Option<ConnectorId>, because: &Because) {
    let connector = connector.map(|id| id.to_string());
    tracing::info!(connector, because = because.0, "a directory was refused");
}

/// A connector that lets directories in, with its organization.
///
/// The inner error is the caller's, the outer one ours.
async fn find(
    ports: &Ports,
    named: Option<ConnectorId>,
) -> Result<Result<(Organization, Connector), Closed>, Unavailable> {
    let found = match named {
        Some(id) => ports.store.find_connector(id).await?,
        None => None,
    };
    let Some(connector) = found else {
        return Ok(Err(Closed(None, "there is no such connector".into())));
    };
    let id = Some(connector.id);
    if !connector.enabled {
        return Ok(Err(Closed(id, "the connector is off".into())));
    }
    let organization = ports.store.find_organization(connector.organization_id).await?;
    let organization =
        organization.filter(|organization| organization.edition == Edition::Enterprise);
    Ok(organization
        .map(|organization| (organization, connector))
        .ok_or_else(|| Closed(id, "the organization's edition has no connectors".into())))
}

fn accept(
    ports: &Ports,
    connector: &Connector,
    presented: Option<Presented>,
) -> Result<CredentialId, Because> {
    let now = ports.clock.now();
    match presented.ok_or("it presents nothing that can be read")? {
        Presented::Bearer(token) if scim_token::is_token(&token) => {
            accept_token(ports, connector, &token, now)
        }
        Presented::Bearer(password) => {
            Ok(connector.scim.accept_password(&password, now).ok_or("the Password is not valid")?)
        }
        Presented::Basic { user_name, password } => {
            let known = connector.scim.user_name.as_bytes().ct_eq(user_name.as_bytes());
            let accepted = connector.scim.accept_password(&password, now);
            Ok(accepted
                .filter(|_| known.into())
                .ok_or("the User Name or the Password is not valid")?)
        }
    }
}

fn accept_token(
    ports: &Ports,
    connector: &Connector,
    token: &Secret,
    now: Timestamp,
) -> Result<CredentialId, Because> {
    let scim_url = connectors::scim_url(ports, connector.id);
    let place = place(ports, connector, &scim_url);
    let claims = ScimTokenClaims::verify(token, &ports.signer, &place, now)?;
    let is_valid = connector.scim.is_valid(claims.credential, now);
    Ok(is_valid
        .then_some(claims.credential)
        .ok_or("the access token's credential was revoked or has expired")?)
}

fn place<'a>(ports: &'a Ports, connector: &Connector, scim_url: &'a str) -> ScimTokenPlace<'a> {
    let issuer = &ports.settings.public_url;
    ScimTokenPlace { issuer, scim_url, connector_id: connector.id }
}

/// Answers a request for an access token: the form, and the `Authorization` header that came with
/// it.
///
/// # Errors
/// [`TokenFault::InvalidClient`] for an unknown client as for a wrong secret or assertion.
pub async fn issue_token(
    ports: &Ports,
    memory: &DirectoryMemory,
    authorization: Option<&str>,
    form: &[u8],
) -> Result<IssuedToken, NoToken> {
    let request = TokenRequest::parse(authorization, form).map_err(|fault| {
        log_refusal(None, &fault.into());
        NoToken::Fault(fault)
    })?;
    let connector = match find(ports, request.client_id.parse().ok()).await? {
        Ok((_, connector)) => connector,
        Err(Closed(connector, because)) => return Err(refuse_client(connector, &because)),
    };
    let accepted = match &request.proof {
        ClientProof::Secret(secret) => accept_secret(ports, &connector, secret),
        ClientProof::Assertion(assertion) => {
            assertion::accept(ports, memory, &connector, assertion).await?
        }
    };
    let credential = accepted.map_err(|because| refuse_client(Some(connector.id), &because))?;
    memory.note_use(ports, &connector, credential.id);
    Ok(token(ports, &connector, credential))
}

fn refuse_client(connector: Option<ConnectorId>, because: &Because) -> NoToken {
    log_refusal(connector, because);
    NoToken::Fault(TokenFault::InvalidClient)
}

/// A token that never outlives its credential.
fn token(ports: &Ports, connector: &Connector, credential: &ScimCredential) -> IssuedToken {
    let now = ports.clock.now();
    let end = now + ports.settings.scim_token_lifetime;
    let end = credential.expires_at.map_or(end, |expires_at| expires_at.min(end));
    let scim_url = connectors::scim_url(ports, connector.id);
    let place = place(ports, connector, &scim_url);
    let claims = ScimTokenClaims::new(&place, credential.id, now, end);
    IssuedToken { expires_in: claims.exp - claims.iat, token: ports.signer.sign(&claims) }
}

fn accept_secret<'c>(
    ports: &Ports,
    connector: &'c Connector,
    secret: &Secret,
) -> Result<&'c ScimCredential, Because> {
    let accepted = connector.scim.accept_client_secret(secret, ports.clock.now());
    let credential = accepted.and_then(|id| connector.scim.find(id));
    Ok(credential.ok_or("the client secret is not valid")?)
}

impl DirectoryMemory {
    fn note_use(&self, ports: &Ports, connector: &Connector, credential_id: CredentialId) {
        let Connector { organization_id, id: connector_id, .. } = *connector;
        let at = ports.clock.now();
        self.uses().note(CredentialUse { organization_id, connector_id, credential_id, at });
    }

    /// Writes down which credentials were used, and forgets what is past.
    pub async fn write_down(&self, ports: &Ports) -> Result<(), Unavailable> {
        let now = ports.clock.now();
        self.seen().forget_expired(now);
        let uses = self.uses().take(now);
        for some in uses.chunks(USES_AT_ONCE) {
            ports.store.note_credential_uses(some).await?;
        }
        Ok(())
    }

    fn seen(&self) -> MutexGuard<'_, SeenAssertions> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn uses(&self) -> MutexGuard<'_, Uses> {
        self.uses.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
