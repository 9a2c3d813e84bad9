//! Signing in, from the first click to the session.

use jiff::Timestamp;
use url::Url;

use crate::{
    domain::{
        connector::Connector,
        decision::Outcome,
        id::{ConnectorId, Reference},
        login_transaction::LoginTransaction,
        organization::{Organization, Slug},
        return_to::ReturnTo,
        secret::{Secret, SecretDigest},
    },
    oidc::{
        authorization_request::{AuthorizationParameters, AuthorizationRequest, Prompt},
        authorization_response::{AuthorizationResponse, ResponseError},
        refusal::Refusal,
    },
    ports::{Ports, Unavailable, authorities::AuthorityFailure},
    service::{
        connectors,
        login::attempt::{Attempt, Place},
        role,
    },
};

mod attempt;
mod circle;
mod decision;

pub use self::circle::forget_arrivals;

/// Why somebody is not signed in. Each has a page of its own.
#[derive(Debug)]
pub enum LoginError {
    /// `return_to` names a place that a sign-in may not return to.
    ReturnTo,
    /// The sign-in ended; the reference number finds out why.
    Refused(Box<Refused>),
    /// The database or the session store is away.
    Unavailable(Unavailable),
}

impl LoginError {
    /// The same, with where the person wanted to go.
    fn on_the_way_to(mut self, return_to: &ReturnTo) -> Self {
        if let Self::Refused(refused) = &mut self {
            refused.return_to = Some(return_to.clone());
        }
        self
    }
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
    /// Where the person wanted to go, if that is known.
    pub return_to: Option<ReturnTo>,
    /// When.
    pub at: Timestamp,
}

/// Why a sign-in ended without a session, for the person.
#[derive(Debug)]
pub enum Why {
    /// The authority knows the person; what Portico knows of them decided.
    Decided(Outcome),
    /// The authority answered with an error.
    Authority(Refusal),
    /// The authority's token is not valid: which rule it breaks is in the log.
    InvalidToken,
    /// The authority could not be reached, or what it says of itself does not fit its connector.
    AuthorityUnavailable,
    /// No organization has that slug.
    NoOrganization,
    /// The organization has no connector that is switched on.
    NoConnector,
    /// The answer belongs to no sign-in that is under way: too late, or a second time.
    Stale,
    /// The answer came to another browser than the one that asked, or to one without cookies.
    OtherBrowser,
    /// The browser was signed in and sent here again at once, more than once.
    Circle {
        /// The origin of the application that sends it.
        application: String,
    },
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
    /// Whether a person, told of a circle, asks for another round.
    pub try_again: bool,
}

/// Begins a sign-in; the answer is where to send the browser.
///
/// Nothing begins for a browser that is being sent in a circle ([`Why::Circle`]).
pub async fn begin(ports: &Ports, asked: BeginLogin<'_>) -> Result<Url, LoginError> {
    let return_to = match asked.return_to {
        Some(text) => ReturnTo::parse(text, &ports.settings.return_origins)
            .map_err(|_| LoginError::ReturnTo)?,
        None => ReturnTo::portal(),
    };
    begin_to(ports, asked, &return_to).await.map_err(|error| error.on_the_way_to(&return_to))
}

async fn begin_to(
    ports: &Ports,
    asked: BeginLogin<'_>,
    return_to: &ReturnTo,
) -> Result<Url, LoginError> {
    let organization = ports.store.find_organization_by_slug(asked.organization).await?;
    let organization = organization.ok_or_else(|| refuse_unknown_organization(ports))?;
    let Some(connector) = connectors::find_for_sign_in(ports, &organization).await? else {
        return Err(refuse_before_decision(
            ports,
            Some(organization),
            Why::NoConnector,
            "no enabled connector",
        ));
    };
    circle::refuse_another_round(ports, &asked, &organization, return_to).await?;
    let provider = match ports.authorities.provider(&connector).await {
        Ok(provider) => provider,
        Err(failure) => return Err(authority_failed(ports, organization, &failure)),
    };
    let redirect_uri = connectors::redirect_uri(ports, connector.id);
    let request = AuthorizationRequest::new(redirect_uri, asked.max_age, ports.clock.now());
    let parameters = AuthorizationParameters {
        login_hint: asked.login_hint,
        prompt: asked.prompt,
        ..AuthorizationParameters::default()
    };
    let location = request
        .url(&provider, &connector.client_id, &parameters)
        .expect("a redirect URI is made of a public URL, which is a URL");
    let login = transaction(&connector, request, asked.browser, return_to.clone());
    ports.logins.insert_login(&login).await?;
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

/// The request that [`transaction`] kept, with the `state` that came back.
fn request_of(login: LoginTransaction, state: Secret) -> AuthorizationRequest {
    AuthorizationRequest {
        state,
        nonce: login.nonce,
        code_verifier: login.code_verifier,
        redirect_uri: login.redirect_uri,
        max_age: login.max_age,
        created_at: login.created_at,
        expires_at: login.expires_at,
    }
}

/// What came back to a connector's redirect URI, and with it.
#[derive(Debug)]
pub struct Callback {
    /// Whose redirect URI it came to.
    pub connector_id: ConnectorId,
    /// What the authority answered.
    pub response: AuthorizationResponse,
    /// The login cookies that came along; a browser has one, but a neighbour may have planted
    /// another of its name.
    pub browser: Vec<SecretDigest>,
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
    /// The value for the session cookie, which the browser alone keeps; `None` where the browser's
    /// session of another tab goes on.
    pub token: Option<Secret>,
    /// Where the person wanted to go.
    pub return_to: ReturnTo,
}

/// Completes a sign-in: from the authority's answer to a session.
///
/// The transaction is consumed whatever comes of it, so an answer serves once.
pub async fn complete(ports: &Ports, callback: Callback) -> Result<SignedIn, LoginError> {
    let (attempt, request) = Attempt::recognize(ports, &callback).await?;
    let tokens = attempt.redeem(request, callback.response).await?;
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
    let session =
        attempt.session(&token, &tokens, &linked.account, granted.token_role, role, place);
    if let Some(previous) = callback.previous_session {
        if attempt.goes_on_with(&previous, &session).await? {
            attempt.go_on(&tokens.identity, &linked, &granted).await?;
            attempt.remember_arrival().await;
            return Ok(SignedIn { token: None, return_to: attempt.return_to });
        }
        ports.sessions.end(&previous).await?;
    }
    attempt.open(session, &tokens, &linked, &granted).await?;
    attempt.remember_arrival().await;
    Ok(SignedIn { token: Some(token), return_to: attempt.return_to })
}

/// Refuses an answer that cannot be read; the sign-in that it claims to belong to stays open.
pub fn refuse_unreadable(ports: &Ports, error: ResponseError) -> LoginError {
    refuse_before_decision(ports, None, Why::MalformedAnswer, &error.to_string())
}

/// Ends a sign-in at an organization that is not here.
pub fn refuse_unknown_organization(ports: &Ports) -> LoginError {
    refuse_before_decision(ports, None, Why::NoOrganization, "no organization has that slug")
}

/// Ends a sign-in of which too little is known for a stored decision; the log has it.
fn refuse_before_decision(
    ports: &Ports,
    organization: Option<Organization>,
    why: Why,
    because: &str,
) -> LoginError {
    let (reference, at) = (Reference::generate(), ports.clock.now());
    let slug = organization.as_ref().map(|organization| organization.slug.as_str());
    tracing::info!(%reference, organization = slug, because, %at, "sign-in refused");
    LoginError::Refused(Box::new(Refused { why, reference, organization, return_to: None, at }))
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
