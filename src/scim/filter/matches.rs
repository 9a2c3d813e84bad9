//! Whether a filter holds for a resource in memory.

use std::{borrow::Cow, cmp::Ordering};

use serde_json::{Map, Number, Value};

use crate::scim::{
    attribute_path::member,
    filter::{Comparison, Filter, Operator, fold},
};

impl Filter {
    /// Whether the filter holds for a resource, or for one value of a complex attribute.
    pub fn matches(&self, resource: &Map<String, Value>) -> bool {
        match self {
            Self::And(parts) => parts.iter().all(|part| part.matches(resource)),
            Self::Or(parts) => parts.iter().any(|part| part.matches(resource)),
            Self::Not(part) => !part.matches(resource),
            Self::Present(path) => path.values(resource).into_iter().any(is_present),
            Self::Compare(comparison) => comparison.matches(resource),
        }
    }
}

impl Comparison {
    fn matches(&self, resource: &Map<String, Value>) -> bool {
        let values = self.path.values(resource);
        let present = || values.iter().any(|value| is_present(value));
        match (self.operator, self.value.is_null()) {
            (Operator::Equal, true) => !present(),
            (Operator::NotEqual, true) => present(),
            (Operator::Equal, false) => self.finds_equal(&values),
            (Operator::NotEqual, false) => !self.finds_equal(&values),
            (operator, _) => {
                let wanted = self.wanted();
                let stands = |form: &Value| compare(operator, form, &wanted);
                values.iter().any(|value| stands(&self.form(simple(value))))
            }
        }
    }

    fn finds_equal(&self, values: &[&Value]) -> bool {
        let equals = self.equals();
        let is_equal = |form: &Value| equals.iter().any(|equal| is_same(form, equal));
        values.iter().any(|value| is_equal(&self.form(simple(value))))
    }

    /// A value as it is in the [search form](super::search_form()) of its resource.
    fn form<'v>(&self, value: &'v Value) -> Cow<'v, Value> {
        match value {
            Value::String(text) if !self.case_exact => Cow::Owned(fold(text).into()),
            other => Cow::Borrowed(other),
        }
    }
}

fn is_present(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(values) => !values.is_empty(),
        Value::Object(members) => !members.is_empty(),
        Value::Bool(_) | Value::Number(_) => true,
    }
}

/// What stands for a complex value in a comparison: its `value`.
fn simple(value: &Value) -> &Value {
    value.as_object().and_then(|members| member(members, "value")).unwrap_or(value)
}

fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => compare_numbers(one, other).is_eq(),
        _ => one == other,
    }
}

/// How two values in search form stand to each other; only texts and numbers have an order.
fn compare(operator: Operator, found: &Value, wanted: &Value) -> bool {
    match (found, wanted) {
        (Value::String(found), Value::String(wanted)) => compare_texts(operator, found, wanted),
        (Value::Number(found), Value::Number(wanted)) => {
            is_ordered(operator, compare_numbers(found, wanted))
        }
        _ => false,
    }
}

/// The order of two numbers as they are written: no digit of a whole one is lost.
pub(in crate::scim) fn compare_numbers(one: &Number, other: &Number) -> Ordering {
    let whole = |number: &Number| {
        let fits = |float: &f64| float.fract() == 0.0 && float.abs() < 1e38;
        #[expect(clippy::cast_possible_truncation, reason = "whole and within i128")]
        let float = || number.as_f64().filter(fits).map(|float| float as i128);
        number.as_i128().or_else(float)
    };
    if let (Some(one), Some(other)) = (whole(one), whole(other)) {
        return one.cmp(&other);
    }
    let float = |number: &Number| number.as_f64().unwrap_or_default();
    float(one).total_cmp(&float(other))
}

fn compare_texts(operator: Operator, found: &str, wanted: &str) -> bool {
    match operator {
        Operator::Contains => found.contains(wanted),
        Operator::StartsWith => found.starts_with(wanted),
        Operator::EndsWith => found.ends_with(wanted),
        _ => is_ordered(operator, found.cmp(wanted)),
    }
}

fn is_ordered(operator: Operator, order: Ordering) -> bool {
    match operator {
        Operator::GreaterThan => order.is_gt(),
        Operator::GreaterOrEqual => order.is_ge(),
        Operator::LessThan => order.is_lt(),
        Operator::LessOrEqual => order.is_le(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::scim::dialect::ENTRA;

    fn alice() -> Map<String, Value> {
        let alice = json!({
            "id": "48af", "externalId": "Ab-1", "userName": "Alice@Example.com", "active": true,
            "title": "Größe", "name": { "familyName": "O\"Brien" },
            "emails": [
                { "type": "work", "value": "alice@example.com", "primary": true },
                { "type": "home", "value": "al@home.example" },
            ],
            "roles": [{ "value": "Admin", "primary": true }],
            "meta": { "lastModified": "2026-03-27T19:59:26.000Z" },
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":
                { "manager": { "value": "2819" }, "department": "Sales" },
            "urn:contoso:employee": { "JobCode": "AB-1002", "Level": 7, "Floor": "3", "Manager": true },
        });
        alice.as_object().unwrap().clone()
    }

    #[test]
    fn filters_find_whom_they_describe() {
        let filters = [
            r#"userName eq "alice@example.COM""#,
            r#"USERNAME EQ "alice@example.com""#,
            "userName eq alice@example.com",
            r#"externalId eq "Ab-1" and id eq 48af"#,
            r#"emails eq "ALICE@example.com""#,
            r#"emails.value ew "home.example""#,
            r#"emails[type eq "work"].value eq "alice@example.com""#,
            r#"emails[type eq "work" and value co "@example.com"]"#,
            r#"not (emails[type eq "work" and value co "@home"])"#,
            "active eq true",
            r#"active eq "True""#,
            r#"roles[primary eq "True"].value eq "Admin""#,
            r#"name.familyName eq "O\"Brien""#,
            "name.familyName eq \"O\\u0022brien\"",
            r#"title co "GRÖSSE" or title co "GRÖßE""#,
            r#"meta.lastModified gt "2026-03-27T20:00:00+02:00""#,
            r#"id eq "48af" and manager eq "2819""#,
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:user:department sw sal",
            r#"urn:ietf:params:scim:schemas:core:2.0:User:userName sw "al""#,
            r#"urn:contoso:employee:level eq "7" and urn:contoso:employee:level eq "7.0""#,
            r#"urn:contoso:employee:floor eq 3 and urn:contoso:employee:manager eq "TRUE""#,
            r#"urn:contoso:employee:jobcode eq "ab-1002" and urn:contoso:employee:Level ge 7"#,
            r#"nickName ne "Al" and nickName eq null and not (nickName pr)"#,
            r#"userName eq "x" or userName pr and active eq true"#,
        ];
        for text in filters {
            let filter = Filter::parse(text, None, &ENTRA).unwrap();

            assert!(filter.matches(&alice()), "{text}");
        }
    }

    #[test]
    fn filters_pass_over_whom_they_do_not_describe() {
        let filters = [
            r#"externalId eq "ab-1""#,
            r#"id eq "48AF""#,
            r#"userName eq "alice""#,
            "active eq false",
            r#"emails[type eq "home" and value sw "alice"]"#,
            r#"emails[type eq "other"].value pr"#,
            r#"userName ne "ALICE@example.com""#,
            r#"nickName eq "Al""#,
            r#"nickName gt "A""#,
            "title eq null",
            r#"urn:contoso:employee:level eq "07x""#,
            r#"urn:contoso:employee:level gt "6""#,
            r#"urn:unknown:thing:x eq "y""#,
            r#"(userName eq "x" or userName pr) and active eq false"#,
            "not (userName pr)",
        ];
        for text in filters {
            let filter = Filter::parse(text, None, &ENTRA).unwrap();

            assert!(!filter.matches(&alice()), "{text}");
        }
    }
}
