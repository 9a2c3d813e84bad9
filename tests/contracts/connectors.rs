//! Connectors.

use portico::domain::{
    access_role::RoleTable,
    connector::{
        ClientAuthentication, Connector, ConnectorKind, LinkByUserName, RoleSource, ScimCredentials,
    },
    id::ConnectorId,
    secret::Secret,
};

use crate::support::{after, audit, connector, connector_in, organization_in, stores};

#[tokio::test(flavor = "multi_thread")]
async fn a_connector_is_read_as_it_was_written() {
    for backend in stores().await {
        let store = &backend.store;
        let acme = organization_in(&**store, "acme").await;
        let secret = || Secret::new("hunter2");
        let ways = [
            ClientAuthentication::SecretPost(secret()),
            ClientAuthentication::SecretBasic(secret()),
            ClientAuthentication::Public,
        ];

        for client_authentication in ways {
            let written = Connector { client_authentication, ..connector(acme) };
            store.insert_connector(&written, &audit(acme, "created")).await.unwrap();

            assert_eq!(store.find_connector(written.id).await.unwrap(), Some(written));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connector_is_replaced_but_for_its_creation() {
    for backend in stores().await {
        let store = &backend.store;
        let acme = organization_in(&**store, "acme").await;
        let before = connector_in(&**store, acme).await;
        let after = Connector {
            kind: ConnectorKind::Oidc,
            enabled: false,
            authority: "https://id.example".into(),
            client_id: "other".into(),
            client_authentication: ClientAuthentication::Public,
            role_source: RoleSource::Scim,
            role_claim: "groups".into(),
            role_table: RoleTable::default(),
            link_by_user_name: LinkByUserName::Never,
            scim: ScimCredentials { user_name: "d".into(), passwords: Vec::new() },
            created_at: after(60),
            ..before
        };

        let replaced = store.replace_connector(&after, &audit(acme, "connector.changed")).await;

        assert!(replaced.unwrap());
        let expected = Connector { created_at: before.created_at, ..after };
        assert_eq!(store.find_connector(before.id).await.unwrap(), Some(expected));
        let audited = store.list_audit_events(acme, 1).await.unwrap();
        assert_eq!(audited[0].action, "connector.changed");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_organization_cannot_change_or_list_anothers_connector() {
    for backend in stores().await {
        let store = &backend.store;
        let acme = organization_in(&**store, "acme").await;
        let globex = organization_in(&**store, "globex").await;
        let connector = connector_in(&**store, acme).await;
        let stolen =
            Connector { organization_id: globex, client_id: "stolen".into(), ..connector.clone() };

        let replaced = store.replace_connector(&stolen, &audit(globex, "stolen")).await.unwrap();

        assert!(!replaced);
        assert_eq!(store.find_connector(connector.id).await.unwrap(), Some(connector));
        assert_eq!(store.list_connectors(globex).await.unwrap(), []);
        assert!(store.list_audit_events(globex, 9).await.unwrap().len() == 1, "its creation alone");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn connectors_are_listed_the_oldest_first() {
    for backend in stores().await {
        let store = &backend.store;
        let acme = organization_in(&**store, "acme").await;
        let first = connector_in(&**store, acme).await;
        let second = connector_in(&**store, acme).await;

        assert_eq!(store.list_connectors(acme).await.unwrap(), [first, second]);
        assert_eq!(store.find_connector(ConnectorId::generate()).await.unwrap(), None);
    }
}
