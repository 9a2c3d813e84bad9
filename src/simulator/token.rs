//! `/{tenant}/oauth2/v2.0/token`: codes and refresh tokens against ID Tokens.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{Method, StatusCode, header},
    web::{Data, Path},
};
use serde_json::{Value, json};

use super::{
    aadsts::{Aadsts, Trace},
    client_authentication::Client,
    directory::{Application, Person},
    entra::{CODE_LIFETIME, Entra, Grant, GrantKind, REFRESH_TOKEN_LIFETIME, World},
    fault::{Members, Station},
    id_token,
    parameters::Parameters,
    redirect_uri::Platform,
};
use crate::domain::secret::Secret;

/// How long an access token is good for, in seconds; Entra varies between 60 and 90 minutes.
const ACCESS_TOKEN_LIFETIME: u32 = 4_799;

/// A grant that was redeemed, with its parties as they are now.
struct Redeemed {
    grant: Grant,
    person: Person,
    application: Application,
    refresh_token: Option<String>,
}

/// `POST /{tenant}/oauth2/v2.0/token` (OpenID Connect Core 1.0 §3.1.3).
pub(super) async fn token(
    entra: Data<Entra>,
    tenant: Path<String>,
    http: HttpRequest,
    body: String,
) -> HttpResponse {
    if let Some(answer) = entra.faults.intercept(Station::Token).await {
        return answer;
    }
    match answer(&entra, &tenant, &http, &body) {
        Ok(mut response) => {
            entra.faults.token_response(&mut response);
            json(StatusCode::OK, &Value::from(response))
        }
        Err(error) => {
            let trace = Trace::at(entra.clock.now());
            let is_client = error.error == "invalid_client";
            let status = if is_client { StatusCode::UNAUTHORIZED } else { StatusCode::BAD_REQUEST };
            json(status, &error.body(&trace, &entra.origin))
        }
    }
}

fn json(status: StatusCode, body: &Value) -> HttpResponse {
    HttpResponse::build(status)
        .insert_header((header::CACHE_CONTROL, "no-store, no-cache"))
        .insert_header((header::PRAGMA, "no-cache"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .json(body)
}

fn answer(entra: &Entra, tenant: &str, http: &HttpRequest, body: &str) -> Result<Members, Aadsts> {
    if http.method() != Method::POST {
        return Err(Aadsts::method(http.method().as_str()));
    }
    let body = Parameters::parse(body)?;
    let grant_type = body.require("grant_type")?;
    let client = Client::parse(http.headers(), &body)?;
    if http.headers().contains_key(header::ORIGIN) {
        return Err(Aadsts::cross_origin());
    }
    let application = find_application(&entra.world(), tenant, &client)?;
    match grant_type {
        "authorization_code" => {
            let redeemed = redeem_code(entra, tenant, &client, &application, &body)?;
            Ok(token_response(entra, &redeemed))
        }
        "refresh_token" => {
            let redeemed = redeem_refresh_token(entra, &client, &application, &body)?;
            Ok(token_response(entra, &redeemed))
        }
        "client_credentials" => {
            client.authenticate(&application, Platform::Web)?;
            Ok(access_token(body.require("scope")?))
        }
        other => Err(Aadsts::grant_type(other)),
    }
}

fn find_application(world: &World, tenant: &str, client: &Client) -> Result<Application, Aadsts> {
    let tenant = world.tenant_named(tenant)?;
    let unknown = || Aadsts::unknown_application(&client.id, &tenant.display_name);
    tenant.application_named(&client.id).cloned().ok_or_else(unknown)
}

/// Checks everything that may be tried again before the code is used up, the verifier after.
fn redeem_code(
    entra: &Entra,
    tenant: &str,
    client: &Client,
    application: &Application,
    body: &Parameters,
) -> Result<Redeemed, Aadsts> {
    let mut world = entra.world();
    let code = body.require("code")?;
    let redirect_uri = body.require("redirect_uri")?;
    let grant = world.find_grant(code).cloned().ok_or_else(Aadsts::malformed_grant)?;
    if grant.tenant != world.tenant_named(tenant)?.id {
        return Err(Aadsts::other_tenants_code());
    }
    if grant.client_id != application.client_id {
        return Err(Aadsts::malformed_grant());
    }
    if grant.redirect_uri.uri != redirect_uri {
        return Err(Aadsts::other_redirect_uri(redirect_uri, &grant.redirect_uri.uri));
    }
    client.authenticate(application, grant.redirect_uri.platform)?;
    if entra.clock.now().duration_since(grant.issued_at) >= CODE_LIFETIME {
        return Err(Aadsts::code_expired());
    }
    match grant.kind {
        GrantKind::Code { used: false } => world.use_code(code),
        GrantKind::Code { used: true } => return Err(Aadsts::code_used()),
        GrantKind::RefreshToken => return Err(Aadsts::malformed_grant()),
    }
    check_verifier(&grant, body)?;
    redeemed(entra, &mut world, grant)
}

fn check_verifier(grant: &Grant, body: &Parameters) -> Result<(), Aadsts> {
    match (&grant.challenge, body.get("code_verifier")) {
        (None, None) => Ok(()),
        (Some(_), None) => Err(Aadsts::no_verifier()),
        (Some(challenge), Some(verifier)) if challenge.is_met_by(verifier) => Ok(()),
        (_, Some(_)) => Err(Aadsts::wrong_verifier()),
    }
}

/// A refresh token stays valid when it is used; each use also gives a newer one.
fn redeem_refresh_token(
    entra: &Entra,
    client: &Client,
    application: &Application,
    body: &Parameters,
) -> Result<Redeemed, Aadsts> {
    let mut world = entra.world();
    let name = body.require("refresh_token")?;
    let grant = world.find_grant(name).cloned().ok_or_else(Aadsts::revoked)?;
    if grant.client_id != application.client_id || grant.kind != GrantKind::RefreshToken {
        return Err(Aadsts::malformed_grant());
    }
    client.authenticate(application, grant.redirect_uri.platform)?;
    if entra.clock.now().duration_since(grant.issued_at) >= REFRESH_TOKEN_LIFETIME {
        return Err(Aadsts::code_expired());
    }
    redeemed(entra, &mut world, grant)
}

fn redeemed(entra: &Entra, world: &mut World, grant: Grant) -> Result<Redeemed, Aadsts> {
    let (person, application) = world.parties(&grant)?;
    let refresh_token = grant.has_scope("offline_access").then(|| {
        let issued_at = entra.clock.now();
        let kind = GrantKind::RefreshToken;
        world.grant(Grant { nonce: None, kind, issued_at, ..grant.clone() })
    });
    Ok(Redeemed { grant, person, application, refresh_token })
}

fn token_response(entra: &Entra, redeemed: &Redeemed) -> Members {
    let Redeemed { grant, person, application, refresh_token } = redeemed;
    let mut response = access_token(&grant.scope.join(" "));
    if grant.has_scope("openid") {
        let id_token = id_token::issue(entra, grant, person, application);
        response.insert("id_token".into(), json!(id_token));
    }
    if let Some(refresh_token) = refresh_token {
        response.insert("refresh_token".into(), json!(refresh_token));
    }
    response
}

/// The access token is for Microsoft Graph and says nothing to the application: here, noise.
fn access_token(scope: &str) -> Members {
    let token = Secret::generate();
    let response = json!({
        "token_type": "Bearer",
        "scope": scope,
        "expires_in": ACCESS_TOKEN_LIFETIME,
        "ext_expires_in": ACCESS_TOKEN_LIFETIME,
        "access_token": token.expose(),
    });
    let Value::Object(response) = response else { unreachable!("an object was written") };
    response
}
