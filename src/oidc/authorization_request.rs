//! What the browser takes to the authority, and what is believed of what it brings back.

use std::borrow::Cow;

use jiff::{SignedDuration, Timestamp};
use openidconnect::{
    CsrfToken, LoginHint, Nonce, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope,
    core::{CoreAuthPrompt, CoreAuthenticationFlow},
};
use url::Url;

use crate::{
    domain::{connector::ClientAuthentication, secret::Secret},
    oidc::{
        authority::Provider, authorization_response::AuthorizationResponse,
        client_authentication::client, id_token::ExpectedIdToken, refusal::Refusal,
    },
};

/// How long a person may take at the authority.
pub const LIFETIME: SignedDuration = SignedDuration::from_mins(10);

/// The parameters that a request carries by itself; extra ones cannot repeat them.
pub(super) const OUR_PARAMETERS: [&str; 17] = [
    "response_type",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "response_mode",
    "prompt",
    "login_hint",
    "max_age",
    "id_token_hint",
    "request",
    "request_uri",
    "client_secret",
    "code",
];

/// One sign-in on its way to the authority and back (OpenID Connect Core 1.0 §3.1.2.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorizationRequest {
    /// Sent as `state`: 256 random bits in base64url. Names the request in the store.
    pub state: Secret,
    /// Sent as `nonce`; the ID Token must repeat it (§3.1.3.7, rule 11).
    pub nonce: Secret,
    /// Kept here; only its S256 challenge is sent (RFC 7636 §4.2).
    pub code_verifier: Secret,
    /// Where the answer must arrive; one per connector, so that answers cannot be mixed up.
    pub redirect_uri: String,
    /// How many seconds ago the person may have proved who they are, if that was asked.
    pub max_age: Option<u32>,
    /// When the browser left.
    pub created_at: Timestamp,
    /// Ten minutes after the browser left.
    pub expires_at: Timestamp,
}

/// What one request asks for besides what every request does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuthorizationParameters {
    /// What the authority shall ask of the person.
    pub prompt: Option<Prompt>,
    /// Who is probably signing in; not sent with [`Prompt::SelectAccount`], which Entra ID refuses.
    pub login_hint: Option<String>,
    /// How the answer comes back.
    pub response_mode: ResponseMode,
    /// Scopes besides `openid profile email`.
    pub scopes: Vec<String>,
    /// Parameters of the provider's own, `domain_hint` for one; one that repeats a parameter
    /// already there is left out.
    pub extra: Vec<(String, String)>,
}

/// `prompt`: what the authority shall ask of the person (OpenID Connect Core 1.0 §3.1.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prompt {
    /// Prove again who you are.
    Login,
    /// Nothing: an error where something would have to be asked.
    None,
    /// Agree again to what is shared.
    Consent,
    /// Choose among the accounts that are signed in.
    SelectAccount,
}

impl Prompt {
    /// The one value of `prompt` that `text` is; `None` for others and for several.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Login, Self::None, Self::Consent, Self::SelectAccount]
            .into_iter()
            .find(|prompt| prompt.as_str() == text)
    }

    /// The value on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::None => "none",
            Self::Consent => "consent",
            Self::SelectAccount => "select_account",
        }
    }

    const fn core(self) -> CoreAuthPrompt {
        match self {
            Self::Login => CoreAuthPrompt::Login,
            Self::None => CoreAuthPrompt::None,
            Self::Consent => CoreAuthPrompt::Consent,
            Self::SelectAccount => CoreAuthPrompt::SelectAccount,
        }
    }
}

/// How the answer comes back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ResponseMode {
    /// In the query of a GET: a `SameSite=Lax` cookie arrives with it.
    #[default]
    Query,
    /// In the form of a cross-site POST: a `SameSite=Lax` cookie stays away.
    FormPost,
}

/// Why an answer is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthorizationError {
    /// `state` is absent or another request's.
    #[error("the answer belongs to another sign-in")]
    State,
    /// `iss` names another provider, or is absent where the provider promised it (RFC 9207).
    #[error("the answer comes from another provider")]
    Issuer,
    /// More than ten minutes passed.
    #[error("the sign-in took longer than ten minutes")]
    Expired,
    /// The authority says no.
    #[error("the authority refused: {0}")]
    Refused(Refusal),
    /// Neither `code` nor `error`.
    #[error("the answer carries no code")]
    NoCode,
    /// The redirect URI is not an address; nothing was sent.
    #[error("the redirect URI is not an address")]
    RedirectUri,
}

impl AuthorizationRequest {
    /// A request with fresh random values, good for ten minutes.
    pub fn new(redirect_uri: impl Into<String>, max_age: Option<u32>, now: Timestamp) -> Self {
        Self {
            state: Secret::generate(),
            nonce: Secret::generate(),
            code_verifier: Secret::generate(),
            redirect_uri: redirect_uri.into(),
            max_age,
            created_at: now,
            expires_at: now.saturating_add(LIFETIME).unwrap_or(Timestamp::MAX),
        }
    }

    /// Where to send the browser: scope `openid profile email`, always a nonce, always S256.
    ///
    /// # Errors
    /// [`AuthorizationError::RedirectUri`] alone.
    pub fn url(
        &self,
        provider: &Provider,
        client_id: &str,
        parameters: &AuthorizationParameters,
    ) -> Result<Url, AuthorizationError> {
        let redirect_uri = RedirectUrl::new(self.redirect_uri.clone())
            .map_err(|_| AuthorizationError::RedirectUri)?;
        let client = client(provider, client_id, &ClientAuthentication::Public);
        let state = CsrfToken::new(self.state.expose().to_owned());
        let nonce = Nonce::new(self.nonce.expose().to_owned());
        let verifier = PkceCodeVerifier::new(self.code_verifier.expose().to_owned());
        let flow = CoreAuthenticationFlow::AuthorizationCode;
        let mut request = client
            .authorize_url(flow, move || state, move || nonce)
            .set_redirect_uri(Cow::Owned(redirect_uri))
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
            .add_scopes(parameters.scopes());
        if let Some(prompt) = parameters.prompt {
            request = request.add_prompt(prompt.core());
        }
        if let Some(hint) = parameters.login_hint() {
            request = request.set_login_hint(LoginHint::new(hint.to_owned()));
        }
        if let Some(seconds) = self.max_age {
            request = request.set_max_age(std::time::Duration::from_secs(seconds.into()));
        }
        for (name, value) in parameters.extra(provider) {
            request = request.add_extra_param(name, value);
        }
        Ok(request.url().0)
    }

    /// Accepts the authority's answer, once: the request is used up.
    ///
    /// # Errors
    /// A variant per rule, in the order that they are listed in; no code leaves here before
    /// `state` and `iss` are proved.
    pub fn accept(
        self,
        response: AuthorizationResponse,
        provider: &Provider,
        now: Timestamp,
    ) -> Result<AcceptedCode, AuthorizationError> {
        if response.state.as_ref() != Some(&self.state) {
            return Err(AuthorizationError::State);
        }
        let from_provider = match response.iss {
            Some(iss) => iss == provider.issuer(),
            None => !provider.authorization_response_iss_parameter_supported(),
        };
        if !from_provider {
            return Err(AuthorizationError::Issuer);
        }
        if now >= self.expires_at {
            return Err(AuthorizationError::Expired);
        }
        if let Some(refusal) = response.refusal {
            return Err(AuthorizationError::Refused(refusal));
        }
        Ok(AcceptedCode {
            code: response.code.ok_or(AuthorizationError::NoCode)?,
            code_verifier: self.code_verifier,
            nonce: self.nonce,
            redirect_uri: self.redirect_uri,
            max_age: self.max_age,
            session_state: response.session_state,
        })
    }
}

impl AuthorizationParameters {
    fn scopes(&self) -> Vec<Scope> {
        let mut scopes = vec!["profile", "email"];
        for scope in self.scopes.iter().map(String::as_str) {
            if scope != "openid" && !scopes.contains(&scope) {
                scopes.push(scope);
            }
        }
        scopes.into_iter().map(|scope| Scope::new(scope.to_owned())).collect()
    }

    fn login_hint(&self) -> Option<&str> {
        let hint = self.login_hint.as_deref().filter(|hint| !hint.is_empty());
        hint.filter(|_| self.prompt != Some(Prompt::SelectAccount))
    }

    /// The provider's own parameters and `response_mode`, each name once.
    fn extra(&self, provider: &Provider) -> Vec<(String, String)> {
        let endpoint = provider.authorization_endpoint();
        let mut taken: Vec<String> = endpoint.query_pairs().map(|(name, _)| name.into()).collect();
        let mut extra = Vec::new();
        for (name, value) in &self.extra {
            if !OUR_PARAMETERS.contains(&name.as_str()) && !taken.contains(name) {
                taken.push(name.clone());
                extra.push((name.clone(), value.clone()));
            }
        }
        let mode = match self.response_mode {
            ResponseMode::FormPost => Some("form_post"),
            ResponseMode::Query => {
                provider.profile().sends_default_response_mode.then_some("query")
            }
        };
        extra.extend(mode.map(|mode| ("response_mode".to_owned(), mode.to_owned())));
        extra
    }
}

/// A code that answers our own request, from the provider it was sent to; has no other source
/// than [`AuthorizationRequest::accept`].
#[derive(Debug)]
pub struct AcceptedCode {
    code: Secret,
    code_verifier: Secret,
    nonce: Secret,
    redirect_uri: String,
    max_age: Option<u32>,
    session_state: Option<String>,
}

impl AcceptedCode {
    /// The authorization code.
    pub const fn code(&self) -> &Secret {
        &self.code
    }

    /// What proves that who redeems the code asked for it (RFC 7636 §4.5).
    pub const fn code_verifier(&self) -> &Secret {
        &self.code_verifier
    }

    /// The redirect URI of the request, which redeeming must repeat.
    pub fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }

    /// Entra ID: what its front-channel logout will call `sid`, where the ID Token has none.
    pub fn session_state(&self) -> Option<&str> {
        self.session_state.as_deref()
    }

    /// What the ID Token must say that this code is redeemed for; without the access token.
    pub fn expected_id_token(&self, provider: &Provider, client_id: &str) -> ExpectedIdToken {
        let expected = ExpectedIdToken::new(provider, client_id, self.nonce.clone());
        ExpectedIdToken { max_age: self.max_age, ..expected }
    }
}

#[cfg(test)]
mod tests;
