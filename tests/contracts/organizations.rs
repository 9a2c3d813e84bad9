//! Organizations.

use portico::{
    domain::organization::{EmailDomain, Slug},
    ports::{NotDone, store::OrganizationConflict},
};

use crate::support::{audit, organization, organization_in, stores};

#[tokio::test(flavor = "multi_thread")]
async fn an_organization_is_found_by_its_identifier_slug_and_domain() {
    for backend in stores().await {
        let store = &backend.store;
        let acme = organization("acme");
        store.insert_organization(&acme, &audit(acme.id, "created")).await.unwrap();

        let by_id = store.find_organization(acme.id).await.unwrap();
        let by_slug = store.find_organization_by_slug(&acme.slug).await.unwrap();
        let by_domain = store.find_organization_by_domain(&acme.domains[0]).await.unwrap();

        assert_eq!(
            [by_id, by_slug, by_domain],
            [Some(acme.clone()), Some(acme.clone()), Some(acme)]
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_organization_has_finds_none() {
    for backend in stores().await {
        let store = &backend.store;
        organization_in(&*backend.store, "acme").await;
        let other = organization("other");

        assert_eq!(store.find_organization(other.id).await.unwrap(), None);
        let slug = Slug::parse("acm").unwrap();
        assert_eq!(store.find_organization_by_slug(&slug).await.unwrap(), None);
        let domain = EmailDomain::parse("evil.acme.example").unwrap();
        assert_eq!(store.find_organization_by_domain(&domain).await.unwrap(), None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slug_or_a_domain_belongs_to_one_organization() {
    for backend in stores().await {
        let store = &backend.store;
        organization_in(&**store, "acme").await;
        let same_slug = organization("acme");
        let mut same_domain = organization("globex");
        same_domain.domains.push(EmailDomain::parse("acme.example").unwrap());

        for (organization, expected) in
            [(same_slug, OrganizationConflict::Slug), (same_domain, OrganizationConflict::Domain)]
        {
            let refused = store
                .insert_organization(&organization, &audit(organization.id, "created"))
                .await
                .unwrap_err();

            assert!(matches!(refused, NotDone::Refused(conflict) if conflict == expected));
            assert_eq!(store.find_organization(organization.id).await.unwrap(), None);
            assert_eq!(store.list_audit_events(organization.id, 9).await.unwrap(), []);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn organizations_are_listed_by_slug() {
    for backend in stores().await {
        for slug in ["globex", "acme", "initech"] {
            organization_in(&*backend.store, slug).await;
        }

        let listed = backend.store.list_organizations().await.unwrap();

        let slugs: Vec<_> = listed.iter().map(|organization| organization.slug.as_str()).collect();
        assert_eq!(slugs, ["acme", "globex", "initech"]);
    }
}
