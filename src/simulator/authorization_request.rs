//! The authorization request: checked in the order in which Entra stops or answers.

use jiff::Timestamp;
use uuid::Uuid;

use super::{
    aadsts::{Aadsts, Trace},
    entra::World,
    fault::{Case, Pairs},
    metadata::Version,
    parameters::Parameters,
    pkce::{Challenge, ChallengeError},
    redirect_uri::RedirectUri,
};

/// How the answer travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ResponseMode {
    Query,
    Fragment,
    FormPost,
}

/// What the application asked of the sign-in (OpenID Connect Core 1.0 §3.1.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Prompt {
    None,
    Login,
    SelectAccount,
    Consent,
}

/// The way back to the application.
#[derive(Clone, Debug)]
pub(super) struct ReturnAddress {
    pub(super) redirect_uri: RedirectUri,
    pub(super) mode: ResponseMode,
    pub(super) state: Option<String>,
    /// Who answers.
    pub(super) issuer: String,
}

/// A request that may be answered.
#[derive(Clone, Debug)]
pub(super) struct AuthorizationRequest {
    pub(super) tenant: Uuid,
    pub(super) version: Version,
    pub(super) client_id: Uuid,
    pub(super) return_address: ReturnAddress,
    pub(super) nonce: Option<String>,
    pub(super) scope: Vec<String>,
    pub(super) challenge: Option<Challenge>,
    pub(super) prompt: Option<Prompt>,
    pub(super) login_hint: Option<String>,
}

/// Where a refusal is shown.
pub(super) enum Refusal {
    /// On Entra's own page.
    Stop(Aadsts),
    /// At the application.
    Return(Aadsts, Box<ReturnAddress>),
}

impl From<Aadsts> for Refusal {
    fn from(error: Aadsts) -> Self {
        Self::Stop(error)
    }
}

/// The words that stand for several tenants at once.
pub(super) const SHARED_TENANTS: [&str; 3] = ["common", "organizations", "consumers"];

impl AuthorizationRequest {
    /// The request to the endpoint of `tenant` at `origin` with those parameters.
    pub(super) fn parse(
        origin: &str,
        world: &World,
        tenant: &str,
        version: Version,
        parameters: &Parameters,
    ) -> Result<Self, Refusal> {
        let client_id = parameters.require("client_id")?;
        if SHARED_TENANTS.contains(&tenant) {
            return Err(Aadsts::not_multi_tenant(client_id).into());
        }
        let tenant = world.tenant_named(tenant)?;
        let application = tenant
            .application_named(client_id)
            .ok_or_else(|| Aadsts::unknown_application(client_id, &tenant.display_name))?;
        let uri = parameters.get("redirect_uri").ok_or_else(Aadsts::no_redirect_uri)?;
        let registered = application
            .redirect_uri(uri)
            .ok_or_else(|| Aadsts::wrong_redirect_uri(uri, application.client_id))?;
        let return_address = ReturnAddress {
            redirect_uri: RedirectUri { uri: uri.into(), platform: registered.platform },
            mode: ResponseMode::parse(parameters.get("response_mode"))?,
            state: parameters.owned("state"),
            issuer: version.issuer(origin, &tenant.id.to_string()),
        };
        let unchecked = Self {
            tenant: tenant.id,
            version,
            client_id: application.client_id,
            return_address,
            nonce: parameters.owned("nonce"),
            scope: Vec::new(),
            challenge: None,
            prompt: None,
            login_hint: parameters.owned("login_hint"),
        };
        let return_address = Box::new(unchecked.return_address.clone());
        unchecked.with(parameters).map_err(|error| Refusal::Return(error, return_address))
    }

    /// The sign-in of `person` by this request, for whoever refuses it.
    pub(super) fn case<'a>(&'a self, person: &'a str) -> Case<'a> {
        Case {
            client_id: self.client_id,
            tenant: self.tenant,
            redirect_uri: &self.return_address.redirect_uri.uri,
            person,
        }
    }

    /// The rest, for which the application already gets the answer.
    fn with(mut self, parameters: &Parameters) -> Result<Self, Aadsts> {
        match parameters.require("response_type")? {
            "code" => {}
            other => return Err(Aadsts::response_type(other, self.client_id)),
        }
        self.scope = match self.version {
            Version::V1 => parameters.get("scope").unwrap_or("openid"),
            Version::V2 => parameters.require("scope")?,
        }
        .split_whitespace()
        .map(str::to_owned)
        .collect();
        self.prompt = parameters.get("prompt").map(Prompt::parse).transpose()?;
        let method = parameters.get("code_challenge_method");
        self.challenge = Challenge::parse(parameters.get("code_challenge"), method).map_err(
            |error| match error {
                ChallengeError::Size => Aadsts::challenge_size(),
                ChallengeError::Method => {
                    Aadsts::unsupported("code_challenge_method", method.unwrap_or_default())
                }
            },
        )?;
        Ok(self)
    }
}

impl ResponseMode {
    fn parse(value: Option<&str>) -> Result<Self, Aadsts> {
        match value {
            None | Some("query") => Ok(Self::Query),
            Some("fragment") => Ok(Self::Fragment),
            Some("form_post") => Ok(Self::FormPost),
            Some(other) => Err(Aadsts::unsupported("response_mode", other)),
        }
    }
}

impl Prompt {
    fn parse(value: &str) -> Result<Self, Aadsts> {
        match value {
            "none" => Ok(Self::None),
            "login" => Ok(Self::Login),
            "select_account" => Ok(Self::SelectAccount),
            "consent" => Ok(Self::Consent),
            other => Err(Aadsts::unsupported("prompt", other)),
        }
    }
}

impl ReturnAddress {
    /// The parameters of an error answer.
    pub(super) fn refusal(&self, error: &Aadsts, now: Timestamp) -> Pairs {
        let description = error.description(&Trace::at(now));
        self.with_state(vec![("error", error.error.to_owned()), ("error_description", description)])
    }

    /// The parameters with `state` among them, if the request had one.
    pub(super) fn with_state(&self, mut parameters: Pairs) -> Pairs {
        parameters.extend(self.state.clone().map(|state| ("state", state)));
        parameters
    }

    /// The address with `parameters` in its query or fragment.
    pub(super) fn location(&self, parameters: &[(&'static str, String)]) -> String {
        let encoded =
            url::form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
        let uri = &self.redirect_uri.uri;
        let separator = match self.mode {
            ResponseMode::Fragment => "#",
            _ if uri.contains('?') => "&",
            _ => "?",
        };
        format!("{uri}{separator}{encoded}")
    }
}
