//! How an attempt ends, and what is written down of it.

use std::fmt;

use crate::{
    domain::{
        audit_event::{Actor, AuditEvent},
        connector::Connector,
        decision::{Decision, Grounds, Outcome},
        id::{AccountId, DecisionId},
    },
    oidc::{
        authorization_request::AuthorizationError,
        id_token::{IdTokenError, VerifiedIdentity},
        refusal::Refusal,
    },
    ports::Unavailable,
    service::{
        linking::{Linked, NotLinked},
        login::{LoginError, Refused, Why, attempt::Attempt},
        role::GrantedRole,
    },
};

impl Attempt<'_> {
    /// The authority's answer is an error, or breaks a rule.
    pub async fn answer_refused(&self, error: AuthorizationError) -> LoginError {
        match error {
            AuthorizationError::Refused(refusal) => {
                let because = brought_back(&refusal);
                self.not_authenticated(Why::Authority(refusal), because).await
            }
            AuthorizationError::Expired => self.refused(Why::Stale),
            broken_rule => {
                let because = format!("The authority's answer is not valid: {broken_rule}.");
                self.not_authenticated(Why::MalformedAnswer, because).await
            }
        }
    }

    /// The ID token breaks a rule.
    pub async fn token_refused(&self, error: &IdTokenError) -> LoginError {
        let because = format!("The ID token is not valid: {error}.{}", advice(error));
        if *error == IdTokenError::Tenant {
            let grounds = Grounds { because, ..Grounds::default() };
            return self.decided(Outcome::WrongTenant, None, grounds).await;
        }
        self.not_authenticated(Why::InvalidToken, because).await
    }

    /// Nothing the authority said of the person is believed.
    pub async fn not_authenticated(&self, why: Why, because: String) -> LoginError {
        let grounds = Grounds { because, ..Grounds::default() };
        match self.record(Outcome::NotAuthenticated, None, grounds).await {
            Ok(()) => self.refused(why),
            Err(unavailable) => unavailable.into(),
        }
    }

    /// The person is known to the authority and nobody's here.
    pub async fn not_linked(
        &self,
        identity: &VerifiedIdentity,
        not_linked: NotLinked,
    ) -> LoginError {
        let rests_on = grounds(identity, None, None, not_linked.because);
        self.decided(not_linked.outcome, not_linked.account_id, rests_on).await
    }

    /// The sign-in ends in `outcome`, which is written down first.
    pub async fn decided(
        &self,
        outcome: Outcome,
        account_id: Option<AccountId>,
        grounds: Grounds,
    ) -> LoginError {
        match self.record(outcome, account_id, grounds).await {
            Ok(()) => self.refused(Why::Decided(outcome)),
            Err(unavailable) => unavailable.into(),
        }
    }

    fn refused(&self, why: Why) -> LoginError {
        LoginError::Refused(Box::new(Refused {
            why,
            reference: self.reference.clone(),
            organization: Some(self.organization.clone()),
            return_to: Some(self.return_to.clone()),
            at: self.now,
        }))
    }

    /// The authority can't be asked now, or what it answers can't be read.
    pub async fn authority_unavailable(&self, failure: &impl fmt::Display) -> LoginError {
        let (reference, connector) = (&self.reference, self.connector.id);
        tracing::warn!(%reference, %connector, %failure, "the authority can't be asked");
        let because = format!("The authority could not be asked: {failure}.");
        self.not_authenticated(Why::AuthorityUnavailable, because).await
    }

    /// Writes a decision down, with its line in the audit log.
    pub async fn record(
        &self,
        outcome: Outcome,
        account_id: Option<AccountId>,
        grounds: Grounds,
    ) -> Result<(), Unavailable> {
        let action =
            if outcome == Outcome::SignedIn { "session.created" } else { "sign_in.refused" };
        tracing::info!(
            reference = %self.reference,
            organization = %self.organization.slug,
            outcome = outcome.as_str(),
            because = grounds.because.as_str(),
            "sign-in decided"
        );
        let target = account_id.map_or_else(|| "nobody".to_owned(), |id| id.to_string());
        let audit =
            AuditEvent::new(self.organization.id, self.now, Actor::Visitor, action, &target)
                .with("outcome", outcome.as_str())
                .with("because", grounds.because.as_str())
                .under(&self.reference);
        let decision = Decision {
            id: DecisionId::generate(),
            reference: self.reference.clone(),
            organization_id: self.organization.id,
            connector_id: self.connector.id,
            account_id,
            at: self.now,
            outcome,
            grounds,
        };
        self.ports.store.insert_decision(&decision, &audit).await
    }
}

/// What to do about a broken rule, where the token may be sound.
const fn advice(error: &IdTokenError) -> &'static str {
    match error {
        IdTokenError::Expired | IdTokenError::NotYetValid | IdTokenError::IssuedAt => {
            " If everybody is refused so, this server's clock is wrong."
        }
        _ => "",
    }
}

/// What is kept of an error that came by way of the browser, which may have written it itself: its
/// name and number, and none of its words.
fn brought_back(refusal: &Refusal) -> String {
    let number = refusal.aadsts.map(|number| format!(" (AADSTS{number})")).unwrap_or_default();
    format!("The browser brought back an error instead of a code: {}{number}.", refusal.error)
}

/// What a decision rests on.
pub fn grounds(
    identity: &VerifiedIdentity,
    linked: Option<&Linked>,
    granted: Option<&GrantedRole>,
    because: String,
) -> Grounds {
    let subject = identity.subject();
    Grounds {
        because,
        authority: Some(subject.authority),
        identifier: Some(subject.identifier),
        preferred_username: identity.preferred_username().map(str::to_owned),
        account_found_by: linked.map(|linked| linked.found_by.to_owned()),
        role: granted.map(|granted| granted.grounds.clone()),
    }
}

/// What an admin reads of an account without a role.
pub fn no_role(connector: &Connector, granted: &GrantedRole) -> String {
    let grounds = &granted.grounds;
    let unknown = match grounds.unknown_values.as_slice() {
        [] => String::new(),
        values => format!(" These values mean nothing here: {}.", values.join(", ")),
    };
    format!(
        "No role: the connector takes roles from {} (claim {}).{unknown} Assign the \
         person an app role in the tenant: ReadOnly, User, Admin or EnterpriseAdmin.",
        connector.role_source.as_str(),
        grounds.claim,
    )
}
