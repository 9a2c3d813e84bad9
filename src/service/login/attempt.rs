//! One sign-in on its way through the callback.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::{
    domain::{
        access_role::AccessRole,
        account::Account,
        connector::Connector,
        decision::Outcome,
        id::Reference,
        login_transaction::LoginTransaction,
        organization::Organization,
        return_to::ReturnTo,
        secret::{Secret, SecretDigest},
        session::{Session, SignOutHints},
    },
    oidc::{
        authority::Provider,
        authorization_request::{AcceptedCode, AuthorizationRequest},
        authorization_response::AuthorizationResponse,
        id_token::{self, ExpectedIdToken, IdTokenError, VerifiedIdentity},
        jwks::Jwks,
        token::TokenResponse,
    },
    ports::{
        Ports, Unavailable,
        authorities::{AuthorityFailure, RedeemFailure},
    },
    service::{
        access, connectors,
        linking::{self, Linked},
        login::{
            Callback, LoginError, Why, authority_failed, circle,
            decision::{grounds, no_role},
            refuse_before_decision, request_of,
        },
        role::GrantedRole,
    },
};

/// So long after the first of many tabs that a browser opens at once the last may begin.
const TOGETHER: SignedDuration = SignedDuration::from_mins(1);

/// One sign-in on its way through the callback.
pub struct Attempt<'a> {
    pub(super) ports: &'a Ports,
    pub(super) organization: Organization,
    pub(super) connector: Connector,
    pub(super) provider: Arc<Provider>,
    pub(super) browser: SecretDigest,
    pub(super) begun_at: Timestamp,
    pub(super) return_to: ReturnTo,
    pub(super) reference: Reference,
    pub(super) now: Timestamp,
}

/// What the authority says, verified.
pub struct Tokens {
    /// Who came.
    pub identity: VerifiedIdentity,
    id_token: Secret,
    session_state: Option<String>,
}

/// Where somebody signs in from.
pub struct Place {
    /// The browser's `User-Agent`.
    pub user_agent: String,
    /// The browser's address.
    pub address: String,
}

impl<'a> Attempt<'a> {
    /// Takes the transaction that the answer belongs to, and holds it against the browser, the
    /// address and the connector as it is now.
    pub async fn recognize(
        ports: &'a Ports,
        callback: &Callback,
    ) -> Result<(Self, AuthorizationRequest), LoginError> {
        let now = ports.clock.now();
        // Before anything is refused, so an answer serves once whatever comes.
        let login = match &callback.response.state {
            Some(state) => ports.logins.take_login(&state.digest(), now).await?,
            None => None,
        };
        let found = connectors::find_enabled(ports, callback.connector_id).await?;
        let Some((organization, connector)) = found else {
            return Err(refuse_before_decision(
                ports,
                None,
                Why::NoConnector,
                "unknown or switched-off connector",
            ));
        };
        let (state, login) = match hold_against(callback, login, &connector) {
            Ok(held) => held,
            Err((why, because)) => {
                return Err(refuse_before_decision(ports, Some(organization), why, because));
            }
        };
        let provider = match ports.authorities.provider(&connector).await {
            Ok(provider) => provider,
            Err(failure) => {
                let failed = authority_failed(ports, organization, &failure);
                return Err(failed.on_the_way_to(&login.return_to));
            }
        };
        let attempt = Self {
            ports,
            organization,
            connector,
            provider,
            browser: login.browser,
            begun_at: login.created_at,
            return_to: login.return_to.clone(),
            reference: Reference::generate(),
            now,
        };
        Ok((attempt, request_of(login, state)))
    }

    /// Exchanges the answer's code for an ID token, and verifies that.
    pub async fn redeem(
        &self,
        request: AuthorizationRequest,
        response: AuthorizationResponse,
    ) -> Result<Tokens, LoginError> {
        let code = match request.accept(response, &self.provider, self.now) {
            Ok(code) => code,
            Err(error) => return Err(self.answer_refused(error).await),
        };
        let expected = code.expected_id_token(&self.provider, &self.connector.client_id);
        let session_state = code.session_state().map(str::to_owned);
        let answer = self.exchange(code).await?;
        let expected = expected.with_access_token(answer.access_token);
        let identity = self.verify(&answer.id_token, &expected).await?;
        Ok(Tokens { identity, id_token: answer.id_token, session_state })
    }

    async fn exchange(&self, code: AcceptedCode) -> Result<TokenResponse, LoginError> {
        match self.ports.authorities.redeem(&self.connector, &self.provider, code).await {
            Ok(answer) => Ok(answer),
            Err(RedeemFailure::Refused(refusal)) => {
                let because = format!("The token endpoint refused the code: {refusal}.");
                Err(self.not_authenticated(Why::Authority(refusal), because).await)
            }
            Err(failure) => Err(self.authority_unavailable(&failure).await),
        }
    }

    /// Verifies an ID token; an unknown key is looked for once more at the authority.
    async fn verify(
        &self,
        id_token: &Secret,
        expected: &ExpectedIdToken,
    ) -> Result<VerifiedIdentity, LoginError> {
        let (authorities, claim) = (&self.ports.authorities, self.connector.role_claim.as_str());
        let verify =
            |jwks: &Jwks| id_token::verify(id_token.expose(), jwks, expected, claim, self.now);
        let keys = authorities.keys(&self.connector, &self.provider).await;
        let mut verdict = verify(&*self.had(keys).await?);
        if let Err(IdTokenError::UnknownKey { kid }) = &verdict {
            let kid = kid.as_deref();
            let keys = authorities.refetched_keys(&self.connector, &self.provider, kid).await;
            verdict = verify(&*self.had(keys).await?);
        }
        match verdict {
            Ok(identity) => Ok(identity),
            Err(error) => Err(self.token_refused(&error).await),
        }
    }

    async fn had(
        &self,
        keys: Result<Arc<Jwks>, AuthorityFailure>,
    ) -> Result<Arc<Jwks>, LoginError> {
        match keys {
            Ok(keys) => Ok(keys),
            Err(failure) => Err(self.authority_unavailable(&failure).await),
        }
    }

    /// Whose account the identity is.
    pub async fn link(&self, identity: &VerifiedIdentity) -> Result<Linked, LoginError> {
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
                Err(self.not_linked(identity, not_linked).await)
            }
        }
    }

    /// The role of an account that may come in, or the refusal of one that may not.
    pub async fn admit(
        &self,
        identity: &VerifiedIdentity,
        linked: &Linked,
        granted: &GrantedRole,
    ) -> Result<AccessRole, LoginError> {
        let (outcome, because) = match granted.role {
            _ if !linked.account.active => {
                let because = "The account is deactivated. Activate it in the directory.";
                (Outcome::Inactive, because.to_owned())
            }
            None => (Outcome::NoRole, no_role(&self.connector, granted)),
            Some(role) => return Ok(role),
        };
        let rests_on = grounds(identity, Some(linked), Some(granted), because);
        Err(self.decided(outcome, Some(linked.account.id), rests_on).await)
    }

    /// The session that begins, limited by what the operator decided.
    pub fn session(
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
            sid: tokens.identity.sid().or(tokens.session_state.as_deref()).map(str::to_owned),
            created_at: self.now,
            last_seen_at: self.now,
            idle: limits.idle,
            expires_at: self.now + limits.absolute,
            user_agent: place.user_agent.chars().take(256).collect(),
            address: place.address,
        }
    }

    /// Whether the browser's present session is one that another tab made while this sign-in was
    /// under way, or just before it began, and says all that the new one would.
    ///
    /// Then it goes on: were it ended, whatever the other tabs ask before the browser has the new
    /// cookie would find nobody signed in.
    pub async fn goes_on_with(
        &self,
        previous: &SecretDigest,
        new: &Session,
    ) -> Result<bool, LoginError> {
        let Some(live) = self.ports.sessions.find(previous, self.now).await? else {
            return Ok(false);
        };
        let present = &live.session;
        Ok(present.created_at + TOGETHER > self.begun_at
            && present.organization_id == new.organization_id
            && present.account_id == new.account_id
            && present.connector_id == new.connector_id
            && present.access_epoch == new.access_epoch
            && (present.token_role, present.role) == (new.token_role, new.role)
            && present.sid == new.sid)
    }

    /// Writes down that this sign-in goes on with the session of another tab.
    pub async fn go_on(
        &self,
        identity: &VerifiedIdentity,
        linked: &Linked,
        granted: &GrantedRole,
    ) -> Result<(), LoginError> {
        let account = &linked.account;
        let because =
            format!("Signed in as {}; the session of another tab goes on.", account.user_name);
        let rests_on = grounds(identity, Some(linked), Some(granted), because);
        Ok(self.record(Outcome::SignedIn, Some(account.id), rests_on).await?)
    }

    /// Remembers that this sign-in succeeded, so that a circle can be told from tabs.
    pub async fn remember_arrival(&self) {
        circle::remember_arrival(self.ports, &self.browser, &self.return_to, self.begun_at).await;
    }

    /// Makes the session, looks at the account's epoch once more, and writes the decision down.
    pub async fn open(
        &self,
        session: Session,
        tokens: &Tokens,
        linked: &Linked,
        granted: &GrantedRole,
    ) -> Result<(), LoginError> {
        let (ports, digest) = (self.ports, session.digest);
        let hints = SignOutHints {
            id_token: tokens.id_token.clone(),
            logout_hint: tokens.identity.login_hint().map(str::to_owned),
        };
        let identity = access::identity(&self.organization, &linked.account);
        ports.sessions.create(session, hints, identity).await?;
        let settled = self.settle(&tokens.identity, linked, granted).await;
        if settled.is_err() {
            ports.sessions.end(&digest).await?;
        }
        settled
    }

    /// The last look at the account and at the way it was reached, now that its session exists:
    /// whoever takes access away from here on finds the session.
    async fn settle(
        &self,
        identity: &VerifiedIdentity,
        linked: &Linked,
        granted: &GrantedRole,
    ) -> Result<(), LoginError> {
        let account = &linked.account;
        let rests_on = |because: String| grounds(identity, Some(linked), Some(granted), because);
        let now = match self.look_again(account).await? {
            Ok(now) => now,
            Err(because) => {
                let (id, because) = (Some(account.id), because.to_owned());
                return Err(self.decided(Outcome::AccessLost, id, rests_on(because)).await);
            }
        };
        if now.version != account.version {
            let identity = access::identity(&self.organization, &now);
            self.ports.sessions.change_identity(self.organization.id, now.id, identity).await?;
        }
        let because = format!("Signed in as {}.", account.user_name);
        Ok(self.record(Outcome::SignedIn, Some(account.id), rests_on(because)).await?)
    }

    /// The account as it is now, or why it can't be signed in to any more.
    async fn look_again(
        &self,
        account: &Account,
    ) -> Result<Result<Account, &'static str>, Unavailable> {
        let connector = self.ports.store.find_connector(self.connector.id).await?;
        let leads_there = |now: Connector| now.enabled && now.authority == self.connector.authority;
        if !connector.is_some_and(leads_there) {
            return Ok(Err("The connector was changed while the person was signing in."));
        }
        let now = self.ports.store.find_account(self.organization.id, account.id).await?;
        let now = now.filter(|now| now.access_epoch == account.access_epoch);
        Ok(now.ok_or("The account lost access while the person was signing in."))
    }
}

/// The sign-in that an answer belongs to, with its `state`; or which rule the answer breaks.
fn hold_against(
    callback: &Callback,
    login: Option<LoginTransaction>,
    connector: &Connector,
) -> Result<(Secret, LoginTransaction), (Why, &'static str)> {
    let Some(state) = &callback.response.state else {
        return Err((Why::MalformedAnswer, "the answer has no state"));
    };
    let Some(login) = login else {
        return Err((Why::Stale, "the answer's state is unknown, expired or used"));
    };
    if !callback.browser.contains(&login.browser) {
        let because = "the answer came without the login cookie that began it";
        return Err((Why::OtherBrowser, because));
    }
    if login.connector_id != connector.id {
        let because = "the answer came to another connector's redirect URI";
        return Err((Why::MalformedAnswer, because));
    }
    Ok((state.clone(), login))
}
