//! Proof Key for Code Exchange (RFC 7636), the server's side.

use super::jws::{base64url, sha256};

/// What a client sent as `code_challenge`, with its method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Challenge {
    /// `S256`.
    S256(String),
    /// `plain`, which Entra still takes, also when no method is named.
    Plain(String),
}

/// What is wrong with a challenge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ChallengeError {
    /// Neither `S256` nor `plain`.
    Method,
    /// Not 43 to 128 characters.
    Size,
}

impl Challenge {
    /// The challenge of a request, if it has one.
    pub(super) fn parse(
        challenge: Option<&str>,
        method: Option<&str>,
    ) -> Result<Option<Self>, ChallengeError> {
        let make = match method {
            Some("S256") => Self::S256,
            Some("plain") | None => Self::Plain,
            Some(_) => return Err(ChallengeError::Method),
        };
        match challenge {
            None if method.is_some() => Err(ChallengeError::Size),
            None => Ok(None),
            Some(text) if (43..=128).contains(&text.len()) => Ok(Some(make(text.to_owned()))),
            Some(_) => Err(ChallengeError::Size),
        }
    }

    /// Whether `verifier` is what the challenge was made of.
    pub(super) fn is_met_by(&self, verifier: &str) -> bool {
        match self {
            Self::S256(challenge) => *challenge == base64url(&sha256(verifier.as_bytes())),
            Self::Plain(challenge) => challenge == verifier,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    #[test]
    fn the_example_of_rfc_7636_appendix_b_is_met_and_nothing_else() {
        let challenge = Challenge::parse(Some(CHALLENGE), Some("S256")).unwrap().unwrap();

        assert!(challenge.is_met_by(VERIFIER));
        assert!(!challenge.is_met_by(CHALLENGE));
        assert!(!challenge.is_met_by(""));
    }

    #[test]
    fn a_challenge_of_wrong_size_or_method_is_refused() {
        let long = "a".repeat(129);
        let cases = [
            (Some("short"), Some("S256"), ChallengeError::Size),
            (Some(&*long), None, ChallengeError::Size),
            (None, Some("S256"), ChallengeError::Size),
            (Some(CHALLENGE), Some("s256"), ChallengeError::Method),
        ];

        for (challenge, method, error) in cases {
            assert_eq!(Challenge::parse(challenge, method), Err(error), "{challenge:?}");
        }
    }
}
