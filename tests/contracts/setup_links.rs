//! Ways into Organization Setup without a sign-in.

use portico::{
    domain::{
        connector::{ClientAuthentication, Connector},
        id::{ConnectorId, OrganizationId},
        secret::{Secret, SecretDigest},
        setup_link::SetupLink,
    },
    ports::{
        NotDone,
        store::{SetupRefusal, Store},
    },
};
use tokio::task::JoinSet;

use crate::support::{after, audit, connector, connector_in, now, organization_in, stores};

/// A link that is in the store, good for an hour.
async fn link_in(
    store: &(impl Store + ?Sized),
    of: OrganizationId,
    connector_id: ConnectorId,
) -> SetupLink {
    let (_, link) = SetupLink::issue(of, connector_id, now());
    let link = SetupLink { expires_at: after(3_600), ..link };
    store.insert_setup_link(&link, &audit(of, "setup_link.created")).await.unwrap();
    link
}

fn is_gone(done: &Result<(), NotDone<SetupRefusal>>) -> bool {
    matches!(done, Err(NotDone::Refused(SetupRefusal::Gone)))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_setup_link_is_found_until_it_expires_however_often_it_is_opened() {
    for backend in stores().await {
        let store = &backend.store;
        let acme = organization_in(&**store, "acme").await;
        let link = link_in(&**store, acme, ConnectorId::generate()).await;

        for at in [now(), after(1), after(3_599)] {
            let found = store.find_setup_link(&link.digest, at).await.unwrap();
            assert_eq!(found.as_ref(), Some(&link));
        }
        assert_eq!(store.find_setup_link(&link.digest, after(3_600)).await.unwrap(), None);
        let unknown = SecretDigest::of(b"unknown");
        assert_eq!(store.find_setup_link(&unknown, now()).await.unwrap(), None);
        assert_eq!(store.find_setup_link_of_organization(acme).await.unwrap(), Some(link));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fresh_setup_link_replaces_the_earlier_one_of_its_organization_alone() {
    for backend in stores().await {
        let store = &backend.store;
        let acme = organization_in(&**store, "acme").await;
        let globex = organization_in(&**store, "globex").await;
        let former = link_in(&**store, acme, ConnectorId::generate()).await;
        let others = link_in(&**store, globex, ConnectorId::generate()).await;

        let fresh = link_in(&**store, acme, former.connector_id).await;

        let find = async |link: &SetupLink| store.find_setup_link(&link.digest, now()).await;
        assert_eq!(find(&former).await.unwrap(), None);
        assert_eq!(find(&fresh).await.unwrap(), Some(fresh));
        assert_eq!(find(&others).await.unwrap(), Some(others));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn completing_a_setup_uses_the_link_up_and_creates_its_connector() {
    for backend in stores().await {
        let store = &backend.store;
        let acme = organization_in(&**store, "acme").await;
        let made = connector(acme);
        let link = link_in(&**store, acme, made.id).await;
        let event = audit(acme, "connector.created");

        store.complete_setup(&link.digest, now(), &made, &event).await.unwrap();
        let again = store.complete_setup(&link.digest, now(), &made, &event).await;

        assert!(is_gone(&again));
        assert_eq!(store.find_connector(made.id).await.unwrap(), Some(made));
        assert_eq!(store.find_setup_link(&link.digest, now()).await.unwrap(), None);
        assert_eq!(store.find_setup_link_of_organization(acme).await.unwrap(), None);
        let audited = store.list_audit_events(acme, 9).await.unwrap();
        assert_eq!(audited.iter().filter(|event| event.action == "connector.created").count(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn completing_a_setup_replaces_the_connector_that_is_there_but_for_its_creation() {
    for backend in stores().await {
        let store = &backend.store;
        let acme = organization_in(&**store, "acme").await;
        let before = connector_in(&**store, acme).await;
        let link = link_in(&**store, acme, before.id).await;
        let changed = Connector {
            client_id: "other".into(),
            client_authentication: ClientAuthentication::SecretPost(Secret::new("fresh")),
            created_at: after(60),
            ..before
        };

        let event = audit(acme, "connector.replaced");
        store.complete_setup(&link.digest, now(), &changed, &event).await.unwrap();

        let expected = Connector { created_at: before.created_at, ..changed };
        assert_eq!(store.list_connectors(acme).await.unwrap(), [expected]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_setup_that_is_refused_changes_nothing() {
    for backend in stores().await {
        let store = &backend.store;
        let acme = organization_in(&**store, "acme").await;
        let before = connector_in(&**store, acme).await;
        let link = link_in(&**store, acme, before.id).await;
        let changed = Connector { client_id: "changed".into(), ..before.clone() };
        let unknown = SecretDigest::of(b"unknown");
        let another = connector(acme);
        let event = audit(acme, "refused");

        for (digest, at, connector) in [
            (&unknown, now(), &changed),
            (&link.digest, link.expires_at, &changed),
            (&link.digest, now(), &another),
        ] {
            let done = store.complete_setup(digest, at, connector, &event).await;
            assert!(is_gone(&done));
        }

        assert_eq!(store.list_connectors(acme).await.unwrap(), [before]);
        let audited = store.list_audit_events(acme, 9).await.unwrap();
        assert!(audited.iter().all(|event| event.action != "refused"));
        assert_eq!(store.find_setup_link(&link.digest, now()).await.unwrap(), Some(link));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_organization_cannot_complete_a_setup_with_anothers_link() {
    for backend in stores().await {
        let store = &backend.store;
        let acme = organization_in(&**store, "acme").await;
        let globex = organization_in(&**store, "globex").await;
        let theirs = connector_in(&**store, acme).await;
        let link = link_in(&**store, acme, theirs.id).await;
        let event = audit(globex, "stolen");
        let stolen = Connector { organization_id: globex, ..theirs.clone() };

        for connector in [&stolen, &connector(globex)] {
            let done = store.complete_setup(&link.digest, now(), connector, &event).await;
            assert!(is_gone(&done));
        }

        assert_eq!(store.list_connectors(globex).await.unwrap(), []);
        assert_eq!(store.find_connector(theirs.id).await.unwrap(), Some(theirs));
        assert_eq!(store.find_setup_link(&link.digest, now()).await.unwrap(), Some(link));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_simultaneous_completions_one_succeeds() {
    for backend in stores().await {
        let store = &backend.store;
        let acme = organization_in(&**store, "acme").await;
        let id = ConnectorId::generate();
        let link = link_in(&**store, acme, id).await;
        let mut race = JoinSet::new();
        for number in 0..16 {
            let (store, digest) = (store.clone(), link.digest);
            let made = Connector { id, client_id: format!("client-{number}"), ..connector(acme) };
            race.spawn(async move {
                let event = audit(acme, "connector.created");
                let done = store.complete_setup(&digest, now(), &made, &event).await;
                done.is_ok().then_some(made)
            });
        }

        let won: Vec<_> = race.join_all().await.into_iter().flatten().collect();

        assert_eq!(won.len(), 1);
        assert_eq!(store.list_connectors(acme).await.unwrap(), won);
    }
}
