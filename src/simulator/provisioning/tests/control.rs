//! The control address, from outside the simulator's process.

use super::*;
use crate::simulator::SimulatorOptions;

/// A simulator with the sample tenant, and a stranger who calls its control address.
struct Outside {
    simulator: SimulatedEntra,
    http: reqwest::Client,
}

impl Outside {
    fn begin() -> Self {
        let simulator = SimulatedEntra::start(SimulatorOptions {
            bind: ([127, 0, 0, 1], 0).into(),
            allow_non_loopback: false,
            tenants: vec![TenantSeed::sample("acme")],
            clock: Clock::system(),
        })
        .unwrap();
        #[expect(clippy::disallowed_methods, reason = "a test calls the simulator as a stranger")]
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { simulator, http }
    }

    fn url(&self, path: &str) -> String {
        format!("{}/control/provisioning{path}", self.simulator.origin())
    }

    async fn get(&self, path: &str) -> Value {
        let answer = self.http.get(self.url(path)).send().await.unwrap();
        serde_json::from_str(&answer.text().await.unwrap()).unwrap()
    }

    /// Status and body.
    async fn post(&self, path: &str, form: &[(&str, &str)]) -> (u16, String) {
        let answer = self.http.post(self.url(path)).form(form).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_begun_run_and_read_over_http() {
    let outside = Outside::begin();
    let (server, url) = ScimServer::start();
    server.refuse("\"uli@acme.example\"", 409, "taken");
    let form = [("tenant", "acme.example"), ("scim_url", &url), ("password", "t-1")];

    let (created, body) = outside.post("", &form).await;
    let job = serde_json::from_str::<Value>(&body).unwrap()["id"].as_str().unwrap().to_owned();
    let connected = outside.post(&format!("/{job}/test-connection"), &[]).await;
    let (_, report) = outside.post(&format!("/{job}/cycle"), &[]).await;
    let report: Value = serde_json::from_str(&report).unwrap();
    let shown = outside.get(&format!("/{job}")).await;
    let listed = outside.get("").await;

    assert_eq!((created, connected.0), (201, 200));
    assert!(connected.1.contains("\"connected\":true"), "{}", connected.1);
    assert_eq!((&report["creates"], &report["kind"]), (&json!(4), &json!("initial")));
    assert_eq!(report["failures"][0]["name"], "uli@acme.example");
    assert_eq!(report["failures"][0]["code"], "EntryConflict");
    assert_eq!(report["failures"][0]["detail"], "taken");
    assert_eq!((&shown["last_cycle"], &shown["users"]), (&report, &json!(4)));
    assert_eq!((&shown["escrowed"], &shown["state"]), (&json!(1), &json!("active")));
    assert_eq!(listed["jobs"], json!([shown]));
    assert!(!shown.to_string().contains("t-1"), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_provisioned_on_demand_by_name_and_a_job_restarted() {
    let outside = Outside::begin();
    let (server, url) = ScimServer::start();
    let tenant = outside.simulator.tenants().remove(0);
    let client_id = tenant.applications()[0].client_id;
    let job = tenant.begin_provisioning(client_id, JobSettings::new(target(&url)));
    let button = |name: &str| format!("/{}/{name}", job.id());

    let (_, report) = outside.post(&button("on-demand"), &[("name", "ada@acme.example")]).await;
    let nobody = outside.post(&button("on-demand"), &[("name", "x@acme.example")]).await;
    let restarted = outside.post(&button("restart"), &[]).await;

    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!((&report["kind"], &report["creates"]), (&json!("on-demand"), &json!(1)));
    assert_eq!(nobody, (400, "the directory has no x@acme.example".to_owned()));
    assert_eq!(restarted.0, 204);
    assert_eq!(server.users.lock().unwrap().len(), 1);
    assert_eq!(job.target_id(tenant.person("ada@acme.example").unwrap().oid).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_is_wrong_is_told_what_is_and_unknown_jobs_are_not_found() {
    let outside = Outside::begin();
    let good = [("tenant", "acme.example"), ("scim_url", "http://127.0.0.1:1"), ("password", "x")];
    let cases = [
        ("tenant", "other.example", "AADSTS90002"),
        ("client_id", "x", "no such app registration"),
        ("external_id", "upn", "external_id: one of objectId, mailNickname"),
        ("roles", "all", "roles: one of none, single, single-text, complex, assertive"),
        ("matching", "userName,phone", "matching: not phone"),
        ("groups", "maybe", "groups: one of yes, no"),
        ("scope", "some", "scope: one of assigned, all"),
        ("scim_url", "", "scim_url"),
    ];

    for (field, value, expected) in cases {
        let mut form: Vec<_> = good.into_iter().filter(|(name, _)| *name != field).collect();
        form.push((field, value));

        let (status, sentence) = outside.post("", &form).await;

        assert_eq!(status, 400, "{field}");
        assert!(sentence.contains(expected), "{field}: {sentence}");
    }
    assert_eq!(outside.get("").await["jobs"], json!([]));
    let unknown = format!("/{}/cycle", Uuid::nil());
    assert_eq!(outside.post(&unknown, &[]).await.0, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_another_site_begins_no_job() {
    let outside = Outside::begin();
    let form = [("tenant", "acme.example"), ("scim_url", "http://127.0.0.1:1"), ("password", "x")];

    let request = outside.http.post(outside.url("")).header("sec-fetch-site", "cross-site");
    let answer = request.form(&form).send().await.unwrap();

    assert_eq!(answer.status().as_u16(), 403);
}
