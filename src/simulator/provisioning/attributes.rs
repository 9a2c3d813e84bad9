//! The attribute mapping: a person of the directory as flat SCIM attributes, and their bodies.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::super::{
    directory::{Person, UserType, guid_of},
    tenant::DirectoryEntry,
};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const ENTERPRISE_USER: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const DEPARTMENT: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department";
const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
const WORK_EMAIL: &str = r#"emails[type eq "work"].value"#;
const PRIMARY_ROLE: &str = r#"roles[primary eq "True"].value"#;
const ROLE_TYPE: &str = "WindowsAzureActiveDirectoryRole";

/// From which attribute of the directory `externalId` comes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ExternalId {
    /// `objectId`: what lets a sign-in's `oid` find the user.
    #[default]
    ObjectId,
    /// `mailNickname`: Entra's own default.
    MailNickname,
}

/// How app roles are provisioned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RoleMapping {
    /// Not at all: Entra's own default.
    #[default]
    None,
    /// `SingleAppRoleAssignment`.
    Single,
    /// `AppRoleAssignmentsComplex`, whose PATCH only ever adds.
    Complex,
    /// `AssertiveAppRoleAssignmentsComplex`, which replaces all.
    Assertive,
}

/// The part of the attribute mapping that an administrator chooses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mapping {
    /// The source of `externalId`.
    pub external_id: ExternalId,
    /// How roles travel.
    pub roles: RoleMapping,
}

/// A person as the target should have one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    /// The UPN, for the log.
    pub(super) name: String,
    /// Whether the person is assigned and may sign in.
    pub(super) active: bool,
    /// By path; what the directory leaves empty is absent, since Entra does not send it.
    pub(super) attributes: BTreeMap<&'static str, String>,
    pub(super) roles: Vec<String>,
    role_mapping: RoleMapping,
}

impl Mapping {
    pub(super) fn wanted(self, entry: &DirectoryEntry) -> Wanted {
        let person = &entry.person;
        let external_id = match self.external_id {
            ExternalId::ObjectId => person.oid.to_string(),
            ExternalId::MailNickname => person.mail_nickname.clone(),
        };
        let formatted = format!("{} {}", person.given_name, person.surname);
        let attributes = [
            ("userName", Some(user_name(person))),
            ("externalId", Some(external_id)),
            ("displayName", Some(person.display_name.clone())),
            ("title", person.job_title.clone()),
            (WORK_EMAIL, person.mail.clone()),
            ("name.givenName", Some(person.given_name.clone())),
            ("name.familyName", Some(person.surname.clone())),
            ("name.formatted", Some(formatted)),
            (DEPARTMENT, person.department.clone()),
        ];
        let present = attributes.into_iter().filter_map(|(path, value)| Some((path, value?)));
        Wanted {
            name: person.user_principal_name.clone(),
            active: entry.roles.is_some() && person.may_sign_in(),
            attributes: present.collect(),
            roles: match self.roles {
                RoleMapping::None => Vec::new(),
                _ => entry.roles.clone().unwrap_or_default(),
            },
            role_mapping: self.roles,
        }
    }
}

/// The UPN; Entra strips a guest's `#EXT#` on the way out.
fn user_name(person: &Person) -> String {
    match person.user_type {
        UserType::Member => person.user_principal_name.clone(),
        UserType::Guest => person.user_principal_name.replace("#EXT#", ""),
    }
}

impl Wanted {
    /// The body of the POST.
    pub(super) fn creation(&self) -> Value {
        let text = |path: &str| self.attributes.get(path);
        let mut body = json!({
            "schemas": [USER, ENTERPRISE_USER],
            "externalId": text("externalId"),
            "userName": text("userName"),
            "active": self.active,
            "displayName": text("displayName"),
            "meta": { "resourceType": "User" },
            "name": {
                "formatted": text("name.formatted"),
                "familyName": text("name.familyName"),
                "givenName": text("name.givenName"),
            },
            "roles": self.role_values(),
        });
        if let Some(mail) = text(WORK_EMAIL) {
            body["emails"] = json!([{ "primary": true, "type": "work", "value": mail }]);
        }
        if let Some(title) = text("title") {
            body["title"] = json!(title);
        }
        if let Some(department) = text(DEPARTMENT) {
            body[ENTERPRISE_USER] = json!({ "department": department });
        }
        body
    }

    fn role_values(&self) -> Vec<Value> {
        let single = |role: &String| json!({ "primary": true, "type": ROLE_TYPE, "value": role });
        let named = |display: &str, role: &String| {
            let display = (display.to_owned(), json!(role));
            let others =
                [("primary", json!(false)), ("type", json!(ROLE_TYPE)), ("value", json!(role))];
            let others = others.into_iter().map(|(name, value)| (name.to_owned(), value));
            Value::Object(others.chain([display]).collect())
        };
        let roles = self.roles.iter();
        match self.role_mapping {
            RoleMapping::None => Vec::new(),
            RoleMapping::Single => roles.take(1).map(single).collect(),
            RoleMapping::Complex => roles.map(|role| named("displayName", role)).collect(),
            RoleMapping::Assertive => roles.map(|role| named("display", role)).collect(),
        }
    }

    /// The operations that lead from what the target has to what is wanted.
    pub(super) fn changes(&self, known: &Known, feature_flag: bool) -> Vec<Value> {
        let (added, replaced): (Vec<_>, Vec<_>) = self
            .attributes
            .iter()
            .filter(|(path, value)| known.attributes.get(**path) != Some(value))
            .partition(|(path, _)| !known.attributes.contains_key(**path));
        let mut operations = operations_by_path("Add", &added, feature_flag);
        operations.extend(operations_by_path("Replace", &replaced, feature_flag));
        if self.roles != known.roles {
            operations.extend(self.role_change());
        }
        operations
    }

    fn role_change(&self) -> Option<Value> {
        match self.role_mapping {
            RoleMapping::None => None,
            RoleMapping::Single => self
                .roles
                .first()
                .map(|role| json!({ "op": "Replace", "path": PRIMARY_ROLE, "value": role })),
            RoleMapping::Complex => {
                let text = |role: &String| {
                    let id = guid_of(role);
                    json!({ "id": id, "value": role, "displayName": role }).to_string()
                };
                let values: Vec<Value> =
                    self.roles.iter().map(|role| json!({ "value": text(role) })).collect();
                Some(json!({ "op": "Add", "path": "roles", "value": values }))
            }
            RoleMapping::Assertive => {
                Some(json!({ "op": "replace", "path": "roles", "value": self.role_values() }))
            }
        }
    }
}

/// One operation per path; with the feature flag, filtered paths alone and the rest in one without.
fn operations_by_path(
    op: &str,
    changed: &[(&&'static str, &String)],
    feature_flag: bool,
) -> Vec<Value> {
    let (filtered, plain): (Vec<_>, Vec<_>) =
        changed.iter().partition(|(path, _)| !feature_flag || path.contains('['));
    let op = if feature_flag { op.to_ascii_lowercase() } else { op.to_owned() };
    let with_path =
        |(path, value): &(&&str, &String)| json!({ "op": op, "path": path, "value": value });
    let mut operations: Vec<Value> = filtered.into_iter().map(with_path).collect();
    if !plain.is_empty() {
        let values: Map<String, Value> =
            plain.iter().map(|(path, value)| ((**path).to_owned(), json!(value))).collect();
        operations.push(json!({ "op": op, "value": values }));
    }
    operations
}

/// The operation on `active`: a boolean with the feature flag, a capitalized text without.
pub(super) fn activation(active: bool, feature_flag: bool) -> Value {
    if feature_flag {
        return json!({ "op": "replace", "path": "active", "value": active });
    }
    let text = if active { "True" } else { "False" };
    json!({ "op": "Replace", "path": "active", "value": text })
}

/// The body of a PATCH.
pub(super) fn patch(operations: &[Value]) -> Value {
    json!({ "Operations": operations, "schemas": [PATCH_OP] })
}

/// What the target is known to have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) active: bool,
    pub(super) attributes: BTreeMap<&'static str, String>,
    pub(super) roles: Vec<String>,
}

impl Known {
    /// Of a user as the target returned it.
    pub(super) fn of(user: &Value) -> Self {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let emails = user["emails"].as_array().into_iter().flatten();
        let work_email =
            emails.filter(|email| email["type"] == "work").find_map(|e| text(&e["value"]));
        let attributes = [
            ("userName", text(&user["userName"])),
            ("externalId", text(&user["externalId"])),
            ("displayName", text(&user["displayName"])),
            ("title", text(&user["title"])),
            (WORK_EMAIL, work_email),
            ("name.givenName", text(&user["name"]["givenName"])),
            ("name.familyName", text(&user["name"]["familyName"])),
            ("name.formatted", text(&user["name"]["formatted"])),
            (DEPARTMENT, text(&user[ENTERPRISE_USER]["department"])),
        ];
        let roles = user["roles"].as_array().into_iter().flatten();
        Self {
            active: user["active"] != false,
            attributes: attributes.into_iter().filter_map(|(p, v)| Some((p, v?))).collect(),
            roles: roles.filter_map(|role| text(&role["value"])).collect(),
        }
    }

    /// After everything wanted was accepted; what Entra no longer has, it leaves at the target.
    pub(super) fn after(mut self, wanted: &Wanted) -> Self {
        self.attributes.extend(wanted.attributes.clone());
        self.roles.clone_from(&wanted.roles);
        self
    }
}
