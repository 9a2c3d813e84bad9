//! `POST /Bulk`: many operations in one request (RFC 7644 §3.7).

use actix_web::{HttpResponse, web::Payload};
use serde_json::Map;

use super::{LONGEST_BODY, answer, journal, request::ScimRequest};
use crate::{
    http::error::ScimFault,
    scim::{
        bulk::{
            BulkError, BulkRequest, Entry, MAX_OPERATIONS, Method, Operation,
            plan::{self, Step},
            references::{Ids, Unresolved},
            response::{BulkResponse, OperationResult},
        },
        error::ScimError,
        resource_meta,
    },
    service::provisioning::{Call, Expected, Resource, Verb, Write},
};

/// Carries out operation after operation; each is a change of its own.
pub async fn carry_out(scim: ScimRequest, payload: Payload) -> Result<HttpResponse, ScimFault> {
    let body = scim.object(payload, LONGEST_BODY).await?;
    let request = BulkRequest::parse(body, MAX_OPERATIONS, scim.profile()).map_err(refusal)?;
    let mut job = Job::new(&scim, &request);
    for step in plan::steps(&request) {
        if request.stops_after(job.errors()) {
            break;
        }
        job.take(step).await;
    }
    let results = job.results.into_iter().flatten().collect();
    Ok(answer::json(HttpResponse::Ok(), &BulkResponse::new(results)))
}

fn refusal(error: BulkError) -> ScimFault {
    match error {
        BulkError::Scim(error) => error.into(),
        too_many @ BulkError::TooManyOperations { .. } => ScimFault::TooLarge(too_many.to_string()),
    }
}

/// A request that is being carried out.
struct Job<'a> {
    scim: &'a ScimRequest,
    request: &'a BulkRequest,
    ids: Ids,
    results: Vec<Option<OperationResult>>,
}

impl<'a> Job<'a> {
    fn new(scim: &'a ScimRequest, request: &'a BulkRequest) -> Self {
        let results = request.operations.iter().map(|_| None).collect();
        Self { scim, request, ids: Ids::known(request), results }
    }

    /// How many operations were not carried out.
    fn errors(&self) -> u64 {
        let failed = self.results.iter().flatten().filter(|result| result.is_error());
        failed.count() as u64
    }

    async fn take(&mut self, step: Step) {
        let request = self.request;
        let index = match &step {
            Step::Run { operation, .. }
            | Step::Complete { operation, .. }
            | Step::Refuse { operation, .. } => *operation,
        };
        let entry = &request.operations[index];
        let result = match (step, &entry.operation) {
            (Step::Refuse { error, .. }, _) => self.failed(entry, &error.into()),
            (_, Err(error)) => self.failed(entry, &error.clone().into()),
            (Step::Run { left_out, .. }, Ok(operation)) => {
                match operation.resolved(&self.ids, &left_out) {
                    Ok(operation) => self.run(entry, operation).await,
                    Err(unresolved) => self.failed(entry, &missing(&unresolved)),
                }
            }
            (Step::Complete { left_out, .. }, Ok(operation)) => {
                match operation.completion(&self.ids, &left_out) {
                    Ok(patch) => self.complete(entry, operation, patch).await,
                    Err(unresolved) => self.failed(entry, &missing(&unresolved)),
                }
            }
        };
        self.results[index] = Some(result);
    }

    async fn run(&mut self, entry: &Entry, operation: Operation) -> OperationResult {
        let Operation { method, resource_type: kind, id, version, data } = operation;
        let id_text = id.clone().unwrap_or_default();
        let (verb, status) = match method {
            Method::Post => (Verb::Create(data), 201),
            Method::Put => (Verb::Replace(id_text.clone(), data), 200),
            Method::Patch => (Verb::Patch(id_text.clone(), data), 200),
            Method::Delete => (Verb::Delete(id_text.clone()), 204),
        };
        let expected = Expected(version.as_deref());
        let call = self.call(entry);
        match self.scim.directory_for(&call).write(Write { kind, verb }, expected).await {
            Ok(Some(resource)) => self.done(entry, status, &resource),
            Ok(None) => {
                let location = format!("{}{}/{id_text}", self.scim.base_url(), kind.endpoint());
                OperationResult::done(entry, status, location, None)
            }
            Err(error) => self.failed(entry, &error.into()),
        }
    }

    /// Adds what a resource lacked because it was created before what it mentions.
    async fn complete(
        &mut self,
        entry: &Entry,
        operation: &Operation,
        patch: Map<String, serde_json::Value>,
    ) -> OperationResult {
        let created = entry.bulk_id.as_deref().and_then(|bulk_id| self.ids.get(bulk_id));
        let Some(id) = created.map(str::to_owned) else {
            // It was not created, and the answer to that says why.
            let error = ScimError::InvalidValue("what it completes was not created".to_owned());
            return self.failed(entry, &error.into());
        };
        let write = Write { kind: operation.resource_type, verb: Verb::Patch(id, patch) };
        let call = self.call(entry);
        match self.scim.directory_for(&call).write(write, Expected::default()).await {
            Ok(Some(resource)) => self.done(entry, 201, &resource),
            Ok(None) => unreachable!("a PATCH deletes nothing"),
            Err(error) => self.failed(entry, &error.into()),
        }
    }

    fn done(&mut self, entry: &Entry, status: u16, resource: &Resource) -> OperationResult {
        if let Some(bulk_id) = &entry.bulk_id {
            self.ids.insert(bulk_id, resource.id());
        }
        let version = resource_meta::etag(resource.version());
        let location = answer::location(self.scim, resource);
        OperationResult::done(entry, status, location, Some(version))
    }

    /// What the provisioning log says of one operation: as if it had come alone.
    fn call(&self, entry: &Entry) -> Call {
        let path = entry.operation.as_ref().map_or_else(
            |_| "/Bulk".to_owned(),
            |Operation { resource_type, id, .. }| {
                let endpoint = resource_type.endpoint();
                id.as_ref().map_or_else(|| endpoint.to_owned(), |id| format!("{endpoint}/{id}"))
            },
        );
        Call { method: entry.method.clone(), path, ..self.scim.call().clone() }
    }

    fn failed(&self, entry: &Entry, fault: &ScimFault) -> OperationResult {
        let operation = entry.operation.as_ref().ok();
        let body = operation.map(|operation| operation.data.clone().into());
        let resource = operation.and_then(|operation| operation.id.clone());
        journal::note(self.scim, &self.call(entry), fault, resource, body);
        let location = entry.operation.as_ref().ok().and_then(|operation| {
            let id = operation.id.as_deref().filter(|id| !id.starts_with("bulkId:"))?;
            Some(format!("{}{}/{id}", self.scim.base_url(), operation.resource_type.endpoint()))
        });
        let (status, scim_type) = (fault.status(), fault.scim_type());
        OperationResult::failed(entry, status, location, scim_type, fault.summary())
    }
}

fn missing(unresolved: &Unresolved) -> ScimFault {
    ScimFault::Conflict(unresolved.to_string())
}
