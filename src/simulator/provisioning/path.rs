//! The targets of the attribute mapping, as paths into a resource.

use serde_json::{Value, json};

/// A path, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Path<'a> {
    /// `title`.
    Attribute(&'a str),
    /// `name.givenName`.
    Sub(&'a str, &'a str),
    /// `emails[type eq "work"].value`.
    Element { attribute: &'a str, kind: &'a str, sub: &'a str },
    /// `urn:…:User:department`.
    Extension { urn: &'a str, attribute: &'a str },
}

impl<'a> Path<'a> {
    pub(super) fn parse(path: &'a str) -> Self {
        if path.starts_with("urn:") {
            let (urn, attribute) = path.rsplit_once(':').unwrap_or((path, ""));
            return Self::Extension { urn, attribute };
        }
        if let Some((attribute, rest)) = path.split_once("[type eq \"")
            && let Some((kind, sub)) = rest.split_once("\"].")
        {
            return Self::Element { attribute, kind, sub };
        }
        path.split_once('.')
            .map_or(Self::Attribute(path), |(attribute, sub)| Self::Sub(attribute, sub))
    }

    /// What a resource has there.
    pub(super) fn find(self, resource: &Value) -> Option<&Value> {
        let found = match self {
            Self::Attribute(attribute) => resource.get(attribute),
            Self::Sub(attribute, sub) => resource.get(attribute)?.get(sub),
            Self::Extension { urn, attribute } => resource.get(urn)?.get(attribute),
            Self::Element { attribute, kind, sub } => {
                let elements = resource.get(attribute)?.as_array()?;
                elements.iter().find(|element| element["type"] == kind)?.get(sub)
            }
        };
        found.filter(|value| !value.is_null())
    }

    /// Puts a value there, in the body of a POST.
    pub(super) fn put(self, body: &mut Value, value: Value) {
        match self {
            Self::Attribute(attribute) => body[attribute] = value,
            Self::Sub(attribute, sub) => body[attribute][sub] = value,
            Self::Extension { urn, attribute } => body[urn][attribute] = value,
            Self::Element { attribute, kind, sub } => element(body, attribute, kind)[sub] = value,
        }
    }
}

/// The element of that type, a new one if there is none; the e-mail address at work is the primary.
fn element<'b>(body: &'b mut Value, attribute: &str, kind: &str) -> &'b mut Value {
    if !body[attribute].is_array() {
        body[attribute] = json!([]);
    }
    let elements = body[attribute].as_array_mut().expect("it was made one if it was none");
    let index = elements.iter().position(|element| element["type"] == kind).unwrap_or_else(|| {
        let primary = attribute == "emails" && kind == "work";
        elements.push(if primary {
            json!({ "primary": true, "type": kind })
        } else {
            json!({ "type": kind })
        });
        elements.len() - 1
    });
    &mut elements[index]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_at_a_path_is_found_there_and_nested_as_the_standard_has_it() {
        let paths = [
            ("title", json!({ "title": "x" })),
            ("name.givenName", json!({ "name": { "givenName": "x" } })),
            (
                "emails[type eq \"work\"].value",
                json!({ "emails": [{ "primary": true, "type": "work", "value": "x" }] }),
            ),
            (
                "addresses[type eq \"work\"].postalCode",
                json!({ "addresses": [{ "type": "work", "postalCode": "x" }] }),
            ),
            (
                "urn:ietf:params:scim:schemas:extension:Acme:2.0:User:badge",
                json!({ "urn:ietf:params:scim:schemas:extension:Acme:2.0:User": { "badge": "x" } }),
            ),
        ];
        for (path, expected) in paths {
            let mut body = json!({});

            Path::parse(path).put(&mut body, json!("x"));

            assert_eq!(body, expected, "{path}");
            assert_eq!(Path::parse(path).find(&body), Some(&json!("x")), "{path}");
        }
    }

    #[test]
    fn elements_of_one_type_are_one_and_of_another_type_not_found() {
        let mut body = json!({});

        for (path, value) in [("locality", "Bern"), ("country", "CH")] {
            let path = format!("addresses[type eq \"work\"].{path}");
            Path::parse(&path).put(&mut body, json!(value));
        }

        let work = json!([{ "type": "work", "locality": "Bern", "country": "CH" }]);
        assert_eq!(body["addresses"], work);
        assert_eq!(Path::parse("addresses[type eq \"home\"].locality").find(&body), None);
    }
}
