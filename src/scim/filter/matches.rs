//! Whether a filter holds for a resource in memory.

use std::cmp::Ordering;

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
        let wanted = self.wanted();
        let any = |operator| {
            let stands = |value| compare(operator, simple(value), &wanted, self.case_exact);
            values.iter().any(|value| stands(value))
        };
        match (self.operator, wanted.is_null()) {
            (Operator::Equal, true) => !values.into_iter().any(is_present),
            (Operator::NotEqual, true) => values.into_iter().any(is_present),
            (Operator::NotEqual, false) => !any(Operator::Equal),
            (operator, _) => any(operator),
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

/// How a value stands to one that is already [folded](Comparison::wanted).
fn compare(operator: Operator, found: &Value, wanted: &Value, case_exact: bool) -> bool {
    match (found, wanted) {
        (Value::String(found), Value::String(wanted)) if case_exact => {
            compare_texts(operator, found, wanted)
        }
        (Value::String(found), Value::String(wanted)) => {
            compare_texts(operator, &fold(found), wanted)
        }
        (Value::Number(found), Value::Number(wanted)) => {
            holds(operator, compare_numbers(found, wanted))
        }
        (Value::Bool(found), Value::Bool(wanted)) => operator == Operator::Equal && found == wanted,
        // Entra ID quotes booleans: `roles[primary eq "True"]`.
        (Value::Bool(found), Value::String(wanted)) => {
            operator == Operator::Equal && wanted.eq_ignore_ascii_case(&found.to_string())
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
        _ => holds(operator, found.cmp(wanted)),
    }
}

fn holds(operator: Operator, order: Ordering) -> bool {
    match operator {
        Operator::Equal => order.is_eq(),
        Operator::GreaterThan => order.is_gt(),
        Operator::GreaterOrEqual => order.is_ge(),
        Operator::LessThan => order.is_lt(),
        Operator::LessOrEqual => order.is_le(),
        Operator::NotEqual | Operator::Contains | Operator::StartsWith | Operator::EndsWith => {
            false
        }
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
            "urn:contoso:employee": { "JobCode": "AB-1002", "Level": 7 },
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
