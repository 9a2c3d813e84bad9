//! Who is whose manager, by what Entra knows them by.

use std::collections::HashMap;

use super::{bulk_upload::Manager, person::Person};
use crate::{
    domain::{account::Account, id::ConnectorId},
    ports::{Ports, Unavailable, accounts::AccountLookup},
};

/// So many managers are remembered; then all are forgotten and found anew.
const MOST_REMEMBERED: usize = 10_000;

/// The managers that were found of late.
#[derive(Default)]
pub(super) struct Managers(HashMap<(Option<ConnectorId>, String), Option<Manager>>);

/// The organization has nobody of whom the directory says that they are the manager.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the organization has nobody with the id or externalId {0:?}, who is said to be the manager"
)]
pub(super) struct UnknownManager(String);

impl Managers {
    /// An account's manager, if it has one.
    ///
    /// A directory names them by the `id` that it was answered, as Entra ID does, or by the
    /// `externalId` that it gave them.
    pub(super) async fn find(
        &mut self,
        ports: &Ports,
        account: &Account,
    ) -> Result<Result<Option<Manager>, UnknownManager>, Unavailable> {
        let Some(value) = Person(account).manager() else { return Ok(Ok(None)) };
        let key = (account.connector_id, value.to_owned());
        let found = if let Some(known) = self.0.get(&key) {
            known.clone()
        } else {
            let found = look_up(ports, account, value).await?.as_ref().map(Manager::of);
            self.remember(key, found.clone());
            found
        };
        Ok(found.map(Some).ok_or_else(|| UnknownManager(value.to_owned())))
    }

    fn remember(&mut self, key: (Option<ConnectorId>, String), found: Option<Manager>) {
        if self.0.len() >= MOST_REMEMBERED {
            self.0.clear();
        }
        self.0.insert(key, found);
    }
}

async fn look_up(
    ports: &Ports,
    account: &Account,
    value: &str,
) -> Result<Option<Account>, Unavailable> {
    let organization = account.organization_id;
    if let Ok(id) = value.parse()
        && let Some(found) = ports.store.find_account(organization, id).await?
    {
        return Ok(Some(found));
    }
    let Some(connector) = account.connector_id else { return Ok(None) };
    let lookup = AccountLookup::ExternalId(connector, value.to_owned());
    ports.store.find_account_by(organization, &lookup).await
}
