//! A signed-in person's word to the platform's programs.

use crate::{
    domain::{secret::Secret, session::Identity},
    oauth::access_token::AccessTokenClaims,
    ports::{Ports, sessions::LiveSession},
};

/// An access token, and for how many seconds it is good.
#[derive(Debug)]
pub struct IssuedToken {
    /// The signed token.
    pub token: Secret,
    /// Its lifetime in seconds.
    pub expires_in: i64,
}

/// Issues an access token that says what a session says.
///
/// Good for five minutes, and never beyond the session's last moment. A session that ends sooner, by
/// a sign-out or a loss of access, does not end it: a program that must know within a second asks
/// `/auth/check` instead.
pub fn issue(ports: &Ports, live: &LiveSession) -> IssuedToken {
    let (iat, exp, jti) = AccessTokenClaims::issued_at(ports.clock.now());
    let exp = exp.min(live.session.expires_at.as_second());
    let claims = AccessTokenClaims {
        iss: ports.settings.public_url.clone(),
        sub: live.session.account_id.to_string(),
        aud: ports.settings.public_url.clone(),
        iat,
        exp,
        jti,
        organization: Identity::text(&live.identity.organization),
        role: live.session.role,
        email: Identity::text(&live.identity.email),
        name: Identity::text(&live.identity.name),
    };
    IssuedToken { token: ports.signer.sign(&claims), expires_in: exp - iat }
}
