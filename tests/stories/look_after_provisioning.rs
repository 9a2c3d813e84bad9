//! An admin's programs look after a connector's provisioning: its log, rules and credentials.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Ask, Credential, Directory, OPERATOR_TOKEN, Organization, Service};

/// What a program asks of a connector's provisioning.
struct Program<'a> {
    service: &'a Service,
    acme: &'a Organization,
    token: String,
}

impl<'a> Program<'a> {
    fn of_operator(service: &'a Service, acme: &'a Organization) -> Self {
        Self { service, acme, token: OPERATOR_TOKEN.to_owned() }
    }

    async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let id = self.acme.connector_id();
        let ask = Ask::new(method, format!("/api/v1/connectors/{id}/provisioning{path}"))
            .header("authorization", format!("Bearer {}", self.token));
        self.service.ask(body.into_iter().fold(ask, |ask, body| ask.body(body.to_string()))).await
    }

    async fn get(&self, path: &str) -> Value {
        let answer = self.ask(Method::GET, path, None).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer.json()
    }

    async fn post(&self, path: &str, body: Value) -> Answer {
        self.ask(Method::POST, path, Some(body)).await
    }

    /// The newest line about a refusal, as soon as it is written.
    async fn refusal(&self) -> Value {
        for _ in 0..100 {
            let lines = self.get("/records?outcome=refused&limit=1").await;
            if let Some(line) = lines["records"].get(0) {
                return line.clone();
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("no refusal was written down");
    }

    async fn replay(&self, line: &Value) -> Answer {
        let path = format!("/records/{}/replay", line["id"].as_str().unwrap());
        self.post(&path, json!({})).await
    }

    /// From now on everybody needs a department, or nobody does.
    async fn require_department(&self, required: bool) {
        let policy = json!({ "requires": { "department": required } });
        assert_eq!(self.ask(Method::PUT, "/policy", Some(policy)).await.status, 200);
    }
}

#[tokio::test]
async fn only_the_operator_and_the_organizations_own_admins_are_let_in() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    let globex = service.organization("globex").await;
    let (ada, bob) = (acme.has_person("ada", &["Admin"]), acme.has_person("bob", &["User"]));
    let eve = globex.has_person("eve", &["EnterpriseAdmin"]);
    acme.provision().await;
    globex.provision().await;
    let mut tokens = Vec::new();
    for (organization, person) in [(&acme, &ada), (&acme, &bob), (&globex, &eve)] {
        let mut browser = service.browser();
        browser.sign_in(organization, person).await;
        let issued = browser.ask(Ask::post("/session/token")).await.json();
        tokens.push(issued["access_token"].as_str().unwrap().to_owned());
    }
    let forged = format!("{}x", tokens[0]);

    for (token, status) in [
        (OPERATOR_TOKEN, 200),
        (&tokens[0], 200),
        (&tokens[1], 403),
        (&tokens[2], 404),
        (&forged, 401),
        (acme.scim_password.as_str(), 401),
        ("", 401),
    ] {
        let program = Program { service: &service, acme: &acme, token: token.to_owned() };
        assert_eq!(program.ask(Method::GET, "", None).await.status, status, "{token}");
    }
}

#[tokio::test]
async fn an_admin_who_was_deactivated_does_nothing_with_a_token_of_before() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    let ada = acme.has_person("ada", &["Admin"]);
    acme.provision().await;
    let mut browser = service.browser();
    browser.sign_in(&acme, &ada).await;
    let issued = browser.ask(Ask::post("/session/token")).await.json();
    let token = issued["access_token"].as_str().unwrap().to_owned();
    let program = Program { service: &service, acme: &acme, token };
    assert_eq!(program.ask(Method::GET, "", None).await.status, 200);

    let off = json!([{ "op": "Replace", "path": "active", "value": "False" }]);
    acme.scim().patch(&acme.scim_id(&ada).await, off).await;

    assert_eq!(program.ask(Method::GET, "", None).await.status, 401);
}

#[tokio::test]
async fn a_refused_person_is_in_the_log_with_the_reason_and_comes_by_a_replay_once_it_is_mended() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    let program = Program::of_operator(&service, &acme);
    program.require_department(true).await;
    let mut user = Directory::user("ada@acme.example");
    user["password"] = json!("hunter2");
    assert_eq!(acme.scim().post("/Users", &user).await.status, 400);

    let line = program.refusal().await;
    let again = program.replay(&line).await.json();
    program.require_department(false).await;
    let replayed = program.replay(&line).await.json();
    let twice = program.replay(&line).await.json();

    assert_eq!((&line["method"], &line["path"]), (&json!("POST"), &json!("/Users")));
    assert!(line["summary"].as_str().unwrap().contains("department"), "{line}");
    let whole = program.get(&format!("/records/{}", line["id"].as_str().unwrap())).await;
    assert_eq!(whole["body"]["userName"], "ada@acme.example");
    assert!(!whole.to_string().contains("hunter2"), "{whole}");
    assert_eq!((&again["outcome"], &again["status"]), (&json!("refused"), &json!(400)));
    assert_eq!(replayed["outcome"], "changed");
    assert_eq!(
        (&twice["outcome"], &twice["resource"]),
        (&json!("answered"), &replayed["resource"])
    );
    assert_eq!(acme.scim().get("/Users").await.json()["totalResults"], 1);
}

#[tokio::test]
async fn a_replay_never_undoes_what_came_later() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    let id = acme.scim().create(&Directory::user("ada@acme.example")).await;
    acme.scim().create(&Directory::user("bob@acme.example")).await;
    let taken = json!([{ "op": "replace", "path": "userName", "value": "bob@acme.example" }]);
    assert_eq!(acme.scim().patch(&id, taken).await.status, 409);
    let program = Program::of_operator(&service, &acme);
    let line = program.refusal().await;
    let title = json!([{ "op": "replace", "path": "title", "value": "Head" }]);
    assert_eq!(acme.scim().patch(&id, title).await.status, 200);

    assert_eq!(program.replay(&line).await.status, 409);
}

#[tokio::test]
async fn a_change_is_in_the_log_with_what_was_before_and_after() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    let id = acme.scim().create(&Directory::user("ada@acme.example")).await;
    let title = json!([{ "op": "add", "path": "title", "value": "Head" }]);
    acme.scim().patch(&id, title).await;

    let program = Program::of_operator(&service, &acme);
    let lines = program.get(&format!("/records?outcome=changed&resource={id}")).await;

    let [changed, created] = lines["records"].as_array().unwrap().as_slice() else { panic!() };
    assert_eq!(changed["changes"], json!({ "title": { "before": null, "after": "Head" } }));
    assert_eq!(created["status"], 201);
    assert!(created["summary"].as_str().unwrap().contains("ada@acme.example"), "{created}");
}

#[tokio::test]
async fn the_health_of_a_connector_counts_who_came_and_what_failed() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    let program = Program::of_operator(&service, &acme);
    let before = program.get("").await;
    acme.scim().create(&Directory::user("ada@acme.example")).await;
    acme.scim().post("/Users", &json!({ "userName": "nobody" })).await;
    acme.scim().post("/Groups", &json!({ "displayName": "Staff" })).await;
    program.refusal().await;

    let health = &program.get("").await["health"];

    assert_eq!(before["health"]["last_request_at"], Value::Null);
    assert!(before["health"]["advice"].as_str().unwrap().contains("has not called yet"));
    assert_eq!((&health["people"], &health["groups"]), (&json!(1), &json!(1)));
    assert_eq!((&health["failures"], &health["quarantine_risk"]), (&json!(1), &json!("low")));
    assert_eq!(health["requests"], 3);
}

#[tokio::test]
async fn a_declared_attribute_is_in_the_schemas_at_once_and_its_type_is_minded() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    let program = Program::of_operator(&service, &acme);
    let urn = "urn:acme:params:scim:schemas:extension:people:2.0:User";

    let badge = json!({ "schema": urn, "name": "badge", "type": "integer" });
    let declared = program.post("/attributes", badge).await;
    let core = "urn:ietf:params:scim:schemas:core:2.0:User";
    let taken = json!({ "schema": core, "name": "badge", "type": "integer" });
    let refused = program.post("/attributes", taken).await;

    assert_eq!((declared.status, refused.status), (201, 400));
    let schema = acme.scim().get(&format!("/Schemas/{urn}")).await.json();
    assert_eq!(schema["attributes"][0]["type"], "integer");
    let mut user = Directory::user("ada@acme.example");
    user[urn] = json!({ "badge": "many" });
    assert_eq!(acme.scim().post("/Users", &user).await.status, 400);
    user[urn] = json!({ "badge": 7 });
    assert_eq!(acme.scim().post("/Users", &user).await.status, 201);
}

#[tokio::test]
async fn a_password_is_shown_once_works_beside_the_first_and_ends_when_it_is_revoked() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    let program = Program::of_operator(&service, &acme);

    let added = program.post("/credentials", json!({ "kind": "password" })).await.json();
    let third = program.post("/credentials", json!({ "kind": "password" })).await;
    let listed = program.get("/credentials").await;

    let secret = added["secret"].as_str().unwrap().to_owned();
    let with_new = acme.scim().with(Credential::Bearer(secret.clone()));
    assert_eq!(with_new.get("/Users").await.status, 200);
    assert_eq!(acme.scim().get("/Users").await.status, 200);
    assert_eq!(third.status, 409);
    assert!(!listed.to_string().contains(&secret));
    assert_eq!(listed["credentials"].as_array().unwrap().len(), 2);

    let path = format!("/credentials/{}", added["id"].as_str().unwrap());
    assert_eq!(program.ask(Method::DELETE, &path, None).await.status, 204);
    assert_eq!(with_new.get("/Users").await.status, 401);
    assert_eq!(program.ask(Method::DELETE, &path, None).await.status, 404);
}

#[tokio::test]
async fn rubbish_is_refused_with_the_reason() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    let program = Program::of_operator(&service, &acme);

    for (method, path, body, status) in [
        (Method::PUT, "/policy", json!({ "profile": "klingon" }), 400),
        (Method::PUT, "/policy", json!({ "fields": { "team": "a[" } }), 400),
        (Method::PUT, "/policy", json!({ "unknown": 1 }), 400),
        (Method::PUT, "/policy", json!([]), 400),
        (Method::POST, "/credentials", json!({ "kind": "wish" }), 400),
        (Method::POST, "/credentials", json!({ "kind": "client_secret", "years": 9 }), 400),
        (Method::POST, "/credentials/rotate", json!({ "grace_hours": 9_999 }), 400),
        (Method::POST, "/attributes", json!({ "schema": "x", "name": "y", "type": "z" }), 400),
        (Method::POST, "/records/nothing/replay", json!({}), 404),
        (Method::DELETE, "/credentials/nothing", json!({}), 404),
        (Method::PATCH, "/policy", json!({}), 404),
        (Method::GET, "/nothing", json!({}), 404),
    ] {
        let answer = program.ask(method.clone(), path, Some(body)).await;

        assert_eq!(answer.status, status, "{method} {path}: {}", answer.body);
        assert!(answer.json()["error_description"].is_string(), "{method} {path}");
    }
    assert_eq!(program.ask(Method::GET, "/records?outcome=odd", None).await.status, 400);
}
