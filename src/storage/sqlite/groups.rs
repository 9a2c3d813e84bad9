//! Groups.

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension as _, Row, ToSql, params};

use super::{
    SqliteStore,
    columns::{Columns, Count, Json, Moment, folded},
    directory::Directory,
    is_taken,
    members::{self, Changing},
    queries::Reading,
    trail,
    writer::Stop,
};
use crate::{
    domain::{
        group::{Group, Member, Membership},
        id::{AccountId, ConnectorId, GroupId, MemberId, OrganizationId},
    },
    ports::{
        NotDone, Unavailable,
        groups::{ChangedGroup, GroupChange, GroupConflict, Groups, MembersChange},
        query::{Page, Query, TooCostly},
        trail::Trail,
    },
    scim::schema::ResourceType,
};

const COLUMNS: &str = "organization_id, connector_id, id, display_name, external_id, version, \
     created_at, last_modified_at, attributes";

#[async_trait]
impl Groups for SqliteStore {
    async fn insert_group(
        &self,
        group: &Group,
        members: &[MemberId],
        trail: &Trail,
    ) -> Result<(), NotDone<GroupConflict>> {
        let (group, trail) = (group.clone(), trail.clone());
        let members = MembersChange::Add(members.to_vec());
        self.write_unless("creating a group", move |connection| {
            insert(connection, &group)?;
            Changing::of(connection, &group)?.carry_out(&members)?;
            Ok(trail::insert(connection, &trail, Some(group.connector_id))?)
        })
        .await
    }

    async fn change_group(
        &self,
        change: &GroupChange,
        trail: &Trail,
    ) -> Result<ChangedGroup, NotDone<GroupConflict>> {
        let (wanted, trail) = (change.clone(), trail.clone());
        self.write_unless("changing a group", move |connection| {
            let changed = change_group(connection, &wanted)?;
            if changed.is_different {
                trail::insert(connection, &trail, Some(wanted.connector_id))?;
            }
            Ok(changed.outcome)
        })
        .await
    }

    async fn delete_group(
        &self,
        organization_id: OrganizationId,
        connector_id: ConnectorId,
        id: GroupId,
        trail: &Trail,
    ) -> Result<bool, Unavailable> {
        let trail = trail.clone();
        self.write("deleting a group", move |connection| {
            let sql = "DELETE FROM scim_group
                       WHERE organization_id = ? AND connector_id = ? AND id = ?
                       RETURNING position";
            let mut statement = connection.prepare_cached(sql)?;
            let key = params![organization_id, connector_id, id];
            let position = statement.query_row(key, |row| row.get(0)).optional()?;
            let Some(Count(position)) = position else { return Ok(false) };
            directory(organization_id, connector_id).leave_position(connection, position)?;
            let id = MemberId::from_bytes(*id.as_bytes());
            members::leave_all(connection, organization_id, id, trail.audit.at)?;
            trail::insert(connection, &trail, Some(connector_id))?;
            Ok(true)
        })
        .await
    }

    async fn find_group(
        &self,
        organization_id: OrganizationId,
        connector_id: ConnectorId,
        id: GroupId,
    ) -> Result<Option<Group>, Unavailable> {
        self.read("finding a group", |connection| {
            find(connection, organization_id, connector_id, id)
        })
    }

    async fn query_groups(
        &self,
        organization_id: OrganizationId,
        connector_id: ConnectorId,
        query: &Query,
    ) -> Result<Page<Group>, NotDone<TooCostly>> {
        let reading = Reading { columns: COLUMNS, read };
        let directory = directory(organization_id, connector_id);
        self.query("listing groups", directory, query, reading).await
    }

    async fn list_members(
        &self,
        organization_id: OrganizationId,
        group_id: GroupId,
        after: Option<MemberId>,
        limit: u64,
    ) -> Result<Vec<Member>, Unavailable> {
        self.read("listing the members of a group", |connection| {
            members::list(connection, organization_id, group_id, after, limit)
        })
    }

    async fn list_memberships(
        &self,
        organization_id: OrganizationId,
        accounts: &[AccountId],
    ) -> Result<Vec<Membership>, Unavailable> {
        self.read("listing memberships", |connection| {
            members::memberships(connection, organization_id, accounts)
        })
    }
}

const fn directory(organization_id: OrganizationId, connector_id: ConnectorId) -> Directory {
    Directory { organization_id, connector_id, kind: ResourceType::Group }
}

fn find(
    connection: &Connection,
    organization_id: OrganizationId,
    connector_id: ConnectorId,
    id: GroupId,
) -> rusqlite::Result<Option<Group>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM scim_group
         WHERE organization_id = ? AND connector_id = ? AND id = ?"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    statement.query_row(params![organization_id, connector_id, id], read).optional()
}

fn insert(connection: &Connection, group: &Group) -> Result<(), Stop<GroupConflict>> {
    let directory = directory(group.organization_id, group.connector_id);
    let position = directory.take_position(connection)?;
    let sql = "INSERT INTO scim_group
                   (organization_id, connector_id, id, position, display_name,
                    display_name_folded, external_id, version, created_at, last_modified_at,
                    attributes)
               VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    let inserted = connection.prepare_cached(sql)?.execute(params![
        group.organization_id,
        group.connector_id,
        group.id,
        Count(position),
        group.display_name,
        folded(&group.display_name),
        group.external_id,
        Count(group.version),
        Moment(group.created_at),
        Moment(group.last_modified_at),
        Json(&group.attributes),
    ]);
    inserted.map(drop).or_else(|error| Err(explain(connection, group, error)?))
}

struct Changed {
    outcome: ChangedGroup,
    is_different: bool,
}

fn change_group(
    connection: &Connection,
    wanted: &GroupChange,
) -> Result<Changed, Stop<GroupConflict>> {
    let GroupChange { organization_id, connector_id, id, .. } = *wanted;
    let before = find(connection, organization_id, connector_id, id)?
        .ok_or(Stop::Refused(GroupConflict::Gone))?;
    if wanted.expected_version.is_some_and(|expected| expected != before.version) {
        return Err(Stop::Refused(GroupConflict::Version));
    }
    let mut changing = Changing::of(connection, &before)?;
    wanted.members.iter().try_for_each(|change| changing.carry_out(change))?;
    let mut group = after(&before, wanted);
    let is_different = group != before || changing.has_changed();
    if is_different {
        group.version += 1;
        group.last_modified_at = wanted.at;
        replace(connection, &group)?;
    }
    let (added, removed) = (changing.added.len() as u64, changing.removed.len() as u64);
    Ok(Changed { outcome: ChangedGroup { group, added, removed }, is_different })
}

/// The group with the attributes that are wanted.
fn after(before: &Group, wanted: &GroupChange) -> Group {
    let Some(Group { display_name, external_id, attributes, .. }) = wanted.attributes.clone()
    else {
        return before.clone();
    };
    Group { display_name, external_id, attributes, ..before.clone() }
}

fn replace(connection: &Connection, group: &Group) -> Result<(), Stop<GroupConflict>> {
    let sql = "UPDATE scim_group SET
                   display_name = ?3, display_name_folded = ?4, external_id = ?5, version = ?6,
                   last_modified_at = ?7, attributes = ?8
               WHERE organization_id = ?1 AND id = ?2";
    let replaced = connection.prepare_cached(sql)?.execute(params![
        group.organization_id,
        group.id,
        group.display_name,
        folded(&group.display_name),
        group.external_id,
        Count(group.version),
        Moment(group.last_modified_at),
        Json(&group.attributes),
    ]);
    replaced.map(drop).or_else(|error| Err(explain(connection, group, error)?))
}

/// Which other group has what this one wants to have.
fn explain(
    connection: &Connection,
    group: &Group,
    error: rusqlite::Error,
) -> rusqlite::Result<Stop<GroupConflict>> {
    if !is_taken(&error) {
        return Ok(error.into());
    }
    let holder = |column, value: &dyn ToSql| {
        let sql = format!(
            "SELECT id FROM scim_group
             WHERE organization_id = ? AND connector_id = ? AND id <> ? AND {column} = ?"
        );
        let mut statement = connection.prepare_cached(&sql)?;
        let key = params![group.organization_id, group.connector_id, group.id, value];
        statement.query_row(key, |row| row.get::<_, GroupId>(0)).optional()
    };
    let by_name = holder("display_name_folded", &folded(&group.display_name))?;
    let by_external_id = holder("external_id", &group.external_id)?;
    let conflict =
        by_name.map(GroupConflict::DisplayName).or(by_external_id.map(GroupConflict::ExternalId));
    Ok(conflict.map_or_else(|| error.into(), Stop::Refused))
}

fn read(row: &Row<'_>) -> rusqlite::Result<Group> {
    let mut columns = Columns::of(row);
    Ok(Group {
        organization_id: columns.read()?,
        connector_id: columns.read()?,
        id: columns.read()?,
        display_name: columns.read()?,
        external_id: columns.read()?,
        version: columns.read::<Count>()?.0,
        created_at: columns.read::<Moment>()?.0,
        last_modified_at: columns.read::<Moment>()?.0,
        attributes: columns.read::<Json<_>>()?.0,
    })
}
