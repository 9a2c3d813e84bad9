//! One line in the log for every request.

use std::time::Instant;

use actix_web::{
    Error,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::header::{HeaderName, HeaderValue},
    middleware::Next,
};
use tracing::Instrument as _;

use crate::domain::id::Reference;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Logs method, route, status and time of a request under a number that its answer carries.
///
/// The route is a pattern such as `/setup/{token}`, or `none`: an address may hold a token, and
/// its query a code, a state or somebody's address.
pub async fn request_log(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let began = Instant::now();
    let id = Reference::generate();
    let method = request.method().clone();
    let route = request.match_pattern().unwrap_or_else(|| "none".to_owned());
    let span = tracing::info_span!("request", id = %id);
    let result = next.call(request).instrument(span.clone()).await;
    let status = match &result {
        Ok(response) => response.status(),
        Err(error) => error.as_response_error().status_code(),
    };
    let microseconds = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
    span.in_scope(|| {
        tracing::info!(%method, route, status = status.as_u16(), microseconds, "answered");
    });
    result.map(|mut response| {
        let id = HeaderValue::from_str(id.as_str()).expect("a reference number is ASCII");
        response.headers_mut().insert(REQUEST_ID, id);
        response
    })
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        sync::{Arc, Mutex},
    };

    use actix_web::{
        App, HttpResponse,
        middleware::from_fn,
        test::{TestRequest, call_service, init_service},
        web,
    };

    use super::*;

    /// What was logged.
    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[actix_web::test]
    async fn a_log_line_names_the_route_and_never_what_stands_in_the_address() {
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber =
            tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone());
        let _guard = tracing::subscriber::set_default(subscriber.finish());
        let answer = || async { HttpResponse::Ok().finish() };
        let inner = web::scope("/scim/{connector}").route("/Users/{id}", web::get().to(answer));
        let pages = web::scope("")
            .wrap(from_fn(request_log))
            .service(web::resource("/setup/{token}").route(web::get().to(answer)))
            .service(inner);
        let app = init_service(App::new().service(pages)).await;

        for path in [
            "/setup/s3cret?code=s3cret",
            "/setup/s3cret/",
            "/setup/s3cret/further",
            "/s3cret",
            "/scim/s3cret/Users/s3cret",
        ] {
            let answer = call_service(&app, TestRequest::get().uri(path).to_request()).await;
            assert!(answer.headers().contains_key(REQUEST_ID), "{path}");
        }

        let logged = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        let routes: Vec<_> =
            logged.split("route=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        let user = "/scim/{connector}/Users/{id}";
        assert_eq!(routes, ["/setup/{token}", "none", "none", "none", user], "{logged}");
        assert!(!logged.contains("s3cret"), "{logged}");
    }
}
