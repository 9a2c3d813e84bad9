//! `/auth/check`: forward auth for a reverse proxy.
//!
//! # Why it answers as it does
//!
//! Every query parameter that is not understood is a 400: a misspelt `role` that was ignored would
//! let everybody in. Of what the client sends only its cookie lets it in, and identity headers are
//! set on every 200, each one, so that a proxy which copies them leaves nothing of the client's.

use std::{mem, sync::Arc};

use actix_web::{
    HttpRequest, HttpResponse, HttpResponseBuilder, ResponseError as _,
    http::{
        StatusCode,
        header::{
            AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderMap, HeaderName,
            HeaderValue, LOCATION,
        },
    },
    web::Data,
};
use bytes::Bytes;
use serde_json::json;
use url::form_urlencoded;

use crate::{
    domain::{access_role::AccessRole, organization::Slug, return_to::ReturnTo},
    http::{
        State,
        error::{ApiError, PageError},
        extract,
        middleware::security_headers::Csp,
    },
    ports::{Unavailable, sessions::LiveSession},
    service::session_token,
};

use self::original_request::OriginalRequest;

mod original_request;

const ACCOUNT: HeaderName = HeaderName::from_static("x-portico-account");
const EMAIL: HeaderName = HeaderName::from_static("x-portico-email");
const NAME: HeaderName = HeaderName::from_static("x-portico-name");
const ORGANIZATION: HeaderName = HeaderName::from_static("x-portico-organization");
const ROLE: HeaderName = HeaderName::from_static("x-portico-role");
const ACCESS_GROUPS: HeaderName = HeaderName::from_static("x-portico-access-groups");
const DEMAND: HeaderName = HeaderName::from_static("x-portico-demand");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// What a proxy demands of whoever wants in.
#[derive(Debug, Default, PartialEq, Eq)]
struct Demand {
    /// `role`: at least this one.
    role: Option<AccessRole>,
    /// `organization`: exactly this one.
    organization: Option<Slug>,
    /// `access_group`: named ones; nobody holds any yet.
    access_group: Option<String>,
    /// `token=jwt`: the answer shall carry an access token.
    token: bool,
}

/// What is wrong with a demand.
type Misunderstood = String;

impl Demand {
    /// Reads the query; each parameter at most once, and no other.
    fn parse(query: &str) -> Result<Self, Misunderstood> {
        let mut demand = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let stands_twice = match name.as_ref() {
                "role" => {
                    let role = value.parse().map_err(|error| format!("`role`: {error}"))?;
                    demand.role.replace(role).is_some()
                }
                "organization" => {
                    let slug =
                        Slug::parse(&value).map_err(|error| format!("`organization`: {error}"))?;
                    demand.organization.replace(slug).is_some()
                }
                "access_group" if !value.is_empty() => {
                    demand.access_group.replace(value.into_owned()).is_some()
                }
                "token" if value == "jwt" => mem::replace(&mut demand.token, true),
                "token" => return Err("`token` is `jwt` or absent".to_owned()),
                _ => {
                    let name: String = name.chars().take(40).collect();
                    return Err(format!(
                        "`{name}` is none of `role`, `organization`, `access_group`, `token`"
                    ));
                }
            };
            if stands_twice {
                return Err(format!("`{name}` stands twice"));
            }
        }
        Ok(demand)
    }

    /// Reads `X-Portico-Demand`, which stands there once.
    fn of_header(headers: &HeaderMap) -> Result<Self, Misunderstood> {
        let mut values = headers.get_all(DEMAND);
        match (values.next().map(HeaderValue::to_str), values.next()) {
            (Some(Ok(demand)), None) => Self::parse(demand),
            _ => Err("under this address `X-Portico-Demand` says, once, what is demanded".into()),
        }
    }

    /// Why somebody who is signed in is not let in.
    fn refusal(&self, live: &LiveSession) -> Option<String> {
        let organization = self.organization.as_ref().map(Slug::as_str);
        if organization.is_some_and(|wanted| wanted.as_bytes() != live.identity.organization) {
            return Some("You are signed in at another organization.".to_owned());
        }
        if let Some(wanted) = self.role.filter(|wanted| live.session.role < *wanted) {
            let role = live.session.role;
            return Some(format!("This needs the role {wanted} or above; yours is {role}."));
        }
        let group = self.access_group.as_ref()?;
        Some(format!("This needs the access group {group}, which you are not in."))
    }
}

/// `GET /auth/check`: what is demanded stands in the query.
pub async fn check(request: HttpRequest) -> HttpResponse {
    answer(&request, Demand::parse(request.query_string()), OriginalRequest::described).await
}

/// `/auth/check/{path}`, by any method: for a proxy that asks by the original request itself, with
/// a prefix before its path (Envoy's `ext_authz`).
///
/// The query is the client's. What is demanded stands in `X-Portico-Demand`, written as a query,
/// without which nobody is let in: an address that a proxy only happens to pass on opens nothing.
pub async fn check_prefixed(request: HttpRequest) -> HttpResponse {
    let demand = Demand::of_header(request.headers());
    answer(&request, demand, OriginalRequest::itself).await
}

/// The state is borrowed from the request: as an argument it would be counted up and down, by all
/// threads in the same place.
async fn answer(
    request: &HttpRequest,
    demand: Result<Demand, Misunderstood>,
    original: fn(&HttpRequest) -> OriginalRequest,
) -> HttpResponse {
    let state = request.app_data::<Data<State>>().expect("every app carries its state");
    let demand = match demand {
        Ok(demand) => demand,
        Err(misunderstood) => return misunderstood_demand(&misunderstood),
    };
    match extract::session::find(state, request).await {
        Ok(Some(live)) => match demand.refusal(&live) {
            None => let_in(state, &demand, &live),
            Some(refusal) => forbidden(state, &original(request), refusal),
        },
        Ok(None) => not_signed_in(state, &original(request), &demand),
        Err(unavailable) => away(state, &original(request), unavailable),
    }
}

fn let_in(state: &State, demand: &Demand, live: &Arc<LiveSession>) -> HttpResponse {
    let identity = &live.identity;
    let mut response = HttpResponse::new(StatusCode::OK);
    let headers = response.headers_mut();
    headers.insert(ACCOUNT, header_value(&identity.account));
    headers.insert(EMAIL, header_value(&identity.email));
    headers.insert(NAME, header_value(&identity.name));
    headers.insert(ORGANIZATION, header_value(&identity.organization));
    headers.insert(ROLE, HeaderValue::from_static(live.session.role.as_str()));
    headers.insert(ACCESS_GROUPS, HeaderValue::from_static(""));
    headers.insert(CACHE_CONTROL, NO_STORE);
    if demand.token {
        let issued = session_token::issue(&state.ports, live);
        let bearer = HeaderValue::try_from(format!("Bearer {}", issued.token.expose()));
        headers.insert(AUTHORIZATION, bearer.expect("a JWT is printable ASCII"));
    }
    response
}

fn header_value(field: &Bytes) -> HeaderValue {
    HeaderValue::from_maybe_shared(field.clone()).expect("an identity is printable ASCII")
}

/// A 400, not a 403: nobody else's fault than of who configured the proxy.
fn misunderstood_demand(misunderstood: &str) -> HttpResponse {
    tracing::warn!(misunderstood, "a proxy asks /auth/check for what it does not know");
    HttpResponse::BadRequest()
        .insert_header((CACHE_CONTROL, NO_STORE))
        .json(json!({ "error": "invalid_request", "error_description": misunderstood }))
}

fn forbidden(state: &State, original: &OriginalRequest, refusal: String) -> HttpResponse {
    if original.is_navigation {
        return page(&PageError::new(&state.frame, StatusCode::FORBIDDEN, refusal));
    }
    HttpResponse::Forbidden()
        .insert_header((CACHE_CONTROL, NO_STORE))
        .json(json!({ "error": "access_denied", "error_description": refusal }))
}

fn away(state: &State, original: &OriginalRequest, unavailable: Unavailable) -> HttpResponse {
    if original.is_navigation {
        return page(&PageError::unavailable(&state.frame, &unavailable));
    }
    ApiError::from(unavailable).response()
}

/// A page for whoever looks at what a proxy passes on.
fn page(error: &PageError) -> HttpResponse {
    let mut response = error.error_response();
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, Csp::strict().header());
    response
}

/// A browser that opens a page gets the way to sign-in and back; anything else learns by 401 that
/// it must send its person there.
///
/// The way is a redirect for proxies that pass one on, and for others a 401 whose `Location` their
/// configuration may use: nginx makes a 500 of any other status.
fn not_signed_in(state: &State, original: &OriginalRequest, demand: &Demand) -> HttpResponse {
    if !original.is_navigation || !original.is_read {
        return ApiError::NotSignedIn.response();
    }
    let status =
        if original.passes_redirects { StatusCode::FOUND } else { StatusCode::UNAUTHORIZED };
    let return_to = original.address.as_deref().and_then(|address| return_to(state, address));
    HttpResponseBuilder::new(status)
        .insert_header((LOCATION, login_address(state, demand, return_to)))
        .insert_header((CACHE_CONTROL, NO_STORE))
        .finish()
}

/// An address as sign-in takes it: a path if it is on this origin, whole if it is on another that
/// the operator allows.
fn return_to<'a>(state: &State, address: &'a str) -> Option<&'a str> {
    let here = address.strip_prefix(state.ports.settings.public_url.as_str());
    let place = here.filter(|rest| rest.starts_with('/')).unwrap_or(address);
    ReturnTo::parse(place, &state.ports.settings.return_origins).is_ok().then_some(place)
}

fn login_address(state: &State, demand: &Demand, return_to: Option<&str>) -> String {
    let public_url = &state.ports.settings.public_url;
    let mut address = match &demand.organization {
        Some(slug) => format!("{public_url}/login/{slug}"),
        None => format!("{public_url}/login"),
    };
    if let Some(return_to) = return_to {
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("return_to", return_to)
            .finish();
        address.push('?');
        address.push_str(&query);
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_demand_that_is_not_wholly_understood_is_refused() {
        for query in [
            "role=admin",
            "role=",
            "role=Owner",
            "role=User&role=Admin",
            "role=User&role=User",
            "organization=acme&organization=acme",
            "access_group=a&role=User&access_group=a",
            "token=jwt&token=jwt",
            "Role=Admin",
            "rol=Admin",
            "role=Admin&x=1",
            "organization=A B",
            "organization=",
            "access_group=",
            "token=1",
            "role[]=Admin",
        ] {
            assert!(Demand::parse(query).is_err(), "{query}");
        }
    }

    #[test]
    fn a_demand_names_the_least_role_and_the_organization() {
        let demand = Demand::parse("role=Admin&organization=acme&token=jwt").unwrap();

        let slug = Slug::parse("acme").unwrap();
        let expected = Demand {
            role: Some(AccessRole::Admin),
            organization: Some(slug),
            access_group: None,
            token: true,
        };
        assert_eq!(demand, expected);
        assert_eq!(Demand::parse(""), Ok(Demand::default()));
    }
}
