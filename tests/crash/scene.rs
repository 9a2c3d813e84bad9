//! An organization with its tenant, set up by the command line alone.

use portico::{
    domain::{clock::Clock, secret::Secret},
    simulator::{
        ApplicationSeed, Person, PersonSeed, Platform, SimulatedEntra, SimulatedTenant,
        SimulatorOptions, TenantSeed,
    },
};
use serde_json::Value;
use uuid::Uuid;

use crate::support::{Credential, Directory, Installation};

/// The organization `acme` in a service that does not run yet.
pub struct Scene {
    pub installation: Installation,
    pub directory: Directory,
    tenant: SimulatedTenant,
    client_id: Uuid,
    _entra: SimulatedEntra,
}

impl Scene {
    pub async fn begin() -> Self {
        Self::begin_with("").await
    }

    /// With these lines in its configuration.
    pub async fn begin_with(more: &str) -> Self {
        portico::app::install_crypto_provider();
        let entra = simulated_entra();
        let loopback = format!("[outbound]\nloopback_authorities = [\"{}\"]\n", entra.address());
        let installation = Installation::new(&format!("{loopback}{more}"));
        let tenant = entra.tenants().remove(0);
        let application = tenant.applications().remove(0);
        let client_id = application.client_id;
        installation.write("secret", application.secrets[0].expose());
        installation.succeed(&["organization", "create", "acme", "--domain", "acme.example"]).await;
        let (authority, client) = (tenant.authority(), client_id.to_string());
        let connect = ["organization", "connect", "acme", "--json", "--authority", &authority];
        let credentials = ["--client-id", &client, "--client-secret-file", "secret"];
        let printed = installation.succeed(&[&connect[..], &credentials].concat()).await;
        let connected: Value = serde_json::from_str(&printed).unwrap();
        let text = |name: &str| connected[name].as_str().unwrap().to_owned();
        tenant.register_redirect_uri(client_id, &text("redirect_uri"), Platform::Web).unwrap();
        let credential = Credential::Bearer(text("scim_password"));
        let directory = Directory { url: text("scim_url"), credential };
        Self { installation, directory, tenant, client_id, _entra: entra }
    }

    /// A person of the tenant, `{name}@acme.example`, assigned as Admin; not provisioned yet.
    pub fn has_person(&self, name: &str) -> Person {
        let seed = PersonSeed::new(&format!("{name} Example"), &format!("{name}@acme.example"));
        let password = Some(Secret::generate());
        let person = self.tenant.add_person(PersonSeed { password, ..seed });
        self.tenant.assign_role(self.client_id, person.oid, "Admin");
        person
    }

    /// What provisioning creates for a person.
    pub fn user(person: &Person) -> Value {
        let mut user = Directory::user(&person.user_principal_name);
        user["externalId"] = person.oid.to_string().into();
        user
    }
}

fn simulated_entra() -> SimulatedEntra {
    let tenant = TenantSeed {
        id: None,
        domain: "acme.example".into(),
        display_name: "Acme".into(),
        people: Vec::new(),
        groups: Vec::new(),
        applications: vec![ApplicationSeed::new("Portico")],
    };
    let options = SimulatorOptions {
        bind: ([127, 0, 0, 1], 0).into(),
        allow_non_loopback: false,
        tenants: vec![tenant],
        clock: Clock::system(),
    };
    SimulatedEntra::start(options).unwrap()
}
