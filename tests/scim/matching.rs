//! Whether an answer holds what is expected of it.

use serde_json::Value;

/// What in the answer is not as expected, if anything.
///
/// An object may have more members than are expected, a list no more elements; `null` stands for
/// what is not there, and `"*"` for anything that is.
pub fn difference(expected: &Value, found: &Value) -> Option<String> {
    differs("$", expected, Some(found))
}

fn differs(place: &str, expected: &Value, found: Option<&Value>) -> Option<String> {
    let found = found.unwrap_or(&Value::Null);
    match (expected, found) {
        (Value::String(any), found) if any == "*" && !found.is_null() => None,
        (Value::Object(expected), Value::Object(found)) => expected
            .iter()
            .find_map(|(name, value)| differs(&format!("{place}.{name}"), value, found.get(name))),
        (Value::Array(expected), Value::Array(found)) if expected.len() == found.len() => expected
            .iter()
            .enumerate()
            .find_map(|(n, value)| differs(&format!("{place}[{n}]"), value, found.get(n))),
        _ if expected == found => None,
        _ => Some(format!("{place}: expected {expected}, found {found}")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::difference;

    #[test]
    fn what_is_expected_may_be_part_of_what_is_found() {
        let found = json!({ "a": 1, "b": { "c": [1, { "d": "x", "e": 2 }] }, "n": null });

        for expected in [
            json!({}),
            json!({ "a": 1 }),
            json!({ "a": "*", "z": null, "n": null }),
            json!({ "b": { "c": [1, { "d": "x" }] } }),
        ] {
            assert_eq!(difference(&expected, &found), None, "{expected}");
        }
    }

    #[test]
    fn a_difference_is_named_with_its_place() {
        let found = json!({ "a": 1, "b": { "c": [1, { "d": "x" }] } });

        for (expected, place) in [
            (json!({ "a": 2 }), "$.a:"),
            (json!({ "a": null }), "$.a:"),
            (json!({ "z": "*" }), "$.z:"),
            (json!({ "b": { "c": [1] } }), "$.b.c:"),
            (json!({ "b": { "c": [1, { "d": "y" }] } }), "$.b.c[1].d:"),
            (json!([]), "$:"),
        ] {
            let named = difference(&expected, &found).unwrap();

            assert!(named.starts_with(place), "{named}");
        }
    }
}
