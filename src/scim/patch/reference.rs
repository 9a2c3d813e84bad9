//! PATCH once more, slowly and in the words of RFC 7644 §3.5.2, to hold the engine against.
//!
//! Shares nothing with it but the types: it reads the operations' JSON by itself, knows the few
//! attributes that the operations here are about, and builds the resource anew each time.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{PATCH_SCHEMA, Patch};
use crate::scim::{
    dialect::STRICT,
    error::ScimError,
    schema::ENTERPRISE_USER,
    user::{
        User,
        tests::{created_by_entra, members},
    },
};

/// A target, in the few shapes that the paths here have.
#[derive(Clone, Debug)]
struct Target {
    extension: bool,
    attribute: &'static str,
    /// `[type eq "…"]`
    wanted: Option<&'static str>,
    sub: Option<&'static str>,
}

const LISTS: [&str; 3] = ["emails", "phoneNumbers", "roles"];

impl Target {
    fn path(&self) -> String {
        let urn = if self.extension { format!("{ENTERPRISE_USER}:") } else { String::new() };
        let wanted = self.wanted.map(|wanted| format!("[type eq \"{wanted}\"]"));
        let sub = self.sub.map(|sub| format!(".{sub}"));
        format!("{urn}{}{}{}", self.attribute, wanted.unwrap_or_default(), sub.unwrap_or_default())
    }

    fn is_list(&self) -> bool {
        LISTS.contains(&self.attribute)
    }
}

/// The resource after one operation, or the `scimType` of its refusal.
fn interpret(
    resource: &Map<String, Value>,
    op: &str,
    target: &Target,
    value: &Value,
) -> Result<Map<String, Value>, &'static str> {
    let mut holder = match (target.extension, resource.get(ENTERPRISE_USER)) {
        (false, _) => resource.clone(),
        (true, Some(extension)) => members(extension.clone()),
        (true, None) => Map::new(),
    };
    let before = holder.get(target.attribute).cloned();
    let after = if target.is_list() {
        let before = before.and_then(|list| list.as_array().cloned()).unwrap_or_default();
        let after = demoted(&before, list(&before, op, target, value)?);
        (!after.is_empty()).then_some(Value::Array(after))
    } else {
        single(before, op, target, value)?
    };
    holder.remove(target.attribute);
    holder.extend(after.map(|after| (target.attribute.to_owned(), after)));
    if !target.extension {
        return Ok(holder);
    }
    let mut resource = resource.clone();
    resource.remove(ENTERPRISE_USER);
    if !holder.is_empty() {
        resource.insert(ENTERPRISE_USER.into(), holder.into());
    }
    Ok(resource)
}

/// A single value: simple ones are set; of complex ones, sub-attributes that are not given stay.
fn single(
    before: Option<Value>,
    op: &str,
    target: &Target,
    value: &Value,
) -> Result<Option<Value>, &'static str> {
    let required = match (target.attribute, target.sub) {
        ("userName" | "name", None) => true,
        ("name", Some(sub)) => sub != "formatted" && sub != "middleName",
        _ => false,
    };
    if op == "remove" && required {
        return Err("mutability");
    }
    let whole = |value: Value| Some(value).filter(|value| *value != json!({}));
    match target.sub {
        None if op == "remove" => Ok(None),
        None if value.is_object() => {
            let before = before.map(members).unwrap_or_default();
            Ok(whole(before.into_iter().chain(members(value.clone())).collect()))
        }
        None => Ok(Some(value.clone())),
        Some(sub) => {
            let mut complex = before.map(members).unwrap_or_default();
            complex.remove(sub);
            if op != "remove" {
                complex.insert(sub.into(), value.clone());
            }
            Ok(whole(complex.into()))
        }
    }
}

/// The values of a list.
fn list(
    before: &[Value],
    op: &str,
    target: &Target,
    value: &Value,
) -> Result<Vec<Value>, &'static str> {
    let Some(wanted) = target.wanted else {
        return Ok(match op {
            "remove" => Vec::new(),
            "replace" => value.as_array().unwrap().clone(),
            _ => value.as_array().unwrap().iter().fold(before.to_vec(), added),
        });
    };
    let is_selected = |value: &&Value| value["type"] == wanted;
    if before.iter().all(|value| !is_selected(&value)) {
        if op != "add" {
            return Err("noTarget");
        }
        let new = changed(&json!({ "type": wanted }), op, target, value);
        return Ok(new.iter().fold(before.to_vec(), added));
    }
    let mut first = true;
    let each = before.iter().filter_map(|old| {
        if !is_selected(&old) {
            return Some(old.clone());
        }
        let mut new = changed(old, op, target, value);
        if let Some(new) = &mut new
            && op != "remove"
            && !std::mem::take(&mut first)
            && value["primary"] == true
        {
            new["primary"] = json!(false);
        }
        new
    });
    Ok(each.collect())
}

/// One selected value.
fn changed(old: &Value, op: &str, target: &Target, value: &Value) -> Option<Value> {
    let mut new = members(old.clone());
    match (op, target.sub) {
        ("remove", None) => return None,
        ("remove", Some(sub)) => drop(new.remove(sub)),
        (_, Some(sub)) => drop(new.insert(sub.into(), value.clone())),
        ("replace", None) => new = members(json!({ "type": old["type"] })),
        (_, None) => {}
    }
    if let (None, Value::Object(given)) = (target.sub, value) {
        new.extend(given.clone());
    }
    let labels = ["type", "primary"];
    let empty = new.keys().all(|name| labels.contains(&name.as_str()));
    (op != "remove" || !empty).then(|| new.into())
}

/// The list with a value that was not there; one with the same `value` and no other `type` was.
fn added(mut list: Vec<Value>, new: &Value) -> Vec<Value> {
    let same = |old: &Value| {
        let no_other = new.get("type").is_none() || old.get("type") == new.get("type");
        old == new
            || (new.get("value").is_some() && old.get("value") == new.get("value") && no_other)
    };
    match list.iter().position(same) {
        None => list.push(new.clone()),
        Some(place) => {
            let merged = members(list[place].clone()).into_iter().chain(members(new.clone()));
            list[place] = merged.collect();
        }
    }
    list
}

/// Of several primary values the first that was not one before stays so, else the first.
fn demoted(before: &[Value], after: Vec<Value>) -> Vec<Value> {
    let is_primary = |value: &Value| value["primary"] == true;
    let known = |value: &Value| {
        let same =
            |other: &Value| value["value"] == other["value"] && value["type"] == other["type"];
        before.iter().any(|other| is_primary(other) && same(other))
    };
    let fresh = after.iter().position(|value| is_primary(value) && !known(value));
    let kept = fresh.or_else(|| after.iter().position(is_primary));
    let each = after.into_iter().enumerate().map(|(place, mut value)| {
        if Some(place) != kept && is_primary(&value) {
            value["primary"] = json!(false);
        }
        value
    });
    each.collect()
}

/// "The same (type, value) combination SHOULD NOT be returned more than once" (RFC 7643 §2.4).
fn said_once(list: &[Value]) -> Vec<Value> {
    let mut once: Vec<Value> = Vec::new();
    for element in list {
        let says_the_same = |said: &Value| match element.get("value") {
            Some(value) => {
                said.get("value") == Some(value) && said.get("type") == element.get("type")
            }
            None => said == element,
        };
        if !once.iter().any(says_the_same) {
            once.push(element.clone());
        }
    }
    once
}

/// A user after all operations, or the `scimType` of the refusal.
fn interpreted(user: &User, operations: &[Asked]) -> Result<Map<String, Value>, &'static str> {
    let mut refused = operations.iter().filter(|asked| asked.op == "remove");
    // What can be told without the user is told before anything is done.
    if refused.any(|asked| single(None, asked.op, &asked.target, &json!(null)).is_err()) {
        return Err("mutability");
    }
    let start = user.attributes().clone();
    let mut end = operations.iter().try_fold(start, |resource, asked| {
        interpret(&resource, asked.op, &asked.target, &asked.value)
    })?;
    for list in LISTS {
        if let Some(list) = end.get_mut(list).and_then(Value::as_array_mut) {
            *list = said_once(list);
        }
    }
    let has_email = end.get("emails").and_then(Value::as_array).into_iter().flatten();
    let has_email = has_email.clone().any(|email| email.get("value").is_some());
    if has_email { Ok(end) } else { Err("invalidValue") }
}

#[derive(Clone, Debug)]
struct Asked {
    op: &'static str,
    target: Target,
    value: Value,
}

impl Asked {
    fn message(operations: &[Self]) -> Map<String, Value> {
        let operations = operations.iter().map(|asked| match asked.op {
            "remove" => json!({ "op": "remove", "path": asked.target.path() }),
            op => json!({ "op": op, "path": asked.target.path(), "value": asked.value }),
        });
        let operations: Vec<_> = operations.collect();
        members(json!({ "schemas": [PATCH_SCHEMA], "Operations": operations }))
    }
}

fn text() -> impl Strategy<Value = Value> {
    "[ab]{1,2}".prop_map(Value::from)
}

fn kind() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["work", "home", "other"])
}

/// A value of a list, which always has a `value`: what has none a strict client does not send.
fn element() -> impl Strategy<Value = Value> {
    let primary = prop::option::of(any::<bool>());
    (text(), prop::option::of(kind()), prop::option::of(text()), primary).prop_map(
        |(value, kind, display, primary)| {
            let mut element = members(json!({ "value": value }));
            element.extend(kind.map(|kind| ("type".to_owned(), kind.into())));
            element.extend(display.map(|display| ("display".to_owned(), display)));
            element.extend(primary.map(|primary| ("primary".to_owned(), primary.into())));
            element.into()
        },
    )
}

/// A list of at least one value, and at most one of them primary.
fn elements() -> impl Strategy<Value = Value> {
    prop::collection::vec(element(), 1..4).prop_map(|values| Value::Array(demoted(&[], values)))
}

fn name() -> impl Strategy<Value = Value> {
    let sub = prop::sample::select(vec!["formatted", "givenName", "familyName", "middleName"]);
    prop::collection::vec((sub, text()), 1..3).prop_map(|subs| subs.into_iter().collect())
}

fn asked() -> impl Strategy<Value = Asked> {
    let at = |extension, attribute, wanted, sub| Target { extension, attribute, wanted, sub };
    let simple = prop::sample::select(vec!["userName", "displayName", "title", "externalId"]);
    let simple =
        (simple, text()).prop_map(move |(name, value)| (at(false, name, None, None), value));
    let enterprise = prop::sample::select(vec!["department", "division"]);
    let enterprise =
        (enterprise, text()).prop_map(move |(name, value)| (at(true, name, None, None), value));
    let manager = text().prop_map(move |value| (at(true, "manager", None, Some("value")), value));
    let names = name().prop_map(move |value| (at(false, "name", None, None), value));
    let sub = prop::sample::select(vec!["formatted", "givenName", "familyName", "middleName"]);
    let sub_name =
        (sub, text()).prop_map(move |(sub, value)| (at(false, "name", None, Some(sub)), value));
    let list = || prop::sample::select(LISTS.to_vec());
    let lists =
        (list(), elements()).prop_map(move |(list, value)| (at(false, list, None, None), value));
    let selected = (list(), kind(), element())
        .prop_map(move |(list, kind, value)| (at(false, list, Some(kind), None), value));
    let subs = prop::sample::select(vec!["value", "display"]);
    let selected_sub = (list(), kind(), subs, text())
        .prop_map(move |(list, kind, sub, value)| (at(false, list, Some(kind), Some(sub)), value));
    let target =
        prop_oneof![simple, enterprise, manager, names, sub_name, lists, selected, selected_sub];
    let op = prop::sample::select(vec!["add", "replace", "remove"]);
    (op, target).prop_map(|(op, (target, value))| Asked { op, target, value })
}

fn user() -> impl Strategy<Value = User> {
    let lists = (elements(), prop::option::of(elements()), prop::option::of(elements()));
    let department = prop::option::of(text());
    (lists, department).prop_map(|((emails, phone_numbers, roles), department)| {
        let mut body = created_by_entra();
        let extension = department.map(|department| json!({ "department": department }));
        body.extend(members(json!({
            "emails": emails, "phoneNumbers": phone_numbers, "roles": roles,
            ENTERPRISE_USER: extension,
        })));
        User::parse(body, &STRICT).unwrap()
    })
}

fn patched(user: &User, operations: &[Asked]) -> Result<User, ScimError> {
    Patch::parse(&Asked::message(operations), &STRICT)?.apply(user.clone())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn the_engine_does_what_the_rfc_says(
        user in user(),
        operations in prop::collection::vec(asked(), 1..6),
    ) {
        let expected = interpreted(&user, &operations);

        let patched = patched(&user, &operations);

        match (patched, expected) {
            (Ok(patched), Ok(expected)) => prop_assert_eq!(patched.attributes(), &expected),
            (Err(error), Err(scim_type)) => prop_assert_eq!(error.scim_type(), Some(scim_type)),
            (patched, expected) => prop_assert!(false, "{patched:?} where {expected:?}"),
        }
    }

    #[test]
    fn an_operation_that_is_sent_again_changes_nothing(user in user(), asked in asked()) {
        // What denies its own filter finds other values the second time.
        let denied = asked.target.wanted.is_some_and(|wanted| {
            asked.value.get("type").is_some_and(|kind| kind != wanted)
        });
        prop_assume!(!denied);
        let operation = [asked];

        if let Ok(once) = patched(&user, &operation) {
            match patched(&once, &operation) {
                Ok(twice) => prop_assert_eq!(twice, once),
                // What is gone cannot be removed once more, says a strict profile.
                Err(error) => prop_assert_eq!(error.scim_type(), Some("noTarget")),
            }
        }
    }
}
