//! The operations of a PATCH, each with a path and a value in canonical shape.

use serde_json::{Map, Value};

use crate::scim::{
    attribute_path::AttributePath,
    dialect::Profile,
    error::{ScimError, quoted},
    filter::{Comparison, Filter, Operator},
    patch::{Operation, Verb},
    schema::{self, Kind, Mutability},
};

impl Profile {
    /// The operations that one operation of a client stands for.
    ///
    /// # Errors
    ///
    /// [`ScimError`] for a path or a value that cannot be.
    pub(in crate::scim) fn operations(
        &self,
        verb: Verb,
        path: Option<&str>,
        value: Option<&Value>,
    ) -> Result<Vec<Operation>, ScimError> {
        if value.is_none() && verb == Verb::Add {
            return Err(ScimError::InvalidValue("an add operation needs a value".into()));
        }
        let value = value.cloned().unwrap_or_default();
        match path {
            Some(path) => self.at_name(verb, path, value, true),
            None if verb == Verb::Remove => {
                Err(ScimError::NoTarget("a remove operation needs a path".into()))
            }
            None => self.without_path(verb, value),
        }
    }

    /// Each member of the value names where it belongs: plainly, dotted, or by URN.
    fn without_path(&self, verb: Verb, value: Value) -> Result<Vec<Operation>, ScimError> {
        let value = match value {
            Value::String(text) if self.loose_shapes => {
                serde_json::from_str(&text).unwrap_or_default()
            }
            value => value,
        };
        let Value::Object(members) = value else {
            let detail = "an operation without a path needs an object as its value";
            return Err(ScimError::InvalidValue(detail.into()));
        };
        let members =
            members.into_iter().map(|(name, value)| self.at_name(verb, &name, value, false));
        members.collect::<Result<Vec<_>, _>>().map(|operations| operations.concat())
    }

    fn at_name(
        &self,
        verb: Verb,
        name: &str,
        value: Value,
        explicit: bool,
    ) -> Result<Vec<Operation>, ScimError> {
        let path = AttributePath::parse(name, self)?;
        match value {
            Value::Object(members) if verb != Verb::Remove && names_extension(&path) => {
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
        &self,
        verb: Verb,
        urn: &str,
        members: Map<String, Value>,
    ) -> Result<Vec<Operation>, ScimError> {
        let mut operations = Vec::new();
        for (name, value) in members {
            let path = AttributePath::parse(&format!("{urn}:{name}"), self)?;
            operations.extend(self.at(verb, path, value, false)?);
        }
        Ok(operations)
    }

    fn at(
        &self,
        verb: Verb,
        path: AttributePath,
        value: Value,
        explicit: bool,
    ) -> Result<Vec<Operation>, ScimError> {
        if !self.is_writable(&path, explicit)? {
            return Ok(Vec::new());
        }
        self.check_shape(&path)?;
        if verb == Verb::Remove {
            return self.removal(path, &value);
        }
        let value = if self.is_absent(&value) { Value::Null } else { value };
        if value.is_null() || (verb == Verb::Replace && value == Value::Array(Vec::new())) {
            return self.unassignment(verb, path);
        }
        let value = match path.target_definition() {
            Some(known) if path.filter.is_some() && path.sub_attribute.is_none() => {
                self.element(known, value)?
            }
            known => self.value(known, value)?,
        };
        Ok(vec![self.operation(verb, path, value)])
    }

    fn operation(&self, verb: Verb, path: AttributePath, value: Value) -> Operation {
        Operation { verb, path, value, tolerant: self.tolerates_missing_targets }
    }

    /// Whether an operation has an effect; those on what the client does not own have none, or
    /// are refused.
    fn is_writable(&self, path: &AttributePath, explicit: bool) -> Result<bool, ScimError> {
        let Some(known) = path.definition() else {
            let unknown = path.schema.is_none() && !path.is_extension();
            if unknown && !self.unknown_attributes {
                return Err(ScimError::InvalidPath(format!("{path} is not an attribute")));
            }
            return Ok(true);
        };
        match known.mutability {
            Mutability::ReadWrite => Ok(true),
            Mutability::WriteOnly => Ok(false),
            Mutability::ReadOnly if known.name == "schemas" => Ok(false),
            Mutability::ReadOnly if self.ignores_read_only && !explicit => Ok(false),
            Mutability::ReadOnly => Err(ScimError::Mutability(format!("{path} is read-only"))),
        }
    }

    /// Refuses a filter or a sub-attribute where the schema has none.
    fn check_shape(&self, path: &AttributePath) -> Result<(), ScimError> {
        let Some(known) = path.definition() else { return Ok(()) };
        if path.filter.is_some() && !known.multi_valued {
            return Err(ScimError::InvalidPath(format!("{} has only one value", known.name)));
        }
        let has_sub = path.sub_attribute.is_some();
        let unknown_sub = has_sub && path.target_definition().is_none();
        if has_sub && (known.kind != Kind::Complex || (unknown_sub && !self.unknown_attributes)) {
            return Err(ScimError::InvalidPath(format!("{path} does not exist")));
        }
        Ok(())
    }

    /// `""` and `null` in place of a value.
    fn unassignment(&self, verb: Verb, path: AttributePath) -> Result<Vec<Operation>, ScimError> {
        if verb == Verb::Add && !self.empty_text_is_absent {
            return Err(ScimError::InvalidValue(format!("an add to {path} needs a value")));
        }
        if is_required(&path) {
            return Err(ScimError::InvalidValue(format!("{path} is required")));
        }
        Ok(vec![self.operation(Verb::Remove, path, Value::Null)])
    }

    fn removal(&self, path: AttributePath, value: &Value) -> Result<Vec<Operation>, ScimError> {
        if is_required(&path) {
            let detail = format!("{path} is required and cannot be removed");
            return Err(ScimError::Mutability(detail));
        }
        let listed = match value {
            Value::Array(listed) => listed.as_slice(),
            Value::Object(_) => std::slice::from_ref(value),
            _ => &[],
        };
        let is_list = path.definition().is_none_or(|known| known.multi_valued);
        let whole = path.filter.is_none() && path.sub_attribute.is_none();
        if listed.is_empty() || !is_list || !whole || !self.removes_listed_values {
            return Ok(vec![self.operation(Verb::Remove, path, Value::Null)]);
        }
        listed.iter().map(|value| self.removal_of(&path, value)).collect()
    }

    /// The removal of one listed value: of all that have its `value`, else of all that have all
    /// its members.
    fn removal_of(&self, path: &AttributePath, listed: &Value) -> Result<Operation, ScimError> {
        let element = match path.definition() {
            Some(known) => self.element(known, listed.clone())?,
            None => listed.clone(),
        };
        let members = match &element {
            Value::Object(members) => members.clone(),
            _ => Map::from_iter([("value".to_owned(), element)]),
        };
        let named = members.get_key_value("value").map(|(name, value)| vec![(name, value)]);
        let mut parts: Vec<Filter> = named
            .unwrap_or_else(|| members.iter().collect())
            .into_iter()
            .filter(|(_, value)| !value.is_null() && !value.is_object() && !value.is_array())
            .map(|(name, value)| equal(name, value))
            .collect();
        let filter = match parts.len() {
            0 => {
                let detail =
                    format!("what to remove from {} is not clear", quoted(&path.attribute));
                return Err(ScimError::InvalidValue(detail));
            }
            1 => parts.remove(0),
            _ => Filter::And(parts),
        };
        let path = AttributePath { filter: Some(Box::new(filter)), ..path.clone() };
        Ok(self.operation(Verb::Remove, path, Value::Null))
    }

    fn is_absent(&self, value: &Value) -> bool {
        value.is_null() || (self.empty_text_is_absent && value == "")
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

/// Whether an object at this path holds attributes of an extension: also under a URN that
/// nobody published, which could as well be taken for an attribute's.
fn names_extension(path: &AttributePath) -> bool {
    let plain = path.filter.is_none() && path.sub_attribute.is_none();
    let unpublished = path.schema.is_some() && path.definition().is_none();
    let published = path.schema.as_deref() == Some(schema::ENTERPRISE_USER);
    plain && (path.is_extension() || (unpublished && !published))
}

/// Whether a resource must have what the path names. Of multi-valued attributes only the result
/// of all operations tells.
fn is_required(path: &AttributePath) -> bool {
    let is = |known: &schema::Attribute| known.required && !known.multi_valued;
    path.definition().is_some_and(|known| !known.multi_valued)
        && path.target_definition().is_some_and(is)
}
