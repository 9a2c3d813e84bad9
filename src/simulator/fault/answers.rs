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
    partial(Partial::new(HALF, Duration::ZERO, Then::HangUp))
}

/// Half an object, and then silence.
pub(super) fn half_then_silence() -> HttpResponse {
    partial(Partial::new(HALF, Duration::ZERO, Then::Silence))
}

/// The connection is closed before there is an answer.
pub(super) fn hang_up() -> HttpResponse {
    partial(Partial::new("", Duration::ZERO, Then::HangUp))
}

/// Half an object, a byte per second.
pub(super) fn drip() -> HttpResponse {
    partial(Partial::new(HALF, Duration::from_secs(1), Then::Silence))
}

const HALF: &str = r#"{"token_type":"Bearer","scope":"openid profile email","expires_in":47"#;

fn partial(body: Partial) -> HttpResponse {
    HttpResponse::build(StatusCode::OK)
        .content_type("application/json")
        .body(actix_web::body::BoxBody::new(body))
}

/// What follows the last byte.
enum Then {
    HangUp,
    Silence,
}

/// A body that promises more than it has.
struct Partial {
    rest: Bytes,
    /// Between two bytes; zero sends all at once.
    pause: Duration,
    then: Then,
    waiting: Option<Pin<Box<Sleep>>>,
}

impl Partial {
    fn new(text: &'static str, pause: Duration, then: Then) -> Self {
        Self { rest: Bytes::from_static(text.as_bytes()), pause, then, waiting: None }
    }

    /// Waits for so long, once; the next wait begins when this one is over.
    fn wait(&mut self, how_long: Duration, context: &mut Context<'_>) -> Poll<()> {
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
        let hung_up = || Some(Err(io::ErrorKind::ConnectionReset.into()));
        if self.rest.is_empty() {
            return match self.then {
                Then::HangUp => Poll::Ready(hung_up()),
                Then::Silence => self.wait(FOREVER, context).map(|()| hung_up()),
            };
        }
        if self.pause.is_zero() {
            return Poll::Ready(Some(Ok(std::mem::take(&mut self.rest))));
        }
        let pause = self.pause;
        self.wait(pause, context).map(|()| Some(Ok(self.rest.split_to(1))))
    }
}
