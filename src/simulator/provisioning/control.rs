//! The control address of provisioning, at which jobs are begun, run and read from outside the
//! simulator's process.

use std::sync::Arc;

use actix_web::{
    HttpRequest, HttpResponse,
    http::header,
    web::{Data, Path},
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    super::{
        control::comes_from_elsewhere, directory::Person, entra::Entra, parameters::Parameters,
        tenant::SimulatedTenant,
    },
    client::{ScimCredential, ScimTarget},
    job::JobSettings,
    mapping::{ExternalId, Mapping, Scope},
    matching::Matching,
    report::ProvisioningLog,
    roles::RoleMapping,
    running::RunningJob,
};
use crate::domain::secret::Secret;

/// `GET /control/provisioning`: every job.
pub(in super::super) async fn list(entra: Data<Entra>) -> HttpResponse {
    let mut jobs = Vec::new();
    for job in entra.into_inner().running_jobs() {
        jobs.push(job.json().await);
    }
    answer(&json!({ "jobs": jobs }))
}

/// `POST /control/provisioning`: begins a job with the form's settings.
pub(in super::super) async fn create(
    entra: Data<Entra>,
    http: HttpRequest,
    body: String,
) -> HttpResponse {
    if comes_from_elsewhere(http.headers()) {
        return elsewhere();
    }
    match begin(entra.into_inner(), &body) {
        Ok(job) => HttpResponse::Created()
            .insert_header((header::LOCATION, format!("/control/provisioning/{}", job.id())))
            .json(json!({ "id": job.id() })),
        Err(sentence) => HttpResponse::BadRequest().body(sentence),
    }
}

/// `GET /control/provisioning/{job}`: the job, and what its last cycle did.
pub(in super::super) async fn show(entra: Data<Entra>, job: Path<Uuid>) -> HttpResponse {
    match find(&entra, *job) {
        Some(job) => answer(&job.json().await),
        None => HttpResponse::NotFound().finish(),
    }
}

/// `POST /control/provisioning/{job}/{button}`: `cycle`, `test-connection`, `restart`, `on-demand`.
pub(in super::super) async fn press(
    entra: Data<Entra>,
    http: HttpRequest,
    path: Path<(Uuid, String)>,
    body: String,
) -> HttpResponse {
    if comes_from_elsewhere(http.headers()) {
        return elsewhere();
    }
    let (id, button) = path.into_inner();
    let Some(job) = find(&entra, id) else { return HttpResponse::NotFound().finish() };
    match button.as_str() {
        "cycle" => answer(&job.cycle().await.json()),
        "test-connection" => {
            let error = job.test_connection().await.err().map(|error| error.to_string());
            answer(&json!({ "connected": error.is_none(), "error": error }))
        }
        "restart" => {
            job.restart().await;
            HttpResponse::NoContent().finish()
        }
        "on-demand" => match on_demand(&job, &body).await {
            Ok(log) => answer(&log.json()),
            Err(sentence) => HttpResponse::BadRequest().body(sentence),
        },
        _ => HttpResponse::NotFound().finish(),
    }
}

fn find(entra: &Arc<Entra>, id: Uuid) -> Option<RunningJob> {
    entra.running_jobs().into_iter().find(|job| job.id() == id)
}

fn begin(entra: Arc<Entra>, body: &str) -> Result<RunningJob, String> {
    let form = Parameters::parse(body).map_err(|error| error.sentence())?;
    let settings = settings(&form)?;
    let tenant = form.require("tenant").map_err(|error| error.sentence())?;
    let id = entra.world().tenant_named(tenant).map_err(|error| error.sentence())?.id;
    let tenant = SimulatedTenant { entra, id };
    let applications = tenant.applications();
    let named = form.get("client_id").map(Uuid::try_parse);
    let application = match named {
        None => applications.first(),
        Some(id) => applications.iter().find(|known| Ok(known.client_id) == id),
    };
    let client_id = application.ok_or("the tenant has no such app registration")?.client_id;
    Ok(tenant.begin_provisioning(client_id, settings))
}

fn settings(form: &Parameters) -> Result<JobSettings, String> {
    let required = |name: &str| form.require(name).map_err(|error| error.sentence());
    let credential = ScimCredential::Bearer(Secret::new(required("password")?));
    let url = required("scim_url")?.to_owned();
    let mut settings = JobSettings::new(ScimTarget { url, credential, feature_flag: false });
    settings.mapping = Mapping {
        external_id: choose(form, "external_id", &EXTERNAL_IDS)?,
        roles: choose(form, "roles", &ROLES)?,
    };
    settings.scope = choose(form, "scope", &SCOPES)?;
    settings.groups = choose(form, "groups", &[("yes", true), ("no", false)])?;
    if let Some(matching) = form.get("matching") {
        let one = |name: &str| {
            let found = MATCHING.iter().find(|(known, _)| *known == name);
            found.map(|(_, matching)| *matching).ok_or_else(|| format!("matching: not {name}"))
        };
        settings.matching = matching.split(',').map(one).collect::<Result<_, _>>()?;
    }
    Ok(settings)
}

/// The names of values in the form; the first is the one by default.
type Names<T, const N: usize> = [(&'static str, T); N];

const EXTERNAL_IDS: Names<ExternalId, 2> =
    [("objectId", ExternalId::ObjectId), ("mailNickname", ExternalId::MailNickname)];
const ROLES: Names<RoleMapping, 5> = [
    ("none", RoleMapping::None),
    ("single", RoleMapping::Single),
    ("single-text", RoleMapping::SingleText),
    ("complex", RoleMapping::Complex),
    ("assertive", RoleMapping::Assertive),
];
const SCOPES: Names<Scope, 2> = [("assigned", Scope::Assigned), ("all", Scope::All)];
const MATCHING: Names<Matching, 3> = [
    ("userName", Matching::UserName),
    ("externalId", Matching::ExternalId),
    ("email", Matching::WorkEmail),
];

fn choose<T: Copy, const N: usize>(
    form: &Parameters,
    field: &str,
    names: &Names<T, N>,
) -> Result<T, String> {
    let chosen = form.get(field).unwrap_or(names[0].0);
    let found = names.iter().find(|(name, _)| *name == chosen);
    let known = || names.map(|(name, _)| name).join(", ");
    found.map(|(_, value)| *value).ok_or_else(|| format!("{field}: one of {}", known()))
}

/// Provisions the form's `name`, a person or a group, with up to five `members`, by comma.
async fn on_demand(job: &RunningJob, body: &str) -> Result<ProvisioningLog, String> {
    let form = Parameters::parse(body).map_err(|error| error.sentence())?;
    let name = form.require("name").map_err(|error| error.sentence())?;
    let tenant = job.tenant();
    let person = |name: &str| tenant.person(name).map(|person: Person| person.oid);
    let nobody = |name: &str| format!("the directory has no {name}");
    let oid = person(name).or_else(|| Some(tenant.group(name)?.oid)).ok_or_else(|| nobody(name))?;
    let members = form.get("members").into_iter().flat_map(|names| names.split(','));
    let members: Vec<Uuid> =
        members.map(|name| person(name).ok_or_else(|| nobody(name))).collect::<Result<_, _>>()?;
    job.provision_on_demand(oid, members).await.map_err(|error| error.to_string())
}

fn elsewhere() -> HttpResponse {
    HttpResponse::Forbidden().body("Only this page changes the tenant.")
}

fn answer(body: &Value) -> HttpResponse {
    HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(body)
}
