//! Failures: what they are called, when they are tried again, and when the job is.

use std::time::{Duration, Instant};

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_stands_in_the_log_with_the_targets_own_words_and_entras_name() {
    let cases = [
        (400, None),
        (409, Some("EntryConflict")),
        (422, Some("UnprocessableEntity")),
        (503, Some("InternalServerError")),
    ];

    for (status, code) in cases {
        let mut scene = Scene::begin();
        scene.server.refuse("POST Users", status, "no more seats");

        let log = scene.cycle().await;

        let failure = log.failures().next().unwrap();
        assert_eq!((failure.status, failure.code), (Some(status), code));
        assert_eq!((failure.action, &*failure.detail), (Action::Create, "no more seats"));
        assert_eq!((&*failure.name, failure.oid), ("ada@acme.example", scene.ada));
        assert_eq!((log.escrowed, log.failures().count()), (1, 1));
    }
}

/// The cycles from the first in which Ada's creation is tried.
async fn tries(scene: &mut Scene, cycles: u64) -> Vec<u64> {
    let mut tried = Vec::new();
    for cycle in 1..=cycles {
        if scene.lines().await.contains(&"POST Users".to_owned()) {
            tried.push(cycle);
        }
    }
    tried
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_person_is_tried_ever_more_rarely_and_a_busy_target_in_every_cycle() {
    for (status, expected) in [(409, vec![1, 2, 4, 8]), (503, (1..=9).collect())] {
        let mut scene = Scene::begin();
        scene.server.refuse("POST Users", status, "not now");

        assert_eq!(tries(&mut scene, 9).await, expected, "{status}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_in_the_directory_is_tried_before_its_turn() {
    let mut scene = Scene::begin();
    scene.server.refuse("POST Users", 409, "taken");
    tries(&mut scene, 2).await;
    scene.server.serve_all();

    let waiting = scene.lines().await;
    scene.change_ada(|ada| ada.job_title = Some("Head".into()));
    let log = scene.cycle().await;

    assert_eq!(waiting, [""; 0]);
    assert_eq!((log.count(Action::Create), log.escrowed), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_does_not_wait_for_a_change_that_failed() {
    let mut scene = Scene::begin();
    scene.cycle().await;
    scene.server.refuse("PATCH", 400, "no");
    scene.change_ada(|ada| ada.job_title = Some("Head".into()));
    for _ in 0..2 {
        scene.cycle().await;
    }

    scene.tenant.delete_person(scene.ada);
    let log = scene.cycle().await;

    assert_eq!((log.count(Action::Delete), log.escrowed), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_deletion_is_tried_again() {
    let mut scene = Scene::begin();
    scene.cycle().await;
    scene.tenant.delete_person(scene.ada);
    scene.server.refuse("DELETE", 503, "not now");

    let refused = scene.cycle().await;
    scene.server.serve_all();
    let deleted = scene.cycle().await;

    assert_eq!((refused.escrowed, refused.failures().count()), (1, 1));
    assert_eq!((deleted.count(Action::Delete), deleted.escrowed), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_failure_leaves_the_others_alone() {
    let mut scene = Scene::begin();
    let bob = scene.person("Bob");
    scene.server.refuse("bob@acme.example\"", 400, "bad name");
    scene.server.refuse("\"userName\":\"bob@acme.example\"", 400, "bad name");

    let log = scene.cycle().await;

    assert_eq!((log.count(Action::Create), log.failures().count()), (1, 1));
    assert!(scene.job.target_id(scene.ada).is_some());
    assert_eq!(scene.job.target_id(bob), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_takes_too_long_is_asked_again_in_the_next_cycle() {
    let mut scene = Scene::with(|settings| settings.timeout = Duration::from_secs(1));
    scene.cycle().await;
    *scene.server.slowness.lock().unwrap() = Duration::from_secs(5);
    scene.tenant.unassign(scene.client_id, scene.ada);

    let timed_out = scene.cycle().await;
    *scene.server.slowness.lock().unwrap() = Duration::ZERO;
    let disabled = scene.cycle().await;

    let failure = timed_out.failures().next().unwrap();
    assert_eq!((failure.status, failure.code), (None, Some("Timeout")));
    assert_eq!(disabled.count(Action::Disable), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_target_is_left_alone_as_long_as_it_asks() {
    let mut scene = Scene::begin();
    let busy = Refusal {
        to: "POST Users",
        status: 429,
        body: json!({ "detail": "slowly" }),
        retry_after: Some(1),
        times: Some(1),
    };
    scene.server.say(busy.clone());

    let began = Instant::now();
    let log = scene.cycle().await;
    let paused = began.elapsed();
    scene.person("Bob");
    scene.server.say(Refusal { retry_after: Some(0), times: None, ..busy });
    let given_up = scene.cycle().await;

    assert_eq!((log.count(Action::Create), log.failures().count()), (1, 0));
    assert!(paused >= Duration::from_secs(1), "{paused:?}");
    let failure = given_up.failures().next().unwrap();
    assert_eq!((failure.status, failure.code), (Some(429), Some("TooManyRequests")));
}

#[tokio::test(flavor = "multi_thread")]
async fn members_that_failed_are_sent_again_and_no_others() {
    let mut scene = Scene::with(|settings| {
        settings.members =
            MemberRequests { per_operation: 1, per_request: 1, at_once: 2, repeated: 0 };
    });
    let bob = scene.person("Bob");
    let crew = scene.group("Crew", &[bob, scene.ada]);
    scene.server.refuse("\"path\":\"members\",\"value\":[{\"$ref\":null,\"value\":\"u2\"", 503, "");

    let first = scene.cycle().await;
    let half = scene.server.members(&scene.id(crew));
    scene.server.serve_all();
    let patches = scene.patches().await;

    assert_eq!((first.failures().count(), first.escrowed), (1, 1));
    assert_eq!((half.len(), patches.len()), (1, 1));
    assert_eq!(scene.server.members(&scene.id(crew)).len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn several_users_of_one_name_are_nobody() {
    let mut scene = Scene::begin();
    let user = |id: &str| json!({ "id": id, "active": true, "userName": "ada@acme.example" });
    scene.server.users.lock().unwrap().extend([user("u8"), user("u9")]);

    let log = scene.cycle().await;

    let failure = log.failures().next().unwrap();
    assert_eq!((failure.action, failure.code), (Action::Match, Some("DuplicateTargetEntries")));
    assert_eq!(log.count(Action::Create), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn members_that_come_back_though_they_were_excluded_are_a_failure() {
    let mut scene = Scene::begin();
    scene.group("Crew", &[scene.ada]);
    let group = json!({ "id": "g9", "displayName": "Crew", "members": [{ "value": "u1" }] });
    scene.server.say(Refusal {
        to: "GET Groups",
        status: 200,
        body: json!({ "totalResults": 1, "Resources": [group] }),
        retry_after: None,
        times: None,
    });

    let log = scene.cycle().await;

    assert_eq!(log.failures().next().unwrap().code, Some("MultipleEntriesInResponse"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_who_vanished_from_the_target_is_missed_until_a_restart() {
    let mut scene = Scene::begin();
    scene.cycle().await;
    scene.server.users.lock().unwrap().clear();

    scene.change_ada(|ada| ada.job_title = Some("Head".into()));
    let missed = scene.cycle().await;
    scene.job.restart();
    let found = scene.cycle().await;

    let failure = missed.failures().next().unwrap();
    assert_eq!((failure.action, failure.code), (Action::Read, Some("InvalidAnchor")));
    assert_eq!(found.count(Action::Create), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_credential_stops_the_cycle_and_puts_the_job_into_quarantine() {
    let mut scene = Scene::begin();
    for number in 0..30 {
        scene.person(&format!("P{number}"));
    }
    scene.server.refuse("GET Users", 401, "who are you?");

    let stopped = scene.cycle().await;
    let asked = scene.server.take().len();
    let skipped = scene.cycle().await;
    scene.server.serve_all();
    scene.clock.advance(SignedDuration::from_hours(6));
    let recovered = scene.cycle().await;

    assert!(asked < 31, "{asked}");
    let JobState::Quarantined(quarantine) = stopped.state else { panic!("{:?}", stopped.state) };
    assert_eq!(quarantine.reason, QuarantineReason::InvalidCredentials);
    assert_eq!((skipped.kind, skipped.entries.len()), (CycleKind::Skipped, 0));
    assert_eq!((recovered.kind, recovered.state), (CycleKind::Initial, JobState::Active));
    assert_eq!((recovered.count(Action::Create), recovered.escrowed), (31, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_404_or_nonsense_for_a_query_puts_the_job_into_quarantine() {
    for (status, body) in [(404, json!({})), (200, json!({ "users": [] }))] {
        let mut scene = Scene::begin();
        let to = "GET Users";
        scene.server.say(Refusal { to, status, body, retry_after: None, times: None });

        let log = scene.cycle().await;

        let JobState::Quarantined(quarantine) = log.state else { panic!("{:?}", log.state) };
        assert_eq!(quarantine.reason, QuarantineReason::Incompatible, "{status}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn too_large_a_share_of_failures_puts_the_job_into_quarantine_until_a_restart() {
    let mut scene = Scene::with(|settings| {
        let limits = QuarantineLimits::default();
        settings.quarantine = QuarantineLimits { evaluated_from: 2, share: 60, ..limits };
    });
    scene.person("Bob");
    scene.person("Cleo");
    scene.server.refuse("POST Users", 409, "taken");

    let log = scene.cycle().await;
    scene.server.serve_all();
    scene.job.restart();
    let again = scene.cycle().await;

    let JobState::Quarantined(quarantine) = log.state else { panic!("{:?}", log.state) };
    assert_eq!((log.escrowed, quarantine.reason), (3, QuarantineReason::EscrowShare));
    assert_eq!((again.count(Action::Create), again.state), (3, JobState::Active));
}
