//! The ties of accounts to subjects.

use portico::{
    domain::subject_link::{LinkRequest, SubjectLink},
    ports::{NotDone, store::LinkConflict},
};
use tokio::task::JoinSet;

use crate::support::{
    account, account_in, after, audit, connector_in, link, link_request, organization_in, person,
    stores, subject,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_link_is_found_by_its_subject_and_by_its_account() {
    for backend in stores().await {
        let store = &backend.store;
        let (alice, connector) = person(&**store).await;
        let acme = alice.organization_id;
        let link = link(&alice, &connector, "oid");

        store.insert_link(&link, &audit(acme, "linked")).await.unwrap();

        let by_subject = store.find_link(acme, &link.subject).await.unwrap();
        let by_account = store.find_link_of_account(acme, connector.id, alice.id).await.unwrap();
        assert_eq!([by_subject, by_account], [Some(link.clone()), Some(link)]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_contradicts_another_is_refused() {
    for backend in stores().await {
        let store = &backend.store;
        let (alice, connector) = person(&**store).await;
        let acme = alice.organization_id;
        let bob = account_in(&**store, acme, "bob").await;
        let nobody = account(acme, "nobody");
        let second = connector_in(&**store, acme).await;
        let first = link(&alice, &connector, "oid");
        store.insert_link(&first, &audit(acme, "linked")).await.unwrap();
        let refused = [
            (link(&bob, &connector, "oid"), LinkConflict::SubjectTaken(alice.id)),
            (link(&bob, &second, "oid"), LinkConflict::SubjectTaken(alice.id)),
            (link(&alice, &connector, "other"), LinkConflict::AccountTaken),
            (link(&nobody, &connector, "third"), LinkConflict::NoAccount),
        ];

        for (link, expected) in refused {
            let refusal = store.insert_link(&link, &audit(acme, "linked")).await.unwrap_err();

            assert!(matches!(refusal, NotDone::Refused(conflict) if conflict == expected));
        }
        let audited = store.list_audit_events(acme, 99).await.unwrap();
        assert_eq!(audited.iter().filter(|event| event.action == "linked").count(), 1);
        let other = link(&alice, &second, "other");
        store.insert_link(&other, &audit(acme, "linked")).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_to_the_tenant_of_before_makes_way() {
    for backend in stores().await {
        let store = &backend.store;
        let (alice, connector) = person(&**store).await;
        let acme = alice.organization_id;
        let before = link(&alice, &connector, "oid");
        store.insert_link(&before, &audit(acme, "linked")).await.unwrap();
        let mut after = link(&alice, &connector, "another oid");
        after.subject.authority = "another tenant".into();

        store.insert_link(&after, &audit(acme, "linked")).await.unwrap();

        assert_eq!(store.find_link(acme, &before.subject).await.unwrap(), None);
        assert_eq!(store.find_link(acme, &after.subject).await.unwrap(), Some(after));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_simultaneous_links_of_one_subject_one_is_made() {
    for backend in stores().await {
        let store = &backend.store;
        let acme = organization_in(&**store, "acme").await;
        let connector = connector_in(&**store, acme).await;
        let mut race = JoinSet::new();
        for name in ["a", "b", "c", "d", "e", "f", "g", "h"] {
            let account = account_in(&**store, acme, name).await;
            let (store, link) = (store.clone(), link(&account, &connector, "oid"));
            race.spawn(async move { store.insert_link(&link, &audit(acme, "linked")).await });
        }

        let made = race.join_all().await.into_iter().flatten().count();

        assert_eq!(made, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_organization_cannot_read_or_change_anothers_link() {
    for backend in stores().await {
        let store = &backend.store;
        let (alice, connector) = person(&**store).await;
        let acme = alice.organization_id;
        let globex = organization_in(&**store, "globex").await;
        let link = link(&alice, &connector, "oid");
        store.insert_link(&link, &audit(acme, "linked")).await.unwrap();
        let request = link_request(&alice, &connector, "another");
        store.insert_link_request(&request, &audit(acme, "asked")).await.unwrap();

        let of_globex =
            SubjectLink { organization_id: globex, subject: subject("third"), ..link.clone() };
        let linked = store.insert_link(&of_globex, &audit(globex, "stolen")).await;
        let by_subject = store.find_link(globex, &link.subject).await.unwrap();
        let by_account = store.find_link_of_account(globex, connector.id, alice.id).await.unwrap();
        let event = audit(globex, "stolen");
        store.update_link_sub(globex, &link.subject, "stolen", &event).await.unwrap();

        assert!(matches!(linked, Err(NotDone::Refused(LinkConflict::NoAccount))));
        assert_eq!([by_subject, by_account], [None, None]);
        assert_eq!(store.list_link_requests(globex).await.unwrap(), []);
        assert_eq!(store.find_link(acme, &link.subject).await.unwrap(), Some(link));
        assert_eq!(store.list_audit_events(globex, 9).await.unwrap().len(), 1, "its creation");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_sub_is_noted_and_audited_an_unchanged_one_is_not() {
    for backend in stores().await {
        let store = &backend.store;
        let (alice, connector) = person(&**store).await;
        let acme = alice.organization_id;
        let link = link(&alice, &connector, "oid");
        store.insert_link(&link, &audit(acme, "linked")).await.unwrap();

        for sub in [&link.sub, "changed", "changed"] {
            let event = audit(acme, "sub.changed");
            store.update_link_sub(acme, &link.subject, sub, &event).await.unwrap();
        }

        let expected = SubjectLink { sub: "changed".into(), ..link.clone() };
        assert_eq!(store.find_link(acme, &link.subject).await.unwrap(), Some(expected));
        let audited = store.list_audit_events(acme, 99).await.unwrap();
        assert_eq!(audited.iter().filter(|event| event.action == "sub.changed").count(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_request_of_a_subject_for_an_account_stays_in_force() {
    for backend in stores().await {
        let store = &backend.store;
        let (alice, connector) = person(&**store).await;
        let acme = alice.organization_id;
        let first = link_request(&alice, &connector, "oid");
        let again =
            LinkRequest { requested_at: after(60), ..link_request(&alice, &connector, "oid") };
        let another =
            LinkRequest { requested_at: after(-60), ..link_request(&alice, &connector, "other") };

        for request in [&first, &again, &another] {
            store.insert_link_request(request, &audit(acme, "asked")).await.unwrap();
        }

        let renewed = LinkRequest { reference: again.reference, ..first };
        assert_eq!(store.list_link_requests(acme).await.unwrap(), [another, renewed]);
        let audited = store.list_audit_events(acme, 99).await.unwrap();
        assert_eq!(audited.iter().filter(|event| event.action == "asked").count(), 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_ends_the_accounts_request_and_no_others() {
    for backend in stores().await {
        let store = &backend.store;
        let (alice, connector) = person(&**store).await;
        let acme = alice.organization_id;
        let bob = account_in(&**store, acme, "bob").await;
        let of_bob = link_request(&bob, &connector, "bob's oid");
        for request in [&link_request(&alice, &connector, "oid"), &of_bob] {
            store.insert_link_request(request, &audit(acme, "asked")).await.unwrap();
        }

        let link = link(&alice, &connector, "oid");
        store.insert_link(&link, &audit(acme, "linked")).await.unwrap();

        assert_eq!(store.list_link_requests(acme).await.unwrap(), [of_bob]);
        assert_eq!(store.find_link(acme, &subject("bob's oid")).await.unwrap(), None);
    }
}
