//! Who may set up what, and with whose secret.

use std::collections::HashSet;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use portico::{
    domain::{audit_event::Actor, connector::Connector},
    service::setup_links,
};

use crate::{
    scene::{acme_with_ada, assert_signed_in, requests},
    support::{Ask, Organization, SESSION, Service},
};

const GONE: &str = "This setup link does not work";
const DONE: &str = "Sign-in is set up";

async fn link(service: &Service, organization: &Organization) -> String {
    let issued = setup_links::issue(service.ports(), &organization.stored, Actor::Operator).await;
    issued.unwrap().url.expose().to_owned()
}

async fn connector(service: &Service, organization: &Organization) -> Connector {
    let found = service.ports().store.find_connector(organization.connector_id()).await;
    found.unwrap().unwrap()
}

fn form(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// L11, CVE-2026-15571: the link that allowed so much could be computed from what others knew.
#[tokio::test]
async fn no_setup_link_can_be_guessed_from_another_or_from_what_is_known() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    let mut tokens = HashSet::new();

    for _ in 0..16 {
        let link = link(&service, &acme).await;
        tokens.insert(link.rsplit('/').next().unwrap().to_owned());
    }

    assert_eq!(tokens.len(), 16, "made at the same moment for the same organization");
    let bytes: Vec<Vec<u8>> =
        tokens.iter().map(|token| BASE64_URL_SAFE_NO_PAD.decode(token).unwrap()).collect();
    assert!(bytes.iter().all(|bytes| bytes.len() == 32), "256 bits");
    for place in 0..32 {
        let here: HashSet<u8> = bytes.iter().map(|bytes| bytes[place]).collect();
        assert!(here.len() > 4, "byte {place} hardly changes: {here:?}");
    }
}

/// L13, CVE-2026-15943: a masked secret survived a change of address and went to the new one.
#[tokio::test]
async fn a_stored_secret_does_not_follow_a_changed_authority_or_client_id() {
    let (service, acme, ada) = acme_with_ada().await;
    let elsewhere = service.organization("elsewhere").await;
    let stored = connector(&service, &acme).await;
    let secret = acme.tenant.applications()[0].secrets[0].expose().to_owned();
    let mut browser = service.browser();
    let page = browser.open(&link(&service, &acme).await).await;
    let other = (elsewhere.tenant.authority(), elsewhere.client_id.to_string());

    assert!(!page.body.contains(&secret), "the page shows the secret");
    for (authority, client_id) in [
        (other.0.as_str(), stored.client_id.as_str()),
        (stored.authority.as_str(), other.1.as_str()),
        (other.0.as_str(), other.1.as_str()),
        (stored.authority.as_str(), stored.client_id.as_str()),
    ] {
        for typed in ["", " ", "••••••••", "Secret(…)", "\u{a0}"] {
            let fields =
                [("authority", authority), ("client_id", client_id), ("client_secret", typed)];
            let answer = browser.submit(&page, &page.forms()[0], &fields).await;

            assert_eq!(answer.status, 422, "{typed:?}: {}", answer.text());
            assert!(!answer.body.contains(&secret), "{typed:?}");
        }
    }
    assert_eq!(connector(&service, &acme).await, stored);
    assert_eq!(requests(&service)[2], 0);
    assert_signed_in(&service, &service.browser().sign_in(&acme, &ada).await);
}

/// L19, CVE-2026-18201: whoever managed one organization tied a provider to another.
#[tokio::test]
async fn a_setup_link_sets_up_its_own_organization_whatever_the_form_names() {
    let (service, acme, _) = acme_with_ada().await;
    let globex = service.organization("globex").await;
    let (ours, theirs) = (connector(&service, &acme).await, connector(&service, &globex).await);
    let (connector_id, id) = (globex.connector_id().to_string(), globex.stored.id.to_string());
    let link = link(&service, &acme).await;
    let fields = form(&[
        ("authority", &acme.tenant.authority()),
        ("client_id", &acme.client_id.to_string()),
        ("client_secret", "a~new.secret"),
        ("connector_id", &connector_id),
        ("connector", &connector_id),
        ("organization_id", &id),
        ("organization", "globex"),
        ("slug", "globex"),
    ]);

    let address = format!("{link}?connector_id={connector_id}&organization=globex");
    let done = service.ask(Ask::post(address).form(&fields)).await;

    assert_eq!(done.heading(), DONE, "{}", done.text());
    assert!(done.text().contains("/login/acme") && !done.text().contains("globex"));
    assert_eq!(connector(&service, &globex).await, theirs);
    assert_ne!(connector(&service, &acme).await, ours);
    assert_eq!(globex.scim().get("/Users").await.status, 200);
}

/// L59, GHSA-5rr4-8452-hf4v: anybody could register a provider, and at any address.
#[tokio::test]
async fn only_a_link_sets_a_provider_up_and_only_at_a_providers_address() {
    let (service, acme, _) = acme_with_ada().await;
    let eve = acme.has_person("eve", &["EnterpriseAdmin"]);
    acme.provision().await;
    let mut browser = service.browser();
    assert_signed_in(&service, &browser.sign_in(&acme, &eve).await);
    let cookie = browser.cookie(SESSION).unwrap().to_owned();
    let (before, used) = (connector(&service, &acme).await, link(&service, &acme).await);
    let fresh = link(&service, &acme).await;
    let (client_id, authority) = (acme.client_id.to_string(), acme.tenant.authority());
    let fields = |authority: &str| {
        form(&[("authority", authority), ("client_id", &client_id), ("client_secret", "x")])
    };

    for token in [
        used.rsplit('/').next().unwrap(),
        &acme.scim_password,
        &acme.connector_id().to_string(),
        &acme.stored.id.to_string(),
        &cookie,
        "acme",
    ] {
        let ask = Ask::post(format!("/setup/{token}")).form(&fields(&authority));
        let page =
            browser.ask(ask.header("authorization", format!("Bearer {}", acme.scim_password)));

        let page = page.await;
        assert_eq!((page.status, page.heading()), (404, GONE.to_owned()), "{token:.8}");
    }
    for address in [
        "file:///etc/passwd",
        "ftp://login.microsoftonline.com/contoso.example",
        "data:application/json,%7B%7D",
        "https://169.254.169.254/contoso.example",
        "https://localhost/contoso.example",
        "https://[::1]/contoso.example",
        "https://login.microsoftonline.com:8443/contoso.example",
        "https://login.microsoftonline.com/contoso.example?x=https://evil.example",
        "https://login.microsoftonline.com/../../contoso.example",
        "https://login.microsoftonline.com\\@evil.example/contoso.example",
        "//login.microsoftonline.com/contoso.example",
    ] {
        let page = service.ask(Ask::post(&fresh).form(&fields(address))).await;

        assert_eq!(page.status, 422, "{address}: {}", page.text());
    }
    assert_eq!(connector(&service, &acme).await, before);
}
