//! What RFC 7644 requires of a service provider.

use http::Method;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::{
    client::{
        BULK, ENTERPRISE, ERROR, GROUP, LIST, PATCH_OP, SEARCH, Scim, USER, assert_fault, id, ids,
        names, user, values, with,
    },
    requirements::Coverage,
    support::{Ask, Credential},
};

const COVERAGE: Coverage = Coverage {
    text: include_str!("rfc7644.rs"),
    tests: &[
        ("an_address_has_no_query_of_its_own", &["RFC7644-1.3-L201"]),
        ("who_does_not_authenticate_is_told_how_to", &["RFC7644-2-L307"]),
        ("a_directory_may_do_what_its_own_connector_lets_it", &["RFC7644-2-L311"]),
        (
            "messages_have_schemas_of_their_own_that_nobody_discovers",
            &["RFC7644-3.1-L436", "RFC7644-3.1-L439"],
        ),
        ("nobody_is_me", &["RFC7644-3.11-L3683"]),
        ("an_error_is_json_whatever_was_asked", &["RFC7644-3.12-L3707"]),
        ("another_version_is_not_spoken", &["RFC7644-3.13-L3956"]),
        ("an_entity_tag_is_a_header_and_guards_a_write", &["RFC7644-3.14-L3967"]),
        (
            "a_creation_is_answered_with_what_was_created",
            &[
                "RFC7644-3.3-L584",
                "RFC7644-3.3-L602",
                "RFC7644-3.3-L603",
                "RFC7644-3.3-L605",
                "RFC7644-3.3.1-L712",
            ],
        ),
        ("what_is_there_already_is_a_conflict", &["RFC7644-3.3-L625"]),
        (
            "a_query_is_answered_with_a_list_even_of_nothing",
            &["RFC7644-3.4.2-L817", "RFC7644-3.4.2-L847"],
        ),
        ("a_query_of_everything_goes_through_users_and_groups", &["RFC7644-3.4.2.1-L918"]),
        ("a_filter_finds_whom_it_describes", &["RFC7644-3.4.2.2-L944", "RFC7644-3.4.2.2-L1217"]),
        (
            "a_filter_that_is_none_is_refused",
            &[
                "RFC7644-3.4.2.2-L944",
                "RFC7644-3.4.2.2-L1001",
                "RFC7644-3.4.2.2-L1127",
                "RFC7644-3.4.2.2-L1197",
                "RFC7644-3.4.2.2-L1208",
            ],
        ),
        (
            "a_list_is_sorted_as_its_attributes_compare",
            &["RFC7644-3.4.2.3-L1319", "RFC7644-3.4.2.3-L1321"],
        ),
        (
            "a_page_begins_and_ends_where_it_was_asked_to",
            &["RFC7644-3.4.2.4-L1358", "RFC7644-3.4.2.4-L1363"],
        ),
        ("a_cursor_leads_through_a_list_once", &["RFC7644-3.4.2.4-L1363"]),
        (
            "an_answer_has_the_attributes_that_were_asked_for",
            &["RFC7644-3.4.2.5-L1438", "RFC7644-3.4.2.5-L1449", "RFC7644-3.9-L3596"],
        ),
        ("a_search_in_a_body_is_the_search_in_an_address", &["RFC7644-3.4.3-L1476"]),
        ("a_replacement_creates_nobody", &["RFC7644-3.2-L490", "RFC7644-3.5.1-L1637"]),
        (
            "a_replacement_replaces_what_a_client_may_write",
            &["RFC7644-3.5-L1607", "RFC7644-3.5.1-L1644", "RFC7644-3.5.1-L1665"],
        ),
        ("a_replacement_with_something_required_missing_is_refused", &["RFC7644-3.5.1-L1667"]),
        (
            "a_patch_that_is_none_is_refused",
            &["RFC7644-3.5.2-L1805", "RFC7644-3.5.2-L1808", "RFC7644-3.5.2-L1810"],
        ),
        (
            "an_operation_does_what_the_standard_says",
            &[
                "RFC7644-3.5-L1609",
                "RFC7644-3.5.2-L1939",
                "RFC7644-3.5.2.1-L1988",
                "RFC7644-3.5.2.2-L2146",
                "RFC7644-3.5.2.2-L2151",
                "RFC7644-3.5.2.3-L2376",
                "RFC7644-3.5.2.3-L2387",
            ],
        ),
        (
            "an_operation_that_may_not_be_is_refused_with_its_reason",
            &[
                "RFC7644-3.5.2-L1886",
                "RFC7644-3.5.2-L1888",
                "RFC7644-3.5.2.1-L1972",
                "RFC7644-3.5.2.2-L2167",
                "RFC7644-3.5.2.3-L2396",
                "RFC7644-3.5.1-L1660",
            ],
        ),
        ("a_value_that_becomes_primary_demotes_the_one_that_was", &["RFC7644-3.5.2-L1927"]),
        ("a_patch_happens_whole_or_not_at_all", &["RFC7644-3.5.2-L1931", "RFC7644-3.5.2-L1933"]),
        ("adding_what_is_there_changes_no_timestamp", &["RFC7644-3.5.2.1-L2004"]),
        (
            "what_is_deleted_is_nowhere",
            &["RFC7644-3.6-L2642", "RFC7644-3.6-L2644", "RFC7644-3.6-L2657"],
        ),
        (
            "a_bulk_does_all_of_it_and_says_what_became_of_each",
            &[
                "RFC7644-3.7-L2775",
                "RFC7644-3.7-L2779",
                "RFC7644-3.7-L2789",
                "RFC7644-3.7.3-L3201",
                "RFC7644-3.7.3-L3206",
            ],
        ),
        ("a_bulk_stops_after_as_many_failures_as_it_says", &["RFC7644-3.7-L2779"]),
        ("a_bulk_does_what_its_operations_do_one_by_one", &["RFC7644-3.7-L2796"]),
        ("a_bulk_may_name_what_it_creates_even_in_a_circle", &["RFC7644-3.7.1-L2814"]),
        ("a_bulk_has_the_bounds_that_it_declares", &["RFC7644-3.7.4-L3495", "RFC7644-3.7.4-L3499"]),
        (
            "what_is_sent_and_answered_is_utf_8_in_either_media_type",
            &["RFC7644-3.8-L3537", "RFC7644-3.8-L3551"],
        ),
        (
            "what_is_discovered_is_answered_whole",
            &["RFC7644-4-L4068", "RFC7644-4-L4098", "RFC7644-4-L4125"],
        ),
        ("user_names_that_differ_in_case_alone_are_one", &["RFC7644-5-L4214"]),
    ],
    not_ours: &[
        (
            "RFC7642-4-L944",
            "not ours, because TLS ends at the proxy before the service; docs/ says how",
        ),
        (
            "RFC7644-7.2-L4348",
            "not ours, because TLS ends at the proxy before the service; docs/ says how",
        ),
        (
            "RFC7644-7.2-L4350",
            "not ours, because TLS ends at the proxy before the service; docs/ says how",
        ),
        (
            "RFC7644-3.4.2.1-L912",
            "not ours, because it takes a directory of a million: tests/contracts/ refuses a query that no index answers",
        ),
    ],
};

#[test]
fn every_requirement_is_held_or_explained() {
    COVERAGE.check(&["RFC7642", "RFC7644"]);
}

#[tokio::test]
async fn an_address_has_no_query_of_its_own() {
    let scim = Scim::fresh().await;
    let flag = "?aadOptscim062020&attributes=";
    let ada = scim.post(&format!("/Users{flag}"), &user("ada")).await;

    for answer in [
        scim.get(&format!("/Users{flag}")).await,
        scim.get(&format!("/ServiceProviderConfig{flag}")).await,
        scim.get(&format!("/Schemas{flag}")).await,
        scim.get(&format!("/ResourceTypes{flag}")).await,
        ada,
    ] {
        assert!(answer.status < 300, "{}", answer.body);
        assert!(!answer.body.contains('?'), "{}", answer.body);
        assert!(answer.header("location").is_none_or(|location| !location.contains('?')));
    }
}

#[tokio::test]
async fn who_does_not_authenticate_is_told_how_to() {
    let scim = Scim::fresh().await;
    let nobody = scim.directory.with(Credential::None);
    let schemes = scim.read("/ServiceProviderConfig").await["authenticationSchemes"].clone();

    for method in [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
        for path in ["/Users", "/Users/1", "/Groups", "/Bulk", "/.search", "/Me", "/Schemas"] {
            let answer = nobody.request(method.clone(), path).send("").await;

            assert_fault(&answer, 401, None, &format!("{method} {path}"));
            let offered = answer.headers.get_all("www-authenticate").iter();
            let offered: Vec<_> = offered.map(|scheme| scheme.to_str().unwrap()).collect();
            assert!(offered[0].starts_with("Bearer realm="), "{offered:?}");
            assert!(offered[1].starts_with("Basic realm="), "{offered:?}");
        }
    }
    let kinds: Vec<_> =
        schemes.as_array().unwrap().iter().map(|scheme| scheme["type"].clone()).collect();
    assert!(kinds.contains(&json!("oauthbearertoken")) && kinds.contains(&json!("httpbasic")));
}

#[tokio::test]
async fn a_directory_may_do_what_its_own_connector_lets_it() {
    let scim = Scim::fresh().await;
    let globex = scim.service.organization("globex").await;
    let ada = scim.user("ada").await;
    let stranger = scim.directory.with(Credential::Bearer(globex.scim_password.clone()));

    for (method, path) in [
        (Method::GET, "/Users".to_owned()),
        (Method::GET, ada.clone()),
        (Method::DELETE, ada.clone()),
        (Method::POST, "/Bulk".to_owned()),
    ] {
        let answer = stranger.request(method.clone(), &path).send("").await;
        assert_fault(&answer, 401, None, &format!("{method} {path}"));
    }
    assert_eq!(globex.scim().get(&ada).await.status, 404);
    let change = scim.service.change_connector(&scim.organization, |connector| {
        connector.provisioning.declared_attributes_only = true;
    });
    change.await;
    let custom = with(user("bob"), json!({ "urn:acme:2.0:User": { "a": 1 } }));
    let refused = scim.post("/Users", &custom).await;
    let elsewhere = globex.scim().post("/Users", &custom).await;
    assert_fault(&refused, 400, Some("invalidValue"), "an attribute that is not declared");
    assert_eq!(elsewhere.status, 201, "{}", elsewhere.body);
}

#[tokio::test]
async fn messages_have_schemas_of_their_own_that_nobody_discovers() {
    let scim = Scim::fresh().await;
    let messages = [
        scim.get("/Users").await,
        scim.get("/Users/nobody").await,
        scim.bulk(json!([{ "method": "DELETE", "path": "/Users/nobody" }])).await,
    ];
    let mut urns = vec![PATCH_OP.to_owned(), SEARCH.to_owned(), BULK.to_owned()];
    for message in messages {
        urns.push(message.json()["schemas"][0].as_str().unwrap().to_owned());
    }

    let published = names(&scim.read("/Schemas").await, "id");

    for urn in urns {
        assert!(urn.starts_with("urn:ietf:params:scim:api:messages:2.0:"), "{urn}");
        assert_eq!(scim.get(&format!("/Schemas/{urn}")).await.status, 404, "{urn}");
        assert!(!published.contains(&urn), "{urn}");
    }
}

#[tokio::test]
async fn nobody_is_me() {
    let scim = Scim::fresh().await;

    for method in [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
        let answer = scim.directory.send(method.clone(), "/Me", &json!({})).await;

        assert_fault(&answer, 501, None, method.as_str());
    }
}

#[tokio::test]
async fn an_error_is_json_whatever_was_asked() {
    let scim = Scim::fresh().await;
    let ada = scim.user("ada").await;
    let body = json!({});

    for (method, path, status) in [
        (Method::GET, "/Nothing", 404),
        (Method::GET, "/Users/nobody", 404),
        (Method::GET, "/Users/a/b/c", 404),
        (Method::GET, "/Schemas/urn:x", 404),
        (Method::GET, "/ResourceTypes/Device", 404),
        (Method::POST, ada.as_str(), 405),
        (Method::PUT, "/Users", 405),
        (Method::DELETE, "/Groups", 405),
        (Method::POST, "/ServiceProviderConfig", 405),
        (Method::PUT, "/ResourceTypes", 405),
        (Method::PATCH, "/Schemas", 405),
        (Method::DELETE, "/Schemas/urn:x", 405),
        (Method::GET, "/.search", 405),
        (Method::GET, "/Users/.search", 405),
        (Method::GET, "/Bulk", 405),
        (Method::GET, "/Schemas?filter=id+pr", 403),
        (Method::GET, "/Me", 501),
    ] {
        let answer = scim.directory.send(method.clone(), path, &body).await;

        assert_fault(&answer, status, None, &format!("{method} {path}"));
    }
    for text in ["", "{", "[]", "null", "\"x\"", "{\"a\":1,\"a\":2}", "\u{feff}{}"] {
        for (method, path) in
            [(Method::POST, "/Users"), (Method::POST, "/Bulk"), (Method::PATCH, &*ada)]
        {
            let ask =
                scim.request(method.clone(), path).header("content-type", "application/scim+json");
            let answer = ask.body(text).send("").await;

            assert_fault(&answer, 400, Some("invalidSyntax"), &format!("{method} {path} {text}"));
        }
    }
}

#[tokio::test]
async fn another_version_is_not_spoken() {
    let scim = Scim::fresh().await;
    let bearer = format!("Bearer {}", scim.organization.scim_password);

    for version in ["/v1", "/v3", "/v2.1", ""] {
        let url = scim.directory.url.replace("/v2", version);
        let ask = Ask::get(format!("{url}/Users")).header("authorization", &bearer);
        let answer = scim.service.ask(ask).await;

        assert_eq!(answer.status, 404, "{url}: {}", answer.body);
    }
}

#[tokio::test]
async fn an_entity_tag_is_a_header_and_guards_a_write() {
    let scim = Scim::fresh().await;
    let ada = scim.user("ada").await;
    let team = scim.group("Team", &[]).await;

    for path in [&ada, &team] {
        let first = scim.get(path).await;
        let etag = first.header("etag").unwrap().to_owned();
        let not_modified = scim.request(Method::GET, path).header("if-none-match", &etag);
        let not_modified = not_modified.send("").await;
        let operation = json!([{ "op": "add", "path": "externalId", "value": "new" }]);
        let changed = scim.patch(path, operation).await;
        let second = changed.header("etag").unwrap().to_owned();
        let again = scim.request(Method::GET, path).header("if-none-match", &etag);

        assert_eq!(first.json()["meta"]["version"], etag);
        assert!(etag.starts_with("W/\"") && second != etag, "{etag} {second}");
        assert_eq!((not_modified.status, not_modified.body.as_str()), (304, ""));
        assert_eq!(again.send("").await.status, 200);
        for (method, body) in [
            (Method::PATCH, json!({ "Operations": [{ "op": "remove", "path": "externalId" }] })),
            (Method::PUT, scim.read(path).await),
            (Method::DELETE, json!({})),
        ] {
            let ask = |tag: &str| {
                scim.request(method.clone(), path).header("if-match", tag).body(body.to_string())
            };
            let stale = ask(&etag).send("").await;
            assert_fault(&stale, 412, None, &format!("{method} {path}"));
        }
        assert_eq!(scim.read(path).await["externalId"], "new");
        let fresh = scim.request(Method::DELETE, path).header("if-match", &second).send("").await;
        assert_eq!(fresh.status, 204, "{}", fresh.body);
    }
}

#[tokio::test]
async fn a_creation_is_answered_with_what_was_created() {
    let scim = Scim::fresh().await;
    let own = json!({
        "id": "mine", "meta": { "resourceType": "Thing" }, "groups": [{ "value": "x" }],
        "schemas": [USER],
    });

    for (endpoint, kind, body) in [
        ("/Users", "User", with(user("ada"), own.clone())),
        (
            "/Groups",
            "Group",
            with(json!({ "displayName": "Team" }), json!({ "id": "mine", "schemas": [GROUP] })),
        ),
    ] {
        let answer = scim.post(endpoint, &body).await;

        let made = answer.json();
        assert_eq!(answer.status, 201, "{made}");
        let path = format!("{endpoint}/{}", made["id"].as_str().unwrap());
        let location = format!("{}{path}", scim.directory.url);
        assert_ne!(made["id"], "mine");
        assert_eq!(answer.header("location"), Some(location.as_str()));
        assert_eq!(made["meta"]["location"], location);
        assert_eq!(made["meta"]["resourceType"], kind);
        assert_eq!(answer.header("etag"), made["meta"]["version"].as_str());
        assert_eq!(scim.read(&path).await, made);
        assert_eq!(scim.get(&format!("{endpoint}/mine")).await.status, 404);
    }
}

#[tokio::test]
async fn what_is_there_already_is_a_conflict() {
    let scim = Scim::fresh().await;
    let ada = scim.user_with("ada", json!({ "externalId": "a" })).await;
    let bob = scim.user_with("bob", json!({ "externalId": "b" })).await;
    let team = scim.create("/Groups", &json!({ "displayName": "Team", "externalId": "t" })).await;
    let crew = scim.create("/Groups", &json!({ "displayName": "Crew", "externalId": "c" })).await;

    for (taken, held) in [
        (json!({ "userName": "ADA@acme.example" }), &ada),
        (json!({ "externalId": "a" }), &ada),
        (json!({ "emails": [{ "value": "Ada@acme.example" }] }), &ada),
    ] {
        let eve = scim.post("/Users", &with(user("eve"), taken.clone())).await;
        let put = scim.put(&bob, &with(user("bob"), taken.clone())).await;
        let patch = scim.patch(&bob, json!([{ "op": "replace", "value": taken }])).await;

        for answer in [eve, put, patch] {
            assert_fault(&answer, 409, Some("uniqueness"), &taken.to_string());
            assert!(answer.body.contains(id(held)), "{}", answer.body);
        }
    }
    for taken in [json!({ "displayName": "Team" }), json!({ "externalId": "t" })] {
        let other = with(json!({ "displayName": "Other", "externalId": "o" }), taken.clone());
        let post = scim.post("/Groups", &other).await;
        let own = with(json!({ "displayName": "Crew", "externalId": "c" }), taken.clone());
        let put = scim.put(&crew, &own).await;
        let patch = scim.patch(&crew, json!([{ "op": "replace", "value": taken }])).await;

        for answer in [post, put, patch] {
            assert_fault(&answer, 409, Some("uniqueness"), &taken.to_string());
            assert!(answer.body.contains(id(&team)), "{}", answer.body);
        }
    }
    assert_eq!(scim.read(&bob).await["userName"], "bob@acme.example");
}

#[tokio::test]
async fn a_query_is_answered_with_a_list_even_of_nothing() {
    let scim = Scim::fresh().await;

    for path in [
        "/Users",
        "/Users/",
        "/Groups",
        "/Groups/",
        "/",
        "",
        "/Users?filter=userName+eq+%22x%22",
        "/Groups?filter=displayName+eq+%22x%22&excludedAttributes=members",
        "/Users?filter=urn:x:y:z+eq+%22x%22",
        "/Users?startIndex=77&count=3",
    ] {
        let answer = scim.get(path).await;

        let list = answer.json();
        assert_eq!((answer.status, &list["schemas"]), (200, &json!([LIST])), "{path}: {list}");
        assert_eq!((&list["totalResults"], &list["Resources"]), (&json!(0), &json!([])), "{path}");
        assert_eq!(list["itemsPerPage"], 0, "{path}");
    }
}

#[tokio::test]
async fn a_query_of_everything_goes_through_users_and_groups() {
    let scim = Scim::fresh().await;
    scim.user_with("ada", json!({ "displayName": "Alpha" })).await;
    scim.user_with("bob", json!({ "displayName": "Beta" })).await;
    scim.group("Alpha", &[]).await;
    scim.group("Gamma", &[]).await;

    for (filter, expected) in [
        ("meta.resourceType eq \"User\"", vec!["Alpha", "Beta"]),
        ("meta.resourceType eq \"Group\"", vec!["Alpha", "Gamma"]),
        (
            "(meta.resourceType eq User) or (meta.resourceType eq Group)",
            vec!["Alpha", "Beta", "Alpha", "Gamma"],
        ),
        ("displayName eq \"alpha\"", vec!["Alpha", "Alpha"]),
        ("userName pr", vec!["Alpha", "Beta"]),
        ("not (userName pr)", vec!["Alpha", "Gamma"]),
        ("userName eq \"bob@acme.example\" or displayName eq \"Gamma\"", vec!["Beta", "Gamma"]),
        ("displayName eq \"nobody\"", vec![]),
    ] {
        let answer = scim.query("/", &[("filter", filter)]).await;

        let list = answer.json();
        assert_eq!(answer.status, 200, "{filter}: {list}");
        assert_eq!(names(&list, "displayName"), expected, "{filter}");
        assert_eq!(list["totalResults"], expected.len(), "{filter}");
    }
    let mut paged = Vec::new();
    for start in 1..=4 {
        let page = scim.read(&format!("/?startIndex={start}&count=1")).await;
        assert_eq!(page["totalResults"], 4);
        paged.extend(names(&page, "displayName"));
    }
    assert_eq!(paged, ["Alpha", "Beta", "Alpha", "Gamma"]);
}

/// Three people to be looked for.
async fn three() -> Scim {
    let scim = Scim::fresh().await;
    for (name, more) in [
        (
            "ada",
            json!({
                "title": "Head of Ops", "active": true, "nickName": "A",
                "name": { "givenName": "Ada", "familyName": "O'Brien" },
                "emails": [
                    { "value": "ada@acme.example", "type": "work", "primary": true },
                    { "value": "ada@home.example", "type": "home" },
                ],
                ENTERPRISE: { "department": "Sales", "manager": { "value": "m-1" } },
                "urn:acme:2.0:User": { "level": 7, "hired": "2020-01-01T00:00:00Z" },
            }),
        ),
        (
            "bob",
            json!({
                "title": "Clerk \"B\" \\ +&#ä", "active": false,
                "emails": [{ "value": "bob@acme.example", "type": "home" }],
                "roles": [{ "value": "Admin", "primary": true }],
                "urn:acme:2.0:User": { "level": 10, "hired": "2021-01-01T01:00:00+01:00" },
            }),
        ),
        ("eve", json!({ "emails": [{ "value": "eve@other.example", "type": "work" }] })),
    ] {
        scim.user_with(name, more).await;
    }
    scim
}

#[tokio::test]
async fn a_filter_finds_whom_it_describes() {
    let scim = three().await;
    let enterprise = |rest: &str| format!("{ENTERPRISE}:{rest}");

    for (filter, expected) in [
        // Every operator.
        (r#"userName eq "ada@acme.example""#.to_owned(), "ada"),
        (r#"userName ne "ada@acme.example""#.into(), "bob eve"),
        (r#"title co "OF""#.into(), "ada"),
        (r#"userName sw "B""#.into(), "bob"),
        (r#"emails.value ew "other.EXAMPLE""#.into(), "eve"),
        ("title pr".into(), "ada bob"),
        (r#"urn:acme:2.0:User:level gt 7"#.into(), "bob"),
        (r#"urn:acme:2.0:User:level ge 7"#.into(), "ada bob"),
        (r#"urn:acme:2.0:User:level lt 10"#.into(), "ada"),
        (r#"urn:acme:2.0:User:level le 10"#.into(), "ada bob"),
        (r#"userName gt "ada@acme.example" and userName lt "eve""#.into(), "bob"),
        // Moments are compared as moments.
        (r#"urn:acme:2.0:User:hired eq "2021-01-01T00:00:00Z""#.into(), "bob"),
        (r#"urn:acme:2.0:User:hired lt "2021-01-01T00:30:00+01:00""#.into(), "ada"),
        (r#"meta.lastModified ge "2026-03-03T09:00:00Z""#.into(), "ada bob eve"),
        (r#"meta.created gt "2026-03-03T09:00:00Z""#.into(), ""),
        // Grouping, then not, then and, then or.
        (r#"title pr and nickName pr or userName sw "eve""#.into(), "ada eve"),
        (r#"userName sw "eve" or title pr and nickName pr"#.into(), "ada eve"),
        (r#"(userName sw "eve" or title pr) and nickName pr"#.into(), "ada"),
        (r#"not (title pr) or nickName pr"#.into(), "ada eve"),
        (r#"not (title pr or userName sw "x")"#.into(), "eve"),
        (r#"not(active eq true)"#.into(), "bob"),
        // Names, operators and URNs in any case.
        (r#"USERNAME EQ "ADA@ACME.EXAMPLE" AND Title PR"#.into(), "ada"),
        (enterprise(r#"department eq "sales""#), "ada"),
        (enterprise(r#"department eq "sales""#).to_uppercase(), "ada"),
        (r#"urn:ietf:params:scim:schemas:core:2.0:User:userName sw "eve""#.into(), "eve"),
        // Values within values.
        (r#"emails eq "ada@home.example""#.into(), "ada"),
        (r#"emails[type eq "work"].value ew "acme.example""#.into(), "ada"),
        (r#"emails[type eq "work" and value co "other"]"#.into(), "eve"),
        (r#"emails[type eq "work"] and emails[type eq "home"]"#.into(), "ada"),
        (r#"emails[not (type eq "work")]"#.into(), "ada bob"),
        (r#"name.familyName eq "o'brien""#.into(), "ada"),
        (enterprise(r#"manager eq "m-1""#), "ada"),
        (enterprise(r#"manager.value eq "m-1""#), "ada"),
        (r#"roles[primary eq true].value eq "Admin""#.into(), "bob"),
        ("active eq false".into(), "bob"),
        ("active ne true".into(), "bob"),
        // Escapes of JSON, and what means something in an address.
        (r#"title eq "Clerk \"B\" \\ +&#\u00e4""#.into(), "bob"),
        (r#"title co "+&#ä""#.into(), "bob"),
        // What nobody has.
        ("nickName eq null".into(), "bob eve"),
        (r#"urn:unknown:2.0:User:x eq "y""#.into(), ""),
        (r#"urn:unknown:2.0:User:x pr"#.into(), ""),
        (r#"not (urn:unknown:2.0:User:x pr)"#.into(), "ada bob eve"),
        (r#"id eq "nobody""#.into(), ""),
    ] {
        let expected: Vec<_> =
            expected.split_whitespace().map(|name| format!("{name}@acme.example")).collect();

        assert_eq!(scim.found(&filter).await, expected, "{filter}");
    }
}

#[tokio::test]
async fn a_filter_that_is_none_is_refused() {
    let strict = Scim::strict().await;
    let lenient = three().await;

    for filter in [
        "",
        " ",
        "userName",
        "userName eq",
        "eq \"x\"",
        "userName xx \"x\"",
        "userName == \"x\"",
        "userName eq \"x\" and",
        "userName eq \"x\" or or title pr",
        "(userName eq \"x\"",
        "userName eq \"x\")",
        "not userName eq \"x\"",
        "not ()",
        "userName eq \"x",
        "userName eq \"\\q\"",
        "emails[type eq \"work\"",
        "emails[]",
        "emails[a[b eq 1]]",
        "active gt true",
        "active lt false",
        "active co \"t\"",
        "x509Certificates.value gt \"x\"",
        "x509Certificates ge \"x\"",
        "name eq \"x\"",
        "addresses eq \"x\"",
        "meta eq \"x\"",
        "password eq \"x\"",
        "userName gt null",
        "userName eq \"x\"; drop table account",
        &"(".repeat(5_000),
        &format!("userName eq \"{}\"", "x".repeat(10_000)),
    ] {
        for scim in [&strict, &lenient] {
            for path in ["/Users", "/Groups", "/"] {
                let answer = scim.query(path, &[("filter", filter)]).await;
                assert_fault(&answer, 400, Some("invalidFilter"), &format!("{path} {filter:.60}"));
            }
        }
    }
    for filter in [
        "shoeSize eq 43",
        "emails.nothing eq \"x\"",
        "userName eq x",
        "userName eq {}",
        "userName eq []",
        "members pr",
    ] {
        let answer = strict.query("/Users", &[("filter", filter)]).await;
        assert_fault(&answer, 400, Some("invalidFilter"), filter);
    }
}

#[tokio::test]
async fn a_list_is_sorted_as_its_attributes_compare() {
    let scim = Scim::fresh().await;
    for (name, more) in [
        ("c", json!({ "nickName": "b", "externalId": "b", "urn:acme:2.0:User": { "level": 9 } })),
        ("a", json!({ "nickName": "C", "externalId": "C", "urn:acme:2.0:User": { "level": 10 } })),
        (
            "d",
            json!({ "nickName": "a", "externalId": "a",
                "emails": [{ "value": "z@acme.example" }, { "value": "0@acme.example", "primary": true }] }),
        ),
        ("b", json!({ "externalId": "A", "urn:acme:2.0:User": { "level": 9.5 } })),
    ] {
        scim.user_with(name, more).await;
    }

    for (sort_by, ascending) in [
        ("userName", "a b c d"),
        ("USERNAME", "a b c d"),
        ("urn:ietf:params:scim:schemas:core:2.0:User:userName", "a b c d"),
        // Without a value last; small and capital letters alike.
        ("nickName", "d c a b"),
        // Where case counts, capital letters come first.
        ("externalId", "b a d c"),
        // Numbers as numbers.
        ("urn:acme:2.0:User:level", "c b a d"),
        // Of several values the primary one.
        ("emails", "d a b c"),
        ("emails.value", "d a b c"),
        ("name.familyName", "c a d b"),
        ("meta.created", "c a d b"),
    ] {
        let order = |order: Option<&'static str>| {
            let scim = &scim;
            async move {
                let mut parameters = vec![("sortBy", sort_by)];
                parameters.extend(order.map(|order| ("sortOrder", order)));
                let answer = scim.query("/Users", &parameters).await;
                assert_eq!(answer.status, 200, "{sort_by}: {}", answer.body);
                let names = names(&answer.json(), "userName");
                names.iter().map(|name| &name[..1]).collect::<Vec<_>>().join(" ")
            }
        };
        let equal = sort_by.ends_with("familyName") || sort_by.ends_with("created");
        let descending: Vec<_> = ascending.split(' ').rev().collect();

        assert_eq!(order(None).await, ascending, "{sort_by}");
        assert_eq!(order(Some("ascending")).await, ascending, "{sort_by}");
        if !equal {
            assert_eq!(order(Some("descending")).await, descending.join(" "), "{sort_by}");
        }
    }
    let mut paged = Vec::new();
    for start in 1..=4 {
        let path =
            format!("/Users?sortBy=userName&sortOrder=descending&startIndex={start}&count=1");
        paged.extend(names(&scim.read(&path).await, "userName"));
    }
    assert_eq!(paged, ["d", "c", "b", "a"].map(|name| format!("{name}@acme.example")));
    for parameters in ["sortBy=name", "sortBy=a+b", "sortBy=userName&sortOrder=up"] {
        let answer = scim.get(&format!("/Users?{parameters}")).await;
        assert_fault(&answer, 400, Some("invalidValue"), parameters);
    }
}

#[tokio::test]
async fn a_page_begins_and_ends_where_it_was_asked_to() {
    let scim = Scim::fresh().await;
    let mut all = Vec::new();
    for number in 0..12 {
        scim.user(&format!("p{number:02}")).await;
        all.push(format!("p{number:02}@acme.example"));
    }
    let page = async |query: &str| scim.get(&format!("/Users?{query}")).await;

    for (query, start, found) in [
        ("", 1, 0..12),
        ("startIndex=1&count=5", 1, 0..5),
        ("startIndex=6&count=5", 6, 5..10),
        ("startIndex=11&count=5", 11, 10..12),
        ("startIndex=6&count=5", 6, 5..10),
        ("startIndex=13&count=5", 13, 12..12),
        ("startIndex=0&count=2", 1, 0..2),
        ("startIndex=-7&count=2", 1, 0..2),
        ("startIndex=3", 3, 2..12),
        ("count=0", 1, 0..0),
        ("count=-1", 1, 0..0),
        ("count=1000000", 1, 0..12),
    ] {
        let list = page(query).await.json();

        assert_eq!(names(&list, "userName"), all[found.clone()], "{query}");
        assert_eq!(
            (&list["totalResults"], &list["startIndex"]),
            (&json!(12), &json!(start)),
            "{query}"
        );
        assert_eq!(list["itemsPerPage"], found.len(), "{query}");
    }
    let filtered = "filter=userName+sw+%22p1%22&startIndex=2&count=5";
    let filtered = page(filtered).await.json();
    assert_eq!(
        (&filtered["totalResults"], names(&filtered, "userName")),
        (&json!(2), all[11..].to_vec())
    );
    for query in ["count=ten", "startIndex=1.5", "count=1&count=2"] {
        assert_fault(&page(query).await, 400, Some("invalidValue"), query);
    }
}

#[tokio::test]
async fn a_cursor_leads_through_a_list_once() {
    let scim = Scim::fresh().await;
    let mut all = Vec::new();
    for number in 0..7 {
        scim.user(&format!("p{number}")).await;
        all.push(format!("p{number}@acme.example"));
    }
    let pagination = scim.read("/ServiceProviderConfig").await["pagination"].clone();

    for query in ["", "&filter=userName+pr", "&sortBy=userName"] {
        let (mut found, mut cursor, mut cursors) = (Vec::new(), String::new(), Vec::new());
        loop {
            let path = format!("/Users?cursor={cursor}&count=3{query}");
            let page = scim.read(&path).await;
            found.extend(names(&page, "userName"));
            let Some(next) = page["nextCursor"].as_str() else { break };
            assert!(
                next.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte))
            );
            cursors.push(next.to_owned());
            next.clone_into(&mut cursor);
        }
        assert_eq!(found, all, "{query}");
        assert_eq!(cursors.len(), 2, "{query}");

        let other = scim.get(&format!("/Users?cursor={cursor}&filter=title+pr")).await;
        let elsewhere = scim.get(&format!("/Groups?cursor={cursor}{query}")).await;
        let forged = scim.get(&format!("/Users?cursor={}x{query}", &cursor[1..])).await;
        for answer in [other, elsewhere, forged] {
            assert_fault(&answer, 400, Some("invalidCursor"), query);
        }
        let negative = scim.get(&format!("/Users?cursor={cursor}&count=-1{query}")).await;
        assert_fault(&negative, 400, Some("invalidCount"), query);
        scim.service.advance(SignedDuration::from_secs(3601));
        let late = scim.get(&format!("/Users?cursor={cursor}{query}")).await;
        assert_fault(&late, 400, Some("expiredCursor"), query);
    }
    assert_eq!((&pagination["cursor"], &pagination["index"]), (&json!(true), &json!(true)));
    assert_eq!(pagination["defaultPaginationMethod"], "index");
}

#[tokio::test]
async fn an_answer_has_the_attributes_that_were_asked_for() {
    let scim = Scim::fresh().await;
    let more = json!({
        "title": "Head", ENTERPRISE: { "department": "Sales", "division": "North" },
        "urn:acme:2.0:User": { "badge": "7" },
    });
    let ada = scim.user_with("ada", more).await;
    let department = format!("{ENTERPRISE}:department");
    let members = |value: &Value| -> Vec<String> {
        let mut members: Vec<_> = value.as_object().unwrap().keys().cloned().collect();
        members.sort();
        members
    };

    for (attributes, expected) in [
        ("userName", vec!["id", "schemas", "userName"]),
        ("USERNAME,Title", vec!["id", "schemas", "title", "userName"]),
        ("name.givenName", vec!["id", "name", "schemas"]),
        ("emails.value", vec!["emails", "id", "schemas"]),
        ("meta", vec!["id", "meta", "schemas"]),
        ("groups", vec!["id", "schemas"]),
        (&department, vec!["id", "schemas", ENTERPRISE]),
        (ENTERPRISE, vec!["id", "schemas", ENTERPRISE]),
        ("urn:acme:2.0:User:badge", vec!["id", "schemas", "urn:acme:2.0:User"]),
        ("password,nothing", vec!["id", "schemas"]),
        ("urn:ietf:params:scim:schemas:core:2.0:User:userName", vec!["id", "schemas", "userName"]),
    ] {
        let parameters = [("attributes", attributes)];
        let search =
            json!({ "schemas": [SEARCH], "attributes": attributes.split(',').collect::<Vec<_>>() });

        let one = scim.query(&ada, &parameters).await.json();
        let listed = scim.query("/Users", &parameters).await.json();
        let searched = scim.post("/Users/.search", &search).await.json();

        assert_eq!(members(&one), expected, "{attributes}");
        assert_eq!(listed["Resources"][0], one, "{attributes}");
        assert_eq!(searched["Resources"][0], one, "{attributes}");
    }
    let only = scim.query(&ada, &[("attributes", "name.givenName,emails.type")]).await.json();
    assert_eq!(only["name"], json!({ "givenName": "ada" }));
    assert_eq!(only["emails"], json!([{ "type": "work" }]));

    let whole = scim.read(&ada).await;
    let all = "id,schemas,userName,title,emails.type,urn:acme:2.0:User,name.givenName";
    let less = scim.query(&ada, &[("excludedAttributes", all)]).await.json();
    assert_eq!((&less["id"], &less["schemas"]), (&whole["id"], &whole["schemas"]));
    for gone in ["userName", "title", "urn:acme:2.0:User"] {
        assert_eq!(less.get(gone), None, "{gone}");
    }
    assert_eq!(less["emails"][0].get("type"), None);
    assert_eq!(less["emails"][0]["value"], whole["emails"][0]["value"]);
    assert_eq!(less["name"], json!({ "familyName": "Example" }));
    assert_eq!(less[ENTERPRISE], whole[ENTERPRISE]);

    let written = "?attributes=title";
    let put = scim.put(&format!("{ada}{written}"), &whole).await;
    let patch = json!([{ "op": "add", "path": "title", "value": "x" }]);
    let patch = scim.patch(&format!("{ada}{written}"), patch).await;
    let bob = with(user("bob"), json!({ "title": "x" }));
    let post = scim.post(&format!("/Users{written}"), &bob).await;
    for answer in [put, patch, post] {
        assert_eq!(members(&answer.json()), ["id", "schemas", "title"]);
    }
    let team = scim.group("Team", &[&ada]).await;
    let rename = json!([{ "op": "replace", "path": "displayName", "value": "Crew" }]);
    let asked = scim.patch(&format!("{team}?attributes=displayName"), rename).await;
    assert_eq!((asked.status, &asked.json()["displayName"]), (200, &json!("Crew")));
    let strict = Scim::strict().await;
    let both = strict.get("/Users?attributes=userName&excludedAttributes=title").await;
    assert_fault(&both, 400, Some("invalidValue"), "attributes beside excludedAttributes");
}

#[tokio::test]
async fn a_search_in_a_body_is_the_search_in_an_address() {
    let scim = three().await;
    scim.group("Team", &[]).await;

    for (path, body, query) in [
        ("/Users", json!({ "filter": "userName sw \"b\"" }), "filter=userName+sw+%22b%22"),
        ("/Users", json!({ "startIndex": 2, "count": 1 }), "startIndex=2&count=1"),
        (
            "/Users",
            json!({ "sortBy": "userName", "sortOrder": "descending" }),
            "sortBy=userName&sortOrder=descending",
        ),
        ("/Users", json!({ "attributes": ["userName", "title"] }), "attributes=userName,title"),
        ("/Groups", json!({ "excludedAttributes": ["members"] }), "excludedAttributes=members"),
        ("/Groups", json!({}), ""),
        ("", json!({ "filter": "displayName pr", "count": 3 }), "filter=displayName+pr&count=3"),
    ] {
        let message = with(json!({ "schemas": [SEARCH] }), body.clone());

        let answer = scim.post(&format!("{path}/.search"), &message).await;

        assert_eq!(answer.status, 200, "{path} {body}: {}", answer.body);
        assert_eq!(answer.json(), scim.read(&format!("{path}?{query}")).await, "{path} {body}");
    }
    let strict = Scim::strict().await;
    for body in [json!({}), json!({ "schemas": [] }), json!({ "schemas": [PATCH_OP] })] {
        let answer = strict.post("/Users/.search", &body).await;
        assert_fault(&answer, 400, Some("invalidSyntax"), &body.to_string());
    }
}

#[tokio::test]
async fn a_replacement_creates_nobody() {
    let scim = Scim::fresh().await;
    let free = "018f0000-0000-7000-8000-000000000000";

    let user = scim.put(&format!("/Users/{free}"), &user("ada")).await;
    let group = scim.put(&format!("/Groups/{free}"), &json!({ "displayName": "Team" })).await;

    assert_fault(&user, 404, None, "a user that is not there");
    assert_fault(&group, 404, None, "a group that is not there");
    assert_eq!(scim.read("/").await["totalResults"], 0);
}

#[tokio::test]
async fn a_replacement_replaces_what_a_client_may_write() {
    let scim = Scim::fresh().await;
    let more = json!({
        "title": "Head", "phoneNumbers": [{ "value": "1" }], "roles": [{ "value": "Admin" }],
        "urn:acme:2.0:User": { "badge": "7" }, ENTERPRISE: { "department": "Sales" },
        "name": { "givenName": "Ada", "familyName": "Example", "middleName": "M" },
    });
    let ada = scim.user_with("ada", more).await;
    let team = scim.group("Team", &[&ada]).await;
    let next = with(
        user("ada"),
        json!({
            "id": "x", "meta": { "version": "x" }, "groups": [], "schemas": [USER],
            "title": "Tail", "userName": "Ada@acme.example",
        }),
    );

    let put = scim.put(&ada, &next).await;
    let user = put.json();
    let group = scim.put(&team, &json!({ "schemas": [GROUP], "displayName": "Crew" })).await;

    assert_eq!(put.status, 200, "{user}");
    assert_eq!(scim.read(&ada).await["title"], "Tail");
    assert_eq!((&user["id"], &user["meta"]["version"]), (&json!(id(&ada)), &json!("W/\"2\"")));
    assert_eq!((&user["title"], &user["userName"]), (&json!("Tail"), &json!("Ada@acme.example")));
    assert_eq!(user["name"], json!({ "givenName": "ada", "familyName": "Example" }));
    assert_eq!(user["groups"][0]["value"], id(&team));
    for gone in ["phoneNumbers", "roles", ENTERPRISE, "urn:acme:2.0:User"] {
        assert_eq!(user.get(gone), None, "{gone}");
    }
    assert_eq!((group.status, &group.json()["members"]), (200, &json!([])));
    assert_eq!(group.json()["displayName"], "Crew");
}

#[tokio::test]
async fn a_replacement_with_something_required_missing_is_refused() {
    let scim = Scim::fresh().await;
    let ada = scim.user("ada").await;
    let team = scim.group("Team", &[&ada]).await;
    let before = [scim.read(&ada).await, scim.read(&team).await];

    for missing in ["userName", "name", "emails"] {
        let mut body = user("ada");
        body.as_object_mut().unwrap().remove(missing);
        let answer = scim.put(&ada, &body).await;

        assert_fault(&answer, 400, Some("invalidValue"), missing);
        assert!(answer.json()["detail"].as_str().unwrap().contains(missing), "{}", answer.body);
    }
    let answer = scim.put(&team, &json!({ "schemas": [GROUP], "members": [] })).await;
    assert_fault(&answer, 400, Some("invalidValue"), "displayName");
    assert_eq!([scim.read(&ada).await, scim.read(&team).await], before);
}

#[tokio::test]
async fn a_patch_that_is_none_is_refused() {
    let scim = Scim::strict().await;
    let ada = scim.user("ada").await;
    let team = json!({ "schemas": [GROUP], "displayName": "Team" });
    let team = scim.create("/Groups", &team).await;
    let operation = json!({ "op": "add", "path": "externalId", "value": "x" });

    for body in [
        json!({ "Operations": [operation] }),
        json!({ "schemas": [], "Operations": [operation] }),
        json!({ "schemas": [USER], "Operations": [operation] }),
        json!({ "schemas": [PATCH_OP] }),
        json!({ "schemas": [PATCH_OP], "Operations": [] }),
        json!({ "schemas": [PATCH_OP], "Operations": operation }),
        json!({ "schemas": [PATCH_OP], "Operations": ["add"] }),
        json!({ "schemas": [PATCH_OP], "Operations": [{ "path": "title", "value": "x" }] }),
        json!({ "schemas": [PATCH_OP], "Operations": [{ "op": "move", "path": "title" }] }),
        json!({ "schemas": [PATCH_OP], "Operations": [{ "op": ["add"], "path": "title", "value": "x" }] }),
    ] {
        for path in [&ada, &team] {
            let answer = scim.directory.send(Method::PATCH, path, &body).await;
            assert_fault(&answer, 400, Some("invalidSyntax"), &format!("{path} {body}"));
        }
    }
    let twice = format!(
        r#"{{"schemas":["{PATCH_OP}"],"Operations":[{{"op":"add","op":"remove","path":"title","value":"x"}}]}}"#
    );
    let answer = scim.request(Method::PATCH, &ada).body(twice).send("").await;
    assert_fault(&answer, 400, Some("invalidSyntax"), "two op members");
}

#[tokio::test]
async fn an_operation_does_what_the_standard_says() {
    let scim = Scim::strict().await;
    let work = json!({ "type": "work", "value": "1" });
    let home = json!({ "type": "home", "value": "2" });
    let start = json!({
        "title": "Head", "phoneNumbers": [work, home],
        "name": { "givenName": "Ada", "familyName": "Example", "middleName": "M" },
        ENTERPRISE: { "department": "Sales", "division": "North" }, "schemas": [USER, ENTERPRISE],
    });

    for (number, (operation, expected)) in [
        (json!({ "op": "add", "path": "nickName", "value": "A" }), json!({ "nickName": "A" })),
        (json!({ "op": "add", "path": "title", "value": "Tail" }), json!({ "title": "Tail" })),
        (
            json!({ "op": "add", "path": "name", "value": { "familyName": "X" } }),
            json!({ "name": { "givenName": "Ada", "familyName": "X", "middleName": "M" } }),
        ),
        (
            json!({ "op": "add", "path": "phoneNumbers", "value": [{ "value": "3" }] }),
            json!({ "phoneNumbers": [work, home, { "value": "3" }] }),
        ),
        (
            json!({ "op": "add", "value": { "nickName": "A", "phoneNumbers": [{ "value": "3" }] } }),
            json!({ "nickName": "A", "phoneNumbers": [work, home, { "value": "3" }] }),
        ),
        (
            json!({ "op": "add", "path": "phoneNumbers[type eq \"home\"].display", "value": "H" }),
            json!({ "phoneNumbers": [work, { "type": "home", "value": "2", "display": "H" }] }),
        ),
        (json!({ "op": "remove", "path": "title" }), json!({ "title": null })),
        (json!({ "op": "remove", "path": "phoneNumbers" }), json!({ "phoneNumbers": null })),
        (
            json!({ "op": "remove", "path": "phoneNumbers[type eq \"work\"]" }),
            json!({ "phoneNumbers": [home] }),
        ),
        (
            json!({ "op": "remove", "path": "phoneNumbers[value pr]" }),
            json!({ "phoneNumbers": null }),
        ),
        (
            json!({ "op": "remove", "path": "phoneNumbers[type eq \"work\"].type" }),
            json!({ "phoneNumbers": [{ "value": "1" }, home] }),
        ),
        (
            json!({ "op": "remove", "path": "name.middleName" }),
            json!({ "name": { "givenName": "Ada", "familyName": "Example" } }),
        ),
        (
            json!({ "op": "remove", "path": format!("{ENTERPRISE}:division") }),
            json!({ ENTERPRISE: { "department": "Sales" } }),
        ),
        (json!({ "op": "remove", "path": ENTERPRISE }), json!({ ENTERPRISE: null, "schemas": [USER] })),
        (json!({ "op": "replace", "path": "nickName", "value": "A" }), json!({ "nickName": "A" })),
        (
            json!({ "op": "replace", "path": "name", "value": { "familyName": "X" } }),
            json!({ "name": { "givenName": "Ada", "familyName": "X", "middleName": "M" } }),
        ),
        (
            json!({ "op": "replace", "path": "phoneNumbers", "value": [{ "value": "3" }] }),
            json!({ "phoneNumbers": [{ "value": "3" }] }),
        ),
        (
            json!({ "op": "replace", "path": "phoneNumbers[type pr]", "value": { "value": "9" } }),
            // What has become alike is said once.
            json!({ "phoneNumbers": [{ "value": "9" }] }),
        ),
        (
            json!({ "op": "replace", "path": "phoneNumbers[type eq \"work\"].value", "value": "9" }),
            json!({ "phoneNumbers": [{ "type": "work", "value": "9" }, home] }),
        ),
        (
            json!({ "op": "replace", "value": { "title": "Tail", "phoneNumbers": [home] } }),
            json!({ "title": "Tail", "phoneNumbers": [home] }),
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let before = with(user(&format!("u{number}")), start.clone());
        let path = scim.create("/Users", &before).await;

        let answer = scim.patch(&path, json!([operation])).await;

        let mut expected = with(before, expected);
        expected.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        let mut found = scim.read(&path).await;
        assert_eq!((answer.status, answer.json()), (200, found.clone()), "{operation}");
        for own in ["id", "meta"] {
            found.as_object_mut().unwrap().remove(own);
        }
assert_eq!(found, expected, "{operation}");
    }
    let (ada, bob) = (scim.user("ada").await, scim.user("bob").await);
    let team = scim.group("Team", &[&ada, &bob]).await;
    let all = json!([{ "op": "remove", "path": "members", "value": values(&[&ada]) }]);
    let answer = scim.patch(&team, all).await;
    assert_eq!((answer.status, answer.body.as_str()), (204, ""));
    assert!(scim.members(&team).await.is_empty(), "the RFC's remove has no value");
}

#[tokio::test]
async fn an_operation_that_may_not_be_is_refused_with_its_reason() {
    let scim = Scim::strict().await;
    let ada = scim.user_with("ada", json!({ "phoneNumbers": [{ "value": "1" }] })).await;
    let team = scim.group("Team", &[&ada]).await;
    let before = [scim.read(&ada).await, scim.read(&team).await];
    let only = format!("members[value eq \"{}\"].value", id(&ada));

    for (path, operation, scim_type) in [
        (&ada, json!({ "op": "add", "path": "title" }), "invalidValue"),
        (&ada, json!({ "op": "add" }), "invalidValue"),
        (&ada, json!({ "op": "add", "value": "x" }), "invalidValue"),
        (&ada, json!({ "op": "add", "path": "name", "value": "x" }), "invalidValue"),
        (&ada, json!({ "op": "replace", "path": "active", "value": "False" }), "invalidValue"),
        (&ada, json!({ "op": "replace", "path": "title", "value": { "a": 1 } }), "invalidValue"),
        (&ada, json!({ "op": "replace", "path": "shoeSize", "value": 43 }), "invalidPath"),
        (&ada, json!({ "op": "replace", "path": "title.x", "value": "x" }), "invalidPath"),
        (&ada, json!({ "op": "replace", "path": "a b", "value": "x" }), "invalidPath"),
        (
            &ada,
            json!({ "op": "replace", "path": "emails[type xx \"a\"]", "value": {} }),
            "invalidFilter",
        ),
        (&ada, json!({ "op": "remove" }), "noTarget"),
        (&ada, json!({ "op": "remove", "path": "userName" }), "mutability"),
        (&ada, json!({ "op": "remove", "path": "id" }), "mutability"),
        (&ada, json!({ "op": "replace", "path": "id", "value": "x" }), "mutability"),
        (&ada, json!({ "op": "add", "path": "meta.version", "value": "x" }), "mutability"),
        (&ada, json!({ "op": "add", "path": "groups", "value": [{ "value": "x" }] }), "mutability"),
        (
            &ada,
            json!({ "op": "replace", "path": "phoneNumbers[value eq \"2\"]", "value": { "value": "3" } }),
            "noTarget",
        ),
        (
            &ada,
            json!({ "op": "replace", "path": "phoneNumbers[type eq \"x\"].value", "value": "3" }),
            "noTarget",
        ),
        (&team, json!({ "op": "remove", "path": "displayName" }), "mutability"),
        (&team, json!({ "op": "replace", "path": only, "value": "x" }), "mutability"),
        (&team, json!({ "op": "add", "path": "members" }), "invalidValue"),
        (
            &team,
            json!({ "op": "add", "path": "members", "value": [{ "display": "x" }] }),
            "invalidValue",
        ),
        (
            &team,
            json!({ "op": "add", "path": "members", "value": [{ "value": "nobody" }] }),
            "invalidValue",
        ),
    ] {
        let answer = scim.patch(path, json!([operation])).await;

        assert_fault(&answer, 400, Some(scim_type), &operation.to_string());
    }
    assert_eq!([scim.read(&ada).await, scim.read(&team).await], before);
}

#[tokio::test]
async fn a_value_that_becomes_primary_demotes_the_one_that_was() {
    for scim in [Scim::fresh().await, Scim::strict().await] {
        for number in 0..4 {
            let name = format!("u{number}");
            let home =
                json!({ "value": format!("{name}@home.example"), "type": "home", "primary": true });
            let operations = [
                json!({ "op": "add", "path": "emails", "value": [home] }),
                json!({ "op": "add", "value": { "emails": [home] } }),
                json!({ "op": "replace", "path": "emails[type eq \"other\"].primary", "value": true }),
                json!({ "op": "add", "path": "emails[type eq \"other\"].primary", "value": true }),
            ];
            let emails = json!([
                { "value": format!("{name}@acme.example"), "type": "work", "primary": true },
                { "value": format!("{name}@other.example"), "type": "other" },
            ]);
            let path = scim.user_with(&name, json!({ "emails": emails })).await;

            let answer = scim.patch(&path, json!([operations[number]])).await;

            assert_eq!(answer.status, 200, "{name}: {}", answer.body);
            let emails = answer.json()["emails"].clone();
            let emails = emails.as_array().unwrap().iter();
            let primary: Vec<_> = emails.filter(|email| email["primary"] == true).collect();
            assert_eq!(primary.len(), 1, "{name}: {primary:?}");
            assert_eq!(primary[0]["type"], if number < 2 { "home" } else { "other" }, "{name}");
        }
    }
}

#[tokio::test]
async fn a_patch_happens_whole_or_not_at_all() {
    let scim = Scim::fresh().await;
    let ada = scim.user("ada").await;
    let bob = scim.user("bob").await;
    let team = scim.group("Team", &[&ada]).await;
    let before = [scim.read(&ada).await, scim.read(&team).await];

    for last in [
        json!({ "op": "replace", "path": "active", "value": "perhaps" }),
        json!({ "op": "remove", "path": "userName" }),
        json!({ "op": "replace", "path": "userName", "value": "bob@acme.example" }),
        json!({ "op": "replace", "path": "id", "value": "x" }),
        json!({ "op": "frobnicate" }),
    ] {
        let first = json!({ "op": "replace", "path": "title", "value": "Head" });
        let answer = scim.patch(&ada, json!([first, last])).await;
        assert!([400, 409].contains(&answer.status), "{last}: {}", answer.body);
    }
    for last in [
        json!({ "op": "add", "path": "members", "value": [{ "value": "018f0000-0000-7000-8000-000000000000" }] }),
        json!({ "op": "add", "path": "members", "value": [{ "value": "nobody" }] }),
        json!({ "op": "remove", "path": "displayName" }),
    ] {
        let first = json!({ "op": "add", "path": "members", "value": values(&[&bob]) });
        let second = json!({ "op": "replace", "path": "displayName", "value": "Crew" });
        let answer = scim.patch(&team, json!([first, second, last])).await;
        assert_eq!(answer.status, 400, "{last}: {}", answer.body);
    }
    assert_eq!([scim.read(&ada).await, scim.read(&team).await], before);
}

#[tokio::test]
async fn adding_what_is_there_changes_no_timestamp() {
    let scim = Scim::fresh().await;
    let ada = scim.user_with("ada", json!({ "title": "Head", "roles": [{ "value": "A" }] })).await;
    let team = scim.group("Team", &[&ada]).await;
    let before = [scim.read(&ada).await["meta"].clone(), scim.read(&team).await["meta"].clone()];
    scim.service.advance(SignedDuration::from_mins(40));

    for (path, operation) in [
        (&ada, json!({ "op": "add", "path": "title", "value": "Head" })),
        (&ada, json!({ "op": "add", "path": "roles", "value": [{ "value": "A" }] })),
        (&ada, json!({ "op": "replace", "value": { "title": "Head", "active": "True" } })),
        (&team, json!({ "op": "add", "path": "members", "value": values(&[&ada]) })),
        (&team, json!({ "op": "replace", "path": "members", "value": values(&[&ada]) })),
        (&team, json!({ "op": "replace", "path": "displayName", "value": "Team" })),
        (&team, json!({ "op": "remove", "path": "members[value eq \"nobody\"]" })),
    ] {
        let answer = scim.patch(path, json!([operation])).await;
        assert!(answer.status < 300, "{operation}: {}", answer.body);
    }
    let put = scim.put(&ada, &scim.read(&ada).await).await;

    assert_eq!(put.status, 200, "{}", put.body);
    assert_eq!(
        [scim.read(&ada).await["meta"].clone(), scim.read(&team).await["meta"].clone()],
        before
    );
}

#[tokio::test]
async fn what_is_deleted_is_nowhere() {
    let scim = Scim::fresh().await;
    let ada = scim.user("ada").await;
    let team = scim.group("Team", &[&ada]).await;
    let crew = scim.group("Crew", &[&ada]).await;

    let deleted = [scim.delete(&ada).await, scim.delete(&crew).await];

    for answer in deleted {
        assert_eq!((answer.status, answer.body.as_str()), (204, ""));
    }
    assert!(scim.members(&team).await.is_empty(), "a member who is gone");
    for path in [&ada, &crew] {
        let body = json!({ "schemas": [PATCH_OP], "Operations": [{ "op": "add", "path": "externalId", "value": "x" }] });
        let whole = with(user("ada"), json!({ "displayName": "Crew" }));
        for answer in [
            scim.get(path).await,
            scim.delete(path).await,
            scim.put(path, &whole).await,
            scim.directory.send(Method::PATCH, path, &body).await,
        ] {
            assert_fault(&answer, 404, None, path);
        }
    }
    for (endpoint, filter) in [
        ("/Users", r#"userName eq "ada@acme.example""#),
        ("/Users", r#"emails.value eq "ada@acme.example""#),
        ("/Groups", r#"displayName eq "Crew""#),
        ("/", r#"displayName pr and not (displayName eq "Team")"#),
    ] {
        let found = scim.query(endpoint, &[("filter", filter)]).await.json();
        assert_eq!(found["totalResults"], 0, "{filter}");
    }
    let member = json!([{ "op": "add", "path": "members", "value": values(&[&ada]) }]);
    let member = scim.patch(&team, member).await;
    assert_fault(&member, 400, Some("invalidValue"), "a member who is gone");
    assert_ne!(scim.user("ada").await, ada);
    assert_ne!(scim.group("Crew", &[]).await, crew);
}

#[tokio::test]
async fn a_bulk_does_all_of_it_and_says_what_became_of_each() {
    let scim = Scim::fresh().await;
    let bob = scim.user("bob").await;
    let eve = scim.user("eve").await;
    let rename = json!({ "schemas": [PATCH_OP], "Operations": [{ "op": "add", "path": "title", "value": "x" }] });

    let answer = scim
        .bulk(json!([
            { "method": "POST", "path": "/Users", "bulkId": "a", "data": user("ada") },
            { "method": "POST", "path": "/Users", "bulkId": "b", "data": user("bob") },
            { "method": "PATCH", "path": bob, "data": rename },
            { "method": "PUT", "path": eve, "data": with(user("eve"), json!({ "title": "y" })) },
            { "method": "DELETE", "path": "/Users/nobody" },
            { "method": "POST", "path": "/Groups", "bulkId": "c", "data": { "displayName": "Team" } },
            { "method": "DELETE", "path": eve },
        ]))
        .await;

    let body = answer.json();
    assert_eq!(answer.status, 200, "{body}");
    assert_eq!(body["schemas"], json!(["urn:ietf:params:scim:api:messages:2.0:BulkResponse"]));
    let operations = body["Operations"].as_array().unwrap();
    let status: Vec<_> = operations.iter().map(|one| one["status"].as_str().unwrap()).collect();
    assert_eq!(status, ["201", "409", "200", "200", "404", "201", "204"]);
    let named: Vec<_> = operations.iter().map(|one| one["bulkId"].as_str()).collect();
    assert_eq!(named, [Some("a"), Some("b"), None, None, None, Some("c"), None]);
    for (number, operation) in operations.iter().enumerate() {
        let failed = [1, 4].contains(&number);
        assert!(operation["method"].is_string(), "{operation}");
        assert_eq!(operation["response"]["schemas"] == json!([ERROR]), failed, "{operation}");
        if !failed && number != 6 {
            let location = operation["location"].as_str().unwrap();
            let path = location.strip_prefix(&scim.directory.url).unwrap();
            assert!(number == 3 || scim.get(path).await.status == 200, "{location}");
        }
    }
    assert_eq!(operations[1]["response"]["scimType"], "uniqueness");
    assert_eq!(scim.read(&bob).await["title"], "x");
    assert_eq!(scim.get(&eve).await.status, 404);
}

#[tokio::test]
async fn a_bulk_stops_after_as_many_failures_as_it_says() {
    let scim = Scim::fresh().await;
    let gone = json!({ "method": "DELETE", "path": "/Users/nobody" });
    let operations = json!([
        { "method": "POST", "path": "/Users", "bulkId": "a", "data": user("ada") },
        gone,
        { "method": "POST", "path": "/Users", "bulkId": "b", "data": user("bob") },
        gone,
        { "method": "POST", "path": "/Users", "bulkId": "c", "data": user("eve") },
    ]);
    let body = json!({ "schemas": [BULK], "failOnErrors": 2, "Operations": operations });

    let answer = scim.post("/Bulk", &body).await;

    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.json()["Operations"].as_array().unwrap().len(), 4);
    assert_eq!(scim.found("userName pr").await, ["ada@acme.example", "bob@acme.example"]);
}

#[tokio::test]
async fn a_bulk_does_what_its_operations_do_one_by_one() {
    let (together, alone) = (Scim::fresh().await, Scim::fresh().await);
    let change = |number: u32| json!({ "op": "add", "path": "roles", "value": [{ "value": format!("r{number}") }] });
    let mut operations = Vec::new();
    let ada = together.user("ada").await;
    let same = alone.user("ada").await;
    for number in 0..30 {
        let data = json!({ "schemas": [PATCH_OP], "Operations": [change(number)] });
        operations.push(json!({ "method": "PATCH", "path": ada, "data": data }));
        alone.patch(&same, json!([change(number)])).await;
    }
    operations.push(json!({ "method": "PATCH", "path": ada,
        "data": { "Operations": [{ "op": "remove", "path": "roles[value eq \"r3\"]" }] } }));
    alone.patch(&same, json!([{ "op": "remove", "path": "roles[value eq \"r3\"]" }])).await;

    let answer = together.bulk(json!(operations)).await;

    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.json()["Operations"].as_array().unwrap().len(), 31);
    let (together, alone) = (together.read(&ada).await, alone.read(&same).await);
    assert_eq!(together["roles"], alone["roles"]);
    assert_eq!(together["roles"].as_array().unwrap().len(), 29);
}

#[tokio::test]
async fn a_bulk_may_name_what_it_creates_even_in_a_circle() {
    let scim = Scim::fresh().await;
    let manager = |bulk_id: &str| json!({ ENTERPRISE: { "manager": { "value": format!("bulkId:{bulk_id}") } } });
    let group = |name: &str, members: &[&str]| {
        let members: Vec<_> =
            members.iter().map(|member| json!({ "value": format!("bulkId:{member}") })).collect();
        json!({ "schemas": [GROUP], "displayName": name, "members": members })
    };

    let forwards = scim
        .bulk(json!([
            { "method": "POST", "path": "/Groups", "bulkId": "team", "data": group("Team", &["ada"]) },
            { "method": "POST", "path": "/Users", "bulkId": "ada", "data": with(user("ada"), manager("bob")) },
            { "method": "POST", "path": "/Users", "bulkId": "bob", "data": user("bob") },
        ]))
        .await
        .json();
    let circle = scim
        .bulk(json!([
            { "method": "POST", "path": "/Users", "bulkId": "x", "data": with(user("x"), manager("y")) },
            { "method": "POST", "path": "/Users", "bulkId": "y", "data": with(user("y"), manager("x")) },
        ]))
        .await
        .json();
    let unknown = scim
        .bulk(json!([{ "method": "POST", "path": "/Groups", "bulkId": "z", "data": group("Z", &["nobody"]) }]))
        .await
        .json();

    let status = |answer: &Value| -> Vec<String> {
        let operations = answer["Operations"].as_array().unwrap().iter();
        operations.map(|one| one["status"].as_str().unwrap().to_owned()).collect()
    };
    let made = |answer: &Value, bulk_id: &str| {
        let operations = answer["Operations"].as_array().unwrap();
        let found = operations.iter().find(|one| one["bulkId"] == bulk_id).unwrap();
        id(found["location"].as_str().unwrap()).to_owned()
    };
    assert_eq!(status(&forwards), ["201"; 3], "{forwards}");
    let (ada, bob) = (made(&forwards, "ada"), made(&forwards, "bob"));
    let team = scim.members(&format!("/Groups/{}", made(&forwards, "team"))).await;
    assert_eq!(team, [ada.clone()].into());
    assert_eq!(scim.read(&format!("/Users/{ada}")).await[ENTERPRISE]["manager"]["value"], bob);
    assert_eq!(status(&circle), ["201"; 2], "{circle}");
    let (x, y) = (made(&circle, "x"), made(&circle, "y"));
    for (one, other) in [(&x, &y), (&y, &x)] {
        let read = scim.read(&format!("/Users/{one}")).await;
        assert_eq!(&read[ENTERPRISE]["manager"]["value"], other);
    }
    assert!(status(&unknown)[0].starts_with('4'), "{unknown}");
}

#[tokio::test]
async fn a_bulk_has_the_bounds_that_it_declares() {
    let scim = Scim::fresh().await;
    let bulk = scim.read("/ServiceProviderConfig").await["bulk"].clone();
    let most = bulk["maxOperations"].as_u64().unwrap();
    let longest = usize::try_from(bulk["maxPayloadSize"].as_u64().unwrap()).unwrap();
    let gone = json!({ "method": "DELETE", "path": "/Users/nobody" });
    let operations = |number: u64| -> Value { (0..number).map(|_| gone.clone()).collect() };
    let long = with(user("ada"), json!({ "title": "x".repeat(longest) }));

    let many = scim.bulk(operations(most + 1)).await;
    let large = json!([{ "method": "POST", "path": "/Users", "bulkId": "a", "data": long }]);
    let large = scim.bulk(large).await;
    let enough = scim.bulk(operations(most)).await;

    assert_eq!(bulk["supported"], true);
    assert_fault(&many, 413, None, "too many operations");
    assert!(many.body.contains(&most.to_string()), "{}", many.body);
    assert_fault(&large, 413, None, "too long a body");
    assert_eq!(enough.status, 200, "{}", enough.body);
    assert_eq!(enough.json()["Operations"].as_array().unwrap().len() as u64, most);
    assert_eq!(scim.read("/Users").await["totalResults"], 0);
}

#[tokio::test]
async fn what_is_sent_and_answered_is_utf_8_in_either_media_type() {
    let scim = Scim::fresh().await;

    for (number, (sent, accepted)) in [
        ("application/scim+json", "application/scim+json"),
        ("application/scim+json; charset=utf-8", "application/scim+json, application/json;q=0.5"),
        ("application/json", "application/json"),
        ("application/json;charset=UTF-8", "*/*"),
    ]
    .into_iter()
    .enumerate()
    {
        let body = with(user(&format!("u{number}")), json!({ "displayName": "Åsa 山田 🦀" }));
        let ask = scim.request(Method::POST, "/Users").header("content-type", sent);

        let answer = ask.header("accept", accepted).body(body.to_string()).send("").await;

        assert_eq!(answer.status, 201, "{sent}: {}", answer.body);
        assert_eq!(answer.json()["displayName"], "Åsa 山田 🦀", "{sent}");
        let kind = answer.header("content-type").unwrap();
        assert!(kind.starts_with("application/scim+json"), "{kind}");
    }
}

#[tokio::test]
async fn what_is_discovered_is_answered_whole() {
    let scim = Scim::fresh().await;

    for path in ["/Schemas", "/ResourceTypes"] {
        let plain = scim.read(path).await;
        let count = plain["Resources"].as_array().unwrap().len();
        let query = "?sortBy=id&sortOrder=descending&startIndex=2&count=1&attributes=id";

        assert_eq!(plain["schemas"], json!([LIST]), "{path}");
        assert_eq!(plain["totalResults"], count, "{path}");
        assert_eq!(scim.read(&format!("{path}{query}")).await, plain, "{path}");
        let filtered = scim.get(&format!("{path}?filter=id+pr")).await;
        assert_fault(&filtered, 403, None, path);
    }
    let configuration = scim.read("/ServiceProviderConfig").await;
    let urn = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig";
    assert_eq!(configuration["schemas"], json!([urn]));
    for feature in ["patch", "bulk", "filter", "changePassword", "sort", "etag"] {
        assert!(configuration[feature]["supported"].is_boolean(), "{feature}");
    }
    assert!(configuration["filter"]["maxResults"].is_u64());
    let schemes = configuration["authenticationSchemes"].as_array().unwrap();
    assert!(!schemes.is_empty());
    for scheme in schemes {
        for part in ["type", "name", "description"] {
            assert!(scheme[part].is_string(), "{scheme}");
        }
    }
}

#[tokio::test]
async fn user_names_that_differ_in_case_alone_are_one() {
    let scim = Scim::fresh().await;
    scim.user("zoë").await;
    scim.user("straße").await;

    for name in ["ZOË", "Zoë", "STRAßE"] {
        let answer = scim
            .post(
                "/Users",
                &with(user("rival"), json!({ "userName": format!("{name}@acme.example") })),
            )
            .await;

        assert_fault(&answer, 409, Some("uniqueness"), name);
        assert_eq!(
            scim.found(&format!("userName eq \"{name}@ACME.example\"")).await.len(),
            1,
            "{name}"
        );
    }
    let other = json!({ "userName": "zoe@acme.example" });
    let other = scim.post("/Users", &with(user("rival"), other)).await;
    assert_eq!(other.status, 201, "{}", other.body);
    assert_eq!(scim.members(&scim.group("Team", &[]).await).await, ids(&[]));
}
