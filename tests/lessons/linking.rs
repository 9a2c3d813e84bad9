//! Whose account somebody is.

use portico::{
    domain::{
        audit_event::Actor,
        connector::{ConnectorKind, LinkByUserName},
        decision::Outcome,
        organization::Edition,
    },
    service::linking,
    simulator::{Fault, PersonSeed},
};
use serde_json::{Value, json};

use crate::{
    scene::{NOT_PROVISIONED, acme_with_ada, assert_refused, assert_signed_in},
    support::{Directory, Service, Terms},
    who::{is_signed_in, links, session},
};

const SWITCHED_OFF: &str = "Sign-in is not switched on";
const AMBIGUOUS: &str = "We can’t tell which account is yours";
const WAITS: &str = "Your account waits for approval";

/// L1, nOAuth: any tenant's admin could write a victim's e-mail address into a person and be it.
#[tokio::test]
async fn a_stranger_with_every_name_of_somebody_gets_nothing_and_leaves_nothing() {
    let service = Service::start().await;
    let acme = service.organization_under("acme", Terms::by_user_name(LinkByUserName::Allow)).await;
    let strangers = Terms { link_by_user_name: LinkByUserName::Allow, ..Terms::default() };
    let strangers = service.organization_under("strangers", strangers).await;
    let ada = acme.has_person("ada", &["User"]);
    acme.provision().await;
    let seed = PersonSeed::new(&ada.display_name, &ada.user_principal_name);
    let double = strangers.has(PersonSeed { mail: ada.mail.clone(), ..seed }, &["EnterpriseAdmin"]);
    let mut browser = service.browser();

    let page = browser.sign_in(&strangers, &double).await;

    assert_refused(&mut browser, &page, 403, NOT_PROVISIONED).await;
    for organization in [&acme, &strangers] {
        assert_eq!(links(&service, organization).await, 0, "{}", organization.slug());
    }
    assert_eq!(strangers.scim().get("/Users").await.json()["totalResults"], 0);
    assert_signed_in(&service, &service.browser().sign_in(&acme, &ada).await);
}

/// L2, CVE-2023-3128: accounts were found by an e-mail address, which two tenants may both give.
#[tokio::test]
async fn one_e_mail_address_in_two_tenants_is_two_people() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    let globex = service.organization("globex").await;
    let with_mail =
        |seed: PersonSeed| PersonSeed { mail: Some("both@mail.example".into()), ..seed };
    let ada = acme.has(with_mail(PersonSeed::new("Ada Example", "ada@acme.example")), &["User"]);
    let eve = with_mail(PersonSeed::new("Eve Example", "eve@globex.example"));
    let eve = globex.has(eve, &["EnterpriseAdmin"]);
    acme.provision().await;
    globex.provision().await;
    let (mut hers, mut theirs) = (service.browser(), service.browser());

    hers.sign_in(&acme, &ada).await;
    theirs.sign_in(&globex, &eve).await;

    let (one, other) = (session(&mut hers).await, session(&mut theirs).await);
    assert_eq!((&one["email"], &one["role"]), (&json!("both@mail.example"), &json!("User")));
    assert_eq!(other["email"], one["email"]);
    assert_eq!(one["account"], acme.scim_id(&ada).await);
    assert_eq!(other["account"], globex.scim_id(&eve).await);
    globex.scim().delete(&format!("/Users/{}", globex.scim_id(&eve).await)).await;
    assert!(is_signed_in(&mut hers).await && !is_signed_in(&mut theirs).await);
}

/// L3, CVE-2022-31107: a login name that was an account's opened it, whoever bore the name.
#[tokio::test]
async fn who_takes_over_an_admins_login_name_remains_oneself() {
    let service = Service::start().await;
    let terms = Terms { link_by_user_name: LinkByUserName::Allow, ..Terms::default() };
    let acme = service.organization_under("acme", terms).await;
    let ada = acme.has_person("ada", &["EnterpriseAdmin"]);
    let eve = acme.has_person("eve", &["User"]);
    acme.provision().await;
    let name = ada.user_principal_name.clone();
    acme.tenant.change_person(ada.oid, |ada| ada.user_principal_name = "a@acme.example".into());
    acme.tenant.change_person(eve.oid, |eve| eve.user_principal_name = name.to_uppercase());
    let renamed = acme.tenant.person(&name).unwrap();
    let mut browser = service.browser();

    browser.sign_in(&acme, &renamed).await;

    let session = session(&mut browser).await;
    assert_eq!(session["account"], acme.scim_id(&eve).await);
    assert_eq!(session["role"], "User");
}

/// L4, CVE-2026-56666: an identity was linked by an address that only the local side had verified.
#[tokio::test]
async fn what_a_provider_without_tenants_calls_somebody_links_nobody() {
    let service = Service::start().await;
    let acme = service.organization_under("acme", Terms::by_user_name(LinkByUserName::Allow)).await;
    let ada = acme.has_person("ada", &["User"]);
    acme.provision().await;
    service.change_connector(&acme, |connector| connector.kind = ConnectorKind::Oidc).await;
    let mut browser = service.browser();

    let page = browser.sign_in(&acme, &ada).await;

    assert_refused(&mut browser, &page, 403, NOT_PROVISIONED).await;
    assert_eq!(links(&service, &acme).await, 0);
}

/// L5, CVE-2025-64717: a provider or organization that was switched off still linked and let in.
#[tokio::test]
async fn what_is_switched_off_links_nobody_signs_nobody_in_and_takes_no_people() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    let standard = Terms { edition: Edition::Standard, ..Terms::default() };
    let globex = service.organization_under("globex", standard).await;
    let ada = acme.has_person("ada", &["Admin"]);
    acme.provision().await;
    let mut browser = service.browser();
    let answer = browser.sign_in_until_callback(&acme, &ada).await;
    service.change_connector(&acme, |connector| connector.enabled = false).await;

    let mut ends = vec![browser.bring(answer).await];
    for organization in [&acme, &globex] {
        let answer = format!("{}?code=x&state=y", organization.callback_path());
        ends.push(browser.open(&answer).await);
        ends.push(browser.open(&format!("/login/{}", organization.slug())).await);
    }

    for page in ends {
        assert_refused(&mut browser, &page, 404, SWITCHED_OFF).await;
    }
    for organization in [&acme, &globex] {
        assert_eq!(links(&service, organization).await, 0, "{}", organization.slug());
        assert_eq!(organization.scim().get("/Users").await.status, 401, "{}", organization.slug());
    }
}

/// L8, CVE-2026-9087: the proof of a link did not say for whom at the provider it was given.
#[tokio::test]
async fn an_approval_is_for_the_person_who_asked_and_not_for_whoever_has_the_name_by_then() {
    let service = Service::start().await;
    let acme = service.organization_under("acme", Terms::by_user_name(LinkByUserName::Ask)).await;
    let ada = acme.has_person("ada", &["User"]);
    let eve = acme.has_person("eve", &["User"]);
    let name = ada.user_principal_name.clone();
    acme.scim().create(&Directory::user(&name)).await;
    let mut browser = service.browser();
    let waits = browser.sign_in(&acme, &ada).await;
    let store = &service.ports().store;
    let requests = store.list_link_requests(acme.stored.id).await.unwrap();
    acme.tenant.change_person(ada.oid, |ada| ada.user_principal_name = "a@acme.example".into());
    acme.tenant.change_person(eve.oid, |eve| eve.user_principal_name = name.clone());

    linking::approve(service.ports(), &requests[0], Actor::Operator).await.unwrap();

    let eve = acme.tenant.person(&name).unwrap();
    let page = service.browser().sign_in(&acme, &eve).await;
    assert_eq!((waits.heading(), requests.len()), (WAITS.to_owned(), 1));
    assert_eq!((page.status, page.heading()), (403, AMBIGUOUS.to_owned()));
    let ada = acme.tenant.person("a@acme.example").unwrap();
    assert_signed_in(&service, &service.browser().sign_in(&acme, &ada).await);
}

/// L9, CVE-2026-82968: an identity without an identifier equalled an account without one.
#[tokio::test]
async fn somebody_without_an_identifier_is_not_the_account_without_one() {
    let (service, acme, ada) = acme_with_ada().await;
    let absent = [json!(""), json!(""), Value::Null, Value::Null];
    for (number, external_id) in absent.into_iter().enumerate() {
        let mut user = Directory::user(&format!("nobody-{number}@acme.example"));
        user["externalId"] = external_id;
        acme.scim().create(&user).await;
    }

    for (kind, fault) in [
        (ConnectorKind::AzureAd, Fault::MissingOid),
        (ConnectorKind::Oidc, Fault::MissingSub),
        (ConnectorKind::Oidc, Fault::EmptySub),
    ] {
        service.change_connector(&acme, |connector| connector.kind = kind).await;
        service.entra().faults().set(Some(fault));
        let mut browser = service.browser();

        let page = browser.sign_in(&acme, &ada).await;

        assert_eq!(page.status, 403, "{fault}: {}", page.text());
        let decision = service.decision(&acme, &page).await;
        assert_eq!((decision.outcome, decision.account_id), (Outcome::NotAuthenticated, None));
        assert!(!is_signed_in(&mut browser).await, "{fault}");
    }
    assert_eq!(links(&service, &acme).await, 0);
}

/// L10, CVE-2026-92358: the proof of a link outlived its use and the link itself.
#[tokio::test]
async fn an_approval_is_used_up_by_its_link_and_dies_with_the_account() {
    let service = Service::start().await;
    let acme = service.organization_under("acme", Terms::by_user_name(LinkByUserName::Ask)).await;
    let ada = acme.has_person("ada", &["User"]);
    let user = Directory::user(&ada.user_principal_name);
    let id = acme.scim().create(&user).await;
    let (mut browser, ports) = (service.browser(), service.ports());
    browser.sign_in(&acme, &ada).await;
    let request = ports.store.list_link_requests(acme.stored.id).await.unwrap().remove(0);
    linking::approve(ports, &request, Actor::Operator).await.unwrap();
    assert_signed_in(&service, &browser.sign_in(&acme, &ada).await);

    let again = linking::approve(ports, &request, Actor::Operator).await;
    acme.scim().delete(&format!("/Users/{id}")).await;
    acme.scim().create(&user).await;
    let after = linking::approve(ports, &request, Actor::Operator).await;
    let page = browser.sign_in(&acme, &ada).await;

    assert!(again.is_err() && after.is_err(), "{again:?} {after:?}");
    assert_refused(&mut browser, &page, 403, WAITS).await;
}

/// L58, better-auth GHSA-g38m-r43w-p2q7: a directory and a sign-in tied people by different rules.
#[tokio::test]
async fn a_directory_that_claims_somebodys_address_for_another_ties_nothing() {
    let (service, acme, ada) = acme_with_ada().await;
    let globex = service.organization("globex").await;
    let eve = acme.has_person("eve", &["EnterpriseAdmin"]);
    let mut browser = service.browser();
    assert_signed_in(&service, &browser.sign_in(&acme, &ada).await);
    let mut user = Directory::user(&eve.user_principal_name);
    user["externalId"] = json!(eve.oid.to_string());
    user["emails"][0]["value"] = json!(ada.user_principal_name);

    let here = acme.scim().post("/Users", &user).await;
    let there = globex.scim().post("/Users", &user).await;

    assert_eq!((here.status, there.status), (409, 201), "{} {}", here.body, there.body);
    assert_eq!(here.json()["scimType"], "uniqueness");
    let mut another = service.browser();
    let page = another.sign_in(&acme, &eve).await;
    assert_refused(&mut another, &page, 403, NOT_PROVISIONED).await;
    assert_eq!(session(&mut browser).await["account"], acme.scim_id(&ada).await);
}

/// L70, CVE-2015-9284: another site's request tied its own identity to whoever was signed in.
#[tokio::test]
async fn a_sign_in_that_another_site_began_ties_nothing_to_whoever_is_signed_in() {
    let (service, acme, ada) = acme_with_ada().await;
    let mia = acme.has_person("mia", &["User"]);
    acme.provision().await;
    let mut browser = service.browser();
    assert_signed_in(&service, &browser.sign_in(&acme, &ada).await);
    let before = links(&service, &acme).await;

    let begun = browser.open_from(Some("evil.example"), "/login/acme?prompt=login").await;
    let still = session(&mut browser).await["account"].clone();
    let page = browser.sign_in_from("/login/acme?prompt=select_account", &mia).await;

    assert_eq!(begun.status, 200, "{}", begun.text());
    assert_eq!(still, acme.scim_id(&ada).await);
    assert_signed_in(&service, &page);
    assert_eq!(session(&mut browser).await["account"], acme.scim_id(&mia).await);
    assert_eq!(links(&service, &acme).await, before + 1, "Mia's own");
    let mut hers = service.browser();
    assert_signed_in(&service, &hers.sign_in(&acme, &ada).await);
    assert_eq!(session(&mut hers).await["account"], still);
}
