//! What a directory does with people.

use serde_json::{Map, Value};
use tokio::sync::Mutex;

use super::{Directory, Error, Expected, MAX_CONFLICTS, log, policy};
use crate::{
    domain::{
        account::Account,
        group::Membership,
        id::AccountId,
        organization::Organization,
        provisioning_record::{ProvisioningOutcome, ProvisioningRecord},
    },
    ports::{
        NotDone, Part, Ports, Unavailable,
        accounts::AccountConflict,
        query::{Page, Query},
        trail::Trail,
    },
    scim::{
        custom::{self, CustomAttribute, CustomAttributes},
        error::ScimError,
        patch::Patch,
        user::User,
    },
    service::{access, to_its_end},
};

/// Whose turn it is to change an account, by the last byte of its identifier.
///
/// A directory sends many changes of one account at once. Here they queue, instead of each being
/// computed again and again because another was faster; the account's version still catches what
/// another process writes.
static TURNS: [Mutex<()>; 256] = [const { Mutex::const_new(()) }; 256];

impl Directory<'_> {
    /// Creates an account, or takes over the one made by hand that has its user name or primary
    /// e-mail address and neither an `externalId` nor a link.
    ///
    /// # Errors
    /// `uniqueness` if another account has its user name, e-mail address or `externalId`, whether
    /// active or not, with what matched named. A profile may say that an inactive one of the same
    /// directory comes back instead.
    pub async fn create_user(&self, user: User) -> Result<Account, Error> {
        policy::check(&self.connector.provisioning, None, &user)?;
        let (user, learned) = self.learn(user).await?;
        let id = AccountId::generate();
        let account = self.account(user.clone(), id, &Fixed::new(self.ports.clock.now()));
        let summary = format!("Created {}", named(&account));
        let record = self.changed(201, summary, &account, Map::new());
        let trail = Self::trail(self.audit("account.created", &id), record, learned.clone());
        match self.ports.store.insert_account(&account, &trail).await {
            Ok(()) => {
                self.count_change();
                Ok(account)
            }
            Err(NotDone::Refused(conflict)) => self.meet(conflict, user, learned).await,
            Err(NotDone::Unavailable(unavailable)) => Err(unavailable.into()),
        }
    }

    /// The account of this identifier, active or not.
    pub async fn find_user(&self, id: AccountId) -> Result<Account, Error> {
        let account = self.own_account(id).await?;
        self.answered(200, format!("Found {}", named(&account)), Some(id.to_string()));
        Ok(account)
    }

    /// The accounts that a query asks for, active or not.
    pub async fn query_users(&self, query: &Query) -> Result<Page<Account>, Error> {
        let store = &self.ports.store;
        match store.query_accounts(self.organization.id, self.connector.id, query).await {
            Ok(page) => Ok(page),
            Err(NotDone::Refused(too_costly)) => Err(too_costly.into()),
            Err(NotDone::Unavailable(unavailable)) => Err(unavailable.into()),
        }
    }

    /// The groups that accounts belong to directly.
    pub async fn memberships(&self, accounts: &[AccountId]) -> Result<Vec<Membership>, Error> {
        Ok(self.ports.store.list_memberships(self.organization.id, accounts).await?)
    }

    /// Changes an account as the directory asks (RFC 7644 §3.5.2).
    pub async fn patch_user(
        &self,
        id: AccountId,
        patch: &Patch,
        expected: Expected<'_>,
    ) -> Result<Account, Error> {
        self.change_user(id, expected, |user| patch.apply(user)).await
    }

    /// Replaces an account's attributes (RFC 7644 §3.5.1).
    pub async fn replace_user(
        &self,
        id: AccountId,
        user: &User,
        expected: Expected<'_>,
    ) -> Result<Account, Error> {
        self.change_user(id, expected, |before| {
            user.check_immutable(&before)?;
            Ok(user.clone())
        })
        .await
    }

    /// Deletes an account; whoever is signed in to it is signed out.
    pub async fn delete_user(&self, id: AccountId, expected: Expected<'_>) -> Result<(), Error> {
        let account = self.own_account(id).await?;
        if !expected.allows(account.version) {
            return Err(Error::Version);
        }
        let audit =
            self.audit("account.deleted", &id).with("user_name", account.user_name.as_str());
        let changes = log::changes(&account.attributes, &Map::new());
        let record = self.changed(204, format!("Deleted {}", named(&account)), &account, changes);
        let trail = Self::trail(audit, record, Vec::new());
        let (ports, organization) = (self.ports.clone(), self.organization.clone());
        to_its_end(async move {
            if !ports.store.delete_account(organization.id, id, &trail).await? {
                return Err(no_user(id));
            }
            let followed = access::follow_deletion(&ports, &organization, &account).await;
            followed.unwrap_or_else(|unavailable| access::reaches_later(&unavailable));
            Ok(())
        })
        .await?;
        self.count_change();
        Ok(())
    }

    /// Reads an account, computes its successor, and writes that if nobody was faster; else again.
    ///
    /// A change that changes nothing writes nothing, so a directory may repeat itself for free.
    async fn change_user(
        &self,
        id: AccountId,
        expected: Expected<'_>,
        change: impl Fn(User) -> Result<User, ScimError>,
    ) -> Result<Account, Error> {
        let mut turn = TURNS[usize::from(id.as_bytes()[15])].lock().await;
        for _ in 0..MAX_CONFLICTS {
            let before = self.own_account(id).await?;
            if !expected.allows(before.version) {
                return Err(Error::Version);
            }
            let user = User::from_stored(before.attributes.clone());
            let (changed, learned) = self.learn(change(user.clone())?).await?;
            if changed == user {
                let summary = format!("Nothing to change of {}", named(&before));
                self.answered(200, summary, Some(id.to_string()));
                return Ok(before);
            }
            policy::check(&self.connector.provisioning, Some(&user), &changed)?;
            let after = self.successor(&before, changed);
            let trail = self.trail_of_change(&before, &after, learned);
            let write =
                replace(self.ports.clone(), self.organization.clone(), before, after, trail);
            // The turn goes along, so that nobody overtakes a change on its way to the sessions.
            let (written, still) = to_its_end(async move { (write.await, turn) }).await;
            turn = still;
            match written {
                Err(NotDone::Refused(AccountConflict::Version)) => {}
                Err(NotDone::Refused(conflict)) => return Err(self.taken(conflict).await?),
                Err(NotDone::Unavailable(unavailable)) => return Err(unavailable.into()),
                Ok(after) => {
                    self.count_change();
                    return Ok(after);
                }
            }
        }
        Err(Error::Unavailable(Unavailable {
            part: Part::Database,
            doing: "changing an account that others keep changing",
            cause: "eight conflicts in a row".into(),
        }))
    }

    /// What becomes of a creation whose values another account has already.
    async fn meet(
        &self,
        conflict: AccountConflict,
        user: User,
        learned: Vec<CustomAttribute>,
    ) -> Result<Account, Error> {
        let other = match conflict {
            AccountConflict::UserName(id)
            | AccountConflict::Email(id)
            | AccountConflict::ExternalId(id) => {
                self.ports.store.find_account(self.organization.id, id).await?
            }
            AccountConflict::Version => None,
        };
        match other {
            Some(other) if other.connector_id.is_none() && other.external_id.is_none() => {
                self.adopt(other, user, learned, conflict).await
            }
            Some(other) if self.comes_back(&other, &user) => {
                self.replace_user(other.id, &user, Expected::default()).await
            }
            _ => Err(self.taken(conflict).await?),
        }
    }

    /// Whether a creation is meant for an inactive account of the same directory.
    fn comes_back(&self, other: &Account, user: &User) -> bool {
        let same_person = other.external_id.as_deref() == user.external_id()
            || other.user_name.eq_ignore_ascii_case(user.user_name());
        self.profile.reactivates
            && other.connector_id == Some(self.connector.id)
            && !other.active
            && same_person
    }

    /// Takes over an account that was made by hand.
    async fn adopt(
        &self,
        before: Account,
        user: User,
        learned: Vec<CustomAttribute>,
        conflict: AccountConflict,
    ) -> Result<Account, Error> {
        let mut after = self.successor(&before, user);
        after.connector_id = Some(self.connector.id);
        let audit = self.audit("account.adopted", &after.id);
        let changes = log::changes(&before.attributes, &after.attributes);
        let summary = format!("Took over {}, made by hand until now", named(&after));
        let record = self.changed(201, summary, &after, changes);
        let trail = Self::trail(audit, record, learned);
        let (ports, organization) = (self.ports.clone(), self.organization.clone());
        let adopted = to_its_end(async move {
            ports.store.adopt_account(&after, before.version, &trail).await?;
            let followed = access::follow_change(&ports, &organization, &before, &after).await;
            followed.unwrap_or_else(|unavailable| access::reaches_later(&unavailable));
            Ok(after)
        });
        match adopted.await {
            Ok(after) => {
                self.count_change();
                Ok(after)
            }
            Err(NotDone::Refused(AccountConflict::Version)) => Err(self.taken(conflict).await?),
            Err(NotDone::Refused(conflict)) => Err(self.taken(conflict).await?),
            Err(NotDone::Unavailable(unavailable)) => Err(unavailable.into()),
        }
    }

    /// The account as changed.
    fn successor(&self, before: &Account, changed: User) -> Account {
        let active = changed.stated_active().unwrap_or(before.active);
        let fixed = Fixed::next(before, self.ports.clock.now());
        let mut after = self.account(changed, before.id, &fixed);
        after.active = active;
        if access::is_lost(self.connector, before, &after) {
            after.access_epoch += 1;
        }
        after
    }

    fn trail_of_change(
        &self,
        before: &Account,
        after: &Account,
        learned: Vec<CustomAttribute>,
    ) -> Trail {
        let (action, verb) = match (before.active, after.active) {
            (true, false) => ("account.deactivated", "Deactivated"),
            (false, true) => ("account.activated", "Activated"),
            _ => ("account.changed", "Changed"),
        };
        let changes = log::changes(&before.attributes, &after.attributes);
        let names: Value = changes.keys().cloned().collect();
        let summary = format!("{verb} {}", named(after));
        Self::trail(
            self.audit(action, &after.id).with("changed", names),
            self.changed(200, summary, after, changes),
            learned,
        )
    }

    fn changed(
        &self,
        status: u16,
        summary: String,
        account: &Account,
        changes: Map<String, Value>,
    ) -> ProvisioningRecord {
        ProvisioningRecord {
            status,
            outcome: ProvisioningOutcome::Changed,
            summary,
            resource: Some(account.id.to_string()),
            changes,
            ..self.call.record(self.connector, self.ports.clock.now())
        }
    }

    /// The user with the values of custom attributes in their declared types, and those attributes
    /// that nobody has sent before.
    async fn learn(&self, user: User) -> Result<(User, Vec<CustomAttribute>), Error> {
        if !custom::is_used_by(user.attributes()) {
            return Ok((user, Vec::new()));
        }
        let (organization_id, id) = (self.organization.id, self.connector.id);
        let known = self.ports.store.list_custom_attributes(organization_id, id).await?;
        let known: CustomAttributes = known.into_iter().collect();
        let mut attributes = user.into_attributes();
        known.coerce(&mut attributes, self.profile)?;
        let learned = known.learn(&attributes);
        if self.connector.provisioning.declared_attributes_only
            && let Some(CustomAttribute { schema, name, .. }) = learned.first()
        {
            let detail =
                format!("{schema}:{name} is not declared here. Declare it, or don't map it.");
            return Err(ScimError::InvalidValue(detail).into());
        }
        Ok((User::from_stored(attributes), learned))
    }

    /// The account of this identifier, if this connector's directory provisions it.
    async fn own_account(&self, id: AccountId) -> Result<Account, Error> {
        let found = self.ports.store.find_account(self.organization.id, id).await?;
        let own = found.filter(|account| account.connector_id == Some(self.connector.id));
        own.ok_or_else(|| no_user(id))
    }

    fn account(&self, user: User, id: AccountId, fixed: &Fixed) -> Account {
        let fields = &self.connector.provisioning.fields;
        Account {
            organization_id: self.organization.id,
            connector_id: Some(self.connector.id),
            id,
            user_name: user.user_name().to_owned(),
            external_id: user.external_id().map(str::to_owned),
            email: policy::email(fields, &user).into_owned(),
            display_name: policy::display_name(fields, &user),
            active: user.active(),
            scim_roles: user.roles(),
            access_epoch: fixed.access_epoch,
            version: fixed.version,
            created_at: fixed.created_at,
            last_modified_at: fixed.last_modified_at,
            attributes: user.into_attributes(),
        }
    }

    /// What a directory is told of an account that has its value: its `id`, if it is the
    /// directory's own.
    async fn taken(&self, conflict: AccountConflict) -> Result<Error, Unavailable> {
        let (attribute, id) = match conflict {
            AccountConflict::UserName(id) => ("userName", id),
            AccountConflict::Email(id) => ("the primary e-mail address", id),
            AccountConflict::ExternalId(id) => ("externalId", id),
            AccountConflict::Version => return Ok(Error::Version),
        };
        let other = self.ports.store.find_account(self.organization.id, id).await?;
        let is_own = other.is_none_or(|other| other.connector_id == Some(self.connector.id));
        let detail = if is_own {
            format!(
                "Another user has the same {attribute}: the user with the id {id}. Match on it, or \
                 change one of the two."
            )
        } else {
            format!(
                "An account of the organization that this connector does not provision has the \
                 same {attribute}. An admin of the organization has to change or delete it."
            )
        };
        Ok(Error::Scim(ScimError::Uniqueness(detail)))
    }
}

/// Writes an account's successor and brings its sessions in line, now or as soon as they can be
/// reached.
async fn replace(
    ports: Ports,
    organization: Organization,
    before: Account,
    after: Account,
    trail: Trail,
) -> Result<Account, NotDone<AccountConflict>> {
    ports.store.replace_account(&after, before.version, &trail).await?;
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

fn named(account: &Account) -> String {
    format!("{} ({})", account.display_name, account.user_name)
}

fn no_user(id: AccountId) -> Error {
    Error::NotFound(format!("There is no user with the id {id}."))
}
