//! Why a request cannot be carried out (RFC 7644 §3.12).

use serde::Serialize;

/// The schema of the message that carries an error.
const ERROR_SCHEMA: &str = "urn:ietf:params:scim:api:messages:2.0:Error";

/// Why a request cannot be carried out: a variant per `scimType`, each with its `detail`.
///
/// Directories show the detail to their administrators word for word, so it names the attribute
/// and the remedy, and never a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScimError {
    /// The filter is malformed, or compares what cannot be compared.
    #[error("{0}")]
    InvalidFilter(String),
    /// The filter yields more than the service is willing to work through.
    #[error("{0}")]
    TooMany(String),
    /// A value that must be unique is in use.
    #[error("{0}")]
    Uniqueness(String),
    /// The attribute cannot be changed, or not so.
    #[error("{0}")]
    Mutability(String),
    /// The body is not the JSON that the message asks for.
    #[error("{0}")]
    InvalidSyntax(String),
    /// The `path` of a PATCH operation names nothing that can be.
    #[error("{0}")]
    InvalidPath(String),
    /// The `path` of a PATCH operation selects no value.
    #[error("{0}")]
    NoTarget(String),
    /// A required value is missing, or a value has the wrong type or size.
    #[error("{0}")]
    InvalidValue(String),
    /// The protocol version is not spoken here.
    #[error("{0}")]
    InvalidVers(String),
    /// The request would put personal data where it is logged.
    #[error("{0}")]
    Sensitive(String),
    /// The cursor was not made here, or for another query (RFC 9865 §2.1).
    #[error("{0}")]
    InvalidCursor(String),
    /// The cursor is too old (RFC 9865 §2.1).
    #[error("{0}")]
    ExpiredCursor(String),
    /// A page found by a cursor cannot have that many resources (RFC 9865 §2.1).
    #[error("{0}")]
    InvalidCount(String),
}

impl ScimError {
    /// The `scimType` (RFC 7644 §3.12, table 9; RFC 9865 §2.1).
    pub const fn scim_type(&self) -> Option<&'static str> {
        Some(match self {
            Self::InvalidFilter(_) => "invalidFilter",
            Self::TooMany(_) => "tooMany",
            Self::Uniqueness(_) => "uniqueness",
            Self::Mutability(_) => "mutability",
            Self::InvalidSyntax(_) => "invalidSyntax",
            Self::InvalidPath(_) => "invalidPath",
            Self::NoTarget(_) => "noTarget",
            Self::InvalidValue(_) => "invalidValue",
            Self::InvalidVers(_) => "invalidVers",
            Self::Sensitive(_) => "sensitive",
            Self::InvalidCursor(_) => "invalidCursor",
            Self::ExpiredCursor(_) => "expiredCursor",
            Self::InvalidCount(_) => "invalidCount",
        })
    }

    /// The HTTP status code that goes with it.
    pub const fn status(&self) -> u16 {
        match self {
            Self::Uniqueness(_) => 409,
            Self::Sensitive(_) => 403,
            _ => 400,
        }
    }
}

/// The body of every answer that is an error, those of other floors (404, 401, 503) included.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ErrorMessage {
    schemas: [&'static str; 1],
    /// The HTTP status code, as text: so the RFC wants it.
    status: String,
    #[serde(rename = "scimType", skip_serializing_if = "Option::is_none")]
    scim_type: Option<&'static str>,
    detail: String,
}

impl ErrorMessage {
    /// The message for an HTTP status code.
    pub fn new(status: u16, scim_type: Option<&'static str>, detail: impl Into<String>) -> Self {
        Self {
            schemas: [ERROR_SCHEMA],
            status: status.to_string(),
            scim_type,
            detail: detail.into(),
        }
    }
}

/// A name that a client sent, short enough to be repeated to it.
pub(super) fn quoted(name: &str) -> String {
    const LONGEST: usize = 120;
    let short: String = name.chars().filter(|c| !c.is_control()).take(LONGEST).collect();
    format!("\"{short}\"")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_status_of_an_error_message_is_text_beside_its_scim_type() {
        let taken = ScimError::Uniqueness("userName is in use".into());

        let message = ErrorMessage::new(taken.status(), taken.scim_type(), taken.to_string());
        let message = serde_json::to_value(message).unwrap();

        let expected = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
            "status": "409", "scimType": "uniqueness", "detail": "userName is in use",
        });
        assert_eq!(message, expected);
    }

    #[test]
    fn an_error_of_another_floor_has_no_scim_type() {
        let message = serde_json::to_value(ErrorMessage::new(404, None, "no such user")).unwrap();

        assert_eq!(message.get("scimType"), None);
        assert_eq!(message["status"], "404");
    }

    #[test]
    fn a_clients_name_is_repeated_short_and_without_control_characters() {
        assert_eq!(quoted("a\u{1b}\nb").as_str(), "\"ab\"");
        assert_eq!(quoted(&"x".repeat(9000)).len(), 122);
    }
}
