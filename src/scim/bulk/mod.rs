//! Many operations in one request (RFC 7644 §3.7).
//!
//! # Why
//!
//! Here is what a request says, in which order its operations can be carried out, and what the
//! answer looks like; carrying them out is not. Whoever does goes through [`plan::steps`], hands
//! each operation its data by [`Operation::resolved`], and keeps the identifiers of what was
//! created in an [`Ids`](references::Ids).

pub mod plan;
pub mod references;
pub mod response;

use std::collections::HashSet;

use serde_json::{Map, Value};

use crate::scim::{
    attribute_path::member,
    dialect::Profile,
    error::{ScimError, quoted},
    schema::ResourceType,
};

/// The schema of the message that asks for many operations.
pub const BULK_REQUEST_SCHEMA: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";

/// How many operations a request has at most.
pub const MAX_OPERATIONS: usize = 1000;

/// The longest `bulkId`, in bytes.
pub const MAX_BULK_ID: usize = 255;

/// Why none of a request's operations is carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BulkError {
    /// It breaks a rule of the protocol.
    #[error(transparent)]
    Scim(#[from] ScimError),
    /// It has too many operations: 413 (RFC 7644 §3.7.4).
    #[error("a bulk request has at most {max} operations (maxOperations), this one has {given}")]
    TooManyOperations {
        /// How many it has.
        given: usize,
        /// How many it may have.
        max: usize,
    },
}

/// Many operations.
#[derive(Clone, Debug, PartialEq)]
pub struct BulkRequest {
    /// The operations, in the order of the request.
    pub operations: Vec<Entry>,
    /// After how many errors the rest is left undone; `None` is never.
    pub fail_on_errors: Option<u64>,
}

/// An operation, or what is wrong with it.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The method as sent, for the answer.
    pub method: String,
    /// What other operations call its resource by.
    pub bulk_id: Option<String>,
    /// What to do. An error is answered as this operation's result; the others go on.
    pub operation: Result<Operation, ScimError>,
}

/// What to do with one resource.
#[derive(Clone, Debug, PartialEq)]
pub struct Operation {
    /// What.
    pub method: Method,
    /// With which kind of resource.
    pub resource_type: ResourceType,
    /// With which resource: its `id`, or `bulkId:` and the name of an operation that creates it.
    /// `None` where it is to be created.
    pub id: Option<String>,
    /// The version that the client expects, as in an `If-Match` header.
    pub version: Option<String>,
    /// The body of the request that this operation stands for.
    pub data: Map<String, Value>,
}

/// What to do with a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Create it.
    Post,
    /// Replace it.
    Put,
    /// Change it.
    Patch,
    /// Delete it.
    Delete,
}

impl Method {
    fn named(name: &str) -> Option<Self> {
        Some(match name.to_ascii_uppercase().as_str() {
            "POST" => Self::Post,
            "PUT" => Self::Put,
            "PATCH" => Self::Patch,
            "DELETE" => Self::Delete,
            _ => return None,
        })
    }
}

impl BulkRequest {
    /// Reads the body of a `POST /Bulk`; what is wrong with a single operation is kept beside it.
    ///
    /// # Errors
    ///
    /// [`BulkError::TooManyOperations`]; [`ScimError::InvalidSyntax`] where there are no
    /// `Operations`, or, if the profile asks for it, no `schemas` with that of the message;
    /// [`ScimError::InvalidValue`] for a `bulkId` that two operations have, and for a
    /// `failOnErrors` that is no number above 0.
    pub fn parse(
        body: Map<String, Value>,
        max_operations: usize,
        profile: &Profile,
    ) -> Result<Self, BulkError> {
        profile.check_schemas(&body, BULK_REQUEST_SCHEMA)?;
        let fail_on_errors = fail_on_errors(member(&body, "failOnErrors"))?;
        let operations = operations(body)?;
        if operations.len() > max_operations {
            let given = operations.len();
            return Err(BulkError::TooManyOperations { given, max: max_operations });
        }
        let operations: Vec<_> = operations.into_iter().map(Entry::parse).collect();
        check_unique(&operations)?;
        Ok(Self { operations, fail_on_errors })
    }

    /// Whether after so many errors the rest is left undone.
    pub fn stops_after(&self, errors: u64) -> bool {
        self.fail_on_errors.is_some_and(|most| errors >= most)
    }
}

fn operations(mut body: Map<String, Value>) -> Result<Vec<Value>, ScimError> {
    let name = body.keys().find(|name| name.eq_ignore_ascii_case("Operations")).cloned();
    match name.and_then(|name| body.remove(&name)) {
        Some(Value::Array(operations)) if !operations.is_empty() => Ok(operations),
        _ => Err(ScimError::InvalidSyntax("Operations must be a list of operations".into())),
    }
}

fn fail_on_errors(value: Option<&Value>) -> Result<Option<u64>, ScimError> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(value) => value.as_u64().filter(|&most| most > 0).map(Some).ok_or_else(|| {
            ScimError::InvalidValue("failOnErrors must be a whole number above 0".into())
        }),
    }
}

fn check_unique(operations: &[Entry]) -> Result<(), ScimError> {
    let mut seen = HashSet::new();
    let mut bulk_ids = operations.iter().filter_map(|entry| entry.bulk_id.as_deref());
    match bulk_ids.find(|bulk_id| !seen.insert(*bulk_id)) {
        None => Ok(()),
        Some(twice) => {
            Err(ScimError::InvalidValue(format!("bulkId {} is given twice", quoted(twice))))
        }
    }
}

impl Entry {
    fn parse(value: Value) -> Self {
        let Value::Object(mut members) = value else {
            let detail = "an operation must be a JSON object";
            let operation = Err(ScimError::InvalidSyntax(detail.into()));
            return Self { method: String::new(), bulk_id: None, operation };
        };
        let data = members.keys().find(|name| name.eq_ignore_ascii_case("data")).cloned();
        let data = data.and_then(|name| members.remove(&name));
        let text = |name| member(&members, name).and_then(Value::as_str).map(str::to_owned);
        let bulk_id = text("bulkId").filter(|bulk_id| is_bulk_id(bulk_id));
        Self {
            method: text("method")
                .map(|method| method.chars().take(10).collect())
                .unwrap_or_default(),
            operation: Operation::parse(&members, bulk_id.as_deref(), data),
            bulk_id,
        }
    }
}

impl Operation {
    fn parse(
        members: &Map<String, Value>,
        bulk_id: Option<&str>,
        data: Option<Value>,
    ) -> Result<Self, ScimError> {
        let text = |name| member(members, name).and_then(Value::as_str);
        let method = text("method").and_then(Method::named).ok_or_else(|| {
            ScimError::InvalidSyntax("method must be POST, PUT, PATCH or DELETE".into())
        })?;
        let given = member(members, "bulkId").is_some_and(|bulk_id| !bulk_id.is_null());
        if bulk_id.is_none() && (given || method == Method::Post) {
            let detail = format!(
                "bulkId must be text of 1 to {MAX_BULK_ID} bytes without spaces, quotation marks, \
                 brackets or slashes; a POST needs one"
            );
            return Err(ScimError::InvalidValue(detail));
        }
        let (resource_type, id) = target(method, text("path").unwrap_or_default())?;
        let data = match data {
            Some(Value::Object(data)) => data,
            _ if method == Method::Delete => Map::new(),
            _ => return Err(ScimError::InvalidSyntax("data must be a JSON object".into())),
        };
        let version = text("version").map(str::to_owned);
        Ok(Self { method, resource_type, id, version, data })
    }
}

/// What a path names: `/Users` for a POST, else `/Users/{id}`.
fn target(method: Method, path: &str) -> Result<(ResourceType, Option<String>), ScimError> {
    let (endpoint, id) = match path.trim_matches('/').split_once('/') {
        Some((endpoint, id)) => (endpoint, Some(id)),
        None => (path.trim_matches('/'), None),
    };
    let mut types = ResourceType::ALL.into_iter();
    let resource_type = types.find(|known| known.endpoint()[1..].eq_ignore_ascii_case(endpoint));
    let known_id = id.is_none_or(|id| !id.contains(['/', '?', '#', '%']) && id.len() <= 1024);
    match resource_type {
        Some(resource_type) if known_id && id.is_none() == (method == Method::Post) => {
            Ok((resource_type, id.map(str::to_owned)))
        }
        _ => Err(ScimError::InvalidPath(format!(
            "path {} must be /Users or /Groups, and but for a POST the id behind that",
            quoted(path)
        ))),
    }
}

/// Whether the text can stand in a path behind `bulkId:` and still be told from what follows it.
fn is_bulk_id(text: &str) -> bool {
    !text.is_empty() && text.len() <= MAX_BULK_ID && !text.contains(delimits)
}

fn delimits(c: char) -> bool {
    c.is_whitespace() || c.is_control() || "\"'()[]/?#%".contains(c)
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::json;

    use super::*;
    use crate::scim::dialect::{ENTRA, STRICT};

    /// A request of these operations.
    pub(in crate::scim::bulk) fn request(operations: &Value) -> BulkRequest {
        let body = json!({ "schemas": [BULK_REQUEST_SCHEMA], "Operations": operations });
        parse(body, &STRICT).unwrap()
    }

    fn parse(body: Value, profile: &Profile) -> Result<BulkRequest, BulkError> {
        let Value::Object(body) = body else { panic!("{body}") };
        BulkRequest::parse(body, 3, profile)
    }

    #[test]
    fn the_example_of_the_rfc_is_read() {
        let request = request(&json!([
            { "method": "POST", "path": "/Users", "bulkId": "qwerty", "data": { "userName": "Alice" } },
            { "method": "patch", "path": "/Groups/5d8d", "version": "W/\"edac3253e2c0ef2\"",
              "bulkId": "x", "data": { "Operations": [] } },
            { "method": "DELETE", "path": "Users/e9025315", "version": "W/\"0ee8add0a938e1a\"" },
        ]));

        let [create, change, delete] = &request.operations[..] else { panic!("{request:?}") };
        assert_eq!((&*create.method, create.bulk_id.as_deref()), ("POST", Some("qwerty")));
        let create = create.operation.clone().unwrap();
        assert_eq!((create.method, create.resource_type), (Method::Post, ResourceType::User));
        assert_eq!((create.id, &create.data["userName"]), (None, &json!("Alice")));
        let change = change.operation.clone().unwrap();
        assert_eq!((change.method, change.resource_type), (Method::Patch, ResourceType::Group));
        assert_eq!(change.id.as_deref(), Some("5d8d"));
        assert_eq!(change.version.as_deref(), Some("W/\"edac3253e2c0ef2\""));
        let delete = delete.operation.clone().unwrap();
        assert_eq!((delete.method, delete.data), (Method::Delete, Map::new()));
    }

    #[test]
    fn what_is_wrong_with_one_operation_leaves_the_others() {
        let long = "x".repeat(MAX_BULK_ID + 1);
        let wrongs = [
            json!(7),
            json!({}),
            json!({ "method": "GET", "path": "/Users/1" }),
            json!({ "method": 7, "path": "/Users/1" }),
            json!({ "method": "POST", "path": "/Users", "data": {} }),
            json!({ "method": "POST", "path": "/Users", "bulkId": "", "data": {} }),
            json!({ "method": "POST", "path": "/Users", "bulkId": 7, "data": {} }),
            json!({ "method": "POST", "path": "/Users", "bulkId": "a b", "data": {} }),
            json!({ "method": "POST", "path": "/Users", "bulkId": long, "data": {} }),
            json!({ "method": "POST", "path": "/Users/1", "bulkId": "a", "data": {} }),
            json!({ "method": "POST", "path": "/Users", "bulkId": "a" }),
            json!({ "method": "POST", "path": "/Users", "bulkId": "a", "data": "{}" }),
            json!({ "method": "PUT", "path": "/Users", "data": {} }),
            json!({ "method": "PATCH", "path": "/Users/1" }),
            json!({ "method": "PATCH", "path": "/Users/1", "bulkId": ["a"], "data": {} }),
            json!({ "method": "DELETE", "path": "/Users/" }),
            json!({ "method": "DELETE", "path": "/Bulk/1" }),
            json!({ "method": "DELETE", "path": "/Users/1/2" }),
            json!({ "method": "DELETE", "path": "/Users/../Groups/1" }),
            json!({ "method": "DELETE", "path": "/Users/1?x" }),
            json!({ "method": "DELETE", "path": "https://elsewhere.example/Users/1" }),
            json!({ "method": "DELETE", "path": "" }),
        ];
        for wrong in wrongs {
            let request = request(&json!([wrong, { "method": "DELETE", "path": "/Users/1" }]));

            assert!(request.operations[0].operation.is_err(), "{wrong}");
            assert!(request.operations[1].operation.is_ok(), "{wrong}");
        }
    }

    #[test]
    fn a_request_that_is_none_is_refused_whole() {
        let delete = json!({ "method": "DELETE", "path": "/Users/1", "bulkId": "a" });
        let bodies = [
            json!({}),
            json!({ "Operations": null }),
            json!({ "Operations": {} }),
            json!({ "Operations": [] }),
            json!({ "Operations": [delete, delete] }),
            json!({ "Operations": [{}], "failOnErrors": 0 }),
            json!({ "Operations": [{}], "failOnErrors": -1 }),
            json!({ "Operations": [{}], "failOnErrors": "1" }),
        ];
        for body in bodies {
            let refused = parse(body.clone(), &ENTRA);

            assert!(matches!(refused, Err(BulkError::Scim(_))), "{body}");
        }
    }

    #[test]
    fn more_operations_than_are_allowed_are_refused_with_both_numbers() {
        let refused = parse(json!({ "Operations": [1, 2, 3, 4] }), &ENTRA).unwrap_err();

        assert_eq!(refused, BulkError::TooManyOperations { given: 4, max: 3 });
        assert!(refused.to_string().contains('3') && refused.to_string().contains('4'));
    }

    #[test]
    fn only_a_strict_profile_asks_for_the_schema() {
        let body = json!({ "operations": [{}], "failOnErrors": 2 });

        let lenient = parse(body.clone(), &ENTRA).unwrap();

        assert!([1, 2, 3].map(|errors| lenient.stops_after(errors)) == [false, true, true]);
        assert!(matches!(parse(body, &STRICT), Err(BulkError::Scim(ScimError::InvalidSyntax(_)))));
    }
}
