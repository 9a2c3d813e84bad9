//! Workload identity federation: an application of the tenant asks for a token with the tenant's
//! word, and there is no secret between the two.

use portico::{
    domain::connector::FederatedIdentity,
    service::scim_credentials::Error,
    simulator::{ApplicationSeed, Fault},
};
use serde_json::{Map, Value, json};

use super::{
    Answer, Ask, Credential, GRANT, Organization, Service, access_token, acme, days, keyring,
    sensible, status, token_request,
};

const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// An organization that lets its tenant's application in.
async fn federated() -> (Service, Organization) {
    let (service, acme) = acme().await;
    keyring(&service, &acme).add_federated("", sensible(&acme)).await.unwrap();
    (service, acme)
}

fn audience(organization: &Organization) -> String {
    sensible(organization).audiences.remove(0)
}

/// The tenant's word for its application, changed before it is signed.
fn changed(acme: &Organization, change: impl FnOnce(&mut Map<String, Value>)) -> String {
    acme.tenant.application_token(acme.client_id, &audience(acme), change).unwrap()
}

fn word(acme: &Organization) -> String {
    changed(acme, |_| ())
}

fn request(acme: &Organization, assertion: &str) -> Ask {
    let id = acme.connector_id().to_string();
    token_request(&[
        GRANT,
        ("client_id", &id),
        ("client_assertion_type", JWT_BEARER),
        ("client_assertion", assertion),
        ("scope", "scim"),
    ])
}

async fn present(service: &Service, acme: &Organization, assertion: &str) -> Answer {
    service.ask(request(acme, assertion)).await
}

#[tokio::test]
async fn an_application_comes_in_by_what_its_tenants_token_endpoint_gives_it() {
    let (service, acme) = federated().await;
    let client_id = acme.client_id.to_string();
    let secret = acme.tenant.applications()[0].secrets[0].clone();
    let scope = format!("{}/.default", audience(&acme));
    let mut at_tenant = token_request(&[
        GRANT,
        ("client_id", &client_id),
        ("client_secret", secret.expose()),
        ("scope", &scope),
    ]);
    at_tenant.address = acme.tenant.authority().replace("/v2.0", "/oauth2/v2.0/token");
    let word = access_token(&service.ask(at_tenant).await);

    let answer = present(&service, &acme, &word).await;

    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.json()["expires_in"], 3600);
    let directory = acme.scim().with(Credential::Bearer(access_token(&answer)));
    assert_eq!(status(&directory).await, 200);
    assert_eq!(present(&service, &acme, &word).await.status, 200, "it has no jti");

    let listed = keyring(&service, &acme).list().await.unwrap();
    keyring(&service, &acme).revoke(listed[1].credential.id).await.unwrap();
    assert_eq!(status(&directory).await, 401);
    assert_eq!(present(&service, &acme, &word).await.status, 401);
}

#[tokio::test]
async fn an_assertion_that_has_a_name_is_good_once() {
    let (service, acme) = federated().await;
    let named = |name: &str| {
        changed(&acme, |claims| {
            claims.insert("jti".into(), json!(name));
        })
    };
    let (first, second) = (named("first"), named("second"));

    let statuses = [
        present(&service, &acme, &first).await.status,
        present(&service, &acme, &first).await.status,
        present(&service, &acme, &named("first")).await.status,
        present(&service, &acme, &second).await.status,
    ];

    assert_eq!(statuses, [200, 401, 401, 200]);
}

#[tokio::test]
async fn a_tenant_may_change_its_keys() {
    let (service, acme) = federated().await;
    assert_eq!(present(&service, &acme, &word(&acme)).await.status, 200);

    service.entra().rotate_keys();

    assert_eq!(present(&service, &acme, &word(&acme)).await.status, 200);
}

#[tokio::test]
async fn an_application_of_another_tenant_comes_in_where_that_tenant_is_named() {
    let (service, acme) = acme().await;
    let globex = service.organization("globex").await;
    keyring(&service, &acme).add_federated("", sensible(&globex)).await.unwrap();

    assert_eq!(present(&service, &acme, &word(&globex)).await.status, 200);
    assert_eq!(present(&service, &acme, &word(&acme)).await.status, 401);
    assert_eq!(present(&service, &globex, &word(&globex)).await.status, 401);
}

#[tokio::test]
async fn an_assertion_that_is_not_exactly_the_one_expected_is_refused() {
    let (service, acme) = federated().await;
    let globex = service.organization("globex").await;
    let another = acme.tenant.register_application(ApplicationSeed::new("Another"));
    let tenant = &acme.tenant;
    let (id, expected) = (acme.client_id, audience(&acme));
    let issued_for = |audience: &str| tenant.application_token(id, audience, |_| ()).unwrap();
    let with = |name: &str, value: Value| {
        changed(&acme, |claims| {
            claims.insert(name.to_owned(), value);
        })
    };
    let now = service.clock.now().as_second();
    assert_eq!(present(&service, &acme, &word(&acme)).await.status, 200);

    for (forgery, what) in [
        (word(&globex), "another tenant's application"),
        (tenant.application_token(another.client_id, &expected, |_| ()).unwrap(), "another's"),
        (issued_for(&id.to_string()), "the bare GUID, which is not listed"),
        (issued_for(&format!("{expected}/")), "a longer audience"),
        (issued_for(&format!("{expected}/portico.example")), "an audience below"),
        (issued_for(&expected[..expected.len() - 1]), "a shorter audience"),
        (issued_for(&expected.to_uppercase()), "another spelling"),
        (with("aud", json!([expected, "api://other"])), "a second audience"),
        (with("aud", json!([])), "no audience"),
        (with("sub", json!(another.client_id)), "another subject"),
        (with("tid", json!(globex.tenant.id())), "another tenant"),
        (with("iss", json!(globex.tenant.authority())), "another issuer"),
        (with("exp", json!(now - 60)), "an end in the past"),
        (with("exp", json!(now + 3 * 24 * 3600)), "an end beyond reason"),
        (with("nbf", json!(now + 61)), "a beginning ahead"),
        (with("iat", json!(now + 61)), "an issue ahead"),
        (changed(&acme, |claims| drop(claims.remove("exp"))), "no end"),
        (changed(&acme, |claims| drop(claims.remove("iat"))), "no issue"),
        ("e30.e30.".to_owned(), "nothing"),
        ("word".to_owned(), "no token"),
    ] {
        let answer = present(&service, &acme, &forgery).await;

        assert_eq!(
            (answer.status, &answer.json()["error"]),
            (401, &json!("invalid_client")),
            "{what}"
        );
    }
    assert_eq!(present(&service, &acme, &with("aud", json!([expected]))).await.status, 200);
}

#[tokio::test]
async fn an_assertion_that_a_lying_tenant_signs_is_refused() {
    let (service, acme) = federated().await;
    assert_eq!(present(&service, &acme, &word(&acme)).await.status, 200);

    for fault in [
        Fault::Unsigned,
        Fault::UnsignedInCapitals,
        Fault::BadSignature,
        Fault::MissingSignature,
        Fault::StrangersSignature,
        Fault::Hs256WithClientSecret,
        Fault::BadSignatureHs256,
        Fault::Hs256WithPublicKey,
        Fault::OtherAlgorithm,
        Fault::Ps256,
        Fault::Es256,
        Fault::BadSignatureEs256,
        Fault::UnknownAlgorithm,
        Fault::EncryptedIdToken,
        Fault::EncryptedUnsigned,
        Fault::KidAbsentManyKeys,
        Fault::UnknownKid,
        Fault::TypAtJwt,
        Fault::CritHeader,
        Fault::CtyHeader,
        Fault::JwkHeader,
        Fault::WrongIss,
        Fault::MissingIss,
        Fault::IssAsArray,
        Fault::MissingSub,
        Fault::EmptySub,
        Fault::LongSub,
        Fault::OtherSub,
        Fault::MissingAud,
        Fault::WrongAud,
        Fault::UntrustedSecondAud,
        Fault::MissingIat,
        Fault::IatInTheFuture,
        Fault::Expired,
        Fault::MissingExp,
        Fault::ExpAsText,
        Fault::ExpBeyondTime,
        Fault::NotYetValid,
        Fault::WrongTid,
        Fault::MissingTid,
        Fault::V1Token,
        Fault::MissingVer,
        Fault::DuplicateClaim,
        Fault::PayloadIsAnArray,
    ] {
        service.entra().faults().set([fault]);
        let answer = present(&service, &acme, &word(&acme)).await;

        assert_eq!(answer.status, 401, "{fault:?}: {}", answer.body);
    }
    service.entra().faults().set([]);
    assert_eq!(present(&service, &acme, &word(&acme)).await.status, 200);
}

#[tokio::test]
async fn two_proofs_at_once_are_none() {
    let (service, acme) = federated().await;
    let word = word(&acme);
    let id = acme.connector_id().to_string();
    let assertion = [("client_assertion_type", JWT_BEARER), ("client_assertion", &word)];

    for more in [
        vec![("client_assertion", &*word)],
        vec![("client_assertion", "another")],
        vec![("client_assertion_type", JWT_BEARER)],
        vec![("client_secret", "secret")],
    ] {
        let fields = [&[GRANT, ("client_id", &id)], &assertion[..], &more].concat();
        let answer = service.ask(token_request(&fields)).await;

        assert_eq!((answer.status, &answer.json()["error"]), (400, &json!("invalid_request")));
    }
    let beside = request(&acme, &word).header("authorization", super::basic(&id, "secret"));
    assert_eq!(service.ask(beside).await.status, 400);
}

#[tokio::test]
async fn a_tenant_that_cannot_be_asked_is_told_of_as_that() {
    let (mut service, acme) = federated().await;
    let word = word(&acme);
    service.stop_entra().await;

    let answer = present(&service, &acme, &word).await;

    assert_eq!(answer.status, 503);
    assert_eq!(answer.json()["error"], "temporarily_unavailable");
    assert!(answer.header("retry-after").is_some());
    assert_eq!(status(&acme.scim()).await, 200);
}

#[tokio::test]
async fn an_access_token_for_a_word_goes_on_after_the_word_has_ended() {
    let (service, acme) = federated().await;
    service.advance(days(1));
    let word = word(&acme);
    service.advance(jiff::SignedDuration::from_mins(59));

    let answer = present(&service, &acme, &word).await;

    let directory = acme.scim().with(Credential::Bearer(access_token(&answer)));
    service.advance(jiff::SignedDuration::from_mins(59));
    assert_eq!(status(&directory).await, 200);
    assert_eq!(present(&service, &acme, &word).await.status, 401);
}

#[tokio::test]
async fn a_federated_credential_that_could_never_match_is_refused() {
    let (service, acme) = acme().await;
    let audiences = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
    let long = "x".repeat(501);
    let many: Vec<&str> = vec!["api://x"; 11];

    for identity in [
        FederatedIdentity { tenant_id: "acme.example".into(), ..sensible(&acme) },
        FederatedIdentity { tenant_id: "common".into(), ..sensible(&acme) },
        FederatedIdentity { subject: "somebody".into(), ..sensible(&acme) },
        FederatedIdentity { audiences: audiences(&[]), ..sensible(&acme) },
        FederatedIdentity { audiences: audiences(&["api://x", " "]), ..sensible(&acme) },
        FederatedIdentity { audiences: audiences(&["api://x y"]), ..sensible(&acme) },
        FederatedIdentity { audiences: audiences(&[&long]), ..sensible(&acme) },
        FederatedIdentity { audiences: audiences(&many), ..sensible(&acme) },
    ] {
        let refused = keyring(&service, &acme).add_federated("", identity).await;

        assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
    }
}
