//! People, from their first cycle to their deletion.

use super::*;

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const BADGE: &str = "urn:ietf:params:scim:schemas:extension:Acme:2.0:User";

#[tokio::test(flavor = "multi_thread")]
async fn an_assigned_person_is_looked_for_by_each_matching_attribute_and_then_created() {
    let mut scene = Scene::with(|settings| {
        settings.matching = vec![Matching::UserName, Matching::ExternalId, Matching::WorkEmail];
    });

    let lines = scene.lines().await;

    assert_eq!(
        lines,
        [
            "GET Users?filter=userName eq \"ada@acme.example\"".to_owned(),
            format!("GET Users?filter=externalId eq \"{}\"", scene.ada),
            "GET Users?filter=emails[type eq \"work\"].value eq \"ada@acme.example\"".to_owned(),
            "POST Users".to_owned(),
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_created_from_every_row_of_the_mapping_the_administrators_own_too() {
    let mut scene = Scene::with(|settings| {
        settings.mapping =
            Mapping { external_id: ExternalId::MailNickname, roles: RoleMapping::Single };
        settings.custom_attributes = vec![CustomAttribute {
            source: "extensionAttribute1".into(),
            target: format!("{BADGE}:badge"),
        }];
    });
    scene.change_ada(|ada| {
        for (name, value) in [
            ("streetAddress", json!("Lindenweg 4")),
            ("city", json!("Bern")),
            ("telephoneNumber", json!("+41 31 000 00 00")),
            ("mobile", json!("+41 79 000 00 00")),
            ("employeeId", json!("701984")),
            ("extensionAttribute1", json!(17)),
            ("preferredLanguage", Value::Null),
        ] {
            ada.attributes.insert(name.into(), value);
        }
    });

    let requests = scene.requests().await;

    let posted = requests.iter().find(|request| request.method == "POST").unwrap();
    assert_eq!(
        posted.body,
        json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE],
            "externalId": "ada",
            "userName": "ada@acme.example",
            "active": true,
            "displayName": "Ada Admin",
            "name": { "formatted": "Ada Admin", "familyName": "Admin", "givenName": "Ada" },
            "emails": [{ "primary": true, "type": "work", "value": "ada@acme.example" }],
            "addresses": [
                { "type": "work", "locality": "Bern", "streetAddress": "Lindenweg 4" },
            ],
            "phoneNumbers": [
                { "type": "mobile", "value": "+41 79 000 00 00" },
                { "type": "work", "value": "+41 31 000 00 00" },
            ],
            "roles": [
                { "primary": true, "type": "WindowsAzureActiveDirectoryRole", "value": "Admin" },
            ],
            "meta": { "resourceType": "User" },
            ENTERPRISE: { "department": "Operations", "employeeNumber": "701984" },
            BADGE: { "badge": 17 },
        })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_feature_flag_each_attribute_has_an_operation_and_active_is_a_text() {
    let mut scene = Scene::begin();
    scene.cycle().await;

    scene.change_ada(|ada| {
        ada.surname = "Adler".into();
        ada.mail = Some("ada.adler@acme.example".into());
        ada.job_title = Some("Head".into());
    });
    let changed = scene.patches().await;
    scene.change_ada(|ada| ada.account_enabled = false);
    let disabled = scene.patches().await;
    scene.change_ada(|ada| ada.account_enabled = true);
    let restored = scene.patches().await;

    let replace =
        |path: &str, value: &str| json!({ "op": "Replace", "path": path, "value": value });
    assert_eq!(
        changed,
        [json!([
            { "op": "Add", "path": "title", "value": "Head" },
            replace("emails[type eq \"work\"].value", "ada.adler@acme.example"),
            replace("name.familyName", "Adler"),
            replace("name.formatted", "Ada Adler"),
        ])]
    );
    assert_eq!(disabled, [json!([replace("active", "False")])]);
    assert_eq!(restored, [json!([replace("active", "True")])]);
}

#[tokio::test(flavor = "multi_thread")]
async fn with_the_feature_flag_plain_paths_share_an_operation_and_active_is_a_boolean() {
    let mut scene = Scene::flagged();
    scene.cycle().await;

    scene.change_ada(|ada| {
        ada.surname = "Adler".into();
        ada.mail = Some("ada.adler@acme.example".into());
    });
    let changed = scene.patches().await;
    scene.tenant.unassign(scene.client_id, scene.ada);
    let disabled = scene.patches().await;

    assert_eq!(
        changed,
        [json!([
            { "op": "replace", "path": "emails[type eq \"work\"].value", "value": "ada.adler@acme.example" },
            { "op": "replace", "value": { "name.familyName": "Adler", "name.formatted": "Ada Adler" } },
        ])]
    );
    assert_eq!(disabled, [json!([{ "op": "replace", "path": "active", "value": false }])]);
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_change_in_the_form_of_their_mapping() {
    let operations = [
        (RoleMapping::Single, "roles[primary eq \"True\"].value"),
        (RoleMapping::SingleText, "roles"),
        (RoleMapping::Complex, "roles"),
        (RoleMapping::Assertive, "roles"),
    ];

    for (roles, path) in operations {
        let mapping = Mapping { roles, ..Mapping::default() };
        let mut scene = Scene::with(|settings| settings.mapping = mapping);
        scene.cycle().await;
        scene.tenant.set_roles(scene.client_id, scene.ada, &["User"]);

        let patches = scene.patches().await;

        let change = roles.change(&["User".to_owned()]).unwrap();
        assert_eq!(patches, [json!([change])], "{roles:?}");
        assert_eq!(change["path"], path, "{roles:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_existing_user_is_matched_and_brought_up_to_date_and_then_left_alone() {
    let mut scene = Scene::begin();
    let user = json!({ "id": "u7", "active": false, "userName": "ada@acme.example" });
    scene.server.users.lock().unwrap().push(user);

    let log = scene.cycle().await;
    scene.server.take();
    let again = scene.cycle().await;

    let actions: Vec<_> = log.entries.iter().map(|entry| entry.action).collect();
    assert_eq!(actions, [Action::Match, Action::Update, Action::Restore]);
    assert_eq!((log.kind, again.kind), (CycleKind::Initial, CycleKind::Incremental));
    assert_eq!(scene.job.target_id(scene.ada), Some("u7"));
    assert!(again.entries.is_empty());
    assert!(scene.server.take().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_incremental_cycle_is_about_who_changed_and_compares_with_what_the_target_has_now() {
    let mut scene = Scene::begin();
    let bob = scene.person("Bob");
    scene.cycle().await;
    for user in scene.server.users.lock().unwrap().iter_mut() {
        user["displayName"] = json!("Somebody");
    }

    scene.change_ada(|ada| ada.job_title = Some("Head".into()));
    let requests = scene.requests().await;

    let lines: Vec<_> = requests.iter().map(Received::line).collect();
    let ada = scene.id(scene.ada);
    assert_eq!(lines, [format!("GET Users/{ada}"), format!("PATCH Users/{ada}")]);
    assert_eq!(scene.at_target(scene.ada)["displayName"], "Ada Admin");
    assert_eq!(scene.at_target(bob)["displayName"], "Somebody");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_goes_out_of_scope_is_disabled_and_who_comes_back_restored() {
    type Turn = fn(&Scene);
    let ways: [(&str, Turn, Turn); 3] = [
        (
            "the assignment",
            |scene| scene.tenant.unassign(scene.client_id, scene.ada),
            |scene| scene.tenant.set_roles(scene.client_id, scene.ada, &["Admin"]),
        ),
        (
            "the recycle bin",
            |scene| scene.change_ada(|ada| ada.soft_deleted = true),
            |scene| scene.change_ada(|ada| ada.soft_deleted = false),
        ),
        (
            "the account",
            |scene| scene.change_ada(|ada| ada.account_enabled = false),
            |scene| scene.change_ada(|ada| ada.account_enabled = true),
        ),
    ];

    for (way, out, back) in ways {
        let mut scene = Scene::begin();
        scene.cycle().await;

        out(&scene);
        let disabled = scene.cycle().await;
        back(&scene);
        let restored = scene.cycle().await;

        assert_eq!(disabled.count(Action::Disable), 1, "{way}");
        assert_eq!(restored.count(Action::Restore), 1, "{way}");
        assert_eq!((disabled.entries.len(), restored.entries.len()), (1, 1), "{way}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_assigned_or_disabled_already_is_not_created_unless_everybody_is_in_scope() {
    for (scope, expected) in [(Scope::Assigned, vec!["Ada"]), (Scope::All, vec!["Ada", "Uma"])] {
        let mut scene = Scene::with(|settings| settings.scope = scope);
        scene.stranger("Uma");
        let dora = scene.person("Dora");
        scene.tenant.change_person(dora, |dora| dora.account_enabled = false);

        scene.cycle().await;

        let users = scene.server.users.lock().unwrap().clone();
        let mut names: Vec<_> =
            users.iter().map(|user| user["name"]["givenName"].as_str().unwrap()).collect();
        names.sort_unstable();
        assert_eq!(names, expected, "{scope:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_deleted_for_good_is_deleted_at_the_target() {
    let mut scene = Scene::begin();
    scene.cycle().await;
    let id = scene.id(scene.ada);

    scene.change_ada(|ada| ada.soft_deleted = true);
    scene.cycle().await;
    scene.tenant.delete_person(scene.ada);
    let lines = scene.lines().await;

    assert_eq!(lines, [format!("DELETE Users/{id}")]);
    assert!(scene.server.users.lock().unwrap().is_empty());
    assert_eq!(scene.job.target_id(scene.ada), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_out_of_scope_before_the_deletion_stays_disabled() {
    let mut scene = Scene::begin();
    scene.cycle().await;

    scene.tenant.unassign(scene.client_id, scene.ada);
    scene.cycle().await;
    scene.tenant.delete_person(scene.ada);
    let lines = scene.lines().await;

    assert_eq!(lines, [""; 0]);
    assert_eq!(scene.server.users.lock().unwrap()[0]["active"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_that_the_target_has_done_already_is_done() {
    let mut scene = Scene::begin();
    scene.cycle().await;
    scene.server.users.lock().unwrap().clear();

    scene.tenant.delete_person(scene.ada);
    let log = scene.cycle().await;

    assert_eq!((log.count(Action::Delete), log.failures().count()), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn managers_are_set_in_a_second_pass_when_everybody_is_there() {
    let mut scene = Scene::begin();
    let boss = scene.person("Boss");
    let chief = scene.person("Chief");
    scene.change_ada(|ada| ada.manager = Some(boss));
    let path = format!("{ENTERPRISE}:manager");

    let requests = scene.requests().await;
    let (ada, boss_id) = (scene.id(scene.ada), scene.id(boss));
    scene.change_ada(|ada| ada.manager = Some(chief));
    let changed = scene.patches().await;
    scene.change_ada(|ada| ada.manager = None);
    let cleared = scene.patches().await;

    let last = requests.last().unwrap();
    let operation = |op: &str, id: &str| json!([{ "op": op, "path": path, "value": id }]);
    assert_eq!(last.line(), format!("PATCH Users/{ada}"));
    assert_eq!(last.body["Operations"], operation("Add", &boss_id));
    assert_eq!(changed, [operation("Replace", &scene.id(chief))]);
    assert_eq!(cleared, [operation("Replace", "")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manager_out_of_scope_is_not_sent_until_in_scope() {
    let mut scene = Scene::begin();
    let boss = scene.stranger("Boss");
    scene.change_ada(|ada| ada.manager = Some(boss));

    let without = scene.patches().await;
    scene.tenant.assign_role(scene.client_id, boss, "User");
    let with = scene.patches().await;

    assert_eq!(without, [Value::Null; 0]);
    assert_eq!(with.len(), 1);
    assert_eq!(scene.at_target(scene.ada)[ENTERPRISE]["manager"], scene.id(boss));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restarted_job_matches_everybody_again_the_inactive_too() {
    let mut scene = Scene::begin();
    scene.person("Bob");
    scene.cycle().await;
    scene.change_ada(|ada| ada.account_enabled = false);
    scene.cycle().await;
    scene.change_ada(|ada| ada.account_enabled = true);

    scene.job.restart();
    let log = scene.cycle().await;

    let did = [Action::Match, Action::Create, Action::Restore].map(|action| log.count(action));
    assert_eq!((log.kind, did), (CycleKind::Initial, [2, 0, 1]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_on_demand_is_provisioned_at_once_in_the_dialect_by_default() {
    let mut scene = Scene::flagged();
    let bob = scene.person("Bob");
    let directory = scene.tenant.directory(scene.client_id);

    let created = scene.job.provision_on_demand(&directory, bob, &[]).await.unwrap();
    scene.tenant.change_person(bob, |bob| bob.account_enabled = false);
    let directory = scene.tenant.directory(scene.client_id);
    scene.server.take();
    let disabled = scene.job.provision_on_demand(&directory, bob, &[]).await.unwrap();

    let requests = scene.server.take();
    assert_eq!((created.kind, created.count(Action::Create)), (CycleKind::OnDemand, 1));
    assert_eq!(disabled.count(Action::Disable), 1);
    assert!(requests[0].address.ends_with("filter=id eq \"u1\""), "{requests:?}");
    assert_eq!(
        requests[1].body["Operations"],
        json!([{ "op": "Replace", "path": "active", "value": "False" }])
    );
    assert_eq!(scene.job.target_id(scene.ada), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_on_demand_is_nobody() {
    let mut scene = Scene::begin();
    let directory = scene.tenant.directory(scene.client_id);

    let unknown = scene.job.provision_on_demand(&directory, Uuid::nil(), &[]).await;

    assert_eq!(unknown, Err(OnDemandError::Unknown));
}
