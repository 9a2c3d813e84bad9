//! Signing out, here and at the authority.

use url::Url;

use crate::{
    domain::{
        audit_event::{Actor, AuditEvent},
        connector::{Connector, ConnectorKind},
        secret::SecretDigest,
        session::Session,
    },
    ports::{Ports, Unavailable},
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
    let Some(session) = ended else { return Ok(SignedOut::Here) };
    let actor = Actor::Account(session.account_id);
    let audit = AuditEvent::new(
        session.organization_id,
        ports.clock.now(),
        actor,
        "session.ended",
        &session.account_id,
    )
    .with("because", "signed out");
    if let Err(unavailable) = ports.store.insert_audit_event(&audit).await {
        tracing::error!(%unavailable, "a sign-out is missing in the audit log");
    }
    if !also_at_authority {
        return Ok(SignedOut::Here);
    }
    let there = end_session_url(ports, &session).await?;
    Ok(there.map_or(SignedOut::OnlyHere, SignedOut::AndAt))
}

/// The authority's end-session address (OpenID Connect RP-Initiated Logout 1.0 §2).
///
/// `None` where the connector is off, or the authority unknown, unreachable or without one.
async fn end_session_url(ports: &Ports, session: &Session) -> Result<Option<Url>, Unavailable> {
    let found = connectors::find_enabled(ports, session.connector_id).await?;
    let Some((_, connector)) = found else { return Ok(None) };
    let Ok(provider) = ports.authorities.provider(&connector).await else { return Ok(None) };
    let url = provider.end_session_endpoint().cloned().map(|mut url| {
        url.query_pairs_mut()
            .extend_pairs(id_token_hint(&connector, session).map(|token| ("id_token_hint", token)))
            .append_pair("client_id", &connector.client_id)
            .append_pair("post_logout_redirect_uri", &return_uri(ports))
            .extend_pairs(session.logout_hint.iter().map(|hint| ("logout_hint", hint)));
        url
    });
    Ok(url)
}

/// The ID token as a hint, which ends up in addresses and so in histories and logs.
///
/// Entra ID does without where it has its own hint; nobody gets one that makes the address longer
/// than proxies take.
fn id_token_hint<'s>(connector: &Connector, session: &'s Session) -> Option<&'s str> {
    let spared = connector.kind == ConnectorKind::AzureAd && session.logout_hint.is_some();
    Some(session.id_token.expose()).filter(|token| !spared && token.len() <= LONGEST_HINT)
}

/// Where the authority sends the browser back to; to be registered there as a redirect URI.
pub fn return_uri(ports: &Ports) -> String {
    format!("{}/logout/done", ports.settings.public_url)
}
