//! One operation on the attributes of a resource (RFC 7644 §3.5.2.1 to §3.5.2.3).

use serde_json::{Map, Value};

use crate::scim::{
    attribute_path::{AttributePath, spelling},
    dialect::value::is_primary,
    error::ScimError,
    filter::Filter,
    patch::{Operation, Verb},
    validation::{MAX_SIZE, MAX_VALUES, json_size},
};

/// How large the attributes may have become.
///
/// A list may be written to in many places at once, by each of many operations, before anybody
/// looks at the result: a body of some kilobytes would become hundreds of megabytes. Each
/// operation says how much it can have added; when that is too much, the attributes are measured.
pub(super) struct Growth {
    /// At most so many bytes as JSON.
    bound: usize,
}

impl Growth {
    /// What the attributes have at most on the way: one operation may add [`MAX_SIZE`] to it.
    const LIMIT: usize = 4 * MAX_SIZE;

    /// The size of attributes that no operation has changed.
    pub(super) fn of(attributes: &Map<String, Value>) -> Self {
        Self { bound: json_size(attributes) }
    }

    /// Counts what an operation has added, and measures the attributes when that may be too much.
    pub(super) fn add(
        &mut self,
        added: usize,
        attributes: &Map<String, Value>,
    ) -> Result<(), ScimError> {
        self.bound = self.bound.saturating_add(added);
        if self.bound > Self::LIMIT {
            self.bound = json_size(attributes);
            // Half the limit, lest every further operation measures again.
            if self.bound > Self::LIMIT / 2 {
                return Err(too_large());
            }
        }
        Ok(())
    }
}

/// More than the quotation marks, colons, commas and brackets around one value.
const PUNCTUATION: usize = 16;

fn too_large() -> ScimError {
    let detail = format!("a resource has at most {MAX_SIZE} bytes, and would have far more");
    ScimError::InvalidValue(detail)
}

impl Operation {
    /// Changes the attributes, and gives how many bytes that can have added at most; what is left
    /// empty stays behind for the caller to sweep.
    pub(super) fn apply(&self, resource: &mut Map<String, Value>) -> Result<usize, ScimError> {
        let (holder, name) = self.holder(resource)?;
        let primary_before = holder.get(&name).map(primary_values).unwrap_or_default();
        let added = match (&self.path.filter, &self.path.sub_attribute) {
            (Some(filter), sub) => self.on_selected(holder, &name, filter, sub.as_deref())?,
            (None, sub) => {
                let added = self.growth(&Map::new(), 1)?;
                match sub {
                    None => self.on_attribute(holder, &name)?,
                    Some(sub) => self.on_sub_attribute(holder, &name, sub)?,
                }
                added
            }
        };
        if let Some(Value::Array(values)) = holder.get_mut(&name) {
            keep_latest_primary(values, &primary_before);
        }
        Ok(added)
    }

    /// How many bytes it adds at most by writing its value, and what a filter describes, in so
    /// many places. Refused if no resource could hold that.
    fn growth(&self, described: &Map<String, Value>, places: usize) -> Result<usize, ScimError> {
        if self.verb == Verb::Remove {
            return Ok(0);
        }
        let sub = self.path.sub_attribute.as_ref().map_or(0, String::len);
        let names =
            self.path.attribute.len() + sub + self.path.schema.as_ref().map_or(0, String::len);
        let written = json_size(&self.value) + json_size(described) + sub + PUNCTUATION;
        let added = written.saturating_mul(places);
        if added > MAX_SIZE {
            return Err(too_large());
        }
        Ok(added + names + PUNCTUATION)
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
        let known_or_added = self.verb == Verb::Add || self.known.is_some();
        match (self.verb, holder.get_mut(name), &self.value) {
            (Verb::Remove, _, _) => {
                holder.remove(name);
            }
            (Verb::Add, Some(Value::Array(values)), Value::Array(added)) => {
                added.iter().try_for_each(|added| self.append(values, added))?;
            }
            (Verb::Add, Some(Value::Array(values)), added) => self.append(values, added)?,
            (Verb::Add, None, Value::Array(added)) => {
                let mut values = Vec::new();
                added.iter().try_for_each(|added| self.append(&mut values, added))?;
                holder.insert(name.into(), values.into());
            }
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
                let is_list = self.known.is_some_and(|known| known.multi_valued);
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
    ) -> Result<usize, ScimError> {
        let values = holder.entry(name).or_insert_with(|| Value::Array(Vec::new()));
        let values = values.as_array_mut().ok_or_else(|| self.unfit())?;
        let is_selected =
            |value: &Value| value.as_object().is_some_and(|value| filter.matches(value));
        let selected: Vec<bool> = values.iter().map(is_selected).collect();
        let places = selected.iter().filter(|&&selected| selected).count();
        let described = described_by(filter);
        let added = self.growth(&described.clone().unwrap_or_default(), places.max(1))?;
        if places == 0 {
            self.without_selected(values, described, sub)?;
            return Ok(added);
        }
        let first = selected.iter().position(|&selected| selected);
        let mut places = selected.into_iter().enumerate();
        values.retain_mut(|value| match places.next() {
            Some((place, true)) => {
                let kept = self.keeps(value, described.as_ref(), sub);
                if Some(place) != first && self.marks_primary() {
                    value["primary"] = Value::Bool(false);
                }
                kept
            }
            _ => true,
        });
        Ok(added)
    }

    /// Whether it makes what it writes to primary; of several values the first becomes so.
    fn marks_primary(&self) -> bool {
        let marks = match &self.path.sub_attribute {
            Some(sub) => sub == "primary" && self.value == true,
            None => is_primary(&self.value),
        };
        marks && self.verb != Verb::Remove
    }

    /// Changes a selected value, unless the operation leaves nothing of it.
    fn keeps(
        &self,
        value: &mut Value,
        described: Option<&Map<String, Value>>,
        sub: Option<&str>,
    ) -> bool {
        if self.verb == Verb::Remove && sub.is_none() {
            return false;
        }
        if let Value::Object(members) = value {
            self.change_selected(members, described, sub);
        }
        self.verb != Verb::Remove || says_something(value)
    }

    fn change_selected(
        &self,
        members: &mut Map<String, Value>,
        described: Option<&Map<String, Value>>,
        sub: Option<&str>,
    ) {
        match (sub, &self.value) {
            (Some(sub), _) => self.set_member(members, sub),
            (None, Value::Object(new)) => {
                if self.verb == Verb::Replace {
                    *members = described.cloned().unwrap_or_default();
                }
                merge(members, new);
            }
            (None, value) => {
                members.insert("value".into(), value.clone());
            }
        }
    }

    /// Where nothing is selected, `add` makes the value that the filter describes, and a tolerant
    /// `replace` too: Entra ID sets a person's first `emails[type eq "work"].value` so.
    fn without_selected(
        &self,
        values: &mut Vec<Value>,
        described: Option<Map<String, Value>>,
        sub: Option<&str>,
    ) -> Result<(), ScimError> {
        let made = self.verb == Verb::Add || (self.verb == Verb::Replace && self.tolerant);
        match described.filter(|_| made) {
            Some(mut members) => {
                let described = members.clone();
                self.change_selected(&mut members, Some(&described), sub);
                self.append(values, &Value::Object(members))
            }
            None if self.verb == Verb::Remove && self.tolerant => Ok(()),
            None => Err(self.no_target("selects no value")),
        }
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
    // One that was primary is known again by its value and type: the rest may have changed.
    let known = |value: &Value| {
        let same = |name: &str, other: &Value| value.get(name) == other.get(name);
        before.iter().any(|other| same("value", other) && same("type", other))
    };
    let marked = |values: &[Value], is_new: bool| {
        values.iter().position(|value| is_primary(value) && known(value) != is_new)
    };
    let kept = marked(values, true).or_else(|| marked(values, false));
    for (index, value) in values.iter_mut().enumerate() {
        if Some(index) != kept && is_primary(value) {
            value["primary"] = Value::Bool(false);
        }
    }
}
