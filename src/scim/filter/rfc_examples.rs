//! The filters that RFC 7644 §3.4.2.2 gives as examples, and those of real clients.

use serde_json::{Map, Value, json};

use crate::scim::{
    dialect::{ENTRA, STRICT},
    filter::Filter,
    schema::{self, ResourceType},
};

/// `b` has what the examples ask for, `j` some of it, `n` next to nothing; `g` is a group.
fn everybody() -> [(char, Map<String, Value>); 4] {
    let barbara = json!({
        "schemas": [schema::USER, schema::ENTERPRISE_USER], "id": "b1", "externalId": "701984",
        "userName": "bjensen", "name": { "familyName": "O'Malley" }, "title": "Tour Guide",
        "userType": "Employee", "active": true,
        "emails": [
            { "value": "bjensen@example.com", "type": "work", "primary": true },
            { "value": "babs@jensen.example.org", "type": "home" },
        ],
        "groups": [{ "value": "g1", "display": "Tour Guides" }],
        "meta": { "resourceType": "User", "created": "2011-05-13T04:42:34Z",
            "lastModified": "2011-05-13T04:42:34.000Z" },
        schema::ENTERPRISE_USER: { "department": "Sales" },
    });
    let john = json!({
        "schemas": [schema::USER], "id": "j1", "userName": "JSmith", "userType": "Intern",
        "name": { "familyName": "Smith" }, "active": false,
        "emails": [{ "value": "jsmith@example.com", "type": "home" }],
        "ims": [{ "value": "john@foo.com", "type": "XMPP" }],
        "meta": { "resourceType": "User", "lastModified": "2011-05-13T06:42:35+02:00" },
    });
    let nobody =
        json!({ "schemas": [schema::USER], "id": "n1", "userName": "nobody", "title": "" });
    let guides = json!({
        "schemas": [schema::GROUP], "id": "g1", "displayName": "Tour Guides", "externalId": "8aa1",
        "members": [{ "value": "b1", "type": "User" }, { "value": "g2", "type": "Group" }],
        "meta": { "resourceType": "Group" },
    });
    [('b', barbara), ('j', john), ('n', nobody), ('g', guides)]
        .map(|(name, resource)| (name, resource.as_object().unwrap().clone()))
}

/// The first letters of whom the filter finds.
fn found(filter: &Filter) -> String {
    let found = everybody().into_iter().filter(|(_, resource)| filter.matches(resource));
    found.map(|(name, _)| name).collect()
}

#[test]
fn the_examples_of_the_rfc_find_whom_they_describe() {
    let examples = [
        (r#"userName Eq "bjensen""#, "b"),
        (r#"userName Eq "john""#, ""),
        (r#"name.familyName co "O'Malley""#, "b"),
        (r#"userName sw "J""#, "j"),
        (r#"urn:ietf:params:scim:schemas:core:2.0:User:userName sw "J""#, "j"),
        ("title pr", "b"),
        (r#"meta.lastModified gt "2011-05-13T04:42:34Z""#, "j"),
        (r#"meta.lastModified ge "2011-05-13T04:42:34Z""#, "bj"),
        (r#"meta.lastModified lt "2011-05-13T04:42:34Z""#, ""),
        (r#"meta.lastModified le "2011-05-13T04:42:34Z""#, "b"),
        (r#"title pr and userType eq "Employee""#, "b"),
        (r#"title pr or userType eq "Intern""#, "bj"),
        (r#"schemas eq "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User""#, "b"),
        (
            r#"userType eq "Employee" and (emails co "example.com" or emails.value co "example.org")"#,
            "b",
        ),
        (
            r#"userType ne "Employee" and not (emails co "example.com" or emails.value co "example.org")"#,
            "ng",
        ),
        (r#"userType eq "Employee" and (emails.type eq "work")"#, "b"),
        (r#"userType eq "Employee" and emails[type eq "work" and value co "@example.com"]"#, "b"),
        (
            r#"emails[type eq "work" and value co "@example.com"] or ims[type eq "xmpp" and value co "@foo.com"]"#,
            "bj",
        ),
    ];
    for (text, expected) in examples {
        for profile in [&ENTRA, &STRICT] {
            let filter = Filter::parse(text, None, profile).unwrap();

            assert_eq!(found(&filter), expected, "{text}");
        }
    }
}

#[test]
fn what_binds_closer_is_grouped_first() {
    let filters = [
        (r#"id eq "b1" or id eq "j1" and id eq "n1""#, "b"),
        (r#"(id eq "b1" or id eq "j1") and id eq "n1""#, ""),
        (r#"id eq "j1" and id eq "n1" or id eq "b1""#, "b"),
        (r#"not (id eq "b1") and id ne "g1""#, "jn"),
        (r#"not(id eq "b1" and title pr)and(meta pr)"#, "jg"),
        (r#"not (not (id eq "b1"))"#, "b"),
        (r#"NOT (id EQ "b1") AND NOT (id Eq "j1") Or ID eq "b1""#, "bng"),
        (r#"((((id eq "b1"))))"#, "b"),
        (" \t id \n eq\r \"b1\" ", "b"),
    ];
    for (text, expected) in filters {
        let filter = Filter::parse(text, None, &STRICT).unwrap();

        assert_eq!(found(&filter), expected, "{text}");
    }
}

#[test]
fn what_real_clients_send_finds_whom_they_mean() {
    let filters = [
        (r#"id eq "g1" and members eq "b1""#, "g"),
        (r#"members[value eq "b1"]"#, "g"),
        (r#"members.value eq "b1" and displayName eq "tour guides""#, "g"),
        (r#"members eq "B1""#, ""),
        (r#"urn:ietf:params:scim:schemas:core:2.0:Group:displayName sw "Tour""#, "g"),
        (r#"groups eq "g1""#, "b"),
        (r#"groups.display co "tour""#, "b"),
        (r#"meta.resourceType eq "User""#, "bj"),
        (r#"meta.resourceType eq User or meta.resourceType eq "Group""#, "bjg"),
        ("externalId eq 701984", "b"),
        (r#"externalId eq "8AA1""#, ""),
        (r#"active eq "False""#, "j"),
        (r#"emails[primary eq "True"].value sw bjensen"#, "b"),
        (r#"emails[primary eq true and type eq "work"]"#, "b"),
        ("emails.primary ne true", "jng"),
        (
            r#"URN:IETF:PARAMS:SCIM:SCHEMAS:EXTENSION:ENTERPRISE:2.0:USER:DEPARTMENT eq "sales""#,
            "b",
        ),
        (r#"urn:contoso:2.0:User:anything eq "sales""#, ""),
        (r#"urn:contoso:2.0:User:anything ne "sales""#, "bjng"),
        ("meta.created eq 2011-05-13T05:42:34+01:00", "b"),
        (r#"meta.lastModified sw "2011-05-13T04:42:3""#, "bj"),
    ];
    for (text, expected) in filters {
        let filter = Filter::parse(text, None, &ENTRA).unwrap();

        assert_eq!(found(&filter), expected, "{text}");
    }
}

#[test]
fn an_attribute_that_a_resource_cannot_have_is_named_strictly_and_has_no_value_leniently() {
    let filters = [
        ("favourite eq \"x\"", None),
        ("name.nothing eq \"x\"", None),
        ("emails[nothing eq \"x\"]", None),
        ("emails[type eq \"work\"].nothing eq \"x\"", None),
        ("userName.value eq \"x\"", None),
        ("title eq \"x\"", Some(ResourceType::Group)),
        ("emails[type eq \"x\"]", Some(ResourceType::Group)),
    ];
    for (text, kind) in filters {
        let strict = Filter::parse(text, kind, &STRICT).map_err(|error| error.to_string());
        let lenient = Filter::parse(text, kind, &ENTRA).unwrap();

        let name = text.split(['.', '[', ' ']).next().unwrap();
        assert!(strict.is_err_and(|s| s.contains(name) || s.contains("nothing")), "{text}");
        assert_eq!(found(&lenient), "", "{text}");
    }
}
