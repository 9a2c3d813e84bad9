//! How a failure looks: as a page, as a SCIM error, as JSON. One status table.

use std::fmt;

use actix_web::{
    HttpResponse, ResponseError,
    http::{
        StatusCode,
        header::{CACHE_CONTROL, ContentType, PRAGMA, RETRY_AFTER, WWW_AUTHENTICATE},
    },
};
use serde_json::json;

use crate::{
    domain::id::Reference,
    http::{
        body::BodyError,
        pages::{Frame, error::ErrorPage},
    },
    oauth::client_credentials::TokenFault,
    ports::Unavailable,
    scim::error::{ErrorMessage, ScimError},
    service::{directory_access::NoToken, provisioning},
};

/// What a person is told who waits for a part that is away, in seconds.
const TRY_AGAIN_AFTER: &str = "5";

/// How a directory may prove who it is (RFC 6750 §3, RFC 7617 §2).
const BEARER_CHALLENGE: &str = r#"Bearer realm="scim""#;
const INVALID_TOKEN_CHALLENGE: &str = r#"Bearer realm="scim", error="invalid_token", error_description="The token has expired or is not valid here""#;
const BASIC_CHALLENGE: &str = r#"Basic realm="scim", charset="UTF-8""#;

/// Logs that a part of the service is away, and gives the number that the answer shows.
pub fn log_unavailable(unavailable: &Unavailable) -> Reference {
    let reference = Reference::generate();
    tracing::error!(%reference, %unavailable, "a part of the service is away");
    reference
}

const fn body_status(error: BodyError) -> StatusCode {
    match error {
        BodyError::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        BodyError::BrokenOff => StatusCode::BAD_REQUEST,
        BodyError::TooSlow => StatusCode::REQUEST_TIMEOUT,
    }
}

/// A failure on a page.
#[derive(Debug)]
pub struct PageError {
    frame: Frame,
    status: StatusCode,
    detail: Option<String>,
    reference: Option<Reference>,
}

impl PageError {
    /// A page under this status, with one more sentence.
    pub fn new(frame: &Frame, status: StatusCode, detail: impl Into<String>) -> Self {
        Self { frame: frame.clone(), status, detail: Some(detail.into()), reference: None }
    }

    /// A form is too long, or did not arrive.
    pub fn body(frame: &Frame, error: BodyError) -> Self {
        let detail = match error {
            BodyError::TooLarge => "The form is longer than 16 KiB.",
            BodyError::BrokenOff => "The form broke off.",
            BodyError::TooSlow => "The form did not arrive within 15 seconds.",
        };
        Self::new(frame, body_status(error), detail)
    }

    /// A part of the service is away: 503.
    pub fn unavailable(frame: &Frame, unavailable: &Unavailable) -> Self {
        let reference = Some(log_unavailable(unavailable));
        Self {
            frame: frame.clone(),
            status: StatusCode::SERVICE_UNAVAILABLE,
            detail: Some(format!("{} does not answer.", unavailable.part.as_str())),
            reference,
        }
    }
}

impl fmt::Display for PageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.status.fmt(f)
    }
}

impl ResponseError for PageError {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = ErrorPage {
            frame: &self.frame,
            status: self.status,
            detail: self.detail.as_deref(),
            reference: self.reference.as_ref(),
        }
        .respond();
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            let headers = response.headers_mut();
            headers.insert(RETRY_AFTER, TRY_AGAIN_AFTER.parse().expect("digits"));
        }
        response
    }
}

/// A failure for a program: `{"error", "error_description"}`.
#[derive(Debug)]
pub enum ApiError {
    /// No live session came along.
    NotSignedIn,
    /// No bearer token that this service believes.
    NoToken,
    /// The token is of a person who may not look after an organization.
    NotAnAdmin,
    /// There is nothing there, or nothing of the caller's organization.
    NotFound(&'static str),
    /// The request can't be carried out; the text says why, and what to do.
    Refused(String),
    /// What is there does not allow it; the text says why, and what to do.
    Conflict(String),
    /// The body is too long, or did not arrive.
    Body(BodyError),
    /// A part of the service is away.
    Unavailable(Unavailable),
}

impl From<BodyError> for ApiError {
    fn from(error: BodyError) -> Self {
        Self::Body(error)
    }
}

impl From<Unavailable> for ApiError {
    fn from(unavailable: Unavailable) -> Self {
        Self::Unavailable(unavailable)
    }
}

impl ApiError {
    /// The answer.
    pub fn response(&self) -> HttpResponse {
        let (error, description) = match self {
            Self::NotSignedIn => ("not_signed_in", "There is no live session.".to_owned()),
            Self::NoToken => (
                "invalid_token",
                "Send the operator token, or an admin's token from /session/token, as Bearer."
                    .to_owned(),
            ),
            Self::NotAnAdmin => {
                ("insufficient_scope", "That takes the role Admin or above.".to_owned())
            }
            Self::NotFound(what) => ("not_found", (*what).to_owned()),
            Self::Refused(why) => ("invalid_request", why.clone()),
            Self::Conflict(why) => ("conflict", why.clone()),
            Self::Body(BodyError::TooLarge) => {
                ("too_large", "The body is longer than 64 KiB.".to_owned())
            }
            Self::Body(BodyError::BrokenOff | BodyError::TooSlow) => {
                ("incomplete", "The body did not arrive whole. Send it again.".to_owned())
            }
            Self::Unavailable(unavailable) => {
                let part = unavailable.part.as_str();
                let reference = log_unavailable(unavailable);
                let description =
                    format!("{part} does not answer; the log has it under {reference}.");
                ("temporarily_unavailable", description)
            }
        };
        let mut response = HttpResponse::build(self.status_code());
        match self {
            Self::Unavailable(_) => {
                response.insert_header((RETRY_AFTER, TRY_AGAIN_AFTER));
            }
            Self::NoToken => {
                response.insert_header((WWW_AUTHENTICATE, r#"Bearer realm="api""#));
            }
            _ => {}
        }
        response
            .insert_header((CACHE_CONTROL, "no-store"))
            .json(json!({ "error": error, "error_description": description }))
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable(unavailable) => unavailable.fmt(f),
            error => error.status_code().fmt(f),
        }
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::NotSignedIn | Self::NoToken => StatusCode::UNAUTHORIZED,
            Self::NotAnAdmin => StatusCode::FORBIDDEN,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::Refused(_) => StatusCode::BAD_REQUEST,
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::Body(error) => body_status(*error),
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn error_response(&self) -> HttpResponse {
        self.response()
    }
}

/// A failure at the token endpoint (RFC 6749 §5.2).
#[derive(Debug)]
pub enum OAuthFault {
    /// The request breaks a rule, or the client is not accepted.
    Refused(TokenFault),
    /// The tenant that signed an assertion cannot be asked for its keys.
    AuthorityUnavailable,
    /// The body is too long, or did not arrive.
    Body(BodyError),
    /// A part of the service is away.
    Unavailable(Unavailable),
}

impl From<NoToken> for OAuthFault {
    fn from(no_token: NoToken) -> Self {
        match no_token {
            NoToken::Fault(fault) => Self::Refused(fault),
            NoToken::AuthorityUnavailable => Self::AuthorityUnavailable,
            NoToken::Unavailable(unavailable) => Self::Unavailable(unavailable),
        }
    }
}

impl From<BodyError> for OAuthFault {
    fn from(error: BodyError) -> Self {
        Self::Body(error)
    }
}

impl OAuthFault {
    fn code(&self) -> &'static str {
        match self {
            Self::Refused(fault) => fault.code(),
            Self::Body(_) => "invalid_request",
            Self::AuthorityUnavailable | Self::Unavailable(_) => "temporarily_unavailable",
        }
    }

    fn description(&self) -> String {
        match self {
            Self::Refused(fault) => fault.to_string(),
            Self::Body(_) => "The form is longer than 80 KiB, or did not arrive whole.".to_owned(),
            Self::AuthorityUnavailable => {
                "The tenant's signing keys cannot be had. Try again; the log says why.".to_owned()
            }
            Self::Unavailable(unavailable) => {
                let reference = log_unavailable(unavailable);
                let part = unavailable.part.as_str();
                format!("{part} does not answer. Try again; the log has it under {reference}.")
            }
        }
    }
}

impl fmt::Display for OAuthFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl ResponseError for OAuthFault {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Refused(TokenFault::InvalidClient) => StatusCode::UNAUTHORIZED,
            Self::Refused(_) => StatusCode::BAD_REQUEST,
            Self::Body(error) => body_status(*error),
            Self::AuthorityUnavailable | Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let status = self.status_code();
        let mut response = HttpResponse::build(status);
        match status {
            StatusCode::UNAUTHORIZED => {
                response.insert_header((WWW_AUTHENTICATE, BASIC_CHALLENGE));
            }
            StatusCode::SERVICE_UNAVAILABLE => {
                response.insert_header((RETRY_AFTER, TRY_AGAIN_AFTER));
            }
            _ => {}
        }
        response
            .insert_header((CACHE_CONTROL, "no-store"))
            .insert_header((PRAGMA, "no-cache"))
            .json(json!({ "error": self.code(), "error_description": self.description() }))
    }
}

/// A failure for a directory (RFC 7644 §3.12).
#[derive(Debug)]
pub enum ScimFault {
    /// The credentials are not those of the connector in the address.
    Unauthorized {
        /// Whether a bearer token was among them (RFC 6750 §3.1).
        has_token: bool,
    },
    /// The request breaks a rule of the protocol.
    Scim(ScimError),
    /// The resource or address does not exist.
    NotFound(String),
    /// The address exists, but not for this method.
    MethodNotAllowed,
    /// The request is understood and not carried out for anybody.
    Forbidden(&'static str),
    /// It refers to what is not there.
    Conflict(String),
    /// It asks for more than one request may.
    TooLarge(String),
    /// The body says that it is no JSON.
    NotJson,
    /// The protocol has it and this service does not.
    NotImplemented(&'static str),
    /// `If-Match` names another version.
    PreconditionFailed,
    /// The body is too long, or did not arrive.
    Body(BodyError),
    /// A part of the service is away.
    Unavailable(Unavailable),
}

impl From<Unavailable> for ScimFault {
    fn from(unavailable: Unavailable) -> Self {
        Self::Unavailable(unavailable)
    }
}

impl From<BodyError> for ScimFault {
    fn from(error: BodyError) -> Self {
        Self::Body(error)
    }
}

impl From<ScimError> for ScimFault {
    fn from(error: ScimError) -> Self {
        Self::Scim(error)
    }
}

impl From<provisioning::Error> for ScimFault {
    fn from(error: provisioning::Error) -> Self {
        match error {
            provisioning::Error::Scim(error) => Self::Scim(error),
            provisioning::Error::NotFound(what) => Self::NotFound(what),
            provisioning::Error::Version => Self::PreconditionFailed,
            provisioning::Error::Unavailable(unavailable) => Self::Unavailable(unavailable),
        }
    }
}

impl ScimFault {
    /// The HTTP status code.
    pub fn status(&self) -> u16 {
        self.status_code().as_u16()
    }

    /// The `scimType`, where there is one.
    pub const fn scim_type(&self) -> Option<&'static str> {
        match self {
            Self::Scim(error) => error.scim_type(),
            _ => None,
        }
    }

    /// What happened, in plain words.
    pub fn summary(&self) -> String {
        match self {
            Self::Unauthorized { .. } => {
                "The SCIM credentials are not valid here. Paste the connector's \
                Password as the secret token, and its SCIM URL as the tenant URL; or let the \
                directory ask for an access token at /oauth/token."
                    .to_owned()
            }
            Self::Scim(error) => error.to_string(),
            Self::NotFound(what) | Self::Conflict(what) | Self::TooLarge(what) => what.clone(),
            Self::MethodNotAllowed => "This address does not take that method.".to_owned(),
            Self::NotJson => {
                "The body must be JSON, sent as application/scim+json or application/json."
                    .to_owned()
            }
            Self::Forbidden(why) | Self::NotImplemented(why) => (*why).to_owned(),
            Self::PreconditionFailed => {
                "The resource was changed meanwhile: If-Match names another version. Read it \
                 again."
                    .to_owned()
            }
            Self::Body(BodyError::TooLarge) => {
                "The body is longer than 1 MiB, or that of a group than 4 MiB; nothing was \
                 changed. Send less at once."
                    .to_owned()
            }
            Self::Body(BodyError::BrokenOff | BodyError::TooSlow) => {
                "The body did not arrive whole; nothing was changed. Send it again.".to_owned()
            }
            Self::Unavailable(unavailable) => {
                let part = unavailable.part.as_str();
                format!("{part} does not answer, so nothing was changed. Try again.")
            }
        }
    }

    /// The same for the client, with the number under which the log has more.
    fn detail(&self) -> String {
        match self {
            Self::Unavailable(unavailable) => {
                let reference = log_unavailable(unavailable);
                format!("{} The log has it under {reference}.", self.summary())
            }
            _ => self.summary(),
        }
    }
}

impl fmt::Display for ScimFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.status_code().fmt(f)
    }
}

impl ResponseError for ScimFault {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Unauthorized { .. } => StatusCode::UNAUTHORIZED,
            Self::Scim(error) => {
                StatusCode::from_u16(error.status()).expect("SCIM errors have HTTP statuses")
            }
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::NotJson => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::NotImplemented(_) => StatusCode::NOT_IMPLEMENTED,
            Self::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
            Self::Body(error) => body_status(*error),
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let message = ErrorMessage::new(self.status(), self.scim_type(), self.detail());
        let body = serde_json::to_string(&message).expect("plain values serialize");
        let mut response = HttpResponse::build(self.status_code());
        match self {
            Self::Unauthorized { has_token } => {
                let bearer = if *has_token { INVALID_TOKEN_CHALLENGE } else { BEARER_CHALLENGE };
                response.append_header((WWW_AUTHENTICATE, bearer));
                response.append_header((WWW_AUTHENTICATE, BASIC_CHALLENGE));
            }
            Self::Unavailable(_) => {
                response.insert_header((RETRY_AFTER, TRY_AGAIN_AFTER));
            }
            _ => {}
        }
        response
            .insert_header(ContentType("application/scim+json".parse().expect("a media type")))
            .body(body)
    }
}
