//! What a change of an account means for whoever is signed in to it.

use crate::{
    domain::{
        access_role::AccessRole,
        account::Account,
        connector::Connector,
        id::{AccountId, OrganizationId},
        organization::Organization,
        session::{Identity, Session},
        subject_link::LinkBasis,
    },
    ports::{
        Ports, Unavailable,
        store::{Revocation, Revoked},
    },
    service::role,
};

/// Above every epoch that an account can have; a database's integers have 63 bits.
const AFTER_EVERY_EPOCH: u64 = u64::MAX >> 1;

/// Whether the account lost access between `before` and `after`: deactivated, or a lower role from
/// its directory. Its epoch must rise in the same commit then.
pub fn is_lost(connector: &Connector, before: &Account, after: &Account) -> bool {
    let deactivated = before.active && !after.active;
    let fell = role::from_directory(connector, after) < role::from_directory(connector, before);
    deactivated || fell
}

/// Who the sessions of an account speak for.
pub fn identity(organization: &Organization, account: &Account) -> Identity {
    Identity::new(account.id, &account.email, &account.display_name, &organization.slug)
}

/// Brings the live sessions of an account in line with a change that is committed.
///
/// A raised epoch has ended them all, whatever happens here; those that keep a role are taken over
/// into the new epoch. So when a part of this fails, people are signed out, never left in.
pub async fn follow_change(
    ports: &Ports,
    organization: &Organization,
    before: &Account,
    after: &Account,
) -> Result<(), Unavailable> {
    let (id, epoch) = (after.id, after.access_epoch);
    let sessions = if epoch > before.access_epoch {
        ports.sessions.revoke_before(organization.id, id, epoch).await?
    } else if before.scim_roles == after.scim_roles {
        Vec::new()
    } else {
        ports.sessions.list_of_account(organization.id, id, ports.clock.now()).await?
    };
    if after.active {
        for session in &sessions {
            match role_after_change(ports, session, before, after).await? {
                Some(role) => drop(ports.sessions.change_role(session, role, epoch).await?),
                None => drop(ports.sessions.end(&session.digest).await?),
            }
        }
    } else {
        // After the database was restored, sessions may be of an epoch that it does not know yet.
        ports.sessions.end_of_account(organization.id, id).await?;
    }
    let identity_after = identity(organization, after);
    if identity_after != identity(organization, before) {
        ports.sessions.change_identity(organization.id, id, identity_after).await?;
    }
    Ok(())
}

/// Ends every session of an account that was deleted.
pub async fn follow_deletion(
    ports: &Ports,
    organization: &Organization,
    deleted: &Account,
) -> Result<(), Unavailable> {
    ports.sessions.revoke_before(organization.id, deleted.id, AFTER_EVERY_EPOCH).await?;
    Ok(())
}

/// Notes that what was committed has not reached the sessions yet.
///
/// It is no failure of what was asked for: the revocation was committed with it, and reaches the
/// sessions before any is accepted again.
pub fn reaches_later(unavailable: &Unavailable) {
    tracing::warn!(%unavailable, "a change is committed; it reaches the sessions later");
}

/// Brings all sessions in line with what changed of late, once more.
///
/// Idempotent. Whoever should have kept a lesser role and is reached only here is signed out: what
/// the account was before is not known any more.
pub async fn catch_up(ports: &Ports) -> Result<(), Unavailable> {
    let mut accounts = Vec::new();
    for revocation in ports.store.list_revocations().await? {
        let Revocation { organization_id, of, at } = revocation;
        match of {
            Revoked::Account(id) => accounts.push((organization_id, id)),
            Revoked::Connector(id) => {
                ports.sessions.end_of_connector(organization_id, id, at).await?;
            }
        }
    }
    for (organization_id, id) in ports.sessions.with_sessions(accounts).await? {
        follow_account(ports, organization_id, id).await?;
    }
    Ok(())
}

async fn follow_account(
    ports: &Ports,
    organization_id: OrganizationId,
    id: AccountId,
) -> Result<(), Unavailable> {
    let account = ports.store.find_account(organization_id, id).await?;
    let epoch = account.as_ref().map_or(AFTER_EVERY_EPOCH, |account| account.access_epoch);
    ports.sessions.revoke_before(organization_id, id, epoch).await?;
    if account.as_ref().is_some_and(|account| !account.active) {
        ports.sessions.end_of_account(organization_id, id).await?;
    }
    let organization = ports.store.find_organization(organization_id).await?;
    if let (Some(account), Some(organization)) = (account, organization) {
        let identity = identity(&organization, &account);
        ports.sessions.change_identity(organization_id, id, identity).await?;
    }
    Ok(())
}

async fn role_after_change(
    ports: &Ports,
    session: &Session,
    before: &Account,
    after: &Account,
) -> Result<Option<AccessRole>, Unavailable> {
    let Some(connector) = ports.store.find_connector(session.connector_id).await? else {
        return Ok(None);
    };
    let link =
        ports.store.find_link_of_account(session.organization_id, connector.id, after.id).await?;
    let basis = link.map_or(LinkBasis::UserName, |link| link.basis);
    let [was, is] = [before, after].map(|account| role::from_directory(&connector, account));
    Ok(role::after_change(&connector, session, basis, was, is))
}
