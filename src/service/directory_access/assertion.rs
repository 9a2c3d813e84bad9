//! Letting a directory in by its tenant's word: a client assertion that the tenant signed.

use jiff::Timestamp;

use super::{Because, DirectoryMemory, NoToken, log_refusal};
use crate::{
    domain::{
        connector::{
            Connector, ConnectorKind, FederatedIdentity, ScimCredential, ScimCredentialKind,
        },
        id::ConnectorId,
        secret::Secret,
    },
    oidc::{
        id_token::IdTokenError,
        workload_identity::{self, AssertionError, Claimed, ExpectedAssertion, VerifiedAssertion},
    },
    ports::{Ports, authorities::AuthorityFailure},
};

/// The federated credential that an assertion is for, verified.
///
/// The inner error is the client's, the outer one ours.
pub(super) async fn accept<'c>(
    ports: &Ports,
    memory: &DirectoryMemory,
    connector: &'c Connector,
    assertion: &Secret,
) -> Result<Result<&'c ScimCredential, Because>, NoToken> {
    let now = ports.clock.now();
    let Some((credential, identity)) = federated_for(connector, assertion, now) else {
        return Ok(Err("no federated credential is for this assertion".into()));
    };
    let verified = match verify(ports, connector, (credential, identity), assertion).await {
        Ok(verified) => verified,
        Err(NotVerified::Assertion(error)) => return Ok(Err(error.into())),
        Err(NotVerified::Authority(failure)) => {
            log_refusal(Some(connector.id), &failure.into());
            return Err(NoToken::AuthorityUnavailable);
        }
    };
    let first_time = verified.jti().map_or(Ok(()), |jti| {
        memory.seen().accept(credential.id, jti, verified.accepted_until(), now)
    });
    Ok(first_time.map(|()| credential).map_err(Because::from))
}

/// The credential that an assertion claims to be for. Only then anything is fetched for it.
fn federated_for<'c>(
    connector: &'c Connector,
    assertion: &Secret,
    now: Timestamp,
) -> Option<(&'c ScimCredential, &'c FederatedIdentity)> {
    let claimed = Claimed::read(assertion.expose())?;
    let mut federated = connector.scim.valid(now).filter_map(|credential| match &credential.kind {
        ScimCredentialKind::Federated(identity) => Some((credential, identity)),
        ScimCredentialKind::Password(_) | ScimCredentialKind::ClientSecret(_) => None,
    });
    federated.find(|(_, identity)| claimed.is_for(&expected(identity)))
}

fn expected(identity: &FederatedIdentity) -> ExpectedAssertion<'_> {
    let FederatedIdentity { tenant_id, subject, audiences } = identity;
    ExpectedAssertion { tenant_id, subject, audiences }
}

enum NotVerified {
    Assertion(AssertionError),
    Authority(AuthorityFailure),
}

impl From<AuthorityFailure> for NotVerified {
    fn from(failure: AuthorityFailure) -> Self {
        Self::Authority(failure)
    }
}

async fn verify(
    ports: &Ports,
    connector: &Connector,
    (credential, identity): (&ScimCredential, &FederatedIdentity),
    assertion: &Secret,
) -> Result<VerifiedAssertion, NotVerified> {
    let issuer = issuer(ports, connector, credential, identity).await?;
    let provider = ports.authorities.provider(&issuer).await?;
    let keys = ports.authorities.keys(&issuer, &provider).await?;
    let (assertion, expected) = (assertion.expose(), expected(identity));
    let now = ports.clock.now();
    let verified = workload_identity::verify(assertion, &keys, &provider, &expected, now);
    let Err(AssertionError::Token(IdTokenError::UnknownKey { kid })) = &verified else {
        return verified.map_err(NotVerified::Assertion);
    };
    let keys = ports.authorities.refetched_keys(&issuer, &provider, kid.as_deref()).await?;
    workload_identity::verify(assertion, &keys, &provider, &expected, now)
        .map_err(NotVerified::Assertion)
}

/// The tenant that signs a credential's assertions, at the cloud of the connector's own.
///
/// Under an identifier of its own: a stranger's assertions must not use up the rare look for new
/// keys that sign-ins depend on.
async fn issuer(
    ports: &Ports,
    connector: &Connector,
    credential: &ScimCredential,
    identity: &FederatedIdentity,
) -> Result<Connector, AuthorityFailure> {
    let authority = match connector.kind {
        ConnectorKind::AzureAd => {
            let own = ports.authorities.provider(connector).await?;
            let in_place_of = |tenant_id| own.issuer().replace(tenant_id, &identity.tenant_id);
            own.tenant_id().map_or_else(|| own.issuer().to_owned(), in_place_of)
        }
        ConnectorKind::Oidc => {
            format!("https://login.microsoftonline.com/{}/v2.0", identity.tenant_id)
        }
    };
    let id = ConnectorId::from_bytes(*credential.id.as_bytes());
    Ok(Connector { id, kind: ConnectorKind::AzureAd, authority, ..connector.clone() })
}
