//! Signing out, here and at the authority.

use url::Url;

use crate::{
    domain::{
        audit_event::{Actor, AuditEvent},
        connector::{Connector, ConnectorKind},
        id::ConnectorId,
        secret::SecretDigest,
        session::{Session, SignOutHints},
    },
    oidc::provider_kind::Profile,
    ports::{Ports, Unavailable, sessions::EndedSession},
    service::connectors,
};

/// A longer ID token is not sent as a hint.
const LONGEST_HINT: usize = 4096;

/// What came of signing out.
#[derive(Debug)]
pub enum SignedOut {
    /// Signed out here, and there was nothing to do at the authority.
    Here,
    /// Signed out here; the authority could not be found out or has no way to sign out.
    OnlyHere,
    /// Signed out here, and the browser should go on to the authority to sign out there.
    AndAt(Url),
}

/// Ends a session, and says where to end the one at the authority.
///
/// The session here ends first and whatever the authority does: one that can't be reached, or has
/// no end-session endpoint, costs only the sign-out there.
pub async fn sign_out(
    ports: &Ports,
    session: Option<SecretDigest>,
    also_at_authority: bool,
) -> Result<SignedOut, Unavailable> {
    let ended = match session {
        Some(digest) => ports.sessions.end(&digest).await?,
        None => None,
    };
    let Some(EndedSession { session, hints }) = ended else { return Ok(SignedOut::Here) };
    write_down(ports, &session, "signed out").await;
    if !also_at_authority {
        return Ok(SignedOut::Here);
    }
    let there = end_session_url(ports, &session, hints.as_ref()).await?;
    Ok(there.map_or(SignedOut::OnlyHere, SignedOut::AndAt))
}

/// What an authority says of a session that ended there.
#[derive(Debug)]
pub struct EndedThere<'a> {
    /// Its name for the session.
    pub sid: &'a str,
    /// Who it is; Entra ID does not say.
    pub iss: Option<&'a str>,
}

/// Ends what somebody began here who has signed out at the authority (OpenID Connect Front-Channel
/// Logout 1.0 §3).
///
/// Does nothing where the connector or the session is unknown, or another authority speaks.
pub async fn sign_out_from_there(
    ports: &Ports,
    connector_id: ConnectorId,
    ended: EndedThere<'_>,
) -> Result<(), Unavailable> {
    let Some(connector) = ports.store.find_connector(connector_id).await? else { return Ok(()) };
    if !speaks_for(ports, &connector, ended.iss).await {
        return Ok(());
    }
    let (organization_id, sid) = (connector.organization_id, ended.sid);
    for session in ports.sessions.end_of_sid(organization_id, connector_id, sid).await? {
        write_down(ports, &session, "signed out at the authority").await;
    }
    Ok(())
}

/// Whether `iss` is the connector's authority; one that can't be asked who it is, is not.
async fn speaks_for(ports: &Ports, connector: &Connector, iss: Option<&str>) -> bool {
    let Some(iss) = iss else {
        return Profile::of(connector.kind).frontchannel_logout_without_iss;
    };
    let provider = ports.authorities.provider(connector).await;
    provider.is_ok_and(|provider| provider.issuer() == iss)
}

async fn write_down(ports: &Ports, ended: &Session, because: &str) {
    let actor = Actor::Account(ended.account_id);
    let audit = AuditEvent::new(
        ended.organization_id,
        ports.clock.now(),
        actor,
        "session.ended",
        &ended.account_id,
    )
    .with("because", because);
    if let Err(unavailable) = ports.store.insert_audit_event(&audit).await {
        tracing::error!(%unavailable, "a sign-out is missing in the audit log");
    }
}

/// The authority's end-session address (OpenID Connect RP-Initiated Logout 1.0 §2).
///
/// `None` where the connector is off, or the authority unknown, unreachable or without one.
async fn end_session_url(
    ports: &Ports,
    session: &Session,
    hints: Option<&SignOutHints>,
) -> Result<Option<Url>, Unavailable> {
    let found = connectors::find_enabled(ports, session.connector_id).await?;
    let Some((_, connector)) = found else { return Ok(None) };
    let Ok(provider) = ports.authorities.provider(&connector).await else { return Ok(None) };
    let url = provider.end_session_endpoint().cloned().map(|mut url| {
        url.query_pairs_mut()
            .extend_pairs(id_token_hint(&connector, hints).map(|token| ("id_token_hint", token)))
            .append_pair("client_id", &connector.client_id)
            .append_pair("post_logout_redirect_uri", &return_uri(ports))
            .extend_pairs(logout_hint(hints).map(|hint| ("logout_hint", hint)));
        url
    });
    Ok(url)
}

/// The ID token as a hint, which ends up in addresses and so in histories and logs.
///
/// Entra ID does without where it has its own hint; nobody gets one that makes the address longer
/// than proxies take.
fn id_token_hint<'h>(connector: &Connector, hints: Option<&'h SignOutHints>) -> Option<&'h str> {
    let spared = connector.kind == ConnectorKind::AzureAd && logout_hint(hints).is_some();
    let token = hints?.id_token.expose();
    (!spared && token.len() <= LONGEST_HINT).then_some(token)
}

fn logout_hint(hints: Option<&SignOutHints>) -> Option<&str> {
    hints?.logout_hint.as_deref()
}

/// Where an authority tells of sessions that end there; to be registered as its front-channel
/// logout URL.
pub fn frontchannel_logout_uri(ports: &Ports, id: ConnectorId) -> String {
    format!("{}/oidc/{id}/frontchannel-logout", ports.settings.public_url)
}

/// Where the authority sends the browser back to; to be registered there as a redirect URI.
pub fn return_uri(ports: &Ports) -> String {
    format!("{}/logout/done", ports.settings.public_url)
}
