//! The answer to a query (RFC 7644 §3.4.2, RFC 9865 §2).

use serde::Serialize;
use serde_json::{Map, Value};

use crate::scim::cursor::Cursor;

/// The schema of the message that answers a query.
pub const LIST_RESPONSE_SCHEMA: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";

/// How many resources a page has where the client does not say.
pub const DEFAULT_COUNT: usize = 100;

/// How many resources a page has at most.
pub const MAX_COUNT: usize = 200;

/// A page of resources.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ListResponse {
    schemas: [&'static str; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    total_results: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_index: Option<u64>,
    items_per_page: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<Cursor>,
    #[serde(skip_serializing_if = "Option::is_none")]
    previous_cursor: Option<Cursor>,
    #[serde(rename = "Resources")]
    resources: Vec<Value>,
}

impl ListResponse {
    /// The page that begins at `start_index` (1 is the first) of `total_results` resources.
    pub fn new(total_results: u64, start_index: u64, resources: Vec<Map<String, Value>>) -> Self {
        Self {
            total_results: Some(total_results),
            start_index: Some(start_index),
            ..Self::of(resources)
        }
    }

    /// A page found by a cursor: the last one without `next`, the first one without `previous`.
    /// How many resources there are in all need not be known.
    pub fn by_cursor(
        total_results: Option<u64>,
        next: Option<Cursor>,
        previous: Option<Cursor>,
        resources: Vec<Map<String, Value>>,
    ) -> Self {
        let page = Self::of(resources);
        Self { total_results, next_cursor: next, previous_cursor: previous, ..page }
    }

    fn of(resources: Vec<Map<String, Value>>) -> Self {
        Self {
            schemas: [LIST_RESPONSE_SCHEMA],
            total_results: None,
            start_index: None,
            items_per_page: resources.len(),
            next_cursor: None,
            previous_cursor: None,
            resources: resources.into_iter().map(Value::Object).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_empty_list_is_what_entras_test_connection_wants_to_see() {
        let list = serde_json::to_value(ListResponse::new(0, 1, Vec::new())).unwrap();

        let expected = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
            "totalResults": 0, "Resources": [], "startIndex": 1, "itemsPerPage": 0,
        });
        assert_eq!(list, expected);
    }

    #[test]
    fn a_page_found_by_a_cursor_has_cursors_in_place_of_an_index() {
        let resources = vec![Map::from_iter([("id".to_owned(), json!("1"))])];

        let page = ListResponse::by_cursor(None, Some(Cursor::new("n")), None, resources);

        let expected = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
            "itemsPerPage": 1, "nextCursor": "n", "Resources": [{ "id": "1" }],
        });
        assert_eq!(serde_json::to_value(page).unwrap(), expected);
    }
}
