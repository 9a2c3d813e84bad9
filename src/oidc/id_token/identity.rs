//! Who signed in.

use jiff::Timestamp;
use serde_json::Value;

use super::{ExpectedIdToken, IdTokenClaims, IdTokenError};
use crate::{domain::subject_link::Subject, oidc::guid};

/// Who signed in, as a verified ID Token says; has no other source than [`super::verify`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedIdentity {
    issuer: String,
    sub: String,
    entra: Option<EntraObject>,
    preferred_username: Option<String>,
    name: Option<String>,
    email: Option<String>,
    roles: Vec<String>,
    is_guest: bool,
    sid: Option<String>,
    login_hint: Option<String>,
    token_id: Option<String>,
    auth_time: Option<Timestamp>,
    issued_at: Timestamp,
    expires_at: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct EntraObject {
    tenant_id: String,
    object_id: String,
}

impl VerifiedIdentity {
    /// The identity in claims that were validated against `expected`.
    pub(super) fn of(
        claims: IdTokenClaims,
        roles: Vec<String>,
        expected: &ExpectedIdToken,
    ) -> Result<Self, IdTokenError> {
        let time =
            |seconds: i64| Timestamp::from_second(seconds).map_err(|_| IdTokenError::Malformed);
        let is_guest = expected.tenant_id.as_ref().is_some_and(|tenant| is_guest(&claims, tenant));
        Ok(Self {
            entra: entra_object(&claims, expected)?,
            is_guest,
            issuer: claims.iss.ok_or(IdTokenError::Issuer)?,
            sub: claims.sub.ok_or(IdTokenError::Subject)?,
            preferred_username: claims.preferred_username,
            name: claims.name,
            email: claims.email,
            roles,
            sid: claims.sid,
            login_hint: claims.login_hint,
            token_id: claims.uti.or(claims.jti),
            auth_time: claims.auth_time.map(time).transpose()?,
            issued_at: claims.iat.map(time).ok_or(IdTokenError::IssuedAt)??,
            expires_at: claims.exp.map(time).ok_or(IdTokenError::Expired)??,
        })
    }

    /// The person in the words that never change or are reused: what accounts are linked to.
    pub fn subject(&self) -> Subject {
        match &self.entra {
            Some(entra) => {
                Subject { authority: entra.tenant_id.clone(), identifier: entra.object_id.clone() }
            }
            None => Subject { authority: self.issuer.clone(), identifier: self.sub.clone() },
        }
    }

    /// `iss`.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// `sub`; Entra ID: another one for each application.
    pub fn sub(&self) -> &str {
        &self.sub
    }

    /// Entra ID: `tid`, a GUID in lower case.
    pub fn tenant_id(&self) -> Option<&str> {
        self.entra.as_ref().map(|entra| entra.tenant_id.as_str())
    }

    /// Entra ID: `oid`, a GUID in lower case.
    pub fn object_id(&self) -> Option<&str> {
        self.entra.as_ref().map(|entra| entra.object_id.as_str())
    }

    /// What the person types to sign in. It changes and can be given to somebody else.
    pub fn preferred_username(&self) -> Option<&str> {
        self.preferred_username.as_deref()
    }

    /// What the person is called; to show, escaped.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Where mail may reach the person; to show, escaped. Any tenant's admin can write any address
    /// here, so it links nothing.
    pub fn email(&self) -> Option<&str> {
        self.email.as_deref()
    }

    /// The role claim's values, in the token's order.
    pub fn roles(&self) -> &[String] {
        &self.roles
    }

    /// Entra ID: whether the account lives in another tenant; in doubt it does.
    pub const fn is_guest(&self) -> bool {
        self.is_guest
    }

    /// The session at the authority, by which a front-channel logout names it.
    pub fn sid(&self) -> Option<&str> {
        self.sid.as_deref()
    }

    /// What `login_hint` and `logout_hint` should be next time.
    pub fn login_hint(&self) -> Option<&str> {
        self.login_hint.as_deref()
    }

    /// This token's own name, `uti` or `jti`: seen twice, it is a replay.
    pub fn token_id(&self) -> Option<&str> {
        self.token_id.as_deref()
    }

    /// When the person proved who they are, if the provider says.
    pub const fn auth_time(&self) -> Option<Timestamp> {
        self.auth_time
    }

    /// When the token was issued.
    pub const fn issued_at(&self) -> Timestamp {
        self.issued_at
    }

    /// Until when the token is good.
    pub const fn expires_at(&self) -> Timestamp {
        self.expires_at
    }
}

fn entra_object(
    claims: &IdTokenClaims,
    expected: &ExpectedIdToken,
) -> Result<Option<EntraObject>, IdTokenError> {
    let Some(tenant) = &expected.tenant_id else { return Ok(None) };
    let object_id = claims.oid.as_deref().and_then(guid).ok_or(IdTokenError::ObjectId)?;
    Ok(Some(EntraObject { tenant_id: tenant.clone(), object_id }))
}

/// Whether any of Entra ID's three marks of a guest is there: `acct`, a foreign `idp`, or the
/// user name of an invited account.
fn is_guest(claims: &IdTokenClaims, tenant: &str) -> bool {
    let is_member = |acct: &Value| acct == &Value::from(0) || acct == &Value::from("0");
    // The tenant itself appears as its v2.0 issuer or as its v1 issuer.
    let v1_issuer = format!("https://sts.windows.net/{tenant}/");
    let is_home = |idp: &Value| {
        idp.as_str().is_some_and(|idp| Some(idp) == claims.iss.as_deref() || idp == v1_issuer)
    };
    let invited = |name: &String| name.to_ascii_uppercase().contains("#EXT#");
    !claims.acct.iter().all(is_member)
        || !claims.idp.iter().all(is_home)
        || claims.preferred_username.iter().any(invited)
}
