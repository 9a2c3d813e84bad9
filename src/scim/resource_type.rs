//! The kinds of resources that a directory writes (RFC 7643 §6).

use crate::scim::schema::{self, Attribute};

/// The kinds of resources that a directory writes.
///
/// Where a search may find either (RFC 7644 §3.4.2.1), it is an `Option`, and `None` is both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResourceType {
    /// A person.
    User,
    /// Several people, or groups of them.
    Group,
}

impl ResourceType {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::User, Self::Group];

    /// The name, as in `meta.resourceType`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::User => "User",
            Self::Group => "Group",
        }
    }

    /// Where such resources lie under the base URL.
    pub const fn endpoint(self) -> &'static str {
        match self {
            Self::User => "/Users",
            Self::Group => "/Groups",
        }
    }

    /// The attribute of that name in such a resource: in the core (`schema` is `None`) or under an
    /// extension's URN.
    pub fn find(self, schema: Option<&str>, name: &str) -> Option<&'static Attribute> {
        let own = match self {
            Self::User => true,
            Self::Group => {
                let names = ["id", "externalId", "meta", "schemas", "displayName", "members"];
                schema.is_none() && names.iter().any(|known| name.eq_ignore_ascii_case(known))
            }
        };
        schema::find(schema, name).filter(|_| own)
    }
}
