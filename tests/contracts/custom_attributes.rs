//! The attributes of a connector beyond the schemas of the RFCs.

use portico::{
    domain::{account::Account, connector::Connector},
    ports::trail::Trail,
    scim::{custom::CustomAttribute, schema::Kind},
};

use crate::support::{
    WholeStore, account_of, account_of_in, audit, connector_in, directory_in, stores, trail,
};

fn attribute(schema: &str, name: &str, kind: Kind) -> CustomAttribute {
    let (schema, name) = (schema.to_owned(), name.to_owned());
    CustomAttribute { schema, name, kind, multi_valued: false, declared: false }
}

fn learning(of: &Connector, learned: &[CustomAttribute]) -> Trail {
    Trail { learned: learned.to_vec(), ..trail(of.organization_id, "account.created") }
}

async fn known(store: &dyn WholeStore, of: &Connector) -> Vec<CustomAttribute> {
    store.list_custom_attributes(of.organization_id, of.id).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_change_brings_is_learned_once_and_in_the_order_in_which_it_came() {
    for backend in stores().await {
        let store = &*backend.store;
        let acme = directory_in(store, "acme").await;
        let badge = attribute("urn:contoso:employee", "Badge", Kind::Integer);
        let again = attribute("URN:Contoso:Employee", "BADGE", Kind::String);
        let area = CustomAttribute {
            multi_valued: true,
            ..attribute("urn:contoso:employee", "area", Kind::String)
        };

        let alice = account_of(&acme, "alice");
        let first = learning(&acme, &[badge.clone(), area.clone()]);
        store.insert_account(&alice, &first).await.unwrap();
        let next = Account { version: 2, ..alice };
        store.replace_account(&next, 1, &learning(&acme, &[again])).await.unwrap();

        assert_eq!(known(store, &acme).await, [badge, area]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_change_teaches_nothing() {
    for backend in stores().await {
        let store = &*backend.store;
        let acme = directory_in(store, "acme").await;
        let alice = account_of_in(store, &acme, "alice").await;
        let learned = learning(&acme, &[attribute("urn:contoso:employee", "a", Kind::String)]);

        let created = store.insert_account(&account_of(&acme, "ALICE"), &learned).await;
        let replaced = store.replace_account(&Account { version: 3, ..alice }, 2, &learned).await;

        assert!(created.is_err() && replaced.is_err());
        assert_eq!(known(store, &acme).await, []);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_admin_declares_takes_the_place_of_what_was_learned() {
    for backend in stores().await {
        let store = &*backend.store;
        let acme = directory_in(store, "acme").await;
        let organization_id = acme.organization_id;
        let [one, two] = ["one", "two"].map(|name| attribute("urn:x:y", name, Kind::String));
        let learned = learning(&acme, &[one, two.clone()]);
        store.insert_account(&account_of(&acme, "alice"), &learned).await.unwrap();
        let declared = CustomAttribute {
            kind: Kind::DateTime,
            multi_valued: true,
            declared: true,
            ..attribute("urn:X:y", "One", Kind::String)
        };
        let new = attribute("urn:x:y", "three", Kind::Boolean);

        for attribute in [&declared, &new] {
            let event = audit(organization_id, "custom_attribute.declared");
            store.put_custom_attribute(organization_id, acme.id, attribute, &event).await.unwrap();
        }

        assert_eq!(known(store, &acme).await, [declared, two, new]);
        let events = store.list_audit_events(organization_id, 2).await.unwrap();
        assert!(events.iter().all(|event| event.action == "custom_attribute.declared"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_connector_knows_its_own_attributes_only() {
    for backend in stores().await {
        let store = &*backend.store;
        let acme = directory_in(store, "acme").await;
        let second = connector_in(store, acme.organization_id).await;
        let globex = directory_in(store, "globex").await;
        let learned = learning(&acme, &[attribute("urn:x:y", "z", Kind::String)]);

        store.insert_account(&account_of(&acme, "alice"), &learned).await.unwrap();

        assert_eq!(known(store, &acme).await.len(), 1);
        assert_eq!(known(store, &second).await, []);
        assert_eq!(known(store, &globex).await, []);
        let mixed = store.list_custom_attributes(globex.organization_id, acme.id).await.unwrap();
        assert_eq!(mixed, []);
    }
}
