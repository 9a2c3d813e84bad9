//! Who belongs to a group.

use std::collections::HashSet;

use jiff::Timestamp;
use rusqlite::{CachedStatement, Connection, Row, params};

use super::{
    columns::{Columns, Count, Moment},
    writer::Stop,
};
use crate::{
    domain::{
        group::{Group, Member, Membership},
        id::{AccountId, GroupId, MemberId, OrganizationId},
    },
    ports::groups::{GroupConflict, MembersChange},
};

/// Changes the members of one group, row by row, and knows what came of it.
pub(super) struct Changing<'c> {
    connection: &'c Connection,
    group: &'c Group,
    add: CachedStatement<'c>,
    has: CachedStatement<'c>,
    remove: CachedStatement<'c>,
    /// Who belongs to it who did not before.
    pub(super) added: HashSet<MemberId>,
    /// Who doesn't who did before.
    pub(super) removed: HashSet<MemberId>,
}

impl<'c> Changing<'c> {
    pub(super) fn of(connection: &'c Connection, group: &'c Group) -> rusqlite::Result<Self> {
        let add = "INSERT INTO group_member (organization_id, group_id, member_id, kind)
                       SELECT ?1, ?2, id, 'User' FROM account
                       WHERE organization_id = ?1 AND id = ?3 AND connector_id = ?4
                   UNION ALL
                       SELECT ?1, ?2, id, 'Group' FROM scim_group
                       WHERE organization_id = ?1 AND id = ?3 AND connector_id = ?4 AND id <> ?2
                   ON CONFLICT DO NOTHING";
        let has = "SELECT 1 FROM group_member
                   WHERE organization_id = ? AND group_id = ? AND member_id = ?";
        let remove = "DELETE FROM group_member
                      WHERE organization_id = ? AND group_id = ? AND member_id = ?";
        Ok(Self {
            connection,
            group,
            add: connection.prepare_cached(add)?,
            has: connection.prepare_cached(has)?,
            remove: connection.prepare_cached(remove)?,
            added: HashSet::new(),
            removed: HashSet::new(),
        })
    }

    /// Whether anything is different now.
    pub(super) fn has_changed(&self) -> bool {
        !(self.added.is_empty() && self.removed.is_empty())
    }

    pub(super) fn carry_out(&mut self, change: &MembersChange) -> Result<(), Stop<GroupConflict>> {
        match change {
            MembersChange::Add(members) => members.iter().try_for_each(|id| self.add(*id)),
            MembersChange::Remove(members) => {
                Ok(members.iter().try_for_each(|id| self.remove(*id))?)
            }
            MembersChange::Set(members) => {
                let wanted: HashSet<_> = members.iter().copied().collect();
                let present = all(self.connection, self.group)?;
                for id in present.difference(&wanted) {
                    self.remove(*id)?;
                }
                wanted.difference(&present).try_for_each(|id| self.add(*id))
            }
        }
    }

    fn add(&mut self, id: MemberId) -> Result<(), Stop<GroupConflict>> {
        let Group { organization_id, connector_id, id: group_id, .. } = *self.group;
        let added = self.add.execute(params![organization_id, group_id, id, connector_id])?;
        if added > 0 {
            if !self.removed.remove(&id) {
                self.added.insert(id);
            }
        } else if !self.has.exists(params![organization_id, group_id, id])? {
            return Err(Stop::Refused(GroupConflict::NoMember(id)));
        }
        Ok(())
    }

    fn remove(&mut self, id: MemberId) -> rusqlite::Result<()> {
        let key = params![self.group.organization_id, self.group.id, id];
        if self.remove.execute(key)? > 0 && !self.added.remove(&id) {
            self.removed.insert(id);
        }
        Ok(())
    }
}

fn all(connection: &Connection, group: &Group) -> rusqlite::Result<HashSet<MemberId>> {
    let sql = "SELECT member_id FROM group_member WHERE organization_id = ? AND group_id = ?";
    let mut statement = connection.prepare_cached(sql)?;
    statement.query_map(params![group.organization_id, group.id], |row| row.get(0))?.collect()
}

/// Ends all memberships of one who is deleted; the groups have changed by that.
pub(super) fn leave_all(
    connection: &Connection,
    organization_id: OrganizationId,
    id: MemberId,
    at: Timestamp,
) -> rusqlite::Result<()> {
    let sql = "UPDATE scim_group SET version = version + 1, last_modified_at = ?3
               WHERE organization_id = ?1 AND id IN
                   (SELECT group_id FROM group_member
                    WHERE organization_id = ?1 AND member_id = ?2)";
    connection.prepare_cached(sql)?.execute(params![organization_id, id, Moment(at)])?;
    let sql = "DELETE FROM group_member WHERE organization_id = ? AND member_id = ?";
    connection.prepare_cached(sql)?.execute(params![organization_id, id]).map(drop)
}

/// Who belongs to a group after `after`, in the order of identifiers.
pub(super) fn list(
    connection: &Connection,
    organization_id: OrganizationId,
    group_id: GroupId,
    after: Option<MemberId>,
    limit: u64,
) -> rusqlite::Result<Vec<Member>> {
    let sql = "SELECT belonging.member_id, belonging.kind,
                      coalesce(person.display_name, within.display_name)
               FROM group_member AS belonging
               LEFT JOIN account AS person ON belonging.kind = 'User'
                   AND person.organization_id = ?1 AND person.id = belonging.member_id
               LEFT JOIN scim_group AS within ON belonging.kind = 'Group'
                   AND within.organization_id = ?1 AND within.id = belonging.member_id
               WHERE belonging.organization_id = ?1 AND belonging.group_id = ?2
                   AND belonging.member_id > ?3
               ORDER BY belonging.member_id LIMIT ?4";
    let after = after.map_or(Vec::new(), |id| id.as_bytes().to_vec());
    let mut statement = connection.prepare_cached(sql)?;
    let key = params![organization_id, group_id, after, Count(limit)];
    statement.query_map(key, read)?.collect()
}

fn read(row: &Row<'_>) -> rusqlite::Result<Member> {
    let mut columns = Columns::of(row);
    Ok(Member { id: columns.read()?, kind: columns.read()?, display: columns.read()? })
}

/// The groups that accounts belong to, in the order of the accounts and then of identifiers.
pub(super) fn memberships(
    connection: &Connection,
    organization_id: OrganizationId,
    accounts: &[AccountId],
) -> rusqlite::Result<Vec<Membership>> {
    let sql = "SELECT scim_group.id, scim_group.display_name
               FROM group_member AS belonging JOIN scim_group
                   ON scim_group.organization_id = ?1 AND scim_group.id = belonging.group_id
               WHERE belonging.organization_id = ?1 AND belonging.member_id = ?2
               ORDER BY belonging.group_id";
    let mut statement = connection.prepare_cached(sql)?;
    let mut found = Vec::new();
    for &account_id in accounts {
        let rows = statement.query_map(params![organization_id, account_id], |row| {
            Ok(Membership { account_id, group_id: row.get(0)?, display: row.get(1)? })
        })?;
        for membership in rows {
            found.push(membership?);
        }
    }
    Ok(found)
}
