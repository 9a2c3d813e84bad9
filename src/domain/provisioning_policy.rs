//! What a connector's directory may do, and what it must send.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What a connector's directory may do, and what it must send.
///
/// Nothing here needs a setting for Entra ID and every other client that is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProvisioningPolicy {
    /// The name of the dialect that the directory speaks; see `scim::dialect`.
    pub profile: String,
    /// Whether attributes of unknown extensions are refused instead of kept.
    pub declared_attributes_only: bool,
    /// What a person must have besides a name, a user name and an e-mail address.
    pub requires: Requirements,
    /// Which SCIM attribute fills which field.
    pub fields: FieldSources,
}

impl Default for ProvisioningPolicy {
    fn default() -> Self {
        Self {
            profile: "entra".to_owned(),
            declared_attributes_only: false,
            requires: Requirements::default(),
            fields: FieldSources::default(),
        }
    }
}

/// What a person must have to be provisioned.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Requirements {
    /// A department.
    pub department: bool,
    /// The teams of each department that has any: who belongs to such a department has one of its
    /// teams.
    pub teams: BTreeMap<String, Vec<String>>,
    /// A role of the application; *Default Access* alone is none.
    pub application_role: bool,
}

/// Which SCIM attribute fills which field: paths such as `emails[type eq "work"].value`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FieldSources {
    /// The e-mail address; `None` is the primary one, else the first.
    pub email: Option<String>,
    /// What pages call the person; `None` is `displayName`, else the name.
    pub display_name: Option<String>,
    /// The department.
    pub department: String,
    /// The team.
    pub team: String,
}

impl Default for FieldSources {
    fn default() -> Self {
        const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
        Self {
            email: None,
            display_name: None,
            department: format!("{ENTERPRISE}:department"),
            team: format!("{ENTERPRISE}:division"),
        }
    }
}
