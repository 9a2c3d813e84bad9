//! Setting an organization up through a link, without a sign-in.

use jiff::Timestamp;

use crate::{
    domain::{
        audit_event::{Actor, AuditEvent},
        connector::{
            ClientAuthentication, Connector, ConnectorKind, ScimCredential, ScimCredentials,
        },
        id::ConnectorId,
        organization::{Edition, Organization},
        secret::{Secret, SecretDigest},
        setup_link::SetupLink,
    },
    ports::{NotDone, Ports, Unavailable, store::SetupRefusal},
    service::{
        connectors::{self, NewConnector},
        setup_links::answers::{AuthorityProblem, Problems},
        to_its_end,
    },
};

pub mod answers;

pub use self::answers::Answers;

/// A link that was just made.
#[derive(Debug)]
pub struct IssuedSetupLink {
    /// Its whole address, which is all that one needs to use it; only the token's digest is kept.
    pub url: Secret,
    /// What is kept of it.
    pub link: SetupLink,
}

/// Makes a link in place of the organization's earlier one.
///
/// It sets up the connector that people sign in through. Where there is none yet, a link in place
/// of one that nobody used keeps its redirect URI, which may be registered already.
pub async fn issue(
    ports: &Ports,
    organization: &Organization,
    actor: Actor,
) -> Result<IssuedSetupLink, Unavailable> {
    let connector_id = connector_to_set_up(ports, organization).await?;
    let now = ports.clock.now();
    let (token, link) = SetupLink::issue(organization.id, connector_id, now);
    let audit = AuditEvent::new(organization.id, now, actor, "setup_link.created", &connector_id)
        .with("expires_at", link.expires_at.to_string());
    ports.store.insert_setup_link(&link, &audit).await?;
    let url = format!("{}/setup/{}", ports.settings.public_url, token.expose());
    Ok(IssuedSetupLink { url: Secret::new(url), link })
}

async fn connector_to_set_up(
    ports: &Ports,
    organization: &Organization,
) -> Result<ConnectorId, Unavailable> {
    let connectors = ports.store.list_connectors(organization.id).await?;
    let in_use = connectors.iter().find(|connector| connector.enabled).or(connectors.first());
    if let Some(connector) = in_use {
        return Ok(connector.id);
    }
    let unused = ports.store.find_setup_link_of_organization(organization.id).await?;
    Ok(unused.map_or_else(ConnectorId::generate, |link| link.connector_id))
}

/// What a link opens.
#[derive(Debug)]
pub struct Setup {
    /// The link.
    pub link: SetupLink,
    /// Whose setup it is.
    pub organization: Organization,
    /// The connector as it is; none before the first completion.
    pub connector: Option<Connector>,
}

/// Why a link opens nothing, or a setup was not completed.
#[derive(Debug)]
pub enum SetupError {
    /// The link is unknown, expired, replaced or used up.
    Gone,
    /// The organization's edition has no connectors.
    Edition(Organization),
    /// What was typed needs correction.
    Problems {
        /// What the link opens, still.
        setup: Box<Setup>,
        /// What to correct.
        problems: Box<Problems>,
    },
    /// The database is away.
    Unavailable(Unavailable),
}

impl From<Unavailable> for SetupError {
    fn from(unavailable: Unavailable) -> Self {
        Self::Unavailable(unavailable)
    }
}

impl From<NotDone<SetupRefusal>> for SetupError {
    fn from(not_done: NotDone<SetupRefusal>) -> Self {
        match not_done {
            NotDone::Refused(SetupRefusal::Gone) => Self::Gone,
            NotDone::Unavailable(unavailable) => Self::Unavailable(unavailable),
        }
    }
}

/// What the link with this token opens; opening it uses nothing up.
pub async fn find(ports: &Ports, token: &Secret) -> Result<Setup, SetupError> {
    let link = ports.store.find_setup_link(&token.digest(), ports.clock.now()).await?;
    let link = link.ok_or(SetupError::Gone)?;
    let organization = ports.store.find_organization(link.organization_id).await?;
    let organization = organization.ok_or(SetupError::Gone)?;
    if organization.edition != Edition::Enterprise {
        return Err(SetupError::Edition(organization));
    }
    let connector = ports.store.find_connector(link.connector_id).await?;
    Ok(Setup { link, organization, connector })
}

/// A setup that is done.
#[derive(Debug)]
pub struct Completed {
    /// Whose it is.
    pub organization: Organization,
    /// The connector as saved.
    pub connector: Connector,
    /// The Password for its SCIM URL; only its digest is kept.
    pub scim_password: Secret,
    /// Whether the Password before it is valid, too, so that provisioning goes on meanwhile.
    pub former_password_valid: bool,
}

/// Completes a setup: checks what was typed, asks the authority, saves the connector and uses the
/// link up.
///
/// # Errors
/// With [`SetupError::Problems`] nothing has changed and the link is still good.
pub async fn complete(
    ports: &Ports,
    token: &Secret,
    answers: Answers,
) -> Result<Completed, SetupError> {
    let setup = find(ports, token).await?;
    let scim_password = Secret::generate();
    let tried = connector(&setup, &answers, &scim_password, ports.clock.now());
    let problems =
        Problems { authority: authority_problem(ports, &tried).await, ..answers.check() };
    if !problems.is_empty() {
        return Err(SetupError::Problems { setup: Box::new(setup), problems: Box::new(problems) });
    }
    // Once more: a credential revoked while the authority was asked must not come back.
    let setup = find(ports, token).await?;
    let connector = connector(&setup, &answers, &scim_password, ports.clock.now());
    let action = if setup.connector.is_some() { "connector.replaced" } else { "connector.created" };
    // Only now: whoever came in while the authority was asked came from the former one.
    let now = ports.clock.now();
    let audit = connectors::audit_event(&connector, action, Actor::SetupLink, now);
    let moves = setup.connector.is_some_and(|former| former.authority != connector.authority);
    save(ports, setup.link.digest, now, &connector, audit, moves).await?;
    Ok(Completed {
        organization: setup.organization,
        former_password_valid: connector.scim.valid_passwords(now) > 1,
        connector,
        scim_password,
    })
}

/// Saves the connector, and signs those out who came through it from another authority; also if the
/// browser hangs up halfway, which ends the future that asked for it.
async fn save(
    ports: &Ports,
    digest: SecretDigest,
    now: Timestamp,
    connector: &Connector,
    audit: AuditEvent,
    moves: bool,
) -> Result<(), SetupError> {
    let (ports, connector) = (ports.clone(), connector.clone());
    to_its_end(async move {
        ports.store.complete_setup(&digest, now, &connector, &audit).await?;
        if moves {
            connectors::end_sessions(&ports, &connector).await;
        }
        Ok(())
    })
    .await
}

/// Asks the authority for its discovery document.
///
/// Under an identifier of its own: what a wrong authority answers must not be remembered of the
/// connector that people sign in through, nor of the next try.
async fn authority_problem(ports: &Ports, connector: &Connector) -> Option<AuthorityProblem> {
    let probe = Connector { id: ConnectorId::generate(), ..connector.clone() };
    ports.authorities.provider(&probe).await.err().map(AuthorityProblem)
}

/// The connector that `answers` make: a new one, or the one there is with its role settings and,
/// under the same authority, its last Password and its other SCIM credentials kept.
fn connector(
    setup: &Setup,
    answers: &Answers,
    scim_password: &Secret,
    now: Timestamp,
) -> Connector {
    let authentication = ClientAuthentication::SecretPost(answers.client_secret.clone());
    let Some(former) = setup.connector.clone() else {
        let (authority, client_id) = (answers.authority.clone(), answers.client_id.clone());
        return NewConnector::new(ConnectorKind::AzureAd, authority, client_id, authentication)
            .into_connector(&setup.organization, setup.link.connector_id, scim_password, now);
    };
    let password = ScimCredential::password(scim_password, connectors::FIRST_PASSWORD, now);
    let scim = if former.authority == answers.authority {
        former.scim.with_rotated_password(password, None, now)
    } else {
        ScimCredentials::new(former.scim.user_name, password)
    };
    Connector {
        kind: ConnectorKind::AzureAd,
        enabled: true,
        authority: answers.authority.clone(),
        client_id: answers.client_id.clone(),
        client_authentication: authentication,
        scim,
        ..former
    }
}
