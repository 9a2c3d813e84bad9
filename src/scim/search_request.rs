//! A query in the body of a request (RFC 7644 §3.4.3).

use serde_json::{Map, Value};

use crate::scim::{
    dialect::Profile,
    error::ScimError,
    query::{ListQuery, Parameters},
    schema::ResourceType,
};

/// The schema of the message that asks a query.
pub const SEARCH_REQUEST_SCHEMA: &str = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";

/// Reads the body of a `POST …/.search`, which means what the same parameters mean in a URL.
///
/// # Errors
///
/// As [`ListQuery::parse`]; [`ScimError::InvalidSyntax`] where the profile asks for `schemas` and
/// the message's schema is not there.
pub fn parse(
    body: &Map<String, Value>,
    kind: Option<ResourceType>,
    profile: &Profile,
) -> Result<ListQuery, ScimError> {
    profile.check_schemas(body, SEARCH_REQUEST_SCHEMA)?;
    Parameters::from_members(body, profile)?.query(kind, profile)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::scim::dialect::{ENTRA, STRICT};

    fn read(body: &Value, profile: &Profile) -> Result<ListQuery, ScimError> {
        parse(body.as_object().unwrap(), Some(ResourceType::User), profile)
    }

    #[test]
    fn a_body_asks_the_same_as_a_url() {
        let body = json!({
            "schemas": [SEARCH_REQUEST_SCHEMA],
            "attributes": ["displayName", "userName"],
            "filter": "displayName sw \"smith\"",
            "sortBy": "userName", "sortOrder": "descending",
            "startIndex": 1, "count": 10,
        });
        let url = "attributes=displayName,userName&filter=displayName+sw+%22smith%22\
            &sortBy=userName&sortOrder=descending&startIndex=1&count=10";

        let query = read(&body, &STRICT).unwrap();

        assert_eq!(query, ListQuery::parse(url, Some(ResourceType::User), &STRICT).unwrap());
    }

    #[test]
    fn a_body_may_go_by_cursors() {
        let bodies = [
            (json!({ "cursor": "" }), "cursor="),
            (json!({ "cursor": "abc", "COUNT": 7 }), "cursor=abc&count=7"),
            (json!({ "cursor": null, "startIndex": null, "unknown": [] }), ""),
        ];
        for (body, url) in bodies {
            let query = read(&body, &ENTRA).unwrap();

            let expected = ListQuery::parse(url, Some(ResourceType::User), &ENTRA);
            assert_eq!(Ok(query), expected, "{body}");
        }
    }

    #[test]
    fn a_strict_body_has_its_schema_and_its_types() {
        let lenient = [
            json!({ "count": 1 }),
            json!({ "schemas": [SEARCH_REQUEST_SCHEMA], "count": "1" }),
            json!({ "schemas": [SEARCH_REQUEST_SCHEMA], "attributes": "id,userName" }),
        ];
        for body in lenient {
            assert!(read(&body, &ENTRA).is_ok(), "{body}");
            assert!(read(&body, &STRICT).is_err(), "{body}");
        }
    }

    #[test]
    fn a_body_of_other_types_is_refused() {
        let bodies = [
            json!({ "count": true }),
            json!({ "count": 1.5 }),
            json!({ "count": [1] }),
            json!({ "filter": 1 }),
            json!({ "filter": { "a": 1 } }),
            json!({ "filter": "" }),
            json!({ "sortBy": ["a"] }),
            json!({ "cursor": 7 }),
            json!({ "cursor": "a", "count": -1 }),
            json!({ "attributes": [1] }),
            json!({ "attributes": { "a": 1 } }),
            json!({ "count": 1, "Count": 1 }),
        ];
        for body in bodies {
            assert!(read(&body, &ENTRA).is_err(), "{body}");
        }
    }
}
