//! Connectors.

use portico::{
    domain::{
        access_role::RoleTable,
        connector::{
            ClientAuthentication, Connector, ConnectorKind, FederatedIdentity, LinkByUserName,
            RoleSource, ScimCredential, ScimCredentialKind, ScimCredentials,
        },
        id::{ConnectorId, CredentialId},
        provisioning_policy::ProvisioningPolicy,
        secret::Secret,
    },
    ports::store::CredentialUse,
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
            scim: ScimCredentials::new("d".into(), federated()),
            provisioning: ProvisioningPolicy::default(),
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

#[tokio::test(flavor = "multi_thread")]
async fn of_two_changes_to_the_same_credentials_one_succeeds() {
    for backend in stores().await {
        let store = &backend.store;
        let acme = organization_in(&**store, "acme").await;
        let connector = connector_in(&**store, acme).await;
        let had = &connector.scim.credentials;
        let wanted = &had[1..];
        let event = audit(acme, "scim_credential.revoked");

        let first = store.replace_scim_credentials(acme, connector.id, had, wanted, &event).await;
        let second = store.replace_scim_credentials(acme, connector.id, had, &[], &event).await;

        assert_eq!((first.unwrap(), second.unwrap()), (true, false));
        let found = store.find_connector(connector.id).await.unwrap().unwrap();
        assert_eq!(found.scim.credentials, wanted);
        let audited = store.list_audit_events(acme, 9).await.unwrap();
        let changes = audited.iter().filter(|event| event.action == "scim_credential.revoked");
        assert_eq!(changes.count(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_organization_cannot_change_anothers_credentials_nor_see_their_use() {
    for backend in stores().await {
        let store = &backend.store;
        let acme = organization_in(&**store, "acme").await;
        let globex = organization_in(&**store, "globex").await;
        let connector = connector_in(&**store, acme).await;
        let had = &connector.scim.credentials;
        store.note_credential_uses(&[used(&connector, 0, 1)]).await.unwrap();

        let event = audit(globex, "stolen");
        let replaced = store.replace_scim_credentials(globex, connector.id, had, &[], &event).await;
        let stolen = CredentialUse { organization_id: globex, ..used(&connector, 1, 1) };
        store.note_credential_uses(&[stolen]).await.unwrap();

        assert!(!replaced.unwrap());
        assert_eq!(store.find_connector(connector.id).await.unwrap(), Some(connector.clone()));
        assert_eq!(store.list_credential_uses(globex, connector.id).await.unwrap(), []);
        let known = store.list_credential_uses(acme, connector.id).await.unwrap();
        assert_eq!(known, [used(&connector, 0, 1)]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_use_of_a_credential_is_known_as_long_as_the_credential_is_there() {
    for backend in stores().await {
        let store = &backend.store;
        let acme = organization_in(&**store, "acme").await;
        let connector = connector_in(&**store, acme).await;
        let had = &connector.scim.credentials;
        let unknown =
            CredentialUse { credential_id: CredentialId::generate(), ..used(&connector, 0, 1) };

        let uses = [used(&connector, 1, 1), used(&connector, 0, 5), unknown];
        store.note_credential_uses(&uses).await.unwrap();
        store.note_credential_uses(&[used(&connector, 0, 3)]).await.unwrap();

        let known = store.list_credential_uses(acme, connector.id).await.unwrap();
        assert_eq!(known, [used(&connector, 0, 5), used(&connector, 1, 1)]);

        let event = audit(acme, "changed");
        let replaced =
            store.replace_scim_credentials(acme, connector.id, had, &had[1..], &event).await;
        assert!(replaced.unwrap());
        store.note_credential_uses(&[used(&connector, 0, 7)]).await.unwrap();
        let known = store.list_credential_uses(acme, connector.id).await.unwrap();
        assert_eq!(known, [used(&connector, 1, 1)]);

        let scim = ScimCredentials { credentials: Vec::new(), ..connector.scim.clone() };
        let without = Connector { scim, ..connector };
        assert!(store.replace_connector(&without, &audit(acme, "changed")).await.unwrap());
        assert_eq!(store.list_credential_uses(acme, without.id).await.unwrap(), []);
    }
}

fn federated() -> ScimCredential {
    let kind = ScimCredentialKind::Federated(FederatedIdentity {
        tenant_id: "tenant".into(),
        subject: "subject".into(),
        audiences: vec!["api://audience".into()],
    });
    ScimCredential::new(kind, "Federated", after(1)).until(after(60))
}

/// A use of a connector's credential, by its place in the list, some seconds after noon.
fn used(connector: &Connector, place: usize, seconds: i64) -> CredentialUse {
    CredentialUse {
        organization_id: connector.organization_id,
        connector_id: connector.id,
        credential_id: connector.scim.credentials[place].id,
        at: after(seconds),
    }
}
