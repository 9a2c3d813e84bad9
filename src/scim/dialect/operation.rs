//! The operations of a PATCH, each with a path and a value in canonical shape.

use serde_json::{Map, Value};

use crate::scim::{
    attribute_path::AttributePath,
    dialect::Profile,
    error::{ScimError, quoted},
    filter::{Comparison, Filter, Operator},
    patch::{MemberChange, Operation, Verb},
    schema::{self, Kind, Mutability, ResourceType},
};

/// Reads a client's operations, one after the other.
pub(in crate::scim) struct Reading<'p> {
    profile: &'p Profile,
    resource_type: ResourceType,
    /// What they change of the attributes.
    pub(in crate::scim) operations: Vec<Operation>,
    /// What they change of a group's members.
    pub(in crate::scim) members: Vec<MemberChange>,
}

impl<'p> Reading<'p> {
    /// Nothing read yet.
    pub(in crate::scim) fn new(resource_type: ResourceType, profile: &'p Profile) -> Self {
        Self { profile, resource_type, operations: Vec::new(), members: Vec::new() }
    }

    /// Reads one operation, which may stand for several.
    ///
    /// # Errors
    ///
    /// [`ScimError`] for a path or a value that cannot be.
    pub(in crate::scim) fn read(
        &mut self,
        verb: Verb,
        path: Option<&str>,
        value: Option<&Value>,
    ) -> Result<(), ScimError> {
        let needed =
            verb == Verb::Add || (verb == Verb::Replace && !self.profile.empty_text_is_absent);
        if value.is_none() && needed {
            return Err(ScimError::InvalidValue("an operation needs a value".into()));
        }
        let value = value.cloned();
        match path {
            Some(path) => self.at_name(verb, path, value, true),
            None if verb == Verb::Remove => {
                Err(ScimError::NoTarget("a remove operation needs a path".into()))
            }
            None => self.without_path(verb, value.unwrap_or_default()),
        }
    }

    /// Each member of the value names where it belongs: plainly, dotted, or by URN.
    fn without_path(&mut self, verb: Verb, value: Value) -> Result<(), ScimError> {
        let value = match value {
            Value::String(text) if self.profile.loose_shapes => {
                serde_json::from_str(&text).unwrap_or_default()
            }
            value => value,
        };
        let Value::Object(members) = value else {
            let detail = "an operation without a path needs an object as its value";
            return Err(ScimError::InvalidValue(detail.into()));
        };
        let mut members = members.into_iter();
        members.try_for_each(|(name, value)| self.at_name(verb, &name, Some(value), false))
    }

    fn at_name(
        &mut self,
        verb: Verb,
        name: &str,
        value: Option<Value>,
        explicit: bool,
    ) -> Result<(), ScimError> {
        let path = AttributePath::parse(name, self.profile)?;
        match value {
            Some(Value::Object(members)) if verb != Verb::Remove && self.names_extension(&path) => {
                let urn = match path.schema {
                    Some(urn) => format!("{urn}:{}", path.attribute),
                    None => path.attribute,
                };
                self.in_extension(verb, &urn, members)
            }
            value => self.at(verb, path, value, explicit),
        }
    }

    fn in_extension(
        &mut self,
        verb: Verb,
        urn: &str,
        members: Map<String, Value>,
    ) -> Result<(), ScimError> {
        let core = urn.eq_ignore_ascii_case(self.resource_type.schema().id);
        if verb == Verb::Replace && !core && !self.profile.merges_extensions {
            self.push(Verb::Remove, AttributePath::of(None, urn), Value::Null);
        }
        for (name, value) in members {
            let path = AttributePath::parse(&format!("{urn}:{name}"), self.profile)?;
            self.at(verb, path, Some(value), false)?;
        }
        Ok(())
    }

    fn at(
        &mut self,
        verb: Verb,
        path: AttributePath,
        value: Option<Value>,
        explicit: bool,
    ) -> Result<(), ScimError> {
        if !self.is_writable(&path, explicit)? {
            return Ok(());
        }
        if self.resource_type == ResourceType::Group && path.is_members() {
            self.members.extend(self.profile.member_change(verb, &path, value)?);
            return Ok(());
        }
        self.check_shape(&path)?;
        let value = value.unwrap_or_default();
        if verb == Verb::Remove {
            return self.removal(path, &value);
        }
        let value = if self.is_absent(&value) { Value::Null } else { value };
        if value.is_null() || (verb == Verb::Replace && value == Value::Array(Vec::new())) {
            return self.unassignment(verb, path);
        }
        let value = self.canonical(&path, value)?;
        self.push(verb, path, value);
        Ok(())
    }

    fn push(&mut self, verb: Verb, path: AttributePath, value: Value) {
        let known = path.definition_in(self.resource_type);
        let tolerant = self.profile.tolerates_missing_targets;
        self.operations.push(Operation { verb, path, known, value, tolerant });
    }

    fn canonical(&self, path: &AttributePath, value: Value) -> Result<Value, ScimError> {
        let known = path.target_definition_in(self.resource_type);
        let has_null = value.as_array().is_some_and(|values| values.iter().any(Value::is_null));
        match known {
            _ if has_null => Err(ScimError::InvalidValue(format!("{path} cannot contain null"))),
            Some(known) if path.filter.is_some() && path.sub_attribute.is_none() => {
                self.profile.element(known, value)
            }
            known => self.profile.value(known, value),
        }
    }

    /// Whether an operation has an effect; those on what the client does not own have none, or
    /// are refused.
    fn is_writable(&self, path: &AttributePath, explicit: bool) -> Result<bool, ScimError> {
        let Some(known) = path.definition_in(self.resource_type) else {
            let unknown = path.schema.is_none() && !path.is_extension();
            if unknown && !self.profile.unknown_attributes {
                return Err(ScimError::InvalidPath(format!("{path} is not an attribute")));
            }
            return Ok(true);
        };
        match known.mutability {
            Mutability::ReadWrite | Mutability::Immutable => Ok(true),
            Mutability::WriteOnly => Ok(false),
            Mutability::ReadOnly if known.name == "schemas" => Ok(false),
            Mutability::ReadOnly if self.profile.ignores_read_only && !explicit => Ok(false),
            Mutability::ReadOnly => Err(ScimError::Mutability(format!("{path} is read-only"))),
        }
    }

    /// Refuses a filter or a sub-attribute where the schema has none.
    fn check_shape(&self, path: &AttributePath) -> Result<(), ScimError> {
        let Some(known) = path.definition_in(self.resource_type) else { return Ok(()) };
        if path.filter.is_some() && !known.multi_valued {
            return Err(ScimError::InvalidPath(format!("{} has only one value", known.name)));
        }
        let Some(sub) = &path.sub_attribute else { return Ok(()) };
        let unknown = known.sub_attribute(sub).is_none();
        if known.kind != Kind::Complex || (unknown && !self.profile.unknown_attributes) {
            return Err(ScimError::InvalidPath(format!("{path} does not exist")));
        }
        Ok(())
    }

    /// `""` and `null` in place of a value.
    fn unassignment(&mut self, verb: Verb, path: AttributePath) -> Result<(), ScimError> {
        if verb == Verb::Add && !self.profile.empty_text_is_absent {
            return Err(ScimError::InvalidValue(format!("an add to {path} needs a value")));
        }
        if self.is_required(&path) {
            return Err(ScimError::InvalidValue(format!("{path} is required")));
        }
        self.push(Verb::Remove, path, Value::Null);
        Ok(())
    }

    fn removal(&mut self, path: AttributePath, value: &Value) -> Result<(), ScimError> {
        if self.is_required(&path) {
            let detail = format!("{path} is required and cannot be removed");
            return Err(ScimError::Mutability(detail));
        }
        let listed = match value {
            Value::Array(listed) => Some(listed.as_slice()),
            Value::Object(_) => Some(std::slice::from_ref(value)),
            _ => None,
        };
        let known = path.definition_in(self.resource_type);
        let is_list = known.is_none_or(|known| known.multi_valued);
        let whole = path.filter.is_none() && path.sub_attribute.is_none();
        if let Some(listed) = listed
            && is_list
            && whole
            && self.profile.removes_listed_values
        {
            return listed.iter().try_for_each(|value| self.removal_of(&path, value));
        }
        self.push(Verb::Remove, path, Value::Null);
        Ok(())
    }

    /// The removal of one listed value: of all that have its `value`, else of all that have all
    /// its members.
    fn removal_of(&mut self, path: &AttributePath, listed: &Value) -> Result<(), ScimError> {
        let element = match path.definition_in(self.resource_type) {
            Some(known) => self.profile.element(known, listed.clone())?,
            None => listed.clone(),
        };
        let members = match element {
            Value::Object(members) => members,
            simple => Map::from_iter([("value".to_owned(), simple)]),
        };
        let Some(filter) = alike(&members) else {
            let detail = format!("what to remove from {} is not clear", quoted(&path.attribute));
            return Err(ScimError::InvalidValue(detail));
        };
        let path = AttributePath { filter: Some(Box::new(filter)), ..path.clone() };
        self.push(Verb::Remove, path, Value::Null);
        Ok(())
    }

    fn is_absent(&self, value: &Value) -> bool {
        value.is_null() || (self.profile.empty_text_is_absent && value == "")
    }

    /// Whether a resource must have what the path names. Of multi-valued attributes only the
    /// result of all operations tells.
    fn is_required(&self, path: &AttributePath) -> bool {
        let known = path.definition_in(self.resource_type);
        known.is_some_and(|known| !known.multi_valued)
            && path
                .target_definition_in(self.resource_type)
                .is_some_and(|known| known.required && !known.multi_valued)
    }

    /// Whether an object at this path holds attributes of an extension: also under a URN that
    /// nobody published, which could as well be taken for an attribute's.
    fn names_extension(&self, path: &AttributePath) -> bool {
        let plain = path.filter.is_none() && path.sub_attribute.is_none();
        let unpublished = path.schema.is_some() && path.definition_in(self.resource_type).is_none();
        let published = path.schema.as_deref() == Some(schema::ENTERPRISE_USER);
        plain && (path.is_extension() || (unpublished && !published))
    }
}

/// The filter for values that have the same `value`, else for those that have all the members.
fn alike(members: &Map<String, Value>) -> Option<Filter> {
    let named = members.get_key_value("value").map(|named| vec![named]);
    let mut parts: Vec<Filter> = named
        .unwrap_or_else(|| members.iter().collect())
        .into_iter()
        .filter(|(_, value)| !value.is_null() && !value.is_object() && !value.is_array())
        .map(|(name, value)| equal(name, value))
        .collect();
    match parts.len() {
        0 => None,
        1 => parts.pop(),
        _ => Some(Filter::And(parts)),
    }
}

fn equal(name: &str, value: &Value) -> Filter {
    Filter::Compare(Comparison {
        path: AttributePath::of(None, name),
        operator: Operator::Equal,
        value: value.clone(),
        case_exact: true,
    })
}
