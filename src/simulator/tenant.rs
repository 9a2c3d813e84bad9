//! A tenant of a running simulator, in the hands of a test or of the command line.

use std::sync::Arc;

use serde_json::{Map, Value};
use uuid::Uuid;

use super::{
    application_token,
    client_certificate::ClientCertificate,
    directory::{Application, Person, Tenant},
    entra::Entra,
    metadata::Version,
    redirect_uri::{Platform, RedirectUri, RedirectUriError},
    seed::{ApplicationSeed, PersonSeed},
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
    /// The values of the app roles; `None` for who is not assigned to the application.
    pub roles: Option<Vec<String>>,
}

/// What the directory holds, for one application, at one moment.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    /// Everybody who is not deleted for good.
    pub entries: Vec<DirectoryEntry>,
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
            let person = seed.grow(&tenant.domain);
            tenant.people.push(person.clone());
            person
        })
    }

    /// Changes a person's attributes: disables, renames, moves to the recycle bin.
    pub fn change_person(&self, oid: Uuid, change: impl FnOnce(&mut Person)) {
        self.change(|tenant| {
            tenant.people.iter_mut().find(|person| person.oid == oid).map(change);
        });
    }

    /// Deletes a person for good, and with that the sessions and what was granted.
    pub fn delete_person(&self, oid: Uuid) {
        self.change(|tenant| {
            tenant.people.retain(|person| person.oid != oid);
            for application in &mut tenant.applications {
                application.assignments.remove(&oid);
            }
        });
        self.revoke_sessions(oid);
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
            tenant.applications.iter_mut().find(|a| a.client_id == client_id).map(change);
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

    /// Assigns a person to an application with an app role beside those already there.
    pub fn assign_role(&self, client_id: Uuid, oid: Uuid, role: &str) {
        self.change_application(client_id, |application| {
            let roles = application.assignments.entry(oid).or_default();
            if !roles.iter().any(|known| known == role) {
                roles.push(role.to_owned());
            }
        });
    }

    /// Assigns a person to an application with these roles alone; none is "Default Access".
    pub fn set_roles(&self, client_id: Uuid, oid: Uuid, roles: &[&str]) {
        let roles = roles.iter().map(|&role| role.to_owned()).collect();
        self.change_application(client_id, |application| {
            application.assignments.insert(oid, roles);
        });
    }

    /// Takes a person's assignment to an application away.
    pub fn unassign(&self, client_id: Uuid, oid: Uuid) {
        self.change_application(client_id, |application| {
            application.assignments.remove(&oid);
        });
    }

    /// What provisioning for an application sees at this moment.
    pub fn directory(&self, client_id: Uuid) -> Directory {
        self.read(|tenant| {
            let assignments = tenant.application(client_id).map(|a| &a.assignments);
            let entry = |person: &Person| DirectoryEntry {
                roles: assignments.and_then(|roles| roles.get(&person.oid)).cloned(),
                person: person.clone(),
            };
            Directory { entries: tenant.people.iter().map(entry).collect() }
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
