//! The nouns of a directory: people, groups, app registrations, assignments.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::{client_certificate::ClientCertificate, jws, redirect_uri::RedirectUri};
use crate::domain::secret::{self, Secret};

/// Whether a person belongs to the tenant or visits it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum UserType {
    /// Of the tenant.
    #[default]
    Member,
    /// Of another tenant, invited (B2B).
    Guest,
}

/// A person of a tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The object id: never changes, never used again.
    pub oid: Uuid,
    /// The name shown.
    pub display_name: String,
    /// The first name.
    pub given_name: String,
    /// The family name.
    pub surname: String,
    /// The name to sign in with; a guest's is `x_home.example#EXT#@tenant`.
    pub user_principal_name: String,
    /// The e-mail address, which any administrator may set to anything.
    pub mail: Option<String>,
    /// The part of the address before the `@`.
    pub mail_nickname: String,
    /// The department.
    pub department: Option<String>,
    /// The title.
    pub job_title: Option<String>,
    /// What the person types on the password page.
    pub password: Secret,
    /// False: sign-in stops on the password page with AADSTS50057.
    pub account_enabled: bool,
    /// In the recycle bin: as good as gone, but not yet deleted for provisioning.
    pub soft_deleted: bool,
    /// Member or guest.
    pub user_type: UserType,
    /// A guest's address at home.
    pub home_address: Option<String>,
    /// The manager's object id.
    pub manager: Option<Uuid>,
    /// What else is known, by the directory's own names: `streetAddress`, `employeeId`,
    /// `extensionAttribute1`.
    pub attributes: BTreeMap<String, Value>,
}

impl Person {
    /// What a token says as `preferred_username`: a guest's address at home, else the UPN.
    pub fn preferred_username(&self) -> &str {
        self.home_address.as_deref().unwrap_or(&self.user_principal_name)
    }

    /// The opaque value of the optional claim `login_hint`.
    pub fn login_hint(&self) -> String {
        format!("O.{}", jws::base64url(self.oid.as_bytes()))
    }

    /// Whether `login` names this person: UPN, address at home, or login hint.
    pub(super) fn answers_to(&self, login: &str) -> bool {
        self.user_principal_name.eq_ignore_ascii_case(login)
            || self.preferred_username().eq_ignore_ascii_case(login)
            || self.login_hint() == login
    }

    /// Whether the directory lets this person in.
    pub(super) const fn may_sign_in(&self) -> bool {
        self.account_enabled && !self.soft_deleted
    }
}

/// A group of a tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The object id: never changes, never used again.
    pub oid: Uuid,
    /// The name shown.
    pub display_name: String,
    /// The object ids of the direct members: people, and other groups.
    pub members: BTreeSet<Uuid>,
}

/// An app registration together with its enterprise application.
#[derive(Clone, Debug)]
pub struct Application {
    /// The application (client) id.
    pub client_id: Uuid,
    /// The name on the sign-in pages.
    pub display_name: String,
    /// The valid client secrets; several while one is being replaced.
    pub secrets: Vec<Secret>,
    /// The uploaded certificates, for assertions in place of a secret.
    pub certificates: Vec<ClientCertificate>,
    /// The registered redirect URIs of both platforms.
    pub redirect_uris: Vec<RedirectUri>,
    /// "Assignment required": whoever is not assigned meets AADSTS50105.
    pub app_role_assignment_required: bool,
    /// The object ids of the people and groups assigned, each with the values of the app roles.
    pub assignments: BTreeMap<Uuid, Vec<String>>,
    /// Optional claims of the ID Token: `email`, `upn`, `login_hint`, `auth_time`, `acct`.
    pub optional_claims: BTreeSet<String>,
    /// Called with `sid` in a hidden frame when a session ends.
    pub front_channel_logout_url: Option<String>,
}

impl Application {
    /// The registered redirect URI that a request may name as `uri`.
    pub(super) fn redirect_uri(&self, uri: &str) -> Option<&RedirectUri> {
        self.redirect_uris.iter().find(|registered| registered.matches(uri))
    }

    /// Whether `person` may use the application.
    pub(super) fn admits(&self, person: Uuid) -> bool {
        !self.app_role_assignment_required || self.assignments.contains_key(&person)
    }
}

/// A tenant: its directory and its app registrations.
#[derive(Clone, Debug)]
pub(super) struct Tenant {
    pub(super) id: Uuid,
    pub(super) domain: String,
    pub(super) display_name: String,
    pub(super) people: Vec<Person>,
    pub(super) groups: Vec<Group>,
    pub(super) applications: Vec<Application>,
    /// Grows with every change.
    pub(super) moment: u64,
    /// When people and groups last changed; who is not in it is as in the beginning.
    pub(super) changed: HashMap<Uuid, u64>,
    /// When people and groups were deleted.
    pub(super) deleted: HashMap<Uuid, u64>,
}

impl Tenant {
    /// Whether a URL may name the tenant so: by its id or its domain.
    pub(super) fn answers_to(&self, name: &str) -> bool {
        self.domain.eq_ignore_ascii_case(name) || Uuid::try_parse(name) == Ok(self.id)
    }

    pub(super) fn person(&self, oid: Uuid) -> Option<&Person> {
        self.people.iter().find(|person| person.oid == oid)
    }

    pub(super) fn person_named(&self, login: &str) -> Option<&Person> {
        let login = login.trim();
        self.people.iter().find(|person| person.answers_to(login))
    }

    pub(super) fn group(&self, oid: Uuid) -> Option<&Group> {
        self.groups.iter().find(|group| group.oid == oid)
    }

    pub(super) fn group_named(&self, name: &str) -> Option<&Group> {
        self.groups.iter().find(|group| group.display_name == name)
    }

    /// The object id of the person or, if there is none of that name, the group.
    pub(super) fn oid_of(&self, name: &str) -> Option<Uuid> {
        let person = self.person_named(name).map(|person| person.oid);
        person.or_else(|| Some(self.group_named(name)?.oid))
    }

    /// Notes that a person or a group changed.
    pub(super) fn touch(&mut self, oid: Uuid) {
        self.moment += 1;
        self.changed.insert(oid, self.moment);
    }

    /// Notes that an assignment changed: a group's is one of its direct members, too.
    pub(super) fn touch_assigned(&mut self, oid: Uuid) {
        let members = self.group(oid).map(|group| group.members.clone());
        for member in members.into_iter().flatten() {
            self.touch(member);
        }
        self.touch(oid);
    }

    /// Who is assigned, whether directly or by a group, with the roles of both. Groups in groups
    /// bring nothing.
    pub(super) fn roles(&self, application: &Application) -> HashMap<Uuid, Vec<String>> {
        let direct = application.assignments.iter();
        let mut roles: HashMap<_, _> = direct.map(|(oid, roles)| (*oid, roles.clone())).collect();
        for group in &self.groups {
            let Some(assigned) = application.assignments.get(&group.oid) else { continue };
            for member in &group.members {
                add_roles(roles.entry(*member).or_default(), assigned);
            }
        }
        roles
    }

    /// The application as a person meets it: what the person's groups are assigned, the person is.
    pub(super) fn application_for(&self, application: &Application, person: Uuid) -> Application {
        let mut met = application.clone();
        for group in self.groups.iter().filter(|group| group.members.contains(&person)) {
            if let Some(assigned) = application.assignments.get(&group.oid) {
                add_roles(met.assignments.entry(person).or_default(), assigned);
            }
        }
        met
    }

    pub(super) fn application(&self, client_id: Uuid) -> Option<&Application> {
        self.applications.iter().find(|application| application.client_id == client_id)
    }

    /// The application of that id, as a request spells it.
    pub(super) fn application_named(&self, client_id: &str) -> Option<&Application> {
        self.application(Uuid::try_parse(client_id).ok()?)
    }
}

fn add_roles(roles: &mut Vec<String>, more: &[String]) {
    for role in more {
        if !roles.contains(role) {
            roles.push(role.clone());
        }
    }
}

/// A random GUID, as Entra's ids are.
pub(super) fn guid() -> Uuid {
    uuid::Builder::from_random_bytes(secret::random_bytes()).into_uuid()
}

/// A GUID that is the same for the same text.
pub(super) fn guid_of(text: &str) -> Uuid {
    let digest = jws::sha256(text.as_bytes());
    let half = digest[..16].try_into().expect("a SHA-256 has 32 bytes");
    uuid::Builder::from_random_bytes(half).into_uuid()
}
