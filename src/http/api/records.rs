//! The provisioning log.

use actix_web::{
    HttpResponse,
    web::{Data, Path, Query},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::json;
use crate::{
    domain::{
        connector::Connector,
        id::ProvisioningRecordId,
        provisioning_record::{ProvisioningOutcome, ProvisioningRecord},
    },
    http::{
        State,
        error::{ApiError, ScimFault},
        extract::api_caller::ApiCaller,
    },
    ports::provisioning_log::RecordsWanted,
    scim::dialect::{self, Profile},
    service::provisioning::{
        Call, Directory, Error,
        replay::{self, NoReplay, Replayed},
    },
};

const DEFAULT_LINES: u64 = 50;
const MOST_LINES: u64 = 500;

/// Which lines.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    outcome: Option<String>,
    resource: Option<String>,
    before: Option<ProvisioningRecordId>,
    limit: Option<u64>,
}

/// `GET /records`: the newest first; `before` goes on after the last one shown.
pub async fn list(
    state: Data<State>,
    caller: ApiCaller,
    connector: Path<String>,
    wanted: Query<Wanted>,
) -> Result<HttpResponse, ApiError> {
    let (_, connector) = caller.connector(&state, &connector).await?;
    let Wanted { outcome, resource, before, limit } = wanted.into_inner();
    let outcome = outcome.map(|outcome| outcome.parse::<ProvisioningOutcome>());
    let wanted = RecordsWanted {
        outcome: outcome.transpose().map_err(ApiError::Refused)?,
        resource,
        before,
        limit: limit.unwrap_or(DEFAULT_LINES).min(MOST_LINES),
    };
    let (organization_id, id) = (connector.organization_id, connector.id);
    let store = &state.ports.store;
    let records = store.list_provisioning_records(organization_id, id, &wanted).await?;
    let records: Vec<_> = records.iter().map(shown).collect();
    Ok(json(HttpResponse::Ok(), &json!({ "records": records })))
}

/// `GET /records/{record}`: one line, with its body if it can be replayed.
pub async fn show(
    state: Data<State>,
    caller: ApiCaller,
    path: Path<(String, String)>,
) -> Result<HttpResponse, ApiError> {
    let (_, connector) = caller.connector(&state, &path.0).await?;
    let record = find(&state, &connector, &path.1).await?;
    let mut whole = shown(&record);
    whole["body"] = record.body.unwrap_or_default();
    Ok(json(HttpResponse::Ok(), &whole))
}

/// `POST /records/{record}/replay`: carries a refused write out once more.
pub async fn replay(
    state: Data<State>,
    caller: ApiCaller,
    path: Path<(String, String)>,
) -> Result<HttpResponse, ApiError> {
    let (organization, connector) = caller.connector(&state, &path.0).await?;
    let record = find(&state, &connector, &path.1).await?;
    let write = replay::write_of(&record).map_err(|no| ApiError::Conflict(no.to_string()))?;
    let call = Call {
        client: format!("Replay by {}", caller.actor().stored()),
        method: record.method.clone(),
        path: record.path.clone(),
        replay_of: Some(record.id),
    };
    let directory = Directory {
        ports: &state.ports,
        organization: &organization,
        connector: &connector,
        profile: Profile::named(&connector.provisioning.profile).unwrap_or(&dialect::ENTRA),
        call: &call,
    };
    if directory.is_overtaken(&record).await.map_err(not_replayed)? {
        return Err(ApiError::Conflict(NoReplay::Overtaken.to_string()));
    }
    let answer = match directory.replay(write).await.map_err(not_replayed)? {
        Replayed::Done(resource) => {
            json!({ "outcome": "changed", "resource": resource.map(|resource| resource.id()) })
        }
        Replayed::There(resource) => json!({ "outcome": "answered", "resource": resource.id() }),
        Replayed::Refused(error) => {
            let fault = ScimFault::from(error);
            note(&state, &connector, &call, &record, &fault);
            json!({ "outcome": "refused", "status": fault.status(), "because": fault.summary() })
        }
    };
    Ok(json(HttpResponse::Ok(), &answer))
}

fn not_replayed(error: Error) -> ApiError {
    match error {
        Error::Unavailable(unavailable) => unavailable.into(),
        error => ApiError::Conflict(ScimFault::from(error).summary()),
    }
}

fn note(
    state: &State,
    connector: &Connector,
    call: &Call,
    replayed: &ProvisioningRecord,
    fault: &ScimFault,
) {
    state.ports.journal.note(ProvisioningRecord {
        status: fault.status(),
        outcome: ProvisioningOutcome::Refused,
        summary: fault.summary(),
        resource: replayed.resource.clone(),
        body: replayed.body.clone(),
        ..call.record(connector, state.ports.clock.now())
    });
}

async fn find(
    state: &State,
    connector: &Connector,
    id: &str,
) -> Result<ProvisioningRecord, ApiError> {
    const NO_RECORD: ApiError = ApiError::NotFound("There is no line with that id.");
    let id = id.parse().map_err(|_| NO_RECORD)?;
    let (organization_id, connector_id) = (connector.organization_id, connector.id);
    let store = &state.ports.store;
    let found = store.find_provisioning_record(organization_id, connector_id, id).await?;
    found.ok_or(NO_RECORD)
}

fn shown(record: &ProvisioningRecord) -> Value {
    json!({
        "id": record.id,
        "at": record.at.to_string(),
        "client": record.client,
        "method": record.method,
        "path": record.path,
        "status": record.status,
        "outcome": record.outcome,
        "summary": record.summary,
        "resource": record.resource,
        "changes": record.changes,
        "replay_of": record.replay_of,
    })
}
