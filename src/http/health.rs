//! Whether the service runs, and whether it can serve.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use actix_web::{
    HttpResponse,
    http::header::{CACHE_CONTROL, HeaderValue},
    web::Data,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::{
    http::State,
    ports::{Part, Ports},
};

/// How long an answer of theirs is good for.
const FRESH: SignedDuration = SignedDuration::from_secs(1);

/// `GET /health/live`: the process answers.
pub async fn live() -> HttpResponse {
    answer(HttpResponse::Ok(), "live")
}

/// `GET /health/ready`: it is not shutting down, the database takes writes, and sessions can be
/// had.
///
/// What should be mended nevertheless, it says too. Both are asked at most once a second, whoever asks here.
pub async fn ready(state: Data<State>) -> HttpResponse {
    if state.readiness.is_stopping() {
        return answer(HttpResponse::ServiceUnavailable(), "stopping");
    }
    let now = state.ports.clock.now();
    let is_there = if let Some(known) = state.readiness.known(now) {
        known
    } else {
        let is_there = everything_is_there(&state.ports).await;
        state.readiness.learn(now, is_there);
        is_there
    };
    let away = match is_there {
        Ok(()) => return ready_with(state.ports.sessions.warning()),
        Err(Part::Database) => "the database is not available",
        Err(Part::Redis) => "Redis is not available",
    };
    answer(HttpResponse::ServiceUnavailable(), away)
}

/// Whether it is; else the part that is away.
async fn everything_is_there(ports: &Ports) -> Result<(), Part> {
    let pinged = match ports.store.ping().await {
        Ok(()) => ports.sessions.ping().await,
        away => away,
    };
    pinged.map_err(|unavailable| {
        tracing::error!(%unavailable, "not ready");
        unavailable.part
    })
}

/// Whether new work is welcome, shared by all workers.
///
/// A service that was told to stop finishes what it does, and says so to whoever would send it more.
#[derive(Clone, Debug, Default)]
pub struct Readiness(Arc<Signs>);

/// When it was asked, and whether everything was there.
type Known = (Timestamp, Result<(), Part>);

#[derive(Debug, Default)]
struct Signs {
    stopping: AtomicBool,
    asked: Mutex<Option<Known>>,
}

impl Readiness {
    /// From now on the service is not ready.
    pub fn stop(&self) {
        self.0.stopping.store(true, Ordering::Relaxed);
    }

    /// Whether it was told to stop.
    pub fn is_stopping(&self) -> bool {
        self.0.stopping.load(Ordering::Relaxed)
    }

    /// Whether everything was there within the last second, if that was asked then.
    fn known(&self, now: Timestamp) -> Option<Result<(), Part>> {
        let (asked_at, is_there) = (*self.asked())?;
        (now.duration_since(asked_at).abs() < FRESH).then_some(is_there)
    }

    fn learn(&self, now: Timestamp, is_there: Result<(), Part>) {
        *self.asked() = Some((now, is_there));
    }

    fn asked(&self) -> MutexGuard<'_, Option<Known>> {
        self.0.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn ready_with(warning: Option<&str>) -> HttpResponse {
    let Some(warning) = warning else { return answer(HttpResponse::Ok(), "ready") };
    HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, HeaderValue::from_static("no-store")))
        .json(json!({ "status": "ready", "warning": warning }))
}

fn answer(mut response: actix_web::HttpResponseBuilder, status: &str) -> HttpResponse {
    response
        .insert_header((CACHE_CONTROL, HeaderValue::from_static("no-store")))
        .json(json!({ "status": status }))
}
