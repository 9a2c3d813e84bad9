//! A cycle: people, groups, and in a second pass what refers to them.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use uuid::Uuid;

use super::{
    super::{
        directory::Group,
        tenant::{Directory, DirectoryEntry, GroupEntry},
    },
    group::{GroupStep, WantedGroup},
    job::ProvisioningJob,
    mapping::Scope,
    members::MembersStep,
    person::{ManagerStep, PersonStep},
    quarantine::Failures,
    report::{CycleKind, ProvisioningEntry, ProvisioningLog},
    retry::Escrow,
    target::{Outcome, Target, walk},
};

/// Members of a group that provisioning on demand takes at most.
const MEMBERS_ON_DEMAND: usize = 5;

/// Why nothing is provisioned on demand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OnDemandError {
    /// The directory has neither a person nor a group of that object id.
    #[error("the directory has nobody of that object id")]
    Unknown,
    /// More than five members were chosen.
    #[error("a group is provisioned on demand with at most five members")]
    TooManyMembers,
}

impl ProvisioningJob {
    /// Brings the target in step with `directory`: in the first cycle all of it, then what changed
    /// since and what failed. In quarantine it does nothing until the time for a try has come.
    pub async fn cycle(&mut self, directory: &Directory) -> ProvisioningLog {
        let now = self.clock.now();
        if !self.state.runs(now) {
            return self.report(CycleKind::Skipped, Vec::new());
        }
        self.cycles += 1;
        let is_first = self.watermark.is_none();
        let mut entries = self.provision_people(directory).await;
        if self.has_groups {
            entries.extend(self.provision_groups(directory).await);
        }
        entries.extend(self.set_managers(directory).await);
        if self.has_groups {
            entries.extend(self.set_members(directory).await);
        }
        self.forget_what_is_gone(directory);
        let halted = self.target.take_halt();
        if halted.is_none() {
            self.has_read(directory);
        }
        let reason = halted.or_else(|| self.limits.exceeded(self.failures()));
        self.state = self.state.after(reason, now);
        let kind = if is_first { CycleKind::Initial } else { CycleKind::Incremental };
        let log = self.report(kind, entries);
        self.last = Some(log.json());
        log
    }

    fn report(&self, kind: CycleKind, entries: Vec<ProvisioningEntry>) -> ProvisioningLog {
        let escrowed = self.objects.len() + self.references.len();
        ProvisioningLog { cycle: self.cycles, kind, entries, escrowed, state: self.state }
    }

    /// A failure of who is neither in the directory nor at the target is none any more.
    fn forget_what_is_gone(&mut self, directory: &Directory) {
        let people = directory.entries.iter().map(|entry| entry.person.oid);
        let groups = directory.groups.iter().map(|entry| entry.group.oid);
        let mut present: HashSet<Uuid> = people.chain(groups).collect();
        present.extend(self.people.keys().chain(self.groups.keys()));
        self.objects.keep(&present);
        self.references.keep(&present);
    }

    fn failures(&self) -> Failures {
        let is_linked = |oid: &Uuid| self.people.contains_key(oid) || self.groups.contains_key(oid);
        let unlinked = self.objects.oids().filter(|oid| !is_linked(oid)).count();
        Failures {
            objects: self.objects.len(),
            references: self.references.len(),
            of: self.people.len() + self.groups.len() + unlinked,
        }
    }

    async fn provision_people(&mut self, directory: &Directory) -> Vec<ProvisioningEntry> {
        let due = directory.entries.iter();
        let due = due.filter(|entry| self.is_due(entry.person.oid, entry.changed));
        let due: Vec<&DirectoryEntry> = due.collect();
        let gone = self.gone(directory, &self.people);
        let mut steps: Vec<PersonStep> =
            due.into_iter().map(|entry| self.person_step(entry)).collect();
        steps.extend(gone.into_iter().map(|oid| {
            let link = self.people.remove(&oid);
            PersonStep { oid, link, wanted: None }
        }));
        let outcomes = walk(&self.target, steps).await;
        settle(outcomes, &mut self.people, &mut self.objects, self.cycles)
    }

    fn person_step(&mut self, entry: &DirectoryEntry) -> PersonStep {
        let oid = entry.person.oid;
        let link = self.people.remove(&oid);
        PersonStep { oid, link, wanted: Some(self.mapping.wanted(entry)) }
    }

    /// Whether an object changed since the last cycle, or failed and is to be tried again.
    fn is_due(&self, oid: Uuid, changed: u64) -> bool {
        self.is_news(changed) || self.objects.is_due(oid, self.cycles)
    }

    /// Who is linked, but was deleted from the directory.
    fn gone<L>(&self, directory: &Directory, links: &HashMap<Uuid, L>) -> Vec<Uuid> {
        let deleted = directory.deleted.iter().filter(|(oid, _)| links.contains_key(oid));
        let due = deleted.filter(|(oid, moment)| self.is_due(**oid, **moment));
        due.map(|(oid, _)| *oid).collect()
    }

    async fn provision_groups(&mut self, directory: &Directory) -> Vec<ProvisioningEntry> {
        let due = directory.groups.iter();
        let due = due.filter(|entry| self.is_due(entry.group.oid, entry.changed));
        let due: Vec<&GroupEntry> = due.collect();
        let gone = self.gone(directory, &self.groups);
        let mut steps: Vec<GroupStep> =
            due.into_iter().map(|entry| self.group_step(entry)).collect();
        steps.extend(gone.into_iter().map(|oid| {
            let link = self.groups.remove(&oid);
            GroupStep { oid, link, wanted: None }
        }));
        let outcomes = walk(&self.target, steps).await;
        settle(outcomes, &mut self.groups, &mut self.objects, self.cycles)
    }

    fn group_step(&mut self, entry: &GroupEntry) -> GroupStep {
        let oid = entry.group.oid;
        let in_scope = self.mapping.scope == Scope::All || entry.assigned;
        let link = self.groups.remove(&oid);
        GroupStep { oid, link, wanted: in_scope.then(|| WantedGroup::of(&entry.group)) }
    }

    /// The managers of who is active at the target. A manager who is not there is not set, and one
    /// set before stays.
    async fn set_managers(&mut self, directory: &Directory) -> Vec<ProvisioningEntry> {
        let open = directory.entries.iter().filter(|entry| {
            let oid = entry.person.oid;
            self.is_news(entry.changed) || !self.references.holds_back(oid, self.cycles)
        });
        let open: Vec<&DirectoryEntry> = open.collect();
        let mut steps = Vec::new();
        for entry in open {
            match self.manager_step(entry) {
                Some(step) => steps.push(step),
                None => self.references.note(entry.person.oid, None, self.cycles),
            }
        }
        let outcomes = walk(&self.target, steps).await;
        settle(outcomes, &mut self.people, &mut self.references, self.cycles)
    }

    fn manager_step(&mut self, entry: &DirectoryEntry) -> Option<ManagerStep> {
        let person = &entry.person;
        let link = self.people.get(&person.oid)?;
        let manager = match person.manager {
            Some(manager) => Some(self.people.get(&manager)?.id.clone()),
            None => None,
        };
        if !link.managed || !link.known.active || link.manager == manager {
            return None;
        }
        let link = self.people.remove(&person.oid)?;
        let name = person.user_principal_name.clone();
        Some(ManagerStep { oid: person.oid, name, link, manager })
    }

    async fn set_members(&mut self, directory: &Directory) -> Vec<ProvisioningEntry> {
        let open = directory.groups.iter().filter(|entry| {
            let oid = entry.group.oid;
            self.is_news(entry.changed) || !self.references.holds_back(oid, self.cycles)
        });
        let open: Vec<&Group> = open.map(|entry| &entry.group).collect();
        let mut steps = Vec::new();
        for group in open {
            match self.members_step(group) {
                Some(step) => steps.push(step),
                None => self.references.note(group.oid, None, self.cycles),
            }
        }
        let outcomes = walk(&self.target, steps).await;
        settle(outcomes, &mut self.groups, &mut self.references, self.cycles)
    }

    fn members_step(&mut self, group: &Group) -> Option<MembersStep> {
        let link = self.groups.remove(&group.oid)?;
        let step = MembersStep::plan(group, link, &self.people);
        if step.changes_something() {
            return Some(step);
        }
        self.groups.insert(group.oid, step.into_link());
        None
    }

    /// Provisions one person, or one group with the chosen members, at once: whether or not its turn
    /// has come, without the feature flag's PATCH, and without a change to the watermark.
    ///
    /// # Errors
    /// [`OnDemandError`] where the choice is not one.
    pub async fn provision_on_demand(
        &mut self,
        directory: &Directory,
        oid: Uuid,
        members: &[Uuid],
    ) -> Result<ProvisioningLog, OnDemandError> {
        if members.len() > MEMBERS_ON_DEMAND {
            return Err(OnDemandError::TooManyMembers);
        }
        let target = Arc::clone(&self.on_demand);
        let person = directory.entries.iter().find(|entry| entry.person.oid == oid);
        let group = directory.groups.iter().find(|entry| entry.group.oid == oid);
        let entries = match (person, group) {
            (Some(person), _) => self.demand_person(&target, person).await,
            (None, Some(group)) => self.demand_group(&target, group, members).await,
            (None, None) => return Err(OnDemandError::Unknown),
        };
        target.take_halt();
        Ok(self.report(CycleKind::OnDemand, entries))
    }

    async fn demand_person(
        &mut self,
        target: &Arc<Target>,
        entry: &DirectoryEntry,
    ) -> Vec<ProvisioningEntry> {
        let steps = vec![self.person_step(entry)];
        let outcomes = walk(target, steps).await;
        let mut entries = settle(outcomes, &mut self.people, &mut self.objects, self.cycles);
        let steps = self.manager_step(entry).into_iter().collect();
        let outcomes = walk(target, steps).await;
        entries.extend(settle(outcomes, &mut self.people, &mut self.references, self.cycles));
        entries
    }

    async fn demand_group(
        &mut self,
        target: &Arc<Target>,
        entry: &GroupEntry,
        members: &[Uuid],
    ) -> Vec<ProvisioningEntry> {
        let steps = vec![self.group_step(entry)];
        let outcomes = walk(target, steps).await;
        let mut entries = settle(outcomes, &mut self.groups, &mut self.objects, self.cycles);
        let mut group = entry.group.clone();
        let known = self.groups.get(&group.oid).map(|link| &link.members);
        let is_known = |oid: &Uuid| known.is_some_and(|known| known.contains_key(oid));
        group.members.retain(|oid| members.contains(oid) || is_known(oid));
        let steps = self.members_step(&group).into_iter().collect();
        let outcomes = walk(target, steps).await;
        entries.extend(settle(outcomes, &mut self.groups, &mut self.references, self.cycles));
        entries
    }
}

/// Takes over what the steps left behind, and gives the lines of the log.
fn settle<L>(
    outcomes: Vec<Outcome<L>>,
    links: &mut HashMap<Uuid, L>,
    escrow: &mut Escrow,
    cycle: u64,
) -> Vec<ProvisioningEntry> {
    let mut entries = Vec::new();
    for outcome in outcomes {
        links.extend(outcome.link.map(|link| (outcome.oid, link)));
        if outcome.taken {
            escrow.note(outcome.oid, outcome.trouble.as_ref(), cycle);
        }
        entries.extend(outcome.entries);
    }
    entries
}
