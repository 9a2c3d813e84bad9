//! What a directory does with groups.

use serde_json::{Map, Value, json};

use super::{Directory, Error, Expected, MAX_CONFLICTS, log};
use crate::{
    domain::{
        group::{Group, Member, MemberKind},
        id::{GroupId, MemberId},
        provisioning_record::{ProvisioningOutcome, ProvisioningRecord},
    },
    ports::{
        NotDone, Part, Unavailable,
        groups::{ChangedGroup, GroupChange, GroupConflict, MembersChange},
        query::{Page, Query},
    },
    scim::{
        error::ScimError,
        filter::Filter,
        group,
        patch::{GroupPatch, MemberChange},
    },
};

/// How many members are read from the database at once.
pub const MEMBERS_AT_ONCE: u64 = 1_000;

/// Members that a line of the provisioning log names at most.
const MEMBERS_NAMED: usize = 20;

impl Directory<'_> {
    /// Creates a group with its members.
    ///
    /// # Errors
    /// `uniqueness` if another group of the connector has its display name or `externalId`;
    /// `invalidValue` for a member that the connector does not provision.
    pub async fn create_group(
        &self,
        group: group::Group,
        members: &[group::Member],
    ) -> Result<Group, Error> {
        let now = self.ports.clock.now();
        let created = Group {
            organization_id: self.organization.id,
            connector_id: self.connector.id,
            id: GroupId::generate(),
            display_name: group.display_name().to_owned(),
            external_id: group.external_id().map(str::to_owned),
            version: 1,
            created_at: now,
            last_modified_at: now,
            attributes: group.into_attributes(),
        };
        let members = identifiers(members)?;
        let summary = format!("Created the group {}", created.display_name);
        let record = self.changed_group(201, summary, created.id, members_named(&members));
        let trail = Self::trail(self.audit("group.created", &created.id), record, Vec::new());
        match self.ports.store.insert_group(&created, &members, &trail).await {
            Ok(()) => {
                self.count_change();
                Ok(created)
            }
            Err(NotDone::Refused(conflict)) => Err(refused(conflict, created.id)),
            Err(NotDone::Unavailable(unavailable)) => Err(unavailable.into()),
        }
    }

    /// The group of this identifier.
    pub async fn find_group(&self, id: GroupId) -> Result<Group, Error> {
        let group = self.own_group(id).await?;
        let summary = format!("Found the group {}", group.display_name);
        self.answered(200, summary, Some(id.to_string()));
        Ok(group)
    }

    /// The groups that a query asks for.
    pub async fn query_groups(&self, query: &Query) -> Result<Page<Group>, Error> {
        let store = &self.ports.store;
        match store.query_groups(self.organization.id, self.connector.id, query).await {
            Ok(page) => Ok(page),
            Err(NotDone::Refused(too_costly)) => Err(too_costly.into()),
            Err(NotDone::Unavailable(unavailable)) => Err(unavailable.into()),
        }
    }

    /// Who belongs to a group directly, after `after`; [`MEMBERS_AT_ONCE`] at most.
    pub async fn members(
        &self,
        id: GroupId,
        after: Option<MemberId>,
    ) -> Result<Vec<Member>, Error> {
        let store = &self.ports.store;
        Ok(store.list_members(self.organization.id, id, after, MEMBERS_AT_ONCE).await?)
    }

    /// Changes a group as the directory asks (RFC 7644 §3.5.2).
    ///
    /// Members are added and removed one by one in the database, never read and written back: a
    /// directory changes one group from many sides at once.
    pub async fn patch_group(
        &self,
        id: GroupId,
        patch: &GroupPatch,
        expected: Expected<'_>,
    ) -> Result<Group, Error> {
        let members = self.members_changes(id, patch.members()).await?;
        self.change_group(id, expected, |group| patch.apply(group), members).await
    }

    /// Replaces a group's attributes and members (RFC 7644 §3.5.1).
    pub async fn replace_group(
        &self,
        id: GroupId,
        group: &group::Group,
        members: &[group::Member],
        expected: Expected<'_>,
    ) -> Result<Group, Error> {
        let members = vec![MembersChange::Set(identifiers(members)?)];
        let replaced = |before: group::Group| {
            group.check_immutable(&before)?;
            Ok(group.clone())
        };
        self.change_group(id, expected, replaced, members).await
    }

    /// Deletes a group.
    pub async fn delete_group(&self, id: GroupId, expected: Expected<'_>) -> Result<(), Error> {
        let group = self.own_group(id).await?;
        if !expected.allows(group.version) {
            return Err(Error::Version);
        }
        let changes = log::changes(&group.attributes, &Map::new());
        let summary = format!("Deleted the group {}", group.display_name);
        let audit =
            self.audit("group.deleted", &id).with("display_name", group.display_name.as_str());
        let record = self.changed_group(204, summary, id, changes);
        let trail = Self::trail(audit, record, Vec::new());
        let (organization_id, connector_id) = (self.organization.id, self.connector.id);
        if !self.ports.store.delete_group(organization_id, connector_id, id, &trail).await? {
            return Err(no_group(id));
        }
        self.count_change();
        Ok(())
    }

    async fn change_group(
        &self,
        id: GroupId,
        expected: Expected<'_>,
        change: impl Fn(group::Group) -> Result<group::Group, ScimError>,
        members: Vec<MembersChange>,
    ) -> Result<Group, Error> {
        for _ in 0..MAX_CONFLICTS {
            let before = self.own_group(id).await?;
            if !expected.allows(before.version) {
                return Err(Error::Version);
            }
            let stored = group::Group::from_stored(before.attributes.clone());
            let after = change(stored.clone())?;
            let attributes = (after != stored).then(|| renamed(&before, after));
            // Attributes were computed from this version; members rest on none.
            let rests_on_version = attributes.is_some() || expected.0.is_some();
            let changes = GroupChange {
                organization_id: self.organization.id,
                connector_id: self.connector.id,
                id,
                expected_version: rests_on_version.then_some(before.version),
                attributes,
                members: members.clone(),
                at: self.ports.clock.now(),
            };
            match self.write_change(&before, &changes).await {
                Err(NotDone::Refused(GroupConflict::Version)) => {}
                Err(NotDone::Refused(conflict)) => return Err(refused(conflict, id)),
                Err(NotDone::Unavailable(unavailable)) => return Err(unavailable.into()),
                Ok(written) => return Ok(self.settle_group(&before, written)),
            }
        }
        Err(Error::Unavailable(Unavailable {
            part: Part::Database,
            doing: "changing a group that others keep changing",
            cause: "eight conflicts in a row".into(),
        }))
    }

    async fn write_change(
        &self,
        before: &Group,
        change: &GroupChange,
    ) -> Result<ChangedGroup, NotDone<GroupConflict>> {
        let mut changes = match &change.attributes {
            Some(after) => log::changes(&before.attributes, &after.attributes),
            None => Map::new(),
        };
        changes.extend(change.members.iter().flat_map(members_changed));
        let name = change.attributes.as_ref().unwrap_or(before).display_name.as_str();
        let names: Value = changes.keys().cloned().collect();
        let audit = self.audit("group.changed", &change.id).with("changed", names);
        let summary = format!("Changed the group {name}");
        let record = self.changed_group(204, summary, change.id, changes);
        self.ports.store.change_group(change, &Self::trail(audit, record, Vec::new())).await
    }

    fn settle_group(&self, before: &Group, changed: ChangedGroup) -> Group {
        if changed.group.version == before.version {
            let summary = format!("Nothing to change of the group {}", before.display_name);
            self.answered(204, summary, Some(before.id.to_string()));
        } else {
            self.count_change();
        }
        changed.group
    }

    /// A PATCH's changes of members, as rows to write.
    async fn members_changes(
        &self,
        id: GroupId,
        changes: &[MemberChange],
    ) -> Result<Vec<MembersChange>, Error> {
        let mut rows = Vec::with_capacity(changes.len());
        for change in changes {
            rows.push(match change {
                MemberChange::Add(members) => MembersChange::Add(identifiers(members)?),
                MemberChange::Set(members) => MembersChange::Set(identifiers(members)?),
                // Who has an identifier that is none of ours does not belong to the group.
                MemberChange::Remove(values) => {
                    MembersChange::Remove(values.iter().filter_map(|id| id.parse().ok()).collect())
                }
                MemberChange::RemoveWhere(filter) => {
                    MembersChange::Remove(self.members_where(id, filter).await?)
                }
            });
        }
        Ok(rows)
    }

    async fn members_where(&self, group: GroupId, filter: &Filter) -> Result<Vec<MemberId>, Error> {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let members = self.members(group, after).await?;
            found.extend(members.iter().filter(|m| filter.matches(&described(m))).map(|m| m.id));
            after = members.last().map(|member| member.id);
            if members.len() < usize::try_from(MEMBERS_AT_ONCE).unwrap_or(usize::MAX) {
                return Ok(found);
            }
        }
    }

    async fn own_group(&self, id: GroupId) -> Result<Group, Error> {
        let (organization_id, connector_id) = (self.organization.id, self.connector.id);
        let found = self.ports.store.find_group(organization_id, connector_id, id).await?;
        found.ok_or_else(|| no_group(id))
    }

    fn changed_group(
        &self,
        status: u16,
        summary: String,
        id: GroupId,
        changes: Map<String, Value>,
    ) -> ProvisioningRecord {
        ProvisioningRecord {
            status,
            outcome: ProvisioningOutcome::Changed,
            summary,
            resource: Some(id.to_string()),
            changes,
            ..self.call.record(self.connector, self.ports.clock.now())
        }
    }
}

/// The group with other attributes.
fn renamed(before: &Group, after: group::Group) -> Group {
    Group {
        display_name: after.display_name().to_owned(),
        external_id: after.external_id().map(str::to_owned),
        attributes: after.into_attributes(),
        ..before.clone()
    }
}

/// What a filter in a path may ask of a member.
fn described(member: &Member) -> Map<String, Value> {
    let kind = match member.kind {
        MemberKind::Account => "User",
        MemberKind::Group => "Group",
    };
    let described = [
        ("value", member.id.to_string()),
        ("display", member.display.clone()),
        ("type", kind.to_owned()),
    ];
    described.into_iter().map(|(name, text)| (name.to_owned(), text.into())).collect()
}

fn identifiers(members: &[group::Member]) -> Result<Vec<MemberId>, ScimError> {
    let identifier = |member: &group::Member| {
        member.value.parse().map_err(|_| no_member("A value that is no id of ours"))
    };
    members.iter().map(identifier).collect()
}

fn members_changed(change: &MembersChange) -> Map<String, Value> {
    let (what, members) = match change {
        MembersChange::Add(members) => ("members added", members),
        MembersChange::Remove(members) => ("members removed", members),
        MembersChange::Set(members) => ("members", members),
    };
    let named: Vec<_> = members.iter().take(MEMBERS_NAMED).map(ToString::to_string).collect();
    Map::from_iter([(what.to_owned(), json!({ "count": members.len(), "first": named }))])
}

fn members_named(members: &[MemberId]) -> Map<String, Value> {
    if members.is_empty() {
        return Map::new();
    }
    members_changed(&MembersChange::Set(members.to_vec()))
}

fn refused(conflict: GroupConflict, id: GroupId) -> Error {
    let (attribute, other) = match conflict {
        GroupConflict::DisplayName(other) => ("displayName", other),
        GroupConflict::ExternalId(other) => ("externalId", other),
        GroupConflict::NoMember(member) => return no_member(&member.to_string()).into(),
        GroupConflict::Version => return Error::Version,
        GroupConflict::Gone => return no_group(id),
    };
    Error::Scim(ScimError::Uniqueness(format!(
        "Another group has the same {attribute}: the group with the id {other}. Match on it, or \
         change one of the two."
    )))
}

fn no_member(who: &str) -> ScimError {
    ScimError::InvalidValue(format!(
        "members.value: {who} can't belong to the group. A member is a user or another group that \
         this connector provisions."
    ))
}

fn no_group(id: GroupId) -> Error {
    Error::NotFound(format!("There is no group with the id {id}."))
}
