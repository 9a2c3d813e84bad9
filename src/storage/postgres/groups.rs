//! Groups.

use async_trait::async_trait;
use deadpool_postgres::GenericClient;
use serde_json::{Map, Value};
use tokio_postgres::types::ToSql;

use super::{
    PostgresStore, Stop, Values,
    columns::{Columns, Count, Json, Moment, Text, folded},
    directory::{self, Directory},
    execute,
    failure::Failure,
    members::{self, Changing},
    query,
    trail::TrailRows,
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

pub(super) const COLUMNS: &str = "organization_id, connector_id, id, display_name, external_id, \
     version, created_at, last_modified_at, attributes";

/// How many values a [`GroupRow`] has.
const VALUES: usize = 10;

#[async_trait]
impl Groups for PostgresStore {
    async fn insert_group(
        &self,
        group: &Group,
        members: &[MemberId],
        trail: &Trail,
    ) -> Result<(), NotDone<GroupConflict>> {
        let row = GroupRow::of(group);
        let trail = TrailRows::of(trail, Some(group.connector_id));
        let members = MembersChange::Add(members.to_vec());
        let inserted = transact!(self, transaction => {
            insert(&transaction, &row, &members, &trail).await
        });
        match inserted {
            Ok(()) => Ok(()),
            Err(stop) => Err(self.explain_group("creating a group", &row, stop).await),
        }
    }

    async fn change_group(
        &self,
        change: &GroupChange,
        trail: &Trail,
    ) -> Result<ChangedGroup, NotDone<GroupConflict>> {
        const DOING: &str = "changing a group";
        let trail = TrailRows::of(trail, Some(change.connector_id));
        let changed =
            transact!(self, transaction => change_group(&transaction, change, &trail).await);
        match (changed, &change.attributes) {
            (Ok(changed), _) => Ok(changed),
            (Err(stop), Some(attributes)) => {
                let GroupChange { organization_id, connector_id, id, .. } = *change;
                let wanted = Group { organization_id, connector_id, id, ..attributes.clone() };
                Err(self.explain_group(DOING, &GroupRow::of(&wanted), stop).await)
            }
            (Err(stop), None) => Err(Stop::while_doing(DOING)(stop)),
        }
    }

    async fn delete_group(
        &self,
        organization_id: OrganizationId,
        connector_id: ConnectorId,
        id: GroupId,
        trail: &Trail,
    ) -> Result<bool, Unavailable> {
        let trail = TrailRows::of(trail, Some(connector_id));
        let deleted = transact!(self, transaction => {
            delete(&transaction, organization_id, connector_id, id, &trail).await
        });
        let deleted = deleted.map_err(Stop::into_failure);
        deleted.map_err(Unavailable::while_doing("deleting a group"))
    }

    async fn find_group(
        &self,
        organization_id: OrganizationId,
        connector_id: ConnectorId,
        id: GroupId,
    ) -> Result<Option<Group>, Unavailable> {
        let key: &Values<'_> = &[&organization_id, &connector_id, &id];
        self.first("finding a group", &select(""), key, read).await
    }

    async fn query_groups(
        &self,
        organization_id: OrganizationId,
        connector_id: ConnectorId,
        query: &Query,
    ) -> Result<Page<Group>, NotDone<TooCostly>> {
        let directory = Directory { organization_id, connector_id, kind: ResourceType::Group };
        self.list("listing groups", directory, query).await
    }

    async fn list_members(
        &self,
        organization_id: OrganizationId,
        group_id: GroupId,
        after: Option<MemberId>,
        limit: u64,
    ) -> Result<Vec<Member>, Unavailable> {
        let after = after.unwrap_or(MemberId::from_bytes([0; 16]));
        let values: &Values<'_> = &[&organization_id, &group_id, &after, &Count(limit)];
        self.all("listing the members of a group", members::LIST, values, members::read).await
    }

    async fn list_memberships(
        &self,
        organization_id: OrganizationId,
        accounts: &[AccountId],
    ) -> Result<Vec<Membership>, Unavailable> {
        let (sql, values): (_, &Values<'_>) =
            (members::MEMBERSHIPS, &[&organization_id, &accounts]);
        self.all("listing memberships", sql, values, members::read_membership).await
    }
}

impl PostgresStore {
    /// Which other group has what this one wants to have.
    async fn explain_group(
        &self,
        doing: &'static str,
        row: &GroupRow<'_>,
        stop: Stop<GroupConflict>,
    ) -> NotDone<GroupConflict> {
        let is_taken = matches!(&stop, Stop::Failed(failure) if failure.taken().is_some());
        if !is_taken {
            return Stop::while_doing(doing)(stop);
        }
        let sql = "SELECT id, display_name_folded = $4 FROM scim_group
                   WHERE organization_id = $1 AND connector_id = $2 AND id <> $3
                       AND (display_name_folded = $4 OR external_id = $5)
                   ORDER BY 2 DESC LIMIT 1";
        let Group { organization_id, connector_id, id, .. } = row.group;
        let values: &Values<'_> =
            &[organization_id, connector_id, id, &row.display_name_folded, &row.external_id];
        let holder = self.first(doing, sql, values, |columns| {
            let id: GroupId = columns.read()?;
            let by_name = columns.read()?;
            Ok(if by_name { GroupConflict::DisplayName(id) } else { GroupConflict::ExternalId(id) })
        });
        match holder.await {
            Ok(Some(conflict)) => NotDone::Refused(conflict),
            // It has gone meanwhile.
            Ok(None) => Stop::while_doing(doing)(stop),
            Err(unavailable) => unavailable.into(),
        }
    }
}

fn select(lock: &str) -> String {
    format!(
        "SELECT {COLUMNS} FROM scim_group
         WHERE organization_id = $1 AND connector_id = $2 AND id = $3 {lock}"
    )
}

async fn insert(
    client: &impl GenericClient,
    row: &GroupRow<'_>,
    members: &MembersChange,
    trail: &TrailRows<'_>,
) -> Result<(), Stop<GroupConflict>> {
    let sql = format!(
        "WITH inserted AS (
             INSERT INTO scim_group ({COLUMNS}, display_name_folded, position)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, nextval('directory_position'))
             RETURNING connector_id, position),
         counted AS ({})
         {}",
        directory::counting(ResourceType::Group, 1, "inserted"),
        trail.insertion(VALUES + 1, "inserted")
    );
    let values = [&row.values()[..], &trail.values()].concat();
    execute(client, &sql, &values).await?;
    Changing::of(client, row.group).carry_out(members).await
}

/// Who else changes the group or its members waits for its row.
async fn change_group(
    client: &impl GenericClient,
    wanted: &GroupChange,
    trail: &TrailRows<'_>,
) -> Result<ChangedGroup, Stop<GroupConflict>> {
    let key: &Values<'_> = &[&wanted.organization_id, &wanted.connector_id, &wanted.id];
    let found = query(client, &select("FOR NO KEY UPDATE"), key).await?;
    let Some(row) = found.first() else { return Err(Stop::Refused(GroupConflict::Gone)) };
    let before = read(&mut Columns::of(row))?;
    if wanted.expected_version.is_some_and(|expected| expected != before.version) {
        return Err(Stop::Refused(GroupConflict::Version));
    }
    let mut changing = Changing::of(client, &before);
    for change in &wanted.members {
        changing.carry_out(change).await?;
    }
    let mut group = after(&before, wanted);
    if group != before || changing.has_changed() {
        group.version += 1;
        group.last_modified_at = wanted.at;
        replace(client, &GroupRow::of(&group), trail).await?;
    }
    let (added, removed) = (changing.added.len() as u64, changing.removed.len() as u64);
    Ok(ChangedGroup { group, added, removed })
}

/// The group with the attributes that are wanted.
fn after(before: &Group, wanted: &GroupChange) -> Group {
    let Some(Group { display_name, external_id, attributes, .. }) = wanted.attributes.clone()
    else {
        return before.clone();
    };
    Group { display_name, external_id, attributes, ..before.clone() }
}

async fn replace(
    client: &impl GenericClient,
    row: &GroupRow<'_>,
    trail: &TrailRows<'_>,
) -> Result<(), Failure> {
    // Names $7, the moment of creation, without using it, so that both statements take the same
    // values.
    let sql = format!(
        "WITH replaced AS (
             UPDATE scim_group SET
                 display_name = $4, external_id = $5, version = $6, last_modified_at = $8,
                 attributes = $9, display_name_folded = $10
             WHERE organization_id = $1 AND connector_id = $2 AND id = $3
                 AND $7::timestamptz IS NOT NULL
             RETURNING 1)
         {}",
        trail.insertion(VALUES + 1, "replaced")
    );
    let values = [&row.values()[..], &trail.values()].concat();
    execute(client, &sql, &values).await.map(drop)
}

/// Deletes a group with all that rests on it; `false` if there is none. See the deletion of
/// accounts for the order.
async fn delete(
    client: &impl GenericClient,
    organization_id: OrganizationId,
    connector_id: ConnectorId,
    id: GroupId,
    trail: &TrailRows<'_>,
) -> Result<bool, Failure> {
    let member = MemberId::from_bytes(*id.as_bytes());
    members::lock_groups(client, organization_id, member).await?;
    let sql = format!(
        "WITH deleted AS (
             DELETE FROM scim_group WHERE organization_id = $1 AND connector_id = $2 AND id = $3
             RETURNING connector_id, position),
         counted AS ({})
         {}",
        directory::counting(ResourceType::Group, -1, "deleted"),
        trail.insertion(4, "deleted")
    );
    let key: [&(dyn ToSql + Sync); 3] = [&organization_id, &connector_id, &id];
    let values = [&key[..], &trail.values()].concat();
    let deleted = execute(client, &sql, &values).await? > 0;
    if deleted {
        members::leave_all(client, organization_id, member, trail.at()).await?;
    }
    Ok(deleted)
}

/// A group as it is written.
struct GroupRow<'a> {
    group: &'a Group,
    display_name: Text<&'a str>,
    external_id: Option<Text<&'a str>>,
    version: Count,
    created_at: Moment,
    last_modified_at: Moment,
    attributes: Json<&'a Map<String, Value>>,
    display_name_folded: Text<String>,
}

impl<'a> GroupRow<'a> {
    fn of(group: &'a Group) -> Self {
        Self {
            group,
            display_name: Text(&group.display_name),
            external_id: group.external_id.as_deref().map(Text),
            version: Count(group.version),
            created_at: Moment(group.created_at),
            last_modified_at: Moment(group.last_modified_at),
            attributes: Json(&group.attributes),
            display_name_folded: Text(folded(&group.display_name)),
        }
    }

    /// In the order of [`COLUMNS`], and then the folded name.
    fn values(&self) -> [&(dyn ToSql + Sync); VALUES] {
        [
            &self.group.organization_id,
            &self.group.connector_id,
            &self.group.id,
            &self.display_name,
            &self.external_id,
            &self.version,
            &self.created_at,
            &self.last_modified_at,
            &self.attributes,
            &self.display_name_folded,
        ]
    }
}

pub(super) fn read(columns: &mut Columns<'_>) -> Result<Group, Failure> {
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
