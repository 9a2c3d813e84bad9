//! A directory proves who it is: by its Password, by an access token for a client secret, or by its
//! tenant's word.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use jiff::SignedDuration;
use portico::{
    domain::{
        audit_event::Actor,
        connector::{Connector, FederatedIdentity},
        id::CredentialId,
        organization::Edition,
        secret::Secret,
    },
    service::{
        connectors::{self, NewConnector},
        scim_credentials::{Error, GRACE, IssuedCredential, Keyring},
    },
    simulator::{Mapping, ProvisioningJob, ScimCredential, ScimTarget},
};

use crate::support::{Answer, Ask, Credential, Directory, Options, Organization, Service, Terms};

mod by_its_tenants_word;
mod log;

const GRANT: (&str, &str) = ("grant_type", "client_credentials");

async fn acme() -> (Service, Organization) {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    (service, acme)
}

/// The organization's credentials, in its operator's hands.
fn keyring<'a>(service: &'a Service, organization: &Organization) -> Keyring<'a> {
    Keyring {
        ports: service.ports(),
        organization_id: organization.stored.id,
        connector_id: organization.connector_id(),
        actor: Actor::Operator,
    }
}

async fn client_secret(service: &Service, organization: &Organization) -> IssuedCredential {
    keyring(service, organization).add_client_secret("", 2).await.unwrap()
}

/// A form to the token endpoint.
fn token_request(fields: &[(&str, &str)]) -> Ask {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Ask::post("/oauth/token").form(&fields.iter().map(owned).collect::<Vec<_>>())
}

fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}")))
}

async fn ask_for_token(service: &Service, organization: &Organization, secret: &Secret) -> Answer {
    let id = organization.connector_id().to_string();
    let fields = [GRANT, ("client_id", &id), ("client_secret", secret.expose())];
    service.ask(token_request(&fields)).await
}

/// A SCIM client with an access token, which it must get.
async fn with_token(service: &Service, organization: &Organization, secret: &Secret) -> Directory {
    let answer = ask_for_token(service, organization, secret).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    organization.scim().with(Credential::Bearer(access_token(&answer)))
}

fn access_token(answer: &Answer) -> String {
    answer.json()["access_token"].as_str().unwrap().to_owned()
}

async fn status(directory: &Directory) -> u16 {
    directory.get("/Users").await.status
}

fn days(days: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * days)
}

#[tokio::test]
async fn a_client_secret_is_exchanged_for_an_access_token_in_the_body_or_in_the_header() {
    let (service, acme) = acme().await;
    let secret = client_secret(&service, &acme).await.secret;
    let id = acme.connector_id().to_string();
    let in_body = [GRANT, ("client_id", &id), ("client_secret", secret.expose())];
    let with_scope = [in_body[0], in_body[1], in_body[2], ("scope", "scim")];

    for ask in [
        token_request(&in_body),
        token_request(&with_scope),
        token_request(&[GRANT]).header("authorization", basic(&id, secret.expose())),
        token_request(&in_body[..2]).header("authorization", basic(&id, secret.expose())),
    ] {
        let answer = service.ask(ask).await;

        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let body = answer.json();
        assert_eq!(body["token_type"], "Bearer");
        assert_eq!(body["expires_in"], 3600);
        assert_eq!(body["scope"], "scim");
        let directory = acme.scim().with(Credential::Bearer(access_token(&answer)));
        assert_eq!(status(&directory).await, 200);
    }
}

#[tokio::test]
async fn a_tenant_provisions_with_client_credentials() {
    let (service, acme) = acme().await;
    acme.has_person("ada", &["User"]);
    let credential = ScimCredential::ClientCredentials {
        token_url: format!("{}/oauth/token", service.origin),
        client_id: acme.connector_id().to_string(),
        client_secret: client_secret(&service, &acme).await.secret,
    };
    let target = ScimTarget { url: acme.scim().url, credential, feature_flag: true };
    let mut job = ProvisioningJob::new(target, Mapping::default());

    job.test_connection().await.unwrap();
    let log = job.cycle(&acme.tenant.directory(acme.client_id)).await;

    assert_eq!(log.failures().count(), 0);
    assert_eq!(acme.scim().get("/Users").await.json()["totalResults"], 1);
}

#[tokio::test]
async fn an_access_token_ends_when_it_said_it_would() {
    let options = Options { scim_token_minutes: Some(90), ..Options::default() };
    let service = Service::start_with(options).await;
    let acme = service.organization("acme").await;
    let secret = client_secret(&service, &acme).await.secret;

    let answer = ask_for_token(&service, &acme, &secret).await;
    let directory = acme.scim().with(Credential::Bearer(access_token(&answer)));

    assert_eq!(answer.json()["expires_in"], 90 * 60);
    service.advance(SignedDuration::from_mins(89));
    assert_eq!(status(&directory).await, 200);
    service.advance(SignedDuration::from_mins(1));
    assert_eq!(status(&directory).await, 401);
    assert_eq!(status(&with_token(&service, &acme, &secret).await).await, 200);
}

#[tokio::test]
async fn an_access_token_ends_with_its_credential() {
    let (service, acme) = acme().await;
    let issued = client_secret(&service, &acme).await;
    let other = client_secret(&service, &acme).await;
    let directory = with_token(&service, &acme, &issued.secret).await;
    let others = with_token(&service, &acme, &other.secret).await;

    keyring(&service, &acme).revoke(issued.credential.id).await.unwrap();

    assert_eq!(status(&directory).await, 401);
    assert_eq!(ask_for_token(&service, &acme, &issued.secret).await.status, 401);
    assert_eq!(status(&others).await, 200);

    service.advance(days(730) - SignedDuration::from_mins(10));
    let last = ask_for_token(&service, &acme, &other.secret).await;
    assert_eq!(last.json()["expires_in"], 600);
    service.advance(SignedDuration::from_mins(10));
    let last = acme.scim().with(Credential::Bearer(access_token(&last)));
    assert_eq!(status(&last).await, 401);
    assert_eq!(ask_for_token(&service, &acme, &other.secret).await.status, 401);
}

#[tokio::test]
async fn an_access_token_ends_with_its_connector() {
    let (service, acme) = acme().await;
    let secret = client_secret(&service, &acme).await.secret;
    let directory = with_token(&service, &acme, &secret).await;

    service.change_connector(&acme, |connector| connector.enabled = false).await;

    assert_eq!(status(&directory).await, 401);
    assert_eq!(ask_for_token(&service, &acme, &secret).await.status, 401);
}

#[tokio::test]
async fn an_edition_without_connectors_lets_no_directory_in() {
    let service = Service::start().await;
    let terms = Terms { edition: Edition::Standard, ..Terms::default() };
    let acme = service.organization_under("acme", terms).await;
    let secret = client_secret(&service, &acme).await.secret;

    assert_eq!(ask_for_token(&service, &acme, &secret).await.status, 401);
    assert_eq!(status(&acme.scim()).await, 401);
}

#[tokio::test]
async fn an_access_token_is_good_for_its_own_connector_and_for_nothing_else() {
    let (service, acme) = acme().await;
    let globex = service.organization("globex").await;
    let ada = acme.has_person("ada", &["EnterpriseAdmin"]);
    acme.provision().await;
    let secret = client_secret(&service, &acme).await.secret;
    let answer = ask_for_token(&service, &acme, &secret).await;
    let token = access_token(&answer);
    let bearer = Credential::Bearer(token.clone());

    assert_eq!(status(&globex.scim().with(bearer)).await, 401);
    let as_password = Credential::Basic(acme.connector.scim.user_name.clone(), token.clone());
    assert_eq!(status(&acme.scim().with(as_password)).await, 401);
    for path in ["/auth/check", "/session"] {
        let ask = Ask::get(path).header("authorization", format!("Bearer {token}"));
        assert_eq!(service.ask(ask).await.status, 401, "{path}");
    }

    let mut browser = service.browser();
    browser.sign_in(&acme, &ada).await;
    let platforms = access_token(&browser.ask(Ask::post("/session/token")).await);
    assert_eq!(status(&acme.scim().with(Credential::Bearer(platforms))).await, 401);
}

#[tokio::test]
async fn a_client_secret_is_no_password_and_a_password_no_client_secret() {
    let (service, acme) = acme().await;
    let secret = client_secret(&service, &acme).await.secret;
    let password = Secret::new(acme.scim_password.clone());

    let bearer = Credential::Bearer(secret.expose().to_owned());
    assert_eq!(status(&acme.scim().with(bearer)).await, 401);
    assert_eq!(ask_for_token(&service, &acme, &password).await.status, 401);
}

#[tokio::test]
async fn a_password_is_replaced_without_an_interruption() {
    let (service, acme) = acme().await;
    let keyring = keyring(&service, &acme);

    let new = keyring.rotate_password("spring", GRACE).await.unwrap();
    let renewed = acme.scim().with(Credential::Bearer(new.secret.expose().to_owned()));

    assert_eq!((status(&acme.scim()).await, status(&renewed).await), (200, 200));
    let third = keyring.add_password("", None).await;
    assert!(matches!(third, Err(Error::TwoPasswords)), "{third:?}");
    service.advance(GRACE);
    assert_eq!((status(&acme.scim()).await, status(&renewed).await), (401, 200));
    assert!(keyring.add_password("", None).await.is_ok());
}

#[tokio::test]
async fn of_two_passwords_a_rotation_ends_the_older_one_at_once() {
    let (service, acme) = acme().await;
    let keyring = keyring(&service, &acme);
    let until = service.clock.now() + days(1);
    let second = keyring.add_password("second", Some(until)).await.unwrap();

    let third = keyring.rotate_password("third", GRACE).await.unwrap();

    let mut client = acme.scim();
    assert_eq!(status(&client).await, 401);
    for issued in [&second, &third] {
        let password = issued.secret.expose().to_owned();
        client = client.with(Credential::Basic(acme.connector.scim.user_name.clone(), password));
        assert_eq!(status(&client).await, 200);
    }
    service.advance(days(1));
    let password = second.secret.expose().to_owned();
    assert_eq!(status(&client.with(Credential::Bearer(password))).await, 401);
}

#[tokio::test]
async fn what_a_directory_authenticates_with_is_listed_with_its_end_and_its_last_use() {
    let (mut service, acme) = acme().await;
    let issued = client_secret(&service, &acme).await;
    with_token(&service, &acme, &issued.secret).await;
    service.advance(SignedDuration::from_secs(59));
    let used_at = service.clock.now();
    assert_eq!(status(&acme.scim()).await, 200);

    service.restart().await;
    let listed = keyring(&service, &acme).list().await.unwrap();

    let labels: Vec<_> = listed.iter().map(|listed| &*listed.credential.label).collect();
    assert_eq!(labels, ["Password", "Client secret"]);
    let uses = [0, 1].map(|number: usize| listed[number].last_used_at);
    assert_eq!(uses, [Some(used_at), Some(used_at - SignedDuration::from_secs(59))]);
    let ends = [0, 1].map(|number: usize| listed[number].credential.expires_at);
    assert_eq!(ends, [None, Some(issued.credential.created_at + days(730))]);
}

#[tokio::test]
async fn every_change_of_credentials_is_in_the_audit_log_without_any_secret() {
    let (service, acme) = acme().await;
    let keyring = keyring(&service, &acme);

    let added = keyring.add_client_secret(" Entra ", 3).await.unwrap();
    let rotated = keyring.rotate_password("", GRACE).await.unwrap();
    keyring.revoke(added.credential.id).await.unwrap();

    let audited = service.audit(&acme).await;
    let actions: Vec<_> = audited[..3].iter().map(|event| &*event.action).collect();
    let expected = ["scim_credential.revoked", "scim_credential.rotated", "scim_credential.added"];
    assert_eq!(actions, expected);
    let details = &audited[2].details;
    assert_eq!(details["label"], "Entra");
    assert_eq!(details["kind"], "client_secret");
    assert_eq!(details["credential"], added.credential.id.to_string());
    let told = format!("{audited:?}");
    assert!(!told.contains(added.secret.expose()) && !told.contains(rotated.secret.expose()));
}

#[tokio::test]
async fn credentials_that_make_no_sense_are_refused() {
    let (service, acme) = acme().await;
    let globex = service.organization("globex").await;
    let keyring = keyring(&service, &acme);
    let now = service.clock.now();
    let long = "x".repeat(101);

    for refused in [
        keyring.add_client_secret("", 0).await,
        keyring.add_client_secret("", 4).await,
        keyring.add_client_secret(&long, 1).await,
        keyring.add_client_secret("two\nlines", 1).await,
        keyring.add_password("", Some(now)).await,
        keyring.rotate_password("", days(91)).await,
        keyring.rotate_password("", days(-1)).await,
    ] {
        assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
    }
    let unknown = keyring.revoke(CredentialId::generate()).await;
    assert!(matches!(unknown, Err(Error::NotFound)), "{unknown:?}");
    let others = Keyring { connector_id: globex.connector_id(), ..keyring };
    assert!(matches!(others.list().await, Err(Error::NotFound)));
    assert!(matches!(others.rotate_password("", GRACE).await, Err(Error::NotFound)));
    assert_eq!(status(&globex.scim()).await, 200);
}

#[tokio::test]
async fn eight_client_secrets_are_valid_at_once_and_no_more() {
    let (service, acme) = acme().await;
    for _ in 0..8 {
        client_secret(&service, &acme).await;
    }

    let ninth = keyring(&service, &acme).add_client_secret("", 1).await;

    assert!(matches!(ninth, Err(Error::Full)), "{ninth:?}");
    service.advance(days(730));
    assert!(keyring(&service, &acme).add_client_secret("", 1).await.is_ok());
}

/// The operator connects the organization once more, and provisioning gets another Password.
async fn reconnect(service: &Service, organization: &Organization, authority: String) {
    let existing = stored(service, organization).await;
    let new = NewConnector::new(
        existing.kind,
        authority,
        existing.client_id.clone(),
        existing.client_authentication.clone(),
    );
    connectors::renew(service.ports(), existing, new, Actor::Operator).await.unwrap();
}

async fn stored(service: &Service, organization: &Organization) -> Connector {
    let found = service.ports().store.find_connector(organization.connector_id()).await;
    found.unwrap().unwrap()
}

#[tokio::test]
async fn client_secrets_outlive_a_new_password_but_no_new_authority() {
    let (service, acme) = acme().await;
    let secret = client_secret(&service, &acme).await.secret;

    reconnect(&service, &acme, acme.tenant.authority()).await;
    assert_eq!(status(&acme.scim()).await, 401);
    let directory = with_token(&service, &acme, &secret).await;
    assert_eq!(status(&directory).await, 200);

    reconnect(&service, &acme, acme.tenant.authority().replace("/v2.0", "")).await;
    assert_eq!(status(&directory).await, 401);
    assert_eq!(ask_for_token(&service, &acme, &secret).await.status, 401);
    assert_eq!(stored(&service, &acme).await.scim.user_name, "scim-acme");
}

#[tokio::test]
async fn a_request_for_a_token_that_breaks_a_rule_is_refused_as_oauth_says() {
    let (service, acme) = acme().await;
    let secret = client_secret(&service, &acme).await.secret;
    let (id, secret) = (acme.connector_id().to_string(), secret.expose());
    let client = [("client_id", &*id), ("client_secret", secret)];
    let ask = |more: &[(&str, &str)]| token_request(&[&client[..], more].concat());
    let unknown = CredentialId::generate().to_string();
    let plain = Ask::post("/oauth/token").header("content-type", "application/json");
    let header = |ask: Ask, value: &str| ask.header("authorization", value);

    for (ask, status, error) in [
        (ask(&[]), 400, "invalid_request"),
        (ask(&[GRANT, GRANT]), 400, "invalid_request"),
        (ask(&[GRANT, ("client_secret", secret)]), 400, "invalid_request"),
        (ask(&[("grant_type", "password")]), 400, "unsupported_grant_type"),
        (ask(&[GRANT, ("scope", "openid")]), 400, "invalid_scope"),
        (header(ask(&[GRANT]), &basic(&id, secret)), 400, "invalid_request"),
        (
            header(header(token_request(&[GRANT]), &basic(&id, secret)), &basic(&id, secret)),
            400,
            "invalid_request",
        ),
        (plain.body("{}"), 400, "invalid_request"),
        (Ask::post("/oauth/token"), 400, "invalid_request"),
        (token_request(&[GRANT]), 401, "invalid_client"),
        (token_request(&[GRANT, client[0], ("client_secret", "wrong")]), 401, "invalid_client"),
        (token_request(&[GRANT, client[1], ("client_id", &unknown)]), 401, "invalid_client"),
        (token_request(&[GRANT, client[1], ("client_id", "acme")]), 401, "invalid_client"),
        (header(token_request(&[GRANT]), &basic(&id, "wrong")), 401, "invalid_client"),
        (header(token_request(&[GRANT]), &format!("Bearer {secret}")), 401, "invalid_client"),
        (header(token_request(&[GRANT]), "Basic %"), 401, "invalid_client"),
        (ask(&[GRANT, ("x", &"x".repeat(81 * 1024))]), 413, "invalid_request"),
    ] {
        let answer = service.ask(ask.clone()).await;

        assert_eq!((answer.status, &answer.json()["error"]), (status, &error.into()), "{ask:?}");
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let challenge = answer.header("www-authenticate").map(|text| text.starts_with("Basic "));
        assert_eq!(challenge, (status == 401).then_some(true));
        assert!(!answer.body.contains(secret));
    }
    let get = service.ask(Ask::get("/oauth/token")).await;
    assert_eq!(get.status, 405);
}

#[tokio::test]
async fn nothing_tells_which_connectors_there_are() {
    let (service, acme) = acme().await;
    let off = service.organization("globex").await;
    service.change_connector(&off, |connector| connector.enabled = false).await;
    let ids = [
        acme.connector_id().to_string(),
        off.connector_id().to_string(),
        CredentialId::generate().to_string(),
        "nonsense".to_owned(),
    ];

    let mut answers = Vec::new();
    for id in &ids {
        let fields = [GRANT, ("client_id", id), ("client_secret", "wrong")];
        let of_token = service.ask(token_request(&fields)).await;
        let url = acme.scim().url.replace(&ids[0], id);
        let bearer = Credential::Bearer("wrong".to_owned());
        let of_scim = Directory { url, credential: bearer }.get("/Users").await;
        let seen = |answer: &Answer| {
            let challenges = answer.headers.get_all("www-authenticate").iter().cloned();
            (answer.status, answer.body.clone(), challenges.collect::<Vec<_>>())
        };
        answers.push((seen(&of_token), seen(&of_scim)));
    }

    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    assert_eq!((answers[0].0.0, answers[0].1.0), (401, 401));
}

#[tokio::test]
async fn a_refusal_says_how_to_come_in_and_blames_a_token_only_if_there_was_one() {
    let (_service, acme) = acme().await;
    let basic = Credential::Basic("scim-acme".into(), "wrong".into());

    for (credential, blames) in [
        (Credential::None, false),
        (basic, false),
        (Credential::Bearer("wrong".into()), true),
        (Credential::Bearer("a.b.c".into()), true),
    ] {
        let answer = acme.scim().with(credential).get("/Users").await;

        let challenges: Vec<_> = answer.headers.get_all("www-authenticate").iter().collect();
        let [bearer, basic] = challenges[..] else { panic!("{challenges:?}") };
        let bearer = bearer.to_str().unwrap();
        assert!(bearer.starts_with(r#"Bearer realm="scim""#), "{bearer}");
        assert_eq!(bearer.contains(r#"error="invalid_token""#), blames, "{bearer}");
        assert!(basic.to_str().unwrap().starts_with(r#"Basic realm="scim""#));
        assert_eq!(answer.header("content-type"), Some("application/scim+json"));
        assert_eq!(answer.json()["schemas"][0], "urn:ietf:params:scim:api:messages:2.0:Error");
    }
}

#[tokio::test]
async fn a_credential_in_an_address_is_none() {
    let (service, acme) = acme().await;
    let secret = client_secret(&service, &acme).await.secret;
    let id = acme.connector_id().to_string();
    let nobody = acme.scim().with(Credential::None);
    let password = &acme.scim_password;

    for query in [format!("access_token={password}"), format!("password={password}")] {
        assert_eq!(nobody.get(&format!("/Users?{query}")).await.status, 401, "{query}");
    }
    let query = format!("client_id={id}&client_secret={}", secret.expose());
    let mut ask = token_request(&[GRANT]);
    ask.address = format!("/oauth/token?{query}&grant_type=client_credentials");
    assert_eq!(service.ask(ask).await.status, 401);
}

#[tokio::test]
async fn every_refusal_is_logged_once_with_its_connector_and_without_the_secret() {
    log::keep();
    let (service, acme) = acme().await;
    let id = acme.connector_id().to_string();
    let wrong = "a-wrong-secret-of-somebody";
    let lines = || log::lines(&id);

    acme.scim().with(Credential::Bearer(wrong.into())).get("/Users").await;
    acme.scim().with(Credential::Bearer(format!("{wrong}.b.c"))).get("/Users").await;
    acme.scim().with(Credential::Basic("x".into(), acme.scim_password.clone())).get("/Users").await;
    acme.scim().with(Credential::None).get("/Users").await;
    ask_for_token(&service, &acme, &Secret::new(wrong)).await;
    service.change_connector(&acme, |connector| connector.enabled = false).await;
    acme.scim().get("/Users").await;

    assert_eq!(lines().len(), 6, "{:#?}", lines());
    let log = log::text();
    assert!(!log.contains(wrong) && !log.contains(&acme.scim_password));
}

/// A federated identity that makes sense, to be spoilt.
fn sensible(organization: &Organization) -> FederatedIdentity {
    FederatedIdentity {
        tenant_id: organization.tenant.id().to_string(),
        subject: organization.tenant.service_principal(organization.client_id).to_string(),
        audiences: vec![format!("api://{}", organization.client_id)],
    }
}
