//! The answer to many operations (RFC 7644 §3.7.3).

use serde::Serialize;

use crate::scim::{bulk::Entry, error::ErrorMessage};

/// The schema of the message that answers many operations.
pub const BULK_RESPONSE_SCHEMA: &str = "urn:ietf:params:scim:api:messages:2.0:BulkResponse";

/// What became of the operations of a request, as far as they were looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BulkResponse {
    schemas: [&'static str; 1],
    #[serde(rename = "Operations")]
    operations: Vec<OperationResult>,
}

impl BulkResponse {
    /// The answer with these results.
    pub const fn new(operations: Vec<OperationResult>) -> Self {
        Self { schemas: [BULK_RESPONSE_SCHEMA], operations }
    }
}

/// What became of one operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OperationResult {
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    method: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    bulk_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    /// The HTTP status code, as text: so the RFC wants it.
    status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    response: Option<ErrorMessage>,
}

impl OperationResult {
    /// An operation that was carried out, with the URL of its resource and, unless that is
    /// deleted, its entity tag.
    pub fn done(entry: &Entry, status: u16, location: String, version: Option<String>) -> Self {
        Self { location: Some(location), version, ..Self::of(entry, status) }
    }

    /// An operation that was not carried out. There is a URL unless it was to create something.
    pub fn failed(
        entry: &Entry,
        status: u16,
        location: Option<String>,
        scim_type: Option<&'static str>,
        detail: impl Into<String>,
    ) -> Self {
        let response = Some(ErrorMessage::new(status, scim_type, detail));
        Self { location, response, ..Self::of(entry, status) }
    }

    /// Whether the operation was not carried out, which counts for `failOnErrors`.
    pub const fn is_error(&self) -> bool {
        self.response.is_some()
    }

    fn of(entry: &Entry, status: u16) -> Self {
        Self {
            location: None,
            method: entry.method.clone(),
            bulk_id: entry.bulk_id.clone(),
            version: None,
            status: status.to_string(),
            response: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::scim::bulk::tests::request;

    #[test]
    fn an_answer_has_the_status_of_every_operation_as_text() {
        let request = request(&json!([
            { "method": "POST", "path": "/Users", "bulkId": "qwerty", "data": {} },
            { "method": "DELETE", "path": "/Users/1" },
            "x",
        ]));
        let [create, delete, wrong] = &request.operations[..] else { panic!("{request:?}") };
        let url = "https://portal.example/scim/v2/1/Users/1".to_owned();

        let response = BulkResponse::new(vec![
            OperationResult::done(create, 201, url.clone(), Some("W/\"1\"".into())),
            OperationResult::failed(delete, 404, Some(url.clone()), None, "no such user"),
            OperationResult::failed(wrong, 400, None, Some("invalidSyntax"), "no object"),
        ]);

        let errors: Vec<_> = response.operations.iter().map(OperationResult::is_error).collect();
        assert_eq!(errors, [false, true, true]);
        let error = "urn:ietf:params:scim:api:messages:2.0:Error";
        let expected = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkResponse"],
            "Operations": [
                { "location": url, "method": "POST", "bulkId": "qwerty", "version": "W/\"1\"",
                  "status": "201" },
                { "location": url, "method": "DELETE", "status": "404",
                  "response": { "schemas": [error], "status": "404", "detail": "no such user" } },
                { "status": "400", "response": { "schemas": [error], "status": "400",
                  "scimType": "invalidSyntax", "detail": "no object" } },
            ],
        });
        assert_eq!(serde_json::to_value(response).unwrap(), expected);
    }
}
