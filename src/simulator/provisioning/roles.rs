//! App roles, in the forms of the three expressions that an attribute mapping may use.

use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::directory::guid_of;

const ROLE_TYPE: &str = "WindowsAzureActiveDirectoryRole";
const PRIMARY_ROLE: &str = r#"roles[primary eq "True"].value"#;

/// How app roles are provisioned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RoleMapping {
    /// Not at all: Entra's own default.
    #[default]
    None,
    /// `SingleAppRoleAssignment` to `roles[primary eq "True"].value`.
    Single,
    /// `SingleAppRoleAssignment` to `roles`, whose PATCH adds a JSON text.
    SingleText,
    /// `AppRoleAssignmentsComplex`, whose PATCH only ever adds, JSON texts too.
    Complex,
    /// `AssertiveAppRoleAssignmentsComplex`, which replaces all.
    Assertive,
}

/// A role as a text inside `value`, in this order.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RoleText<'a> {
    id: Uuid,
    value: &'a str,
    display_name: &'a str,
}

impl RoleMapping {
    /// What the POST has as `roles`.
    pub(super) fn creation(self, roles: &[String]) -> Vec<Value> {
        let single = |role: &String| json!({ "primary": true, "type": ROLE_TYPE, "value": role });
        let roles = roles.iter();
        match self {
            Self::None => Vec::new(),
            Self::Single | Self::SingleText => roles.take(1).map(single).collect(),
            Self::Complex => roles.map(|role| named("displayName", role)).collect(),
            Self::Assertive => roles.map(|role| named("display", role)).collect(),
        }
    }

    /// The operation that changes `roles`; the same in both dialects. Nothing takes the last role
    /// away but [`Self::Assertive`].
    pub(super) fn change(self, roles: &[String]) -> Option<Value> {
        match self {
            Self::None => None,
            Self::Single => {
                let role = roles.first()?;
                Some(json!({ "op": "Replace", "path": PRIMARY_ROLE, "value": role }))
            }
            Self::SingleText => addition(roles.get(..1)?),
            Self::Complex => addition(roles),
            Self::Assertive => {
                let roles = self.creation(roles);
                Some(json!({ "op": "replace", "path": "roles", "value": roles }))
            }
        }
    }
}

fn named(display: &str, role: &String) -> Value {
    let mut value = json!({ "primary": false, "type": ROLE_TYPE, "value": role });
    value[display] = json!(role);
    value
}

fn addition(roles: &[String]) -> Option<Value> {
    let text = |role: &String| {
        let text = RoleText { id: guid_of(role), value: role, display_name: role };
        serde_json::to_string(&text).expect("texts and a GUID are JSON")
    };
    let values: Vec<Value> = roles.iter().map(|role| json!({ "value": text(role) })).collect();
    (!values.is_empty()).then(|| json!({ "op": "Add", "path": "roles", "value": values }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roles(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    /// The text of a role, spelled out.
    fn text(name: &str) -> Value {
        let id = guid_of(name);
        json!({ "value": format!(r#"{{"id":"{id}","value":"{name}","displayName":"{name}"}}"#) })
    }

    fn element(display: &str, name: &str) -> Value {
        json!({ "primary": false, "type": "WindowsAzureActiveDirectoryRole", display: name, "value": name })
    }

    #[test]
    fn roles_are_created_and_changed_in_the_form_of_their_expression() {
        let primary = json!([{ "primary": true, "type": "WindowsAzureActiveDirectoryRole", "value": "Admin" }]);
        let filtered = json!({ "op": "Replace", "path": "roles[primary eq \"True\"].value", "value": "Admin" });
        let add = |values: &[Value]| json!({ "op": "Add", "path": "roles", "value": values });
        let both = |display: &str| json!([element(display, "Admin"), element(display, "User")]);
        let cases = [
            (RoleMapping::None, json!([]), None),
            (RoleMapping::Single, primary.clone(), Some(filtered)),
            (RoleMapping::SingleText, primary, Some(add(&[text("Admin")]))),
            (RoleMapping::Complex, both("displayName"), Some(add(&[text("Admin"), text("User")]))),
            (
                RoleMapping::Assertive,
                both("display"),
                Some(json!({ "op": "replace", "path": "roles", "value": both("display") })),
            ),
        ];

        for (mapping, creation, change) in cases {
            let roles = roles(&["Admin", "User"]);

            assert_eq!(json!(mapping.creation(&roles)), creation, "{mapping:?}");
            assert_eq!(mapping.change(&roles), change, "{mapping:?}");
        }
    }

    #[test]
    fn only_the_assertive_form_takes_the_last_role_away() {
        for mapping in [RoleMapping::Single, RoleMapping::SingleText, RoleMapping::Complex] {
            assert_eq!(mapping.change(&[]), None, "{mapping:?}");
        }
        let emptied = json!({ "op": "replace", "path": "roles", "value": [] });
        assert_eq!(RoleMapping::Assertive.change(&[]), Some(emptied));
    }
}
