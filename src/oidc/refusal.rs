//! What an authority says when it refuses.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::oidc::{
    entra_error::{self, Remedy},
    plain_text,
};

/// An OAuth error answer (RFC 6749 §4.1.2.1 and §5.2), made fit to show: bounded, without control
/// characters. Still somebody else's words: a page must escape them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Wire", into = "Wire")]
pub struct Refusal {
    /// `error`: what programs branch on. At most 100 printable ASCII characters.
    pub error: String,
    /// `error_description`, at most 500 bytes.
    pub description: Option<String>,
    /// Entra ID's number in `AADSTS50105`; for people only, Microsoft changes it at will.
    pub aadsts: Option<u32>,
    /// Entra ID's `Trace ID`, which Microsoft's support asks for.
    pub trace_id: Option<String>,
    /// Entra ID's `Correlation ID`, likewise.
    pub correlation_id: Option<String>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Wire {
    error: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error_description: Option<String>,
}

impl Refusal {
    /// The refusal that `error` and `error_description` spell.
    pub fn new(error: &str, description: Option<&str>) -> Self {
        let named = |label| description.and_then(|text| entra_error::identifier(text, label));
        Self {
            error: error.chars().filter(|c| matches!(c, ' '..='~')).take(100).collect(),
            description: description.map(|text| plain_text(text, 500)),
            aadsts: description.and_then(entra_error::code),
            trace_id: named("Trace ID: "),
            correlation_id: named("Correlation ID: "),
        }
    }

    /// Who can fix it and how, where Entra ID's number is a known one.
    pub fn remedy(&self) -> Option<&'static Remedy> {
        self.aadsts.and_then(entra_error::remedy)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.error)?;
        match &self.description {
            Some(description) => write!(f, " ({description})"),
            None => Ok(()),
        }
    }
}

impl From<Wire> for Refusal {
    fn from(wire: Wire) -> Self {
        Self::new(&wire.error, wire.error_description.as_deref())
    }
}

impl From<Refusal> for Wire {
    fn from(refusal: Refusal) -> Self {
        Self { error: refusal.error, error_description: refusal.description }
    }
}

impl openidconnect::ErrorResponse for Refusal {}

#[cfg(test)]
mod tests {
    use super::*;

    const ENTRA: &str = "AADSTS50105: Your administrator has configured the application.\r\n\
        Trace ID: 0c6b1c0c-5a9b-4d6b-8f3e-1c5f0f3a2b00\r\n\
        Correlation ID: 11111111-2222-3333-4444-555555555555\r\n\
        Timestamp: 2026-11-21 10:00:00Z";

    #[test]
    fn entras_numbers_for_support_are_found() {
        let refusal = Refusal::new("access_denied", Some(ENTRA));

        assert_eq!(refusal.aadsts, Some(50105));
        assert_eq!(refusal.trace_id.as_deref(), Some("0c6b1c0c-5a9b-4d6b-8f3e-1c5f0f3a2b00"));
        assert_eq!(refusal.correlation_id.as_deref(), Some("11111111-2222-3333-4444-555555555555"));
        assert!(!refusal.description.unwrap().contains(['\r', '\n']));
    }

    #[test]
    fn a_hostile_refusal_is_cut_and_cleaned() {
        let [error, description] =
            ["e\u{7}\u{202e}".repeat(200), "ü\u{1b}[31m\u{202e}".repeat(1000)];

        let refusal = Refusal::new(&error, Some(&description));

        assert_eq!(refusal.error, "e".repeat(100));
        assert!(refusal.description.as_ref().unwrap().len() <= 500);
        assert!(!refusal.to_string().contains(|c: char| c.is_control() || c == '\u{202e}'));
    }

    #[test]
    fn a_token_endpoints_error_is_read_from_json() {
        let refusal: Refusal = serde_json::from_str(
            r#"{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret",
                "error_codes":[7000215],"error_uri":"https://login.microsoftonline.com/error"}"#,
        )
        .unwrap();

        assert_eq!((refusal.error.as_str(), refusal.aadsts), ("invalid_client", Some(7_000_215)));
        assert!(refusal.remedy().is_some());
    }
}
