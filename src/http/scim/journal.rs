//! The provisioning log's lines about what was refused or failed.

use std::rc::Rc;

use actix_web::{
    Error, HttpMessage as _,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::Method,
    middleware::Next,
    web::Data,
};
use serde_json::Value;

use super::request::{Caller, Sent};
use crate::{
    domain::provisioning_record::{ProvisioningOutcome, ProvisioningRecord},
    http::{State, error::ScimFault},
};

/// Longer bodies are not kept for a replay.
const LONGEST_KEPT: usize = 256 * 1024;

/// Notes every request of a proven directory that was refused or failed.
pub async fn journal(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let response = next.call(request).await?;
    let fault = response.response().error().and_then(|error| error.as_error::<ScimFault>());
    if let Some(fault) = fault {
        note(&response, fault);
    }
    Ok(response)
}

fn note<B>(response: &ServiceResponse<B>, fault: &ScimFault) {
    let request = response.request();
    let extensions = request.extensions();
    let Some(caller) = extensions.get::<Rc<Caller>>() else { return };
    let state = request.app_data::<Data<State>>().expect("every app carries its state");
    let sent = extensions.get::<Sent>().filter(|Sent(sent)| sent.len() <= LONGEST_KEPT);
    let is_read = request.method() == Method::GET;
    let outcome = match fault {
        // Asking whether somebody is there is no mistake.
        ScimFault::NotFound(_) if is_read => ProvisioningOutcome::Answered,
        ScimFault::Unavailable(_) => ProvisioningOutcome::Failed,
        _ => ProvisioningOutcome::Refused,
    };
    state.ports.journal.note(ProvisioningRecord {
        status: response.status().as_u16(),
        outcome,
        summary: fault.summary(),
        resource: request.match_info().get("id").map(str::to_owned),
        body: sent.and_then(|Sent(sent)| serde_json::from_slice(sent).ok()).map(without_secrets),
        ..caller.call.record(&caller.connector, state.ports.clock.now())
    });
}

/// A body without what must not be kept: passwords, wherever they stand.
fn without_secrets(mut body: Value) -> Value {
    match &mut body {
        Value::Object(members) => {
            members.retain(|name, _| !is_secret(name));
            members.values_mut().for_each(|value| *value = without_secrets(value.take()));
            if members.get("path").and_then(Value::as_str).is_some_and(is_secret) {
                members.remove("value");
            }
        }
        Value::Array(values) => {
            values.iter_mut().for_each(|value| *value = without_secrets(value.take()));
        }
        _ => {}
    }
    body
}

fn is_secret(name: &str) -> bool {
    name.rsplit(':').next().is_some_and(|name| name.eq_ignore_ascii_case("password"))
}
