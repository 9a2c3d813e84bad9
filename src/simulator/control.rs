//! The control address, at which a test or a person changes the simulator from outside its process.

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{self, HeaderMap},
    web::Data,
};
use serde_json::{Value, json};

use super::{entra::Entra, fault::Fault, pages, parameters::Parameters};

/// `GET /control/fault`: the fault that is on, and those that there are; a page for a browser,
/// else JSON.
pub(super) async fn show_fault(entra: Data<Entra>, http: HttpRequest) -> HttpResponse {
    let current = entra.faults.current();
    if wants_page(http.headers()) {
        return pages::faults(&current);
    }
    let row = |fault: &Fault| json!({ "name": fault.name(), "description": fault.description() });
    let faults: Vec<Value> = Fault::ALL.iter().map(row).collect();
    let current = current.first().map(|fault| fault.name());
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(json!({ "fault": current, "faults": faults }))
}

/// `POST /control/fault`: turns the fault of the form's `name` on; without a name, all off.
pub(super) async fn set_fault(entra: Data<Entra>, http: HttpRequest, body: String) -> HttpResponse {
    if comes_from_elsewhere(http.headers()) {
        return HttpResponse::Forbidden().body("Only this page changes the tenant.");
    }
    let form = match Parameters::parse(&body) {
        Ok(form) => form,
        Err(error) => return HttpResponse::BadRequest().body(error.sentence()),
    };
    match form.get("name").map(str::parse::<Fault>).transpose() {
        Ok(fault) => entra.faults.set(fault),
        Err(unknown) => return HttpResponse::BadRequest().body(unknown.to_string()),
    }
    if wants_page(http.headers()) {
        return HttpResponse::SeeOther()
            .insert_header((header::LOCATION, "/control/fault"))
            .finish();
    }
    HttpResponse::NoContent().finish()
}

fn wants_page(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/html"))
}

/// Whether a page of another site made the browser ask.
pub(super) fn comes_from_elsewhere(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site")
}
