//! A group as SCIM has it (RFC 7643 §4.2).

use std::collections::HashMap;

use serde_json::{Map, Value};

use crate::scim::{
    attribute_path::{is_urn, member},
    dialect::Profile,
    error::ScimError,
    resource_meta::ResourceMeta,
    schema::{self, ResourceType},
    validation,
};

/// The longest `displayName`, in characters.
pub const MAX_DISPLAY_NAME: usize = 255;

/// A message names at most this many members together.
pub const MAX_MEMBERS: usize = 50_000;

/// A group as a directory describes it: without `id`, `meta` and `schemas`, which the service
/// sets, and without its members, who are rows of their own.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    attributes: Map<String, Value>,
}

/// Somebody whom a directory names as a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The `id` of the user or group.
    pub value: String,
    /// Which of the two, where the directory says so.
    pub kind: Option<ResourceType>,
}

/// A member as it is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberValue {
    /// The `id` of the user or group.
    pub value: String,
    /// Which of the two.
    pub kind: ResourceType,
    /// What to call it.
    pub display: Option<String>,
    /// Its absolute URL.
    pub location: String,
}

/// A group of a user as it is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupValue {
    /// The `id` of the group.
    pub value: String,
    /// Its `displayName`.
    pub display: String,
    /// Its absolute URL.
    pub location: String,
    /// Whether the user is a member, and not only a member of a member.
    pub direct: bool,
}

impl Group {
    /// Reads the body of a POST or PUT, the members apart: `None` where it does not mention them.
    ///
    /// # Errors
    ///
    /// [`ScimError::InvalidValue`] names the attribute that is missing or wrong;
    /// [`ScimError::InvalidSyntax`] one that is given twice, or, where the profile asks for it,
    /// `schemas` without the URN of groups.
    pub fn parse(
        body: Map<String, Value>,
        profile: &Profile,
    ) -> Result<(Self, Option<Vec<Member>>), ScimError> {
        profile.check_schemas(&body, schema::GROUP)?;
        let emptied = member(&body, "members").is_some_and(Value::is_null);
        let mut attributes = profile.resource(ResourceType::Group, body)?;
        let members = match attributes.remove("members") {
            Some(members) => Some(profile.group_members(members)?),
            None => emptied.then(Vec::new),
        };
        Ok((Self::checked(attributes)?, members))
    }

    /// The group of the attributes that [`Self::attributes`] gave; they are not checked again.
    pub fn from_stored(attributes: Map<String, Value>) -> Self {
        Self { attributes }
    }

    /// A group of canonical attributes, if they are complete and of the right types.
    pub(super) fn checked(mut attributes: Map<String, Value>) -> Result<Self, ScimError> {
        validation::sweep(&mut attributes);
        validation::validate(ResourceType::Group, &attributes)?;
        let group = Self { attributes };
        if group.display_name().trim().is_empty() {
            return Err(ScimError::InvalidValue("displayName is required".into()));
        }
        if group.display_name().chars().count() > MAX_DISPLAY_NAME {
            let detail = format!("displayName has at most {MAX_DISPLAY_NAME} characters");
            return Err(ScimError::InvalidValue(detail));
        }
        Ok(group)
    }

    /// The attributes, to be stored.
    pub fn attributes(&self) -> &Map<String, Value> {
        &self.attributes
    }

    /// The attributes, to be stored.
    pub fn into_attributes(self) -> Map<String, Value> {
        self.attributes
    }

    /// `displayName`.
    pub fn display_name(&self) -> &str {
        self.text("displayName").unwrap_or_default()
    }

    /// `externalId`.
    pub fn external_id(&self) -> Option<&str> {
        self.text("externalId")
    }

    /// The resource that is answered: the attributes with `schemas`, `id` and `meta`, and with
    /// `members` unless they are `None`.
    pub fn to_resource(
        &self,
        meta: &ResourceMeta,
        members: Option<Vec<MemberValue>>,
    ) -> Map<String, Value> {
        let extensions = self.attributes.keys().filter(|name| is_urn(name));
        let schemas = std::iter::once(schema::GROUP).chain(extensions.map(String::as_str));
        let mut resource = self.attributes.clone();
        resource.insert("schemas".into(), schemas.collect());
        resource.insert("id".into(), meta.id.clone().into());
        resource.insert("meta".into(), meta.to_value(ResourceType::Group.name()));
        if let Some(members) = members {
            let members = members.into_iter().map(MemberValue::into_value);
            resource.insert("members".into(), members.collect());
        }
        resource
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).and_then(Value::as_str)
    }
}

impl MemberValue {
    fn into_value(self) -> Value {
        let mut member = Map::new();
        member.insert("value".into(), self.value.into());
        member.insert("$ref".into(), self.location.into());
        member.insert("type".into(), self.kind.name().into());
        if let Some(display) = self.display {
            member.insert("display".into(), display.into());
        }
        Value::Object(member)
    }
}

impl GroupValue {
    pub(super) fn into_value(self) -> Value {
        serde_json::json!({
            "value": self.value,
            "$ref": self.location,
            "display": self.display,
            "type": if self.direct { "direct" } else { "indirect" },
        })
    }
}

/// The members with everybody once, in the order of their first mention.
pub(super) fn merged(members: Vec<Member>) -> Vec<Member> {
    let mut places: HashMap<String, usize> = HashMap::with_capacity(members.len());
    let mut once: Vec<Member> = Vec::with_capacity(members.len());
    for member in members {
        match places.get(&member.value) {
            Some(&place) => once[place].kind = once[place].kind.or(member.kind),
            None => {
                places.insert(member.value.clone(), once.len());
                once.push(member);
            }
        }
    }
    once
}
