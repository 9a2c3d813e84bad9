//! The control address, at which a test changes the simulator from outside its process.

use actix_web::{HttpResponse, http::header, web::Data};
use serde_json::{Value, json};

use super::{
    entra::Entra,
    fault::{Fault, UnknownFault},
    parameters::Parameters,
};

/// `GET /control/fault`: the fault that is on, and those that there are.
pub(super) async fn show_fault(entra: Data<Entra>) -> HttpResponse {
    let row = |fault: &Fault| json!({ "name": fault.name(), "description": fault.description() });
    let faults: Vec<Value> = Fault::ALL.iter().map(row).collect();
    let current = entra.faults.current().map(Fault::name);
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(json!({ "fault": current, "faults": faults }))
}

/// `POST /control/fault`: turns the fault of the form's `name` on; without a name, all off.
pub(super) async fn set_fault(entra: Data<Entra>, body: String) -> HttpResponse {
    let form = match Parameters::parse(&body) {
        Ok(form) => form,
        Err(error) => return HttpResponse::BadRequest().body(error.sentence()),
    };
    match form.get("name").map(str::parse).transpose() {
        Ok(fault) => {
            entra.faults.set(fault);
            HttpResponse::NoContent().finish()
        }
        Err(UnknownFault) => HttpResponse::BadRequest().body(UnknownFault.to_string()),
    }
}
