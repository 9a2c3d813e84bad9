//! Whole answers in place of the truth: wrong ones, endless ones, and ones that never come.

use std::{
    future::Future as _,
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use actix_web::{
    HttpResponse,
    body::{BodySize, MessageBody},
    http::{StatusCode, header},
    web::Bytes,
};
use serde_json::json;
use tokio::time::{Sleep, sleep};

/// Longer than anybody waits.
const FOREVER: Duration = Duration::from_secs(30);

pub(super) fn unavailable() -> HttpResponse {
    HttpResponse::ServiceUnavailable().json(json!({
        "error": "temporarily_unavailable",
        "error_description": "AADSTS90033: A transient error has occurred. Please try again.",
        "error_codes": [90033],
    }))
}

pub(super) fn no_such_tenant() -> HttpResponse {
    HttpResponse::BadRequest().json(json!({
        "error": "invalid_tenant",
        "error_description": "AADSTS90002: The tenant was not found.",
        "error_codes": [90002],
    }))
}

pub(super) fn page() -> HttpResponse {
    HttpResponse::Ok().content_type("text/html").body("<!doctype html><title>Sign in</title>")
}

pub(super) fn error_page() -> HttpResponse {
    HttpResponse::BadGateway()
        .content_type("text/html")
        .body("<!doctype html><title>502 Bad Gateway</title>")
}

pub(super) fn redirect() -> HttpResponse {
    HttpResponse::TemporaryRedirect()
        .insert_header((header::LOCATION, "https://login.attacker.example/"))
        .finish()
}

pub(super) fn huge() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "token_type": "Bearer", "padding": "x".repeat(8 << 20) }))
}

pub(super) fn array() -> HttpResponse {
    HttpResponse::Ok().json(json!([{ "token_type": "Bearer", "access_token": "a" }]))
}

/// Half an object, and the connection is closed.
pub(super) fn half() -> HttpResponse {
    partial(Partial { silence: Duration::from_millis(50), ..Partial::new(HALF) })
}

/// Half an object, and then silence.
pub(super) fn half_then_silence() -> HttpResponse {
    partial(Partial { silence: FOREVER, ..Partial::new(HALF) })
}

/// The connection is closed before there is an answer.
pub(super) fn hang_up() -> HttpResponse {
    partial(Partial::new(""))
}

/// Half an object, a byte per second.
pub(super) fn drip() -> HttpResponse {
    partial(Partial { pause: Duration::from_secs(1), ..Partial::new(HALF) })
}

const HALF: &str = r#"{"token_type":"Bearer","scope":"openid profile email","expires_in":47"#;

fn partial(body: Partial) -> HttpResponse {
    HttpResponse::build(StatusCode::OK)
        .content_type("application/json")
        .body(actix_web::body::BoxBody::new(body))
}

/// A body that promises more than it has.
struct Partial {
    rest: Bytes,
    /// Between two bytes; zero sends all at once.
    pause: Duration,
    /// Between the last byte and the end of the connection; what was sent leaves meanwhile.
    silence: Duration,
    waiting: Option<Pin<Box<Sleep>>>,
}

impl Partial {
    const fn new(text: &'static str) -> Self {
        Self {
            rest: Bytes::from_static(text.as_bytes()),
            pause: Duration::ZERO,
            silence: Duration::ZERO,
            waiting: None,
        }
    }

    /// Waits for so long; the next wait begins when this one is over.
    fn wait(&mut self, how_long: Duration, context: &mut Context<'_>) -> Poll<()> {
        if how_long.is_zero() {
            return Poll::Ready(());
        }
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(sleep(how_long)));
        let waited = waiting.as_mut().poll(context);
        if waited.is_ready() {
            self.waiting = None;
        }
        waited
    }
}

impl MessageBody for Partial {
    type Error = io::Error;

    fn size(&self) -> BodySize {
        BodySize::Sized(4096)
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, io::Error>>> {
        if !self.rest.is_empty() {
            let pause = self.pause;
            let length = if pause.is_zero() { self.rest.len() } else { 1 };
            return self.wait(pause, context).map(|()| Some(Ok(self.rest.split_to(length))));
        }
        let silence = self.silence;
        self.wait(silence, context).map(|()| Some(Err(io::ErrorKind::ConnectionReset.into())))
    }
}
