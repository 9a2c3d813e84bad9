//! The provisioning log's lines about what was refused or failed.

use actix_web::{
    Error, HttpMessage as _,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    middleware::Next,
};
use serde_json::Value;

use super::request::ScimRequest;
use crate::{
    domain::provisioning_record::{ProvisioningOutcome, ProvisioningRecord},
    http::error::ScimFault,
    service::provisioning::Call,
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
        let request = response.request();
        let extensions = request.extensions();
        if let Some(scim) = extensions.get::<ScimRequest>() {
            let sent = Some(scim.sent()).filter(|sent| sent.len() <= LONGEST_KEPT);
            let body = sent.and_then(|sent| serde_json::from_slice(&sent).ok());
            let resource = request.match_info().get("id").map(str::to_owned);
            note(scim, scim.call(), fault, resource, body);
        }
    }
    Ok(response)
}

/// Notes a request, or one operation of a bulk, that was refused or failed.
pub(super) fn note(
    scim: &ScimRequest,
    call: &Call,
    fault: &ScimFault,
    resource: Option<String>,
    body: Option<Value>,
) {
    let outcome = match fault {
        // Asking whether somebody is there is no mistake.
        ScimFault::NotFound(_) if call.method == "GET" => ProvisioningOutcome::Answered,
        ScimFault::Unavailable(_) => ProvisioningOutcome::Failed,
        _ => ProvisioningOutcome::Refused,
    };
    scim.state().ports.journal.note(ProvisioningRecord {
        status: fault.status(),
        outcome,
        summary: fault.summary(),
        resource,
        body: body.map(without_secrets),
        ..call.record(scim.connector(), scim.now())
    });
}

/// A body without what must not be kept: passwords, wherever they stand.
fn without_secrets(mut body: Value) -> Value {
    match &mut body {
        Value::Object(members) => {
            members.retain(|name, _| !is_secret(name));
            for value in members.values_mut() {
                *value = without_secrets(value.take());
            }
            if members.get("path").and_then(Value::as_str).is_some_and(is_secret) {
                members.remove("value");
            }
        }
        Value::Array(values) => {
            for value in values {
                *value = without_secrets(value.take());
            }
        }
        _ => {}
    }
    body
}

fn is_secret(name: &str) -> bool {
    name.rsplit(':').next().is_some_and(|name| name.eq_ignore_ascii_case("password"))
}
