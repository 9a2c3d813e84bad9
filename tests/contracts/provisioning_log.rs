//! What directories asked for.

use jiff::{SignedDuration, Timestamp};
use portico::{
    domain::{
        account::Account,
        connector::Connector,
        id::ProvisioningRecordId,
        provisioning_record::{ProvisioningOutcome, ProvisioningRecord, ProvisioningTally},
    },
    ports::{FORGOTTEN_AT_ONCE, provisioning_log::RecordsWanted, trail::Trail},
};
use serde_json::json;

use crate::support::{
    WholeStore, account_of, account_of_in, after, connector_in, directory_in, now, stores, trail,
};

fn record(of: &Connector, outcome: ProvisioningOutcome) -> ProvisioningRecord {
    ProvisioningRecord {
        id: ProvisioningRecordId::generate(),
        organization_id: of.organization_id,
        connector_id: of.id,
        at: now(),
        client: "Entra ID from 192.0.2.7".into(),
        method: "PATCH".into(),
        path: "/Users?filter=userName eq \"élise\"".into(),
        status: 200,
        outcome,
        summary: "Changed Élise".into(),
        resource: Some("a-user".into()),
        changes: json!({ "title": { "before": null, "after": "Chef" } })
            .as_object()
            .unwrap()
            .clone(),
        body: None,
        replay_of: None,
    }
}

fn tally(of: &Connector, hour: Timestamp) -> ProvisioningTally {
    ProvisioningTally {
        organization_id: of.organization_id,
        connector_id: of.id,
        hour,
        requests: 3,
        changed: 1,
        failures: 2,
        last_request_at: hour,
        last_success_at: None,
    }
}

async fn note(store: &dyn WholeStore, records: &[ProvisioningRecord]) {
    store.note_provisioning(records, &[]).await.unwrap();
}

async fn listed(
    store: &dyn WholeStore,
    of: &Connector,
    wanted: RecordsWanted,
) -> Vec<ProvisioningRecord> {
    store.list_provisioning_records(of.organization_id, of.id, &wanted).await.unwrap()
}

fn all() -> RecordsWanted {
    RecordsWanted { limit: u64::MAX, ..RecordsWanted::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_is_read_as_it_was_written() {
    for backend in stores().await {
        let store = &*backend.store;
        let acme = directory_in(store, "acme").await;
        let plain = ProvisioningRecord {
            resource: None,
            changes: serde_json::Map::new(),
            ..record(&acme, ProvisioningOutcome::Answered)
        };
        let full = ProvisioningRecord {
            status: 409,
            body: Some(json!({ "Operations": [1, "ä", null] })),
            replay_of: Some(plain.id),
            ..record(&acme, ProvisioningOutcome::Refused)
        };

        note(store, &[plain.clone(), full.clone()]).await;

        for record in [plain, full] {
            let (organization_id, connector_id) = (acme.organization_id, acme.id);
            let found = store.find_provisioning_record(organization_id, connector_id, record.id);
            assert_eq!(found.await.unwrap(), Some(record));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_are_found_by_outcome_by_resource_and_before_a_line() {
    use ProvisioningOutcome::{Answered, Changed, Failed, Refused};
    for backend in stores().await {
        let store = &*backend.store;
        let acme = directory_in(store, "acme").await;
        let outcomes = [Answered, Refused, Changed, Refused, Failed, Answered];
        let lines: Vec<_> = outcomes
            .into_iter()
            .enumerate()
            .map(|(number, outcome)| ProvisioningRecord {
                resource: [None, Some("x".into()), Some("y".into())][number % 3].clone(),
                ..record(&acme, outcome)
            })
            .collect();
        note(store, &lines).await;
        let wanted = [
            (all(), vec![5, 4, 3, 2, 1, 0]),
            (RecordsWanted { limit: 2, ..all() }, vec![5, 4]),
            (RecordsWanted { limit: 0, ..all() }, vec![]),
            (RecordsWanted { outcome: Some(Refused), ..all() }, vec![3, 1]),
            (RecordsWanted { outcome: Some(Answered), ..all() }, vec![5, 0]),
            (RecordsWanted { resource: Some("x".into()), ..all() }, vec![4, 1]),
            (RecordsWanted { resource: Some("X".into()), ..all() }, vec![]),
            (RecordsWanted { before: Some(lines[2].id), ..all() }, vec![1, 0]),
            (
                RecordsWanted {
                    outcome: Some(Refused),
                    resource: Some("x".into()),
                    before: Some(lines[3].id),
                    limit: 9,
                },
                vec![1],
            ),
        ];

        for (wanted, expected) in wanted {
            let found = listed(store, &acme, wanted.clone()).await;

            let places: Vec<_> = found
                .iter()
                .map(|found| lines.iter().position(|line| line == found).unwrap())
                .collect();
            assert_eq!(places, expected, "{wanted:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changes_line_is_committed_with_the_change_or_not_at_all() {
    for backend in stores().await {
        let store = &*backend.store;
        let acme = directory_in(store, "acme").await;
        let with = |line: &ProvisioningRecord| Trail {
            record: Some(line.clone()),
            ..trail(acme.organization_id, "account.changed")
        };
        let lines: Vec<_> = (0..4).map(|_| record(&acme, ProvisioningOutcome::Changed)).collect();
        let alice = account_of(&acme, "alice");
        store.insert_account(&alice, &with(&lines[0])).await.unwrap();
        let bob = account_of_in(store, &acme, "bob").await;

        let taken = Account { version: 2, email: bob.email, ..alice.clone() };
        assert!(store.replace_account(&taken, 1, &with(&lines[1])).await.is_err());
        for (line, is_there) in [(&lines[2], true), (&lines[3], false)] {
            let trail = with(line);
            let deleted = store.delete_account(acme.organization_id, alice.id, &trail).await;
            assert_eq!(deleted.unwrap(), is_there);
        }

        let expected = [lines[2].clone(), lines[0].clone()];
        assert_eq!(listed(store, &acme, all()).await, expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tallies_of_one_hour_add_up() {
    for backend in stores().await {
        let store = &*backend.store;
        let acme = directory_in(store, "acme").await;
        let (first, second) = (tally(&acme, now()), tally(&acme, after(3_600)));
        let later = ProvisioningTally {
            last_request_at: after(50),
            last_success_at: Some(after(40)),
            ..first.clone()
        };
        let earlier = ProvisioningTally {
            last_request_at: after(20),
            last_success_at: Some(after(10)),
            ..first.clone()
        };

        store.note_provisioning(&[], &[first.clone(), second.clone()]).await.unwrap();
        for tally in [&later, &earlier, &first] {
            store.note_provisioning(&[], std::slice::from_ref(tally)).await.unwrap();
        }

        let of = async |since| {
            store.list_provisioning_tallies(acme.organization_id, acme.id, since).await.unwrap()
        };
        let sum = ProvisioningTally { requests: 12, changed: 4, failures: 8, ..later };
        assert_eq!(of(now()).await, [sum.clone(), second.clone()]);
        assert_eq!(of(after(3_599)).await, [sum, second.clone()], "within its hour");
        assert_eq!(of(after(3_600)).await, [second]);
        assert_eq!(of(after(7_200)).await, []);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_reads_the_log_of_another_connector() {
    for backend in stores().await {
        let store = &*backend.store;
        let acme = directory_in(store, "acme").await;
        let second = connector_in(store, acme.organization_id).await;
        let globex = directory_in(store, "globex").await;
        let line = record(&acme, ProvisioningOutcome::Failed);
        store.note_provisioning(&[line.clone()], &[tally(&acme, now())]).await.unwrap();

        let mixed = Connector { organization_id: globex.organization_id, ..acme.clone() };
        for stranger in [&second, &globex, &mixed] {
            let (organization_id, id) = (stranger.organization_id, stranger.id);
            assert_eq!(listed(store, stranger, all()).await, []);
            let found = store.find_provisioning_record(organization_id, id, line.id).await;
            assert_eq!(found.unwrap(), None);
            let tallies = store.list_provisioning_tallies(organization_id, id, now()).await;
            assert_eq!(tallies.unwrap(), []);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn old_lines_and_tallies_are_forgotten_and_the_oldest_beyond_the_most() {
    for backend in stores().await {
        let store = &*backend.store;
        let acme = directory_in(store, "acme").await;
        let globex = directory_in(store, "globex").await;
        let at = |of: &Connector, minutes: i64| ProvisioningRecord {
            at: now() + SignedDuration::from_mins(minutes),
            ..record(of, ProvisioningOutcome::Answered)
        };
        let lines: Vec<_> = (0..6).map(|minute| at(&acme, minute)).collect();
        let others: Vec<_> = (0..3).map(|minute| at(&globex, minute)).collect();
        let tallies = [tally(&acme, now()), tally(&acme, after(60))];
        store.note_provisioning(&lines, &tallies).await.unwrap();
        note(store, &others).await;

        let forgotten = store.delete_provisioning_records(after(60), 3).await.unwrap();

        assert_eq!(forgotten, 2 + 1 + 2, "old lines, an old tally, lines beyond the most");
        let mut expected = lines[3..].to_vec();
        expected.reverse();
        assert_eq!(listed(store, &acme, all()).await, expected);
        assert_eq!(listed(store, &globex, all()).await.len(), 2);
        let tallies =
            store.list_provisioning_tallies(acme.organization_id, acme.id, now()).await.unwrap();
        assert_eq!(tallies.len(), 1);
        assert_eq!(store.delete_provisioning_records(after(60), 3).await.unwrap(), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_so_many_lines_are_forgotten_at_once() {
    for backend in stores().await {
        let store = &*backend.store;
        let acme = directory_in(store, "acme").await;
        let globex = directory_in(store, "globex").await;
        let lines = |of: &Connector, count| -> Vec<_> {
            (0..count).map(|_| record(of, ProvisioningOutcome::Answered)).collect()
        };
        note(store, &lines(&acme, FORGOTTEN_AT_ONCE - 1)).await;
        note(store, &lines(&globex, 4)).await;

        for expected in [FORGOTTEN_AT_ONCE, 1, 0] {
            assert_eq!(store.delete_provisioning_records(now(), 1).await.unwrap(), expected);
        }
        assert_eq!(listed(store, &acme, all()).await.len(), 1);
        assert_eq!(listed(store, &globex, all()).await.len(), 1);
    }
}
