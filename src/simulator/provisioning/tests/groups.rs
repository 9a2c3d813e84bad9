//! Groups and their members.

use std::{sync::atomic::Ordering, time::Duration};

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_group_is_created_empty_and_its_members_come_after_everybody_is_there() {
    let mut scene = Scene::begin();
    let bob = scene.person("Bob");
    let crew = scene.group("Crew", &[bob, scene.ada]);

    let requests = scene.requests().await;

    let of_groups: Vec<_> =
        requests.iter().skip_while(|request| !request.address.starts_with("Groups")).collect();
    let lines: Vec<_> = of_groups.iter().map(|request| request.line()).collect();
    assert_eq!(
        lines,
        [
            "GET Groups?excludedAttributes=members&filter=displayName eq \"Crew\"",
            "POST Groups",
            "PATCH Groups/g1",
        ]
    );
    assert_eq!(
        of_groups[1].body,
        json!({
            "schemas": [
                "urn:ietf:params:scim:schemas:core:2.0:Group",
                "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group",
            ],
            "externalId": crew.to_string(),
            "displayName": "Crew",
            "meta": { "resourceType": "Group" },
        })
    );
    let operation = &of_groups[2].body["Operations"][0];
    assert_eq!((&operation["op"], &operation["path"]), (&json!("Add"), &json!("members")));
    assert_eq!(operation["value"][0]["$ref"], Value::Null);
    assert_eq!(scene.server.members("g1"), ["u1", "u2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn members_travel_in_so_many_operations_and_requests_several_under_way() {
    let mut scene = Scene::with(|settings| {
        settings.members =
            MemberRequests { per_operation: 3, per_request: 2, at_once: 3, repeated: 0 };
    });
    let people: Vec<Uuid> = (0..20).map(|number| scene.person(&format!("P{number}"))).collect();
    scene.group("Crew", &people);
    *scene.server.slowness.lock().unwrap() = Duration::from_millis(300);

    let patches = scene.patches().await;

    let sizes = |patch: &Value| -> Vec<usize> {
        let operations = patch.as_array().unwrap().iter();
        operations.map(|operation| operation["value"].as_array().unwrap().len()).collect()
    };
    let mut sizes: Vec<_> = patches.iter().map(sizes).collect();
    sizes.sort();
    assert_eq!(sizes, [vec![2], vec![3, 3], vec![3, 3], vec![3, 3]]);
    assert_eq!(scene.server.most_patches_under_way.load(Ordering::SeqCst), 3);
    assert_eq!(scene.server.members("g1").len(), 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_one_is_removed_those_who_stay_are_added_once_more() {
    let listed = |id: &str| json!({ "$ref": null, "value": id });
    let cases = [
        (
            Scene::begin(),
            json!({ "op": "Add", "path": "members", "value": [listed("ADA")] }),
            json!({ "op": "Remove", "path": "members", "value": [listed("BOB")] }),
        ),
        (
            Scene::flagged(),
            json!({ "op": "add", "path": "members", "value": [{ "value": "ADA" }] }),
            json!({ "op": "remove", "path": "members[value eq \"BOB\"]" }),
        ),
    ];

    for (mut scene, added, removed) in cases {
        let bob = scene.person("Bob");
        let crew = scene.group("Crew", &[bob, scene.ada]);
        scene.cycle().await;

        scene.tenant.remove_member(crew, bob);
        let patches = scene.patches().await;

        let named = json!(patches).to_string();
        let named = named.replace(&scene.id(bob), "BOB").replace(&scene.id(scene.ada), "ADA");
        let named: Value = serde_json::from_str(&named).unwrap();
        assert_eq!(named, json!([[added, removed]]));
        assert_eq!(scene.server.members("g1"), [scene.id(scene.ada)]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_is_renamed_in_the_words_of_each_dialect() {
    let cases = [
        (Scene::begin(), json!([{ "op": "Replace", "path": "displayName", "value": "Staff" }])),
        (Scene::flagged(), json!([{ "op": "replace", "value": { "displayName": "Staff" } }])),
    ];

    for (mut scene, operations) in cases {
        let crew = scene.group("Crew", &[scene.ada]);
        scene.cycle().await;

        scene.tenant.rename_group(crew, "Staff");
        let requests = scene.requests().await;

        assert!(requests[0].line().starts_with("GET Groups/g1?"), "{requests:?}");
        assert!(requests[0].line().ends_with("excludedAttributes=members"), "{requests:?}");
        assert_eq!(requests[1].body["Operations"], operations);
        assert_eq!(requests.len(), 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_that_is_deleted_or_not_assigned_any_more_is_deleted() {
    let mut scene = Scene::begin();
    let crew = scene.group("Crew", &[scene.ada]);
    let staff = scene.group("Staff", &[]);
    scene.cycle().await;
    let (crew_id, staff_id) = (scene.id(crew), scene.id(staff));

    scene.tenant.delete_group(crew);
    let deleted = scene.lines().await;
    scene.tenant.unassign(scene.client_id, staff);
    let unassigned = scene.lines().await;

    assert_eq!(deleted, [format!("DELETE Groups/{crew_id}")]);
    assert_eq!(unassigned, [format!("DELETE Groups/{staff_id}")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn memberships_are_not_sent_again_to_who_was_out_of_scope() {
    let mut scene = Scene::begin();
    scene.group("Crew", &[]);
    let crew = scene.tenant.add_group(GroupSeed::new("Others")).oid;
    scene.tenant.add_member(crew, scene.ada);
    scene.tenant.set_roles(scene.client_id, crew, &[]);
    scene.cycle().await;

    scene.change_ada(|ada| ada.account_enabled = false);
    let out = scene.patches().await;
    scene.change_ada(|ada| ada.account_enabled = true);
    let back = scene.patches().await;

    let active = |value: &str| json!([{ "op": "Replace", "path": "active", "value": value }]);
    assert_eq!((out, back), (vec![active("False")], vec![active("True")]));
    assert_eq!(scene.server.members(&scene.id(crew)), [scene.id(scene.ada)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_deleted_for_good_is_not_removed_from_groups_one_by_one() {
    let mut scene = Scene::begin();
    let bob = scene.person("Bob");
    scene.group("Crew", &[bob, scene.ada]);
    scene.cycle().await;
    let id = scene.id(bob);

    scene.tenant.delete_person(bob);
    let lines = scene.lines().await;

    assert_eq!(lines, [format!("DELETE Users/{id}")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_assigned_group_brings_its_direct_members_and_no_nested_ones() {
    let mut scene = Scene::begin();
    let (direct, nested) = (scene.stranger("Dina"), scene.stranger("Nils"));
    let inner = scene.tenant.add_group(GroupSeed::new("Inner")).oid;
    scene.tenant.add_member(inner, nested);
    let outer = scene.group("Outer", &[direct, inner]);

    scene.cycle().await;
    let came = scene.job.target_id(direct).is_some();
    let members = scene.server.members(&scene.id(outer));
    scene.tenant.remove_member(outer, direct);
    let left = scene.cycle().await;

    assert_eq!((came, scene.job.target_id(nested)), (true, None));
    assert_eq!(members, [scene.id(direct)]);
    assert_eq!(scene.job.target_id(inner), None);
    assert_eq!((left.count(Action::Disable), left.count(Action::Reference)), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_who_comes_into_scope_later_joins_then() {
    let mut scene = Scene::begin();
    let bob = scene.stranger("Bob");
    let crew = scene.tenant.add_group(GroupSeed::new("Crew")).oid;
    scene.tenant.add_member(crew, bob);
    scene.tenant.change_application(scene.client_id, |application| {
        application.assignments.insert(crew, Vec::new());
    });
    scene.tenant.change_person(bob, |bob| bob.account_enabled = false);
    scene.cycle().await;
    let before = scene.server.members(&scene.id(crew));

    scene.tenant.change_person(bob, |bob| bob.account_enabled = true);
    scene.cycle().await;

    assert_eq!(before, [""; 0]);
    assert_eq!(scene.server.members(&scene.id(crew)), [scene.id(bob)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restarted_job_finds_its_groups_by_name_and_adds_every_member_again() {
    let mut scene = Scene::begin();
    let crew = scene.group("Crew", &[scene.ada]);
    scene.cycle().await;

    scene.job.restart();
    let log = scene.cycle().await;

    let did = [Action::Match, Action::Create, Action::Reference].map(|action| log.count(action));
    assert_eq!(did, [2, 0, 1]);
    assert_eq!(scene.server.members(&scene.id(crew)), [scene.id(scene.ada)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_for_people_alone_asks_for_no_group() {
    let mut scene = Scene::with(|settings| settings.groups = false);
    scene.group("Crew", &[scene.ada]);

    let lines = scene.lines().await;

    assert!(lines.iter().all(|line| !line.contains("Groups")), "{lines:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_on_demand_takes_the_chosen_members_up_to_five() {
    let mut scene = Scene::begin();
    let people: Vec<Uuid> = (0..6).map(|number| scene.person(&format!("P{number}"))).collect();
    let crew = scene.group("Crew", &people);
    scene.cycle().await;
    let staff = scene.group("Staff", &people);
    let directory = scene.tenant.directory(scene.client_id);

    let refused = scene.job.provision_on_demand(&directory, staff, &people).await;
    let taken = scene.job.provision_on_demand(&directory, staff, &people[..2]).await.unwrap();
    let chosen = scene.server.members(&scene.id(staff));
    scene.cycle().await;

    assert_eq!(refused, Err(OnDemandError::TooManyMembers));
    assert_eq!((taken.count(Action::Create), chosen.len()), (1, 2));
    assert_eq!(scene.server.members(&scene.id(staff)), scene.server.members(&scene.id(crew)));
}
