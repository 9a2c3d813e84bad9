//! What was answered stays true, however the process ends.

use std::{sync::Arc, time::Duration};

use portico::{
    domain::{clock::Clock, secret::Secret},
    simulator::{
        ApplicationSeed, Person, PersonSeed, Platform, SimulatedEntra, SimulatorOptions, TenantSeed,
    },
};
use serde_json::{Value, json};
use tokio::sync::Mutex;

use crate::support::{Ask, Browser, Credential, Directory, Installation, Process};

const SESSION: &str = "portico-session";

/// A service that was set up by the command line alone, with its tenant.
pub struct Scene {
    pub installation: Installation,
    pub process: Process,
    pub directory: Directory,
    pub ada: Person,
    pub browser: Browser,
    _entra: SimulatedEntra,
}

impl Scene {
    async fn begin() -> Self {
        Self::begin_with("").await
    }

    /// With these lines in its configuration.
    pub async fn begin_with(more: &str) -> Self {
        portico::app::install_crypto_provider();
        let entra = SimulatedEntra::start(SimulatorOptions {
            bind: ([127, 0, 0, 1], 0).into(),
            allow_non_loopback: false,
            tenants: vec![TenantSeed {
                id: None,
                domain: "acme.example".into(),
                display_name: "Acme".into(),
                people: Vec::new(),
                applications: vec![ApplicationSeed::new("Portico")],
            }],
            clock: Clock::system(),
        });
        let entra = entra.unwrap();
        let address = entra.address();
        let outbound = format!("[outbound]\nloopback_authorities = [\"{address}\"]\n");
        let installation = Installation::new(&format!("{outbound}{more}"));
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
        let password = Some(Secret::generate());
        let seed = PersonSeed { password, ..PersonSeed::new("Ada Example", "ada@acme.example") };
        let ada = tenant.add_person(seed);
        tenant.assign_role(client_id, ada.oid, "Admin");
        let credential = Credential::Bearer(text("scim_password"));
        let directory = Directory { url: text("scim_url"), credential };
        let process = installation.serve().await;
        let browser = Browser::at(&installation.origin, Clock::system());
        Self { installation, process, directory, ada, browser, _entra: entra }
    }

    /// Creates Ada's account; its id.
    pub async fn provision(&self) -> String {
        let mut user = Directory::user("ada@acme.example");
        user["externalId"] = json!(self.ada.oid.to_string());
        self.directory.create(&user).await
    }

    pub async fn sign_in(&mut self) {
        let page = self.browser.sign_in_from("/login/acme", &self.ada).await;
        assert_eq!(page.heading(), "Welcome, ada Example", "{}", page.body);
    }

    pub async fn kill_and_start_again(self) -> Self {
        self.process.kill().await;
        let process = self.installation.serve().await;
        Self { process, ..self }
    }

    pub async fn session_status(&mut self) -> u16 {
        self.browser.ask(Ask::get("/session")).await.status
    }
}

#[tokio::test]
async fn an_acknowledged_account_and_its_session_are_there_after_a_kill() {
    let mut scene = Scene::begin().await;
    let id = scene.provision().await;
    scene.sign_in().await;

    let mut scene = scene.kill_and_start_again().await;

    assert_eq!(scene.directory.get(&format!("/Users/{id}")).await.status, 200);
    assert_eq!(scene.session_status().await, 200);
    assert_eq!(scene.browser.check("?role=Admin").await.status, 200);
}

#[tokio::test]
async fn an_acknowledged_deactivation_holds_after_a_kill() {
    let mut scene = Scene::begin().await;
    let id = scene.provision().await;
    scene.sign_in().await;
    let active = |value: bool| json!([{ "op": "replace", "path": "active", "value": value }]);
    assert_eq!(scene.directory.patch(&id, active(false)).await.status, 200);

    let mut scene = scene.kill_and_start_again().await;
    let after = scene.session_status().await;
    scene.directory.patch(&id, active(true)).await;

    assert_eq!((after, scene.session_status().await), (401, 401));
}

#[tokio::test]
async fn an_acknowledged_sign_out_holds_after_a_kill() {
    let mut scene = Scene::begin().await;
    scene.provision().await;
    scene.sign_in().await;
    let cookie = scene.browser.cookie(SESSION).unwrap().to_owned();
    scene.browser.open("/logout?local=true").await;

    let mut scene = scene.kill_and_start_again().await;
    scene.browser.forge_cookie(SESSION, &cookie);

    assert_eq!(scene.session_status().await, 401);
}

#[tokio::test]
async fn a_sign_in_that_was_begun_can_be_finished_after_a_kill() {
    let mut scene = Scene::begin().await;
    scene.provision().await;
    let begun = scene.browser.begin("/login/acme").await;

    let mut scene = scene.kill_and_start_again().await;
    let page = scene.browser.sign_in_from(begun.as_str(), &scene.ada).await;

    assert_eq!(page.heading(), "Welcome, ada Example");
}

#[tokio::test]
async fn a_kill_in_the_midst_of_writes_loses_none_that_was_acknowledged() {
    let scene = Scene::begin().await;
    let acknowledged = Arc::new(Mutex::new(Vec::new()));
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..4 {
        let (directory, acknowledged) = (scene.directory.clone(), acknowledged.clone());
        writers.spawn(async move {
            for number in 0.. {
                let user = Directory::user(&format!("p{writer}-{number}@acme.example"));
                let ask = directory.request(http::Method::POST, "/Users");
                let sent = ask.body(user.to_string()).try_send("").await;
                let Ok(answer) = sent else { return };
                assert_eq!(answer.status, 201, "{}", answer.body);
                let id = answer.json()["id"].as_str().unwrap().to_owned();
                acknowledged.lock().await.push(id);
            }
        });
    }
    while acknowledged.lock().await.len() < 40 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }

    let scene = scene.kill_and_start_again().await;
    writers.shutdown().await;

    for id in &*acknowledged.lock().await {
        assert_eq!(scene.directory.get(&format!("/Users/{id}")).await.status, 200, "{id}");
    }
}
