//! What a connector's own rules say of a person.

use std::borrow::Cow;

use serde_json::Value;

use crate::{
    domain::provisioning_policy::{FieldSources, ProvisioningPolicy, Requirements},
    scim::{attribute_path::AttributePath, dialect, error::ScimError, user::User},
};

/// Values of a role that mean no role of the application: what Entra ID calls *Default Access*.
const NO_ROLES: [&str; 3] =
    ["Default Access", "msiam_access", "00000000-0000-0000-0000-000000000000"];

/// The e-mail address of a person: where the connector says it stands, else the primary one.
pub(super) fn email<'u>(fields: &FieldSources, user: &'u User) -> Cow<'u, str> {
    let stated = fields.email.as_deref().and_then(|path| text_at(path, user));
    stated.map_or_else(|| user.primary_email().into(), Cow::Owned)
}

/// What to call a person.
pub(super) fn display_name(fields: &FieldSources, user: &User) -> String {
    let stated = fields.display_name.as_deref().and_then(|path| text_at(path, user));
    stated.unwrap_or_else(|| user.display_name())
}

/// Refuses a person who lacks what the connector wants of everybody.
///
/// `before` is the person until now: what was lacking then is no reason to refuse another change,
/// and a lost role is no reason to keep it.
pub(super) fn check(
    policy: &ProvisioningPolicy,
    before: Option<&User>,
    user: &User,
) -> Result<(), ScimError> {
    let found = lacks(policy, user);
    let known = before.and_then(|before| lacks(policy, before));
    match found {
        Some(lack) if known.as_ref() != Some(&lack) => match lack {
            Lack::Role if before.is_some() => Ok(()),
            lack => Err(ScimError::InvalidValue(lack.words(&policy.fields))),
        },
        _ => Ok(()),
    }
}

/// What a person lacks.
#[derive(PartialEq, Eq)]
enum Lack {
    Department,
    Team { department: String, teams: Vec<String> },
    Role,
}

impl Lack {
    fn words(self, fields: &FieldSources) -> String {
        match self {
            Self::Department => format!(
                "{} is required here. Fill the person's department in the directory, and map it.",
                fields.department
            ),
            Self::Team { department, teams } => format!(
                "{} is required here: the department {department} has teams. It must be one of: {}.",
                fields.team,
                teams.join(", ")
            ),
            Self::Role => "roles is required here: the person holds only Default Access. Assign \
                them a role of the application in the directory."
                .to_owned(),
        }
    }
}

fn lacks(policy: &ProvisioningPolicy, user: &User) -> Option<Lack> {
    let Requirements { department, teams, application_role } = &policy.requires;
    let stated = text_at(&policy.fields.department, user);
    if *department && stated.is_none() {
        return Some(Lack::Department);
    }
    if let Some((department, teams)) = stated.and_then(|stated| teams.get_key_value(&stated)) {
        let team = text_at(&policy.fields.team, user);
        if !team.is_some_and(|team| teams.contains(&team)) {
            return Some(Lack::Team { department: department.clone(), teams: teams.clone() });
        }
    }
    let holds_role = || user.roles().iter().any(|role| !NO_ROLES.contains(&role.as_str()));
    (*application_role && !holds_role()).then_some(Lack::Role)
}

/// The first text that a path names, if it is not empty.
fn text_at(path: &str, user: &User) -> Option<String> {
    let path = AttributePath::parse(path, &dialect::ENTRA).ok()?;
    let values = path.values(user.attributes());
    let text = values.into_iter().find_map(Value::as_str).filter(|text| !text.trim().is_empty());
    text.map(str::to_owned)
}
