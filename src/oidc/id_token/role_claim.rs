//! The values of the role claim, whatever it is called.

use std::fmt;

use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use super::{IdTokenClaims, IdTokenError, ensure};

const STANDARD: &str = "roles";
const MOST_ROLES: usize = 50;
const LONGEST_ROLE: usize = 120;

/// The values of `role_claim`: a text or a list of texts, at most 50 of at most 120 bytes; what
/// else stands there is dropped.
///
/// # Errors
/// [`IdTokenError::Roles`] if the provider left the claim out for its size (§5.6.2), or if it also
/// stands under `alias` and differs.
pub(super) fn roles(
    claims: &IdTokenClaims,
    payload: &[u8],
    role_claim: &str,
    alias: Option<&str>,
) -> Result<Vec<String>, IdTokenError> {
    let elsewhere =
        claims.claim_names.as_ref().is_some_and(|names| names.get(role_claim).is_some());
    ensure(!elsewhere, IdTokenError::Roles)?;
    if role_claim == STANDARD {
        return Ok(values(claims.roles.as_ref()));
    }
    let named = find(payload, role_claim)?;
    let roles = values(named.as_ref());
    if alias == Some(role_claim) && named.is_some() && claims.roles.is_some() {
        ensure(same(&roles, &values(claims.roles.as_ref())), IdTokenError::Roles)?;
    }
    Ok(roles)
}

fn same(one: &[String], other: &[String]) -> bool {
    one.iter().all(|role| other.contains(role)) && other.iter().all(|role| one.contains(role))
}

fn values(claim: Option<&Value>) -> Vec<String> {
    let values = match claim {
        Some(Value::Array(values)) => values.as_slice(),
        Some(value) => std::slice::from_ref(value),
        None => &[],
    };
    let fits = |role: &&str| (1..=LONGEST_ROLE).contains(&role.len());
    let roles = values.iter().filter_map(Value::as_str).filter(fits);
    roles.take(MOST_ROLES).map(ToOwned::to_owned).collect()
}

/// The one claim called `name`; the claims were read before, so the rest is known to be JSON.
fn find(payload: &[u8], name: &str) -> Result<Option<Value>, IdTokenError> {
    let mut json = serde_json::Deserializer::from_slice(payload);
    Named(name).deserialize(&mut json).map_err(|_| IdTokenError::Malformed)
}

/// Reads one member of an object and refuses a second one of the same name.
struct Named<'a>(&'a str);

impl<'de> DeserializeSeed<'de> for Named<'_> {
    type Value = Option<Value>;

    fn deserialize<D: serde::Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Named<'_> {
    type Value = Option<Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("claims")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(name) = members.next_key::<String>()? {
            if name != self.0 {
                members.next_value::<IgnoredAny>()?;
            } else if found.replace(members.next_value::<Value>()?).is_some() {
                return Err(A::Error::custom("the role claim stands twice"));
            }
        }
        Ok(found)
    }
}
