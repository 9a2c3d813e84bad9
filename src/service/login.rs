//! Signing in, from the first click to the session.

use std::sync::Arc;

use jiff::Timestamp;
use url::Url;

use crate::{
    domain::{
        access_role::AccessRole,
        account::Account,
        audit_event::{Actor, AuditEvent},
        connector::Connector,
        decision::{Decision, Grounds, Outcome},
        id::{AccountId, ConnectorId, DecisionId, Reference},
        login_transaction::LoginTransaction,
        organization::{Organization, Slug},
        return_to::ReturnTo,
        secret::{Secret, SecretDigest},
        session::Session,
    },
    oidc::{
        authority::Provider,
        authorization_request::{
            AcceptedCode, AuthorizationError, AuthorizationParameters, AuthorizationRequest,
            AuthorizationResponse, Prompt,
        },
        id_token::{self, ExpectedIdToken, IdTokenError, VerifiedIdentity},
        token::{TokenErrorResponse, TokenResponse},
    },
    ports::{
        Ports, Unavailable,
        authorities::{AuthorityFailure, RedeemFailure},
    },
    service::{
        access, connectors,
        linking::{self, Linked, NotLinked},
        role::{self, GrantedRole},
    },
};

/// Why somebody is not signed in. Each has a page of its own.
#[derive(Debug)]
pub enum LoginError {
    /// No organization has that slug.
    NoOrganization,
    /// `return_to` names a place that a sign-in may not return to.
    ReturnTo,
    /// The sign-in ended; the reference number finds out why.
    Refused(Box<Refused>),
    /// The database or the session store is away.
    Unavailable(Unavailable),
}

impl From<Unavailable> for LoginError {
    fn from(unavailable: Unavailable) -> Self {
        Self::Unavailable(unavailable)
    }
}

/// A sign-in that ended without a session.
#[derive(Debug)]
pub struct Refused {
    /// Why, for the person.
    pub why: Why,
    /// The number that finds it in the log.
    pub reference: Reference,
    /// Where the person may try again, if that is known.
    pub organization: Option<Organization>,
}

/// Why a sign-in ended without a session, for the person.
#[derive(Debug)]
pub enum Why {
    /// The authority knows the person; what Portico knows of them decided.
    Decided(Outcome),
    /// The authority answered with an error.
    Authority(TokenErrorResponse),
    /// The authority's token is not valid: which rule it breaks is in the log.
    InvalidToken,
    /// The authority could not be reached, or what it says of itself does not fit its connector.
    AuthorityUnavailable,
    /// The organization has no connector that is switched on.
    NoConnector,
    /// The answer belongs to no sign-in that is under way: too late, or a second time.
    Stale,
    /// The answer came to another browser than the one that asked, or to one without cookies.
    OtherBrowser,
    /// The answer is incomplete, contradicts itself, or came to another connector's address.
    MalformedAnswer,
}

/// What somebody asks for who wants to sign in.
#[derive(Debug)]
pub struct BeginLogin<'a> {
    /// At which organization.
    pub organization: &'a Slug,
    /// Where to go afterwards; the portal unless given.
    pub return_to: Option<&'a str>,
    /// Whom the provider should expect.
    pub login_hint: Option<String>,
    /// What the provider should ask.
    pub prompt: Option<Prompt>,
    /// How old the provider's own sign-in may be, in seconds.
    pub max_age: Option<u32>,
    /// The browser's login cookie.
    pub browser: SecretDigest,
}

/// Begins a sign-in; the answer is where to send the browser.
pub async fn begin(ports: &Ports, asked: BeginLogin<'_>) -> Result<Url, LoginError> {
    let return_to = match asked.return_to {
        Some(text) => ReturnTo::parse(text, &ports.settings.return_origins)
            .map_err(|_| LoginError::ReturnTo)?,
        None => ReturnTo::portal(),
    };
    let organization = ports.store.find_organization_by_slug(asked.organization).await?;
    let organization = organization.ok_or(LoginError::NoOrganization)?;
    let Some(connector) = connectors::find_for_sign_in(ports, &organization).await? else {
        return Err(refuse_before_decision(ports, Some(organization), Why::NoConnector, "no enabled connector"));
    };
    let provider = match ports.authorities.provider(&connector).await {
        Ok(provider) => provider,
        Err(failure) => return Err(authority_failed(ports, organization, &failure)),
    };
    let redirect_uri = connectors::redirect_uri(ports, connector.id);
    let request = AuthorizationRequest::new(redirect_uri, asked.max_age, ports.clock.now());
    let parameters =
        AuthorizationParameters { login_hint: asked.login_hint, prompt: asked.prompt };
    let location = request.url(&provider, &connector.client_id, &parameters);
    let login = transaction(&connector, request, asked.browser, return_to);
    ports.store.insert_login(&login).await?;
    Ok(location)
}

fn transaction(
    connector: &Connector,
    request: AuthorizationRequest,
    browser: SecretDigest,
    return_to: ReturnTo,
) -> LoginTransaction {
    LoginTransaction {
        organization_id: connector.organization_id,
        connector_id: connector.id,
        state: request.state.digest(),
        browser,
        nonce: request.nonce,
        code_verifier: request.code_verifier,
        redirect_uri: request.redirect_uri,
        max_age: request.max_age,
        return_to,
        created_at: request.created_at,
        expires_at: request.expires_at,
    }
}

/// What came back to a connector's redirect URI, and with it.
#[derive(Debug)]
pub struct Callback {
    /// Whose redirect URI it came to.
    pub connector_id: ConnectorId,
    /// What the authority answered.
    pub response: AuthorizationResponse,
    /// The browser's login cookie, if it came along.
    pub browser: Option<SecretDigest>,
    /// The session that the browser had until now.
    pub previous_session: Option<SecretDigest>,
    /// The browser's `User-Agent`.
    pub user_agent: String,
    /// Where the request came from.
    pub address: String,
}

/// A sign-in that succeeded.
#[derive(Debug)]
pub struct SignedIn {
    /// The value for the session cookie; the browser alone keeps it.
    pub token: Secret,
    /// Where the person wanted to go.
    pub return_to: ReturnTo,
}

/// Completes a sign-in: from the authority's answer to a session.
///
/// The transaction is consumed whatever comes of it, so an answer serves once.
pub async fn complete(ports: &Ports, callback: Callback) -> Result<SignedIn, LoginError> {
    let (attempt, login) = Attempt::recognize(ports, &callback).await?;
    let tokens = attempt.redeem(login.request, callback.response).await?;
    let linked = attempt.link(&tokens.identity).await?;
    let granted = role::at_sign_in(
        &attempt.connector,
        &linked.account,
        tokens.identity.roles(),
        linked.basis,
    );
    let role = attempt.admit(&tokens.identity, &linked, &granted).await?;
    let place = Place { user_agent: callback.user_agent, address: callback.address };
    let token = Secret::generate();
    let session = attempt.session(&token, &tokens, &linked.account, granted.token_role, role, place);
    if let Some(previous) = callback.previous_session {
        ports.sessions.end(&previous).await?;
    }
    attempt.open(session, &tokens.identity, &linked, granted).await?;
    Ok(SignedIn { token, return_to: login.return_to })
}

/// One sign-in on its way through the callback.
struct Attempt<'a> {
    ports: &'a Ports,
    organization: Organization,
    connector: Connector,
    provider: Arc<Provider>,
    reference: Reference,
    now: Timestamp,
}

struct Recognized {
    request: AuthorizationRequest,
    return_to: ReturnTo,
}

struct Tokens {
    identity: VerifiedIdentity,
    id_token: Secret,
}

struct Place {
    user_agent: String,
    address: String,
}

impl<'a> Attempt<'a> {
    /// Takes the transaction that the answer belongs to, and holds it against the browser, the
    /// address and the connector as it is now.
    async fn recognize(
        ports: &'a Ports,
        callback: &Callback,
    ) -> Result<(Self, Recognized), LoginError> {
        let now = ports.clock.now();
        let found = connectors::find_enabled(ports, callback.connector_id).await?;
        let Some((organization, connector)) = found else {
            return Err(refuse_before_decision(ports, None, Why::NoConnector, "unknown or switched-off connector"));
        };
        let refuse = |why, because| {
            Err(refuse_before_decision(ports, Some(organization.clone()), why, because))
        };
        let Some(state) = callback.response.state.clone() else {
            return refuse(Why::MalformedAnswer, "the answer has no state");
        };
        let Some(login) = ports.store.take_login(&state.digest(), now).await? else {
            return refuse(Why::Stale, "the answer's state is unknown, expired or used");
        };
        if callback.browser != Some(login.browser) {
            return refuse(Why::OtherBrowser, "the answer came without the login cookie that began it");
        }
        if login.connector_id != connector.id {
            return refuse(Why::MalformedAnswer, "the answer came to another connector's redirect URI");
        }
        let provider = match ports.authorities.provider(&connector).await {
            Ok(provider) => provider,
            Err(failure) => return Err(authority_failed(ports, organization, &failure)),
        };
        let request = AuthorizationRequest {
            state,
            nonce: login.nonce,
            code_verifier: login.code_verifier,
            redirect_uri: login.redirect_uri,
            max_age: login.max_age,
            created_at: login.created_at,
            expires_at: login.expires_at,
        };
        let reference = Reference::generate();
        let attempt = Self { ports, organization, connector, provider, reference, now };
        Ok((attempt, Recognized { request, return_to: login.return_to }))
    }

    /// Exchanges the answer's code for an ID token, and verifies that.
    async fn redeem(
        &self,
        request: AuthorizationRequest,
        response: AuthorizationResponse,
    ) -> Result<Tokens, LoginError> {
        let (nonce, max_age) = (request.nonce.clone(), request.max_age);
        let code = match request.accept(response, &self.provider, self.now) {
            Ok(code) => code,
            Err(error) => return Err(self.answer_refused(error).await?),
        };
        let answer = match self.exchange(code).await? {
            Ok(answer) => answer,
            Err(refused) => return Err(refused),
        };
        let expected = ExpectedIdToken {
            issuer: self.provider.issuer(),
            tenant_id: self.provider.tenant_id(),
            client_id: &self.connector.client_id,
            nonce: &nonce,
            max_age,
            access_token: answer.access_token.as_ref(),
        };
        let id_token = answer.id_token;
        match self.verify(&id_token, &expected).await? {
            Ok(identity) => Ok(Tokens { identity, id_token }),
            Err(error) => Err(self.token_refused(&error).await?),
        }
    }

    async fn exchange(
        &self,
        code: AcceptedCode,
    ) -> Result<Result<TokenResponse, LoginError>, LoginError> {
        match self.ports.authorities.redeem(&self.connector, &self.provider, code).await {
            Ok(answer) => Ok(Ok(answer)),
            Err(RedeemFailure::Refused(error)) => {
                let because = format!("The token endpoint refused the code: {error}.");
                let why = Why::Authority(error);
                Ok(Err(self.not_authenticated(why, because).await?))
            }
            Err(failure) => {
                tracing::warn!(reference = %self.reference, connector = %self.connector.id, %failure, "redeeming a code failed");
                Ok(Err(self.refused(Why::AuthorityUnavailable)))
            }
        }
    }

    /// Verifies an ID token; an unknown key is looked for once more at the authority.
    async fn verify(
        &self,
        id_token: &Secret,
        expected: &ExpectedIdToken<'_>,
    ) -> Result<Result<VerifiedIdentity, IdTokenError>, LoginError> {
        let (authorities, claim) = (&self.ports.authorities, self.connector.role_claim.as_str());
        let verify = |jwks: &crate::oidc::jwks::Jwks| {
            id_token::verify(id_token.expose(), jwks, expected, claim, self.now)
        };
        let keys = authorities.keys(&self.connector, &self.provider).await;
        let keys = keys.map_err(|failure| self.keys_unavailable(&failure))?;
        match verify(&keys) {
            Err(IdTokenError::UnknownKey) => {
                let keys = authorities.refetched_keys(&self.connector, &self.provider).await;
                let keys = keys.map_err(|failure| self.keys_unavailable(&failure))?;
                Ok(verify(&keys))
            }
            verdict => Ok(verdict),
        }
    }

    async fn link(&self, identity: &VerifiedIdentity) -> Result<Linked, LoginError> {
        let search = linking::Search {
            ports: self.ports,
            connector: &self.connector,
            identity,
            reference: &self.reference,
        };
        match search.account().await {
            Ok(linked) => Ok(linked),
            Err(linking::Failure::Unavailable(unavailable)) => Err(unavailable.into()),
            Err(linking::Failure::NotLinked(not_linked)) => {
                Err(self.not_linked(identity, not_linked).await?)
            }
        }
    }

    /// The role of an account that may come in, or the refusal of one that may not.
    async fn admit(
        &self,
        identity: &VerifiedIdentity,
        linked: &Linked,
        granted: &GrantedRole,
    ) -> Result<AccessRole, LoginError> {
        let (outcome, because) = if !linked.account.active {
            (Outcome::Inactive, "The account is deactivated. Activate it in the directory.".to_owned())
        } else if let Some(role) = granted.role {
            return Ok(role);
        } else {
            (Outcome::NoRole, no_role(&self.connector, granted))
        };
        let grounds = self.grounds(identity, Some(linked), Some(granted), because);
        Err(self.decided(outcome, Some(linked.account.id), grounds).await?)
    }

    fn session(
        &self,
        token: &Secret,
        tokens: &Tokens,
        account: &Account,
        token_role: Option<AccessRole>,
        role: AccessRole,
        place: Place,
    ) -> Session {
        let limits = self.ports.settings.session_limits;
        Session {
            digest: token.digest(),
            organization_id: self.organization.id,
            account_id: account.id,
            connector_id: self.connector.id,
            access_epoch: account.access_epoch,
            token_role,
            role,
            sid: tokens.identity.sid().map(str::to_owned),
            id_token: tokens.id_token.clone(),
            logout_hint: tokens.identity.login_hint().map(str::to_owned),
            created_at: self.now,
            last_seen_at: self.now,
            idle: limits.idle,
            expires_at: self.now + limits.absolute,
            user_agent: place.user_agent.chars().take(256).collect(),
            address: place.address,
        }
    }

    /// Makes the session, looks at the account's epoch once more, and writes the decision down.
    async fn open(
        &self,
        session: Session,
        identity: &VerifiedIdentity,
        linked: &Linked,
        granted: GrantedRole,
    ) -> Result<(), LoginError> {
        let (ports, account) = (self.ports, &linked.account);
        let (digest, epoch) = (session.digest, session.access_epoch);
        ports.sessions.create(session, access::identity(&self.organization, account)).await?;
        let epoch_now = ports.store.find_access_epoch(self.organization.id, account.id).await;
        let because = format!("Signed in as {}.", account.user_name);
        let grounds = self.grounds(identity, Some(linked), Some(&granted), because);
        let recorded = match epoch_now {
            Ok(Some(now)) if now == epoch => {
                self.record(Outcome::SignedIn, Some(account.id), grounds).await.map_err(Into::into)
            }
            Ok(_) => Err(self.decided(Outcome::AccessLost, Some(account.id), grounds).await?),
            Err(unavailable) => Err(unavailable.into()),
        };
        if recorded.is_err() {
            ports.sessions.end(&digest).await?;
        }
        recorded
    }

    // How an attempt ends early

    async fn answer_refused(&self, error: AuthorizationError) -> Result<LoginError, LoginError> {
        match error {
            AuthorizationError::Refused(error) => {
                let because = format!("The authority refused the sign-in: {error}.");
                Ok(self.not_authenticated(Why::Authority(error), because).await?)
            }
            AuthorizationError::Expired => Ok(self.refused(Why::Stale)),
            broken_rule => {
                let because = format!("The authority's answer is not valid: {broken_rule}.");
                Ok(self.not_authenticated(Why::MalformedAnswer, because).await?)
            }
        }
    }

    async fn token_refused(&self, error: &IdTokenError) -> Result<LoginError, LoginError> {
        let because = format!("The ID token is not valid: {error}.");
        if *error == IdTokenError::Tenant {
            let grounds = Grounds { because, ..Grounds::default() };
            return Ok(self.decided(Outcome::WrongTenant, None, grounds).await?);
        }
        Ok(self.not_authenticated(Why::InvalidToken, because).await?)
    }

    async fn not_authenticated(&self, why: Why, because: String) -> Result<LoginError, Unavailable> {
        let grounds = Grounds { because, ..Grounds::default() };
        self.record(Outcome::NotAuthenticated, None, grounds).await?;
        Ok(self.refused(why))
    }

    async fn not_linked(
        &self,
        identity: &VerifiedIdentity,
        not_linked: NotLinked,
    ) -> Result<LoginError, Unavailable> {
        let grounds = self.grounds(identity, None, None, not_linked.because);
        self.decided(not_linked.outcome, not_linked.account_id, grounds).await
    }

    async fn decided(
        &self,
        outcome: Outcome,
        account_id: Option<AccountId>,
        grounds: Grounds,
    ) -> Result<LoginError, Unavailable> {
        self.record(outcome, account_id, grounds).await?;
        Ok(self.refused(Why::Decided(outcome)))
    }

    fn refused(&self, why: Why) -> LoginError {
        LoginError::Refused(Box::new(Refused {
            why,
            reference: self.reference.clone(),
            organization: Some(self.organization.clone()),
        }))
    }

    fn keys_unavailable(&self, failure: &AuthorityFailure) -> LoginError {
        tracing::warn!(reference = %self.reference, connector = %self.connector.id, %failure, "fetching signing keys failed");
        self.refused(Why::AuthorityUnavailable)
    }

    fn grounds(
        &self,
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

    async fn record(
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
            because = %grounds.because,
            "sign-in decided"
        );
        let target = account_id.map_or_else(|| "nobody".to_owned(), |id| id.to_string());
        let audit = AuditEvent::new(self.organization.id, self.now, Actor::Visitor, action, &target)
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

fn no_role(connector: &Connector, granted: &GrantedRole) -> String {
    let grounds = &granted.grounds;
    let unknown = match grounds.unknown_values.as_slice() {
        [] => String::new(),
        values => format!(" These values mean nothing here: {}.", values.join(", ")),
    };
    format!(
        "Neither role nor access: the connector takes roles from {} (claim {}).{unknown} Assign the \
         person an app role in the tenant: ReadOnly, User, Admin or EnterpriseAdmin.",
        connector.role_source.as_str(),
        grounds.claim,
    )
}

/// Ends a sign-in of which too little is known for a stored decision; the log has it.
fn refuse_before_decision(
    ports: &Ports,
    organization: Option<Organization>,
    why: Why,
    because: &str,
) -> LoginError {
    let reference = Reference::generate();
    let slug = organization.as_ref().map(|organization| organization.slug.as_str());
    tracing::info!(%reference, organization = slug, because, at = %ports.clock.now(), "sign-in refused");
    LoginError::Refused(Box::new(Refused { why, reference, organization }))
}

fn authority_failed(
    ports: &Ports,
    organization: Organization,
    failure: &AuthorityFailure,
) -> LoginError {
    refuse_before_decision(
        ports,
        Some(organization),
        Why::AuthorityUnavailable,
        &failure.to_string(),
    )
}
