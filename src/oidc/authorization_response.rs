//! What the browser brings back from the authority, before any of it is believed.

use crate::{domain::secret::Secret, oidc::refusal::Refusal};

const LONGEST: usize = 16 * 1024;
const MOST_PARAMETERS: usize = 32;

/// The parameters of an authorization response (OpenID Connect Core 1.0 §3.1.2.5, RFC 9207), each
/// at most once; an empty one counts as absent (RFC 6749 §3.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuthorizationResponse {
    /// The authorization code.
    pub code: Option<Secret>,
    /// The `state` of the request that this answers.
    pub state: Option<Secret>,
    /// Who answers (RFC 9207).
    pub iss: Option<String>,
    /// `error` and `error_description`.
    pub refusal: Option<Refusal>,
    /// The authority's own name for the browser's session.
    pub session_state: Option<String>,
}

/// Why parameters are not an authorization response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResponseError {
    /// A parameter stands twice: no telling which one is meant.
    #[error("a parameter stands twice in the answer")]
    Duplicate,
    /// Longer than any authority's answer.
    #[error("the answer is too long")]
    TooLong,
}

impl AuthorizationResponse {
    /// Reads the query of a GET or the form of a POST.
    ///
    /// # Errors
    /// [`ResponseError::TooLong`] beyond 16 KiB, 32 parameters, or one parameter's own limit.
    pub fn parse(form: &str) -> Result<Self, ResponseError> {
        if form.len() > LONGEST {
            return Err(ResponseError::TooLong);
        }
        let pairs: Vec<_> = url::form_urlencoded::parse(form.as_bytes()).collect();
        if pairs.len() > MOST_PARAMETERS {
            return Err(ResponseError::TooLong);
        }
        let mut names: Vec<&str> = pairs.iter().map(|(name, _)| name.as_ref()).collect();
        names.sort_unstable();
        if names.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(ResponseError::Duplicate);
        }
        let value = |name: &str, limit: usize| {
            let found = pairs.iter().find(|(found, _)| found == name).map(|(_, value)| value);
            match found.filter(|value| !value.is_empty()) {
                Some(value) if value.len() > limit => Err(ResponseError::TooLong),
                value => Ok(value.map(ToString::to_string)),
            }
        };
        let description = value("error_description", 4096)?;
        Ok(Self {
            code: value("code", 8192)?.map(Secret::new),
            state: value("state", 512)?.map(Secret::new),
            iss: value("iss", 1024)?,
            refusal: value("error", 256)?.map(|error| Refusal::new(&error, description.as_deref())),
            session_state: value("session_state", 1024)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_as_it_was_sent() {
        let response = AuthorizationResponse::parse(
            "code=a%2Bb&state=s&session_state=5a&iss=https%3A%2F%2Fidp.example&new=x",
        );

        assert_eq!(
            response,
            Ok(AuthorizationResponse {
                code: Some(Secret::new("a+b")),
                state: Some(Secret::new("s")),
                iss: Some("https://idp.example".into()),
                refusal: None,
                session_state: Some("5a".into()),
            })
        );
    }

    #[test]
    fn an_empty_parameter_counts_as_absent() {
        let response = AuthorizationResponse::parse("code=&state=&error=").unwrap();

        assert_eq!(response, AuthorizationResponse::default());
    }

    #[test]
    fn hostile_answers_are_refused() {
        let many = (0..33).map(|n| format!("p{n}=1")).collect::<Vec<_>>().join("&");
        let hostile = [
            ("code=a&state=s&code=b".to_owned(), ResponseError::Duplicate),
            ("state=s&state=s".to_owned(), ResponseError::Duplicate),
            ("code=a&%63ode=b".to_owned(), ResponseError::Duplicate),
            ("iss=&iss=https://idp.example".to_owned(), ResponseError::Duplicate),
            (format!("code={}", "a".repeat(8193)), ResponseError::TooLong),
            (format!("state={}", "a".repeat(513)), ResponseError::TooLong),
            (format!("x={}", "a".repeat(LONGEST)), ResponseError::TooLong),
            (many, ResponseError::TooLong),
        ];

        for (form, expected) in hostile {
            let refused = AuthorizationResponse::parse(&form);

            assert_eq!(refused, Err(expected), "{}", &form[..form.len().min(60)]);
        }
    }
}
