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
/// Both are asked at most once a second, whoever asks here.
pub async fn ready(state: Data<State>) -> HttpResponse {
    if state.readiness.is_stopping() {
        return answer(HttpResponse::ServiceUnavailable(), "stopping");
    }
    let now = state.ports.clock.now();
    let away = if let Some(known) = state.readiness.known(now) {
        known
    } else {
        let away = part_that_is_away(&state.ports).await;
        state.readiness.learn(now, away);
        away
    };
    match away {
        None => answer(HttpResponse::Ok(), "ready"),
        Some(Part::Database) => {
            answer(HttpResponse::ServiceUnavailable(), "the database is not available")
        }
        Some(Part::Redis) => answer(HttpResponse::ServiceUnavailable(), "Redis is not available"),
    }
}

async fn part_that_is_away(ports: &Ports) -> Option<Part> {
    let pinged = match ports.store.ping().await {
        Ok(()) => ports.sessions.ping().await,
        away => away,
    };
    let unavailable = pinged.err()?;
    tracing::error!(%unavailable, "not ready");
    Some(unavailable.part)
}

/// Whether new work is welcome, shared by all workers.
///
/// A service that was told to stop finishes what it does, and says so to whoever would send it more.
#[derive(Clone, Debug, Default)]
pub struct Readiness(Arc<Signs>);

#[derive(Debug, Default)]
struct Signs {
    stopping: AtomicBool,
    asked: Mutex<Option<(Timestamp, Option<Part>)>>,
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

    /// What was away within the last second, if that was asked then.
    fn known(&self, now: Timestamp) -> Option<Option<Part>> {
        let (asked_at, away) = (*self.asked())?;
        (now.duration_since(asked_at).abs() < FRESH).then_some(away)
    }

    fn learn(&self, now: Timestamp, away: Option<Part>) {
        *self.asked() = Some((now, away));
    }

    fn asked(&self) -> MutexGuard<'_, Option<(Timestamp, Option<Part>)>> {
        self.0.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn answer(mut response: actix_web::HttpResponseBuilder, status: &str) -> HttpResponse {
    response
        .insert_header((CACHE_CONTROL, HeaderValue::from_static("no-store")))
        .json(json!({ "status": status }))
}
