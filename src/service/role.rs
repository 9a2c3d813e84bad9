//! Which role a person gets, and why.

use crate::domain::{
    access_role::{AccessRole, effective_role},
    account::Account,
    connector::{Connector, RoleSource},
    decision::RoleGrounds,
    session::Session,
    subject_link::LinkBasis,
};

/// A role with its reasons.
#[derive(Debug)]
pub struct GrantedRole {
    /// What the ID token's role claim gave.
    pub token_role: Option<AccessRole>,
    /// What the person may do; nothing means the mobile app only.
    pub role: Option<AccessRole>,
    /// Why.
    pub grounds: RoleGrounds,
}

/// The role of somebody who signs in with these values in the ID token's role claim.
pub fn at_sign_in(
    connector: &Connector,
    account: &Account,
    token_values: &[String],
    basis: LinkBasis,
) -> GrantedRole {
    let from_token = connector.role_table.read(token_values.iter().map(String::as_str));
    let from_scim = connector.role_table.read(account.scim_roles.iter().map(String::as_str));
    let role = effective_role(connector.role_source, from_token.highest, from_scim.highest)
        .map(|role| role.min(ceiling(basis)));
    let unknown_values = match connector.role_source {
        RoleSource::Token => from_token.unknown,
        RoleSource::Scim => from_scim.unknown,
        RoleSource::Highest => [from_token.unknown, from_scim.unknown].concat(),
    };
    let grounds = RoleGrounds {
        source: connector.role_source,
        claim: connector.role_claim.clone(),
        token_values: token_values.to_vec(),
        scim_values: account.scim_roles.clone(),
        unknown_values,
        role,
    };
    GrantedRole { token_role: from_token.highest, role, grounds }
}

/// The highest role that the directory gives an account through this connector.
pub fn from_directory(connector: &Connector, account: &Account) -> Option<AccessRole> {
    connector.role_table.read(account.scim_roles.iter().map(String::as_str)).highest
}

/// The role of a live session after the directory's value went from `before` to `after`.
///
/// Where the token decides, a rise changes nothing and a fall caps the session until the next
/// sign-in.
pub fn after_change(
    connector: &Connector,
    session: &Session,
    basis: LinkBasis,
    before: Option<AccessRole>,
    after: Option<AccessRole>,
) -> Option<AccessRole> {
    match connector.role_source {
        RoleSource::Token if after < before => after.map(|cap| cap.min(session.role)),
        RoleSource::Token => Some(session.role),
        source => effective_role(source, session.token_role, after),
    }
    .map(|role| role.min(ceiling(basis)))
}

/// The most that a link may give.
///
/// A user name can pass to somebody else, so one that rests on it alone gives no more than
/// [`AccessRole::User`] until an admin has approved it.
const fn ceiling(basis: LinkBasis) -> AccessRole {
    match basis {
        LinkBasis::UserName => AccessRole::User,
        LinkBasis::ExternalId | LinkBasis::Approval => AccessRole::EnterpriseAdmin,
    }
}
