//! A proxy with its recipe, before a service and an application.

use portico::simulator::Person;

use crate::{
    application::Application,
    proxy::{Change, Kind, Ports, Proxy},
    relay::Relay,
    support::{Browser, Options, Organization, SESSION, Service, port::free_port},
    wire::Request,
};

/// Everything that stands on the platform's one host name, and two people of Acme.
pub struct Scene {
    /// Where browsers come.
    pub port: u16,
    pub application: Application,
    /// Between the proxy and Portico; gone once it is taken.
    pub relay: Option<Relay>,
    pub service: Service,
    pub acme: Organization,
    /// Has the role Admin.
    pub ada: Person,
    /// Has the role `ReadOnly`.
    pub bob: Person,
    _proxy: Proxy,
}

impl Scene {
    pub async fn start(kind: Kind) -> Self {
        Self::start_with(kind, &[]).await
    }

    /// The same, but for what is changed in the recipe.
    pub async fn start_with(kind: Kind, changes: &[Change]) -> Self {
        let port = free_port();
        let service = Service::start_with(Options {
            public_url: Some(format!("http://localhost:{port}")),
            proxies: vec!["127.0.0.1"],
            ..Options::default()
        })
        .await;
        let (_, portico) = service.origin.rsplit_once(':').unwrap();
        let relay = Relay::start(portico.parse().unwrap()).await;
        let application = Application::start().await;
        let ports = Ports { proxy: port, portico: relay.port, application: application.port };
        let proxy = Proxy::start(kind, ports, changes).await;
        let acme = service.organization("acme").await;
        let ada = acme.has_person("ada", &["Admin"]);
        let bob = acme.has_person("bob", &["ReadOnly"]);
        // Through the proxy, as the directory comes.
        acme.provision().await;
        Self { port, application, relay: Some(relay), service, acme, ada, bob, _proxy: proxy }
    }

    pub fn relay(&self) -> &Relay {
        self.relay.as_ref().expect("it was not taken")
    }

    /// An address on the platform's host name.
    pub fn address(&self, path: &str) -> String {
        format!("http://localhost:{}{path}", self.port)
    }

    /// Somebody's browser, which has never been here.
    pub fn browser(&self) -> Browser {
        Browser::at(&self.address(""), self.service.clock.clone())
    }

    /// The session cookie of a person who signed in, as it is sent; what arrived meanwhile is
    /// forgotten.
    pub async fn session_of(&self, person: &Person) -> String {
        let mut browser = self.browser();
        browser.sign_in(&self.acme, person).await;
        let value = browser.cookie(SESSION).expect("the person is signed in");
        self.application.take_seen();
        self.relay().take_said();
        format!("{SESSION}={value}")
    }

    /// Who the application is told it is, of a page that is let in.
    pub async fn role_at(&self, path: &str, session: &str) -> Option<String> {
        let reply = Request::get(path).header("Cookie", session).send(self.port).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        let seen = self.application.take_one();
        seen.values("x-portico-role").first().map(|role| (*role).to_owned())
    }
}
