//! The attribute mapping: a person of the directory as SCIM attributes.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    super::{
        directory::{Person, UserType},
        tenant::DirectoryEntry,
    },
    dialect::{Change, Dialect, Verb},
    path::Path,
    roles::RoleMapping,
};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const ENTERPRISE_USER: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
pub(super) const WORK_EMAIL: &str = r#"emails[type eq "work"].value"#;

/// Entra's own mapping for an application outside of its gallery, and two rows that are often added.
/// `userName`, `externalId`, `active` and `manager` have rules of their own.
const ROWS: [(&str, &str); 20] = [
    ("displayName", "displayName"),
    ("jobTitle", "title"),
    ("mail", WORK_EMAIL),
    ("preferredLanguage", "preferredLanguage"),
    ("givenName", "name.givenName"),
    ("surname", "name.familyName"),
    ("Join(\" \", [givenName], [surname])", "name.formatted"),
    ("physicalDeliveryOfficeName", r#"addresses[type eq "work"].formatted"#),
    ("streetAddress", r#"addresses[type eq "work"].streetAddress"#),
    ("city", r#"addresses[type eq "work"].locality"#),
    ("state", r#"addresses[type eq "work"].region"#),
    ("postalCode", r#"addresses[type eq "work"].postalCode"#),
    ("country", r#"addresses[type eq "work"].country"#),
    ("telephoneNumber", r#"phoneNumbers[type eq "work"].value"#),
    ("mobile", r#"phoneNumbers[type eq "mobile"].value"#),
    ("facsimileTelephoneNumber", r#"phoneNumbers[type eq "fax"].value"#),
    ("employeeId", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber"),
    ("department", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department"),
    ("companyName", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:organization"),
    ("costCenter", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:costCenter"),
];

/// From which attribute of the directory `externalId` comes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ExternalId {
    /// `objectId`: what lets a sign-in's `oid` find the user.
    #[default]
    ObjectId,
    /// `mailNickname`: Entra's own default.
    MailNickname,
}

/// The part of the attribute mapping that every administrator decides on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mapping {
    /// The source of `externalId`.
    pub external_id: ExternalId,
    /// How roles travel.
    pub roles: RoleMapping,
}

/// A row that the administrator added to the attribute mapping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomAttribute {
    /// The directory's name: `extensionAttribute1`.
    pub source: String,
    /// The path at the target: `urn:ietf:params:scim:schemas:extension:Acme:2.0:User:badge`.
    pub target: String,
}

/// Who of the directory is provisioned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// Who is assigned to the application.
    #[default]
    Assigned,
    /// Everybody.
    All,
}

/// The whole mapping of a job.
#[derive(Clone, Debug, Default)]
pub(super) struct AttributeMapping {
    pub(super) mapping: Mapping,
    pub(super) custom: Vec<CustomAttribute>,
    pub(super) scope: Scope,
}

/// A person as the target should have one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    /// The UPN, for the log.
    pub(super) name: String,
    pub(super) in_scope: bool,
    /// Whether the person is in scope and may sign in.
    pub(super) active: bool,
    /// By path; what the directory leaves empty is absent, since Entra does not send it.
    pub(super) attributes: BTreeMap<String, Value>,
    pub(super) roles: Vec<String>,
    role_mapping: RoleMapping,
}

impl AttributeMapping {
    pub(super) fn wanted(&self, entry: &DirectoryEntry) -> Wanted {
        let person = &entry.person;
        let in_scope = self.scope == Scope::All || entry.roles.is_some();
        let own = self.custom.iter().map(|row| (&*row.source, &*row.target));
        let rows = ROWS.into_iter().chain(own);
        let mut attributes: BTreeMap<String, Value> = rows
            .filter_map(|(source, target)| Some((target.to_owned(), value_of(person, source)?)))
            .collect();
        attributes.insert("userName".into(), json!(user_name(person)));
        attributes.insert("externalId".into(), json!(self.external_id(person)));
        Wanted {
            name: person.user_principal_name.clone(),
            in_scope,
            active: in_scope && person.may_sign_in(),
            attributes,
            roles: match self.mapping.roles {
                RoleMapping::None => Vec::new(),
                RoleMapping::Single | RoleMapping::SingleText => {
                    entry.roles.iter().flatten().take(1).cloned().collect()
                }
                RoleMapping::Complex | RoleMapping::Assertive => {
                    entry.roles.clone().unwrap_or_default()
                }
            },
            role_mapping: self.mapping.roles,
        }
    }

    fn external_id(&self, person: &Person) -> String {
        match self.mapping.external_id {
            ExternalId::ObjectId => person.oid.to_string(),
            ExternalId::MailNickname => person.mail_nickname.clone(),
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

/// An attribute by the directory's own name.
fn value_of(person: &Person, source: &str) -> Option<Value> {
    match source {
        "displayName" => Some(json!(person.display_name)),
        "givenName" => Some(json!(person.given_name)),
        "surname" => Some(json!(person.surname)),
        "jobTitle" => person.job_title.as_ref().map(|title| json!(title)),
        "mail" => person.mail.as_ref().map(|mail| json!(mail)),
        "department" => person.department.as_ref().map(|department| json!(department)),
        "objectId" => Some(json!(person.oid)),
        "mailNickname" => Some(json!(person.mail_nickname)),
        "userPrincipalName" => Some(json!(person.user_principal_name)),
        _ if source.starts_with("Join(") => {
            Some(json!(format!("{} {}", person.given_name, person.surname)))
        }
        other => person.attributes.get(other).filter(|value| !value.is_null()).cloned(),
    }
}

impl Wanted {
    /// The body of the POST; extensions of the administrator's own are not in `schemas`.
    pub(super) fn creation(&self) -> Value {
        let mut body = json!({
            "schemas": [USER, ENTERPRISE_USER],
            "active": self.active,
            "meta": { "resourceType": "User" },
            "roles": self.role_mapping.creation(&self.roles),
        });
        for (path, value) in &self.attributes {
            Path::parse(path).put(&mut body, value.clone());
        }
        body
    }

    /// The operations that lead from what the target has to what is wanted.
    pub(super) fn changes(&self, known: &Known, dialect: Dialect) -> Vec<Value> {
        let changed = self.attributes.iter().filter(|(path, value)| known.differs(path, value));
        let changed = changed.map(|(path, value)| (path.clone(), value.clone()));
        let (added, replaced): (Vec<Change>, Vec<Change>) =
            changed.partition(|(path, _)| !known.attributes.contains_key(path));
        let mut operations = dialect.set(Verb::Add, &added);
        operations.extend(dialect.set(Verb::Replace, &replaced));
        if self.roles != known.roles {
            operations.extend(self.role_mapping.change(&self.roles));
        }
        operations
    }
}

/// Which user of the target a person is, and what that user is known to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PersonLink {
    /// The target's id.
    pub(super) id: String,
    pub(super) known: Known,
    /// False once the person went out of scope: a later deletion in the directory is not passed on.
    pub(super) managed: bool,
    /// The target's id of the manager, as it was last sent.
    pub(super) manager: Option<String>,
}

/// What the target is known to have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) active: bool,
    pub(super) attributes: BTreeMap<String, Value>,
    pub(super) roles: Vec<String>,
}

impl Known {
    /// Of a user as the target returned it, as far as `wanted` is about it.
    pub(super) fn of(user: &Value, wanted: &Wanted) -> Self {
        let paths = wanted.attributes.keys();
        let found =
            paths.filter_map(|path| Some((path.clone(), Path::parse(path).find(user)?.clone())));
        let roles = user["roles"].as_array().into_iter().flatten();
        Self {
            active: user["active"] != false,
            attributes: found.collect(),
            roles: roles.filter_map(|role| role["value"].as_str().map(str::to_owned)).collect(),
        }
    }

    fn differs(&self, path: &str, value: &Value) -> bool {
        self.attributes.get(path) != Some(value)
    }

    /// After everything wanted was accepted; what Entra no longer has, it leaves at the target.
    pub(super) fn after(mut self, wanted: &Wanted) -> Self {
        self.attributes.extend(wanted.attributes.clone());
        self.roles.clone_from(&wanted.roles);
        self
    }
}
