//! Values in the shape that the schema gives them.

use serde_json::{Map, Number, Value};

use crate::scim::{
    attribute_path::{AttributePath, is_urn, member},
    dialect::Profile,
    error::{ScimError, quoted},
    schema::{self, Attribute, Kind, ResourceType},
    validation::not_an_extension,
};

impl Profile {
    /// The attributes of a resource as a client sends it, without what only the service sets.
    ///
    /// # Errors
    ///
    /// [`ScimError::InvalidSyntax`] for an attribute given twice; [`ScimError::InvalidValue`] for
    /// one that is not kept.
    pub(in crate::scim) fn resource(
        &self,
        resource_type: ResourceType,
        body: Map<String, Value>,
    ) -> Result<Map<String, Value>, ScimError> {
        let mut attributes = Map::new();
        for (name, value) in body {
            self.take(resource_type, &mut attributes, &name, value)?;
        }
        Ok(attributes)
    }

    /// Refuses a body whose `schemas` lack the URN that they must have.
    ///
    /// # Errors
    ///
    /// [`ScimError::InvalidSyntax`].
    pub(in crate::scim) fn check_schemas(
        &self,
        body: &Map<String, Value>,
        urn: &str,
    ) -> Result<(), ScimError> {
        let schemas = member(body, "schemas").and_then(Value::as_array);
        if self.ignores_schemas || schemas.is_some_and(|schemas| schemas.iter().any(|s| s == urn)) {
            return Ok(());
        }
        Err(ScimError::InvalidSyntax(format!("schemas must contain {urn}")))
    }

    /// Puts an attribute of a body where it belongs, or drops it.
    fn take(
        &self,
        resource_type: ResourceType,
        attributes: &mut Map<String, Value>,
        name: &str,
        value: Value,
    ) -> Result<(), ScimError> {
        match value {
            Value::Null => Ok(()),
            Value::Object(members) if is_urn(name) => {
                let urn = self.canonical_urn(name);
                self.take_extension(resource_type, attributes, &urn, members)
            }
            value if is_urn(name) => {
                let path = AttributePath::parse_name(name, self)?;
                self.take_attribute(resource_type, attributes, path, value)
            }
            value => {
                let mut path = AttributePath::of(self.extension_of(name), name);
                let known = path.definition_in(resource_type);
                path.attribute = known.map_or(path.attribute, |known| known.name.into());
                self.take_attribute(resource_type, attributes, path, value)
            }
        }
    }

    fn take_extension(
        &self,
        resource_type: ResourceType,
        attributes: &mut Map<String, Value>,
        urn: &str,
        members: Map<String, Value>,
    ) -> Result<(), ScimError> {
        if urn.eq_ignore_ascii_case(resource_type.schema().id) {
            let mut members = members.into_iter();
            return members
                .try_for_each(|(name, value)| self.take(resource_type, attributes, &name, value));
        }
        let known = urn.eq_ignore_ascii_case(schema::ENTERPRISE_USER);
        let urn = if known { schema::ENTERPRISE_USER } else { urn };
        let members = self.members(|name| resource_type.find(Some(urn), name), members)?;
        insert_once(attributes, urn.into(), Value::Object(members))
    }

    fn take_attribute(
        &self,
        resource_type: ResourceType,
        attributes: &mut Map<String, Value>,
        path: AttributePath,
        value: Value,
    ) -> Result<(), ScimError> {
        let known = path.definition_in(resource_type);
        if known.is_some_and(|known| !known.mutability.is_for_clients()) {
            return Ok(());
        }
        if known.is_none() && path.schema.is_none() && !self.unknown_attributes {
            let detail = format!("{} is not an attribute", quoted(&path.attribute));
            return Err(ScimError::InvalidValue(detail));
        }
        let value = self.value(known, value)?;
        let holder = match &path.schema {
            None => attributes,
            Some(urn) => holder(attributes, urn)?,
        };
        insert_once(holder, path.attribute, value)
    }

    /// A value of an attribute: a list for a multi-valued one.
    pub(in crate::scim) fn value(
        &self,
        definition: Option<&'static Attribute>,
        value: Value,
    ) -> Result<Value, ScimError> {
        let value = if self.empty_text_is_absent { absent_if_empty(value) } else { value };
        match definition {
            None => Ok(value),
            Some(known) if known.multi_valued => self.list(known, value),
            Some(known) => self.single(known, value),
        }
    }

    fn list(&self, known: &'static Attribute, value: Value) -> Result<Value, ScimError> {
        let elements = match value {
            Value::Array(elements) => elements,
            single if self.loose_shapes && !single.is_null() => vec![single],
            other => return Ok(other),
        };
        let elements = elements.into_iter().map(|element| self.element(known, element));
        let mut elements = elements.collect::<Result<Vec<_>, _>>()?;
        if self.loose_shapes {
            keep_one_primary(&mut elements);
        }
        Ok(Value::Array(elements))
    }

    /// One value of a multi-valued attribute.
    pub(in crate::scim) fn element(
        &self,
        known: &'static Attribute,
        element: Value,
    ) -> Result<Value, ScimError> {
        if element.is_null() {
            return Err(ScimError::InvalidValue(format!("{} cannot contain null", known.name)));
        }
        self.single(known, element).map(|element| match element {
            Value::Object(role) if self.role_documents && known.name == "roles" => {
                Value::Object(expand_role(role))
            }
            other => other,
        })
    }

    fn single(&self, known: &'static Attribute, value: Value) -> Result<Value, ScimError> {
        match value {
            Value::String(text) if known.kind == Kind::Boolean && self.string_booleans => {
                Ok(boolean(&text).map_or(Value::String(text), Value::Bool))
            }
            Value::Object(members) if known.kind == Kind::Complex => {
                self.members(|name| known.sub_attribute(name), members).map(Value::Object)
            }
            other if self.loose_shapes => self.reshaped(known, other),
            other => Ok(other),
        }
    }

    fn reshaped(&self, known: &'static Attribute, value: Value) -> Result<Value, ScimError> {
        match value {
            Value::Array(mut list) if list.len() == 1 && !list[0].is_array() => {
                self.single(known, list.remove(0))
            }
            Value::Number(number) if known.kind.is_text() => Ok(number.to_string().into()),
            Value::Number(number) if known.kind == Kind::Complex => {
                self.reshaped(known, number.to_string().into())
            }
            Value::String(text) if known.kind.is_number() => {
                Ok(number(&text).unwrap_or(text.into()))
            }
            Value::String(text)
                if known.kind == Kind::Complex && known.sub_attribute("value").is_some() =>
            {
                Ok(Value::Object(Map::from_iter([("value".to_owned(), Value::String(text))])))
            }
            other => Ok(other),
        }
    }

    fn members(
        &self,
        definition: impl Fn(&str) -> Option<&'static Attribute>,
        members: Map<String, Value>,
    ) -> Result<Map<String, Value>, ScimError> {
        let mut canonical = Map::new();
        for (name, value) in members {
            let known = definition(&name);
            let spelled = known.map_or(name, |known| known.name.into());
            insert_once(&mut canonical, spelled, self.value(known, value)?)?;
        }
        Ok(canonical)
    }
}

/// `true` or `false` in any case.
pub(in crate::scim) fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

/// The number that a text spells.
pub(in crate::scim) fn number(text: &str) -> Option<Value> {
    text.trim().parse::<Number>().ok().map(Value::Number)
}

fn absent_if_empty(value: Value) -> Value {
    if value == "" { Value::Null } else { value }
}

fn holder<'a>(
    attributes: &'a mut Map<String, Value>,
    urn: &str,
) -> Result<&'a mut Map<String, Value>, ScimError> {
    let holder = attributes.entry(urn).or_insert_with(|| Value::Object(Map::new()));
    holder.as_object_mut().ok_or_else(|| not_an_extension(urn))
}

/// Inserts a member; of an object that came in parts, the parts become one.
fn insert_once(
    members: &mut Map<String, Value>,
    name: String,
    value: Value,
) -> Result<(), ScimError> {
    let same = members.keys().find(|key| key.eq_ignore_ascii_case(&name)).cloned();
    match (same.and_then(|same| members.get_mut(&same)), value) {
        (None, value) => {
            members.insert(name, value);
            Ok(())
        }
        (Some(Value::Object(known)), Value::Object(more)) if is_urn(&name) => {
            more.into_iter().try_for_each(|(name, value)| insert_once(known, name, value))
        }
        _ => Err(ScimError::InvalidSyntax(format!("{} is given twice", quoted(&name)))),
    }
}

/// Of several values marked `primary`, the first stays so: `PingOne` may mark two.
fn keep_one_primary(elements: &mut [Value]) {
    let marked = elements.iter_mut().filter(|element| is_primary(element));
    for element in marked.skip(1) {
        element["primary"] = Value::Bool(false);
    }
}

/// Whether a value of a multi-valued attribute is its primary one.
pub(in crate::scim) fn is_primary(element: &Value) -> bool {
    element.get("primary") == Some(&Value::Bool(true))
}

/// Entra ID's `SingleAppRoleAssignment` sends
/// `{"value":"{\"id\":…,\"value\":\"Admin\",\"displayName\":\"Admin\"}"}` in a PATCH.
fn expand_role(mut role: Map<String, Value>) -> Map<String, Value> {
    let document = role.get("value").and_then(Value::as_str);
    let document = document.filter(|text| text.trim_start().starts_with('{'));
    let Some(Ok(document)) = document.map(serde_json::from_str::<Map<String, Value>>) else {
        return role;
    };
    role.remove("value");
    for (from, to) in [("id", "id"), ("value", "value"), ("displayName", "display")] {
        if let Some(text) = document.get(from).filter(|value| value.is_string()) {
            role.entry(to).or_insert_with(|| text.clone());
        }
    }
    role
}
