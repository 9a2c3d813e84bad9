//! The whole code flow over HTTP, as a browser and a relying party walk it.

mod faults;
mod sign_in;
mod token;

use std::sync::Mutex;

use actix_web::http::header;
use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::Value;
use url::Url;

use super::*;

use crate::domain::secret::Secret;

const REDIRECT_URI: &str = "http://localhost:8080/callback";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// A tenant with Portico registered, a browser that keeps cookies, and a relying party.
struct Scene {
    simulator: SimulatedEntra,
    tenant: SimulatedTenant,
    application: Application,
    http: reqwest::Client,
    cookie: Mutex<Option<String>>,
}

/// An answer: status, `Location`, body.
struct Answer {
    status: u16,
    location: Option<String>,
    body: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    fn error_code(&self) -> Value {
        self.json()["error_codes"][0].clone()
    }

    /// A parameter of the address to which the browser is sent.
    fn parameter(&self, name: &str) -> Option<String> {
        let location = Url::parse(self.location.as_deref()?).unwrap();
        let found = location.query_pairs().find(|(key, _)| key == name);
        found.map(|(_, value)| value.into_owned())
    }
}

impl Scene {
    fn begin() -> Self {
        let options = SimulatorOptions {
            bind: ([127, 0, 0, 1], 0).into(),
            allow_non_loopback: false,
            tenants: vec![TenantSeed::sample("acme")],
            clock: Clock::stopped_at("2026-11-21T12:00:00Z".parse().unwrap()),
        };
        let simulator = SimulatedEntra::start(options).unwrap();
        let tenant = simulator.tenants().remove(0);
        let application = tenant.applications().remove(0);
        tenant.register_redirect_uri(application.client_id, REDIRECT_URI, Platform::Web).unwrap();
        #[expect(clippy::disallowed_methods, reason = "a test calls the simulator as a stranger")]
        let builder = reqwest::Client::builder();
        let http = builder.no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { simulator, tenant, application, http, cookie: Mutex::default() }
    }

    fn endpoint(&self, path: &str) -> String {
        format!("{}/{}/{path}", self.simulator.origin(), self.tenant.id())
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        let cookie = self.cookie.lock().unwrap().clone();
        let request = match cookie {
            Some(cookie) => request.header(header::COOKIE.as_str(), cookie),
            None => request,
        };
        let response = request.send().await.unwrap();
        let text = |name| response.headers().get(name).map(|v| v.to_str().unwrap().to_owned());
        if let Some(cookie) = text("set-cookie") {
            let pair = cookie.split(';').next().unwrap().to_owned();
            *self.cookie.lock().unwrap() = Some(pair);
        }
        let (status, location) = (response.status().as_u16(), text("location"));
        Answer { status, location, body: response.text().await.unwrap() }
    }

    async fn get(&self, path: &str) -> Answer {
        self.send(self.http.get(self.endpoint(path))).await
    }

    fn query(&self, more: &str) -> String {
        format!(
            "client_id={}&redirect_uri=http%3A%2F%2Flocalhost%3A8080%2Fcallback&response_type=code\
             &scope=openid%20profile&state=s1&nonce=n1&code_challenge={CHALLENGE}\
             &code_challenge_method=S256{more}",
            self.application.client_id
        )
    }

    async fn authorize(&self, more: &str) -> Answer {
        self.get(&format!("oauth2/v2.0/authorize?{}", self.query(more))).await
    }

    async fn post_login(&self, more: &str, form: &[(&str, &str)]) -> Answer {
        let url = self.endpoint(&format!("oauth2/v2.0/login?{}", self.query(more)));
        self.send(self.http.post(url).form(form)).await
    }

    async fn sign_in(&self, login: &str) -> Answer {
        let password = self.tenant.person(login).unwrap().password;
        self.post_login("", &[("login", login), ("passwd", password.expose())]).await
    }

    async fn redeem(&self, code: &str, change: (&str, Option<&str>)) -> Answer {
        let client_id = self.application.client_id.to_string();
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("client_id", &client_id),
            ("client_secret", self.application.secrets[0].expose()),
            ("code", code),
            ("redirect_uri", REDIRECT_URI),
            ("code_verifier", VERIFIER),
        ];
        form.retain(|(name, _)| *name != change.0);
        form.extend(change.1.map(|value| (change.0, value)));
        self.send(self.http.post(self.endpoint("oauth2/v2.0/token")).form(&form)).await
    }

    /// The code of a fresh sign-in.
    async fn code(&self) -> String {
        self.sign_in("ada@acme.example").await.parameter("code").unwrap()
    }

    /// Header and claims of a token.
    fn read(token: &str) -> (Value, Value) {
        let part = |part: &str| {
            serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
        };
        let mut parts = token.split('.');
        (part(parts.next().unwrap()), part(parts.next().unwrap()))
    }

    /// Whether the published key of the token's `kid` confirms its signature.
    async fn confirms(&self, token: &str) -> bool {
        let keys = self.get("discovery/v2.0/keys").await.json();
        let kid = Self::read(token).0["kid"].clone();
        let keys = keys["keys"].as_array().unwrap();
        let key = keys.iter().find(|key| key["kid"] == kid).unwrap();
        let bytes = |text: &str| BASE64_URL_SAFE_NO_PAD.decode(text).unwrap();
        let public = RsaPublicKeyComponents {
            n: bytes(key["n"].as_str().unwrap()),
            e: bytes(key["e"].as_str().unwrap()),
        };
        let (input, signature) = token.rsplit_once('.').unwrap();
        public.verify(&RSA_PKCS1_2048_8192_SHA256, input.as_bytes(), &bytes(signature)).is_ok()
    }
}
