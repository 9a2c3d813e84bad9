//! The kinds of resources that a directory writes (RFC 7643 §6).

use serde::{Deserialize, Serialize};

/// The kinds of resources that a directory writes.
///
/// Where a search may find either (RFC 7644 §3.4.2.1), it is an `Option`, and `None` is both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ResourceKind {
    /// `/Users`
    User,
    /// `/Groups`
    Group,
}

impl ResourceKind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::User, Self::Group];

    /// The name, as in `meta.resourceType`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "User",
            Self::Group => "Group",
        }
    }

    /// Where such resources lie below the base URL, without slashes: `Users`.
    pub const fn endpoint(self) -> &'static str {
        match self {
            Self::User => "Users",
            Self::Group => "Groups",
        }
    }

    /// The kind that lies at the endpoint; its case does not count.
    pub fn at(endpoint: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.endpoint().eq_ignore_ascii_case(endpoint))
    }

    /// Whether a core attribute of that name can be one of this kind's, as far as the RFC knows
    /// it: a user has no `members`, a group nothing but its name and its members.
    pub(in crate::scim) fn may_have(self, attribute: &str) -> bool {
        let is = |name: &&str| attribute.eq_ignore_ascii_case(name);
        match self {
            Self::User => !is(&"members"),
            Self::Group => {
                ["id", "externalId", "meta", "schemas", "displayName", "members"].iter().any(is)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_found_by_its_endpoint() {
        let endpoints = [
            ("Users", Some(ResourceKind::User)),
            ("groups", Some(ResourceKind::Group)),
            ("User", None),
            ("", None),
        ];
        for (endpoint, kind) in endpoints {
            assert_eq!(ResourceKind::at(endpoint), kind, "{endpoint}");
        }
    }
}
