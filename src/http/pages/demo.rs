//! The demo's sample application, which stands behind forward auth.

use actix_web::{HttpResponse, http::StatusCode};
use askama::Template;

use crate::{
    domain::access_role::AccessRole,
    http::pages::{Frame, html},
};

/// A page of the sample application.
#[derive(Template)]
#[template(path = "demo/protected.html")]
pub struct ProtectedPage<'a> {
    /// What stands around the page.
    pub frame: &'a Frame,
    /// What the page calls itself: `Monthly reports`.
    pub name: &'a str,
    /// Where the portal is; the page itself lies on another origin.
    pub portal: &'a str,
    /// What forward auth answered.
    pub answer: Answer<'a>,
}

/// What forward auth answered about a [`ProtectedPage`].
#[derive(Clone, Copy, Debug)]
pub enum Answer<'a> {
    /// The person may see it.
    Admitted {
        /// The role that the page wants at least; none if being signed in is enough.
        needs: Option<AccessRole>,
        /// Names and values of the identity headers that came with the request.
        headers: &'a [(&'a str, &'a str)],
    },
    /// The person's role is too low.
    TooLow {
        /// The role that the page wants at least.
        needs: AccessRole,
        /// The person's own.
        has: Option<AccessRole>,
    },
}

impl ProtectedPage<'_> {
    /// 200, or 403 if the role is too low.
    pub fn respond(&self) -> HttpResponse {
        let status = match self.answer {
            Answer::Admitted { .. } => StatusCode::OK,
            Answer::TooLow { .. } => StatusCode::FORBIDDEN,
        };
        html(self, status)
    }
}
