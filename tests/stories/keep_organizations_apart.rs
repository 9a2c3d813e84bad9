//! What belongs to one organization is another's neither to see nor to change.

use http::Method;
use portico::{
    domain::{connector::LinkByUserName, decision::Outcome, id::Reference},
    simulator::{ExternalId, Mapping, PersonSeed},
};
use serde_json::json;

use crate::support::{Ask, Credential, Directory, Service, Terms};

const DISPLAY_NAME: &str = "ada Example";

#[tokio::test]
async fn a_directory_cannot_reach_another_organizations_people() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    let globex = service.organization("globex").await;
    let id = acme.scim().create(&Directory::user("ada@acme.example")).await;
    let path = format!("/Users/{id}");
    let change =
        json!({ "Operations": [{ "op": "replace", "path": "displayName", "value": "x" }] });

    for (method, body) in [
        (Method::GET, json!({})),
        (Method::PATCH, change),
        (Method::PUT, Directory::user("eve@globex.example")),
        (Method::DELETE, json!({})),
    ] {
        let answer = globex.scim().send(method.clone(), &path, &body).await;

        assert_eq!(answer.status, 404, "{method}");
    }
    let by_name = globex.scim().find(r#"userName eq "ada@acme.example""#).await.json();
    let by_id = globex.scim().find(&format!(r#"id eq "{id}""#)).await.json();
    let all = globex.scim().get("/Users").await.json();
    assert_eq!([&by_name, &by_id, &all].map(|list| &list["totalResults"]), [&json!(0); 3]);
    assert_eq!(acme.scim().get(&path).await.json()["displayName"], DISPLAY_NAME);
}

#[tokio::test]
async fn a_directory_cannot_use_another_organizations_address() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    let globex = service.organization("globex").await;
    let id = acme.scim().create(&Directory::user("ada@acme.example")).await;
    let path = format!("/Users/{id}");
    let (user_name, password) = (&globex.connector.scim.user_name, &globex.scim_password);

    for credential in [
        Credential::Bearer(password.clone()),
        Credential::Basic(user_name.clone(), password.clone()),
        Credential::Basic(acme.connector.scim.user_name.clone(), password.clone()),
    ] {
        let thief = acme.scim().with(credential);

        for (method, path) in [
            (Method::GET, "/Users"),
            (Method::POST, "/Users"),
            (Method::GET, &path),
            (Method::PATCH, &path),
            (Method::DELETE, &path),
        ] {
            let answer = thief.send(method.clone(), path, &json!({})).await;

            assert_eq!(answer.status, 401, "{method} {path}");
            assert!(!answer.body.contains("ada"), "{}", answer.body);
        }
    }
    assert_eq!(acme.scim().get(&path).await.status, 200);
}

#[tokio::test]
async fn an_address_of_nobody_answers_like_one_of_somebody() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    let wrong = || Credential::Bearer("wrong".into());
    let somebody = acme.scim().with(wrong());
    let url = somebody
        .url
        .replace(&acme.connector_id().to_string(), "018f0000-0000-7000-8000-000000000000");
    let nobody = Directory { url, credential: wrong() };

    let (here, there) = (somebody.get("/Users").await, nobody.get("/Users").await);

    assert_eq!((here.status, &here.body), (there.status, &there.body));
}

#[tokio::test]
async fn two_organizations_may_have_people_of_the_same_name() {
    let service = Service::start().await;
    let user = Directory::user("ada@shared.example");

    for slug in ["acme", "globex"] {
        let organization = service.organization(slug).await;

        let answer = organization.scim().post("/Users", &user).await;

        assert_eq!(answer.status, 201, "{slug}: {}", answer.body);
    }
}

#[tokio::test]
async fn the_same_object_id_in_another_tenant_is_somebody_else() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    let globex = service.organization("globex").await;
    let ada = acme.has_person("ada", &["Admin"]);
    acme.provision().await;
    service.browser().sign_in(&acme, &ada).await;
    let seed = PersonSeed::new("Eve Example", "eve@globex.example");
    let eve = globex.has(PersonSeed { oid: Some(ada.oid), ..seed }, &["EnterpriseAdmin"]);
    let mut browser = service.browser();

    let page = browser.sign_in(&globex, &eve).await;
    let refused = service.decision(&globex, &page).await;
    globex.provision().await;
    browser.sign_in(&globex, &eve).await;

    let session = browser.ask(Ask::get("/session")).await.json();
    assert_eq!(refused.outcome, Outcome::NotProvisioned);
    assert_eq!(session["organization"], "globex");
    assert_eq!(session["account"], globex.scim_id(&eve).await);
    assert_ne!(session["account"], acme.scim_id(&ada).await);
}

#[tokio::test]
async fn an_e_mail_address_that_another_tenant_claims_opens_nothing() {
    let service = Service::start().await;
    let mapping = Mapping { external_id: ExternalId::MailNickname, ..Mapping::default() };
    let link_by_user_name = LinkByUserName::Allow;
    let terms = Terms { link_by_user_name, mapping, ..Terms::default() };
    let acme = service.organization_under("acme", terms.clone()).await;
    let globex = service.organization_under("globex", terms).await;
    acme.has_person("ada", &["EnterpriseAdmin"]);
    acme.provision().await;
    let claims_it_as_mail = PersonSeed {
        mail: Some("ada@acme.example".into()),
        ..PersonSeed::new("Eve Example", "eve@globex.example")
    };
    let claims_it_as_name = PersonSeed::new("Eva Example", "ada@acme.example");

    for seed in [claims_it_as_mail, claims_it_as_name] {
        let liar = globex.has(seed, &["EnterpriseAdmin"]);
        let mut browser = service.browser();

        let page = browser.sign_in(&globex, &liar).await;

        assert_eq!(service.decision(&globex, &page).await.outcome, Outcome::NotProvisioned);
        assert_eq!(browser.ask(Ask::get("/session")).await.status, 401);
    }
}

#[tokio::test]
async fn within_a_tenant_an_e_mail_address_opens_nothing_either() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    acme.scim().create(&Directory::user("ada@acme.example")).await;
    let liar = acme.has(
        PersonSeed {
            mail: Some("ada@acme.example".into()),
            ..PersonSeed::new("Eve Example", "eve@acme.example")
        },
        &["Admin"],
    );

    let page = service.browser().sign_in(&acme, &liar).await;

    assert_eq!(service.decision(&acme, &page).await.outcome, Outcome::NotProvisioned);
}

#[tokio::test]
async fn a_person_of_another_tenant_cannot_sign_in_at_an_organization() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    let globex = service.organization("globex").await;
    let eve = globex.has_person("eve", &["EnterpriseAdmin"]);
    globex.provision().await;

    let page = service.browser().sign_in(&acme, &eve).await;

    assert!(page.text().contains("Pick an account"), "{}", page.body);
    assert!(page.url.contains(&acme.tenant.id().to_string()), "{}", page.url);
}

#[tokio::test]
async fn a_session_at_one_organization_is_none_at_another() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    let globex = service.organization("globex").await;
    let ada = acme.has_person("ada", &["EnterpriseAdmin"]);
    acme.provision().await;
    let mut browser = service.browser();
    browser.sign_in(&acme, &ada).await;

    let there = browser.check(&format!("?organization={}", globex.slug())).await;
    let here = browser.check("?organization=acme").await;

    assert_eq!((there.status, here.status), (403, 200));
    assert_eq!(there.header("x-portico-account"), None);
}

#[tokio::test]
async fn a_reference_number_finds_nothing_in_another_organizations_log() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    let globex = service.organization("globex").await;
    let ada = acme.has_person("ada", &["Admin"]);

    let page = service.browser().sign_in(&acme, &ada).await;

    let reference = Reference::from_stored(page.reference());
    let store = &service.ports().store;
    let here = store.find_decision(acme.stored.id, &reference).await.unwrap();
    let there = store.find_decision(globex.stored.id, &reference).await.unwrap();
    assert!(here.is_some());
    assert_eq!(there, None);
}

#[tokio::test]
async fn deactivating_a_namesake_signs_nobody_else_out() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    let globex = service.organization("globex").await;
    let ada = acme.has_person("ada", &["User"]);
    acme.provision().await;
    let mut browser = service.browser();
    browser.sign_in(&acme, &ada).await;
    let mut namesake = Directory::user("ada@acme.example");
    namesake["externalId"] = json!(ada.oid.to_string());
    let id = globex.scim().create(&namesake).await;

    globex.scim().patch(&id, json!([{ "op": "replace", "path": "active", "value": false }])).await;
    globex.scim().delete(&format!("/Users/{id}")).await;

    assert_eq!(browser.check("").await.status, 200);
}
