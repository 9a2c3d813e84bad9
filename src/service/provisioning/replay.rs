//! A write that was refused, carried out once more after its cause was mended.

use serde_json::{Map, Value};

use super::{Directory, Error, Expected, Resource, Verb, Write};
use crate::{
    domain::provisioning_record::{ProvisioningOutcome, ProvisioningRecord},
    ports::{
        provisioning_log::RecordsWanted,
        query::{Query, Start},
    },
    scim::{filter::Filter, schema::ResourceType},
};

/// Why a line of the log can't be replayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoReplay {
    /// The connector has no such line.
    #[error("there is no such line in the provisioning log")]
    NotFound,
    /// It was carried out, or was no write.
    #[error("only a write that was refused or failed can be replayed")]
    NothingToRepeat,
    /// Its body was too long to be kept.
    #[error("the body of the request was too long to be kept; restart provisioning instead")]
    NoBody,
    /// The resource was changed since: the old request would undo the newer one.
    #[error("the user or group was changed since; a replay would undo that")]
    Overtaken,
}

/// What came of a replay.
#[derive(Debug)]
pub enum Replayed {
    /// It was carried out: the resource as it is now, unless it was deleted.
    Done(Option<Resource>),
    /// What it asks for is there already.
    There(Resource),
    /// It was refused again.
    Refused(Error),
}

/// The write of a line in the log.
pub fn write_of(record: &ProvisioningRecord) -> Result<Write, NoReplay> {
    let has_failed =
        matches!(record.outcome, ProvisioningOutcome::Refused | ProvisioningOutcome::Failed);
    let path = record.path.split('?').next().unwrap_or_default();
    let mut kinds = ResourceType::ALL.into_iter().filter(|_| has_failed);
    let kind = kinds.find(|kind| path.starts_with(kind.endpoint()));
    let kind = kind.ok_or(NoReplay::NothingToRepeat)?;
    let id = path[kind.endpoint().len()..].trim_matches('/');
    let id = Some(id).filter(|id| !id.is_empty()).map(str::to_owned);
    let body = || match &record.body {
        Some(Value::Object(body)) => Ok(body.clone()),
        _ => Err(NoReplay::NoBody),
    };
    let verb = match (record.method.as_str(), id) {
        ("POST", None) => Verb::Create(body()?),
        ("PUT", Some(id)) => Verb::Replace(id, body()?),
        ("PATCH", Some(id)) => Verb::Patch(id, body()?),
        ("DELETE", Some(id)) => Verb::Delete(id),
        _ => return Err(NoReplay::NothingToRepeat),
    };
    Ok(Write { kind, verb })
}

impl Directory<'_> {
    /// Whether the resource that a line is about was changed after it.
    pub async fn is_overtaken(&self, record: &ProvisioningRecord) -> Result<bool, Error> {
        let Some(resource) = &record.resource else { return Ok(false) };
        let wanted = RecordsWanted {
            outcome: Some(ProvisioningOutcome::Changed),
            resource: Some(resource.clone()),
            before: None,
            limit: 1,
        };
        let (organization_id, id) = (self.organization.id, self.connector.id);
        let store = &self.ports.store;
        let newest = store.list_provisioning_records(organization_id, id, &wanted).await?;
        Ok(newest.first().is_some_and(|newest| newest.id > record.id))
    }

    /// Carries out a write once more. Doing so twice has the effect of doing it once.
    pub async fn replay(&self, write: Write) -> Result<Replayed, Error> {
        if let Verb::Create(body) = &write.verb
            && let Some(there) = self.already_there(write.kind, body).await?
        {
            self.answered(200, "What the request asks for is there already", Some(there.id()));
            return Ok(Replayed::There(there));
        }
        match self.write(write, Expected::default()).await {
            Ok(resource) => Ok(Replayed::Done(resource)),
            Err(Error::Unavailable(unavailable)) => Err(Error::Unavailable(unavailable)),
            Err(refused) => Ok(Replayed::Refused(refused)),
        }
    }

    /// The resource of this connector that a creation would make once more.
    async fn already_there(
        &self,
        kind: ResourceType,
        body: &Map<String, Value>,
    ) -> Result<Option<Resource>, Error> {
        let name = match kind {
            ResourceType::User => "userName",
            ResourceType::Group => "displayName",
        };
        let Some(value) = body.get(name).and_then(Value::as_str) else { return Ok(None) };
        let filter = format!("{name} eq {}", Value::from(value));
        let filter = Filter::parse(&filter, Some(kind), self.profile)?;
        let query = Query { filter: Some(filter), sort: None, start: Start::Offset(0), limit: 1 };
        let found = match kind {
            ResourceType::User => self.query_users(&query).await?.map(Resource::User),
            ResourceType::Group => self.query_groups(&query).await?.map(Resource::Group),
        };
        let same_external_id = |there: &Resource| {
            let external_id = match there {
                Resource::User(account) => account.external_id.as_deref(),
                Resource::Group(group) => group.external_id.as_deref(),
            };
            external_id == body.get("externalId").and_then(Value::as_str)
        };
        Ok(found.items.into_iter().next().filter(same_external_id))
    }
}
