//! A request of a directory that proved who it is.

use std::{cell::RefCell, future::Future, pin::Pin, rc::Rc};

use actix_web::{
    FromRequest, HttpMessage as _, HttpRequest,
    dev::Payload,
    http::header::{CONTENT_TYPE, HeaderName, IF_MATCH, IF_NONE_MATCH, USER_AGENT},
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

/// A request of a directory that proved who it is. The provisioning log finds it in the request.
#[derive(Clone)]
pub struct ScimRequest {
    state: Data<State>,
    asked: Rc<Asked>,
}

/// Who asks, and what.
struct Asked {
    organization: Organization,
    connector: Connector,
    profile: &'static Profile,
    call: Call,
    query: String,
    if_match: Option<String>,
    if_none_match: Option<String>,
    content_type: Option<String>,
    /// The body as it came, for the line about a write that was refused.
    sent: RefCell<Bytes>,
}

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
            let asked = Rc::new(Asked {
                profile: profile.unwrap_or(&dialect::ENTRA),
                call: call(&request, &state),
                query: request.query_string().to_owned(),
                if_match: header(&request, &IF_MATCH),
                if_none_match: header(&request, &IF_NONE_MATCH),
                content_type: header(&request, &CONTENT_TYPE),
                sent: RefCell::default(),
                organization,
                connector,
            });
            let scim = Self { state, asked };
            request.extensions_mut().insert(scim.clone());
            Ok(scim)
        })
    }
}

impl ScimRequest {
    /// The directory at work.
    pub fn directory(&self) -> Directory<'_> {
        self.directory_for(self.call())
    }

    /// The directory at a part of its work, which the provisioning log tells of apart.
    pub fn directory_for<'a>(&'a self, call: &'a Call) -> Directory<'a> {
        Directory {
            ports: &self.state.ports,
            organization: &self.asked.organization,
            connector: &self.asked.connector,
            profile: self.asked.profile,
            call,
        }
    }

    /// What the provisioning log says of the request.
    pub fn call(&self) -> &Call {
        &self.asked.call
    }

    /// The service.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The connector that is asked.
    pub fn connector(&self) -> &Connector {
        &self.asked.connector
    }

    /// How its directory speaks.
    pub fn profile(&self) -> &'static Profile {
        self.asked.profile
    }

    /// What the client calls itself, and the address that it called from.
    pub fn client(&self) -> &str {
        &self.asked.call.client
    }

    /// The moment of now.
    pub fn now(&self) -> Timestamp {
        self.state.ports.clock.now()
    }

    /// The address that everything of this connector lies under.
    pub fn base_url(&self) -> String {
        connectors::scim_url(&self.state.ports, self.asked.connector.id)
    }

    /// The query of the address.
    pub fn query(&self) -> &str {
        &self.asked.query
    }

    /// The body as a JSON object of at most `longest` bytes.
    pub async fn object(
        &self,
        payload: web::Payload,
        longest: usize,
    ) -> Result<Map<String, Value>, ScimFault> {
        if self.asked.content_type.as_deref().is_some_and(|kind| !is_json(kind)) {
            return Err(ScimFault::NotJson);
        }
        let sent = http::body::read(payload, longest).await?;
        self.asked.sent.replace(sent.clone());
        Ok(body::parse(&sent)?)
    }

    /// The body as it came; empty if there was none.
    pub fn sent(&self) -> Bytes {
        self.asked.sent.borrow().clone()
    }

    /// The version that a write expects.
    pub fn expected(&self) -> Expected<'_> {
        Expected(self.asked.if_match.as_deref())
    }

    /// Whether the client holds this version already.
    pub fn holds(&self, version: u64) -> bool {
        let held = self.asked.if_none_match.as_deref();
        held.is_some_and(|held| resource_meta::etag_matches(held, version))
    }
}

/// Whether a media type is JSON under any of its names.
fn is_json(media_type: &str) -> bool {
    let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence.is_empty() || essence.ends_with("/json") || essence.ends_with("+json")
}

/// A header's text, if it is there and is text.
fn header(request: &HttpRequest, name: &HeaderName) -> Option<String> {
    Some(request.headers().get(name)?.to_str().ok()?.to_owned())
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
