//! The session of a request.

use std::{future::Future, pin::Pin, sync::Arc};

use actix_web::{FromRequest, HttpRequest, dev::Payload, web::Data};

use crate::{
    http::{State, error::ApiError},
    ports::{Unavailable, sessions::LiveSession},
};

/// The live session of a request.
///
/// # Errors
/// As an extractor: 401 as JSON where there is none, 503 where that can't be known.
pub struct SignedIn(pub Arc<LiveSession>);

/// The live session of a request, if it carries one; it counts as used.
///
/// One cookie, one signature, one lookup: this is the whole of the hot path.
pub async fn find(
    state: &State,
    request: &HttpRequest,
) -> Result<Option<Arc<LiveSession>>, Unavailable> {
    match state.cookies.session(request.headers()) {
        Some(digest) => state.ports.sessions.find(&digest, state.ports.clock.now()).await,
        None => Ok(None),
    }
}

impl FromRequest for SignedIn {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Self::Error>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let state = request.app_data::<Data<State>>().expect("every app carries its state");
            let live = find(state, &request).await?;
            live.map(SignedIn).ok_or(ApiError::NotSignedIn)
        })
    }
}
