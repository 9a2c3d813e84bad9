//! Whether a filter holds for a resource in memory.

use std::cmp::Ordering;

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::scim::{
    attribute_path::member,
    filter::{Comparison, Filter, Operator},
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
        let any = |operator| {
            values
                .iter()
                .any(|value| compare(operator, simple(value), &self.value, self.case_exact))
        };
        match (self.operator, self.value.is_null()) {
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

fn compare(operator: Operator, found: &Value, wanted: &Value, case_exact: bool) -> bool {
    match (found, wanted) {
        (Value::String(found), Value::String(wanted)) => {
            compare_text(operator, found, wanted, case_exact)
        }
        (Value::Number(found), Value::Number(wanted)) => {
            holds(operator, found.as_f64().partial_cmp(&wanted.as_f64()))
        }
        (Value::Bool(found), Value::Bool(wanted)) => operator == Operator::Equal && found == wanted,
        // Entra ID quotes booleans: `roles[primary eq "True"]`.
        (Value::Bool(found), Value::String(wanted)) => {
            operator == Operator::Equal && wanted.eq_ignore_ascii_case(&found.to_string())
        }
        _ => false,
    }
}

fn compare_text(operator: Operator, found: &str, wanted: &str, case_exact: bool) -> bool {
    if !case_exact && let (Ok(found), Ok(wanted)) = (found.parse(), wanted.parse::<Timestamp>()) {
        return holds(operator, Some(Timestamp::cmp(&found, &wanted)));
    }
    if case_exact {
        return compare_exactly(operator, found, wanted);
    }
    compare_exactly(operator, &found.to_lowercase(), &wanted.to_lowercase())
}

fn compare_exactly(operator: Operator, found: &str, wanted: &str) -> bool {
    match operator {
        Operator::Contains => found.contains(wanted),
        Operator::StartsWith => found.starts_with(wanted),
        Operator::EndsWith => found.ends_with(wanted),
        _ => holds(operator, Some(found.cmp(wanted))),
    }
}

fn holds(operator: Operator, order: Option<Ordering>) -> bool {
    order.is_some_and(|order| match operator {
        Operator::Equal => order.is_eq(),
        Operator::GreaterThan => order.is_gt(),
        Operator::GreaterOrEqual => order.is_ge(),
        Operator::LessThan => order.is_lt(),
        Operator::LessOrEqual => order.is_le(),
        Operator::NotEqual | Operator::Contains | Operator::StartsWith | Operator::EndsWith => {
            false
        }
    })
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
            let filter = Filter::parse(text, &ENTRA).unwrap();

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
            let filter = Filter::parse(text, &ENTRA).unwrap();

            assert!(!filter.matches(&alice()), "{text}");
        }
    }
}
