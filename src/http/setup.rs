//! Organization Setup through a link, without a sign-in.
//!
//! The token in the address is all that proves who is asking, so no cookie is read or written, and
//! another site, which does not know the token, can't post.

use std::borrow::Cow;

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Payload},
};
use url::form_urlencoded;

use crate::{
    domain::{connector::Connector, secret::Secret},
    http::{
        State, body,
        error::PageError,
        pages::setup::{CopiedValues, DonePage, EditionPage, FormPage, GonePage, Typed},
    },
    ports::Ports,
    service::{
        connectors, logout,
        setup_links::{self, Answers, Setup, SetupError, answers::Problems},
    },
};

/// No form of ours is longer.
const LONGEST_FORM: usize = 16 * 1024;

/// `GET /setup/{token}`: what to copy to the Azure portal, and the form for what to paste from
/// there. Uses nothing up.
pub async fn show(state: Data<State>, request: HttpRequest) -> Result<HttpResponse, PageError> {
    match setup_links::find(&state.ports, &token(&request)).await {
        Ok(setup) => {
            let (authority, client_id) = former(setup.connector.as_ref());
            Ok(form_page(&state, &setup, &Typed { authority, client_id }, &Problems::default()))
        }
        Err(error) => not_done(&state, error, &Typed::default()),
    }
}

/// What the connector has already, for somebody who comes to change a part of it.
fn former(connector: Option<&Connector>) -> (&str, &str) {
    connector.map_or(("", ""), |found| (&found.authority, &found.client_id))
}

/// `POST /setup/{token}`: saves the connector and shows what it needs in return, once.
pub async fn complete(
    state: Data<State>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, PageError> {
    if let Err(error) = setup_links::find(&state.ports, &token(&request)).await {
        return not_done(&state, error, &Typed::default());
    }
    let body = body::read(payload, LONGEST_FORM).await;
    let body = body.map_err(|error| PageError::body(&state.frame, error))?;
    let fields = Fields::parse(&body).ok_or_else(|| {
        let detail = "A field of the form came twice.";
        PageError::new(&state.frame, StatusCode::BAD_REQUEST, detail)
    })?;
    let answers = Answers::pasted(&fields.authority, &fields.client_id, &fields.client_secret);
    let typed = Typed { authority: &answers.authority, client_id: &answers.client_id };
    let public_url = &state.ports.settings.public_url;
    match setup_links::complete(&state.ports, &token(&request), answers.clone()).await {
        Ok(completed) => Ok(DonePage {
            frame: &state.frame,
            organization: &completed.organization.display_name,
            slug: &completed.organization.slug,
            sign_in_url: &format!("{public_url}/login/{}", completed.organization.slug),
            scim_url: &connectors::scim_url(&state.ports, completed.connector.id),
            scim_user_name: &completed.connector.scim.user_name,
            scim_password: &completed.scim_password,
            former_password_valid: completed.former_password_valid,
        }
        .respond()),
        Err(error) => not_done(&state, error, &typed),
    }
}

/// The token in the address; what is not one opens nothing.
fn token(request: &HttpRequest) -> Secret {
    Secret::new(request.match_info().get("token").unwrap_or_default())
}

/// The fields of the form as sent; others are ignored.
#[derive(Default)]
struct Fields<'b> {
    authority: Cow<'b, str>,
    client_id: Cow<'b, str>,
    client_secret: Cow<'b, str>,
}

impl<'b> Fields<'b> {
    /// `None` if one came twice: which of both was meant is anybody's guess.
    fn parse(body: &'b [u8]) -> Option<Self> {
        let mut fields = Self::default();
        let mut seen = [false; 3];
        for (name, value) in form_urlencoded::parse(body) {
            let (number, field) = match name.as_ref() {
                "authority" => (0, &mut fields.authority),
                "client_id" => (1, &mut fields.client_id),
                "client_secret" => (2, &mut fields.client_secret),
                _ => continue,
            };
            if std::mem::replace(&mut seen[number], true) {
                return None;
            }
            *field = value;
        }
        Some(fields)
    }
}

fn not_done(
    state: &State,
    error: SetupError,
    typed: &Typed<'_>,
) -> Result<HttpResponse, PageError> {
    match error {
        SetupError::Gone => Ok(GonePage { frame: &state.frame }.respond()),
        SetupError::Edition(organization) => {
            let organization = organization.display_name.as_str();
            Ok(EditionPage { frame: &state.frame, organization }.respond())
        }
        SetupError::Problems { setup, problems } => Ok(form_page(state, &setup, typed, &problems)),
        SetupError::Unavailable(unavailable) => {
            Err(PageError::unavailable(&state.frame, &unavailable))
        }
    }
}

fn form_page(state: &State, setup: &Setup, typed: &Typed<'_>, problems: &Problems) -> HttpResponse {
    FormPage {
        frame: &state.frame,
        organization: &setup.organization.display_name,
        expires_at: setup.link.expires_at,
        copied: &copied_values(&state.ports, setup),
        is_change: setup.connector.is_some(),
        typed,
        problems,
    }
    .respond()
}

fn copied_values(ports: &Ports, setup: &Setup) -> CopiedValues {
    let id = setup.link.connector_id;
    let former = setup.connector.as_ref().map(|connector| connector.scim.user_name.clone());
    CopiedValues {
        redirect_uri: connectors::redirect_uri(ports, id),
        signed_out_uri: logout::return_uri(ports),
        frontchannel_logout_uri: logout::frontchannel_logout_uri(ports, id),
        scim_url: connectors::scim_url(ports, id),
        scim_user_name: former.unwrap_or_else(|| connectors::scim_user_name(&setup.organization)),
    }
}
