//! A directory with a connector of its own.

use std::collections::BTreeSet;

use http::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Ask, Directory, Organization, Service};

pub const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
pub const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
pub const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
pub const LIST: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
pub const ERROR: &str = "urn:ietf:params:scim:api:messages:2.0:Error";
pub const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
pub const SEARCH: &str = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";
pub const BULK: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";

/// A directory with a connector of its own, to which nobody has sent anything yet.
pub struct Scim {
    pub service: Service,
    pub organization: Organization,
    pub directory: Directory,
}

impl Scim {
    /// With the profile that every connector has which was told nothing.
    pub async fn fresh() -> Self {
        let service = Service::start().await;
        let organization = service.organization("acme").await;
        let directory = organization.scim();
        Self { service, organization, directory }
    }

    /// With a profile by name.
    pub async fn speaking(profile: &str) -> Self {
        let scim = Self::fresh().await;
        let service = &scim.service;
        let change = service.change_connector(&scim.organization, |connector| {
            profile.clone_into(&mut connector.provisioning.profile);
        });
        change.await;
        scim
    }

    /// With the profile that keeps to the RFCs.
    pub async fn strict() -> Self {
        Self::speaking("strict").await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.directory.get(path).await
    }

    /// What a query of these parameters is answered.
    pub async fn query(&self, path: &str, parameters: &[(&str, &str)]) -> Answer {
        let query = serde_urlencoded::to_string(parameters).unwrap();
        self.get(&format!("{path}?{query}")).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.directory.post(path, body).await
    }

    pub async fn put(&self, path: &str, body: &Value) -> Answer {
        self.directory.send(Method::PUT, path, body).await
    }

    /// Carries out operations on a resource.
    pub async fn patch(&self, path: &str, operations: Value) -> Answer {
        let body = json!({ "schemas": [PATCH_OP], "Operations": operations });
        self.directory.send(Method::PATCH, path, &body).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.directory.delete(path).await
    }

    pub async fn bulk(&self, operations: Value) -> Answer {
        self.post("/Bulk", &json!({ "schemas": [BULK], "Operations": operations })).await
    }

    pub fn request(&self, method: Method, path: &str) -> Ask {
        self.directory.request(method, path)
    }

    /// A resource as it is now.
    pub async fn read(&self, path: &str) -> Value {
        let answer = self.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer.json()
    }

    /// Creates a resource; where it is, below the SCIM URL.
    pub async fn create(&self, endpoint: &str, body: &Value) -> String {
        let answer = self.post(endpoint, body).await;
        assert_eq!(answer.status, 201, "{body}: {}", answer.body);
        format!("{endpoint}/{}", answer.json()["id"].as_str().unwrap())
    }

    /// Creates a user called so; where it is.
    pub async fn user(&self, name: &str) -> String {
        self.create("/Users", &user(name)).await
    }

    /// Creates a user with some attributes more; where it is.
    pub async fn user_with(&self, name: &str, more: Value) -> String {
        self.create("/Users", &with(user(name), more)).await
    }

    /// Creates a group of users; where it is.
    pub async fn group(&self, name: &str, members: &[&str]) -> String {
        let body = json!({ "schemas": [GROUP], "displayName": name, "members": values(members) });
        self.create("/Groups", &body).await
    }

    /// The `id`s of a group's members.
    pub async fn members(&self, group: &str) -> BTreeSet<String> {
        let group = self.read(group).await;
        let members = group["members"].as_array().into_iter().flatten();
        members.map(|member| member["value"].as_str().unwrap().to_owned()).collect()
    }

    /// The user names of those whom a filter finds, in the order of the answer.
    pub async fn found(&self, filter: &str) -> Vec<String> {
        let answer = self.query("/Users", &[("filter", filter)]).await;
        assert_eq!(answer.status, 200, "{filter}: {}", answer.body);
        names(&answer.json(), "userName")
    }
}

/// A user with everything that is required.
pub fn user(name: &str) -> Value {
    Directory::user(&format!("{name}@acme.example"))
}

/// A body with some members changed or added.
pub fn with(mut body: Value, more: Value) -> Value {
    let Value::Object(more) = more else { panic!("{more} is no object") };
    body.as_object_mut().unwrap().extend(more);
    body
}

/// The `id` in the path of a resource.
pub fn id(path: &str) -> &str {
    path.rsplit('/').next().unwrap()
}

/// Resources as `members` names them.
pub fn values(paths: &[&str]) -> Value {
    paths.iter().map(|path| json!({ "value": id(path) })).collect()
}

/// The `id`s of resources.
pub fn ids(paths: &[&str]) -> BTreeSet<String> {
    paths.iter().map(|path| id(path).to_owned()).collect()
}

/// One attribute of every resource of a list.
pub fn names(list: &Value, attribute: &str) -> Vec<String> {
    let resources = list["Resources"].as_array().unwrap();
    resources.iter().map(|one| one[attribute].as_str().unwrap_or_default().to_owned()).collect()
}

/// That an answer is an error of the protocol of this status and kind, and explains itself.
#[track_caller]
pub fn assert_fault(answer: &Answer, status: u16, scim_type: Option<&str>, why: &str) {
    assert_eq!(answer.status, status, "{why}: {}", answer.body);
    assert_eq!(answer.header("content-type"), Some("application/scim+json"), "{why}");
    let error = answer.json();
    assert_eq!(error["schemas"], json!([ERROR]), "{why}");
    assert_eq!(error["status"], status.to_string(), "{why}");
    assert_eq!(error["scimType"].as_str(), scim_type, "{why}: {error}");
    assert!(error["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{why}");
}
