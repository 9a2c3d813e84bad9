//! What the stories of a kill and of a lost Redis begin with.

use portico::{domain::clock::Clock, simulator::Person};

use crate::{
    scene::Scene,
    support::{Ask, Browser, program::Process},
};

/// Ada, her browser and a service that runs.
pub struct Story {
    pub scene: Scene,
    pub process: Process,
    pub ada: Person,
    pub browser: Browser,
}

impl Story {
    pub async fn begin() -> Self {
        Self::begin_with("").await
    }

    /// With these lines in the service's configuration.
    pub async fn begin_with(more: &str) -> Self {
        let scene = Scene::begin_with(more).await;
        let ada = scene.has_person("ada");
        let process = scene.installation.serve().await;
        let browser = Browser::at(&scene.installation.origin, Clock::system());
        Self { scene, process, ada, browser }
    }

    /// Creates Ada's account; its id.
    pub async fn provision(&self) -> String {
        self.scene.directory.create(&Scene::user(&self.ada)).await
    }

    pub async fn sign_in(&mut self) {
        let page = self.browser.sign_in_from("/login/acme", &self.ada).await;
        assert_eq!(page.heading(), "Welcome, ada Example", "{}", page.body);
    }

    pub async fn kill_and_start_again(self) -> Self {
        self.process.kill().await;
        let process = self.scene.installation.serve().await;
        Self { process, ..self }
    }

    pub async fn session_status(&mut self) -> u16 {
        self.browser.ask(Ask::get("/session")).await.status
    }
}
