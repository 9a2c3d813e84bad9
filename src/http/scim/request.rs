//! A request of a directory that proved who it is.

use std::{future::Future, pin::Pin, rc::Rc};

use actix_web::{
    FromRequest, HttpMessage as _, HttpRequest,
    dev::Payload,
    http::header::{HeaderName, IF_MATCH, IF_NONE_MATCH, USER_AGENT},
    web::{self, Bytes, Data},
};
use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::{
    domain::{connector::Connector, organization::Organization},
    http::{
        self, State,
        error::ScimFault,
        extract::{client_address::client_address, scim_caller::ScimCaller},
    },
    scim::{
        body,
        dialect::{self, Profile},
        resource_meta,
    },
    service::{
        connectors,
        provisioning::{Call, Directory, Expected},
    },
};

/// The longest address that the provisioning log repeats, in characters.
const LONGEST_PATH: usize = 1_000;

/// The longest name of a client that it repeats.
const LONGEST_CLIENT: usize = 200;

/// A request of a directory that proved who it is.
pub struct ScimRequest {
    /// The request itself.
    pub request: HttpRequest,
    state: Data<State>,
    caller: Rc<Caller>,
}

/// Who asks, and what the provisioning log says of it; the log finds it in the request.
pub(super) struct Caller {
    pub(super) organization: Organization,
    pub(super) connector: Connector,
    pub(super) profile: &'static Profile,
    pub(super) call: Call,
}

/// The body of the request as it came, for the line about a write that was refused.
pub(super) struct Sent(pub(super) Bytes);

impl FromRequest for ScimRequest {
    type Error = ScimFault;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Self::Error>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let caller = ScimCaller::from_request(request, payload);
        let request = request.clone();
        Box::pin(async move {
            let ScimCaller { organization, connector } = caller.await?;
            let state = request.app_data::<Data<State>>().expect("every app carries its state");
            let state = state.clone();
            let profile = Profile::named(&connector.provisioning.profile);
            let caller = Rc::new(Caller {
                profile: profile.unwrap_or(&dialect::ENTRA),
                call: call(&request, &state),
                organization,
                connector,
            });
            request.extensions_mut().insert(caller.clone());
            Ok(Self { request, state, caller })
        })
    }
}

impl ScimRequest {
    /// The directory at work.
    pub fn directory(&self) -> Directory<'_> {
        Directory {
            ports: &self.state.ports,
            organization: &self.caller.organization,
            connector: &self.caller.connector,
            profile: self.caller.profile,
            call: &self.caller.call,
        }
    }

    /// The service.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The connector that is asked.
    pub fn connector(&self) -> &Connector {
        &self.caller.connector
    }

    /// How its directory speaks.
    pub fn profile(&self) -> &'static Profile {
        self.caller.profile
    }

    /// What the client calls itself, and the address that it called from.
    pub fn client(&self) -> &str {
        &self.caller.call.client
    }

    /// The moment of now.
    pub fn now(&self) -> Timestamp {
        self.state.ports.clock.now()
    }

    /// The address that everything of this connector lies under.
    pub fn base_url(&self) -> String {
        connectors::scim_url(&self.state.ports, self.caller.connector.id)
    }

    /// The query of the address.
    pub fn query(&self) -> &str {
        self.request.query_string()
    }

    /// The body as a JSON object of at most `longest` bytes.
    pub async fn object(
        &self,
        payload: web::Payload,
        longest: usize,
    ) -> Result<Map<String, Value>, ScimFault> {
        let sent = http::body::read(payload, longest).await?;
        let object = body::parse(&sent)?;
        self.request.extensions_mut().insert(Sent(sent));
        Ok(object)
    }

    /// The version that a write expects.
    pub fn expected(&self) -> Expected<'_> {
        Expected(self.header(&IF_MATCH))
    }

    /// Whether the client holds this version already.
    pub fn holds(&self, version: u64) -> bool {
        self.header(&IF_NONE_MATCH).is_some_and(|held| resource_meta::etag_matches(held, version))
    }

    fn header(&self, name: &HeaderName) -> Option<&str> {
        self.request.headers().get(name)?.to_str().ok()
    }
}

/// What the provisioning log says of a request before it is carried out.
fn call(request: &HttpRequest, state: &State) -> Call {
    let headers = request.headers();
    let agent = headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok());
    let client = match agent {
        Some(agent) if !agent.is_empty() => agent,
        _ if headers.contains_key("adscimversion") => "Microsoft Entra ID",
        _ => "A client without a name",
    };
    let client: String = client.chars().take(LONGEST_CLIENT).collect();
    let address = client_address(request, |peer| state.proxies.trusts(peer));
    Call {
        client: format!("{client}, {address}"),
        method: request.method().to_string(),
        path: path(request),
        replay_of: None,
    }
}

/// The address below the connector's, as people read it.
fn path(request: &HttpRequest) -> String {
    let below = request.path().splitn(5, '/').last().unwrap_or_default();
    let query = request.query_string();
    if query.is_empty() {
        return format!("/{below}");
    }
    let pairs = url::form_urlencoded::parse(query.as_bytes());
    let pairs: Vec<_> = pairs.map(|(name, value)| format!("{name}={value}")).collect();
    format!("/{below}?{}", pairs.join("&")).chars().take(LONGEST_PATH).collect()
}
