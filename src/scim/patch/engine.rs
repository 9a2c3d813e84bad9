//! One operation on the attributes of a resource (RFC 7644 §3.5.2.1 to §3.5.2.3).

use serde_json::{Map, Value};

use crate::scim::{
    attribute_path::{AttributePath, spelling},
    dialect::value::is_primary,
    error::ScimError,
    filter::Filter,
    patch::{Operation, Verb},
    validation::{MAX_SIZE, MAX_VALUES},
};

impl Operation {
    /// Changes the attributes; what is left empty stays behind for the caller to sweep.
    pub(super) fn apply(&self, resource: &mut Map<String, Value>) -> Result<(), ScimError> {
        let (holder, name) = self.holder(resource)?;
        let primary_before = holder.get(&name).map(primary_values).unwrap_or_default();
        match (&self.path.filter, &self.path.sub_attribute) {
            (None, None) => self.on_attribute(holder, &name)?,
            (None, Some(sub)) => self.on_sub_attribute(holder, &name, sub)?,
            (Some(filter), sub) => self.on_selected(holder, &name, filter, sub.as_deref())?,
        }
        if let Some(Value::Array(values)) = holder.get_mut(&name) {
            keep_latest_primary(values, &primary_before);
        }
        Ok(())
    }

    /// The object that has the attribute, and the attribute's name as spelled there.
    fn holder<'r>(
        &self,
        resource: &'r mut Map<String, Value>,
    ) -> Result<(&'r mut Map<String, Value>, String), ScimError> {
        let AttributePath { schema, attribute, .. } = &self.path;
        let Some(urn) = schema else {
            let name = spelling(resource, attribute);
            return Ok((resource, name));
        };
        // `urn:contoso:employee` may have been divided as if `employee` were its attribute.
        let whole = spelling(resource, &format!("{urn}:{attribute}"));
        if resource.contains_key(&whole) {
            return Ok((resource, whole));
        }
        let urn = spelling(resource, urn);
        let extension = resource.entry(urn).or_insert_with(|| Value::Object(Map::new()));
        let extension = extension.as_object_mut().ok_or_else(|| self.unfit())?;
        let name = spelling(extension, attribute);
        Ok((extension, name))
    }

    fn on_attribute(&self, holder: &mut Map<String, Value>, name: &str) -> Result<(), ScimError> {
        let known_or_added = self.verb == Verb::Add || self.path.definition().is_some();
        match (self.verb, holder.get_mut(name), &self.value) {
            (Verb::Remove, _, _) => {
                holder.remove(name);
            }
            (Verb::Add, Some(Value::Array(values)), Value::Array(added)) => {
                added.iter().try_for_each(|added| self.append(values, added))?;
            }
            (Verb::Add, Some(Value::Array(values)), added) => self.append(values, added)?,
            // Sub-attributes that are not given are left unchanged (§3.5.2.3).
            (_, Some(Value::Object(members)), Value::Object(new)) if known_or_added => {
                merge(members, new);
            }
            (_, _, value) => {
                holder.insert(name.into(), value.clone());
            }
        }
        Ok(())
    }

    fn on_sub_attribute(
        &self,
        holder: &mut Map<String, Value>,
        name: &str,
        sub: &str,
    ) -> Result<(), ScimError> {
        match holder.get_mut(name) {
            Some(Value::Object(members)) => self.set_member(members, sub),
            Some(Value::Array(values)) => match values.as_mut_slice() {
                [Value::Object(only)] => self.set_member(only, sub),
                _ => return Err(self.no_target("names several values; select one with a filter")),
            },
            Some(_) => return Err(self.unfit()),
            None if self.verb == Verb::Remove => {}
            None => {
                let value = Value::Object(Map::from_iter([(sub.into(), self.value.clone())]));
                let is_list = self.path.definition().is_some_and(|known| known.multi_valued);
                let value = if is_list { Value::Array(vec![value]) } else { value };
                holder.insert(name.into(), value);
            }
        }
        Ok(())
    }

    fn on_selected(
        &self,
        holder: &mut Map<String, Value>,
        name: &str,
        filter: &Filter,
        sub: Option<&str>,
    ) -> Result<(), ScimError> {
        let values = holder.entry(name).or_insert_with(|| Value::Array(Vec::new()));
        let values = values.as_array_mut().ok_or_else(|| self.unfit())?;
        let is_selected =
            |value: &Value| value.as_object().is_some_and(|value| filter.matches(value));
        if !values.iter().any(is_selected) {
            return self.without_selected(values, filter, sub);
        }
        if self.verb == Verb::Remove && sub.is_none() {
            values.retain(|value| !is_selected(value));
            return Ok(());
        }
        self.check_growth(values.iter().filter(|value| is_selected(value)).count())?;
        for value in values.iter_mut().filter(|value| is_selected(value)) {
            if let Value::Object(members) = value {
                self.change_selected(members, filter, sub);
            }
        }
        if self.verb == Verb::Remove {
            values.retain(says_something);
        }
        Ok(())
    }

    /// Refuses what would write a value in so many places that no resource could hold it: a body
    /// of some kilobytes would otherwise become hundreds of megabytes before anybody looks.
    fn check_growth(&self, selected: usize) -> Result<(), ScimError> {
        if selected < 2 || self.value.is_null() {
            return Ok(());
        }
        let length = serde_json::to_vec(&self.value).map_or(usize::MAX, |json| json.len());
        if length.saturating_mul(selected) > MAX_SIZE {
            let detail = format!(
                "a resource has at most {MAX_SIZE} bytes, and {} would have more",
                self.path.attribute
            );
            return Err(ScimError::InvalidValue(detail));
        }
        Ok(())
    }

    fn change_selected(
        &self,
        members: &mut Map<String, Value>,
        filter: &Filter,
        sub: Option<&str>,
    ) {
        match (sub, &self.value) {
            (Some(sub), _) => self.set_member(members, sub),
            (None, Value::Object(new)) => {
                if self.verb == Verb::Replace {
                    *members = described_by(filter).unwrap_or_default();
                }
                merge(members, new);
            }
            (None, value) => {
                members.insert("value".into(), value.clone());
            }
        }
    }

    /// Where nothing is selected, a tolerant operation makes the value that the filter describes:
    /// Entra ID sets a person's first `emails[type eq "work"].value` so.
    fn without_selected(
        &self,
        values: &mut Vec<Value>,
        filter: &Filter,
        sub: Option<&str>,
    ) -> Result<(), ScimError> {
        if self.verb == Verb::Remove && self.tolerant {
            return Ok(());
        }
        let described = described_by(filter).filter(|_| self.tolerant && self.verb != Verb::Remove);
        let mut members = described.ok_or_else(|| self.no_target("selects no value"))?;
        self.change_selected(&mut members, filter, sub);
        self.push(values, Value::Object(members))
    }

    fn set_member(&self, members: &mut Map<String, Value>, name: &str) {
        let name = spelling(members, name);
        if self.verb == Verb::Remove {
            members.remove(&name);
        } else {
            members.insert(name, self.value.clone());
        }
    }

    /// Adds a value unless it is there; one that is there takes what it did not have.
    fn append(&self, values: &mut Vec<Value>, added: &Value) -> Result<(), ScimError> {
        match values.iter_mut().find(|value| is_same(value, added)) {
            Some(Value::Object(members)) => {
                if let Value::Object(new) = added {
                    merge(members, new);
                }
                Ok(())
            }
            Some(_) => Ok(()),
            None => self.push(values, added.clone()),
        }
    }

    fn push(&self, values: &mut Vec<Value>, value: Value) -> Result<(), ScimError> {
        if values.len() >= MAX_VALUES {
            let detail = format!("{} has at most {MAX_VALUES} values", self.path.attribute);
            return Err(ScimError::InvalidValue(detail));
        }
        values.push(value);
        Ok(())
    }

    fn no_target(&self, what: &str) -> ScimError {
        ScimError::NoTarget(format!("the path of an operation on {} {what}", self.path.attribute))
    }

    fn unfit(&self) -> ScimError {
        ScimError::InvalidPath(format!("{} does not fit what is stored", self.path))
    }
}

fn merge(members: &mut Map<String, Value>, new: &Map<String, Value>) {
    for (name, value) in new {
        members.insert(spelling(members, name), value.clone());
    }
}

/// Whether an added value is one that is there: the same `value`, and no other `type`.
fn is_same(value: &Value, added: &Value) -> bool {
    let same_value = added.get("value").is_some() && value.get("value") == added.get("value");
    let other_type = added.get("type").is_some() && value.get("type") != added.get("type");
    value == added || (same_value && !other_type)
}

/// The value that a filter of nothing but `eq` describes.
fn described_by(filter: &Filter) -> Option<Map<String, Value>> {
    let parts = filter.equal_values()?;
    Some(parts.into_iter().map(|(path, value)| (path.attribute.clone(), value.clone())).collect())
}

/// Whether a value is more than the label of one.
fn says_something(value: &Value) -> bool {
    value.as_object().is_none_or(|members| {
        members.iter().any(|(name, value)| !value.is_null() && name != "type" && name != "primary")
    })
}

fn primary_values(attribute: &Value) -> Vec<Value> {
    let values = attribute.as_array().into_iter().flatten();
    values.filter(|value| is_primary(value)).cloned().collect()
}

/// A value that has become primary demotes the one that was (§3.5.2).
fn keep_latest_primary(values: &mut [Value], before: &[Value]) {
    let marked = |values: &[Value], is_new: bool| {
        values.iter().position(|value| is_primary(value) && before.contains(value) != is_new)
    };
    let kept = marked(values, true).or_else(|| marked(values, false));
    for (index, value) in values.iter_mut().enumerate() {
        if Some(index) != kept && is_primary(value) {
            value["primary"] = Value::Bool(false);
        }
    }
}
