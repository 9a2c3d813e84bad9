//! What one operation says of a resource that another one creates: `bulkId:` and its name.

use std::collections::{BTreeSet, HashMap};

use serde_json::{Map, Value, json};

use crate::scim::{
    attribute_path::is_urn,
    bulk::{BulkRequest, Method, Operation, delimits},
    patch::PATCH_SCHEMA,
};

const PREFIX: &str = "bulkId:";

/// The `id`s that `bulkId`s stand for, as far as they are known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ids(HashMap<String, String>);

/// Nothing was created, so far, under this `bulkId`: 409 (RFC 7644 §3.7.1).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("bulkId \"{0}\" stands for nothing, since the operation that it names has failed")]
pub struct Unresolved(pub String);

impl Ids {
    /// Those that are known before anything is carried out: of operations on resources that the
    /// client names by their `id`.
    pub fn known(request: &BulkRequest) -> Self {
        let named = request.operations.iter().filter_map(|entry| {
            let id = entry.operation.as_ref().ok()?.id.clone()?;
            let bulk_id = entry.bulk_id.clone().filter(|_| !id.starts_with(PREFIX))?;
            Some((bulk_id, id))
        });
        Self(named.collect())
    }

    /// Notes what was created.
    pub fn insert(&mut self, bulk_id: impl Into<String>, id: impl Into<String>) {
        self.0.insert(bulk_id.into(), id.into());
    }

    /// What the `bulkId` stands for.
    pub fn get(&self, bulk_id: &str) -> Option<&str> {
        self.0.get(bulk_id).map(String::as_str)
    }

    fn find(&self, bulk_id: &str) -> Result<&str, Unresolved> {
        self.get(bulk_id).ok_or_else(|| Unresolved(bulk_id.to_owned()))
    }
}

impl Operation {
    /// The `bulkId`s that the operation mentions: in its path, as texts in its data, and in the
    /// paths of a PATCH.
    pub fn references(&self) -> BTreeSet<&str> {
        let mut found = BTreeSet::new();
        found.extend(self.id.as_deref().and_then(|id| id.strip_prefix(PREFIX)));
        for (name, value) in &self.data {
            find(name, value, self.method, &mut found);
        }
        found
    }

    /// The operation with `id`s in the place of `bulkId`s, and without what mentions those that
    /// are to be left out; see [`Self::completion`].
    ///
    /// # Errors
    ///
    /// [`Unresolved`] if one of the others stands for nothing yet.
    pub fn resolved(&self, ids: &Ids, left_out: &BTreeSet<String>) -> Result<Self, Unresolved> {
        let id = match self.id.as_deref().map(|id| (id, id.strip_prefix(PREFIX))) {
            Some((_, Some(bulk_id))) => Some(ids.find(bulk_id)?.to_owned()),
            Some((id, None)) => Some(id.to_owned()),
            None => None,
        };
        let (data, _) = self.divided(left_out);
        let data = resolved_members(data, self.method, ids)?;
        Ok(Self { id, data, version: self.version.clone(), ..*self })
    }

    /// The body of the PATCH that adds what [`Self::resolved`] left out.
    ///
    /// # Errors
    ///
    /// [`Unresolved`] if a `bulkId` stands for nothing yet.
    pub fn completion(
        &self,
        ids: &Ids,
        left_out: &BTreeSet<String>,
    ) -> Result<Map<String, Value>, Unresolved> {
        let (_, missing) = self.divided(left_out);
        let operations = missing.into_iter().map(|(path, value)| {
            let value = resolved_value(value, self.method, ids)?;
            Ok(json!({ "op": "add", "path": path, "value": value }))
        });
        let operations = operations.collect::<Result<Vec<_>, _>>()?;
        let schemas = json!([PATCH_SCHEMA]);
        Ok(Map::from_iter([
            ("schemas".to_owned(), schemas),
            ("Operations".to_owned(), operations.into()),
        ]))
    }

    /// The data without the values that mention some `bulkId`s, and these values by their paths.
    fn divided(&self, left_out: &BTreeSet<String>) -> (Map<String, Value>, Vec<(String, Value)>) {
        if left_out.is_empty() {
            return (self.data.clone(), Vec::new());
        }
        let (mut kept, mut missing) = (Map::new(), Vec::new());
        for (name, value) in &self.data {
            let value = match value {
                Value::Object(members) if is_urn(name) => {
                    let members = members.iter().filter_map(|(member, value)| {
                        let path = format!("{name}:{member}");
                        let value = divide(path, value, left_out, &mut missing)?;
                        Some((member.clone(), value))
                    });
                    Some(Value::Object(members.collect()))
                }
                value => divide(name.clone(), value, left_out, &mut missing),
            };
            kept.extend(value.map(|value| (name.clone(), value)));
        }
        (kept, missing)
    }
}

/// What of an attribute's value mentions none of the `bulkId`s; the rest becomes `missing`.
fn divide(
    path: String,
    value: &Value,
    left_out: &BTreeSet<String>,
    missing: &mut Vec<(String, Value)>,
) -> Option<Value> {
    let mentions = |value: &Value| {
        let mut found = BTreeSet::new();
        find("", value, Method::Post, &mut found);
        found.iter().any(|bulk_id| left_out.contains(*bulk_id))
    };
    if !mentions(value) {
        return Some(value.clone());
    }
    let Value::Array(elements) = value else {
        missing.push((path, value.clone()));
        return None;
    };
    let (without, with): (Vec<_>, Vec<_>) =
        elements.iter().cloned().partition(|element| !mentions(element));
    missing.push((path, with.into()));
    (!without.is_empty()).then(|| without.into())
}

fn find<'v>(name: &str, value: &'v Value, method: Method, found: &mut BTreeSet<&'v str>) {
    match value {
        Value::String(text) if is_patch_path(name, method) => {
            found.extend(embedded(text).map(|(_, bulk_id)| bulk_id));
        }
        Value::String(text) => found.extend(text.strip_prefix(PREFIX)),
        Value::Array(values) => values.iter().for_each(|value| find("", value, method, found)),
        Value::Object(members) => {
            members.iter().for_each(|(name, value)| find(name, value, method, found));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Whether the member may say where to change something: `members[value eq "bulkId:x"]`.
fn is_patch_path(name: &str, method: Method) -> bool {
    method == Method::Patch && name.eq_ignore_ascii_case("path")
}

/// The `bulkId`s within a text, each with the place of its prefix.
fn embedded(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.match_indices(PREFIX).map(|(at, _)| {
        let rest = &text[at + PREFIX.len()..];
        (at, &rest[..rest.find(delimits).unwrap_or(rest.len())])
    })
}

fn resolved_members(
    members: Map<String, Value>,
    method: Method,
    ids: &Ids,
) -> Result<Map<String, Value>, Unresolved> {
    let resolved = members.into_iter().map(|(name, value)| match value {
        Value::String(text) if is_patch_path(&name, method) => {
            resolved_path(&text, ids).map(|path| (name, path.into()))
        }
        value => resolved_value(value, method, ids).map(|value| (name, value)),
    });
    resolved.collect()
}

fn resolved_value(value: Value, method: Method, ids: &Ids) -> Result<Value, Unresolved> {
    match value {
        Value::String(text) => match text.strip_prefix(PREFIX) {
            Some(bulk_id) => ids.find(bulk_id).map(Value::from),
            None => Ok(Value::String(text)),
        },
        Value::Array(values) => {
            values.into_iter().map(|value| resolved_value(value, method, ids)).collect()
        }
        Value::Object(members) => resolved_members(members, method, ids).map(Value::Object),
        simple => Ok(simple),
    }
}

fn resolved_path(text: &str, ids: &Ids) -> Result<String, Unresolved> {
    let (mut resolved, mut end) = (String::new(), 0);
    for (at, bulk_id) in embedded(text) {
        resolved.push_str(&text[end..at]);
        resolved.push_str(ids.find(bulk_id)?);
        end = at + PREFIX.len() + bulk_id.len();
    }
    Ok(resolved + &text[end..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scim::bulk::tests::request;

    fn operation(operation: &Value) -> Operation {
        request(&json!([operation])).operations[0].operation.clone().unwrap()
    }

    fn ids() -> Ids {
        let mut ids = Ids::default();
        ids.insert("a", "1");
        ids.insert("b", "2");
        ids
    }

    fn set(bulk_ids: &[&str]) -> BTreeSet<String> {
        bulk_ids.iter().map(|&bulk_id| bulk_id.to_owned()).collect()
    }

    #[test]
    fn references_are_resolved_wherever_they_may_stand() {
        let change = operation(&json!({
            "method": "PATCH", "path": "/Groups/bulkId:a", "data": { "Operations": [
                { "op": "add", "path": "members", "value": [{ "value": "bulkId:b" }, "bulkId:a"] },
                { "op": "remove", "path": "members[value eq \"bulkId:a\" or value eq bulkId:b]" },
                { "op": "add", "value": { "bulkId:a": "no bulkId:b", "n": 7, "x": null } },
            ] },
        }));

        let resolved = change.resolved(&ids(), &set(&[])).unwrap();

        assert_eq!(change.references(), BTreeSet::from(["a", "b"]));
        assert_eq!(resolved.id.as_deref(), Some("1"));
        let expected = json!([
            { "op": "add", "path": "members", "value": [{ "value": "2" }, "1"] },
            { "op": "remove", "path": "members[value eq \"1\" or value eq 2]" },
            { "op": "add", "value": { "bulkId:a": "no bulkId:b", "n": 7, "x": null } },
        ]);
        assert_eq!(resolved.data["Operations"], expected);
    }

    #[test]
    fn only_the_path_of_a_patch_has_references_within_its_text() {
        let create = operation(&json!({
            "method": "POST", "path": "/Users", "bulkId": "u",
            "data": { "path": "see bulkId:a", "title": "bulkId:b" },
        }));

        let resolved = create.resolved(&ids(), &set(&[])).unwrap();

        assert_eq!(create.references(), BTreeSet::from(["b"]));
        assert_eq!(Value::Object(resolved.data), json!({ "path": "see bulkId:a", "title": "2" }));
    }

    #[test]
    fn what_stands_for_nothing_is_named() {
        let operations = [
            json!({ "method": "DELETE", "path": "/Users/bulkId:gone" }),
            json!({ "method": "PUT", "path": "/Users/1", "data": { "x": [["bulkId:gone"]] } }),
            json!({ "method": "PATCH", "path": "/Users/1", "data": { "path": "a[b eq \"bulkId:gone\"]" } }),
        ];
        for json in operations {
            let refused = operation(&json).resolved(&ids(), &set(&[]));

            assert_eq!(refused, Err(Unresolved("gone".into())), "{json}");
        }
    }

    #[test]
    fn what_is_left_out_is_added_afterwards() {
        let create = operation(&json!({
            "method": "POST", "path": "/Groups", "bulkId": "g",
            "data": {
                "displayName": "Guides",
                "members": [{ "value": "bulkId:a" }, { "value": "bulkId:b" }, { "value": "7" }],
                "owner": { "value": "bulkId:b" },
                "only": ["bulkId:b"],
                "urn:contoso:x": { "deputy": "bulkId:b", "floor": 3 },
            },
        }));
        let left_out = set(&["b"]);
        let mut known = Ids::default();
        known.insert("a", "1");

        let first = create.resolved(&known, &left_out).unwrap();
        let early = create.completion(&known, &left_out);
        let completion = create.completion(&ids(), &left_out).unwrap();

        let expected = json!({
            "displayName": "Guides", "members": [{ "value": "1" }, { "value": "7" }],
            "urn:contoso:x": { "floor": 3 },
        });
        assert_eq!(Value::Object(first.data), expected);
        assert_eq!(early, Err(Unresolved("b".into())));
        let expected = json!({
            "schemas": [PATCH_SCHEMA],
            "Operations": [
                { "op": "add", "path": "members", "value": [{ "value": "2" }] },
                { "op": "add", "path": "only", "value": ["2"] },
                { "op": "add", "path": "owner", "value": { "value": "2" } },
                { "op": "add", "path": "urn:contoso:x:deputy", "value": "2" },
            ],
        });
        assert_eq!(Value::Object(completion), expected);
    }

    #[test]
    fn an_operation_on_a_resource_that_is_there_makes_its_bulk_id_known() {
        let request = request(&json!([
            { "method": "PATCH", "path": "/Users/1", "bulkId": "a", "data": {} },
            { "method": "PATCH", "path": "/Users/bulkId:a", "bulkId": "b", "data": {} },
            { "method": "POST", "path": "/Users", "bulkId": "c", "data": {} },
        ]));

        let known = Ids::known(&request);

        assert_eq!(["a", "b", "c"].map(|bulk_id| known.get(bulk_id)), [Some("1"), None, None]);
    }
}
