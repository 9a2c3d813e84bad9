//! Two organizations, and two connectors of one: neither knows of the other.

use http::Method;
use portico::{
    domain::{
        audit_event::Actor,
        connector::{ClientAuthentication, ConnectorKind},
        secret::Secret,
    },
    service::connectors::{self, NewConnector},
};
use serde_json::{Value, json};

use crate::{
    client::{
        ENTERPRISE, PATCH_OP, SEARCH, Scim, assert_fault, id, ids, names, user, values, with,
    },
    support::{Answer, Credential, Directory},
};

/// What one directory provisioned, and another directory that would like to know.
struct Pair {
    scim: Scim,
    other: Directory,
    /// Which other.
    whose: &'static str,
    /// A user of the first, by its path.
    ada: String,
    /// A group of the first that the user belongs to.
    team: String,
}

/// The other directory of another organization, and that of another connector of the same one.
async fn pairs() -> [Pair; 2] {
    let mut pairs = Vec::new();
    for whose in ["another organization", "another connector"] {
        let scim = Scim::fresh().await;
        let other = if whose == "another organization" {
            scim.service.organization("globex").await.scim()
        } else {
            second_connector(&scim).await
        };
        let more = json!({ "title": "Secret Title", "externalId": "x-1",
            ENTERPRISE: { "department": "Hidden" }, "urn:acme:2.0:User": { "badge": "77" } });
        let ada = scim.user_with("ada", more).await;
        let team = json!({ "displayName": "Secret Team", "externalId": "t-1", "members": values(&[&ada]) });
        let team = scim.create("/Groups", &team).await;
        pairs.push(Pair { scim, other, whose, ada, team });
    }
    pairs.try_into().ok().unwrap()
}

/// The directory of another connector of the same organization.
async fn second_connector(scim: &Scim) -> Directory {
    let organization = &scim.organization;
    let new = NewConnector::new(
        ConnectorKind::AzureAd,
        organization.tenant.authority(),
        organization.client_id.to_string(),
        ClientAuthentication::SecretPost(Secret::generate()),
    );
    let ports = scim.service.ports();
    let created =
        connectors::create(ports, &organization.stored, new, Actor::Operator).await.unwrap();
    let credential = Credential::Bearer(created.scim_password.expose().to_owned());
    Directory { url: connectors::scim_url(ports, created.connector.id), credential }
}

/// What the first directory has, to be compared later.
async fn everything(scim: &Scim) -> Value {
    json!([scim.read("/Users").await, scim.read("/Groups").await])
}

async fn patch(directory: &Directory, path: &str, operations: Value) -> Answer {
    let body = json!({ "schemas": [PATCH_OP], "Operations": operations });
    directory.send(Method::PATCH, path, &body).await
}

#[tokio::test]
async fn nothing_of_one_directory_is_reachable_for_another() {
    for Pair { scim, other, whose, ada, team } in pairs().await {
        let before = everything(&scim).await;
        let whole = with(user("ada"), json!({ "displayName": "Other" }));
        let change = json!([{ "op": "replace", "path": "displayName", "value": "Other" }]);

        for path in [&ada, &team] {
            let fictitious = path.replace(id(path), "018f0000-0000-7000-8000-000000000000");
            for (real, absent) in [
                (other.get(path).await, other.get(&fictitious).await),
                (
                    patch(&other, path, change.clone()).await,
                    patch(&other, &fictitious, change.clone()).await,
                ),
                (
                    other.send(Method::PUT, path, &whole).await,
                    other.send(Method::PUT, &fictitious, &whole).await,
                ),
                (other.delete(path).await, other.delete(&fictitious).await),
            ] {
                assert_fault(&real, 404, None, whose);
                let unnamed = |answer: &Answer, path: &str| answer.body.replace(id(path), "ID");
                assert_eq!(unnamed(&real, path), unnamed(&absent, &fictitious), "{whose}");
                assert!(real.header("etag").is_none(), "{whose}: {path}");
            }
        }
        assert_eq!(everything(&scim).await, before, "{whose}");
    }
}

#[tokio::test]
async fn nothing_of_one_directory_is_found_counted_or_sorted_for_another() {
    for Pair { scim: _scim, other, whose, ada, team } in pairs().await {
        let filters = [
            format!("id eq \"{}\"", id(&ada)),
            format!("id eq \"{}\"", id(&team)),
            "userName eq \"ada@acme.example\"".to_owned(),
            "externalId eq \"x-1\"".to_owned(),
            "externalId eq \"t-1\"".to_owned(),
            "emails.value eq \"ada@acme.example\"".to_owned(),
            "displayName eq \"Secret Team\"".to_owned(),
            "title sw \"Secret\"".to_owned(),
            "urn:acme:2.0:User:badge pr".to_owned(),
            format!("members eq \"{}\"", id(&ada)),
            format!("groups.value eq \"{}\"", id(&team)),
            "not (userName eq \"nobody\")".to_owned(),
            "id pr".to_owned(),
            "meta.created pr or id pr".to_owned(),
        ];
        for path in ["/Users", "/Groups", "/"] {
            for filter in &filters {
                let query = serde_urlencoded::to_string([("filter", filter)]).unwrap();
                let listed = other.get(&format!("{path}?{query}")).await;
                let body = json!({ "schemas": [SEARCH], "filter": filter });
                let searched =
                    other.post(&format!("{}/.search", path.trim_end_matches('/')), &body).await;

                for answer in [listed, searched] {
                    assert_eq!(answer.status, 200, "{whose} {path} {filter}: {}", answer.body);
                    assert_eq!(answer.json()["totalResults"], 0, "{whose} {path} {filter}");
                    assert_eq!(answer.json()["Resources"], json!([]), "{whose} {path} {filter}");
                }
            }
            for query in [
                "",
                "count=0",
                "sortBy=userName",
                "sortBy=title&sortOrder=descending",
                "cursor",
                "startIndex=1",
            ] {
                let list = other.get(&format!("{path}?{query}")).await.json();
                assert_eq!(list["totalResults"], 0, "{whose} {path}?{query}");
                assert_eq!(list.get("nextCursor"), None, "{whose} {path}?{query}");
            }
        }
    }
}

#[tokio::test]
async fn nobody_of_one_directory_becomes_a_member_for_another() {
    for Pair { scim, other, whose, ada, team } in pairs().await {
        let before = everything(&scim).await;
        let own = other.create(&user("bob")).await;
        let crew = other
            .post("/Groups", &json!({ "displayName": "Crew", "members": [{ "value": own }] }))
            .await;
        let crew = format!("/Groups/{}", crew.json()["id"].as_str().unwrap());

        for stranger in [&ada, &team] {
            let members = values(&[stranger]);
            let absent = json!([{ "value": "018f0000-0000-7000-8000-000000000000" }]);
            let add =
                |members: &Value| json!([{ "op": "add", "path": "members", "value": members }]);
            let set =
                |members: &Value| json!([{ "op": "replace", "path": "members", "value": members }]);
            let group = |members: &Value| json!({ "displayName": "Gang", "members": members });
            for (real, fictitious) in [
                (
                    patch(&other, &crew, add(&members)).await,
                    patch(&other, &crew, add(&absent)).await,
                ),
                (
                    patch(&other, &crew, set(&members)).await,
                    patch(&other, &crew, set(&absent)).await,
                ),
                (
                    other.post("/Groups", &group(&members)).await,
                    other.post("/Groups", &group(&absent)).await,
                ),
                (
                    other.send(Method::PUT, &crew, &group(&members)).await,
                    other.send(Method::PUT, &crew, &group(&absent)).await,
                ),
            ] {
                assert_fault(&real, 400, Some("invalidValue"), whose);
                let unnamed = |answer: &Answer, id: &str| answer.body.replace(id, "ID");
                let fictitious = unnamed(&fictitious, "018f0000-0000-7000-8000-000000000000");
                assert_eq!(unnamed(&real, id(stranger)), fictitious, "{whose}");
            }
            let remove = json!([{ "op": "remove", "path": "members", "value": members }]);
            assert_eq!(patch(&other, &crew, remove).await.status, 204, "{whose}");
        }
        let read = other.get(&crew).await.json();
        assert_eq!(read["members"].as_array().unwrap().len(), 1, "{whose}");
        assert_eq!(everything(&scim).await, before, "{whose}");
    }
}

#[tokio::test]
async fn a_manager_of_another_directory_is_a_text_and_leads_nowhere() {
    for Pair { scim, other, whose, ada, .. } in pairs().await {
        let manager = json!({ ENTERPRISE: { "manager": { "value": id(&ada) } } });
        let own = other.create(&with(user("bob"), manager)).await;

        let read = other.get(&format!("/Users/{own}")).await.json();
        let found = format!("/Users?filter=manager+eq+%22{}%22", id(&ada));

        assert_eq!(read[ENTERPRISE], json!({ "manager": { "value": id(&ada) } }), "{whose}");
        assert!(!read.to_string().contains("Secret"), "{whose}: {read}");
        assert_eq!(names(&other.get(&found).await.json(), "id"), [own], "{whose}");
        assert_eq!(scim.read(&found).await["totalResults"], 0, "{whose}");
    }
}

#[tokio::test]
async fn a_bulk_reaches_no_further_than_its_own_directory() {
    for Pair { scim, other, whose, ada, team } in pairs().await {
        let before = everything(&scim).await;
        let rename =
            json!({ "Operations": [{ "op": "replace", "path": "displayName", "value": "Other" }] });
        let foreign = scim.directory.url.split("/scim/").last().unwrap().to_owned();
        let operations = json!([
            { "method": "DELETE", "path": ada },
            { "method": "DELETE", "path": team },
            { "method": "PATCH", "path": ada, "data": rename },
            { "method": "PATCH", "path": team, "data": rename },
            { "method": "PUT", "path": ada, "data": user("ada") },
            { "method": "POST", "path": "/Groups", "bulkId": "g",
                "data": { "displayName": "Gang", "members": values(&[&ada]) } },
            { "method": "DELETE", "path": format!("/../../{foreign}{ada}") },
            { "method": "DELETE", "path": format!("{}{ada}", scim.directory.url) },
            { "method": "DELETE", "path": format!("/Users/../../{}{ada}", id(&scim.directory.url)) },
        ]);
        let count = operations.as_array().unwrap().len();

        let body = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": operations });
        let answer = other.post("/Bulk", &body).await;

        assert_eq!(answer.status, 200, "{whose}: {}", answer.body);
        let answered = answer.json();
        let answered = answered["Operations"].as_array().unwrap();
        assert_eq!(answered.len(), count, "{whose}");
        for operation in answered {
            let status = operation["status"].as_str().unwrap();
            assert!(["400", "404"].contains(&status), "{whose}: {operation}");
        }
        assert!(!answer.body.contains("Secret"), "{whose}: {}", answer.body);
        assert_eq!(everything(&scim).await, before, "{whose}");
    }
}

#[tokio::test]
async fn a_cursor_or_tag_of_one_directory_is_worth_nothing_at_another() {
    for Pair { scim, other, whose, ada, .. } in pairs().await {
        scim.user("bob").await;
        let page = scim.read("/Users?cursor&count=1").await;
        let cursor = page["nextCursor"].as_str().unwrap();
        let etag = scim.get(&ada).await.header("etag").unwrap().to_owned();

        let followed = other.get(&format!("/Users?cursor={cursor}&count=1")).await;
        let held = other.request(Method::GET, &ada).header("if-none-match", &etag).send("").await;
        let guarded = other.request(Method::DELETE, &ada).header("if-match", "*").send("").await;

        assert_fault(&followed, 400, Some("invalidCursor"), whose);
        assert_fault(&held, 404, None, whose);
        assert_fault(&guarded, 404, None, whose);
        assert_eq!(scim.get(&ada).await.status, 200, "{whose}");
    }
}

#[tokio::test]
async fn attributes_that_one_directory_invented_are_in_no_others_schemas() {
    for Pair { scim, other, whose, .. } in pairs().await {
        for path in ["/Schemas", "/ResourceTypes"] {
            assert!(scim.get(path).await.body.contains("urn:acme:2.0:User"), "{whose}: {path}");
            assert!(!other.get(path).await.body.contains("urn:acme"), "{whose}: {path}");
        }
        assert_eq!(other.get("/Schemas/urn:acme:2.0:User").await.status, 404, "{whose}");
    }
}

#[tokio::test]
async fn a_conflict_with_another_connectors_account_names_nobody() {
    let [organization, connector] = pairs().await;
    let claims = [
        json!({ "userName": "ada@acme.example" }),
        json!({ "userName": "ADA@acme.example" }),
        json!({ "emails": [{ "value": "Ada@acme.example", "primary": true }] }),
    ];
    let Pair { scim, other, ada, team, .. } = connector;
    let bob = format!("/Users/{}", other.create(&user("bob")).await);

    for claim in claims.clone() {
        let created = other.post("/Users", &with(user("eve"), claim.clone())).await;
        let changed = patch(&other, &bob, json!([{ "op": "replace", "value": claim }])).await;
        let put = other.send(Method::PUT, &bob, &with(user("bob"), claim.clone())).await;
        let operation = json!({ "method": "POST", "path": "/Users", "bulkId": "b", "data": with(user("eve"), claim.clone()) });
        let bulk = other.post("/Bulk", &json!({ "Operations": [operation] })).await;

        for answer in [&created, &changed, &put] {
            assert_fault(answer, 409, Some("uniqueness"), &claim.to_string());
        }
        assert_eq!(bulk.json()["Operations"][0]["status"], "409", "{}", bulk.body);
        for answer in [created, changed, put, bulk] {
            for told in [id(&ada), id(&team), "Secret", "x-1"] {
                assert!(!answer.body.contains(told), "{claim}: {}", answer.body);
            }
        }
    }
    let own = other.post("/Users", &with(user("eve"), json!({ "externalId": "x-1" }))).await;
    let group =
        other.post("/Groups", &json!({ "displayName": "Secret Team", "externalId": "t-1" })).await;
    assert_eq!((own.status, group.status), (201, 201), "{} {}", own.body, group.body);
    assert_eq!(scim.members(&team).await, ids(&[&ada]));

    for claim in claims {
        let created = organization.other.post("/Users", &with(user("eve"), claim.clone())).await;
        assert_eq!(created.status, 201, "{claim}: {}", created.body);
        let made = created.json()["id"].as_str().unwrap().to_owned();
        organization.other.delete(&format!("/Users/{made}")).await;
    }
}

#[tokio::test]
async fn an_inactive_account_of_another_connector_does_not_come_back_for_somebody_else() {
    let scim = Scim::speaking("okta").await;
    let other = second_connector(&scim).await;
    let connector = other.url.rsplit('/').next().unwrap().parse().unwrap();
    let store = &scim.service.ports().store;
    let mut second = store.find_connector(connector).await.unwrap().unwrap();
    "okta".clone_into(&mut second.provisioning.profile);
    let audit = portico::domain::audit_event::AuditEvent::new(
        scim.organization.stored.id,
        scim.service.clock.now(),
        Actor::Operator,
        "connector.changed",
        &connector,
    );
    assert!(store.replace_connector(&second, &audit).await.unwrap());
    let ada = scim.user_with("ada", json!({ "externalId": "x-1" })).await;
    scim.patch(&ada, json!([{ "op": "replace", "path": "active", "value": false }])).await;

    let taken = other.post("/Users", &with(user("ada"), json!({ "externalId": "x-1" }))).await;

    assert_fault(&taken, 409, Some("uniqueness"), "somebody else's account");
    assert!(!taken.body.contains(id(&ada)), "{}", taken.body);
    assert_eq!(scim.read(&ada).await["active"], false);
}
