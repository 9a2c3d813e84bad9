//! What directories asked for.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension as _, Row, ToSql, params};

use super::{
    SqliteStore,
    columns::{Columns, Count, Json, Moment},
};
use crate::{
    domain::{
        id::{ConnectorId, OrganizationId, ProvisioningRecordId},
        provisioning_record::{ProvisioningRecord, ProvisioningTally},
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

#[async_trait]
impl ProvisioningLog for SqliteStore {
    async fn note_provisioning(
        &self,
        records: &[ProvisioningRecord],
        tallies: &[ProvisioningTally],
    ) -> Result<(), Unavailable> {
        let (records, tallies) = (records.to_vec(), tallies.to_vec());
        self.write("writing the provisioning log", move |connection| {
            records.iter().try_for_each(|record| insert(connection, record))?;
            tallies.iter().try_for_each(|tally| add(connection, tally))
        })
        .await
    }

    async fn find_provisioning_record(
        &self,
        organization_id: OrganizationId,
        connector_id: ConnectorId,
        id: ProvisioningRecordId,
    ) -> Result<Option<ProvisioningRecord>, Unavailable> {
        self.read("finding a line of the provisioning log", |connection| {
            let sql = format!(
                "SELECT {COLUMNS} FROM provisioning_record
                 WHERE organization_id = ? AND connector_id = ? AND id = ?"
            );
            let mut statement = connection.prepare_cached(&sql)?;
            statement.query_row(params![organization_id, connector_id, id], read).optional()
        })
    }

    async fn list_provisioning_records(
        &self,
        organization_id: OrganizationId,
        connector_id: ConnectorId,
        wanted: &RecordsWanted,
    ) -> Result<Vec<ProvisioningRecord>, Unavailable> {
        self.read("reading the provisioning log", |connection| {
            list(connection, organization_id, connector_id, wanted)
        })
    }

    async fn list_provisioning_tallies(
        &self,
        organization_id: OrganizationId,
        connector_id: ConnectorId,
        since: Timestamp,
    ) -> Result<Vec<ProvisioningTally>, Unavailable> {
        self.read("reading the tallies of provisioning", |connection| {
            let sql = "SELECT organization_id, connector_id, hour, requests, changed, failures,
                              last_request_at, last_success_at
                       FROM provisioning_tally
                       WHERE organization_id = ? AND connector_id = ? AND hour > ? ORDER BY hour";
            let mut statement = connection.prepare_cached(sql)?;
            let hour_before = Moment(since.checked_sub(AN_HOUR).unwrap_or(Timestamp::MIN));
            let key = params![organization_id, connector_id, hour_before];
            statement.query_map(key, read_tally)?.collect()
        })
    }

    async fn delete_provisioning_records(
        &self,
        moment: Timestamp,
        most: u64,
    ) -> Result<u64, Unavailable> {
        self.write("forgetting lines of the provisioning log", move |connection| {
            let mut forgotten = 0;
            for step in [delete_old, delete_old_tallies] {
                forgotten += step(connection, moment, FORGOTTEN_AT_ONCE - forgotten)?;
            }
            while forgotten < FORGOTTEN_AT_ONCE {
                match delete_surplus(connection, most, FORGOTTEN_AT_ONCE - forgotten)? {
                    0 => break,
                    deleted => forgotten += deleted,
                }
            }
            Ok(forgotten)
        })
        .await
    }
}

/// Writes a line down, in the command that it tells of.
pub(super) fn insert(connection: &Connection, record: &ProvisioningRecord) -> rusqlite::Result<()> {
    let sql = format!(
        "INSERT INTO provisioning_record ({COLUMNS})
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    );
    let inserted = connection.prepare_cached(&sql)?.execute(params![
        record.organization_id,
        record.connector_id,
        record.id,
        Moment(record.at),
        record.client,
        record.method,
        record.path,
        record.status,
        record.outcome,
        record.summary,
        record.resource,
        Json(&record.changes),
        record.body.as_ref().map(Json),
        record.replay_of,
    ]);
    inserted.map(drop)
}

/// Adds to the tally of an hour.
fn add(connection: &Connection, tally: &ProvisioningTally) -> rusqlite::Result<()> {
    let sql = "INSERT INTO provisioning_tally
                   (organization_id, connector_id, hour, requests, changed, failures,
                    last_request_at, last_success_at)
               VALUES (?, ?, ?, ?, ?, ?, ?, ?)
               ON CONFLICT DO UPDATE SET
                   requests = requests + excluded.requests,
                   changed = changed + excluded.changed,
                   failures = failures + excluded.failures,
                   last_request_at = max(last_request_at, excluded.last_request_at),
                   last_success_at = coalesce(max(last_success_at, excluded.last_success_at),
                                              last_success_at, excluded.last_success_at)";
    let added = connection.prepare_cached(sql)?.execute(params![
        tally.organization_id,
        tally.connector_id,
        Moment(tally.hour),
        Count(tally.requests),
        Count(tally.changed),
        Count(tally.failures),
        Moment(tally.last_request_at),
        tally.last_success_at.map(Moment),
    ]);
    added.map(drop)
}

fn list(
    connection: &Connection,
    organization_id: OrganizationId,
    connector_id: ConnectorId,
    wanted: &RecordsWanted,
) -> rusqlite::Result<Vec<ProvisioningRecord>> {
    let mut sql = format!(
        "SELECT {COLUMNS} FROM provisioning_record WHERE organization_id = ? AND connector_id = ?"
    );
    let mut values: Vec<&dyn ToSql> = vec![&organization_id, &connector_id];
    if let Some(outcome) = &wanted.outcome {
        sql += " AND outcome = ?";
        values.push(outcome);
    }
    if let Some(resource) = &wanted.resource {
        sql += " AND resource = ?";
        values.push(resource);
    }
    if let Some(before) = &wanted.before {
        sql += " AND id < ?";
        values.push(before);
    }
    sql += " ORDER BY id DESC LIMIT ?";
    let limit = Count(wanted.limit);
    values.push(&limit);
    let mut statement = connection.prepare_cached(&sql)?;
    statement.query_map(&*values, read)?.collect()
}

fn delete_old(connection: &Connection, moment: Timestamp, limit: u64) -> rusqlite::Result<u64> {
    let sql = "DELETE FROM provisioning_record WHERE rowid IN
                   (SELECT rowid FROM provisioning_record WHERE at < ? LIMIT ?)";
    let bounds = params![Moment(moment), Count(limit)];
    Ok(connection.prepare_cached(sql)?.execute(bounds)? as u64)
}

fn delete_old_tallies(
    connection: &Connection,
    moment: Timestamp,
    limit: u64,
) -> rusqlite::Result<u64> {
    let sql = "DELETE FROM provisioning_tally WHERE (organization_id, connector_id, hour) IN
                   (SELECT organization_id, connector_id, hour FROM provisioning_tally
                    WHERE hour < ? LIMIT ?)";
    let bounds = params![Moment(moment), Count(limit)];
    Ok(connection.prepare_cached(sql)?.execute(bounds)? as u64)
}

/// Forgets the oldest lines of a connector that has too many; 0 if none has.
fn delete_surplus(connection: &Connection, most: u64, limit: u64) -> rusqlite::Result<u64> {
    let sql = "SELECT organization_id, connector_id, records FROM provisioning_held
               WHERE records > ? ORDER BY records DESC LIMIT 1";
    let mut statement = connection.prepare_cached(sql)?;
    let held = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    let most_held = statement.query_row([Count(most)], held).optional()?;
    let Some((organization_id, connector_id, Count(records))) = most_held else { return Ok(0) };
    let (organization_id, connector_id): (OrganizationId, ConnectorId) =
        (organization_id, connector_id);
    let sql = "DELETE FROM provisioning_record WHERE rowid IN
                   (SELECT rowid FROM provisioning_record
                    WHERE organization_id = ? AND connector_id = ? ORDER BY id LIMIT ?)";
    let surplus = Count((records - most).min(limit));
    let key = params![organization_id, connector_id, surplus];
    Ok(connection.prepare_cached(sql)?.execute(key)? as u64)
}

fn read(row: &Row<'_>) -> rusqlite::Result<ProvisioningRecord> {
    let mut columns = Columns::of(row);
    Ok(ProvisioningRecord {
        organization_id: columns.read()?,
        connector_id: columns.read()?,
        id: columns.read()?,
        at: columns.read::<Moment>()?.0,
        client: columns.read()?,
        method: columns.read()?,
        path: columns.read()?,
        status: columns.read()?,
        outcome: columns.read()?,
        summary: columns.read()?,
        resource: columns.read()?,
        changes: columns.read::<Json<_>>()?.0,
        body: columns.read::<Option<Json<_>>>()?.map(|Json(body)| body),
        replay_of: columns.read()?,
    })
}

fn read_tally(row: &Row<'_>) -> rusqlite::Result<ProvisioningTally> {
    let mut columns = Columns::of(row);
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
