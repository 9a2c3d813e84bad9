//! A directory creates a person whose account somebody made by hand before.

use portico::domain::{
    account::Account,
    audit_event::{Actor, AuditEvent},
    id::AccountId,
};
use serde_json::{Map, Value};

use crate::support::{Directory, Organization, Service};

/// An account made by hand, without an `externalId`.
async fn by_hand(
    service: &Service,
    acme: &Organization,
    user_name: &str,
    email: &str,
) -> AccountId {
    let (organization_id, now) = (acme.stored.id, service.clock.now());
    let account = Account {
        organization_id,
        connector_id: None,
        id: AccountId::generate(),
        user_name: user_name.to_owned(),
        external_id: None,
        email: email.to_owned(),
        display_name: "By Hand".to_owned(),
        active: true,
        scim_roles: Vec::new(),
        access_epoch: 1,
        version: 1,
        created_at: now,
        last_modified_at: now,
        attributes: Map::new(),
    };
    let audit =
        AuditEvent::new(organization_id, now, Actor::Operator, "account.created", &account.id);
    service.ports().store.insert_account(&account, &audit.into()).await.unwrap();
    account.id
}

#[tokio::test]
async fn an_account_made_by_hand_is_taken_over_with_its_id() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    let by_name = by_hand(&service, &acme, "Ada@acme.example", "ada@home.example").await;
    let by_email = by_hand(&service, &acme, "bob", "bob@acme.example").await;
    assert_eq!(acme.scim().get("/Users").await.json()["totalResults"], 0);
    assert_eq!(acme.scim().get(&format!("/Users/{by_name}")).await.status, 404);

    for (user_name, id) in [("ada@acme.example", by_name), ("bob@acme.example", by_email)] {
        let created = acme.scim().post("/Users", &Directory::user(user_name)).await;

        assert_eq!((created.status, &created.json()["id"]), (201, &Value::from(id.to_string())));
        assert_eq!(created.json()["userName"], user_name);
    }
    assert_eq!(acme.scim().get("/Users").await.json()["totalResults"], 2);
    let adopted = service.audit(&acme).await;
    assert_eq!(adopted.iter().filter(|event| event.action == "account.adopted").count(), 2);
}

#[tokio::test]
async fn once_taken_over_it_is_the_directorys_and_a_second_creation_is_refused() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    let id = by_hand(&service, &acme, "ada@acme.example", "ada@acme.example").await;
    acme.scim().create(&Directory::user("ada@acme.example")).await;

    let again = acme.scim().post("/Users", &Directory::user("ada@acme.example")).await;

    assert_eq!((again.status, &again.json()["scimType"]), (409, &Value::from("uniqueness")));
    assert!(again.body.contains(&id.to_string()), "{}", again.body);
}

#[tokio::test]
async fn two_accounts_made_by_hand_are_not_made_one() {
    let service = Service::start().await;
    let acme = service.organization("acme").await;
    by_hand(&service, &acme, "ada@acme.example", "ada@home.example").await;
    let other = by_hand(&service, &acme, "bob", "ada@acme.example").await;

    let refused = acme.scim().post("/Users", &Directory::user("ada@acme.example")).await;

    assert_eq!(refused.status, 409);
    assert!(!refused.body.contains(&other.to_string()), "{}", refused.body);
    assert_eq!(acme.scim().get("/Users").await.json()["totalResults"], 0);
}
