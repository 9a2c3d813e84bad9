//! The addresses at which a relying party learns about a tenant and its keys.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
    web::{Data, Path},
};
use serde_json::{Value, json};

use super::{
    aadsts::{Aadsts, Trace},
    authorization_request::SHARED_TENANTS,
    entra::Entra,
    fault::{FalseSigner, Station},
    keys as signing_keys,
    metadata::{self, Version},
};

/// `GET /{tenant}[/v2.0]/.well-known/openid-configuration` (OpenID Connect Discovery 1.0 §4).
pub(super) async fn document(
    entra: Data<Entra>,
    tenant: Path<String>,
    http: HttpRequest,
) -> HttpResponse {
    if let Some(answer) = entra.receive(Station::Discovery).await {
        return answer;
    }
    let (tenant, issuer_tenant) = match names(&entra, &tenant) {
        Ok(names) => names,
        Err(error) => return refused(&entra, &error),
    };
    let version = Version::of(http.path());
    let mut document = metadata::document(version, &entra.origin, &tenant, &issuer_tenant);
    entra.faults.discovery(&mut document);
    cached(&Value::from(document))
}

/// `GET /{tenant}/discovery/v2.0/keys` and `GET /common/discovery/keys` (RFC 7517 §5).
pub(super) async fn keys(
    entra: Data<Entra>,
    tenant: Path<String>,
    http: HttpRequest,
) -> HttpResponse {
    if let Some(answer) = entra.receive(Station::Keys).await {
        return answer;
    }
    let issuer_tenant = match names(&entra, &tenant) {
        Ok((_, issuer_tenant)) => issuer_tenant,
        Err(error) => return refused(&entra, &error),
    };
    let version = Version::of(http.path());
    let issuer = version.issuer(&entra.origin, &issuer_tenant);
    let mut keys = entra.keys.jwks((version == Version::V2).then_some(&issuer));
    if entra.faults.signer() == Some(FalseSigner::Es256) {
        keys.push(signing_keys::elliptic_jwk());
    }
    entra.faults.keys(&mut keys);
    cached(&json!({ "keys": keys }))
}

/// The tenant's name in endpoints and in its issuer: the GUID, or for `common` a template.
fn names(entra: &Entra, tenant: &str) -> Result<(String, String), Aadsts> {
    if SHARED_TENANTS.contains(&tenant) {
        return Ok((tenant.to_owned(), "{tenantid}".to_owned()));
    }
    let id = entra.world().tenant_named(tenant)?.id.to_string();
    Ok((id.clone(), id))
}

fn cached(body: &Value) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "max-age=86400, private"))
        .insert_header((header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"))
        .json(body)
}

fn refused(entra: &Entra, error: &Aadsts) -> HttpResponse {
    let trace = Trace::at(entra.clock.now());
    HttpResponse::build(StatusCode::BAD_REQUEST).json(error.body(&trace, &entra.origin))
}
