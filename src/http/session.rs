//! Who is signed in, for a single-page app and for the platform's programs.

use actix_web::{HttpResponse, http::header::CACHE_CONTROL, web::Data};
use serde_json::json;

use crate::{
    domain::session::Identity,
    http::{State, extract::session::SignedIn},
    service::session_token,
};

/// `GET /session`: what the identity headers of `/auth/check` say, as JSON.
pub async fn show(SignedIn(live): SignedIn) -> HttpResponse {
    HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).json(json!({
        "account": Identity::text(&live.identity.account),
        "email": Identity::text(&live.identity.email),
        "name": Identity::text(&live.identity.name),
        "organization": Identity::text(&live.identity.organization),
        "role": live.session.role,
        "access_groups": [],
        "expires_at": live.session.expires_at.to_string(),
    }))
}

/// `POST /session/token`: a JWT of five minutes for the platform's APIs.
///
/// A POST, so that no other site's link or image can ask for one.
pub async fn issue_token(state: Data<State>, SignedIn(live): SignedIn) -> HttpResponse {
    let issued = session_token::issue(&state.ports, &live);
    HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).json(json!({
        "access_token": issued.token.expose(),
        "token_type": "Bearer",
        "expires_in": issued.expires_in,
    }))
}

/// `GET /.well-known/jwks.json`: the keys that those tokens verify against.
pub async fn jwks(state: Data<State>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, "public, max-age=3600"))
        .json(state.ports.signer.jwks())
}
