//! What directories asked for.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};
use tokio_postgres::types::ToSql;

use super::{
    PostgresStore, Values,
    columns::{Columns, Count, Json, Moment, Text, places},
    failure::Failure,
};
use crate::{
    domain::{
        id::{ConnectorId, OrganizationId, ProvisioningRecordId},
        provisioning_record::{ProvisioningOutcome, ProvisioningRecord, ProvisioningTally},
    },
    ports::{
        FORGOTTEN_AT_ONCE, Unavailable,
        provisioning_log::{ProvisioningLog, RecordsWanted},
    },
};

/// How much later than its beginning an hour's last moment is, and no more.
const AN_HOUR: SignedDuration = SignedDuration::from_hours(1);

const COLUMNS: &str = "organization_id, connector_id, id, at, client, method, path, status, \
     outcome, summary, resource, changes, body, replay_of";

/// Lines written in one statement at most.
const WRITTEN_AT_ONCE: usize = 500;

#[async_trait]
impl ProvisioningLog for PostgresStore {
    /// In as many commits as there are parts: tallies come last, so what is written again after a
    /// failure is a line that is there already.
    async fn note_provisioning(
        &self,
        records: &[ProvisioningRecord],
        tallies: &[ProvisioningTally],
    ) -> Result<(), Unavailable> {
        for part in records.chunks(WRITTEN_AT_ONCE) {
            self.insert_records(part).await?;
        }
        self.add_tallies(tallies).await
    }

    async fn find_provisioning_record(
        &self,
        organization_id: OrganizationId,
        connector_id: ConnectorId,
        id: ProvisioningRecordId,
    ) -> Result<Option<ProvisioningRecord>, Unavailable> {
        let sql = format!(
            "SELECT {COLUMNS} FROM provisioning_record
             WHERE organization_id = $1 AND connector_id = $2 AND id = $3"
        );
        let key: &Values<'_> = &[&organization_id, &connector_id, &id];
        self.first("finding a line of the provisioning log", &sql, key, read).await
    }

    async fn list_provisioning_records(
        &self,
        organization_id: OrganizationId,
        connector_id: ConnectorId,
        wanted: &RecordsWanted,
    ) -> Result<Vec<ProvisioningRecord>, Unavailable> {
        let limit = Count(wanted.limit);
        let mut values: Vec<&(dyn ToSql + Sync)> = vec![&organization_id, &connector_id, &limit];
        let mut conditions = vec!["organization_id = $1 AND connector_id = $2".to_owned()];
        let mut only = |condition, value| {
            values.push(value);
            conditions.push(format!("{condition} ${}", values.len()));
        };
        if let Some(outcome) = &wanted.outcome {
            only("outcome =", outcome);
        }
        if let Some(resource) = &wanted.resource {
            only("resource =", resource);
        }
        if let Some(before) = &wanted.before {
            only("id <", before);
        }
        let sql = format!(
            "SELECT {COLUMNS} FROM provisioning_record
             WHERE {} ORDER BY id DESC LIMIT $3",
            conditions.join(" AND ")
        );
        self.all("reading the provisioning log", &sql, &values, read).await
    }

    async fn list_provisioning_tallies(
        &self,
        organization_id: OrganizationId,
        connector_id: ConnectorId,
        since: Timestamp,
    ) -> Result<Vec<ProvisioningTally>, Unavailable> {
        let sql = "SELECT organization_id, connector_id, hour, requests, changed, failures,
                          last_request_at, last_success_at
                   FROM provisioning_tally
                   WHERE organization_id = $1 AND connector_id = $2 AND hour > $3 ORDER BY hour";
        let hour_before = Moment(since.checked_sub(AN_HOUR).unwrap_or(Timestamp::UNIX_EPOCH));
        let key: &Values<'_> = &[&organization_id, &connector_id, &hour_before];
        self.all("reading the tallies of provisioning", sql, key, read_tally).await
    }

    async fn delete_provisioning_records(
        &self,
        moment: Timestamp,
        most: u64,
    ) -> Result<u64, Unavailable> {
        const DOING: &str = "forgetting lines of the provisioning log";
        let (moment, most) = (Moment(moment), Count(most));
        let mut forgotten = 0;
        let steps: [(&str, &(dyn ToSql + Sync)); 3] =
            [(DELETE_OLD, &moment), (DELETE_OLD_TALLIES, &moment), (DELETE_SURPLUS, &most)];
        for (sql, bound) in steps {
            let limit = Count(FORGOTTEN_AT_ONCE - forgotten);
            forgotten += self.write(DOING, sql, &[bound, &limit]).await?;
        }
        Ok(forgotten)
    }
}

const DELETE_OLD: &str = "DELETE FROM provisioning_record
     WHERE (organization_id, connector_id, id) IN
         (SELECT organization_id, connector_id, id FROM provisioning_record WHERE at < $1
          LIMIT $2 FOR UPDATE SKIP LOCKED)";

const DELETE_OLD_TALLIES: &str = "DELETE FROM provisioning_tally
     WHERE (organization_id, connector_id, hour) IN
         (SELECT organization_id, connector_id, hour FROM provisioning_tally WHERE hour < $1
          LIMIT $2 FOR UPDATE SKIP LOCKED)";

/// Looks up the newest line of each connector that is one too many: nothing that every write would
/// have to count.
const DELETE_SURPLUS: &str = "DELETE FROM provisioning_record
     WHERE (organization_id, connector_id, id) IN
         (SELECT record.organization_id, record.connector_id, record.id
          FROM connector
          CROSS JOIN LATERAL
              (SELECT id FROM provisioning_record AS newer
               WHERE newer.organization_id = connector.organization_id
                   AND newer.connector_id = connector.id
               ORDER BY id DESC OFFSET $1 LIMIT 1) AS surplus
          CROSS JOIN LATERAL
              (SELECT organization_id, connector_id, id FROM provisioning_record AS older
               WHERE older.organization_id = connector.organization_id
                   AND older.connector_id = connector.id AND older.id <= surplus.id
               ORDER BY id LIMIT $2) AS record
          LIMIT $2)";

impl PostgresStore {
    async fn insert_records(&self, records: &[ProvisioningRecord]) -> Result<(), Unavailable> {
        let sql = format!(
            "INSERT INTO provisioning_record ({COLUMNS})
             SELECT * FROM unnest(
                 $1::uuid[], $2::uuid[], $3::uuid[], $4::timestamptz[], $5::text[], $6::text[],
                 $7::text[], $8::integer[], $9::text[], $10::text[], $11::text[], $12::json[],
                 $13::json[], $14::uuid[])
             ON CONFLICT DO NOTHING"
        );
        let each: Vec<_> = records.iter().map(RecordRow::of).collect();
        let each = || each.iter();
        let values: &Values<'_> = &[
            &each().map(|row| row.record.organization_id).collect::<Vec<_>>(),
            &each().map(|row| row.record.connector_id).collect::<Vec<_>>(),
            &each().map(|row| row.record.id).collect::<Vec<_>>(),
            &each().map(|row| &row.at).collect::<Vec<_>>(),
            &each().map(|row| &row.client).collect::<Vec<_>>(),
            &each().map(|row| &row.method).collect::<Vec<_>>(),
            &each().map(|row| &row.path).collect::<Vec<_>>(),
            &each().map(|row| row.status).collect::<Vec<_>>(),
            &each().map(|row| &row.record.outcome).collect::<Vec<_>>(),
            &each().map(|row| &row.summary).collect::<Vec<_>>(),
            &each().map(|row| &row.resource).collect::<Vec<_>>(),
            &each().map(|row| &row.changes).collect::<Vec<_>>(),
            &each().map(|row| &row.body).collect::<Vec<_>>(),
            &each().map(|row| row.record.replay_of).collect::<Vec<_>>(),
        ];
        self.write("writing the provisioning log", &sql, values).await.map(drop)
    }

    /// Adds to the tallies of their hours.
    async fn add_tallies(&self, tallies: &[ProvisioningTally]) -> Result<(), Unavailable> {
        // In one order, so that no two nodes wait for each other.
        let sql = "INSERT INTO provisioning_tally AS known
                       (organization_id, connector_id, hour, requests, changed, failures,
                        last_request_at, last_success_at)
                   SELECT organization_id, connector_id, hour, sum(requests), sum(changed),
                          sum(failures), max(last_request_at), max(last_success_at)
                   FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::bigint[],
                               $5::bigint[], $6::bigint[], $7::timestamptz[], $8::timestamptz[])
                       AS each (organization_id, connector_id, hour, requests, changed, failures,
                                last_request_at, last_success_at)
                   GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
                   ON CONFLICT (organization_id, connector_id, hour) DO UPDATE SET
                       requests = known.requests + excluded.requests,
                       changed = known.changed + excluded.changed,
                       failures = known.failures + excluded.failures,
                       last_request_at = greatest(known.last_request_at, excluded.last_request_at),
                       last_success_at = greatest(known.last_success_at, excluded.last_success_at)";
        let each = || tallies.iter();
        let values: &Values<'_> = &[
            &each().map(|tally| tally.organization_id).collect::<Vec<_>>(),
            &each().map(|tally| tally.connector_id).collect::<Vec<_>>(),
            &each().map(|tally| Moment(tally.hour)).collect::<Vec<_>>(),
            &each().map(|tally| Count(tally.requests)).collect::<Vec<_>>(),
            &each().map(|tally| Count(tally.changed)).collect::<Vec<_>>(),
            &each().map(|tally| Count(tally.failures)).collect::<Vec<_>>(),
            &each().map(|tally| Moment(tally.last_request_at)).collect::<Vec<_>>(),
            &each().map(|tally| tally.last_success_at.map(Moment)).collect::<Vec<_>>(),
        ];
        self.write("writing the provisioning log", sql, values).await.map(drop)
    }
}

/// How many values [`insertion`] takes.
pub(super) const VALUES: usize = 14;

/// The part of a statement that writes a line down if `source` has a row; its values begin at
/// `$first`.
pub(super) fn insertion(first: usize, source: &str) -> String {
    let types = [
        "uuid",
        "uuid",
        "uuid",
        "timestamptz",
        "text",
        "text",
        "text",
        "integer",
        "text",
        "text",
        "text",
        "json",
        "json",
        "uuid",
    ];
    let places = places(first, &types);
    format!("INSERT INTO provisioning_record ({COLUMNS}) SELECT {places} FROM {source}")
}

/// A line as it is written.
pub(super) struct RecordRow<'a> {
    record: &'a ProvisioningRecord,
    at: Moment,
    client: Text<&'a str>,
    method: Text<&'a str>,
    path: Text<&'a str>,
    status: i32,
    summary: Text<&'a str>,
    resource: Option<Text<&'a str>>,
    changes: Json<&'a Map<String, Value>>,
    body: Option<Json<&'a Value>>,
}

impl<'a> RecordRow<'a> {
    /// The row of a line.
    pub(super) fn of(record: &'a ProvisioningRecord) -> Self {
        Self {
            record,
            at: Moment(record.at),
            client: Text(&record.client),
            method: Text(&record.method),
            path: Text(&record.path),
            status: record.status.into(),
            summary: Text(&record.summary),
            resource: record.resource.as_deref().map(Text),
            changes: Json(&record.changes),
            body: record.body.as_ref().map(Json),
        }
    }

    /// In the order of [`COLUMNS`].
    pub(super) fn values(&self) -> [&(dyn ToSql + Sync); VALUES] {
        let ProvisioningRecord { organization_id, connector_id, id, outcome, replay_of, .. } =
            self.record;
        [
            organization_id,
            connector_id,
            id,
            &self.at,
            &self.client,
            &self.method,
            &self.path,
            &self.status,
            outcome,
            &self.summary,
            &self.resource,
            &self.changes,
            &self.body,
            replay_of,
        ]
    }
}

fn read(columns: &mut Columns<'_>) -> Result<ProvisioningRecord, Failure> {
    Ok(ProvisioningRecord {
        organization_id: columns.read()?,
        connector_id: columns.read()?,
        id: columns.read()?,
        at: columns.read::<Moment>()?.0,
        client: columns.read()?,
        method: columns.read()?,
        path: columns.read()?,
        status: u16::try_from(columns.read::<i32>()?).map_err(Failure::damaged)?,
        outcome: columns.read::<ProvisioningOutcome>()?,
        summary: columns.read()?,
        resource: columns.read()?,
        changes: columns.read::<Json<_>>()?.0,
        body: columns.read::<Option<Json<_>>>()?.map(|Json(body)| body),
        replay_of: columns.read()?,
    })
}

fn read_tally(columns: &mut Columns<'_>) -> Result<ProvisioningTally, Failure> {
    Ok(ProvisioningTally {
        organization_id: columns.read()?,
        connector_id: columns.read()?,
        hour: columns.read::<Moment>()?.0,
        requests: columns.read::<Count>()?.0,
        changed: columns.read::<Count>()?.0,
        failures: columns.read::<Count>()?.0,
        last_request_at: columns.read::<Moment>()?.0,
        last_success_at: columns.read::<Option<Moment>>()?.map(|Moment(at)| at),
    })
}
