//! `/{tenant}/oauth2/v2.0/token`: codes and refresh tokens against ID Tokens,
//! and an application's own access tokens.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{Method, StatusCode, header},
    web::{Data, Path},
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    aadsts::{Aadsts, Trace},
    application_token,
    client_authentication::{Client, Endpoint},
    directory::{Application, Person},
    entra::{CODE_LIFETIME, Entra, Grant, GrantKind, REFRESH_TOKEN_LIFETIME, World},
    fault::{Case, Counter, Members, Station},
    id_token,
    metadata::Version,
    parameters::Parameters,
    redirect_uri::Platform,
};
use crate::domain::secret::Secret;

/// How long an access token is good for, in seconds; Entra varies between 60 and 90 minutes.
const ACCESS_TOKEN_LIFETIME: u32 = 4_799;

/// A request to the token endpoint, its client found.
struct TokenRequest<'a> {
    entra: &'a Entra,
    tenant: Uuid,
    client: Client,
    application: Application,
    body: Parameters,
    endpoint: Endpoint,
}

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
    if let Some(answer) = entra.receive(Station::Token).await {
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
    let has_header = http.headers().contains_key(header::AUTHORIZATION);
    if entra.faults.takes_basic_only() && !has_header {
        return Err(Aadsts::no_credential());
    }
    if http.headers().contains_key(header::ORIGIN) {
        return Err(Aadsts::cross_origin());
    }
    let (tenant, application) = parties(&entra.world(), tenant, &client)?;
    refuse(entra, tenant, &application, &body)?;
    let endpoint = endpoint(entra, tenant);
    let grant_type = grant_type.to_owned();
    let request = TokenRequest { entra, tenant, client, application, body, endpoint };
    match &*grant_type {
        "authorization_code" => Ok(token_response(entra, &request.redeem_code()?)),
        "refresh_token" => Ok(token_response(entra, &request.redeem_refresh_token()?)),
        "client_credentials" => {
            request.authenticate(Platform::Web)?;
            let scope = request.body.require("scope")?;
            Ok(application_token(entra, &request, scope))
        }
        other => Err(Aadsts::grant_type(other)),
    }
}

/// Says no where a fault demands it.
fn refuse(
    entra: &Entra,
    tenant: Uuid,
    application: &Application,
    body: &Parameters,
) -> Result<(), Aadsts> {
    let redirect_uri = body.get("redirect_uri").unwrap_or_default();
    let case = Case { client_id: application.client_id, tenant, redirect_uri, person: "" };
    entra.faults.refusal(Counter::Token, &case).map_or(Ok(()), Err)
}

/// The tenant and the application that the client names.
fn parties(world: &World, tenant: &str, client: &Client) -> Result<(Uuid, Application), Aadsts> {
    let tenant = world.tenant_named(tenant)?;
    let unknown = || Aadsts::unknown_application(&client.id, &tenant.display_name);
    let application = tenant.application_named(&client.id).cloned().ok_or_else(unknown)?;
    Ok((tenant.id, application))
}

/// The issuers and token endpoints of both versions name the tenant as an assertion's audience.
fn endpoint(entra: &Entra, tenant: Uuid) -> Endpoint {
    let audiences = [Version::V1, Version::V2].into_iter().flat_map(|version| {
        let token = format!("{}/{tenant}/{}/token", entra.origin, version.folder());
        [token, version.issuer(&entra.origin, &tenant.to_string())]
    });
    Endpoint { audiences: audiences.collect(), now: entra.clock.now() }
}

impl TokenRequest<'_> {
    fn authenticate(&self, platform: Platform) -> Result<(), Aadsts> {
        self.client.authenticate(&self.application, platform, &self.endpoint)
    }

    /// Checks everything that may be tried again before the code is used up, the verifier after.
    fn redeem_code(&self) -> Result<Redeemed, Aadsts> {
        let mut world = self.entra.world();
        let code = self.body.require("code")?;
        let redirect_uri = self.body.require("redirect_uri")?;
        let grant = world.find_grant(code).cloned().ok_or_else(Aadsts::malformed_grant)?;
        if grant.tenant != self.tenant {
            return Err(Aadsts::other_tenants_code());
        }
        if grant.client_id != self.application.client_id {
            return Err(Aadsts::malformed_grant());
        }
        if grant.redirect_uri.uri != redirect_uri {
            return Err(Aadsts::other_redirect_uri(redirect_uri, &grant.redirect_uri.uri));
        }
        self.authenticate(grant.redirect_uri.platform)?;
        if self.endpoint.now.duration_since(grant.issued_at) >= CODE_LIFETIME {
            return Err(Aadsts::code_expired());
        }
        match grant.kind {
            GrantKind::Code { used: false } => world.use_code(code),
            GrantKind::Code { used: true } => return Err(Aadsts::code_used()),
            GrantKind::RefreshToken => return Err(Aadsts::malformed_grant()),
        }
        check_verifier(&grant, &self.body)?;
        redeemed(self.entra, &mut world, grant)
    }

    /// A refresh token stays valid when it is used; each use also gives a newer one.
    fn redeem_refresh_token(&self) -> Result<Redeemed, Aadsts> {
        let mut world = self.entra.world();
        let name = self.body.require("refresh_token")?;
        let grant = world.find_grant(name).cloned().ok_or_else(Aadsts::revoked)?;
        let is_theirs =
            grant.tenant == self.tenant && grant.client_id == self.application.client_id;
        if !is_theirs || grant.kind != GrantKind::RefreshToken {
            return Err(Aadsts::malformed_grant());
        }
        self.authenticate(grant.redirect_uri.platform)?;
        if self.endpoint.now.duration_since(grant.issued_at) >= REFRESH_TOKEN_LIFETIME {
            return Err(Aadsts::code_expired());
        }
        redeemed(self.entra, &mut world, grant)
    }
}

fn check_verifier(grant: &Grant, body: &Parameters) -> Result<(), Aadsts> {
    match (&grant.challenge, body.get("code_verifier")) {
        (None, None) => Ok(()),
        (Some(_), None) => Err(Aadsts::no_verifier()),
        (Some(challenge), Some(verifier)) if challenge.is_met_by(verifier) => Ok(()),
        (_, Some(_)) => Err(Aadsts::wrong_verifier()),
    }
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

/// An application's own access token: readable where it asks for a resource.
fn application_token(entra: &Entra, request: &TokenRequest<'_>, scope: &str) -> Members {
    let mut response = access_token(scope);
    let issued = application_token::issue(entra, request.tenant, &request.application, scope);
    if let Some(issued) = issued {
        response.insert("access_token".into(), json!(issued));
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
