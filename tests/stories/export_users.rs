//! The operator writes an organization's people out.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Output, Stdio},
};

use portico::{
    app::App,
    config::{Config, PublicUrl},
    domain::{
        account::Account,
        audit_event::{Actor, AuditEvent},
        clock::Clock,
        id::AccountId,
        organization::Slug,
    },
    ports::{Ports, trail::Trail},
};
use serde_json::{Map, Value, json};

use crate::support::{Credential, Directory, Installation, program::Process, stderr};

const AUTHORITY: &str = "https://login.microsoftonline.com/0f8fad5b-d9cb-469f-a165-70867728950e";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// A service that runs, and the organization `acme`, connected.
struct Scene {
    installation: Installation,
    _service: Process,
    acme: Directory,
}

impl Scene {
    async fn new() -> Self {
        let installation = Installation::new("");
        installation.write("secret", "s3cr3t-value-of-the-client\n");
        installation.succeed(&["organization", "create", "acme", "--domain", "acme.example"]).await;
        let acme = connect(&installation).await;
        let service = installation.serve().await;
        Self { installation, _service: service, acme }
    }

    /// With people from `user-{from}` on, up to and without `user-{to}`.
    async fn has_users(&self, from: usize, to: usize) {
        for number in from..to {
            self.acme.create(&Directory::user(&format!("user-{number}@acme.example"))).await;
        }
    }

    /// Exports with these arguments, come what may.
    async fn try_export(&self, format: &str, more: &[&str]) -> Output {
        let export = ["export", "users", "acme", "--format", format];
        self.installation.run(&[&export[..], more].concat()).await
    }

    /// Exports with these arguments, which must succeed: what is written, and what is told.
    async fn export(&self, format: &str, more: &[&str]) -> (String, Value) {
        let output = self.try_export(format, &[more, &["--json"]].concat()).await;
        assert!(output.status.success(), "{}", stderr(&output));
        let told = serde_json::from_str(&stderr(&output)).unwrap();
        (String::from_utf8(output.stdout).unwrap(), told)
    }

    /// What the operator's other commands use.
    async fn ports(&self) -> Ports {
        let public_url = PublicUrl::parse(&self.installation.origin).unwrap();
        let mut config = Config::with_defaults(public_url);
        config.database.path = Some(self.path("data/portico.db"));
        App::open_beside(config, Clock::system()).await.unwrap().ports
    }

    fn path(&self, name: &str) -> PathBuf {
        self.installation.path(name)
    }
}

/// Connects `acme` once more; a client of the connector's SCIM URL.
async fn connect(installation: &Installation) -> Directory {
    let connect = ["organization", "connect", "acme", "--authority", AUTHORITY, "--json"];
    let client = ["--client-id", "3fa85f64-5717-4562-b3fc-2c963f66afa6"];
    let secret = ["--client-secret-file", "secret"];
    let created = installation.succeed(&[&connect[..], &client, &secret].concat()).await;
    let created: Value = serde_json::from_str(&created).unwrap();
    let text = |name: &str| created[name].as_str().unwrap().to_owned();
    Directory { url: text("scim_url"), credential: Credential::Bearer(text("scim_password")) }
}

fn connector_of(directory: &Directory) -> &str {
    directory.url.rsplit('/').next().unwrap()
}

fn values(lines: &str) -> Vec<Value> {
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn operations(requests: &[Value]) -> impl Iterator<Item = &Value> {
    requests.iter().flat_map(|request| request["Operations"].as_array().unwrap())
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn names_in(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[tokio::test]
async fn an_organization_without_people_is_exported_as_what_stands_before_them() {
    let scene = Scene::new().await;

    for (format, lines) in
        [("entra-csv", 2), ("csv", 1), ("entra-bulk-upload", 0), ("scim-json", 0)]
    {
        let (written, told) = scene.export(format, &[]).await;

        assert_eq!(written.lines().count(), lines, "{format}: {written}");
        assert_eq!((&told["written"], &told["format"]), (&json!(0), &json!(format)));
    }
}

#[tokio::test]
async fn a_request_of_the_upload_has_at_most_fifty_people() {
    let scene = Scene::new().await;
    let mut there = 0;

    for (people, sizes) in [(50, vec![50]), (51, vec![50, 1]), (101, vec![50, 50, 1])] {
        scene.has_users(there, people).await;
        there = people;

        let (written, told) = scene.export("entra-bulk-upload", &[]).await;

        let requests = values(&written);
        let size = |request: &Value| request["Operations"].as_array().unwrap().len();
        assert_eq!(requests.iter().map(size).collect::<Vec<_>>(), sizes);
        let names: BTreeSet<_> = operations(&requests)
            .map(|operation| operation["data"]["userName"].as_str().unwrap())
            .collect();
        assert_eq!(names.len(), people, "somebody is there twice");
        assert_eq!((&told["written"], &told["requests"]), (&json!(people), &json!(sizes.len())));
        assert_eq!(told["left_out"], json!({ "count": 0, "people": [] }));
    }
}

#[tokio::test]
async fn an_upload_into_a_folder_is_a_file_per_request() {
    let scene = Scene::new().await;
    scene.has_users(0, 51).await;

    let (written, _) = scene.export("entra-bulk-upload", &["--output", "upload/"]).await;
    let (on_standard_output, _) = scene.export("entra-bulk-upload", &[]).await;
    let again = scene.try_export("entra-bulk-upload", &["--output", "upload"]).await;

    let files = ["users-000001.json", "users-000002.json"];
    let folder = scene.path("upload");
    assert_eq!(written, "");
    assert_eq!(names_in(&folder), files.map(str::to_owned).into());
    let texts = files.map(|name| fs::read_to_string(folder.join(name)).unwrap());
    assert_eq!(texts.concat(), on_standard_output);
    assert_eq!((mode(&folder), mode(&folder.join(files[0]))), (0o700, 0o600));
    assert_eq!(again.status.code(), Some(1));
    assert!(stderr(&again).contains("the folder upload is not empty"), "{}", stderr(&again));
}

#[tokio::test]
async fn an_upload_says_who_may_sign_in_and_names_managers_by_their_external_id() {
    let scene = Scene::new().await;
    let boss = scene.acme.create(&Directory::user("boss@acme.example")).await;
    let with_manager = |name: &str, manager: &str| {
        let mut user = Directory::user(name);
        user[ENTERPRISE] = json!({ "manager": manager });
        user
    };
    let mut alice = with_manager("alice@acme.example", &boss);
    alice["active"] = json!(false);
    alice["urn:contoso:employee"] = json!({ "JobCode": "AB-1002" });
    scene.acme.create(&alice).await;
    scene.acme.create(&with_manager("bob@acme.example", "x-boss@acme.example")).await;
    scene.acme.create(&with_manager("carol@acme.example", "nobody")).await;

    let (written, told) = scene.export("entra-bulk-upload", &[]).await;

    let requests = values(&written);
    let data = |name: &str| {
        let mut people = operations(&requests).map(|operation| &operation["data"]);
        people.find(|data| data["userName"] == name).unwrap()
    };
    let manager = json!({ "value": "x-boss@acme.example", "displayName": "boss Example" });
    assert_eq!(data("alice@acme.example")["active"], false);
    assert_eq!(data("alice@acme.example")["externalId"], "x-alice@acme.example");
    assert_eq!(data("alice@acme.example")["urn:contoso:employee"]["JobCode"], "AB-1002");
    assert_eq!(data("alice@acme.example")[ENTERPRISE]["manager"], manager);
    assert_eq!(data("bob@acme.example")["active"], true);
    assert_eq!(data("bob@acme.example")[ENTERPRISE]["manager"], manager);
    assert_eq!(data("carol@acme.example").get(ENTERPRISE), None);
    assert_eq!((&told["written"], &told["incomplete"]["count"]), (&json!(4), &json!(1)));
    assert_eq!(told["incomplete"]["people"][0]["userName"], "carol@acme.example");
}

#[tokio::test]
async fn whoever_lacks_a_name_is_left_out_of_an_upload_and_listed() {
    let scene = Scene::new().await;
    scene.has_users(0, 1).await;
    let ports = scene.ports().await;
    let slug = Slug::parse("acme").unwrap();
    let acme = ports.store.find_organization_by_slug(&slug).await.unwrap().unwrap();
    let now = ports.clock.now();
    let account = Account {
        organization_id: acme.id,
        connector_id: None,
        id: AccountId::generate(),
        user_name: "nameless@acme.example".to_owned(),
        external_id: None,
        email: "nameless@acme.example".to_owned(),
        display_name: "Nameless".to_owned(),
        active: true,
        scim_roles: Vec::new(),
        access_epoch: 0,
        version: 1,
        created_at: now,
        last_modified_at: now,
        attributes: Map::new(),
    };
    let audit = AuditEvent::new(acme.id, now, Actor::Operator, "account.created", &account.id);
    let trail = Trail { audit, record: None, learned: Vec::new() };
    ports.store.insert_account(&account, &trail).await.unwrap();

    let (written, told) = scene.export("entra-bulk-upload", &[]).await;
    let in_words = scene.try_export("entra-bulk-upload", &[]).await;

    let reason = "first name and last name are missing";
    assert_eq!(operations(&values(&written)).count(), 1);
    let person = json!({
        "id": account.id.to_string(), "userName": "nameless@acme.example", "reason": reason,
    });
    assert_eq!(told["left_out"], json!({ "count": 1, "people": [person] }));
    let said = format!(
        "Written: 1\nRequests: 1\nLeft out: 1\n  {} nameless@acme.example: {reason}\n",
        account.id
    );
    assert_eq!(stderr(&in_words), said);
    let (table, _) = scene.export("csv", &[]).await;
    assert!(table.contains("nameless@acme.example"), "only the upload needs names: {table}");
}

#[tokio::test]
async fn a_scim_line_is_what_the_directory_reads() {
    let scene = Scene::new().await;
    let id = scene.acme.create(&Directory::user("alice@acme.example")).await;
    let group = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
        "displayName": "Staff", "members": [{ "value": id }],
    });
    assert_eq!(scene.acme.post("/Groups", &group).await.status, 201);

    let (written, _) = scene.export("scim-json", &[]).await;

    let read = scene.acme.get(&format!("/Users/{id}")).await.json();
    assert_eq!(values(&written), std::slice::from_ref(&read));
    assert_eq!(read["groups"][0]["display"], "Staff");
}

#[tokio::test]
async fn the_table_is_safe_to_open_in_a_spreadsheet() {
    let scene = Scene::new().await;
    let mut mallory = Directory::user("mallory@acme.example");
    mallory["displayName"] = json!("=cmd|'/C calc'!A0");
    mallory["title"] = json!("Head, \"Tools\"\r\nand more");
    mallory["phoneNumbers"] = json!([{ "type": "work", "value": "+49 30 901820" }]);
    scene.acme.create(&mallory).await;

    let (table, _) = scene.export("csv", &[]).await;
    let (portal, told) = scene.export("entra-csv", &[]).await;

    assert!(table.contains(",'=cmd|'/C calc'!A0,"), "{table}");
    assert!(table.contains(",\"Head, \"\"Tools\"\"\r\nand more\","), "{table}");
    assert!(table.contains(",+49 30 901820,"), "{table}");
    assert_eq!(portal.lines().count(), 2, "{portal}");
    assert_eq!(told["left_out"]["people"][0]["userName"], "mallory@acme.example");
}

#[tokio::test]
async fn the_portals_file_has_a_password_each_only_where_that_is_asked_for() {
    let scene = Scene::new().await;
    scene.has_users(0, 2).await;

    let (without, _) = scene.export("entra-csv", &[]).await;
    let passwords = ["--initial-passwords", "--output", "people.csv"];
    let (written, told) = scene.export("entra-csv", &passwords).await;

    let of = |file: &str| {
        let lines = file.lines().skip(2).map(|line| line.split(',').nth(2).unwrap().to_owned());
        lines.collect::<BTreeSet<_>>()
    };
    let file = scene.path("people.csv");
    assert!(without.starts_with("version:v1.0\r\nName [displayName] Required,User name "));
    assert_eq!(of(&without), BTreeSet::from([String::new()]));
    let drawn = of(&fs::read_to_string(&file).unwrap());
    assert_eq!(drawn.len(), 2, "two people share a password");
    assert!(drawn.iter().all(|password| password.len() >= 16), "{drawn:?}");
    assert_eq!((written.as_str(), mode(&file)), ("", 0o600));
    assert!(drawn.iter().all(|password| !told.to_string().contains(password)));
}

#[tokio::test]
async fn only_those_are_exported_who_are_chosen() {
    let scene = Scene::new().await;
    let other = connect(&scene.installation).await;
    let mut inactive = Directory::user("inactive@acme.example");
    inactive["active"] = json!(false);
    scene.acme.create(&inactive).await;
    scene.acme.create(&Directory::user("alice@acme.example")).await;
    other.create(&Directory::user("bob@acme.example")).await;
    let others = connector_of(&other);

    for (more, names) in [
        (&[][..], &["inactive@acme.example", "alice@acme.example", "bob@acme.example"][..]),
        (&["--active-only"], &["alice@acme.example", "bob@acme.example"]),
        (&["--connector", others], &["bob@acme.example"]),
        (&["--connector", connector_of(&scene.acme), "--active-only"], &["alice@acme.example"]),
    ] {
        let (written, told) = scene.export("scim-json", more).await;

        let users = values(&written);
        let found: Vec<_> = users.iter().map(|user| user["userName"].as_str().unwrap()).collect();
        assert_eq!(found, names, "{more:?}");
        assert_eq!(told["written"], names.len());
    }
}

#[tokio::test]
async fn two_people_whom_entra_would_take_for_one_are_left_out_of_an_upload() {
    let scene = Scene::new().await;
    let other = connect(&scene.installation).await;
    for (directory, name) in [(&scene.acme, "alice@acme.example"), (&other, "bob@acme.example")] {
        let mut user = Directory::user(name);
        user["externalId"] = json!("1");
        directory.create(&user).await;
    }

    let (both, told) = scene.export("entra-bulk-upload", &[]).await;
    let of_one = ["--connector", connector_of(&other)];
    let (one, _) = scene.export("entra-bulk-upload", &of_one).await;

    assert_eq!((both.as_str(), &told["left_out"]["count"]), ("", &json!(2)));
    let requests = values(&one);
    let names: Vec<_> = operations(&requests).map(|found| &found["data"]["userName"]).collect();
    assert_eq!(names, ["bob@acme.example"]);
}

#[tokio::test]
async fn what_can_not_be_exported_fails_and_leaves_nothing_behind() {
    let scene = Scene::new().await;
    scene.has_users(0, 1).await;
    fs::create_dir(scene.path("folder")).unwrap();
    scene.installation.write("kept.csv", "as it was");
    let before = names_in(scene.installation.folder.path());

    for (organization, more, said) in [
        ("nobody", &["--output", "kept.csv"][..], "there is no organization nobody"),
        ("acme", &["--output", "folder"], "folder is a folder"),
        ("acme", &["--output", "nowhere/people.csv"], "writing nowhere/people.csv"),
        ("acme", &["--output", "/proc/people.csv"], "writing /proc/people.csv"),
        ("acme", &["--output", "/dev/null"], "/dev/null is no file"),
        (
            "acme",
            &["--output", "kept.csv", "--connector", "0f8fad5b-d9cb-469f-a165-70867728950e"],
            "no connector 0f8fad5b-d9cb-469f-a165-70867728950e",
        ),
    ] {
        let export = ["export", "users", organization, "--format", "csv"];
        let output = scene.installation.run(&[&export[..], more].concat()).await;

        assert_eq!(output.status.code(), Some(1), "{more:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(said), "{more:?}: {}", stderr(&output));
        assert_eq!(names_in(scene.installation.folder.path()), before, "{more:?}");
    }
    assert_eq!(fs::read_to_string(scene.path("kept.csv")).unwrap(), "as it was");
}

#[tokio::test]
async fn a_full_disk_is_told_and_an_export_is_not_taken_for_whole() {
    let scene = Scene::new().await;
    scene.has_users(0, 1).await;
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command =
        scene.installation.command(&["export", "users", "acme", "--format", "scim-json"]);

    let child = command.stdout(full).stderr(Stdio::piped()).spawn().unwrap();
    let output = child.wait_with_output().await.unwrap();

    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("writing to standard output"), "{}", stderr(&output));
    assert!(!stderr(&output).contains("Written"));
}

#[tokio::test]
async fn a_reader_that_has_had_enough_is_no_failure() {
    let scene = Scene::new().await;
    scene.has_users(0, 1).await;
    let mut command = scene.installation.command(&["export", "users", "acme", "--format", "csv"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();

    drop(child.stdout.take());
    let output = child.wait_with_output().await.unwrap();

    assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""));
}

#[tokio::test]
async fn a_file_is_replaced_as_a_whole() {
    let scene = Scene::new().await;
    scene.has_users(0, 1).await;
    scene.installation.write("people.csv", &"what was there\n".repeat(1000));

    scene.export("csv", &["--output", "people.csv"]).await;

    let (table, _) = scene.export("csv", &[]).await;
    assert_eq!(fs::read_to_string(scene.path("people.csv")).unwrap(), table);
    assert_eq!(mode(&scene.path("people.csv")), 0o600);
}

#[tokio::test]
async fn what_is_not_understood_ends_with_two() {
    let installation = Installation::new("");

    for more in [
        &[][..],
        &["--format", "xml"],
        &["--format", "csv", "--connector", "first"],
        &["--format", "entra-csv", "--initial-passwords"],
        &["--format", "csv", "--initial-passwords", "--output", "people.csv"],
    ] {
        let export = ["export", "users", "acme"];
        let output = installation.run(&[&export[..], more].concat()).await;

        assert_eq!(output.status.code(), Some(2), "{more:?}: {}", stderr(&output));
        assert!(!installation.path("people.csv").exists());
    }
}

#[tokio::test]
async fn the_audit_log_tells_of_an_export() {
    let scene = Scene::new().await;

    scene.export("csv", &["--active-only"]).await;

    let ports = scene.ports().await;
    let slug = Slug::parse("acme").unwrap();
    let acme = ports.store.find_organization_by_slug(&slug).await.unwrap().unwrap();
    let events = ports.store.list_audit_events(acme.id, 1).await.unwrap();
    assert_eq!(
        (events[0].action.as_str(), events[0].actor.as_str()),
        ("accounts.exported", "operator")
    );
    assert_eq!(events[0].details["format"], "csv");
    assert_eq!(events[0].details["active_only"], true);
}

#[tokio::test]
async fn whoever_was_deleted_is_not_exported() {
    let scene = Scene::new().await;
    let id = scene.acme.create(&Directory::user("alice@acme.example")).await;
    scene.has_users(0, 1).await;
    assert_eq!(scene.acme.delete(&format!("/Users/{id}")).await.status, 204);

    let (written, _) = scene.export("scim-json", &[]).await;

    let users = values(&written);
    let names: Vec<_> = users.iter().map(|user| &user["userName"]).collect();
    assert_eq!(names, ["user-0@acme.example"]);
}
