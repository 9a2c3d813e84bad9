//! A directory that speaks SCIM by hand.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use http::Method;
use serde_json::{Value, json};

use super::{answer::Answer, web::Ask};

const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// What a directory authenticates with.
#[derive(Clone, Debug)]
pub enum Credential {
    None,
    Bearer(String),
    Basic(String, String),
}

impl Credential {
    fn header(&self) -> Option<String> {
        match self {
            Self::None => None,
            Self::Bearer(password) => Some(format!("Bearer {password}")),
            Self::Basic(user_name, password) => {
                let pair = BASE64_STANDARD.encode(format!("{user_name}:{password}"));
                Some(format!("Basic {pair}"))
            }
        }
    }
}

/// A client of one connector's SCIM URL.
#[derive(Clone, Debug)]
pub struct Directory {
    /// The SCIM URL.
    pub url: String,
    pub credential: Credential,
}

impl Directory {
    /// The same address with another credential.
    pub fn with(&self, credential: Credential) -> Self {
        Self { url: self.url.clone(), credential }
    }

    /// A request to a path below the SCIM URL, to be changed and sent.
    pub fn request(&self, method: Method, path: &str) -> Ask {
        let ask = Ask::new(method, format!("{}{path}", self.url));
        match self.credential.header() {
            Some(header) => ask.header("authorization", header),
            None => ask,
        }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.request(Method::GET, path).send("").await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.request(Method::DELETE, path).send("").await
    }

    /// Sends a body as Entra does.
    pub async fn send(&self, method: Method, path: &str, body: &Value) -> Answer {
        let ask = self.request(method, path).header("content-type", "application/scim+json");
        ask.body(body.to_string()).send("").await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::POST, path, body).await
    }

    /// Carries out operations on a user.
    pub async fn patch(&self, id: &str, operations: Value) -> Answer {
        let body = json!({ "schemas": [PATCH_OP], "Operations": operations });
        self.send(Method::PATCH, &format!("/Users/{id}"), &body).await
    }

    /// Creates a user, which must succeed; its id.
    pub async fn create(&self, user: &Value) -> String {
        let answer = self.post("/Users", user).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        answer.json()["id"].as_str().unwrap().to_owned()
    }

    /// The users that a filter names.
    pub async fn find(&self, filter: &str) -> Answer {
        let query = serde_urlencoded::to_string([("filter", filter)]).unwrap();
        self.get(&format!("/Users?{query}")).await
    }

    /// A user with everything that is required.
    pub fn user(user_name: &str) -> Value {
        let local = user_name.split('@').next().unwrap();
        json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
            "userName": user_name,
            "externalId": format!("x-{user_name}"),
            "active": true,
            "displayName": format!("{local} Example"),
            "name": { "givenName": local, "familyName": "Example" },
            "emails": [{ "primary": true, "type": "work", "value": user_name }],
        })
    }
}
