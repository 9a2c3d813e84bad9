//! Decisions, the audit log, signing keys and health.

use portico::{
    domain::{
        access_role::AccessRole,
        audit_event::{Actor, AuditEvent},
        connector::RoleSource,
        decision::{Decision, Grounds, Outcome, RoleGrounds},
        id::{AccountId, ConnectorId, DecisionId, OrganizationId, Reference},
        secret::Secret,
    },
    ports::store::SigningKey,
};
use tokio::task::JoinSet;

use crate::support::{after, audit, now, organization_in, stores};

fn decision(organization_id: OrganizationId, outcome: Outcome) -> Decision {
    Decision {
        id: DecisionId::generate(),
        reference: Reference::generate(),
        organization_id,
        connector_id: ConnectorId::generate(),
        account_id: None,
        at: now(),
        outcome,
        grounds: Grounds {
            because: "Nobody here is “that person”.".into(), ..Grounds::default()
        },
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_is_found_by_its_reference() {
    for backend in stores().await {
        let store = &backend.store;
        let acme = organization_in(&**store, "acme").await;
        let mut signed_in = decision(acme, Outcome::SignedIn);
        signed_in.account_id = Some(AccountId::generate());
        signed_in.grounds.role = Some(RoleGrounds {
            source: RoleSource::Token,
            claim: "roles".into(),
            token_values: vec!["User".into(), "Chef".into()],
            scim_values: Vec::new(),
            unknown_values: vec!["Chef".into()],
            role: Some(AccessRole::User),
        });
        let outcomes = [
            Outcome::NotAuthenticated,
            Outcome::NotProvisioned,
            Outcome::Inactive,
            Outcome::WrongTenant,
            Outcome::Ambiguous,
            Outcome::AwaitsApproval,
            Outcome::NoRole,
            Outcome::AccessLost,
        ];
        let refusals = outcomes.map(|outcome| decision(acme, outcome));

        for decision in refusals.into_iter().chain([signed_in]) {
            store.insert_decision(&decision, &audit(acme, "decided")).await.unwrap();

            let found = store.find_decision(acme, &decision.reference).await.unwrap();
            assert_eq!(found, Some(decision));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_organization_cannot_read_anothers_decision() {
    for backend in stores().await {
        let store = &backend.store;
        let acme = organization_in(&**store, "acme").await;
        let globex = organization_in(&**store, "globex").await;
        let decision = decision(acme, Outcome::NoRole);
        store.insert_decision(&decision, &audit(acme, "decided")).await.unwrap();

        assert_eq!(store.find_decision(globex, &decision.reference).await.unwrap(), None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn old_decisions_are_forgotten_a_thousand_at_a_time_and_the_audit_log_stays() {
    for backend in stores().await {
        let store = &backend.store;
        let acme = organization_in(&**store, "acme").await;
        let mut kept = JoinSet::new();
        for second in (0..1_001).map(|_| 0).chain([1]) {
            let store = store.clone();
            let decision = Decision { at: after(second), ..decision(acme, Outcome::NoRole) };
            kept.spawn(async move {
                store.insert_decision(&decision, &audit(acme, "decided")).await.unwrap();
                decision
            });
        }
        let decisions = kept.join_all().await;
        let newest = decisions.iter().find(|decision| decision.at == after(1)).unwrap();

        let mut forgotten = Vec::new();
        for before in [now(), after(1), after(1), after(1)] {
            forgotten.push(store.delete_decisions_before(before).await.unwrap());
        }

        assert_eq!(forgotten, [0, 1_000, 1, 0]);
        let found = store.find_decision(acme, &newest.reference).await.unwrap();
        assert_eq!(found.as_ref(), Some(newest));
        let audited = store.list_audit_events(acme, 2_000).await.unwrap();
        assert_eq!(audited.iter().filter(|event| event.action == "decided").count(), 1_002);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn audit_events_are_read_back_the_newest_first() {
    for backend in stores().await {
        let store = &backend.store;
        let acme = organization_in(&**store, "acme").await;
        let connector = ConnectorId::generate();
        let reference = Reference::generate();
        let event =
            AuditEvent::new(acme, after(1), Actor::Directory(connector), "first", &connector)
                .with("field", "value")
                .under(&reference);
        store.insert_audit_event(&event).await.unwrap();
        store.insert_audit_event(&audit(acme, "second")).await.unwrap();

        let events = store.list_audit_events(acme, 2).await.unwrap();

        let [second, first] = &events[..] else { panic!("two were asked for: {events:?}") };
        assert_eq!(second.action, "second");
        assert_eq!((first.id, first.at), (event.id, event.at));
        assert_eq!(first.actor, format!("directory:{connector}"));
        assert_eq!((&first.target, &first.reference), (&connector.to_string(), &Some(reference)));
        assert_eq!(first.details, event.details);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_organization_cannot_read_anothers_audit_log() {
    for backend in stores().await {
        let store = &backend.store;
        let acme = organization_in(&**store, "acme").await;
        let globex = organization_in(&**store, "globex").await;
        store.insert_audit_event(&audit(acme, "secret")).await.unwrap();

        let events = store.list_audit_events(globex, 99).await.unwrap();

        assert!(events.iter().all(|event| event.action == "organization.created"));
        assert_eq!(events.len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_nodes_that_start_together_all_sign_with_one_key() {
    for backend in stores().await {
        let store = &backend.store;
        let mut nodes = JoinSet::new();
        for node in 0..8 {
            let store = store.clone();
            let key = SigningKey {
                kid: format!("node-{node}"),
                pkcs8: Secret::generate(),
                created_at: now(),
            };
            nodes.spawn(async move { store.insert_first_signing_key(&key).await.unwrap() });
        }

        let keys = nodes.join_all().await;

        assert!(keys.iter().all(|key| *key == keys[0]));
        assert_eq!(store.list_signing_keys().await.unwrap(), [keys[0].clone()]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_writes_answers_a_ping() {
    for backend in stores().await {
        backend.store.ping().await.unwrap();
    }
}
