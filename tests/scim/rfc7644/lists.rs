//! How what a query finds is answered (RFC 7644 §3.4.2.3 to §3.4.3, RFC 9865).

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::client::{ENTERPRISE, PATCH_OP, SEARCH, Scim, assert_fault, names, user, with};

use super::filters::three;

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
async fn an_answer_that_would_name_too_many_members_is_refused() {
    let scim = Scim::fresh().await;
    let people = (0..251).map(|number| {
        let data = user(&format!("p{number}"));
        json!({ "method": "POST", "path": "/Users", "bulkId": number.to_string(), "data": data })
    });
    let made = scim.bulk(people.collect()).await.json();
    let made = made["Operations"].as_array().unwrap().iter();
    let everybody: Vec<_> = made.map(|one| one["location"].as_str().unwrap()).collect();
    for number in 0..200 {
        scim.group(&format!("G{number}"), &everybody).await;
    }

    let all = scim.get("/Groups?count=200").await;
    let fewer = scim.get("/Groups?count=199&attributes=members.value").await;
    let without = scim.get("/Groups?count=200&excludedAttributes=members").await;

    assert_fault(&all, 400, Some("tooMany"), "200 groups of 251");
    assert_eq!((fewer.status, without.status), (200, 200));
    assert_eq!(fewer.json()["Resources"][198]["members"].as_array().unwrap().len(), 251);
}
