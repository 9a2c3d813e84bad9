//! `/{tenant}/oauth2/v2.0/logout`: RP-initiated logout, and the front channel to the others.

use actix_web::{
    HttpRequest, HttpResponse,
    http::Method,
    web::{Data, Path},
};
use serde_json::Value;

use super::{
    aadsts::Aadsts,
    authorize::browser_of,
    directory::Tenant,
    entra::{Entra, SignedIn, World},
    fault::Pairs,
    jws,
    metadata::Version,
    pages,
    parameters::Parameters,
};

/// `GET` or `POST /{tenant}/oauth2/v2.0/logout` (OpenID Connect RP-Initiated Logout 1.0 §2).
pub(super) async fn logout(
    entra: Data<Entra>,
    tenant: Path<String>,
    http: HttpRequest,
    body: String,
) -> HttpResponse {
    let text = if http.method() == Method::POST { &*body } else { http.query_string() };
    let answer = Parameters::parse(text).and_then(|asked| end(&entra, &tenant, &http, &asked));
    answer.unwrap_or_else(|error| pages::error(&error, entra.clock.now()))
}

fn end(
    entra: &Entra,
    tenant: &str,
    http: &HttpRequest,
    asked: &Parameters,
) -> Result<HttpResponse, Aadsts> {
    let mut world = entra.world();
    let tenant = world.tenant_named(tenant)?.clone();
    let hint = asked.get("id_token_hint").and_then(jws::claims_of).unwrap_or_default();
    let next = return_address(&tenant, asked, &hint);
    let hinted = asked.get("logout_hint").and_then(|hint| tenant.person_named(hint));
    let sid = hint["sid"].as_str();
    let ended = world.sign_out(&browser_of(entra, http), tenant.id, |session| {
        let by_hint = hinted.is_none_or(|person| person.oid == session.oid);
        by_hint && sid.is_none_or(|sid| sid == session.sid.to_string())
    });
    let frames = front_channel(entra, &world, &tenant, &ended);
    Ok(match next {
        Some(next) if frames.is_empty() => pages::redirect(&next),
        next => pages::signed_out(&frames, next.as_deref()),
    })
}

/// Where the browser may go: a redirect URI registered for the hinted application, else for any.
fn return_address(tenant: &Tenant, asked: &Parameters, hint: &Value) -> Option<String> {
    let uri = asked.get("post_logout_redirect_uri")?;
    let client_id = asked.get("client_id").or_else(|| hint["aud"].as_str());
    let mut applications = tenant.applications.iter();
    let is_registered = match client_id {
        Some(id) => tenant.application_named(id).is_some_and(|a| a.redirect_uri(uri).is_some()),
        None => applications.any(|application| application.redirect_uri(uri).is_some()),
    };
    let state: Pairs = asked.owned("state").map(|state| ("state", state)).into_iter().collect();
    is_registered.then(|| with_query(uri, &state))
}

/// The front-channel addresses of all applications that took part; Entra sends `sid` alone.
fn front_channel(entra: &Entra, world: &World, tenant: &Tenant, ended: &[SignedIn]) -> Vec<String> {
    let issuer = Version::V2.issuer(&entra.origin, &tenant.id.to_string());
    let Some(tenant) = world.tenant(tenant.id) else { return Vec::new() };
    let address = |sid: &str, client_id| {
        let url = tenant.application(client_id)?.front_channel_logout_url.as_deref()?;
        let mut named: Pairs = vec![("sid", sid.to_owned())];
        entra.faults.front_channel(&mut named, &issuer);
        Some(with_query(url, &named))
    };
    let of_session = |session: &SignedIn| -> Vec<String> {
        let sid = session.sid.to_string();
        session.applications.iter().filter_map(|id| address(&sid, *id)).collect()
    };
    ended.iter().flat_map(of_session).collect()
}

fn with_query(uri: &str, pairs: &[(&'static str, String)]) -> String {
    if pairs.is_empty() {
        return uri.to_owned();
    }
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    format!("{uri}{}{query}", if uri.contains('?') { '&' } else { '?' })
}
