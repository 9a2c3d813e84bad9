//! What a directory does with an organization's people, over SCIM.

use serde_json::{Map, Value};
use tokio::sync::Mutex;

use crate::{
    domain::{
        account::Account,
        audit_event::{Actor, AuditEvent},
        connector::Connector,
        id::AccountId,
        organization::Organization,
    },
    ports::{
        NotDone, Part, Ports, Unavailable,
        store::{AccountConflict, AccountLookup, AccountPage},
    },
    scim::{error::ScimError, filter::Filter, patch::Patch, user::User},
    service::{access, to_its_end},
};

/// Why a directory's request was not carried out; nothing was changed.
#[derive(Debug)]
pub enum Error {
    /// It breaks a rule of the protocol, or another account has one of its values.
    Scim(ScimError),
    /// The organization has no such account; another's counts as none.
    NotFound(AccountId),
    /// The account is not of the version that the directory expects.
    Version,
    /// The database is away.
    Unavailable(Unavailable),
}

impl From<ScimError> for Error {
    fn from(error: ScimError) -> Self {
        Self::Scim(error)
    }
}

impl From<Unavailable> for Error {
    fn from(unavailable: Unavailable) -> Self {
        Self::Unavailable(unavailable)
    }
}

/// After so many conflicts in a row the directory is asked to try again.
const MAX_CONFLICTS: usize = 8;

/// A lookup by a unique value finds one account; this only bounds what a mistake would read.
const MAX_MATCHES: u64 = 100;

/// Whose turn it is to change an account, by the last byte of its identifier.
///
/// A directory sends many changes of one account at once. Here they queue, instead of each being
/// computed again and again because another was faster; the account's version still catches what
/// another process writes.
static TURNS: [Mutex<()>; 256] = [const { Mutex::const_new(()) }; 256];

/// A connector's directory at work.
pub struct Directory<'a> {
    /// The outside world.
    pub ports: &'a Ports,
    /// Whose people it writes.
    pub organization: &'a Organization,
    /// Through which connector.
    pub connector: &'a Connector,
}

impl Directory<'_> {
    /// Creates an account.
    ///
    /// # Errors
    /// `uniqueness` if another account has its user name, e-mail address or `externalId`, whether
    /// active or not, with what matched named.
    pub async fn create_user(&self, user: User) -> Result<Account, Error> {
        let now = self.ports.clock.now();
        let account = self.account(user, AccountId::generate(), &Fixed::new(now));
        let audit = self.audit("account.created", account.id);
        match self.ports.store.insert_account(&account, &audit).await {
            Ok(()) => Ok(account),
            Err(NotDone::Refused(conflict)) => Err(taken(conflict)),
            Err(NotDone::Unavailable(unavailable)) => Err(unavailable.into()),
        }
    }

    /// The account of this identifier, active or not.
    pub async fn find_user(&self, id: AccountId) -> Result<Account, Error> {
        let found = self.ports.store.find_account(self.organization.id, id).await?;
        found.ok_or(Error::NotFound(id))
    }

    /// The accounts that a filter names, active or not, from the `start_index`th on (from 1).
    pub async fn list_users(
        &self,
        filter: Option<&Filter>,
        start_index: u64,
        count: u64,
    ) -> Result<AccountPage, Error> {
        let (organization_id, store) = (self.organization.id, &self.ports.store);
        let Some(filter) = filter else {
            let offset = start_index.saturating_sub(1);
            return Ok(store.find_accounts(organization_id, &[], offset, count).await?);
        };
        let Some(lookups) = lookups(filter)? else { return Ok(AccountPage::default()) };
        let found = store.find_accounts(organization_id, &lookups, 0, MAX_MATCHES).await?;
        let mut matching = found.accounts;
        matching.retain(|account| filter.matches(&filterable(account)));
        let total = matching.len() as u64;
        let accounts = matching
            .into_iter()
            .skip(usize::try_from(start_index.saturating_sub(1)).unwrap_or(usize::MAX))
            .take(usize::try_from(count).unwrap_or(usize::MAX))
            .collect();
        Ok(AccountPage { total, accounts })
    }

    /// Changes an account as the directory asks (RFC 7644 §3.5.2).
    pub async fn patch_user(
        &self,
        id: AccountId,
        patch: &Patch,
        expects: impl Fn(&Account) -> bool,
    ) -> Result<Account, Error> {
        self.change_user(id, expects, |user| patch.apply(user)).await
    }

    /// Replaces an account's attributes (RFC 7644 §3.5.1).
    pub async fn replace_user(
        &self,
        id: AccountId,
        user: &User,
        expects: impl Fn(&Account) -> bool,
    ) -> Result<Account, Error> {
        let replace = |before: User| user.check_immutable(&before).map(|()| user.clone());
        self.change_user(id, expects, replace).await
    }

    /// Deletes an account; whoever is signed in to it is signed out.
    pub async fn delete_user(
        &self,
        id: AccountId,
        expects: impl Fn(&Account) -> bool,
    ) -> Result<(), Error> {
        let account = self.find_user(id).await?;
        if !expects(&account) {
            return Err(Error::Version);
        }
        let audit = self.audit("account.deleted", id).with("user_name", account.user_name.as_str());
        let (ports, organization) = (self.ports.clone(), self.organization.clone());
        to_its_end(async move {
            if !ports.store.delete_account(organization.id, id, &audit).await? {
                return Err(Error::NotFound(id));
            }
            let followed = access::follow_deletion(&ports, &organization, &account).await;
            followed.unwrap_or_else(|unavailable| access::reaches_later(&unavailable));
            Ok(())
        })
        .await
    }

    /// Reads an account, computes its successor, and writes that if nobody was faster; else again.
    ///
    /// A change that changes nothing writes nothing, so a directory may repeat itself for free.
    async fn change_user(
        &self,
        id: AccountId,
        expects: impl Fn(&Account) -> bool,
        change: impl Fn(User) -> Result<User, ScimError>,
    ) -> Result<Account, Error> {
        let mut turn = TURNS[usize::from(id.as_bytes()[15])].lock().await;
        for _ in 0..MAX_CONFLICTS {
            let before = self.find_user(id).await?;
            if !expects(&before) {
                return Err(Error::Version);
            }
            let user = User::from_stored(before.attributes.clone());
            let changed = change(user.clone())?;
            if changed == user {
                return Ok(before);
            }
            let (after, audit) = self.successor(&before, changed);
            let written =
                write(self.ports.clone(), self.organization.clone(), before, after, audit);
            // The turn goes along, so that nobody overtakes a change on its way to the sessions.
            let (written, still) = to_its_end(async move { (written.await, turn) }).await;
            turn = still;
            match written {
                Err(NotDone::Refused(AccountConflict::Version)) => {}
                Err(NotDone::Refused(conflict)) => return Err(taken(conflict)),
                Err(NotDone::Unavailable(unavailable)) => return Err(unavailable.into()),
                Ok(after) => return Ok(after),
            }
        }
        Err(Error::Unavailable(Unavailable {
            part: Part::Database,
            doing: "changing an account that others keep changing",
            cause: "eight conflicts in a row".into(),
        }))
    }

    /// The account as changed, with its line in the audit log.
    fn successor(&self, before: &Account, changed: User) -> (Account, AuditEvent) {
        let active = changed.stated_active().unwrap_or(before.active);
        let mut after =
            self.account(changed, before.id, &Fixed::next(before, self.ports.clock.now()));
        after.active = active;
        if access::is_lost(self.connector, before, &after) {
            after.access_epoch += 1;
        }
        let action = match (before.active, after.active) {
            (true, false) => "account.deactivated",
            (false, true) => "account.activated",
            _ => "account.changed",
        };
        let audit = self.audit(action, after.id).with("changed", changed_names(before, &after));
        (after, audit)
    }

    fn account(&self, user: User, id: AccountId, fixed: &Fixed) -> Account {
        Account {
            organization_id: self.organization.id,
            id,
            user_name: user.user_name().to_owned(),
            external_id: user.external_id().map(str::to_owned),
            email: user.primary_email().to_owned(),
            display_name: user.display_name(),
            active: user.active(),
            scim_roles: user.roles(),
            access_epoch: fixed.access_epoch,
            version: fixed.version,
            created_at: fixed.created_at,
            last_modified_at: fixed.last_modified_at,
            attributes: user.into_attributes(),
        }
    }

    fn audit(&self, action: &'static str, id: AccountId) -> AuditEvent {
        let actor = Actor::Directory(self.connector.id);
        AuditEvent::new(self.organization.id, self.ports.clock.now(), actor, action, &id)
    }
}

/// Writes an account's successor and brings its sessions in line, now or as soon as they can be
/// reached.
async fn write(
    ports: Ports,
    organization: Organization,
    before: Account,
    after: Account,
    audit: AuditEvent,
) -> Result<Account, NotDone<AccountConflict>> {
    ports.store.replace_account(&after, before.version, &audit).await?;
    let followed = access::follow_change(&ports, &organization, &before, &after).await;
    followed.unwrap_or_else(|unavailable| access::reaches_later(&unavailable));
    Ok(after)
}

/// What of an account a directory does not decide.
struct Fixed {
    access_epoch: u64,
    version: u64,
    created_at: jiff::Timestamp,
    last_modified_at: jiff::Timestamp,
}

impl Fixed {
    const fn new(now: jiff::Timestamp) -> Self {
        Self { access_epoch: 1, version: 1, created_at: now, last_modified_at: now }
    }

    const fn next(before: &Account, now: jiff::Timestamp) -> Self {
        Self {
            access_epoch: before.access_epoch,
            version: before.version + 1,
            created_at: before.created_at,
            last_modified_at: now,
        }
    }
}

/// The lookups by index that a filter needs to be answered; what else it asks is asked of the few
/// accounts that they find. `None` if it can match nobody.
fn lookups(filter: &Filter) -> Result<Option<Vec<AccountLookup>>, ScimError> {
    let mut lookups = Vec::new();
    for (path, value) in filter.equalities().unwrap_or_default() {
        match path.attribute.to_ascii_lowercase().as_str() {
            "id" => match value.parse() {
                Ok(id) => lookups.push(AccountLookup::Id(id)),
                Err(_) => return Ok(None),
            },
            "username" => lookups.push(AccountLookup::UserName(value.to_owned())),
            "externalid" => lookups.push(AccountLookup::ExternalId(value.to_owned())),
            "emails" => lookups.push(AccountLookup::Email(value.to_owned())),
            _ => {}
        }
    }
    if lookups.is_empty() {
        return Err(ScimError::InvalidFilter(
            "A filter must compare id, userName, externalId or emails.value with `eq`; further \
             comparisons may be joined to that by `and`."
                .to_owned(),
        ));
    }
    Ok(Some(lookups))
}

/// What a filter may ask of an account.
fn filterable(account: &Account) -> Map<String, Value> {
    let mut resource = account.attributes.clone();
    resource.insert("id".to_owned(), account.id.to_string().into());
    resource.insert("active".to_owned(), account.active.into());
    resource
}

/// The top-level attributes that differ, sorted.
fn changed_names(before: &Account, after: &Account) -> Value {
    let (old, new) = (&before.attributes, &after.attributes);
    let mut names: Vec<_> =
        old.keys().chain(new.keys()).filter(|name| old.get(*name) != new.get(*name)).collect();
    names.sort_unstable();
    names.dedup();
    names.into_iter().cloned().collect()
}

fn taken(conflict: AccountConflict) -> Error {
    let (attribute, id) = match conflict {
        AccountConflict::UserName(id) => ("userName", id),
        AccountConflict::Email(id) => ("the primary e-mail address", id),
        AccountConflict::ExternalId(id) => ("externalId", id),
        AccountConflict::Version => return Error::Version,
    };
    Error::Scim(ScimError::Uniqueness(format!(
        "Another user of this organization has the same {attribute}: the user with the id {id}. \
         Match on it, or change one of the two."
    )))
}
