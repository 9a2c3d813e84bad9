//! What went wrong, outside of signing in.

use actix_web::{HttpResponse, http::StatusCode};
use askama::Template;

use crate::{
    domain::id::Reference,
    http::pages::{Frame, html},
};

/// The general error page: what happened, what to do, the reference.
#[derive(Template)]
#[template(path = "error.html")]
pub struct ErrorPage<'a> {
    /// What stands around the page.
    pub frame: &'a Frame,
    /// The answer's status, which picks the texts.
    pub status: StatusCode,
    /// One more sentence of what happened: `The session store does not answer.`
    pub detail: Option<&'a str>,
    /// What an admin finds in the log, where something was logged.
    pub reference: Option<&'a Reference>,
}

impl ErrorPage<'_> {
    /// The page under its status.
    pub fn respond(&self) -> HttpResponse {
        html(self, self.status)
    }

    fn texts(&self) -> Texts {
        Texts::of(self.status)
    }
}

struct Texts {
    heading: &'static str,
    happened: &'static str,
    to_do: &'static str,
}

impl Texts {
    const fn new(heading: &'static str, happened: &'static str, to_do: &'static str) -> Self {
        Self { heading, happened, to_do }
    }

    fn of(status: StatusCode) -> Self {
        match status {
            StatusCode::UNAUTHORIZED => Self::new(
                "Please sign in",
                "Only people who are signed in may see this page.",
                "Go to the start page and sign in; you may have been signed out meanwhile.",
            ),
            StatusCode::FORBIDDEN => Self::new(
                "You may not do that",
                "You are signed in, but your role does not permit this.",
                "If you need it for your work, ask for a higher role.",
            ),
            StatusCode::NOT_FOUND | StatusCode::GONE => Self::new(
                "There is nothing here",
                "No page has this address. It may have been mistyped, or the page may have moved.",
                "Check the address, or begin at the start page.",
            ),
            StatusCode::METHOD_NOT_ALLOWED => Self::new(
                "That can’t be done here",
                "This address exists, but not for what your browser asked of it.",
                "Go back, and use the buttons of the page that you came from.",
            ),
            StatusCode::PAYLOAD_TOO_LARGE | StatusCode::URI_TOO_LONG => Self::new(
                "That was too much at once",
                "What was sent is larger than we accept, so we read none of it.",
                "Send less, and try again.",
            ),
            StatusCode::TOO_MANY_REQUESTS => Self::new(
                "Too many tries",
                "Many requests came from your address in a short time, so we let this one rest.",
                "Wait a minute, then try again.",
            ),
            StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::BAD_GATEWAY
            | StatusCode::GATEWAY_TIMEOUT => Self::new(
                "We can’t do this right now",
                "Something that we need for this page is away for the moment. Nothing was changed.",
                "Wait a minute, then load the page again.",
            ),
            other if other.is_client_error() => Self::new(
                "We didn’t understand that",
                "Something in the request is missing or not as it should be.",
                "Go back and try again, or begin at the start page.",
            ),
            _ => Self::new(
                "Something went wrong on our side",
                "We made a mistake while preparing this page; you did nothing wrong.",
                "Try again in a moment. If it lasts, please tell us.",
            ),
        }
    }
}
