//! Tokens and people of others: other clients, other tenants, other organizations.

use portico::{
    domain::{
        connector::{ConnectorKind, LinkByUserName},
        decision::Outcome,
    },
    simulator::{ApplicationSeed, Person, PersonSeed, Platform},
};

use crate::{
    scene::{
        NOT_PROVISIONED, acme_with_ada, assert_entra_refused, assert_refused, assert_signed_in,
        parameter, with,
    },
    support::{Ask, Browser, Callback, Directory, Organization, Service, Terms},
};

/// Somebody in another tenant with the same object ID, name and address.
fn double_of(person: &Person, elsewhere: &Organization) -> Person {
    let seed = PersonSeed::new(&person.display_name, &person.user_principal_name);
    elsewhere.has(PersonSeed { oid: Some(person.oid), ..seed }, &["EnterpriseAdmin"])
}

#[tokio::test]
async fn a_code_for_another_application_of_the_tenant_is_worth_nothing() {
    let (service, acme, ada) = acme_with_ada().await;
    let other = acme.tenant.register_application(ApplicationSeed::new("Another"));
    let callback = format!("{}{}", service.origin, acme.callback_path());
    acme.tenant.register_redirect_uri(other.client_id, &callback, Platform::Web).unwrap();
    let mut browser = service.browser();
    let ours = browser.begin("/login/acme").await;

    let theirs = with(&ours, "client_id", &other.client_id.to_string());
    let answer = browser.authenticate(theirs.as_str(), &ada).await;
    let page = browser.bring(answer).await;

    assert_entra_refused(&service, &acme, &mut browser, &page, "AADSTS9002313").await;
}

#[tokio::test]
async fn a_code_of_another_tenant_is_worth_nothing() {
    let (service, acme, ada) = acme_with_ada().await;
    let globex = service.organization("globex").await;
    let double = double_of(&ada, &globex);
    let mut browser = service.browser();
    let theirs = browser.sign_in_until_callback(&globex, &double).await.url();
    let ours = browser.begin("/login/acme").await;

    let mut mixed = with(&theirs, "state", &parameter(&ours, "state"));
    mixed.set_path(&acme.callback_path());
    let page = browser.bring(Callback::Query(mixed)).await;

    assert_entra_refused(&service, &acme, &mut browser, &page, "AADSTS700005").await;
}

#[tokio::test]
async fn a_connector_that_is_pointed_elsewhere_meanwhile_redeems_nothing() {
    let (service, acme, ada) = acme_with_ada().await;
    let globex = service.organization("globex").await;
    let (authority, client_id) = (globex.tenant.authority(), globex.client_id.to_string());
    let mut browser = service.browser();
    let answer = browser.sign_in_until_callback(&acme, &ada).await;
    service
        .change_connector(&acme, |connector| {
            connector.authority = authority;
            connector.client_id = client_id;
            connector.client_authentication = globex.connector.client_authentication.clone();
        })
        .await;

    let page = browser.bring(answer).await;

    assert_entra_refused(&service, &acme, &mut browser, &page, "AADSTS700005").await;
}

#[tokio::test]
async fn somebody_of_the_same_object_id_and_name_elsewhere_is_somebody_else() {
    let (service, acme, ada) = acme_with_ada().await;
    let terms = Terms { link_by_user_name: LinkByUserName::Allow, ..Terms::default() };
    let globex = service.organization_under("globex", terms).await;
    let double = double_of(&ada, &globex);
    let (mut hers, mut theirs) = (service.browser(), service.browser());
    assert_signed_in(&service, &hers.sign_in(&acme, &ada).await);

    let page = theirs.sign_in(&globex, &double).await;

    assert_refused(&mut theirs, &page, 403, NOT_PROVISIONED).await;
    let decision = service.decision(&globex, &page).await;
    assert_eq!((decision.outcome, decision.account_id), (Outcome::NotProvisioned, None));

    globex.provision().await;
    assert_signed_in(&service, &theirs.sign_in(&globex, &double).await);
    let of = async |browser: &mut Browser| {
        let session = browser.ask(Ask::get("/session")).await.json();
        (session["organization"].clone(), session["role"].clone())
    };
    let (one, other) = (of(&mut hers).await, of(&mut theirs).await);
    assert_ne!(one.0, other.0);
    assert_eq!((one.1, other.1), ("Admin".into(), "EnterpriseAdmin".into()));
}

#[tokio::test]
async fn a_sub_that_another_organization_has_as_external_id_opens_nothing_there_or_here() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    let globex = service.organization("globex").await;
    let mia = globex.has_person("mia", &["Admin"]);
    service.change_connector(&globex, |connector| connector.kind = ConnectorKind::Oidc).await;
    let mut browser = service.browser();
    let page = browser.sign_in(&globex, &mia).await;
    let sub = service.decision(&globex, &page).await.grounds.identifier.unwrap();
    let mut user = Directory::user("mia@globex.example");
    user["externalId"] = sub.into();
    acme.scim().create(&user).await;

    let page = browser.sign_in(&globex, &mia).await;

    assert_refused(&mut browser, &page, 403, NOT_PROVISIONED).await;
    assert_eq!(service.decision(&globex, &page).await.account_id, None);
}
