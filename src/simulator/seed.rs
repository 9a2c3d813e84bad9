//! What a tenant begins with, as a file or a test states it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::{
    directory::{Application, Group, Person, Tenant, UserType, guid},
    redirect_uri::RedirectUri,
};
use crate::domain::secret::{Secret, random_bytes};

/// A tenant to be.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TenantSeed {
    /// The tenant id; a random one if absent.
    #[serde(default)]
    pub id: Option<Uuid>,
    /// The verified domain: people's names end in it, and it may stand for the id in a URL.
    pub domain: String,
    /// The name shown on the sign-in pages.
    pub display_name: String,
    /// The people.
    #[serde(default)]
    pub people: Vec<PersonSeed>,
    /// The groups.
    #[serde(default)]
    pub groups: Vec<GroupSeed>,
    /// The app registrations.
    #[serde(default)]
    pub applications: Vec<ApplicationSeed>,
}

/// A person to be.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PersonSeed {
    /// The object id; a random one if absent.
    #[serde(default)]
    pub oid: Option<Uuid>,
    /// The name shown; first and family name are its first and last word unless given.
    pub display_name: String,
    /// The first name.
    #[serde(default)]
    pub given_name: Option<String>,
    /// The family name.
    #[serde(default)]
    pub surname: Option<String>,
    /// A member's UPN; a guest's address at home.
    pub user_principal_name: String,
    /// The e-mail address; the name above if absent.
    #[serde(default)]
    pub mail: Option<String>,
    /// The department.
    #[serde(default)]
    pub department: Option<String>,
    /// The title.
    #[serde(default)]
    pub job_title: Option<String>,
    /// The password; three random words if absent.
    #[serde(default)]
    pub password: Option<Secret>,
    /// Whether the person may sign in. Default true.
    #[serde(default = "yes")]
    pub account_enabled: bool,
    /// Member or guest. Default member.
    #[serde(default)]
    pub user_type: UserType,
    /// The name of the manager, a person of the same tenant.
    #[serde(default)]
    pub manager: Option<String>,
    /// What else is known, by the directory's own names: `streetAddress`, `employeeId`,
    /// `extensionAttribute1`.
    #[serde(default)]
    pub attributes: BTreeMap<String, Value>,
}

/// A group to be.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupSeed {
    /// The object id; a random one if absent.
    #[serde(default)]
    pub oid: Option<Uuid>,
    /// The name shown.
    pub display_name: String,
    /// The names of the direct members: people, and groups that stand above this one.
    #[serde(default)]
    pub members: BTreeSet<String>,
}

/// An app registration to be.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApplicationSeed {
    /// The client id; a random one if absent.
    #[serde(default)]
    pub client_id: Option<Uuid>,
    /// The name shown on the sign-in pages.
    pub display_name: String,
    /// The client secret; a random one if absent.
    #[serde(default)]
    pub secret: Option<Secret>,
    /// The redirect URIs.
    #[serde(default)]
    pub redirect_uris: Vec<RedirectUri>,
    /// Whether only assigned people may sign in. Default false.
    #[serde(default)]
    pub app_role_assignment_required: bool,
    /// Who is assigned: the name as in [`PersonSeed::user_principal_name`], or a group's
    /// → values of app roles.
    #[serde(default)]
    pub assignments: BTreeMap<String, Vec<String>>,
    /// Optional claims of the ID Token.
    #[serde(default)]
    pub optional_claims: BTreeSet<String>,
    /// Called with `sid` in a hidden frame when a session ends.
    #[serde(default)]
    pub front_channel_logout_url: Option<String>,
}

const fn yes() -> bool {
    true
}

impl TenantSeed {
    /// A ready tenant `{name}.example` with people of every kind, and Portico registered in it.
    pub fn sample(name: &str) -> Self {
        let domain = format!("{name}.example");
        let at_home = |local: &str| format!("{local}@{domain}");
        let member =
            |display_name: &str, local: &str| PersonSeed::new(display_name, &at_home(local));
        let people = vec![
            PersonSeed {
                department: Some("Direction".into()),
                ..member("Enza Enterprise", "enza")
            },
            PersonSeed { department: Some("Operations".into()), ..member("Ada Admin", "ada") },
            PersonSeed { department: Some("Sales".into()), ..member("Uli User", "uli") },
            PersonSeed { department: Some("Audit".into()), ..member("Rea Reader", "rea") },
            member("Nona Norole", "nona"),
            PersonSeed { account_enabled: false, ..member("Dora Disabled", "dora") },
            PersonSeed {
                user_type: UserType::Guest,
                ..PersonSeed::new("Gil Guest", "gil@guests.example")
            },
        ];
        let assigned = |local: &str, role: &str| (at_home(local), vec![role.to_owned()]);
        let assignments = BTreeMap::from([
            assigned("enza", "EnterpriseAdmin"),
            assigned("ada", "Admin"),
            assigned("uli", "User"),
            assigned("rea", "ReadOnly"),
            assigned("dora", "User"),
            ("gil@guests.example".to_owned(), vec!["ReadOnly".to_owned()]),
        ]);
        let portico = ApplicationSeed { assignments, ..ApplicationSeed::new("Portico") };
        Self {
            id: None,
            display_name: capitalized(name),
            domain,
            people,
            groups: Vec::new(),
            applications: vec![portico],
        }
    }

    pub(super) fn grow(self) -> Tenant {
        let mut tenant = Tenant {
            id: self.id.unwrap_or_else(guid),
            domain: self.domain.to_ascii_lowercase(),
            display_name: self.display_name,
            people: Vec::new(),
            groups: Vec::new(),
            applications: Vec::new(),
            moment: 0,
            changed: HashMap::new(),
            deleted: HashMap::new(),
        };
        let managers: Vec<_> = self.people.iter().map(|seed| seed.manager.clone()).collect();
        tenant.people = self.people.into_iter().map(|seed| seed.grow(&tenant.domain)).collect();
        for (index, manager) in managers.into_iter().enumerate() {
            let manager = manager.and_then(|name| Some(tenant.person_named(&name)?.oid));
            tenant.people[index].manager = manager;
        }
        for seed in self.groups {
            tenant.groups.push(seed.grow(&tenant));
        }
        let applications = self.applications.into_iter().map(|seed| seed.grow(&tenant)).collect();
        tenant.applications = applications;
        tenant
    }
}

impl PersonSeed {
    /// A member of that name, everything else by default.
    pub fn new(display_name: &str, user_principal_name: &str) -> Self {
        Self {
            oid: None,
            display_name: display_name.into(),
            given_name: None,
            surname: None,
            user_principal_name: user_principal_name.into(),
            mail: None,
            department: None,
            job_title: None,
            password: None,
            account_enabled: true,
            user_type: UserType::Member,
            manager: None,
            attributes: BTreeMap::new(),
        }
    }

    /// Whose manager is not looked for yet.
    pub(super) fn grow(self, domain: &str) -> Person {
        let (first, last) =
            self.display_name.rsplit_once(' ').unwrap_or((&self.display_name, &self.display_name));
        let address = self.user_principal_name;
        let is_guest = self.user_type == UserType::Guest;
        let nickname = address.split('@').next().unwrap_or_default().to_owned();
        let guest_name = format!("{}#EXT#@{domain}", address.replace('@', "_"));
        Person {
            oid: self.oid.unwrap_or_else(guid),
            given_name: self.given_name.unwrap_or_else(|| first.to_owned()),
            surname: self.surname.unwrap_or_else(|| last.to_owned()),
            display_name: self.display_name,
            mail: Some(self.mail.unwrap_or_else(|| address.clone())),
            mail_nickname: if is_guest { guest_name.replace('@', "_") } else { nickname },
            user_principal_name: if is_guest { guest_name } else { address.clone() },
            department: self.department,
            job_title: self.job_title,
            password: self.password.unwrap_or_else(three_words),
            account_enabled: self.account_enabled,
            soft_deleted: false,
            user_type: self.user_type,
            home_address: is_guest.then_some(address),
            manager: None,
            attributes: self.attributes,
        }
    }
}

impl GroupSeed {
    /// A group of that name without members.
    pub fn new(display_name: &str) -> Self {
        Self { oid: None, display_name: display_name.into(), members: BTreeSet::new() }
    }

    /// Members whom `tenant` does not have are left out.
    pub(super) fn grow(self, tenant: &Tenant) -> Group {
        Group {
            oid: self.oid.unwrap_or_else(guid),
            display_name: self.display_name,
            members: self.members.iter().filter_map(|name| tenant.oid_of(name)).collect(),
        }
    }
}

impl ApplicationSeed {
    /// A registration of that name, everything else by default.
    pub fn new(display_name: &str) -> Self {
        Self {
            client_id: None,
            display_name: display_name.into(),
            secret: None,
            redirect_uris: Vec::new(),
            app_role_assignment_required: false,
            assignments: BTreeMap::new(),
            optional_claims: BTreeSet::new(),
            front_channel_logout_url: None,
        }
    }

    /// Assignments of people and groups that `tenant` does not have are left out.
    pub(super) fn grow(self, tenant: &Tenant) -> Application {
        let assignments = self.assignments.into_iter();
        Application {
            client_id: self.client_id.unwrap_or_else(guid),
            display_name: self.display_name,
            secrets: vec![self.secret.unwrap_or_else(Secret::generate)],
            certificates: Vec::new(),
            redirect_uris: self.redirect_uris,
            app_role_assignment_required: self.app_role_assignment_required,
            assignments: assignments
                .filter_map(|(name, roles)| Some((tenant.oid_of(&name)?, roles)))
                .collect(),
            optional_claims: self.optional_claims,
            front_channel_logout_url: self.front_channel_logout_url,
        }
    }
}

fn capitalized(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// A made-up password that a developer can type: `amber-otter-quill-53`.
fn three_words() -> Secret {
    const WORDS: [&str; 32] = [
        "amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "heron", "inlet", "juniper",
        "kiosk", "lemon", "maple", "north", "otter", "pearl", "quill", "raven", "sable", "thyme",
        "umber", "velvet", "willow", "xenon", "yarrow", "zephyr", "acorn", "basil", "comet",
        "dune", "elder", "flint",
    ];
    let [a, b, c, number] = random_bytes::<4>();
    let word = |byte: u8| WORDS[usize::from(byte) % WORDS.len()];
    Secret::new(format!("{}-{}-{}-{}", word(a), word(b), word(c), number % 90 + 10))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guest_gets_the_name_that_entra_makes_of_the_address_at_home() {
        let seed = PersonSeed {
            user_type: UserType::Guest,
            ..PersonSeed::new("Gil Guest", "gil@guests.example")
        };

        let guest = seed.grow("acme.example");

        assert_eq!(guest.user_principal_name, "gil_guests.example#EXT#@acme.example");
        assert_eq!(guest.preferred_username(), "gil@guests.example");
    }

    #[test]
    fn the_sample_assigns_people_whom_it_has() {
        let tenant = TenantSeed::sample("acme").grow();

        let assignments = &tenant.applications[0].assignments;

        assert_eq!(assignments.len(), 6);
        assert_eq!(assignments[&tenant.person_named("Ada@acme.example").unwrap().oid], ["Admin"]);
    }

    #[test]
    fn the_documented_file_is_a_tenant_with_a_manager_and_a_group() {
        let document = include_str!("../../docs/simulated-tenant.md");
        let file = document.split("```json\n").nth(1).and_then(|rest| rest.split("```").next());

        let mut seeds: Vec<TenantSeed> = serde_json::from_str(file.unwrap()).unwrap();
        let tenant = seeds.remove(0).grow();

        let (bo, ada) = (&tenant.people[0], &tenant.people[1]);
        assert_eq!(ada.manager, Some(bo.oid));
        assert_eq!(ada.attributes["city"], "Bern");
        assert_eq!(tenant.groups[0].members, BTreeSet::from([ada.oid, bo.oid]));
        let roles = tenant.roles(&tenant.applications[0]);
        assert_eq!((&*roles[&ada.oid], &*roles[&bo.oid]), (&["Admin".to_owned()][..], &[][..]));
    }
}
