//! Who calls the management API.

use std::{future::Future, pin::Pin, rc::Rc};

use actix_web::{FromRequest, HttpRequest, dev::Payload, http::header::AUTHORIZATION, web::Data};

use crate::{
    domain::{
        access_role::AccessRole,
        audit_event::Actor,
        connector::Connector,
        id::{AccountId, ConnectorId, OrganizationId},
        organization::Organization,
        secret::Secret,
    },
    http::{State, error::ApiError},
    oauth::access_token::AccessTokenClaims,
    service::connectors,
};

const NO_CONNECTOR: ApiError = ApiError::NotFound("There is no connector with that id.");

/// Who calls the management API, proved by a bearer token.
///
/// # Errors
/// As an extractor: 401 as JSON without a valid token, 403 for a person who is no admin.
#[derive(Clone)]
pub enum ApiCaller {
    /// Whoever holds the operator token: may do everything.
    Operator,
    /// An admin, in their own organization.
    Admin(Rc<Admin>),
}

/// An admin of an organization.
pub struct Admin {
    /// Who.
    pub account_id: AccountId,
    /// Their organization.
    pub organization: OrganizationId,
}

impl ApiCaller {
    /// On whose word the audit log has it.
    pub fn actor(&self) -> Actor {
        match self {
            Self::Operator => Actor::Operator,
            Self::Admin(admin) => Actor::Account(admin.account_id),
        }
    }

    /// A connector of an organization that the caller may look after.
    ///
    /// # Errors
    /// 404 for another organization's as for none.
    pub async fn connector(
        &self,
        state: &State,
        id: &str,
    ) -> Result<(Organization, Connector), ApiError> {
        let id: ConnectorId = id.parse().map_err(|_| NO_CONNECTOR)?;
        let found = connectors::find(&state.ports, id).await?;
        found.filter(|(organization, _)| self.looks_after(organization)).ok_or(NO_CONNECTOR)
    }

    fn looks_after(&self, organization: &Organization) -> bool {
        match self {
            Self::Operator => true,
            Self::Admin(admin) => admin.organization == organization.id,
        }
    }
}

impl FromRequest for ApiCaller {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Self::Error>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let state = request.app_data::<Data<State>>().expect("every app carries its state");
            authenticate(state, &request).await
        })
    }
}

async fn authenticate(state: &State, request: &HttpRequest) -> Result<ApiCaller, ApiError> {
    let token = bearer(request).ok_or(ApiError::NoToken)?;
    if state.operator_token.as_ref().is_some_and(|operator| *operator == token.digest()) {
        return Ok(ApiCaller::Operator);
    }
    let (ports, now) = (&state.ports, state.ports.clock.now());
    let claims = AccessTokenClaims::verify(&token, &ports.signer, &ports.settings.public_url, now);
    let claims = claims.ok_or(ApiError::NoToken)?;
    if claims.role < AccessRole::Admin {
        return Err(ApiError::NotAnAdmin);
    }
    let account_id: AccountId = claims.sub.parse().map_err(|_| ApiError::NoToken)?;
    let slug = claims.organization.parse().map_err(|_| ApiError::NoToken)?;
    let organization = ports.store.find_organization_by_slug(&slug).await?;
    let organization = organization.ok_or(ApiError::NoToken)?;
    // The token is good for minutes; whoever was deactivated meanwhile does nothing with it.
    let account = ports.store.find_account(organization.id, account_id).await?;
    account.filter(|account| account.active).ok_or(ApiError::NoToken)?;
    Ok(ApiCaller::Admin(Rc::new(Admin { account_id, organization: organization.id })))
}

/// The token of a request with exactly one `Authorization` header.
fn bearer(request: &HttpRequest) -> Option<Secret> {
    let mut headers = request.headers().get_all(AUTHORIZATION);
    let (Some(only), None) = (headers.next(), headers.next()) else { return None };
    let (scheme, token) = only.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| Secret::new(token.trim()))
}
