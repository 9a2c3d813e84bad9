//! A write that a directory asks for, however it came: alone, in a bulk, or once more.

use std::{fmt, str::FromStr};

use serde_json::{Map, Value};

use super::{Directory, Error, Expected};
use crate::{
    domain::{account::Account, group::Group},
    ports::query::{Page, Query, Start},
    scim::{
        group,
        patch::{GroupPatch, Patch},
        schema::ResourceType,
        user::User,
    },
};

/// A write that a directory asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Write {
    /// Of what.
    pub kind: ResourceType,
    /// What is to be done.
    pub verb: Verb,
}

/// What is to be done, with the body of the request and the `id` of the resource.
#[derive(Clone, Debug, PartialEq)]
pub enum Verb {
    /// POST
    Create(Map<String, Value>),
    /// PUT
    Replace(String, Map<String, Value>),
    /// PATCH
    Patch(String, Map<String, Value>),
    /// DELETE
    Delete(String),
}

/// A resource as it is now.
#[derive(Clone, Debug, PartialEq)]
pub enum Resource {
    /// A person.
    User(Account),
    /// A group.
    Group(Group),
}

impl Resource {
    /// Of which kind it is.
    pub const fn kind(&self) -> ResourceType {
        match self {
            Self::User(_) => ResourceType::User,
            Self::Group(_) => ResourceType::Group,
        }
    }

    /// Its `id`.
    pub fn id(&self) -> String {
        match self {
            Self::User(account) => account.id.to_string(),
            Self::Group(group) => group.id.to_string(),
        }
    }

    /// Raised by every write.
    pub const fn version(&self) -> u64 {
        match self {
            Self::User(account) => account.version,
            Self::Group(group) => group.version,
        }
    }
}

impl Directory<'_> {
    /// The resource of this kind and `id`.
    pub async fn find(&self, kind: ResourceType, id: &str) -> Result<Resource, Error> {
        Ok(match kind {
            ResourceType::User => Resource::User(self.find_user(identifier(kind, id)?).await?),
            ResourceType::Group => Resource::Group(self.find_group(identifier(kind, id)?).await?),
        })
    }

    /// The resources of a kind, or of every kind, that a query asks for: users first.
    pub async fn list(
        &self,
        kind: Option<ResourceType>,
        query: &Query,
    ) -> Result<Page<Resource>, Error> {
        let page = match kind {
            Some(ResourceType::User) => self.query_users(query).await?.map(Resource::User),
            Some(ResourceType::Group) => self.query_groups(query).await?.map(Resource::Group),
            None => self.list_both(query).await?,
        };
        self.answered(200, format!("Found {} of {}", page.items.len(), page.total), None);
        Ok(page)
    }

    async fn list_both(&self, query: &Query) -> Result<Page<Resource>, Error> {
        let offset = match query.start {
            Start::Offset(offset) => offset,
            Start::After(_) => 0,
        };
        let part = |offset, limit| Query { start: Start::Offset(offset), limit, ..query.clone() };
        let users = self.query_users(&part(offset, query.limit)).await?.map(Resource::User);
        let left = query.limit - users.items.len() as u64;
        let groups = part(offset.saturating_sub(users.total), left);
        let groups = self.query_groups(&groups).await?.map(Resource::Group);
        Ok(Page {
            total: users.total + groups.total,
            remaining: users.remaining + groups.remaining,
            items: users.items.into_iter().chain(groups.items).collect(),
            position: None,
        })
    }

    /// Carries out a write. The resource as it is afterwards; `None` if it was deleted.
    pub async fn write(
        &self,
        write: Write,
        expected: Expected<'_>,
    ) -> Result<Option<Resource>, Error> {
        match write.kind {
            ResourceType::User => {
                Ok(self.write_user(write.verb, expected).await?.map(Resource::User))
            }
            ResourceType::Group => {
                Ok(self.write_group(write.verb, expected).await?.map(Resource::Group))
            }
        }
    }

    async fn write_user(
        &self,
        verb: Verb,
        expected: Expected<'_>,
    ) -> Result<Option<Account>, Error> {
        let kind = ResourceType::User;
        let account = match verb {
            Verb::Create(body) => self.create_user(User::parse(body, self.profile)?).await?,
            Verb::Replace(id, body) => {
                let user = User::parse(body, self.profile)?;
                self.replace_user(identifier(kind, &id)?, &user, expected).await?
            }
            Verb::Patch(id, body) => {
                let patch = Patch::parse(&body, self.profile)?;
                self.patch_user(identifier(kind, &id)?, &patch, expected).await?
            }
            Verb::Delete(id) => {
                self.delete_user(identifier(kind, &id)?, expected).await?;
                return Ok(None);
            }
        };
        Ok(Some(account))
    }

    async fn write_group(
        &self,
        verb: Verb,
        expected: Expected<'_>,
    ) -> Result<Option<Group>, Error> {
        let kind = ResourceType::Group;
        let written = match verb {
            Verb::Create(body) => {
                let (group, members) = group::Group::parse(body, self.profile)?;
                self.create_group(group, &members.unwrap_or_default()).await?
            }
            Verb::Replace(id, body) => {
                let (group, members) = group::Group::parse(body, self.profile)?;
                let members = members.unwrap_or_default();
                self.replace_group(identifier(kind, &id)?, &group, &members, expected).await?
            }
            Verb::Patch(id, body) => {
                let patch = GroupPatch::parse(&body, self.profile)?;
                self.patch_group(identifier(kind, &id)?, &patch, expected).await?
            }
            Verb::Delete(id) => {
                self.delete_group(identifier(kind, &id)?, expected).await?;
                return Ok(None);
            }
        };
        Ok(Some(written))
    }
}

/// What is not exactly one of our identifiers is nobody's.
fn identifier<T: FromStr + fmt::Display>(kind: ResourceType, text: &str) -> Result<T, Error> {
    let what = match kind {
        ResourceType::User => "user",
        ResourceType::Group => "group",
    };
    let read = text.parse().ok().filter(|id: &T| id.to_string() == text);
    read.ok_or_else(|| Error::NotFound(format!("There is no {what} with that id.")))
}
