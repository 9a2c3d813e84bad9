//! The control address, at which a test changes the simulator from outside its process.

use actix_web::{
    HttpResponse,
    http::header,
    web::{Data, Form},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{entra::Entra, fault::Fault};

/// The form of [`set_fault`].
#[derive(Deserialize)]
pub(super) struct FaultForm {
    /// The fault to turn on; absent or empty: none.
    #[serde(default)]
    name: String,
}

/// `GET /control/fault`: the fault that is on, and those that there are.
pub(super) async fn show_fault(entra: Data<Entra>) -> HttpResponse {
    let row = |fault: &Fault| json!({ "name": fault.name(), "description": fault.description() });
    let faults: Vec<Value> = Fault::ALL.iter().map(row).collect();
    let current = entra.faults.current().map(Fault::name);
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(json!({ "fault": current, "faults": faults }))
}

/// `POST /control/fault`: turns a fault on, or all off.
pub(super) async fn set_fault(entra: Data<Entra>, form: Form<FaultForm>) -> HttpResponse {
    let fault = match &*form.name {
        "" => None,
        name => match name.parse() {
            Ok(fault) => Some(fault),
            Err(error) => return HttpResponse::BadRequest().body(format!("{error}: {name}\n")),
        },
    };
    entra.faults.set(fault);
    HttpResponse::NoContent().finish()
}
