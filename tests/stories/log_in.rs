//! A person signs in.

use crate::support::Service;

#[tokio::test]
async fn a_provisioned_person_lands_on_the_portal_with_name_organization_and_role() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    let ada = acme.has_person("ada", &["Admin"]);
    acme.provision().await;

    let page = service.browser().sign_in(&acme, &ada).await;

    assert_eq!((page.status, page.url), (200, format!("{}/", service.origin)));
    for shown in ["Ada Example", "ada@acme.example", "Acme", "Admin"] {
        assert!(page.body.contains(shown), "{shown} is missing: {}", page.body);
    }
}
