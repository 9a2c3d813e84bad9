//! A user as SCIM has it (RFC 7643 §4.1).

use serde_json::{Map, Value};

use crate::scim::{
    attribute_path::is_urn,
    dialect::{Profile, value::is_primary},
    error::ScimError,
    group::GroupValue,
    resource_meta::ResourceMeta,
    schema::{self, ResourceType},
    validation::{self, Immutable},
};

/// A user as a directory describes it: without `id`, `meta` and `schemas`, which the service sets.
///
/// Attributes and their values are kept as sent, those that Portico does not know included; what
/// has no value (`null`, `[]`, `{}`) is not there at all (RFC 7643 §2.5).
#[derive(Clone, Debug, PartialEq)]
pub struct User {
    attributes: Map<String, Value>,
}

impl User {
    /// Reads the body of a POST or PUT. What a client does not own (`id`, `meta`, `groups`) is
    /// passed over, and a `password` is thrown away.
    ///
    /// # Errors
    ///
    /// [`ScimError::InvalidValue`] names the attribute that is missing or wrong;
    /// [`ScimError::InvalidSyntax`] one that is given twice, or, where the profile asks for it,
    /// `schemas` without the URN of users.
    pub fn parse(body: Map<String, Value>, profile: &Profile) -> Result<Self, ScimError> {
        profile.check_schemas(&body, schema::USER)?;
        Self::checked(profile.resource(ResourceType::User, body)?)
    }

    /// The user of the attributes that [`Self::attributes`] gave; they are not checked again.
    pub fn from_stored(attributes: Map<String, Value>) -> Self {
        Self { attributes }
    }

    /// A user of canonical attributes, if they are complete and of the right types.
    pub(super) fn checked(mut attributes: Map<String, Value>) -> Result<Self, ScimError> {
        validation::sweep(&mut attributes);
        validation::say_once(ResourceType::User, &mut attributes);
        validation::validate(ResourceType::User, &attributes)?;
        let user = Self { attributes };
        user.check_required()?;
        Ok(user)
    }

    /// The attributes, to be stored.
    pub fn attributes(&self) -> &Map<String, Value> {
        &self.attributes
    }

    /// The attributes, to be stored.
    pub fn into_attributes(self) -> Map<String, Value> {
        self.attributes
    }

    /// `userName`.
    pub fn user_name(&self) -> &str {
        self.text("userName").unwrap_or_default()
    }

    /// `externalId`.
    pub fn external_id(&self) -> Option<&str> {
        self.text("externalId")
    }

    /// The e-mail address that is marked `primary`, else the first.
    pub fn primary_email(&self) -> &str {
        let addresses = || self.values("emails").filter(|email| value_of(email).is_some());
        let primary = addresses().find(|email| is_primary(email));
        primary.or_else(|| addresses().next()).and_then(value_of).unwrap_or_default()
    }

    /// `name.givenName`.
    pub fn given_name(&self) -> &str {
        self.name("givenName").unwrap_or_default()
    }

    /// `name.familyName`.
    pub fn family_name(&self) -> &str {
        self.name("familyName").unwrap_or_default()
    }

    /// What to call the person: `displayName`, else the formatted name, else given and family
    /// name, else `userName`.
    pub fn display_name(&self) -> String {
        let stated = self.text("displayName").or_else(|| self.name("formatted"));
        let names = || format!("{} {}", self.given_name(), self.family_name()).trim().to_owned();
        let name = stated.map_or_else(names, Into::into);
        if name.is_empty() { self.user_name().into() } else { name }
    }

    /// Whether the person may sign in; who is not said to be inactive is active.
    pub fn active(&self) -> bool {
        self.stated_active().unwrap_or(true)
    }

    /// `active` as the directory said it. `None` after a PATCH that removed it, which is no reason
    /// to let anybody in again.
    pub fn stated_active(&self) -> Option<bool> {
        self.attributes.get("active").and_then(Value::as_bool)
    }

    /// The values of `roles`.
    pub fn roles(&self) -> Vec<String> {
        self.values("roles").filter_map(value_of).map(Into::into).collect()
    }

    /// The resource that is answered: the attributes with `schemas`, `id`, `meta` and `groups`.
    pub fn to_resource(&self, meta: &ResourceMeta, groups: Vec<GroupValue>) -> Map<String, Value> {
        let extensions = self.attributes.keys().filter(|name| is_urn(name));
        let schemas = std::iter::once(schema::USER).chain(extensions.map(String::as_str));
        let mut resource = self.attributes.clone();
        resource.insert("schemas".into(), schemas.collect());
        resource.insert("id".into(), meta.id.clone().into());
        resource.insert("meta".into(), meta.to_value(ResourceType::User.name()));
        if !groups.is_empty() {
            let groups = groups.into_iter().map(GroupValue::into_value);
            resource.insert("groups".into(), groups.collect());
        }
        resource
    }

    /// Refuses to stand in for a user of whom it changes what is immutable (RFC 7644 §3.5.1).
    ///
    /// # Errors
    ///
    /// [`ScimError::Mutability`] names the attribute.
    pub fn check_immutable(&self, before: &Self) -> Result<(), ScimError> {
        Immutable::of(ResourceType::User, &before.attributes).check(&self.attributes)
    }

    fn check_required(&self) -> Result<(), ScimError> {
        let required = [
            ("userName", self.user_name()),
            ("name.givenName", self.given_name()),
            ("name.familyName", self.family_name()),
        ];
        for (name, value) in required {
            if value.trim().is_empty() {
                return Err(ScimError::InvalidValue(format!("{name} is required")));
            }
        }
        if self.primary_email().is_empty() {
            let detail = "emails is required, with a value that is not empty";
            return Err(ScimError::InvalidValue(detail.into()));
        }
        validation::check_length("userName", self.user_name())?;
        validation::check_length("externalId", self.external_id().unwrap_or_default())?;
        validation::check_length("the primary value of emails", self.primary_email())
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).and_then(Value::as_str)
    }

    fn name(&self, name: &str) -> Option<&str> {
        self.attributes.get("name")?.get(name)?.as_str()
    }

    fn values(&self, name: &str) -> impl Iterator<Item = &Value> {
        self.attributes.get(name).and_then(Value::as_array).into_iter().flatten()
    }
}

fn value_of(value: &Value) -> Option<&str> {
    value.get("value").and_then(Value::as_str).filter(|text| !text.trim().is_empty())
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::scim::{
        dialect::{ENTRA, STRICT},
        validation::{MAX_DEPTH, MAX_SIZE, MAX_VALUES},
    };

    /// The body with which Entra ID creates a user.
    pub(in crate::scim) fn created_by_entra() -> Map<String, Value> {
        members(json!({
            "schemas": [schema::USER, schema::ENTERPRISE_USER],
            "externalId": "0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef",
            "userName": "Test_User_00aa00aa-bb11-cc22-dd33-44ee44ee44ee",
            "active": true,
            "emails": [{ "primary": true, "type": "work", "value": "Test_User_11bb@testuser.com" }],
            "meta": { "resourceType": "User" },
            "name": {
                "formatted": "givenName familyName",
                "familyName": "familyName",
                "givenName": "givenName",
            },
            "roles": [],
        }))
    }

    pub(in crate::scim) fn members(value: Value) -> Map<String, Value> {
        match value {
            Value::Object(members) => members,
            other => panic!("{other} is not an object"),
        }
    }

    /// The body of a user with some of its members changed; null takes one out.
    fn body_with(changes: Value) -> Map<String, Value> {
        let mut body = created_by_entra();
        body.extend(members(changes));
        body
    }

    #[test]
    fn what_entra_creates_is_read() {
        let user = User::parse(created_by_entra(), &ENTRA).unwrap();

        assert_eq!(user.user_name(), "Test_User_00aa00aa-bb11-cc22-dd33-44ee44ee44ee");
        assert_eq!(user.external_id(), Some("0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef"));
        assert_eq!(user.primary_email(), "Test_User_11bb@testuser.com");
        assert_eq!(user.display_name(), "givenName familyName");
        assert_eq!((user.given_name(), user.family_name()), ("givenName", "familyName"));
        assert!(user.active() && user.roles().is_empty());
        assert_eq!(User::parse(created_by_entra(), &STRICT), Ok(user));
    }

    #[test]
    fn the_answer_is_what_was_sent_with_what_the_service_adds() {
        let meta = ResourceMeta {
            id: "48af".into(),
            created: "2018-03-27T19:59:26Z".parse().unwrap(),
            last_modified: "2018-03-28T19:59:26.0129Z".parse().unwrap(),
            version: 7,
            location: "https://portal.example/scim/v2/1/Users/48af".into(),
        };
        let body =
            body_with(json!({ "urn:contoso:employee": { "JobCode": "AB" }, "shoeSize": 43 }));

        let resource = User::parse(body.clone(), &ENTRA).unwrap().to_resource(&meta, Vec::new());

        let mut expected = body;
        expected.remove("roles");
        expected.insert("schemas".into(), json!([schema::USER, "urn:contoso:employee"]));
        expected.insert("id".into(), "48af".into());
        let meta = json!({
            "resourceType": "User", "version": "W/\"7\"",
            "created": "2018-03-27T19:59:26.000Z", "lastModified": "2018-03-28T19:59:26.012Z",
            "location": "https://portal.example/scim/v2/1/Users/48af",
        });
        expected.insert("meta".into(), meta);
        assert_eq!(resource, expected);
    }

    #[test]
    fn the_groups_of_a_user_are_answered_and_never_taken() {
        let meta = ResourceMeta {
            id: "48af".into(),
            created: "2018-03-27T19:59:26Z".parse().unwrap(),
            last_modified: "2018-03-27T19:59:26Z".parse().unwrap(),
            version: 1,
            location: "https://portal.example/scim/v2/1/Users/48af".into(),
        };
        let sales = GroupValue {
            value: "7".into(),
            display: "Sales".into(),
            location: "https://portal.example/scim/v2/1/Groups/7".into(),
            direct: true,
        };
        let sent = json!({ "groups": [{ "value": "8", "display": "Admins" }] });

        let user = User::parse(body_with(sent), &ENTRA).unwrap();

        let expected = json!([{ "value": "7", "display": "Sales", "type": "direct",
            "$ref": "https://portal.example/scim/v2/1/Groups/7" }]);
        assert_eq!(user.to_resource(&meta, vec![sales])["groups"], expected);
        assert_eq!(user.to_resource(&meta, Vec::new()).get("groups"), None);
    }

    #[test]
    fn the_variants_of_a_body_mean_the_same() {
        let variants = [
            json!({ "addresses": null, "phoneNumbers": null, "title": null, "manager": null }),
            json!({ "active": "True", "password": "hunter2", "groups": [], "id": "x" }),
            json!({ "schemas": ["urn:scim:schemas:core:1.0"], "nickName": "" }),
            json!({ "emails": [{ "primary": "true", "type": "work", "value": "Test_User_11bb@testuser.com" }] }),
            json!({ "emails": { "Primary": true, "TYPE": "work", "Value": "Test_User_11bb@testuser.com" } }),
            json!({ "urn:x:2.0:User": { "a": null, "b": [] } }),
            json!({ "userName": null, schema::USER: {
                "userName": "Test_User_00aa00aa-bb11-cc22-dd33-44ee44ee44ee", "id": "x" } }),
            json!({ format!("{}:id", schema::USER): "x", format!("{}:password", schema::USER): "x" }),
        ];
        let plain = User::parse(created_by_entra(), &ENTRA).unwrap();
        for variant in variants {
            let user = User::parse(body_with(variant.clone()), &ENTRA);

            assert_eq!(user.as_ref(), Ok(&plain), "{variant}");
        }
    }

    #[test]
    fn a_manager_is_read_in_every_form() {
        let typo = "urn:ietf:params:scim:schemas:extension:enterprise:2.0User";
        let colon = format!("{}:manager", schema::ENTERPRISE_USER);
        let forms = [
            json!({ "manager": "2819" }),
            json!({ "manager": [{ "value": "2819" }] }),
            json!({ schema::ENTERPRISE_USER: { "manager": "2819" } }),
            json!({ schema::ENTERPRISE_USER: { "Manager": { "value": "2819" } } }),
            json!({ schema::ENTERPRISE_USER.to_lowercase(): { "manager": "2819" } }),
            json!({ typo: { "manager": { "value": "2819" } } }),
            json!({ colon: "2819" }),
        ];
        for form in forms {
            let user = User::parse(body_with(form.clone()), &ENTRA).unwrap();

            let extension = &user.attributes[schema::ENTERPRISE_USER];
            assert_eq!(extension, &json!({ "manager": { "value": "2819" } }), "{form}");
        }
    }

    #[test]
    fn roles_are_read_in_every_form() {
        let document = r#"{"id":"06b0","value":"Admin","displayName":"Administrator"}"#;
        let forms = [
            json!([{ "primary": true, "type": "WindowsAzureActiveDirectoryRole", "value": "Admin" }]),
            json!([{ "primary": "True", "displayName": "Admin", "value": "Admin" }]),
            json!([{ "value": document }]),
            json!([document]),
            json!(document),
            json!(["Admin"]),
            json!({ "value": "Admin" }),
        ];
        for form in forms {
            let body = body_with(json!({ "roles": form }));

            assert_eq!(User::parse(body, &ENTRA).unwrap().roles(), ["Admin"], "{form}");
        }
    }

    #[test]
    fn what_a_list_says_twice_it_says_once() {
        let (a, b) = (json!({ "value": "a", "type": "x" }), json!({ "value": "b" }));
        let louder = json!({ "value": "a", "type": "x", "display": "A" });
        let other = json!({ "value": "a", "type": "y" });
        let place = json!({ "locality": "Kiel" });
        let body = body_with(json!({
            "roles": [a, b, a, other, louder, b],
            "addresses": [place, place, { "locality": "Bonn" }],
            "urn:x:2.0:User": { "list": ["1", "1"] },
        }));

        let user = User::parse(body, &STRICT).unwrap();

        assert_eq!(user.attributes["roles"], json!([a, b, other]));
        assert_eq!(user.attributes["addresses"], json!([place, { "locality": "Bonn" }]));
        assert_eq!(user.attributes["urn:x:2.0:User"]["list"], json!(["1", "1"]));
    }

    #[test]
    fn of_two_primary_addresses_the_first_stays_primary() {
        let emails = json!([{ "value": "a@x", "type": "home" },
            { "value": "b@x", "primary": true }, { "value": "c@x", "primary": true }]);
        let body = body_with(json!({ "emails": emails }));

        let lenient = User::parse(body.clone(), &ENTRA).unwrap();
        let strict = User::parse(body, &STRICT);

        assert_eq!(lenient.primary_email(), "b@x");
        assert_eq!(lenient.attributes["emails"][2]["primary"], false);
        assert!(matches!(strict, Err(ScimError::InvalidValue(_))));
    }

    #[test]
    fn a_refusal_names_the_attribute() {
        let wide: Vec<_> = (0..=MAX_VALUES).map(|n| json!({ "value": n.to_string() })).collect();
        let mut deep = json!(1);
        for _ in 0..=MAX_DEPTH + 1 {
            deep = json!([deep, 1]);
        }
        let refusals = [
            (json!({ "userName": null }), "userName"),
            (json!({ "userName": "" }), "userName"),
            (json!({ "userName": "  " }), "userName"),
            (json!({ "userName": "a\u{0}b" }), "userName"),
            (json!({ "emails": [{ "value": "a\u{0}b" }] }), "U+0000"),
            (json!({ "urn:contoso:2.0:User": { "a\u{0}b": 1 } }), "U+0000"),
            (json!({ "a\u{0}b": 1 }), "U+0000"),
            (json!({ "externalId": "x".repeat(256) }), "externalId"),
            (json!({ "emails": [{ "value": "x".repeat(256) }] }), "emails"),
            (json!({ "userName": ["a", "b"] }), "userName"),
            (json!({ "userName": { "a": 1 } }), "userName"),
            (json!({ "userName": "x".repeat(256) }), "userName"),
            (json!({ "name": null }), "name.givenName"),
            (json!({ "name": "Alice" }), "name"),
            (json!({ "name": { "givenName": "Alice" } }), "name.familyName"),
            (json!({ "name": { "givenName": true, "familyName": "x" } }), "name.givenName"),
            (json!({ "emails": null }), "emails"),
            (json!({ "emails": [] }), "emails"),
            (json!({ "emails": [null] }), "emails"),
            (json!({ "emails": [[]] }), "emails"),
            (json!({ "emails": true }), "emails"),
            (json!({ "emails": [{ "type": "work" }] }), "emails"),
            (json!({ "emails": [{ "value": { "value": "x" } }] }), "emails.value"),
            (json!({ "active": "yes" }), "active"),
            (json!({ "active": 1 }), "active"),
            (json!({ "roles": [{ "primary": "maybe", "value": "x" }] }), "roles.primary"),
            (json!({ "roles": wide }), "roles"),
            (json!({ "title": "x".repeat(MAX_SIZE) }), "bytes"),
            (json!({ "custom": deep }), "custom"),
            (json!({ "USERNAME": "b" }), "userName"),
            (json!({ "urn:contoso:2.0:User": "x" }), "urn:contoso:2.0:User"),
            (json!({ schema::ENTERPRISE_USER: "x", "manager": "y" }), schema::ENTERPRISE_USER),
            (json!({ schema::ENTERPRISE_USER: { "department": ["a", "b"] } }), "department"),
        ];
        for (changes, attribute) in refusals {
            let refused = User::parse(body_with(changes), &ENTRA).unwrap_err();

            assert_eq!(refused.status(), 400);
            assert!(refused.to_string().contains(attribute), "{attribute}: {refused}");
        }
    }

    /// Any JSON, with the names that mean something more often than others.
    pub(in crate::scim) fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "\\PC{0,8}|True|\\{\\}|\\{\"value\":1\\}".prop_map(Value::from),
        ];
        let name = "userName|name|name.givenName|givenName|emails|value|type|primary|active|roles\
            |manager|id|urn:a:b:c|urn:ietf:params:scim:schemas:extension:enterprise:2.0:User|\\PC{0,5}";
        leaf.prop_recursive(5, 40, 6, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::vec((name, inner), 0..6)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_object_is_a_user_or_refused(value in any_json()) {
            if let Value::Object(changes) = value {
                let body = body_with(changes.clone().into());
                let _ = User::parse(changes, &STRICT);
                let _ = User::parse(body.clone(), &STRICT);
                if let Ok(user) = User::parse(body, &ENTRA) {
                    let again = User::parse(user.attributes.clone(), &ENTRA);
                    prop_assert_eq!(again, Ok(user), "a user read back is the same");
                }
            }
        }
    }
}
