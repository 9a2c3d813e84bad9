//! Which resources a query finds (RFC 7644 §3.4.2.1, §3.4.2.2).

use serde_json::json;

use crate::client::{ENTERPRISE, LIST, Scim, assert_fault, names};

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
pub(super) async fn three() -> Scim {
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
        ("urn:acme:2.0:User:level gt 7".into(), "bob"),
        ("urn:acme:2.0:User:level ge 7".into(), "ada bob"),
        ("urn:acme:2.0:User:level lt 10".into(), "ada"),
        ("urn:acme:2.0:User:level le 10".into(), "ada bob"),
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
        ("not (title pr) or nickName pr".into(), "ada eve"),
        (r#"not (title pr or userName sw "x")"#.into(), "eve"),
        ("not(active eq true)".into(), "bob"),
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
        ("urn:unknown:2.0:User:x pr".into(), ""),
        ("not (urn:unknown:2.0:User:x pr)".into(), "ada bob eve"),
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
