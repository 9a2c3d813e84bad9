//! The whole code flow over HTTP, as a browser and a relying party walk it.

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

#[tokio::test(flavor = "multi_thread")]
async fn a_person_signs_in_with_a_password_and_the_application_gets_an_id_token() {
    let scene = Scene::begin();

    let picker = scene.authorize("").await;
    let password = scene.post_login("", &[("login", "ada@acme.example")]).await;
    let back = scene.sign_in("ada@acme.example").await;
    let code = back.parameter("code").unwrap();
    let tokens = scene.redeem(&code, ("", None)).await.json();

    assert!(picker.body.contains("Pick an account") && picker.body.contains("Ada Admin"));
    assert!(password.body.contains("Enter password"));
    assert_eq!(back.parameter("state").as_deref(), Some("s1"));
    let token = tokens["id_token"].as_str().unwrap();
    let (head, claims) = Scene::read(token);
    assert_eq!((&head["alg"], &head["typ"]), (&json!("RS256"), &json!("JWT")));
    assert_eq!(claims["iss"], scene.tenant.authority());
    assert_eq!(claims["aud"], scene.application.client_id.to_string());
    assert_eq!(claims["tid"], scene.tenant.id().to_string());
    let ada = scene.tenant.person("ada@acme.example").unwrap();
    assert_eq!(claims["oid"], ada.oid.to_string());
    assert_eq!(claims["nonce"], "n1");
    assert_eq!(claims["roles"], json!(["Admin"]));
    assert_eq!(claims["sid"], back.parameter("session_state").unwrap());
    assert_eq!(claims.get("email"), None);
    assert!(scene.confirms(token).await);
    scene.simulator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_signed_in_passes_without_a_page_until_signed_out() {
    let scene = Scene::begin();
    let before = scene.authorize("&prompt=none").await;
    scene.sign_in("ada@acme.example").await;

    let silent = scene.authorize("&prompt=none").await;
    let asked_again = scene.authorize("&prompt=login&login_hint=ada@acme.example").await;
    let path = "oauth2/v2.0/logout?state=bye&post_logout_redirect_uri=";
    let out = scene.get(&format!("{path}http%3A%2F%2Flocalhost%3A8080%2Fcallback")).await;
    let after = scene.authorize("&prompt=none").await;

    assert_eq!(before.parameter("error").as_deref(), Some("login_required"));
    assert!(silent.parameter("code").is_some());
    assert!(asked_again.body.contains("Enter password"));
    assert_eq!(out.location.as_deref(), Some("http://localhost:8080/callback?state=bye"));
    assert_eq!(after.parameter("error").as_deref(), Some("login_required"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_redeemed_only_by_who_may_and_only_once() {
    let scene = Scene::begin();
    let wrong = "wrong".repeat(10);
    let cases = [
        (("client_secret", Some("wrong")), 401, 7_000_215),
        (("client_secret", None), 401, 7_000_218),
        (("client_id", Some("00000000-0000-4000-8000-000000000000")), 400, 700_016),
        (("redirect_uri", Some("http://localhost:8080/other")), 401, 500_112),
        (("code_verifier", Some(&*wrong)), 400, 501_481),
        (("code_verifier", None), 400, 50148),
        (("grant_type", Some("password")), 400, 70003),
        (("code", Some("1.nonsense")), 400, 9_002_313),
    ];

    for (change, status, error) in cases {
        let refused = scene.redeem(&scene.code().await, change).await;

        assert_eq!((refused.status, refused.error_code()), (status, json!(error)), "{change:?}");
    }
    let code = scene.code().await;
    assert_eq!(scene.redeem(&code, ("", None)).await.status, 200);
    assert_eq!(scene.redeem(&code, ("", None)).await.error_code(), 54005);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_expires_after_ten_minutes() {
    let scene = Scene::begin();
    let code = scene.code().await;

    scene.simulator.entra.clock.advance(jiff::SignedDuration::from_mins(10));

    assert_eq!(scene.redeem(&code, ("", None)).await.error_code(), 70008);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_public_client_sends_no_secret_and_its_loopback_port_does_not_matter() {
    let scene = Scene::begin();
    let client_id = scene.application.client_id;
    let uri = "http://127.0.0.1/app";
    scene.tenant.register_redirect_uri(client_id, uri, Platform::PublicClient).unwrap();
    scene.sign_in("ada@acme.example").await;
    let other = "http%3A%2F%2F127.0.0.1%3A49152%2Fapp";
    let query = scene.query("").replace("http%3A%2F%2Flocalhost%3A8080%2Fcallback", other);
    let path = format!("oauth2/v2.0/authorize?{query}");
    let code = scene.get(&path).await.parameter("code").unwrap();
    let client_id = client_id.to_string();
    let secret = scene.application.secrets[0].expose();
    let url = scene.endpoint("oauth2/v2.0/token");
    let mut form = vec![
        ("grant_type", "authorization_code"),
        ("client_id", &client_id),
        ("code", &code),
        ("redirect_uri", "http://127.0.0.1:49152/app"),
        ("code_verifier", VERIFIER),
        ("client_secret", secret),
    ];

    let with_secret = scene.send(scene.http.post(&url).form(&form)).await;
    form.pop();
    let without = scene.send(scene.http.post(&url).form(&form)).await;

    assert_eq!(with_secret.error_code(), 700_025);
    assert_eq!(without.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn entra_stops_on_its_own_page_when_it_cannot_trust_the_way_back() {
    let scene = Scene::begin();
    let query = scene.query("");
    let id = scene.application.client_id.to_string();
    let tenant = scene.tenant.id().to_string();
    let cases = [
        (query.replace("callback", "other"), &*tenant, "AADSTS50011"),
        (query.replace(&id, "00000000-0000-4000-8000-000000000000"), &tenant, "AADSTS700016"),
        (query.clone(), "nobody.example", "AADSTS90002"),
        (query.clone(), "common", "AADSTS50194"),
        (format!("{query}&state=again"), &tenant, "AADSTS9000411"),
    ];

    for (query, tenant, error) in cases {
        let origin = scene.simulator.origin();
        let url = format!("{origin}/{tenant}/oauth2/v2.0/authorize?{query}");
        let stopped = scene.send(scene.http.get(url)).await;

        assert_eq!((stopped.status, stopped.location), (400, None), "{error}");
        assert!(stopped.body.contains(error), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_password_page_says_what_is_wrong_and_an_unassigned_person_is_sent_back() {
    let scene = Scene::begin();
    let client_id = scene.application.client_id;
    scene.tenant.change_application(client_id, |a| a.app_role_assignment_required = true);
    let dora = scene.tenant.person("dora@acme.example").unwrap();

    let wrong = [("login", "ada@acme.example"), ("passwd", "wrong")];
    let wrong = scene.post_login("", &wrong).await;
    let disabled = [("login", "dora@acme.example"), ("passwd", dora.password.expose())];
    let disabled = scene.post_login("", &disabled).await;
    let unassigned = scene.sign_in("nona@acme.example").await;

    assert!(wrong.body.contains("AADSTS50126"));
    assert!(disabled.body.contains("AADSTS50057"));
    assert_eq!(unassigned.parameter("error").as_deref(), Some("access_denied"));
    assert!(unassigned.parameter("error_description").unwrap().starts_with("AADSTS50105"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_changes_one_thing_and_goes_when_it_is_cleared() {
    let scene = Scene::begin();
    let control = format!("{}/control/fault", scene.simulator.origin());
    let set = |name: &'static str| scene.http.post(&control).form(&[("name", name)]);

    assert_eq!(scene.send(set("no-such-fault")).await.status, 400);
    assert_eq!(scene.send(set("wrong-nonce")).await.status, 204);
    let faulty = scene.redeem(&scene.code().await, ("", None)).await.json();
    assert_eq!(scene.send(set("")).await.status, 204);
    let sound = scene.redeem(&scene.code().await, ("", None)).await.json();

    let nonce =
        |tokens: &Value| Scene::read(tokens["id_token"].as_str().unwrap()).1["nonce"].clone();
    assert_eq!((nonce(&faulty), nonce(&sound)), (json!("n11"), json!("n1")));
    assert_eq!(scene.simulator.faults().current(), None);
}

/// The names of the claims in which two tokens differ, but for those that are always new.
fn differences(sound: &Value, faulty: &Value) -> Vec<String> {
    let [sound, faulty] = [sound, faulty].map(|claims| claims.as_object().unwrap());
    let mut names: Vec<String> = sound.keys().chain(faulty.keys()).cloned().collect();
    names.sort();
    names.dedup();
    names.retain(|name| sound.get(name) != faulty.get(name) && name != "rh" && name != "uti");
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_of_the_claims_changes_those_that_it_names_and_no_other() {
    let scene = Scene::begin();
    let cases: [(Fault, &[&str]); 29] = [
        (Fault::WrongIss, &["iss"]),
        (Fault::IssAsArray, &["iss"]),
        (Fault::MissingSub, &["sub"]),
        (Fault::EmptySub, &["sub"]),
        (Fault::MissingAud, &["aud"]),
        (Fault::WrongAud, &["aud"]),
        (Fault::UntrustedSecondAud, &["aud"]),
        (Fault::AudAsArray, &["aud"]),
        (Fault::WrongAzp, &["azp"]),
        (Fault::MissingIat, &["iat"]),
        (Fault::IatInTheFuture, &["iat"]),
        (Fault::IatLongAgo, &["iat", "nbf"]),
        (Fault::Expired, &["exp", "iat"]),
        (Fault::MissingExp, &["exp"]),
        (Fault::ExpAsText, &["exp"]),
        (Fault::NotYetValid, &["nbf"]),
        (Fault::WrongNonce, &["nonce"]),
        (Fault::MissingNonce, &["nonce"]),
        (Fault::WrongAtHash, &["at_hash"]),
        (Fault::WrongTid, &["tid"]),
        (Fault::MissingTid, &["tid"]),
        (Fault::MissingOid, &["oid"]),
        (Fault::V1Token, &["iss", "preferred_username", "unique_name", "ver"]),
        (Fault::RolesAsText, &["roles"]),
        (Fault::UnknownRole, &["roles"]),
        (Fault::RolesElsewhere, &["_claim_names", "_claim_sources", "roles"]),
        (Fault::Unsigned, &[]),
        (Fault::TypAtJwt, &[]),
        (Fault::TokenTypeLowercase, &[]),
    ];
    let claims = async |fault| {
        scene.simulator.faults().set(fault);
        let tokens = scene.redeem(&scene.code().await, ("", None)).await.json();
        Scene::read(tokens["id_token"].as_str().unwrap()).1
    };
    let sound = claims(None).await;

    for (fault, names) in cases {
        let faulty = claims(Some(fault)).await;

        assert_eq!(differences(&sound, &faulty), names, "{fault}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_leaves_the_simulator_answering() {
    let scene = Scene::begin();
    let slow = [Fault::Slow, Fault::SlowDiscovery];

    for fault in Fault::ALL.iter().filter(|fault| !slow.contains(fault)) {
        scene.simulator.faults().set(None);
        let code = scene.code().await;
        scene.simulator.faults().set(Some(*fault));
        let statuses = [
            scene.get("v2.0/.well-known/openid-configuration").await.status,
            scene.get("discovery/v2.0/keys").await.status,
            scene.authorize("&prompt=none").await.status,
            scene.redeem(&code, ("", None)).await.status,
        ];

        let expected = [200, 307, 302, 503];
        assert!(statuses.iter().all(|status| expected.contains(status)), "{fault} {statuses:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn consent_is_asked_for_on_request_and_may_be_declined() {
    let scene = Scene::begin();
    scene.sign_in("ada@acme.example").await;

    let page = scene.authorize("&prompt=consent").await;
    let answer = async |consent| {
        let form = [("login", "ada@acme.example"), ("consent", consent)];
        scene.post_login("&prompt=consent", &form).await
    };
    let [accepted, declined] = [answer("accept").await, answer("cancel").await];

    assert!(page.body.contains("Permissions requested"));
    assert!(accepted.parameter("code").is_some());
    assert_eq!(declined.parameter("error").as_deref(), Some("access_denied"));
    assert!(declined.parameter("error_description").unwrap().starts_with("AADSTS65004"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_always_asked_for_when_the_application_wants_a_new_sign_in() {
    let scene = Scene::begin();
    scene.sign_in("ada@acme.example").await;

    let chosen = scene.post_login("&prompt=login", &[("login", "ada@acme.example")]).await;
    let picked = scene.post_login("&prompt=select_account", &[("login", "ada@acme.example")]).await;

    assert!(chosen.body.contains("Enter password"));
    assert!(picked.parameter("code").is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn names_and_messages_on_the_pages_are_escaped() {
    let scene = Scene::begin();
    let nasty = "<script>alert(1)</script>";

    let page = scene.post_login("", &[("login", nasty)]).await;

    assert!(page.body.contains("AADSTS50034") && !page.body.contains("<script>"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_signature_is_one_that_the_published_keys_do_not_confirm() {
    let scene = Scene::begin();

    for fault in [Fault::BadSignature, Fault::StrangersSignature, Fault::MissingSignature] {
        scene.simulator.faults().set(Some(fault));
        let tokens = scene.redeem(&scene.code().await, ("", None)).await.json();

        assert!(!scene.confirms(tokens["id_token"].as_str().unwrap()).await, "{fault}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_rotated_before_signing_are_found_by_whoever_fetches_again() {
    let scene = Scene::begin();
    let before = scene.get("discovery/v2.0/keys").await.body;
    scene.simulator.faults().set(Some(Fault::KeysRotatedBeforeSigning));

    let tokens = scene.redeem(&scene.code().await, ("", None)).await.json();

    let token = tokens["id_token"].as_str().unwrap();
    let kid = Scene::read(token).0["kid"].as_str().unwrap().to_owned();
    assert!(!before.contains(&kid));
    assert!(scene.confirms(token).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_discovery_document_is_found_by_id_by_domain_and_as_a_template() {
    let scene = Scene::begin();
    let origin = scene.simulator.origin();
    let cases = [
        (scene.tenant.id().to_string(), scene.tenant.authority()),
        ("acme.example".to_owned(), scene.tenant.authority()),
        ("common".to_owned(), format!("{origin}/{{tenantid}}/v2.0")),
    ];

    for (name, issuer) in cases {
        let url = format!("{origin}/{name}/v2.0/.well-known/openid-configuration");
        let document = scene.send(scene.http.get(url)).await.json();

        assert_eq!(document["issuer"], issuer, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn form_post_and_fragment_carry_the_same_answer() {
    let scene = Scene::begin();
    scene.sign_in("ada@acme.example").await;

    let form = scene.authorize("&response_mode=form_post").await.body;
    let fragment = scene.authorize("&response_mode=fragment").await.location.unwrap();

    assert!(form.contains(r#"<input type="hidden" name="state" value="s1">"#), "{form}");
    assert!(form.contains(r#"<form method="post" action="http://localhost:8080/callback">"#));
    assert!(fragment.starts_with("http://localhost:8080/callback#code=1."), "{fragment}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_token_gives_new_tokens_until_the_account_is_disabled() {
    let scene = Scene::begin();
    let ada = scene.tenant.person("ada@acme.example").unwrap();
    let query = scene.query("").replace("profile", "profile%20offline_access");
    let url = scene.endpoint(&format!("oauth2/v2.0/login?{query}"));
    let form = [("login", "ada@acme.example"), ("passwd", ada.password.expose())];
    let back = scene.send(scene.http.post(url).form(&form)).await;
    let code = back.parameter("code").unwrap();
    let tokens = scene.redeem(&code, ("", None)).await.json();
    let refresh = async || {
        let client_id = scene.application.client_id.to_string();
        let form = [
            ("grant_type", "refresh_token"),
            ("client_id", &client_id),
            ("client_secret", scene.application.secrets[0].expose()),
            ("refresh_token", tokens["refresh_token"].as_str().unwrap()),
        ];
        scene.send(scene.http.post(scene.endpoint("oauth2/v2.0/token")).form(&form)).await
    };

    let before = refresh().await;
    scene.tenant.change_person(ada.oid, |ada| ada.account_enabled = false);
    let after = refresh().await;

    assert!(before.json()["id_token"].is_string());
    assert_eq!(after.error_code(), 50057);
}

#[tokio::test]
async fn it_listens_beyond_the_own_machine_only_when_told() {
    let options = |allow_non_loopback| SimulatorOptions {
        bind: ([0, 0, 0, 0], 0).into(),
        allow_non_loopback,
        tenants: Vec::new(),
        clock: Clock::system(),
    };

    let refused = SimulatedEntra::start(options(false));
    let allowed = SimulatedEntra::start(options(true));

    assert!(matches!(refused, Err(StartError::NotLoopback(_))));
    assert!(allowed.unwrap().origin().starts_with("http://127.0.0.1:"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_applications_are_told_by_sid_when_a_session_ends() {
    let scene = Scene::begin();
    let url = "http://localhost:8080/frontchannel-logout";
    scene.tenant.change_application(scene.application.client_id, |application| {
        application.front_channel_logout_url = Some(url.into());
    });
    let sid = scene.sign_in("ada@acme.example").await.parameter("session_state").unwrap();

    let page = scene.get("oauth2/v2.0/logout").await;

    assert!(page.body.contains(&format!(r#"src="{url}?sid={sid}""#)), "{}", page.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_has_an_email_and_another_home() {
    let scene = Scene::begin();

    let code = scene.sign_in("gil@guests.example").await.parameter("code").unwrap();
    let tokens = scene.redeem(&code, ("", None)).await.json();

    let claims = Scene::read(tokens["id_token"].as_str().unwrap()).1;
    assert_eq!(claims["email"], "gil@guests.example");
    assert_eq!(claims["preferred_username"], "gil@guests.example");
    assert_ne!(claims["idp"], claims["iss"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replaced_secret_works_and_the_old_one_does_not() {
    let scene = Scene::begin();
    let code = scene.code().await;

    scene.tenant.set_secret(scene.application.client_id, Secret::new("new"));

    assert_eq!(scene.redeem(&code, ("", None)).await.error_code(), 7_000_215);
    assert_eq!(scene.redeem(&code, ("client_secret", Some("new"))).await.status, 200);
}
