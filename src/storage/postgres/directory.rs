//! The order in which a connector's users or groups came, and how many there are.
//!
//! # Why
//!
//! Counting a million rows takes long, and skipping nine tenths of them as long. So each has a
//! position, a number that is never given again, and for each 4096 positions in a row it is known
//! how many are still taken. A single number would be locked by each creation until its commit;
//! there are several, each server process has its own, and their sum is what counts.

use crate::{
    domain::id::{ConnectorId, OrganizationId},
    scim::schema::ResourceType,
};

/// How many positions one block has.
const BLOCK: u64 = 4_096;

/// Rows that one block is counted in at most.
const SLOTS: u64 = 32;

/// The connector of those that have none.
pub(super) const NOBODYS: &str = "'00000000-0000-0000-0000-000000000000'::uuid";

/// The users or the groups of a connector.
#[derive(Clone, Copy, Debug)]
pub(super) struct Directory {
    pub(super) organization_id: OrganizationId,
    pub(super) connector_id: ConnectorId,
    pub(super) kind: ResourceType,
}

/// The table of a kind.
pub(super) const fn table(kind: ResourceType) -> &'static str {
    match kind {
        ResourceType::User => "account",
        ResourceType::Group => "scim_group",
    }
}

/// The part of a statement that counts what `source` has in the columns `connector_id` and
/// `position`: one more each, or one less. The organization is `$1`.
pub(super) fn counting(kind: ResourceType, change: i64, source: &str) -> String {
    let kind = kind.name();
    format!(
        "INSERT INTO directory_block AS counted
             (organization_id, connector_id, kind, block, slot, live)
         SELECT $1::uuid, coalesce(connector_id, {NOBODYS}), '{kind}',
                coalesce(position, 0) / {BLOCK}, pg_backend_pid() % {SLOTS}, {change}
         FROM {source}
         ON CONFLICT (organization_id, connector_id, kind, block, slot)
             DO UPDATE SET live = counted.live + excluded.live"
    )
}

/// The part of a statement that has one row: how many there are in all (`total`), the position
/// where the page begins (`beginning`), how many from it on are still to be skipped (`skipped`),
/// and how many stand before the page (`before`).
///
/// `$1` is the organization, `$2` the connector, `$3` how many to skip.
pub(super) fn after_offset(kind: ResourceType) -> String {
    let kind = kind.name();
    format!(
        "WITH block AS (
             SELECT block, sum(live)::bigint AS live FROM directory_block
             WHERE organization_id = $1 AND connector_id = $2 AND kind = '{kind}'
             GROUP BY block),
         counted AS (
             SELECT block, live, (sum(live) OVER (ORDER BY block))::bigint - live AS before
             FROM block),
         start AS (
             SELECT block * {BLOCK} AS beginning, $3::bigint - before AS skipped FROM counted
             WHERE before + live > $3::bigint ORDER BY block LIMIT 1),
         place AS (
             SELECT (SELECT coalesce(sum(live), 0)::bigint FROM block) AS total,
                    (SELECT beginning FROM start) AS beginning,
                    coalesce((SELECT skipped FROM start), 0) AS skipped,
                    $3::bigint AS before)"
    )
}

/// The same after a position, `$3`.
pub(super) fn after_position(kind: ResourceType) -> String {
    let (table, kind) = (table(kind), kind.name());
    format!(
        "WITH place AS (
             SELECT coalesce(sum(live), 0)::bigint AS total,
                    $3::bigint + 1 AS beginning,
                    0::bigint AS skipped,
                    coalesce(sum(live) FILTER (WHERE block < $3::bigint / {BLOCK}), 0)::bigint
                        + (SELECT count(*) FROM {table}
                           WHERE organization_id = $1 AND connector_id = $2
                               AND position BETWEEN $3::bigint / {BLOCK} * {BLOCK} AND $3::bigint)
                        AS before
             FROM directory_block
             WHERE organization_id = $1 AND connector_id = $2 AND kind = '{kind}')"
    )
}
