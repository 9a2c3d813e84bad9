//! The JSON object in the body of a request.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::scim::error::ScimError;

/// The members of a JSON object.
///
/// Refused besides what is no JSON object: nesting deeper than 128 levels, and a member that is
/// given twice, of which two readers might see two values. How long the text may be is for the
/// caller to say.
///
/// # Errors
///
/// [`ScimError::InvalidSyntax`], with the place but nothing of the text.
pub fn parse(text: &[u8]) -> Result<Map<String, Value>, ScimError> {
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let read = UniqueMembers
        .deserialize(&mut deserializer)
        .and_then(|value| deserializer.end().map(|()| value))
        .map_err(|error| refusal(&error))?;
    match read {
        Value::Object(members) => Ok(members),
        _ => Err(ScimError::InvalidSyntax("the body must be a JSON object".into())),
    }
}

fn refusal(error: &serde_json::Error) -> ScimError {
    let what = if error.is_data() { "gives a member twice" } else { "is not valid JSON" };
    let (line, column) = (error.line(), error.column());
    ScimError::InvalidSyntax(format!("the body {what} (line {line}, column {column})"))
}

/// Reads any JSON value in which no object has two members of one name.
struct UniqueMembers;

impl<'de> DeserializeSeed<'de> for UniqueMembers {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for UniqueMembers {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let mut read = Vec::new();
        while let Some(element) = elements.next_element_seed(Self)? {
            read.push(element);
        }
        Ok(Value::Array(read))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut read = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            let value = members.next_value_seed(Self)?;
            if read.insert(name, value).is_some() {
                return Err(A::Error::custom("a member is given twice"));
            }
        }
        Ok(Value::Object(read))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_body_that_is_no_plain_json_object_is_refused() {
        let deep = "[".repeat(100_000);
        let bodies = [
            "",
            "null",
            "[]",
            "\"text\"",
            "{",
            "{}{}",
            "{\"a\":1,}",
            r#"{"active":true,"active":false}"#,
            r#"{"name":{"givenName":"A","givenName":"B"}}"#,
            r#"{"a":"\ud800"}"#,
            &deep,
        ];

        for body in bodies {
            let refused = parse(body.as_bytes());

            assert!(matches!(refused, Err(ScimError::InvalidSyntax(_))), "{body:.40}");
        }
    }

    #[test]
    fn a_refusal_repeats_nothing_of_the_body() {
        let refused = parse(br#"{"password":"hunter2" "x"}"#).unwrap_err();

        assert!(!refused.to_string().contains("hunter2"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
            let _ = parse(&bytes);
        }

        #[test]
        fn a_body_is_read_as_serde_json_reads_it(texts: Vec<String>, number: i64, fraction in -1e9..1e9) {
            let body = serde_json::json!({ "t": texts, "n": number, "f": fraction, "b": [true, null] });
            let text = body.to_string();

            let read = parse(text.as_bytes());

            prop_assert_eq!(read.ok(), serde_json::from_str(&text).ok());
        }
    }
}
