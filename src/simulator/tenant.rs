//! A tenant of a running simulator, in the hands of a test or of the command line.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use serde_json::{Map, Value};
use uuid::Uuid;

use super::{
    application_token,
    client_certificate::ClientCertificate,
    directory::{Application, Group, Person, Tenant},
    entra::Entra,
    metadata::Version,
    redirect_uri::{Platform, RedirectUri, RedirectUriError},
    seed::{ApplicationSeed, GroupSeed, PersonSeed},
};
use crate::domain::secret::Secret;

/// A handle on a tenant: what its administrator could do in the portal.
///
/// Changes that name somebody or something that the tenant does not have change nothing.
#[derive(Clone)]
pub struct SimulatedTenant {
    pub(super) entra: Arc<Entra>,
    pub(super) id: Uuid,
}

/// A person as provisioning sees one.
#[derive(Clone, Debug)]
pub struct DirectoryEntry {
    /// The person.
    pub person: Person,
    /// The values of the app roles; `None` for who is assigned to the application neither directly
    /// nor by a group.
    pub roles: Option<Vec<String>>,
    /// The moment of the last change.
    pub changed: u64,
}

/// A group as provisioning sees one.
#[derive(Clone, Debug)]
pub struct GroupEntry {
    /// The group.
    pub group: Group,
    /// Whether it is assigned to the application.
    pub assigned: bool,
    /// The moment of the last change.
    pub changed: u64,
}

/// What the directory holds, for one application, at one moment.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    /// Everybody who is not deleted for good.
    pub entries: Vec<DirectoryEntry>,
    /// Every group.
    pub groups: Vec<GroupEntry>,
    /// The people and groups that were deleted for good, with the moment.
    pub deleted: HashMap<Uuid, u64>,
    /// Grows with every change of the tenant: the watermark of who has read so far.
    pub moment: u64,
}

impl SimulatedTenant {
    /// The tenant (directory) id.
    pub const fn id(&self) -> Uuid {
        self.id
    }

    /// The verified domain.
    pub fn domain(&self) -> String {
        self.read(|tenant| tenant.domain.clone())
    }

    /// The v2.0 issuer: `http://127.0.0.1:PORT/{tenant id}/v2.0`.
    pub fn authority(&self) -> String {
        Version::V2.issuer(&self.entra.origin, &self.id.to_string())
    }

    /// Everybody, with passwords.
    pub fn people(&self) -> Vec<Person> {
        self.read(|tenant| tenant.people.clone())
    }

    /// The person of that UPN or, for a guest, address at home.
    pub fn person(&self, login: &str) -> Option<Person> {
        self.read(|tenant| tenant.person_named(login).cloned())
    }

    /// Adds a person.
    pub fn add_person(&self, seed: PersonSeed) -> Person {
        self.change(|tenant| {
            let manager = seed.manager.as_deref().and_then(|name| tenant.person_named(name));
            let manager = manager.map(|manager| manager.oid);
            let person = Person { manager, ..seed.grow(&tenant.domain) };
            tenant.touch(person.oid);
            tenant.people.push(person.clone());
            person
        })
    }

    /// Changes a person's attributes: disables, renames, moves to the recycle bin.
    pub fn change_person(&self, oid: Uuid, change: impl FnOnce(&mut Person)) {
        self.change(|tenant| {
            tenant.people.iter_mut().find(|person| person.oid == oid).map(change);
            tenant.touch(oid);
        });
    }

    /// Deletes a person for good, and with that the sessions and what was granted.
    pub fn delete_person(&self, oid: Uuid) {
        self.change(|tenant| {
            tenant.people.retain(|person| person.oid != oid);
            let led: Vec<Uuid> = tenant
                .people
                .iter_mut()
                .filter_map(|person| {
                    person.manager.take_if(|manager| *manager == oid).and(Some(person.oid))
                })
                .collect();
            for oid in led {
                tenant.touch(oid);
            }
            forget(tenant, oid);
        });
        self.revoke_sessions(oid);
    }

    /// The groups.
    pub fn groups(&self) -> Vec<Group> {
        self.read(|tenant| tenant.groups.clone())
    }

    /// The group of that name.
    pub fn group(&self, display_name: &str) -> Option<Group> {
        self.read(|tenant| tenant.group_named(display_name).cloned())
    }

    /// Adds a group.
    pub fn add_group(&self, seed: GroupSeed) -> Group {
        self.change(|tenant| {
            let group = seed.grow(tenant);
            tenant.groups.push(group.clone());
            tenant.touch_assigned(group.oid);
            group
        })
    }

    /// Renames a group.
    pub fn rename_group(&self, oid: Uuid, display_name: &str) {
        self.change_group(oid, |group| display_name.clone_into(&mut group.display_name));
    }

    /// Makes a person, or a group, a direct member of a group.
    pub fn add_member(&self, group: Uuid, member: Uuid) {
        self.change_group(group, |group| {
            group.members.insert(member);
        });
        self.change(|tenant| tenant.touch(member));
    }

    /// Takes a direct member out of a group.
    pub fn remove_member(&self, group: Uuid, member: Uuid) {
        self.change_group(group, |group| {
            group.members.remove(&member);
        });
        self.change(|tenant| tenant.touch(member));
    }

    /// Deletes a group for good.
    pub fn delete_group(&self, oid: Uuid) {
        self.change(|tenant| {
            tenant.touch_assigned(oid);
            tenant.groups.retain(|group| group.oid != oid);
            forget(tenant, oid);
        });
    }

    fn change_group(&self, oid: Uuid, change: impl FnOnce(&mut Group)) {
        self.change(|tenant| {
            tenant.groups.iter_mut().find(|group| group.oid == oid).map(change);
            tenant.touch(oid);
        });
    }

    /// Ends a person's sessions everywhere and revokes codes and refresh tokens.
    pub fn revoke_sessions(&self, oid: Uuid) {
        self.entra.world().revoke(oid);
    }

    /// The app registrations, with secrets.
    pub fn applications(&self) -> Vec<Application> {
        self.read(|tenant| tenant.applications.clone())
    }

    /// Registers an application.
    pub fn register_application(&self, seed: ApplicationSeed) -> Application {
        self.change(|tenant| {
            let application = seed.grow(tenant);
            tenant.applications.push(application.clone());
            application
        })
    }

    /// Changes a registration: assignment required, optional claims, secrets, front channel.
    pub fn change_application(&self, client_id: Uuid, change: impl FnOnce(&mut Application)) {
        self.change(|tenant| {
            let application = tenant.applications.iter_mut().find(|a| a.client_id == client_id);
            let Some(application) = application else { return };
            let before = application.assignments.clone();
            change(application);
            let after = application.assignments.clone();
            let oids: BTreeSet<Uuid> = before.keys().chain(after.keys()).copied().collect();
            for oid in oids.into_iter().filter(|oid| before.get(oid) != after.get(oid)) {
                tenant.touch_assigned(oid);
            }
        });
    }

    /// Registers a redirect URI, as Entra's portal would take it.
    pub fn register_redirect_uri(
        &self,
        client_id: Uuid,
        uri: &str,
        platform: Platform,
    ) -> Result<(), RedirectUriError> {
        let registered = RedirectUri::parse(uri, platform)?;
        let known = self.read(|tenant| tenant.application(client_id).is_some());
        self.change_application(client_id, |application| {
            application.redirect_uris.push(registered);
        });
        known.then_some(()).ok_or(RedirectUriError::UnknownApplication)
    }

    /// Makes `secret` the application's only one.
    pub fn set_secret(&self, client_id: Uuid, secret: Secret) {
        self.change_application(client_id, |application| application.secrets = vec![secret]);
    }

    /// Uploads a certificate, with which the application may sign assertions.
    pub fn add_certificate(&self, client_id: Uuid, certificate: ClientCertificate) {
        self.change_application(client_id, |application| {
            application.certificates.push(certificate);
        });
    }

    /// The object ID of an application's service principal: the `sub` of its own access tokens.
    pub fn service_principal(&self, client_id: Uuid) -> Uuid {
        application_token::service_principal(self.id, client_id)
    }

    /// An application's own access token for `audience`, its claims changed before they are signed;
    /// what the token endpoint gives for `{audience}/.default`, where they are not.
    ///
    /// `None` for an application that the tenant does not have.
    pub fn application_token(
        &self,
        client_id: Uuid,
        audience: &str,
        change: impl FnOnce(&mut Map<String, Value>),
    ) -> Option<String> {
        let application = self.read(|tenant| tenant.application(client_id).cloned())?;
        let entra = &self.entra;
        Some(application_token::issue_changed(entra, self.id, &application, audience, change))
    }

    /// Assigns a person, or a group, to an application with an app role beside those already there.
    pub fn assign_role(&self, client_id: Uuid, oid: Uuid, role: &str) {
        self.change_assignments(client_id, oid, |assignments| {
            let roles = assignments.entry(oid).or_default();
            if !roles.iter().any(|known| known == role) {
                roles.push(role.to_owned());
            }
        });
    }

    /// Assigns a person, or a group, to an application with these roles alone; none is "Default
    /// Access".
    pub fn set_roles(&self, client_id: Uuid, oid: Uuid, roles: &[&str]) {
        let roles = roles.iter().map(|&role| role.to_owned()).collect();
        self.change_assignments(client_id, oid, |assignments| {
            assignments.insert(oid, roles);
        });
    }

    /// Takes the assignment of a person, or a group, to an application away.
    pub fn unassign(&self, client_id: Uuid, oid: Uuid) {
        self.change_assignments(client_id, oid, |assignments| {
            assignments.remove(&oid);
        });
    }

    fn change_assignments(
        &self,
        client_id: Uuid,
        oid: Uuid,
        change: impl FnOnce(&mut BTreeMap<Uuid, Vec<String>>),
    ) {
        self.change(|tenant| {
            let application = tenant.applications.iter_mut().find(|a| a.client_id == client_id);
            if let Some(application) = application {
                change(&mut application.assignments);
            }
            tenant.touch_assigned(oid);
        });
    }

    /// What provisioning for an application sees at this moment.
    pub fn directory(&self, client_id: Uuid) -> Directory {
        self.read(|tenant| {
            let application = tenant.application(client_id);
            let mut roles = application.map(|a| tenant.roles(a)).unwrap_or_default();
            let changed = |oid: Uuid| tenant.changed.get(&oid).copied().unwrap_or_default();
            let group = |group: &Group| GroupEntry {
                assigned: application.is_some_and(|a| a.assignments.contains_key(&group.oid)),
                changed: changed(group.oid),
                group: group.clone(),
            };
            let groups = tenant.groups.iter().map(group).collect();
            let entry = |person: &Person| DirectoryEntry {
                roles: roles.remove(&person.oid),
                changed: changed(person.oid),
                person: person.clone(),
            };
            let entries = tenant.people.iter().map(entry).collect();
            Directory { entries, groups, deleted: tenant.deleted.clone(), moment: tenant.moment }
        })
    }

    fn read<T>(&self, read: impl FnOnce(&Tenant) -> T) -> T {
        let world = self.entra.world();
        read(world.tenant(self.id).expect("a tenant is never removed"))
    }

    fn change<T>(&self, change: impl FnOnce(&mut Tenant) -> T) -> T {
        let mut world = self.entra.world();
        change(world.tenant_mut(self.id).expect("a tenant is never removed"))
    }
}

/// Takes who is deleted out of assignments and groups, and notes the deletion.
fn forget(tenant: &mut Tenant, oid: Uuid) {
    for application in &mut tenant.applications {
        application.assignments.remove(&oid);
    }
    let left: Vec<Uuid> = tenant
        .groups
        .iter_mut()
        .filter_map(|group| group.members.remove(&oid).then_some(group.oid))
        .collect();
    for group in left {
        tenant.touch(group);
    }
    tenant.touch(oid);
    tenant.deleted.insert(oid, tenant.moment);
}
