//! An organization's people as a file, for Entra ID, a spreadsheet or another SCIM service.
//!
//! People are read page by page, in the order of their identifiers, and shaped one by one, so that
//! a million need no more memory than five hundred. Whoever changes meanwhile is written as they
//! were when their page was read.

mod bulk_upload;
mod csv;
mod entra_csv;
mod managers;
mod person;
mod plain_csv;
mod scim_json;
mod summary;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, VecDeque};

use self::managers::Managers;
pub use self::summary::{Remark, Remarks, Summary};
use crate::{
    domain::{
        account::Account,
        audit_event::{Actor, AuditEvent},
        group::Membership,
        id::{AccountId, ConnectorId},
        organization::Organization,
    },
    ports::{NotDone, Ports, Unavailable, accounts::AccountLookup},
    service::connectors,
};

/// So many people are read at once.
const PAGE: usize = 500;

/// How people are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// The file of *Bulk create users* in Microsoft's portal.
    EntraCsv,
    /// Requests of Microsoft's API-driven inbound provisioning, one per line.
    EntraBulkUpload,
    /// A SCIM User per line.
    ScimJson,
    /// A table.
    Csv,
}

impl Format {
    /// The name on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EntraCsv => "entra-csv",
            Self::EntraBulkUpload => "entra-bulk-upload",
            Self::ScimJson => "scim-json",
            Self::Csv => "csv",
        }
    }

    /// What stands before the first person.
    fn head(self) -> Option<String> {
        match self {
            Self::EntraCsv => Some(entra_csv::HEAD.to_owned()),
            Self::Csv => Some(plain_csv::head()),
            Self::EntraBulkUpload | Self::ScimJson => None,
        }
    }

    /// How many people a part has at most.
    const fn most_per_part(self) -> usize {
        match self {
            Self::EntraBulkUpload => bulk_upload::MOST_OPERATIONS,
            Self::EntraCsv | Self::ScimJson | Self::Csv => PAGE,
        }
    }

    fn part(self, people: &[String]) -> String {
        match self {
            Self::EntraBulkUpload => bulk_upload::request(people),
            Self::EntraCsv | Self::ScimJson | Self::Csv => people.concat(),
        }
    }
}

/// Who is written, and how.
#[derive(Clone, Copy, Debug)]
pub struct Choice {
    /// How.
    pub format: Format,
    /// Only those whom the directory of this connector provisions.
    pub connector: Option<ConnectorId>,
    /// Only those who may sign in.
    pub active_only: bool,
    /// With a new password each; only [`Format::EntraCsv`] has a place for it.
    pub initial_passwords: bool,
}

impl Choice {
    fn takes(&self, account: &Account) -> bool {
        (self.connector.is_none() || self.connector == account.connector_id)
            && (account.active || !self.active_only)
    }
}

/// The organization has no connector of this identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the organization has no connector {0}")]
pub struct UnknownConnector(pub ConnectorId);

/// An export under way.
pub struct Export<'a> {
    ports: &'a Ports,
    organization: &'a Organization,
    choice: Choice,
    connectors: Vec<ConnectorId>,
    managers: Managers,
    head: Option<String>,
    /// The last who was read.
    after: Option<AccountId>,
    /// Whether nobody comes after them.
    is_read: bool,
    /// How many were read, chosen or not.
    read: u64,
    /// The people who are shaped and not yet part of anything.
    waiting: VecDeque<String>,
    summary: Summary,
}

impl<'a> Export<'a> {
    /// Begins an export, which the audit log tells of.
    pub async fn begin(
        ports: &'a Ports,
        organization: &'a Organization,
        choice: Choice,
        actor: Actor,
    ) -> Result<Self, NotDone<UnknownConnector>> {
        let connectors = ports.store.list_connectors(organization.id).await?;
        let connectors: Vec<_> = connectors.into_iter().map(|connector| connector.id).collect();
        if let Some(id) = choice.connector.filter(|id| !connectors.contains(id)) {
            return Err(NotDone::Refused(UnknownConnector(id)));
        }
        let (id, now) = (organization.id, ports.clock.now());
        let audit = AuditEvent::new(id, now, actor, "accounts.exported", &organization.slug)
            .with("format", choice.format.as_str())
            .with("connector", choice.connector.map(|id| id.to_string()))
            .with("active_only", choice.active_only);
        ports.store.insert_audit_event(&audit).await?;
        Ok(Self {
            ports,
            organization,
            choice,
            connectors,
            managers: Managers::default(),
            head: choice.format.head(),
            after: None,
            is_read: false,
            read: 0,
            waiting: VecDeque::new(),
            summary: Summary::default(),
        })
    }

    /// How many accounts were looked at.
    pub const fn read(&self) -> u64 {
        self.read
    }

    /// What became of it, so far.
    pub const fn summary(&self) -> &Summary {
        &self.summary
    }

    /// The next part of the text; `None` after the last. A part of [`Format::EntraBulkUpload`] is
    /// one request.
    pub async fn next(&mut self) -> Result<Option<String>, Unavailable> {
        if let Some(head) = self.head.take() {
            return Ok(Some(head));
        }
        let most = self.choice.format.most_per_part();
        while self.waiting.len() < most && !self.is_read {
            self.read_page().await?;
        }
        let people: Vec<String> = self.waiting.drain(..most.min(self.waiting.len())).collect();
        if people.is_empty() {
            return Ok(None);
        }
        self.summary.written += people.len() as u64;
        self.summary.parts += 1;
        Ok(Some(self.choice.format.part(&people)))
    }

    async fn read_page(&mut self) -> Result<(), Unavailable> {
        let (store, id) = (&self.ports.store, self.organization.id);
        let mut page = store.list_accounts(id, self.after, PAGE as u64).await?;
        self.read += page.len() as u64;
        self.is_read = page.len() < PAGE;
        self.after = page.last().map(|account| account.id).or(self.after);
        page.retain(|account| self.choice.takes(account));
        match self.choice.format {
            Format::EntraCsv => page.iter().for_each(|account| self.shape_for_the_portal(account)),
            Format::EntraBulkUpload => self.shape_for_the_api(&page).await?,
            Format::ScimJson => self.shape_as_scim(&page).await?,
            Format::Csv => self.waiting.extend(page.iter().map(plain_csv::line)),
        }
        Ok(())
    }

    fn shape_for_the_portal(&mut self, account: &Account) {
        let password = self.choice.initial_passwords.then(entra_csv::initial_password);
        match entra_csv::line(account, password.as_ref()) {
            Ok(line) => {
                self.waiting.push_back(line.text);
                if !line.emptied.is_empty() {
                    let columns = line.emptied.join(", ");
                    let reason = format!("a spreadsheet would run as a formula: {columns}");
                    self.summary.incomplete.add(account, reason);
                }
            }
            Err(reason) => self.summary.left_out.add(account, reason),
        }
    }

    async fn shape_for_the_api(&mut self, page: &[Account]) -> Result<(), Unavailable> {
        for account in page {
            if let Some(reason) = bulk_upload::lacks(account) {
                self.summary.left_out.add(account, reason);
                continue;
            }
            if self.shares_its_external_id(account).await? {
                let reason = "somebody of another connector has the same externalId, by which \
                    Entra would take them for one person: export with --connector";
                self.summary.left_out.add(account, reason);
                continue;
            }
            let manager = self.managers.find(self.ports, account).await?;
            if let Err(unknown) = &manager {
                self.summary.incomplete.add(account, unknown.to_string());
            }
            let manager = manager.ok().flatten();
            self.waiting.push_back(bulk_upload::operation(account, manager.as_ref()));
        }
        Ok(())
    }

    /// Whether an account of another connector, if those are exported too, has its `externalId`.
    async fn shares_its_external_id(&self, account: &Account) -> Result<bool, Unavailable> {
        let Some(external_id) = account.external_id.as_ref() else { return Ok(false) };
        if self.choice.connector.is_some() {
            return Ok(false);
        }
        let others = self.connectors.iter().filter(|id| Some(**id) != account.connector_id);
        for connector in others {
            let lookup = AccountLookup::ExternalId(*connector, external_id.clone());
            let found = self.ports.store.find_account_by(self.organization.id, &lookup).await?;
            if found.is_some_and(|found| self.choice.takes(&found)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn shape_as_scim(&mut self, page: &[Account]) -> Result<(), Unavailable> {
        let accounts: Vec<_> = page.iter().map(|account| account.id).collect();
        let found = self.ports.store.list_memberships(self.organization.id, &accounts).await?;
        let mut memberships: HashMap<AccountId, Vec<Membership>> = HashMap::new();
        for membership in found {
            memberships.entry(membership.account_id).or_default().push(membership);
        }
        for account in page {
            let base_url = account.connector_id.map(|id| connectors::scim_url(self.ports, id));
            let memberships = memberships.remove(&account.id).unwrap_or_default();
            self.waiting.push_back(scim_json::line(account, memberships, base_url.as_deref()));
        }
        Ok(())
    }
}
