//! Cycles against a small SCIM endpoint that writes down what it is sent.

use std::{
    net::TcpListener,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer,
    web::{self, Data},
};
use serde_json::{Value, json};

use super::*;
use crate::{
    domain::{clock::Clock, secret::Secret},
    simulator::{PersonSeed, SimulatedEntra, SimulatedTenant, SimulatorOptions, TenantSeed},
};

/// The endpoint: its users, and the requests as `METHOD path?query body`.
#[derive(Default)]
struct Endpoint {
    users: Mutex<Vec<Value>>,
    requests: Mutex<Vec<String>>,
    /// How many access tokens were fetched; only the latest is valid.
    tokens: AtomicUsize,
    /// Answers every POST so.
    refuses_with: Mutex<Option<u16>>,
}

impl Endpoint {
    fn start() -> (Data<Self>, String) {
        let endpoint = Data::new(Self::default());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/scim/v2", listener.local_addr().unwrap());
        let shared = endpoint.clone();
        let app = move || App::new().app_data(shared.clone()).default_service(web::to(answer));
        let server = HttpServer::new(app).workers(1).disable_signals().listen(listener).unwrap();
        tokio::spawn(server.run());
        (endpoint, url)
    }

    fn take_requests(&self) -> Vec<String> {
        std::mem::take(&mut *self.requests.lock().unwrap())
    }

    fn answer(&self, request: &HttpRequest, body: &Value) -> HttpResponse {
        let mut users = self.users.lock().unwrap_or_else(PoisonError::into_inner);
        let id = request.path().rsplit('/').next().unwrap().to_owned();
        let found = users.iter().position(|user| user["id"] == id);
        match (request.method().as_str(), found) {
            ("GET", _) => {
                let query = url::form_urlencoded::parse(request.query_string().as_bytes());
                let filter = query.into_owned().find(|(name, _)| name == "filter").unwrap().1;
                let (attribute, value) = filter.split_once(" eq ").unwrap();
                let value: Value = serde_json::from_str(value).unwrap();
                let matching: Vec<_> =
                    users.iter().filter(|user| user[attribute] == value).collect();
                HttpResponse::Ok()
                    .json(json!({ "totalResults": matching.len(), "Resources": matching }))
            }
            ("POST", _) => {
                if let Some(status) = *self.refuses_with.lock().unwrap() {
                    return HttpResponse::build(status.try_into().unwrap())
                        .json(json!({ "detail": "no more seats" }));
                }
                let mut user = body.clone();
                user["id"] = json!(format!("u-{}", users.len() + 1));
                users.push(user.clone());
                HttpResponse::Created().json(user)
            }
            ("PATCH", Some(_)) => HttpResponse::NoContent().finish(),
            ("DELETE", Some(found)) => {
                users.remove(found);
                HttpResponse::NoContent().finish()
            }
            _ => HttpResponse::NotFound().json(json!({ "detail": "nobody" })),
        }
    }
}

async fn answer(endpoint: Data<Endpoint>, request: HttpRequest, body: String) -> HttpResponse {
    if request.path() == "/token" {
        let secret = body.contains("client_id=c-1&client_secret=s-1");
        let number = endpoint.tokens.fetch_add(1, Ordering::Relaxed) + 1;
        let token = secret.then(|| format!("t-{number}"));
        return HttpResponse::Ok().json(json!({ "access_token": token, "expires_in": 3600 }));
    }
    let credential = request.headers().get("authorization").unwrap().to_str().unwrap();
    let valid = endpoint.tokens.load(Ordering::Relaxed).max(1);
    if credential != format!("Bearer t-{valid}") {
        return HttpResponse::Unauthorized().finish();
    }
    let line = format!("{} {} {body}", request.method(), request.uri());
    endpoint.requests.lock().unwrap().push(line);
    endpoint.answer(&request, &serde_json::from_str(&body).unwrap_or_default())
}

/// A tenant with Ada assigned as Admin, and a job from it to an endpoint.
struct Scene {
    _simulator: SimulatedEntra,
    tenant: SimulatedTenant,
    client_id: Uuid,
    ada: Uuid,
    endpoint: Data<Endpoint>,
    job: ProvisioningJob,
}

impl Scene {
    fn begin(feature_flag: bool, mapping: Mapping) -> Self {
        let mut seed = TenantSeed::sample("acme");
        seed.people.retain(|person| person.display_name == "Ada Admin");
        let options = SimulatorOptions {
            bind: ([127, 0, 0, 1], 0).into(),
            allow_non_loopback: false,
            tenants: vec![seed],
            clock: Clock::system(),
        };
        let simulator = SimulatedEntra::start(options).unwrap();
        let tenant = simulator.tenants().remove(0);
        let (endpoint, url) = Endpoint::start();
        let credential = ScimCredential::Bearer(Secret::new("t-1"));
        let target = ScimTarget { url, credential, feature_flag };
        Self {
            client_id: tenant.applications()[0].client_id,
            ada: tenant.people()[0].oid,
            job: ProvisioningJob::new(target, mapping),
            _simulator: simulator,
            tenant,
            endpoint,
        }
    }

    async fn cycle(&mut self) -> ProvisioningLog {
        let directory = self.tenant.directory(self.client_id);
        self.job.cycle(&directory).await
    }

    /// The bodies of each PATCH of one more cycle.
    async fn patches(&mut self) -> Vec<Value> {
        self.endpoint.take_requests();
        self.cycle().await;
        let requests = self.endpoint.take_requests();
        let patches = requests.iter().filter(|line| line.starts_with("PATCH"));
        patches
            .map(|line| serde_json::from_str(line.splitn(3, ' ').nth(2).unwrap()).unwrap())
            .collect()
    }

    fn change_ada(&self, change: impl FnOnce(&mut crate::simulator::Person)) {
        self.tenant.change_person(self.ada, change);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_is_tested_by_looking_for_a_user_and_a_group_that_cannot_be_there() {
    let scene = Scene::begin(false, Mapping::default());

    scene.job.test_connection().await.unwrap();

    let requests = scene.endpoint.take_requests();
    assert!(requests[0].starts_with("GET /scim/v2/Users?filter=userName+eq+%22"), "{requests:?}");
    let groups = "GET /scim/v2/Groups?excludedAttributes=members&filter=displayName+eq+%22";
    assert!(requests[1].starts_with(groups), "{requests:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_token_is_what_a_tested_connection_names() {
    let mut scene = Scene::begin(false, Mapping::default());
    let (_, url) = Endpoint::start();
    let credential = ScimCredential::Bearer(Secret::new("wrong"));
    let target = ScimTarget { url, credential, feature_flag: false };
    scene.job = ProvisioningJob::new(target, Mapping::default());

    let tested = scene.job.test_connection().await;

    assert_eq!(tested, Err(TestConnectionError::InvalidCredentials(401)));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_access_token_is_fetched_once_and_again_when_it_is_refused() {
    let mut scene = Scene::begin(false, Mapping::default());
    let (endpoint, url) = Endpoint::start();
    let credential = ScimCredential::ClientCredentials {
        token_url: url.replace("/scim/v2", "/token"),
        client_id: "c-1".into(),
        client_secret: Secret::new("s-1"),
    };
    let target = ScimTarget { url, credential, feature_flag: false };
    scene.job = ProvisioningJob::new(target, Mapping::default());

    let first = scene.cycle().await;
    let fetched = endpoint.tokens.fetch_add(1, Ordering::Relaxed);
    scene.tenant.unassign(scene.client_id, scene.ada);
    let second = scene.cycle().await;

    assert_eq!((first.count(Action::Create), fetched), (1, 1));
    assert_eq!(second.count(Action::Disable), 1);
    assert_eq!(endpoint.tokens.load(Ordering::Relaxed), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_assigned_person_is_looked_for_twice_and_then_created() {
    let roles = RoleMapping::Single;
    let mut scene = Scene::begin(false, Mapping { roles, ..Mapping::default() });

    let log = scene.cycle().await;

    let requests = scene.endpoint.take_requests();
    let verbs: Vec<_> = requests.iter().map(|line| line.split('=').next().unwrap()).collect();
    assert_eq!(verbs[..2], ["GET /scim/v2/Users?filter", "GET /scim/v2/Users?filter"]);
    let created = scene.endpoint.users.lock().unwrap()[0].clone();
    assert_eq!(created["userName"], "ada@acme.example");
    assert_eq!(created["externalId"], scene.ada.to_string());
    assert_eq!(created["active"], true);
    assert_eq!(created["emails"][0]["value"], "ada@acme.example");
    assert_eq!(created["roles"][0]["value"], "Admin");
    assert_eq!((log.count(Action::Create), log.failures().count()), (1, 0));
    assert_eq!(scene.job.target_id(scene.ada), Some("u-1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_feature_flag_each_attribute_has_an_operation_and_active_is_a_text() {
    let mut scene = Scene::begin(false, Mapping::default());
    scene.cycle().await;

    scene.change_ada(|ada| {
        ada.surname = "Adler".into();
        ada.mail = Some("ada.adler@acme.example".into());
        ada.job_title = Some("Head".into());
    });
    let changed = scene.patches().await;
    scene.change_ada(|ada| ada.account_enabled = false);
    let disabled = scene.patches().await;
    scene.change_ada(|ada| ada.account_enabled = true);
    let restored = scene.patches().await;

    assert_eq!(
        changed[0]["Operations"],
        json!([
            { "op": "Add", "path": "title", "value": "Head" },
            { "op": "Replace", "path": "emails[type eq \"work\"].value", "value": "ada.adler@acme.example" },
            { "op": "Replace", "path": "name.familyName", "value": "Adler" },
            { "op": "Replace", "path": "name.formatted", "value": "Ada Adler" },
        ])
    );
    let active = |value| json!([{ "op": "Replace", "path": "active", "value": value }]);
    assert_eq!(disabled[0]["Operations"], active("False"));
    assert_eq!(restored[0]["Operations"], active("True"));
}

#[tokio::test(flavor = "multi_thread")]
async fn with_the_feature_flag_plain_paths_share_an_operation_and_active_is_a_boolean() {
    let mut scene = Scene::begin(true, Mapping::default());
    scene.cycle().await;

    scene.change_ada(|ada| {
        ada.surname = "Adler".into();
        ada.mail = Some("ada.adler@acme.example".into());
    });
    let changed = scene.patches().await;
    scene.tenant.unassign(scene.client_id, scene.ada);
    let disabled = scene.patches().await;

    assert_eq!(
        changed[0]["Operations"],
        json!([
            { "op": "replace", "path": "emails[type eq \"work\"].value", "value": "ada.adler@acme.example" },
            { "op": "replace", "value": { "name.familyName": "Adler", "name.formatted": "Ada Adler" } },
        ])
    );
    let active = json!([{ "op": "replace", "path": "active", "value": false }]);
    assert_eq!(disabled[0]["Operations"], active);
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_change_in_the_form_of_their_mapping() {
    let cases = [
        (
            RoleMapping::Single,
            json!({ "op": "Replace", "path": "roles[primary eq \"True\"].value", "value": "User" }),
        ),
        (
            RoleMapping::Assertive,
            json!({ "op": "replace", "path": "roles", "value": [
            { "primary": false, "type": "WindowsAzureActiveDirectoryRole", "display": "User", "value": "User" },
        ] }),
        ),
    ];

    for (roles, operation) in cases {
        let mut scene = Scene::begin(false, Mapping { roles, ..Mapping::default() });
        scene.cycle().await;
        scene.tenant.set_roles(scene.client_id, scene.ada, &["User"]);

        assert_eq!(scene.patches().await[0]["Operations"], json!([operation]), "{roles:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_existing_user_is_matched_and_brought_up_to_date() {
    let mut scene = Scene::begin(false, Mapping::default());
    let user = json!({ "id": "u-7", "active": true, "userName": "ada@acme.example" });
    scene.endpoint.users.lock().unwrap().push(user);

    let log = scene.cycle().await;
    let again = scene.cycle().await;

    let actions: Vec<_> = log.entries.iter().map(|entry| entry.action).collect();
    assert_eq!(actions, [Action::Match, Action::Update]);
    assert_eq!(scene.job.target_id(scene.ada), Some("u-7"));
    assert_eq!(again, ProvisioningLog::default());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_deleted_for_good_is_deleted_at_the_target() {
    let mut scene = Scene::begin(false, Mapping::default());
    scene.cycle().await;

    scene.tenant.delete_person(scene.ada);
    let log = scene.cycle().await;

    assert_eq!(log.count(Action::Delete), 1);
    assert!(scene.endpoint.users.lock().unwrap().is_empty());
    assert_eq!(scene.job.target_id(scene.ada), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cycle_goes_on_after_a_failure_and_the_next_one_tries_again() {
    let mut scene = Scene::begin(false, Mapping::default());
    let bob = scene.tenant.add_person(PersonSeed::new("Bob Builder", "bob@acme.example"));
    scene.tenant.assign_role(scene.client_id, bob.oid, "User");
    *scene.endpoint.refuses_with.lock().unwrap() = Some(409);

    let refused = scene.cycle().await;
    *scene.endpoint.refuses_with.lock().unwrap() = None;
    let accepted = scene.cycle().await;

    let failures: Vec<_> = refused.failures().map(|e| (e.status, &*e.detail)).collect();
    assert_eq!(failures, [(Some(409), "no more seats"), (Some(409), "no more seats")]);
    assert_eq!(accepted.count(Action::Create), 2);
}
