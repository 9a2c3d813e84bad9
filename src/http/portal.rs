//! `GET /`: who am I, and what may I do?

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header::LOCATION},
    web::Data,
};

use crate::{
    domain::session::Identity,
    http::{State, error::PageError, extract, pages::portal::PortalPage},
};

/// `GET /`: the portal page, or the way to sign-in.
pub async fn show(state: Data<State>, request: HttpRequest) -> Result<HttpResponse, PageError> {
    let away = |unavailable| PageError::unavailable(&state.frame, &unavailable);
    let Some(live) = extract::session::find(&state, &request).await.map_err(away)? else {
        return Ok(HttpResponse::build(StatusCode::SEE_OTHER)
            .insert_header((LOCATION, "/login"))
            .finish());
    };
    let organization = state.ports.store.find_organization(live.session.organization_id).await;
    let organization = organization.map_err(away)?;
    let page = PortalPage {
        frame: &state.frame,
        name: &Identity::text(&live.identity.name),
        email: &Identity::text(&live.identity.email),
        organization: organization.as_ref().map_or("", |found| found.display_name.as_str()),
        session: &live.session,
        links: &state.portal_links,
    };
    Ok(page.respond())
}
