//! The members of a group, and how they change.

use serde_json::{Map, Value};

use crate::scim::{
    attribute_path::AttributePath,
    dialect::Profile,
    error::ScimError,
    filter::{Comparison, Filter, Operator},
    group::{self, MAX_MEMBERS, Member},
    patch::{MemberChange, Verb},
    schema::{self, ResourceType},
};

/// The longest `value` of a member, in bytes.
const MAX_VALUE: usize = 255;

impl Profile {
    /// The members in a canonical list, everybody once.
    pub(in crate::scim) fn group_members(&self, list: Value) -> Result<Vec<Member>, ScimError> {
        let Value::Array(elements) = list else {
            return Err(invalid("members must be a list"));
        };
        if elements.len() > MAX_MEMBERS {
            return Err(invalid(format!("a message names at most {MAX_MEMBERS} members")));
        }
        let members = elements.into_iter().map(|element| self.group_member(element));
        members.collect::<Result<_, _>>().map(group::merged)
    }

    /// One member: an object with `value`, or, loosely, with nothing but `$ref`.
    fn group_member(&self, element: Value) -> Result<Member, ScimError> {
        let Value::Object(members) = element else {
            return Err(invalid("a member is an object with a value"));
        };
        let reference = text(&members, "$ref").filter(|_| self.loose_shapes);
        let mut segments = reference.unwrap_or_default().trim_end_matches('/').rsplit('/');
        let referred = segments.next().filter(|id| !id.is_empty());
        let value = text(&members, "value").or(referred);
        let value = value.ok_or_else(|| invalid("a member needs a value: the id of a user"))?;
        if value.len() > MAX_VALUE || value.contains('\0') {
            return Err(invalid("the value of a member is no id"));
        }
        let kind = match text(&members, "type") {
            Some(name) => self.member_type(name)?,
            None => segments.next().and_then(by_endpoint),
        };
        Ok(Member { value: value.into(), kind })
    }

    fn member_type(&self, name: &str) -> Result<Option<ResourceType>, ScimError> {
        let mut types = ResourceType::ALL.into_iter();
        let found = types.find(|kind| kind.name().eq_ignore_ascii_case(name));
        match found {
            None if !self.loose_shapes => Err(invalid("the type of a member is User or Group")),
            found => Ok(found),
        }
    }

    /// What an operation on `members` asks for; `None` if nothing.
    ///
    /// Nothing is what a lenient profile takes an empty `value` of `add` or `remove` for: a
    /// directory that names nobody means nobody, and never everybody.
    pub(in crate::scim) fn member_change(
        &self,
        verb: Verb,
        path: &AttributePath,
        value: Option<Value>,
    ) -> Result<Option<MemberChange>, ScimError> {
        if path.sub_attribute.is_some() {
            let detail = format!("{path} cannot change; members are added and removed");
            return Err(ScimError::Mutability(detail));
        }
        match (&path.filter, verb) {
            (None, Verb::Remove) => self.removed_members(value).map(Some),
            (None, _) => self.listed_members(verb, value),
            (Some(filter), Verb::Remove) => Ok(Some(match named_members(filter) {
                Some(named) => MemberChange::Remove(named),
                None => MemberChange::RemoveWhere((**filter).clone()),
            })),
            (Some(_), _) => {
                let detail = "a member that is selected by a filter can only be removed";
                Err(ScimError::NoTarget(detail.into()))
            }
        }
    }

    fn listed_members(
        &self,
        verb: Verb,
        value: Option<Value>,
    ) -> Result<Option<MemberChange>, ScimError> {
        let value = value.ok_or_else(|| invalid("an operation on members needs a value"))?;
        let nobody = value.is_null() || (value == "" && self.empty_text_is_absent);
        if nobody && verb == Verb::Add && !self.empty_text_is_absent {
            return Err(invalid("an add to members needs a value"));
        }
        let members = if nobody { Vec::new() } else { self.canonical_members(value)? };
        Ok(match verb {
            Verb::Add if members.is_empty() => None,
            Verb::Add => Some(MemberChange::Add(members)),
            _ => Some(MemberChange::Set(members)),
        })
    }

    fn removed_members(&self, value: Option<Value>) -> Result<MemberChange, ScimError> {
        match value {
            Some(listed) if self.removes_listed_values && !listed.is_null() && listed != "" => {
                let listed = self.canonical_members(listed)?;
                let values = listed.into_iter().map(|member| member.value);
                Ok(MemberChange::Remove(values.collect()))
            }
            _ => Ok(MemberChange::Set(Vec::new())),
        }
    }

    fn canonical_members(&self, value: Value) -> Result<Vec<Member>, ScimError> {
        let known = schema::ResourceType::Group.find(None, "members");
        self.group_members(self.value(known, value)?)
    }
}

/// Who is meant by a filter of nothing but `value eq`, one or more joined by `or`.
fn named_members(filter: &Filter) -> Option<Vec<String>> {
    match filter {
        Filter::Compare(Comparison { path, operator: Operator::Equal, value, .. })
            if path.is("value") =>
        {
            Some(vec![value.as_str()?.to_owned()])
        }
        Filter::Or(parts) => {
            let named: Option<Vec<_>> = parts.iter().map(named_members).collect();
            named.map(|named| named.concat())
        }
        _ => None,
    }
}

fn by_endpoint(segment: &str) -> Option<ResourceType> {
    let mut types = ResourceType::ALL.into_iter();
    types.find(|kind| kind.endpoint()[1..].eq_ignore_ascii_case(segment))
}

fn text<'m>(members: &'m Map<String, Value>, name: &str) -> Option<&'m str> {
    members.get(name).and_then(Value::as_str).filter(|text| !text.trim().is_empty())
}

fn invalid(detail: impl Into<String>) -> ScimError {
    ScimError::InvalidValue(detail.into())
}
