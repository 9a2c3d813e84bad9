//! What a bulk request does (RFC 7644 §3.7).

use serde_json::{Value, json};

use crate::client::{BULK, ENTERPRISE, ERROR, GROUP, PATCH_OP, Scim, assert_fault, id, user, with};

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
