//! The ways in which an organization may be connected.

use portico::{
    domain::{
        connector::{ClientAuthentication, ConnectorKind},
        decision::Outcome,
        secret::Secret,
    },
    service::connectors,
    simulator::{Fault, Platform, RedirectUri},
};
use serde_json::json;

use crate::{
    scene::{
        NOT_PROVISIONED, acme_with_ada, assert_entra_refused, assert_refused, assert_signed_in,
        requests,
    },
    support::{Ask, Directory, Organization, Service},
};

async fn authenticates_with(
    service: &Service,
    organization: &Organization,
    authentication: ClientAuthentication,
) {
    service
        .change_connector(organization, |connector| {
            connector.client_authentication = authentication;
        })
        .await;
}

/// Registers the redirect URI under this platform alone.
fn is_registered_as(service: &Service, organization: &Organization, platform: Platform) {
    let uri = connectors::redirect_uri(service.ports(), organization.connector_id());
    let uri = RedirectUri::parse(&uri, platform).unwrap();
    organization.tenant.change_application(organization.client_id, |application| {
        application.redirect_uris = vec![uri];
    });
}

/// `oidcc-client-test-client-secret-basic`
#[tokio::test]
async fn a_secret_goes_into_the_header_where_the_authority_wants_it_there() {
    let (service, acme, ada) = acme_with_ada().await;
    let secret = acme.tenant.applications()[0].secrets[0].clone();
    authenticates_with(&service, &acme, ClientAuthentication::SecretBasic(secret)).await;
    service.entra().faults().set(Some(Fault::ClientSecretBasicOnly));

    let page = service.browser().sign_in(&acme, &ada).await;

    assert_signed_in(&service, &page);
}

#[tokio::test]
async fn a_secret_of_odd_characters_arrives_as_it_is() {
    let (service, acme, ada) = acme_with_ada().await;
    let odd = Secret::new("~a:b%2B+c&d=e/f?g\"h ü€");
    acme.tenant.set_secret(acme.client_id, odd.clone());

    for authentication in [
        ClientAuthentication::SecretPost(odd.clone()),
        ClientAuthentication::SecretBasic(odd.clone()),
    ] {
        authenticates_with(&service, &acme, authentication.clone()).await;
        let page = service.browser().sign_in(&acme, &ada).await;
        assert_eq!(page.status, 200, "{authentication:?}: {}", page.text());
    }
}

#[tokio::test]
async fn a_public_client_signs_in_without_a_secret() {
    let (service, acme, ada) = acme_with_ada().await;
    authenticates_with(&service, &acme, ClientAuthentication::Public).await;
    is_registered_as(&service, &acme, Platform::PublicClient);

    let page = service.browser().sign_in(&acme, &ada).await;

    assert_signed_in(&service, &page);
}

#[tokio::test]
async fn a_redirect_uri_under_the_wrong_platform_has_a_page_with_the_remedy() {
    let (service, acme, ada) = acme_with_ada().await;
    let secret = ClientAuthentication::SecretPost(acme.tenant.applications()[0].secrets[0].clone());
    let mismatches = [
        (
            Platform::Web,
            ClientAuthentication::Public,
            "AADSTS7000218",
            "registered under Web, but no client secret was sent",
        ),
        (
            Platform::PublicClient,
            secret,
            "AADSTS700025",
            "registered under Mobile and desktop applications",
        ),
    ];

    for (platform, authentication, number, remedy) in mismatches {
        authenticates_with(&service, &acme, authentication).await;
        is_registered_as(&service, &acme, platform);
        let mut browser = service.browser();

        let page = browser.sign_in(&acme, &ada).await;

        assert_entra_refused(&service, &acme, &mut browser, &page, number).await;
        assert!(page.text().contains(remedy), "{}", page.text());
    }
}

#[tokio::test]
async fn a_secret_that_changed_in_the_tenant_has_a_page_with_the_remedy() {
    let (service, acme, ada) = acme_with_ada().await;
    let new = Secret::generate();
    acme.tenant.set_secret(acme.client_id, new.clone());
    let mut browser = service.browser();

    let page = browser.sign_in(&acme, &ada).await;

    assert_entra_refused(&service, &acme, &mut browser, &page, "AADSTS7000215").await;
    assert!(page.text().contains("Paste the secret's Value"), "{}", page.text());

    authenticates_with(&service, &acme, ClientAuthentication::SecretPost(new)).await;
    assert_signed_in(&service, &browser.sign_in(&acme, &ada).await);
}

#[tokio::test]
async fn an_authority_may_be_pasted_in_every_spelling_that_the_azure_portal_shows() {
    let (service, acme, ada) = acme_with_ada().await;
    let (origin, id) = (service.entra().origin(), acme.tenant.id());
    let spellings = [
        format!("{origin}/{id}"),
        format!("{origin}/{id}/"),
        format!("{origin}/{id}/v2.0"),
        format!("{origin}/{id}/v2.0/"),
        format!("  {origin}/{id}/v2.0\n"),
        format!("{origin}/{}", id.to_string().to_uppercase()),
        format!("{origin}/acme.example"),
        format!("{origin}/ACME.example/v2.0/"),
        format!("{origin}/{id}/oauth2/authorize"),
        format!("{origin}/{id}/oauth2/v2.0/token"),
        format!("{origin}/{id}/.well-known/openid-configuration"),
        format!("{origin}/{id}/v2.0/.well-known/openid-configuration"),
    ];

    for (number, pasted) in spellings.into_iter().enumerate() {
        let text = pasted.clone();
        service.change_connector(&acme, |connector| connector.authority = text).await;

        let page = service.browser().sign_in(&acme, &ada).await;

        assert_eq!(page.status, 200, "{pasted}: {}", page.text());
        assert_eq!(requests(&service)[0], number + 1, "{pasted} is another authority");
    }
}

#[tokio::test]
async fn an_authority_of_another_tenant_or_of_everybody_leads_nobody_anywhere() {
    let (service, acme, ada) = acme_with_ada().await;
    let origin = service.entra().origin();

    for pasted in [
        format!("{origin}/common"),
        format!("{origin}/organizations/v2.0"),
        format!("{origin}/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0"),
        format!("{origin}/nowhere.example"),
        "http://127.0.0.1:1/acme.example".to_owned(),
        "https://login.attacker.example/acme.example".to_owned(),
        String::new(),
    ] {
        let text = pasted.clone();
        service.change_connector(&acme, |connector| connector.authority = text).await;
        let mut browser = service.browser();

        let page = browser.sign_in(&acme, &ada).await;

        assert_eq!(page.status, 502, "{pasted}: {}", page.text());
        assert!(!browser.visited.iter().any(|url| url.contains("/authorize")), "{pasted}");
    }
}

#[tokio::test]
async fn any_openid_provider_links_by_its_sub_and_never_by_user_name() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    let ada = acme.has_person("ada", &["Admin"]);
    let id = acme.scim().create(&Directory::user("ada@acme.example")).await;
    service.change_connector(&acme, |connector| connector.kind = ConnectorKind::Oidc).await;
    let mut browser = service.browser();

    let page = browser.sign_in(&acme, &ada).await;

    assert_refused(&mut browser, &page, 403, NOT_PROVISIONED).await;
    let decision = service.decision(&acme, &page).await;
    assert_eq!(decision.outcome, Outcome::NotProvisioned);
    assert_eq!(decision.grounds.authority, Some(acme.tenant.authority()));
    let sub = decision.grounds.identifier.unwrap();
    assert_ne!(sub, ada.oid.to_string());

    let operations = json!([{ "op": "replace", "path": "externalId", "value": sub }]);
    assert_eq!(acme.scim().patch(&id, operations).await.status, 200);
    let page = browser.sign_in(&acme, &ada).await;

    assert_signed_in(&service, &page);
    let session = browser.ask(Ask::get("/session")).await.json();
    assert_eq!(session["email"], "ada@acme.example");
    assert_eq!(session["role"], "Admin");
}

#[tokio::test]
async fn any_openid_provider_is_held_to_its_issuer_byte_for_byte() {
    let (service, acme, ada) = acme_with_ada().await;
    let issuer = acme.tenant.authority();

    for pasted in [
        format!("{issuer}/"),
        issuer.replace("/v2.0", ""),
        issuer.replace(&acme.tenant.id().to_string(), "acme.example"),
    ] {
        let text = pasted.clone();
        service
            .change_connector(&acme, |connector| {
                connector.kind = ConnectorKind::Oidc;
                connector.authority = text;
            })
            .await;
        let mut browser = service.browser();

        let page = browser.sign_in(&acme, &ada).await;

        assert_eq!(page.status, 502, "{pasted}: {}", page.text());
        assert!(!browser.visited.iter().any(|url| url.contains("/authorize")), "{pasted}");
    }
}
