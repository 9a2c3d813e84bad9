//! What a person may do, and where that comes from.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::domain::connector::RoleSource;

/// What an account may do on the web; an account without one has only the mobile app.
///
/// Ordered: each role may do what the lesser ones may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum AccessRole {
    /// Looks.
    ReadOnly,
    /// Uses the portal.
    User,
    /// Looks after people, groups and rules.
    Admin,
    /// Also Organization Setup.
    EnterpriseAdmin,
}

/// A text is not the name of an [`AccessRole`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a role is one of ReadOnly, User, Admin, EnterpriseAdmin")]
pub struct UnknownRole;

impl AccessRole {
    /// All roles, the least first.
    pub const ALL: [Self; 4] = [Self::ReadOnly, Self::User, Self::Admin, Self::EnterpriseAdmin];

    /// The name in tokens, headers and pages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ReadOnly => "ReadOnly",
            Self::User => "User",
            Self::Admin => "Admin",
            Self::EnterpriseAdmin => "EnterpriseAdmin",
        }
    }

    /// What a person with this role may do, as the portal page says it.
    pub const fn permits(self) -> &'static str {
        match self {
            Self::ReadOnly => "Look at everything in the portal, without changing it",
            Self::User => "Use the portal",
            Self::Admin => "Use the portal, and look after people, groups and rules",
            Self::EnterpriseAdmin => {
                "Use the portal, look after people, groups and rules, and open Organization Setup"
            }
        }
    }
}

impl fmt::Display for AccessRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for AccessRole {
    type Err = UnknownRole;

    /// Case counts: an identity provider's value is compared exactly.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|role| role.as_str() == text).ok_or(UnknownRole)
    }
}

/// Which value of an identity provider means which role.
///
/// The four names mean themselves unless the table says otherwise; comparison is exact.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RoleTable(pub Vec<(String, AccessRole)>);

/// At most this many values of a claim are read; Entra ID has no more app roles for one person.
pub const MAX_ROLE_VALUES: usize = 50;

/// A longer value of a claim is unknown without being looked at; Entra ID allows 120 characters.
pub const MAX_ROLE_LENGTH: usize = 120;

impl RoleTable {
    /// The role that one value means, if any.
    pub fn role_of(&self, value: &str) -> Option<AccessRole> {
        let listed = self.0.iter().find(|(name, _)| name == value).map(|(_, role)| *role);
        listed.or_else(|| value.parse().ok())
    }

    /// The highest known role among the values, and the values that mean nothing here.
    pub fn read<'v>(&self, values: impl IntoIterator<Item = &'v str>) -> RolesRead {
        let mut read = RolesRead::default();
        for value in values.into_iter().take(MAX_ROLE_VALUES) {
            match self.role_of(value).filter(|_| value.len() <= MAX_ROLE_LENGTH) {
                Some(role) => read.highest = read.highest.max(Some(role)),
                None => {
                    read.unknown.push(value.chars().take(MAX_ROLE_LENGTH).collect());
                }
            }
        }
        read
    }
}

/// What a [`RoleTable`] found in one claim or attribute.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RolesRead {
    /// The highest known role.
    pub highest: Option<AccessRole>,
    /// Values that mean nothing here, cut to 120 characters; logged, never access.
    pub unknown: Vec<String>,
}

/// The role of a session, from what the token and the directory say.
pub fn effective_role(
    source: RoleSource,
    token: Option<AccessRole>,
    scim: Option<AccessRole>,
) -> Option<AccessRole> {
    match source {
        RoleSource::Token => token,
        RoleSource::Scim => scim,
        RoleSource::Highest => token.max(scim),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_known_value_wins_and_unknown_ones_give_nothing() {
        let table = RoleTable(vec![("Manager".into(), AccessRole::Admin)]);

        let read = table.read(["User", "Manager", "Owner", "admin"]);

        assert_eq!(read.highest, Some(AccessRole::Admin));
        assert_eq!(read.unknown, ["Owner", "admin"]);
    }

    #[test]
    fn the_table_can_take_a_name_away_from_its_usual_meaning() {
        let table = RoleTable(vec![("Admin".into(), AccessRole::ReadOnly)]);

        assert_eq!(table.role_of("Admin"), Some(AccessRole::ReadOnly));
    }

    #[test]
    fn a_claim_of_a_thousand_values_is_read_only_in_part() {
        let values = vec!["Owner"; 1000];

        assert_eq!(RoleTable::default().read(values).unknown.len(), MAX_ROLE_VALUES);
    }

    #[test]
    fn a_role_may_do_what_the_lesser_ones_may() {
        assert!(AccessRole::ALL.is_sorted());
    }
}
