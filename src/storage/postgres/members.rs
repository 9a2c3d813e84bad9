//! Who belongs to a group.

use std::collections::HashSet;

use deadpool_postgres::GenericClient;
use tokio_postgres::Row;

use super::{
    Stop, Values,
    columns::{Columns, Moment},
    execute,
    failure::Failure,
    query,
};
use crate::{
    domain::{
        group::{Group, Member, Membership},
        id::{GroupId, MemberId, OrganizationId},
    },
    ports::groups::{GroupConflict, MembersChange},
};

/// Changes the members of one group, whose row is locked, and knows what came of it.
pub(super) struct Changing<'c, C> {
    client: &'c C,
    group: &'c Group,
    /// Who belongs to it who did not before.
    pub(super) added: HashSet<MemberId>,
    /// Who doesn't who did before.
    pub(super) removed: HashSet<MemberId>,
}

/// Who is deleted meanwhile is waited for, and can't belong to it.
const ADD: &str = "WITH person AS (
         SELECT id FROM account
         WHERE organization_id = $1 AND connector_id = $3 AND id = ANY ($4::uuid[])
         ORDER BY id FOR KEY SHARE),
     within AS (
         SELECT id FROM scim_group
         WHERE organization_id = $1 AND connector_id = $3 AND id = ANY ($4::uuid[]) AND id <> $2
         ORDER BY id FOR KEY SHARE)
     INSERT INTO group_member (organization_id, group_id, member_id, kind)
         SELECT $1, $2, id, 'User' FROM person
     UNION ALL
         SELECT $1, $2, id, 'Group' FROM within
     ON CONFLICT DO NOTHING RETURNING member_id";

const NOT_THERE: &str = "SELECT id FROM unnest($3::uuid[]) WITH ORDINALITY AS wanted (id, place)
     WHERE NOT EXISTS (SELECT FROM group_member
                       WHERE organization_id = $1 AND group_id = $2 AND member_id = wanted.id)
     ORDER BY place LIMIT 1";

const REMOVE: &str = "DELETE FROM group_member
     WHERE organization_id = $1 AND group_id = $2 AND member_id = ANY ($3::uuid[])
     RETURNING member_id";

const REMOVE_OTHERS: &str = "DELETE FROM group_member
     WHERE organization_id = $1 AND group_id = $2 AND member_id <> ALL ($3::uuid[])
     RETURNING member_id";

impl<'c, C: GenericClient> Changing<'c, C> {
    pub(super) fn of(client: &'c C, group: &'c Group) -> Self {
        Self { client, group, added: HashSet::new(), removed: HashSet::new() }
    }

    /// Whether anything is different now.
    pub(super) fn has_changed(&self) -> bool {
        !(self.added.is_empty() && self.removed.is_empty())
    }

    pub(super) async fn carry_out(
        &mut self,
        change: &MembersChange,
    ) -> Result<(), Stop<GroupConflict>> {
        match change {
            MembersChange::Add(members) => self.add(members).await,
            MembersChange::Remove(members) => Ok(self.remove(REMOVE, members).await?),
            MembersChange::Set(members) => {
                self.remove(REMOVE_OTHERS, members).await?;
                self.add(members).await
            }
        }
    }

    async fn add(&mut self, members: &[MemberId]) -> Result<(), Stop<GroupConflict>> {
        if members.is_empty() {
            return Ok(());
        }
        let Group { organization_id, connector_id, id, .. } = self.group;
        let wanted: &Values<'_> = &[organization_id, id, connector_id, &members];
        let added = query(self.client, ADD, wanted).await?;
        for id in identifiers(&added)? {
            if !self.removed.remove(&id) {
                self.added.insert(id);
            }
        }
        if added.len() == members.len() {
            return Ok(());
        }
        let missing = query(self.client, NOT_THERE, &[organization_id, id, &members]).await?;
        match identifiers(&missing)?.first() {
            Some(id) => Err(Stop::Refused(GroupConflict::NoMember(*id))),
            None => Ok(()),
        }
    }

    async fn remove(&mut self, sql: &str, members: &[MemberId]) -> Result<(), Failure> {
        let Group { organization_id, id, .. } = self.group;
        let removed = query(self.client, sql, &[organization_id, id, &members]).await?;
        for id in identifiers(&removed)? {
            if !self.added.remove(&id) {
                self.removed.insert(id);
            }
        }
        Ok(())
    }
}

fn identifiers(rows: &[Row]) -> Result<Vec<MemberId>, Failure> {
    rows.iter().map(|row| Columns::of(row).read()).collect()
}

/// Locks the groups that one belongs to, in the order of identifiers.
pub(super) async fn lock_groups(
    client: &impl GenericClient,
    organization_id: OrganizationId,
    id: MemberId,
) -> Result<(), Failure> {
    let sql = "SELECT FROM scim_group
               WHERE organization_id = $1 AND id IN
                   (SELECT group_id FROM group_member
                    WHERE organization_id = $1 AND member_id = $2)
               ORDER BY id FOR NO KEY UPDATE";
    query(client, sql, &[&organization_id, &id]).await.map(drop)
}

/// Ends all memberships of one who is deleted; the groups have changed by that.
pub(super) async fn leave_all(
    client: &impl GenericClient,
    organization_id: OrganizationId,
    id: MemberId,
    at: &Moment,
) -> Result<(), Failure> {
    let sql = "WITH ended AS (
                   DELETE FROM group_member WHERE organization_id = $1 AND member_id = $2
                   RETURNING group_id)
               UPDATE scim_group SET version = version + 1, last_modified_at = $3
               WHERE organization_id = $1 AND id IN (SELECT group_id FROM ended)";
    execute(client, sql, &[&organization_id, &id, at]).await.map(drop)
}

/// Lists who belongs to the group `$2` of the organization `$1` after `$3`, in the order of
/// identifiers.
pub(super) const LIST: &str = "SELECT belonging.member_id, belonging.kind,
            coalesce(person.display_name, within.display_name)
     FROM group_member AS belonging
     LEFT JOIN account AS person ON belonging.kind = 'User'
         AND person.organization_id = $1 AND person.id = belonging.member_id
     LEFT JOIN scim_group AS within ON belonging.kind = 'Group'
         AND within.organization_id = $1 AND within.id = belonging.member_id
     WHERE belonging.organization_id = $1 AND belonging.group_id = $2
         AND belonging.member_id > $3
     ORDER BY belonging.member_id LIMIT $4";

/// Lists the groups that the accounts `$2` belong to, in the order of the accounts and then of
/// identifiers.
pub(super) const MEMBERSHIPS: &str = "SELECT wanted.id, scim_group.id, scim_group.display_name
     FROM unnest($2::uuid[]) WITH ORDINALITY AS wanted (id, place)
     JOIN group_member AS belonging
         ON belonging.organization_id = $1 AND belonging.member_id = wanted.id
     JOIN scim_group
         ON scim_group.organization_id = $1 AND scim_group.id = belonging.group_id
     ORDER BY wanted.place, belonging.group_id";

pub(super) fn read(columns: &mut Columns<'_>) -> Result<Member, Failure> {
    Ok(Member { id: columns.read()?, kind: columns.read()?, display: columns.read()? })
}

pub(super) fn read_membership(columns: &mut Columns<'_>) -> Result<Membership, Failure> {
    let account_id = columns.read()?;
    let group_id: GroupId = columns.read()?;
    Ok(Membership { account_id, group_id, display: columns.read()? })
}
