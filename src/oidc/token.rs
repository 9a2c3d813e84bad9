//! What a code is redeemed for at the token endpoint.

use std::{fmt, time::Duration};

use openidconnect::{
    AdditionalClaims, ExtraTokenFields, IdToken, OAuth2TokenResponse as _, StandardTokenResponse,
    core::{
        CoreGenderClaim, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm, CoreTokenType,
    },
};
use serde::{Deserialize, Serialize};

use crate::domain::secret::Secret;

/// A token endpoint's answer is at most this long: 1 MiB.
pub const LONGEST_ANSWER: usize = 1024 * 1024;

/// A token endpoint's success (OpenID Connect Core 1.0 §3.1.3.3), the ID Token not yet verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenResponse {
    /// `id_token`, for [`crate::oidc::id_token::verify`].
    pub id_token: Secret,
    /// `access_token`: never used, only compared with the ID Token's `at_hash`.
    pub access_token: Secret,
    /// `refresh_token`, where `offline_access` was asked and granted.
    pub refresh_token: Option<Secret>,
    /// How long the access token lives, if the provider says.
    pub expires_in: Option<Duration>,
}

/// Why an answer is not a token response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not the JSON object that a token response is.
    #[error("the token endpoint's answer cannot be read")]
    Malformed,
    /// `token_type` is not `Bearer`, in whichever case.
    #[error("the token endpoint answers with another token type than Bearer")]
    TokenType,
    /// No `id_token`: the request did not ask for `openid`, or the provider is plain OAuth.
    #[error("the token endpoint's answer has no ID token")]
    NoIdToken,
}

impl TryFrom<Answer> for TokenResponse {
    type Error = TokenError;

    fn try_from(answer: Answer) -> Result<Self, Self::Error> {
        if *answer.token_type() != CoreTokenType::Bearer {
            return Err(TokenError::TokenType);
        }
        let id_token = answer.extra_fields().id_token.as_deref().filter(|text| !text.is_empty());
        Ok(Self {
            id_token: Secret::new(id_token.ok_or(TokenError::NoIdToken)?),
            access_token: Secret::new(answer.access_token().secret()),
            refresh_token: answer.refresh_token().map(|token| Secret::new(token.secret())),
            expires_in: answer.expires_in(),
        })
    }
}

/// A token endpoint's answer as openidconnect reads it; the ID Token stays text.
pub type Answer = StandardTokenResponse<IdTokenText, CoreTokenType>;

/// `id_token`, not taken apart: openidconnect would refuse a whole token for one claim of an
/// unexpected type.
#[derive(Serialize, Deserialize)]
pub struct IdTokenText {
    id_token: Option<String>,
}

impl ExtraTokenFields for IdTokenText {}

impl fmt::Debug for IdTokenText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdTokenText(…)")
    }
}

/// The claims that openidconnect reads of an ID Token: none.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct UnreadClaims {}

impl AdditionalClaims for UnreadClaims {}

type UnreadIdToken = IdToken<
    UnreadClaims,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
>;

impl
    openidconnect::TokenResponse<
        UnreadClaims,
        CoreGenderClaim,
        CoreJweContentEncryptionAlgorithm,
        CoreJwsSigningAlgorithm,
    > for Answer
{
    fn id_token(&self) -> Option<&UnreadIdToken> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<TokenResponse, TokenError> {
        let answer: Answer = serde_json::from_str(body).map_err(|_| TokenError::Malformed)?;
        TokenResponse::try_from(answer)
    }

    #[test]
    fn a_token_response_is_read_whatever_the_case_of_its_type_and_without_expires_in() {
        for token_type in ["Bearer", "bearer", "bEARER"] {
            let body = format!(
                r#"{{"token_type":"{token_type}","access_token":"a","id_token":"x.y.z","new":[1]}}"#
            );

            let response = read(&body).unwrap();

            assert_eq!(response.id_token, Secret::new("x.y.z"));
            assert_eq!((response.refresh_token, response.expires_in), (None, None));
        }
    }

    #[test]
    fn what_is_not_a_token_response_is_refused() {
        let answers = [
            (r#"{"token_type":"DPoP","access_token":"a","id_token":"i"}"#, TokenError::TokenType),
            (r#"{"token_type":"Bearer","access_token":"a"}"#, TokenError::NoIdToken),
            (r#"{"token_type":"Bearer","access_token":"a","id_token":""}"#, TokenError::NoIdToken),
            (r#"{"token_type":"Bearer","access_token":"a","id_token":7}"#, TokenError::Malformed),
            (r#"{"access_token":"a","id_token":"i"}"#, TokenError::Malformed),
            (r#"[{"token_type":"Bearer"}]"#, TokenError::Malformed),
            ("<html>busy</html>", TokenError::Malformed),
            ("", TokenError::Malformed),
        ];

        for (body, expected) in answers {
            assert_eq!(read(body), Err(expected), "{body}");
        }
    }

    #[test]
    fn tokens_do_not_show_in_debug_output() {
        let body = r#"{"token_type":"Bearer","access_token":"aaaa","id_token":"iiii",
            "refresh_token":"rrrr"}"#;

        let shown = format!("{:?}", read(body).unwrap());

        assert!(!["aaaa", "iiii", "rrrr"].iter().any(|token| shown.contains(token)), "{shown}");
    }
}
