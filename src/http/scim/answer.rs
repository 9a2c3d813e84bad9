//! Resources as they are answered.

use std::collections::HashMap;

use actix_web::{
    HttpResponse, HttpResponseBuilder,
    http::header::{CONTENT_LOCATION, ContentType, ETAG, LOCATION},
};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    domain::{
        account::Account,
        group::{Group, Member, MemberKind, Membership},
        id::{AccountId, GroupId},
    },
    http::{error::ScimFault, scim::request::ScimRequest},
    scim::{
        error::ScimError,
        group::{self, GroupValue, MemberValue},
        projection::Projection,
        resource_meta::{self, ResourceMeta},
        schema::ResourceType,
        user::User,
    },
    service::provisioning::{MEMBERS_AT_ONCE, Resource},
};

/// An answer names at most this many members.
const MOST_MEMBERS: usize = 50_000;

/// A JSON answer in the protocol's own media type.
pub fn json(mut response: HttpResponseBuilder, body: &impl Serialize) -> HttpResponse {
    let body = serde_json::to_string(body).expect("plain values serialize");
    response
        .insert_header(ContentType("application/scim+json".parse().expect("a media type")))
        .body(body)
}

/// An answer that is one resource, with its `ETag` and `Location`.
pub async fn resource(
    scim: &ScimRequest,
    mut response: HttpResponseBuilder,
    resource: Resource,
    projection: &Projection,
) -> Result<HttpResponse, ScimFault> {
    let (location, version) = (location(scim, &resource), resource.version());
    let body = resources(scim, vec![resource], projection).await?.remove(0);
    response
        .insert_header((ETAG, resource_meta::etag(version)))
        .insert_header((LOCATION, location.as_str()))
        .insert_header((CONTENT_LOCATION, location.as_str()));
    Ok(json(response, &body))
}

/// An answer that says no more than that a resource was changed.
pub fn silent(scim: &ScimRequest, resource: &Resource) -> HttpResponse {
    HttpResponse::NoContent()
        .insert_header((ETAG, resource_meta::etag(resource.version())))
        .insert_header((LOCATION, location(scim, resource)))
        .finish()
}

/// An answer that says that the client holds a resource as it is.
pub fn unchanged(resource: &Resource) -> HttpResponse {
    let etag = resource_meta::etag(resource.version());
    HttpResponse::NotModified().insert_header((ETAG, etag)).finish()
}

/// The address of a resource.
pub fn location(scim: &ScimRequest, resource: &Resource) -> String {
    format!("{}{}/{}", scim.base_url(), resource.kind().endpoint(), resource.id())
}

/// Resources with those of their attributes that are asked for; members and memberships are read
/// only then.
pub async fn resources(
    scim: &ScimRequest,
    resources: Vec<Resource>,
    projection: &Projection,
) -> Result<Vec<Map<String, Value>>, ScimFault> {
    let page = Page { scim, base_url: scim.base_url(), projection };
    let mut groups_of = page.groups_of(&resources).await?;
    let mut rendered = Vec::with_capacity(resources.len());
    let mut members_left = MOST_MEMBERS;
    for resource in resources {
        rendered.push(projection.apply(match resource {
            Resource::User(account) => {
                let groups = groups_of.remove(&account.id).unwrap_or_default();
                page.user(account, groups)
            }
            Resource::Group(group) => page.group(group, &mut members_left).await?,
        }));
    }
    Ok(rendered)
}

struct Page<'a> {
    scim: &'a ScimRequest,
    base_url: String,
    projection: &'a Projection,
}

impl Page<'_> {
    fn user(&self, account: Account, groups: Vec<Membership>) -> Map<String, Value> {
        let groups = groups.into_iter().map(|membership| GroupValue {
            location: self.location_of(ResourceType::Group, &membership.group_id),
            value: membership.group_id.to_string(),
            display: membership.display,
            direct: true,
        });
        let meta = ResourceMeta {
            location: self.location_of(ResourceType::User, &account.id),
            id: account.id.to_string(),
            created: account.created_at,
            last_modified: account.last_modified_at,
            version: account.version,
        };
        User::from_stored(account.attributes).to_resource(&meta, groups.collect())
    }

    async fn group(
        &self,
        group: Group,
        members_left: &mut usize,
    ) -> Result<Map<String, Value>, ScimFault> {
        let members = if self.projection.wants("members") {
            Some(self.members(group.id, members_left).await?)
        } else {
            None
        };
        let meta = ResourceMeta {
            location: self.location_of(ResourceType::Group, &group.id),
            id: group.id.to_string(),
            created: group.created_at,
            last_modified: group.last_modified_at,
            version: group.version,
        };
        Ok(group::Group::from_stored(group.attributes).to_resource(&meta, members))
    }

    /// The groups of every account among the resources, in one question.
    async fn groups_of(
        &self,
        resources: &[Resource],
    ) -> Result<HashMap<AccountId, Vec<Membership>>, ScimFault> {
        let accounts = resources.iter().filter_map(|resource| match resource {
            Resource::User(account) => Some(account.id),
            Resource::Group(_) => None,
        });
        let accounts: Vec<_> = accounts.filter(|_| self.projection.wants("groups")).collect();
        if accounts.is_empty() {
            return Ok(HashMap::new());
        }
        let mut groups_of: HashMap<_, Vec<_>> = HashMap::new();
        for membership in self.scim.directory().memberships(&accounts).await? {
            groups_of.entry(membership.account_id).or_default().push(membership);
        }
        Ok(groups_of)
    }

    /// Everybody who belongs to a group.
    async fn members(&self, id: GroupId, left: &mut usize) -> Result<Vec<MemberValue>, ScimFault> {
        let directory = self.scim.directory();
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let members = directory.members(id, after).await?;
            after = members.last().map(|member| member.id);
            let is_last = (members.len() as u64) < MEMBERS_AT_ONCE;
            *left = left.checked_sub(members.len()).ok_or_else(too_many_members)?;
            all.extend(members.into_iter().map(|member| self.member(member)));
            if is_last {
                return Ok(all);
            }
        }
    }

    fn member(&self, member: Member) -> MemberValue {
        let kind = match member.kind {
            MemberKind::Account => ResourceType::User,
            MemberKind::Group => ResourceType::Group,
        };
        MemberValue {
            location: self.location_of(kind, &member.id),
            value: member.id.to_string(),
            kind,
            display: self.projection.requests("members", "display").then_some(member.display),
        }
    }

    fn location_of(&self, kind: ResourceType, id: &impl ToString) -> String {
        format!("{}{}/{}", self.base_url, kind.endpoint(), id.to_string())
    }
}

fn too_many_members() -> ScimFault {
    let detail = format!(
        "The answer would name more than {MOST_MEMBERS} members. Ask with \
         excludedAttributes=members, or for fewer groups at once."
    );
    ScimError::TooMany(detail).into()
}
