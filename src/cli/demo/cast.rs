//! Who plays in the demo.

use std::fmt::Write as _;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    domain::{master_key::MasterKey, organization::Slug, secret::Secret},
    http::pages::login::{DemoOrganization, DemoPerson},
    simulator::{ApplicationSeed, GroupSeed, PersonSeed, TenantSeed},
};

/// An organization on the bill.
struct Bill {
    slug: &'static str,
    display_name: &'static str,
    /// Name, user name without its domain, and app role of the people who have one.
    leads: [(&'static str, &'static str, &'static str); LEADS],
}

/// People of each organization who have a role and are in [`GROUP`].
const LEADS: usize = 3;
/// The group of each organization, assigned with Default Access.
const GROUP: &str = "Leads";

const BILLS: [Bill; 2] = [
    Bill {
        slug: "acme",
        display_name: "Acme Works",
        leads: [
            ("Enza Enterprise", "enza", "EnterpriseAdmin"),
            ("Ada Admin", "ada", "Admin"),
            ("Uli User", "uli", "User"),
        ],
    },
    Bill {
        slug: "globex",
        display_name: "Globex Lodging",
        leads: [
            ("Ela Enterprise", "ela", "EnterpriseAdmin"),
            ("Udo User", "udo", "User"),
            ("Rea Reader", "rea", "ReadOnly"),
        ],
    },
];

/// How a person of the demo stands to Portico.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Assigned with an app role.
    HasRole(&'static str),
    /// Assigned with Default Access only.
    HasNoRole,
    /// Assigned, provisioned, and then taken out of the application.
    IsDeactivated,
    /// In the tenant, and never assigned.
    IsNotProvisioned,
}

/// A person of the demo.
#[derive(Clone, Debug)]
pub struct Player {
    /// The name shown.
    pub name: String,
    /// The name to sign in with.
    pub user_name: String,
    /// The same for the password.
    pub password: Secret,
    /// Their object ID.
    pub oid: Uuid,
    /// How they stand to Portico.
    pub part: Part,
}

/// An organization of the demo, before and after it is connected.
#[derive(Clone, Debug)]
pub struct Cast {
    /// Its slug.
    pub slug: Slug,
    /// Its name.
    pub display_name: &'static str,
    /// Its e-mail domain and that of its tenant.
    pub domain: String,
    /// Its tenant.
    pub tenant_id: Uuid,
    /// Its group.
    pub group_id: Uuid,
    /// Its app registration.
    pub client_id: Uuid,
    /// The registration's secret.
    pub client_secret: Secret,
    /// Its people.
    pub players: Vec<Player>,
    /// Where its directory writes.
    pub scim_url: String,
    /// With which User Name.
    pub scim_user_name: String,
    /// And which Password.
    pub scim_password: Secret,
    /// Opens its setup page once.
    pub setup_link: Secret,
}

impl Cast {
    /// The cast of every organization, `people` each; the same for the same key, so that data kept
    /// from the last time still fits.
    pub fn of_all(key: &MasterKey, people: u32) -> Vec<Self> {
        BILLS.iter().map(|bill| Self::of(key, bill, people)).collect()
    }

    fn of(key: &MasterKey, bill: &Bill, people: u32) -> Self {
        let slug = bill.slug;
        let domain = format!("{slug}.example");
        let player = |name: &str, local: &str, part| Player {
            name: name.to_owned(),
            user_name: format!("{local}@{domain}"),
            password: password(key, &format!("{slug}/{local}")),
            oid: identifier(key, &format!("{slug}/{local}")),
            part,
        };
        let leads = bill.leads.iter();
        let mut players: Vec<_> =
            leads.map(|(name, local, role)| player(name, local, Part::HasRole(role))).collect();
        players.push(player("Nona Norole", "nona", Part::HasNoRole));
        players.push(player("Dora Deactivated", "dora", Part::IsDeactivated));
        players.push(player("Nick Notyet", "nick", Part::IsNotProvisioned));
        let extras = 7..=people;
        players.extend(extras.map(|number| {
            player(
                &format!("Extra Person{number}"),
                &format!("person{number}"),
                Part::HasRole("User"),
            )
        }));
        Self {
            slug: Slug::parse(slug).expect("the demo's slugs are slugs"),
            display_name: bill.display_name,
            tenant_id: identifier(key, &format!("{slug} tenant")),
            group_id: identifier(key, &format!("{slug} group")),
            client_id: identifier(key, &format!("{slug} application")),
            client_secret: password(key, &format!("{slug} client secret")),
            domain,
            players,
            scim_url: String::new(),
            scim_user_name: String::new(),
            scim_password: Secret::new(""),
            setup_link: Secret::new(""),
        }
    }

    /// The tenant that the simulator begins with.
    pub fn seed(&self) -> TenantSeed {
        let people = self.players.iter().map(|player| PersonSeed {
            oid: Some(player.oid),
            password: Some(player.password.clone()),
            ..PersonSeed::new(&player.name, &player.user_name)
        });
        let assignments = self.players.iter().filter_map(|player| {
            let roles = match player.part {
                Part::HasRole(role) => vec![role.to_owned()],
                Part::HasNoRole => Vec::new(),
                Part::IsDeactivated => vec!["User".to_owned()],
                Part::IsNotProvisioned => return None,
            };
            Some((player.user_name.clone(), roles))
        });
        let leads = self.players.iter().take(LEADS).map(|player| player.user_name.clone());
        let group = GroupSeed {
            oid: Some(self.group_id),
            members: leads.collect(),
            ..GroupSeed::new(GROUP)
        };
        let assignments = assignments.chain([(GROUP.to_owned(), Vec::new())]);
        let application = ApplicationSeed {
            client_id: Some(self.client_id),
            secret: Some(self.client_secret.clone()),
            assignments: assignments.collect(),
            ..ApplicationSeed::new("Portico")
        };
        TenantSeed {
            id: Some(self.tenant_id),
            domain: self.domain.clone(),
            display_name: self.display_name.to_owned(),
            people: people.collect(),
            groups: vec![group],
            applications: vec![application],
        }
    }

    /// What the demo's sign-in page shows; of a crowd only the beginning.
    pub fn page(&self) -> DemoOrganization {
        DemoOrganization {
            slug: self.slug.clone(),
            display_name: self.display_name.to_owned(),
            people: self.players.iter().take(12).map(Player::page).collect(),
        }
    }

    /// The organization as `--json` prints it.
    pub fn json(&self) -> Value {
        let users: Vec<Value> = self.players.iter().map(Player::json).collect();
        json!({
            "slug": self.slug,
            "scim_url": self.scim_url,
            "scim_username": self.scim_user_name,
            "scim_password": self.scim_password.expose(),
            "users": users,
            "setup_link": self.setup_link.expose(),
        })
    }

    /// The organization as the terminal shows it; of a crowd only the beginning.
    pub fn text(&self) -> String {
        let mut text = format!("{} ({})\n", self.display_name, self.slug);
        for player in self.players.iter().take(12) {
            let (user_name, password) = (&player.user_name, player.password.expose());
            let note = player.part.note();
            writeln!(text, "  {user_name:<24} {password:<24} {note}")
                .expect("a String takes any text");
        }
        let (password, setup_link) = (self.scim_password.expose(), self.setup_link.expose());
        writeln!(
            text,
            "  SCIM URL {}\n  Password {password}\n  Set up   {setup_link}",
            self.scim_url
        )
        .expect("a String takes any text");
        text
    }
}

impl Player {
    fn page(&self) -> DemoPerson {
        DemoPerson {
            user_name: self.user_name.clone(),
            password: self.password.expose().to_owned(),
            role: self.part.role().unwrap_or_default().to_owned(),
            note: if self.part.role().is_some() {
                String::new()
            } else {
                self.part.note().to_owned()
            },
        }
    }

    fn json(&self) -> Value {
        json!({
            "username": self.user_name,
            "password": self.password.expose(),
            "role": self.part.role(),
            "active": self.part != Part::IsDeactivated,
            "provisioned": self.part != Part::IsNotProvisioned,
        })
    }
}

impl Part {
    const fn role(self) -> Option<&'static str> {
        match self {
            Self::HasRole(role) => Some(role),
            Self::HasNoRole | Self::IsDeactivated | Self::IsNotProvisioned => None,
        }
    }

    const fn note(self) -> &'static str {
        match self {
            Self::HasRole(role) => role,
            Self::HasNoRole => "no role",
            Self::IsDeactivated => "deactivated",
            Self::IsNotProvisioned => "not provisioned",
        }
    }
}

fn identifier(key: &MasterKey, name: &str) -> Uuid {
    uuid::Builder::from_random_bytes(*key.derive::<16>(&format!("demo identifier {name}")))
        .into_uuid()
}

/// A password that can be typed: two words and a number.
fn password(key: &MasterKey, name: &str) -> Secret {
    const WORDS: [&str; 16] = [
        "arch", "beam", "brick", "column", "eaves", "gable", "hinge", "lintel", "mortar", "oak",
        "pillar", "porch", "roof", "stair", "tile", "timber",
    ];
    let [a, b, high, low] = *key.derive::<4>(&format!("demo password {name}"));
    let word = |byte: u8| WORDS[usize::from(byte % 16)];
    Secret::new(format!("{}-{}-{}", word(a), word(b), u16::from_be_bytes([high, low])))
}
