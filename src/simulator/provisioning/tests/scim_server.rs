//! A small SCIM server on loopback that keeps what it is sent.

use std::{
    net::TcpListener,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer,
    http::header,
    web::{self, Data},
};
use serde_json::{Value, json};

use super::super::path::Path;

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct Received {
    pub method: String,
    /// The address below `/scim/v2/`, with its query decoded.
    pub address: String,
    pub headers: Vec<(String, String)>,
    pub body: Value,
}

impl Received {
    /// `PATCH Users/1`.
    pub fn line(&self) -> String {
        format!("{} {}", self.method, self.address)
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// What the server says to requests whose line and body contain a text, instead of serving them.
#[derive(Clone, Debug)]
pub struct Refusal {
    pub to: &'static str,
    pub status: u16,
    pub body: Value,
    pub retry_after: Option<u64>,
    /// How often; `None` for always.
    pub times: Option<usize>,
}

/// The server.
#[derive(Default)]
pub struct ScimServer {
    pub users: Mutex<Vec<Value>>,
    pub groups: Mutex<Vec<Value>>,
    received: Mutex<Vec<Received>>,
    refusals: Mutex<Vec<Refusal>>,
    /// How long every PATCH takes.
    pub slowness: Mutex<Duration>,
    patches_under_way: AtomicUsize,
    pub most_patches_under_way: AtomicUsize,
    /// How many access tokens were fetched; only the latest is valid.
    pub tokens: AtomicUsize,
}

impl ScimServer {
    pub fn start() -> (Data<Self>, String) {
        let server = Data::new(Self::default());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/scim/v2", listener.local_addr().unwrap());
        let shared = server.clone();
        let app = move || App::new().app_data(shared.clone()).default_service(web::to(answer));
        let running = HttpServer::new(app).workers(1).disable_signals().listen(listener).unwrap();
        tokio::spawn(running.run());
        (server, url)
    }

    /// What was received since the last time, in order.
    pub fn take(&self) -> Vec<Received> {
        std::mem::take(&mut *self.received.lock().unwrap())
    }

    pub fn refuse(&self, to: &'static str, status: u16, detail: &str) {
        let body = json!({ "status": status.to_string(), "detail": detail });
        self.say(Refusal { to, status, body, retry_after: None, times: None });
    }

    pub fn say(&self, refusal: Refusal) {
        self.refusals.lock().unwrap().push(refusal);
    }

    pub fn serve_all(&self) {
        self.refusals.lock().unwrap().clear();
    }

    /// The user or group of that id.
    pub fn resource(&self, id: &str) -> Option<Value> {
        let users = self.users.lock().unwrap().clone();
        let groups = self.groups.lock().unwrap().clone();
        users.into_iter().chain(groups).find(|resource| resource["id"] == id)
    }

    /// The ids of a group's members, sorted.
    pub fn members(&self, group: &str) -> Vec<String> {
        let group = self.resource(group).unwrap();
        let members = group["members"].as_array().into_iter().flatten();
        let mut ids: Vec<_> = members.map(|m| m["value"].as_str().unwrap().to_owned()).collect();
        ids.sort();
        ids
    }

    fn refusal(&self, request: &Received) -> Option<HttpResponse> {
        let mut refusals = self.refusals.lock().unwrap();
        let said = format!("{} {}", request.line(), request.body);
        let index = refusals.iter().position(|refusal| said.contains(refusal.to))?;
        let refusal = refusals[index].clone();
        match &mut refusals[index].times {
            Some(1) => drop(refusals.remove(index)),
            Some(times) => *times -= 1,
            None => {}
        }
        let mut response = HttpResponse::build(refusal.status.try_into().unwrap());
        if let Some(seconds) = refusal.retry_after {
            response.insert_header((header::RETRY_AFTER, seconds.to_string()));
        }
        Some(response.json(refusal.body))
    }

    async fn serve(&self, request: &Received) -> HttpResponse {
        let (path, query) = request.address.split_once('?').unwrap_or((&request.address, ""));
        let (kind, id) = path.split_once('/').unwrap_or((path, ""));
        let resources = if kind == "Users" { &self.users } else { &self.groups };
        match request.method.as_str() {
            "GET" if id.is_empty() => list(&resources.lock().unwrap(), query),
            "POST" => create(&mut resources.lock().unwrap(), kind, &request.body),
            "PATCH" => {
                let under_way = self.patches_under_way.fetch_add(1, Ordering::SeqCst) + 1;
                self.most_patches_under_way.fetch_max(under_way, Ordering::SeqCst);
                let slowness = *self.slowness.lock().unwrap();
                tokio::time::sleep(slowness).await;
                self.patches_under_way.fetch_sub(1, Ordering::SeqCst);
                patch(&mut resources.lock().unwrap(), id, &request.body)
            }
            "GET" => match self.resource(id) {
                Some(found) => HttpResponse::Ok().json(without_members(found)),
                None => not_found(),
            },
            _ => delete(&mut resources.lock().unwrap(), id),
        }
    }
}

async fn answer(server: Data<ScimServer>, request: HttpRequest, body: String) -> HttpResponse {
    if request.path() == "/token" {
        let known = body.contains("client_id=c-1&client_secret=s-1");
        let number = server.tokens.fetch_add(1, Ordering::SeqCst) + 1;
        let token = known.then(|| format!("t-{number}"));
        return HttpResponse::Ok().json(json!({ "access_token": token, "expires_in": 3600 }));
    }
    let valid = format!("Bearer t-{}", server.tokens.load(Ordering::SeqCst).max(1));
    let received = received(&request, &body);
    let is_known = received.header("authorization") == Some(&valid);
    if !is_known {
        return HttpResponse::Unauthorized().finish();
    }
    server.received.lock().unwrap().push(received.clone());
    match server.refusal(&received) {
        Some(refusal) => refusal,
        None => server.serve(&received).await,
    }
}

fn received(request: &HttpRequest, body: &str) -> Received {
    let path = request.path().trim_start_matches("/scim/v2/").to_owned();
    let query = url::form_urlencoded::parse(request.query_string().as_bytes());
    let query: Vec<String> = query
        .map(|(name, value)| if value.is_empty() { name.into() } else { format!("{name}={value}") })
        .collect();
    let separator = if query.is_empty() { "" } else { "?" };
    let headers = request.headers().iter();
    Received {
        method: request.method().to_string(),
        address: format!("{path}{separator}{}", query.join("&")),
        headers: headers
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect(),
        body: serde_json::from_str(body).unwrap_or_default(),
    }
}

fn list(resources: &[Value], query: &str) -> HttpResponse {
    let filter = query.split_once("filter=").unwrap().1;
    let (path, value) = filter.rsplit_once(" eq ").unwrap();
    let value: Value = serde_json::from_str(value).unwrap();
    let matching = resources.iter().filter(|one| Path::parse(path).find(one) == Some(&value));
    let matching: Vec<Value> = matching.cloned().map(without_members).collect();
    HttpResponse::Ok().json(json!({ "totalResults": matching.len(), "Resources": matching }))
}

fn create(resources: &mut Vec<Value>, kind: &str, body: &Value) -> HttpResponse {
    let mut created = body.clone();
    created["id"] = json!(format!("{}{}", &kind[..1].to_lowercase(), resources.len() + 1));
    resources.push(created.clone());
    HttpResponse::Created().json(created)
}

fn patch(resources: &mut [Value], id: &str, body: &Value) -> HttpResponse {
    let Some(resource) = resources.iter_mut().find(|resource| resource["id"] == id) else {
        return not_found();
    };
    for operation in body["Operations"].as_array().unwrap() {
        apply(resource, operation);
    }
    HttpResponse::NoContent().finish()
}

fn apply(resource: &mut Value, operation: &Value) {
    let removes = operation["op"].as_str().unwrap().eq_ignore_ascii_case("remove");
    match (operation["path"].as_str(), removes) {
        (Some("members"), false) => {
            let added = operation["value"].as_array().unwrap().clone();
            if !resource["members"].is_array() {
                resource["members"] = json!([]);
            }
            let members = resource["members"].as_array_mut().unwrap();
            for member in added {
                members.retain(|known| known["value"] != member["value"]);
                members.push(member);
            }
        }
        (Some(path), true) if path.starts_with("members") => {
            let listed = operation["value"].to_string() + path;
            let members = resource["members"].as_array_mut().unwrap();
            members.retain(|known| !listed.contains(&known["value"].to_string()));
        }
        (Some("active"), _) => {
            let value = &operation["value"];
            resource["active"] = json!(value == "True" || *value == json!(true));
        }
        (Some(path), false) => Path::parse(path).put(resource, operation["value"].clone()),
        (Some(path), true) => Path::parse(path).put(resource, Value::Null),
        (None, _) => {
            for (path, value) in operation["value"].as_object().unwrap() {
                Path::parse(path).put(resource, value.clone());
            }
        }
    }
}

fn delete(resources: &mut Vec<Value>, id: &str) -> HttpResponse {
    let before = resources.len();
    resources.retain(|resource| resource["id"] != id);
    if resources.len() == before { not_found() } else { HttpResponse::NoContent().finish() }
}

fn without_members(mut resource: Value) -> Value {
    resource.as_object_mut().unwrap().remove("members");
    resource
}

fn not_found() -> HttpResponse {
    HttpResponse::NotFound().json(json!({ "status": "404", "detail": "not here" }))
}
