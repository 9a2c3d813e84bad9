//! A group as SCIM has it (RFC 7643 §4.2).

use std::collections::{HashMap, hash_map::Entry};

use serde_json::{Map, Value};

use crate::scim::{
    attribute_path::{is_urn, member},
    dialect::Profile,
    error::ScimError,
    resource_meta::ResourceMeta,
    schema::{self, ResourceType},
    validation::{self, Immutable},
};

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
        validation::check_length("displayName", group.display_name())?;
        validation::check_length("externalId", group.external_id().unwrap_or_default())?;
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

    /// Refuses to stand in for a group of which it changes what is immutable (RFC 7644 §3.5.1).
    ///
    /// # Errors
    ///
    /// [`ScimError::Mutability`] names the attribute.
    pub fn check_immutable(&self, before: &Self) -> Result<(), ScimError> {
        Immutable::of(ResourceType::Group, &before.attributes).check(&self.attributes)
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
        match places.entry(member.value.clone()) {
            Entry::Occupied(place) => {
                let first = &mut once[*place.get()];
                first.kind = first.kind.or(member.kind);
            }
            Entry::Vacant(place) => {
                place.insert(once.len());
                once.push(member);
            }
        }
    }
    once
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::scim::{
        dialect::{ENTRA, STRICT},
        user::tests::members,
    };

    fn created_by_entra() -> Map<String, Value> {
        members(json!({
            "schemas": [
                schema::GROUP,
                "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group",
            ],
            "externalId": "8aa1a0c0-c4c3-4bc0-b4a5-2ef676900159",
            "displayName": "Sales",
            "meta": { "resourceType": "Group" },
        }))
    }

    fn body_with(changes: Value) -> Map<String, Value> {
        let mut body = created_by_entra();
        body.extend(members(changes));
        body
    }

    fn member_of(value: &str, kind: Option<ResourceType>) -> Member {
        Member { value: value.into(), kind }
    }

    #[test]
    fn what_entra_creates_is_read_and_answered() {
        let meta = ResourceMeta {
            id: "48af".into(),
            created: "2018-03-27T19:59:26Z".parse().unwrap(),
            last_modified: "2018-03-27T19:59:26Z".parse().unwrap(),
            version: 1,
            location: "https://portal.example/scim/v2/1/Groups/48af".into(),
        };

        let (group, named) = Group::parse(created_by_entra(), &ENTRA).unwrap();

        assert_eq!(group.display_name(), "Sales");
        assert_eq!(group.external_id(), Some("8aa1a0c0-c4c3-4bc0-b4a5-2ef676900159"));
        assert_eq!(named, None);
        let resource = group.to_resource(&meta, None);
        assert_eq!(resource["schemas"], json!([schema::GROUP]));
        assert_eq!(resource["meta"]["resourceType"], "Group");
        assert_eq!(resource.get("members"), None);
        assert_eq!(group.to_resource(&meta, Some(Vec::new()))["members"], json!([]));
    }

    #[test]
    fn a_member_is_answered_with_where_it_lies() {
        let member = MemberValue {
            value: "7".into(),
            kind: ResourceType::User,
            display: Some("Alice".into()),
            location: "https://portal.example/scim/v2/1/Users/7".into(),
        };

        let expected = json!({
            "value": "7", "type": "User", "display": "Alice",
            "$ref": "https://portal.example/scim/v2/1/Users/7",
        });
        assert_eq!(member.into_value(), expected);
    }

    #[test]
    fn a_member_is_read_in_every_form() {
        let (user, group) = (Some(ResourceType::User), Some(ResourceType::Group));
        let forms = [
            (json!([{ "value": "7" }]), None),
            (json!([{ "$ref": null, "value": "7" }]), None),
            (json!([{ "value": "7", "display": "Alice" }]), None),
            (json!([{ "value": "7", "type": "user", "$ref": "../Users/7" }]), user),
            (json!([{ "VALUE": "7", "Type": "Group" }]), group),
            (json!([{ "value": "7", "type": "Person" }]), None),
            (json!([{ "$ref": "https://portal.example/scim/v2/1/Groups/7" }]), group),
            (json!([{ "$ref": "https://portal.example/scim/v2/1/Users/7/", "value": null }]), user),
            (json!([{ "$ref": "7" }]), None),
            (json!(["7"]), None),
            (json!([7]), None),
            (json!("7"), None),
            (json!({ "value": "7" }), None),
            (json!([{ "value": "7" }, "7", { "value": "7", "type": "User" }]), user),
        ];
        for (form, kind) in forms {
            let (_, named) = Group::parse(body_with(json!({ "members": form })), &ENTRA).unwrap();

            assert_eq!(named, Some(vec![member_of("7", kind)]), "{form}");
        }
    }

    #[test]
    fn members_that_are_not_mentioned_are_told_from_an_empty_list() {
        let bodies = [
            (json!({}), None),
            (json!({ "members": [] }), Some(Vec::new())),
            (json!({ "members": null }), Some(Vec::new())),
            (json!({ schema::GROUP: { "members": ["7"] } }), Some(vec![member_of("7", None)])),
        ];
        for (changes, expected) in bodies {
            let (_, named) = Group::parse(body_with(changes.clone()), &ENTRA).unwrap();

            assert_eq!(named, expected, "{changes}");
        }
    }

    #[test]
    fn a_body_of_okta_and_one_of_another_version_are_read() {
        let bodies = [
            json!({ "id": "x", "members": [{ "value": "7", "display": "alice@acme.example" }] }),
            json!({ "id": "x", "groups": [], "schemas": ["urn:scim:schemas:core:1.0"] }),
            json!({ "schemas": null, "urn:contoso:2.0:Group": { "mail": "sales@example.com" } }),
            json!({ "description": "kept as sent", "password": "x" }),
        ];
        for changes in bodies {
            let read = Group::parse(body_with(changes.clone()), &ENTRA);

            assert!(read.is_ok(), "{changes}: {read:?}");
        }
    }

    #[test]
    fn a_refusal_names_the_attribute() {
        let crowd: Vec<_> = (0..=MAX_MEMBERS).collect();
        let refusals = [
            (json!({ "displayName": null }), "displayName"),
            (json!({ "displayName": " " }), "displayName"),
            (json!({ "displayName": {} }), "displayName"),
            (json!({ "displayName": "x".repeat(256) }), "displayName"),
            (json!({ "externalId": "x".repeat(256) }), "externalId"),
            (json!({ "displayName": "a\u{0}b" }), "U+0000"),
            (json!({ "DISPLAYNAME": "twice" }), "displayName"),
            (json!({ "members": [null] }), "members"),
            (json!({ "members": [{}] }), "member"),
            (json!({ "members": [{ "value": "" }] }), "member"),
            (json!({ "members": [{ "value": {} }] }), "member"),
            (json!({ "members": [{ "value": "a\u{0}" }] }), "member"),
            (json!({ "members": ["x".repeat(256)] }), "member"),
            (json!({ "members": [[["7"]]] }), "member"),
            (json!({ "members": crowd }), "50000 members"),
        ];
        for (changes, attribute) in refusals {
            let refused = Group::parse(body_with(changes), &ENTRA).unwrap_err();

            assert_eq!(refused.status(), 400);
            assert!(refused.to_string().contains(attribute), "{attribute}: {refused}");
        }
    }

    #[test]
    fn a_strict_profile_reads_members_as_the_rfc_has_them() {
        let wrong = [
            json!({ "schemas": ["urn:scim:schemas:core:1.0"] }),
            json!({ "members": ["7"] }),
            json!({ "members": { "value": "7" } }),
            json!({ "members": [{ "$ref": "../Users/7" }] }),
            json!({ "members": [{ "value": "7", "type": "Person" }] }),
            json!({ "userName": "x" }),
        ];
        let right = json!({ "members": [{ "value": "7", "type": "User", "$ref": "../Users/7" }] });

        for changes in wrong {
            assert!(Group::parse(body_with(changes.clone()), &STRICT).is_err(), "{changes}");
        }
        let (_, named) = Group::parse(body_with(right), &STRICT).unwrap();
        assert_eq!(named, Some(vec![member_of("7", Some(ResourceType::User))]));
    }
}
