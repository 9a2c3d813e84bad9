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

use crate::http::State;

/// How long an answer of the database is good for.
const FRESH: SignedDuration = SignedDuration::from_secs(1);

/// `GET /health/live`: the process answers.
pub async fn live() -> HttpResponse {
    answer(HttpResponse::Ok(), "live")
}

/// `GET /health/ready`: it is not shutting down, and the database takes writes.
///
/// The database is asked at most once a second, whoever asks here.
pub async fn ready(state: Data<State>) -> HttpResponse {
    if state.readiness.is_stopping() {
        return answer(HttpResponse::ServiceUnavailable(), "stopping");
    }
    let now = state.ports.clock.now();
    let takes_writes = if let Some(known) = state.readiness.known(now) {
        known
    } else {
        let pinged = state.ports.store.ping().await;
        if let Err(unavailable) = &pinged {
            tracing::error!(%unavailable, "not ready");
        }
        state.readiness.learn(now, pinged.is_ok());
        pinged.is_ok()
    };
    if takes_writes {
        answer(HttpResponse::Ok(), "ready")
    } else {
        answer(HttpResponse::ServiceUnavailable(), "the database is not available")
    }
}

/// Whether new work is welcome, shared by all workers.
///
/// A service that was told to stop finishes what it does, and says so to whoever would send it more.
#[derive(Clone, Debug, Default)]
pub struct Readiness(Arc<Signs>);

#[derive(Debug, Default)]
struct Signs {
    stopping: AtomicBool,
    database: Mutex<Option<(Timestamp, bool)>>,
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

    /// Whether the database took writes within the last second, if it was asked then.
    fn known(&self, now: Timestamp) -> Option<bool> {
        let (asked_at, takes_writes) = (*self.database())?;
        (now.duration_since(asked_at).abs() < FRESH).then_some(takes_writes)
    }

    fn learn(&self, now: Timestamp, takes_writes: bool) {
        *self.database() = Some((now, takes_writes));
    }

    fn database(&self) -> MutexGuard<'_, Option<(Timestamp, bool)>> {
        self.0.database.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn answer(mut response: actix_web::HttpResponseBuilder, status: &str) -> HttpResponse {
    response
        .insert_header((CACHE_CONTROL, HeaderValue::from_static("no-store")))
        .json(json!({ "status": status }))
}
