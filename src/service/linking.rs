//! Whose account a verified identity is.
//!
//! # Why never by e-mail
//!
//! Whoever administers a tenant writes what they like into a person's e-mail address. What ties an
//! account to a person is the identifier that the tenant itself can't change or reuse. A user name
//! serves only inside the connector's own tenant, never for guests, and only as the connector
//! allows.

use crate::{
    domain::{
        account::Account,
        audit_event::{Actor, AuditEvent},
        connector::{Connector, ConnectorKind, LinkByUserName},
        decision::Outcome,
        id::{AccountId, Reference},
        subject_link::{LinkBasis, LinkRequest, Subject, SubjectLink},
    },
    oidc::id_token::VerifiedIdentity,
    ports::{NotDone, Ports, Unavailable, accounts::AccountLookup, store::LinkConflict},
};

/// The account that belongs to an identity.
#[derive(Debug)]
pub struct Linked {
    /// The account, active or not.
    pub account: Account,
    /// What justified its link.
    pub basis: LinkBasis,
    /// The rule that found it now: `subject_link`, `external_id` or `user_name`.
    pub found_by: &'static str,
}

/// Why no account belongs to an identity.
#[derive(Debug)]
pub struct NotLinked {
    /// How the sign-in ends.
    pub outcome: Outcome,
    /// What happened and what to do, in one or two sentences for an admin.
    pub because: String,
    /// The account that came nearest.
    pub account_id: Option<AccountId>,
}

impl NotLinked {
    fn new(outcome: Outcome, account_id: Option<AccountId>, because: impl Into<String>) -> Self {
        Self { outcome, because: because.into(), account_id }
    }
}

/// Why a search ended without an account.
#[derive(Debug)]
pub enum Failure {
    /// Nobody's, or not clearly one person's.
    NotLinked(NotLinked),
    /// The database is away.
    Unavailable(Unavailable),
}

impl From<Unavailable> for Failure {
    fn from(unavailable: Unavailable) -> Self {
        Self::Unavailable(unavailable)
    }
}

impl From<NotLinked> for Failure {
    fn from(not_linked: NotLinked) -> Self {
        Self::NotLinked(not_linked)
    }
}

/// A sign-in that looks for its account.
pub struct Search<'a> {
    /// The outside world.
    pub ports: &'a Ports,
    /// Through which connector the person came.
    pub connector: &'a Connector,
    /// Who came.
    pub identity: &'a VerifiedIdentity,
    /// The number that the person's page will show.
    pub reference: &'a Reference,
}

impl Search<'_> {
    /// Finds the account: by subject link, then SCIM `externalId`, then as the connector allows by
    /// user name; and makes the link where there was none.
    pub async fn account(&self) -> Result<Linked, Failure> {
        let subject = self.identity.subject();
        if let Some(link) =
            self.ports.store.find_link(self.connector.organization_id, &subject).await?
        {
            return self.by_link(link).await;
        }
        let by_external_id = self.by_external_id(&subject);
        if let Some(account) = self.find(by_external_id).await? {
            return self.link(account, subject, LinkBasis::ExternalId, "external_id").await;
        }
        self.by_user_name(subject).await
    }

    async fn by_link(&self, link: SubjectLink) -> Result<Linked, Failure> {
        let store = &self.ports.store;
        let account = store.find_account(link.organization_id, link.account_id).await?;
        let account = account.ok_or_else(|| {
            NotLinked::new(Outcome::NotProvisioned, None, "The account was deleted meanwhile.")
        })?;
        let by_external_id = self.by_external_id(&link.subject);
        if let Some(other) = self.find(by_external_id).await?
            && other.id != account.id
        {
            let because = format!(
                "The person is linked to account {}, but account {} carries their identifier as \
                 externalId. Delete one of them, or correct its externalId.",
                account.id, other.id
            );
            return Err(NotLinked::new(Outcome::Ambiguous, Some(account.id), because).into());
        }
        if let Some(object_id) = self.other_object(&account, &link.subject) {
            let because = format!(
                "The person is linked to account {}, but its externalId is {object_id} and the \
                 person's object is {}: the directory has given the account to somebody else. \
                 Delete the account, with which its link goes, or correct the externalId.",
                account.id, link.subject.identifier
            );
            return Err(NotLinked::new(Outcome::Ambiguous, Some(account.id), because).into());
        }
        if link.sub != self.identity.sub() {
            let audit = self
                .audit("subject_link.sub_changed", account.id)
                .with("before", link.sub.as_str())
                .with("after", self.identity.sub());
            store
                .update_link_sub(link.organization_id, &link.subject, self.identity.sub(), &audit)
                .await?;
        }
        Ok(Linked { account, basis: link.basis, found_by: "subject_link" })
    }

    async fn by_user_name(&self, subject: Subject) -> Result<Linked, Failure> {
        let user_name = self.user_name_to_match(&subject)?;
        let lookup = AccountLookup::UserName(user_name.to_owned());
        // The lookup takes for one what Unicode folds together: a Kelvin sign for a k.
        let found = self.find(lookup).await?;
        let account = found
            .filter(|account| account.user_name.eq_ignore_ascii_case(user_name))
            .ok_or_else(|| self.not_provisioned(&subject))?;
        self.refuse_if_somebody_elses(&account, &subject).await?;
        match self.connector.link_by_user_name {
            LinkByUserName::Allow => {
                self.link(account, subject, LinkBasis::UserName, "user_name").await
            }
            LinkByUserName::Ask => Err(self.ask(account, subject, user_name).await?.into()),
            LinkByUserName::Never => Err(self.not_provisioned(&subject).into()),
        }
    }

    /// The name to look for, where looking for a name is right at all.
    fn user_name_to_match(&self, subject: &Subject) -> Result<&str, NotLinked> {
        let may_match = self.connector.kind == ConnectorKind::AzureAd
            && self.connector.link_by_user_name != LinkByUserName::Never
            && !self.identity.is_guest();
        self.identity
            .preferred_username()
            .filter(|_| may_match)
            .ok_or_else(|| self.not_provisioned(subject))
    }

    /// An account whose `externalId` is another object's, or that is linked already, is somebody
    /// else's, whatever its user name says.
    async fn refuse_if_somebody_elses(
        &self,
        account: &Account,
        subject: &Subject,
    ) -> Result<(), Failure> {
        if let Some(object_id) = self.other_object(account, subject) {
            let because = format!(
                "Account {} has the person's user name, but its externalId is {object_id} and the \
                 person's object is {}. The name was given to somebody else: delete the old account.",
                account.id, subject.identifier
            );
            return Err(NotLinked::new(Outcome::Ambiguous, Some(account.id), because).into());
        }
        let link = self
            .ports
            .store
            .find_link_of_account(account.organization_id, self.connector.id, account.id)
            .await?;
        match link {
            Some(link) => Err(taken(account.id, &link.subject).into()),
            None => Ok(()),
        }
    }

    /// The object ID that an account carries as `externalId`, if it is not the person's.
    fn other_object<'a>(&self, account: &'a Account, subject: &Subject) -> Option<&'a str> {
        let external_id = account.external_id.as_deref()?;
        let object_id = uuid::Uuid::try_parse(external_id).ok()?;
        let is_other = self.connector.kind == ConnectorKind::AzureAd
            && object_id.hyphenated().to_string() != subject.identifier;
        is_other.then_some(external_id)
    }

    async fn ask(
        &self,
        account: Account,
        subject: Subject,
        user_name: &str,
    ) -> Result<NotLinked, Unavailable> {
        let request = LinkRequest {
            organization_id: account.organization_id,
            connector_id: self.connector.id,
            account_id: account.id,
            subject,
            sub: self.identity.sub().to_owned(),
            user_name: user_name.to_owned(),
            reference: self.reference.clone(),
            requested_at: self.ports.clock.now(),
        };
        let audit = self.audit("subject_link.requested", account.id).with("user_name", user_name);
        self.ports.store.insert_link_request(&request, &audit).await?;
        let because = format!(
            "Account {} has the person's user name but not their object ID as externalId. Approve \
             the link, or map externalId to objectId in the provisioning of the tenant.",
            account.id
        );
        Ok(NotLinked::new(Outcome::AwaitsApproval, Some(account.id), because))
    }

    async fn link(
        &self,
        account: Account,
        subject: Subject,
        basis: LinkBasis,
        found_by: &'static str,
    ) -> Result<Linked, Failure> {
        let link = SubjectLink {
            organization_id: account.organization_id,
            connector_id: self.connector.id,
            account_id: account.id,
            subject,
            sub: self.identity.sub().to_owned(),
            basis,
            linked_at: self.ports.clock.now(),
        };
        let audit = self.audit("subject_link.created", account.id).with("basis", basis.as_str());
        match self.ports.store.insert_link(&link, &audit).await {
            Ok(()) => Ok(Linked { account, basis, found_by }),
            Err(NotDone::Unavailable(unavailable)) => Err(unavailable.into()),
            // Two tabs at once: the other one has just made the same link.
            Err(NotDone::Refused(LinkConflict::SubjectTaken(id))) if id == account.id => {
                Ok(Linked { account, basis, found_by })
            }
            Err(NotDone::Refused(_)) => Err(taken(account.id, &link.subject).into()),
        }
    }

    async fn find(&self, lookup: AccountLookup) -> Result<Option<Account>, Unavailable> {
        let organization_id = self.connector.organization_id;
        self.ports.store.find_account_by(organization_id, &lookup).await
    }

    fn by_external_id(&self, subject: &Subject) -> AccountLookup {
        AccountLookup::ExternalId(self.connector.id, subject.identifier.clone())
    }

    fn not_provisioned(&self, subject: &Subject) -> NotLinked {
        let guest =
            if self.identity.is_guest() { " The person is a guest of the tenant." } else { "" };
        let because = format!(
            "No account carries {} as externalId.{guest} Assign the person to the application in \
             the tenant, wait for provisioning, and check that externalId is mapped to objectId.",
            subject.identifier
        );
        NotLinked::new(Outcome::NotProvisioned, None, because)
    }

    fn audit(&self, action: &'static str, account_id: AccountId) -> AuditEvent {
        let (organization_id, now) = (self.connector.organization_id, self.ports.clock.now());
        AuditEvent::new(organization_id, now, Actor::Visitor, action, &account_id)
            .with("authority", self.identity.subject().authority)
            .with("identifier", self.identity.subject().identifier)
            .under(self.reference)
    }
}

fn taken(account_id: AccountId, subject: &Subject) -> NotLinked {
    let because = format!(
        "Account {account_id} is linked to {} and somebody else signed in whom it would match. \
         If the account has passed to another person, delete it: its link goes with it.",
        subject.identifier
    );
    NotLinked::new(Outcome::Ambiguous, Some(account_id), because)
}

/// Ties the account of a request to the person who waits, on an admin's word.
pub async fn approve(
    ports: &Ports,
    request: &LinkRequest,
    actor: Actor,
) -> Result<(), NotDone<LinkConflict>> {
    let link = SubjectLink {
        organization_id: request.organization_id,
        connector_id: request.connector_id,
        account_id: request.account_id,
        subject: request.subject.clone(),
        sub: request.sub.clone(),
        basis: LinkBasis::Approval,
        linked_at: ports.clock.now(),
    };
    let audit = AuditEvent::new(
        link.organization_id,
        link.linked_at,
        actor,
        "subject_link.approved",
        &link.account_id,
    )
    .with("user_name", request.user_name.as_str())
    .with("identifier", link.subject.identifier.as_str())
    .under(&request.reference);
    ports.store.insert_link(&link, &audit).await
}
