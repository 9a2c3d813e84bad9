//! How requests and answers look, whatever they are about (RFC 7644 §2, §3.8, §3.11 to §3.14, §4).

use http::Method;
use serde_json::json;

use crate::{
    client::{BULK, LIST, PATCH_OP, SEARCH, Scim, assert_fault, names, user, with},
    support::{Ask, Credential},
};

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
