//! What the lies do to the values in their hands.

use serde_json::{Value, json};

use super::{Members, Pairs};

pub(super) const MINUTE: i64 = 60;
pub(super) const HOUR: i64 = 60 * MINUTE;

pub(super) fn set(members: &mut Members, name: &str, value: Value) {
    members.insert(name.into(), value);
}

pub(super) fn remove(members: &mut Members, name: &str) {
    members.remove(name);
}

pub(super) fn append(members: &mut Members, name: &str, ending: &str) {
    let before = members.get(name).and_then(Value::as_str).unwrap_or_default();
    let value = json!(format!("{before}{ending}"));
    set(members, name, value);
}

pub(super) fn shift(members: &mut Members, name: &str, seconds: i64) {
    let before = members.get(name).and_then(Value::as_i64).unwrap_or_default();
    set(members, name, json!(before + seconds));
}

/// The claims as a tenant writes them whose clock is `seconds` ahead.
pub(super) fn skew(claims: &mut Members, seconds: i64) {
    for name in ["iat", "nbf", "exp", "auth_time"] {
        if claims.contains_key(name) {
            shift(claims, name, seconds);
        }
    }
}

/// Replaces a value by what `change` makes of its text.
pub(super) fn rewrite(members: &mut Members, name: &str, change: fn(&str) -> Value) {
    let value = change(members.get(name).and_then(Value::as_str).unwrap_or_default());
    set(members, name, value);
}

pub(super) fn alter(response: &mut Pairs, name: &str) {
    for (_, value) in response.iter_mut().filter(|(present, _)| *present == name) {
        value.push('1');
    }
}

pub(super) fn drop_pair(response: &mut Pairs, name: &str) {
    response.retain(|(present, _)| *present != name);
}

/// The error answer that stands in place of the code.
pub(super) fn fail(response: &mut Pairs, error: &str, description: &str) {
    drop_pair(response, "code");
    response.push(("error", error.to_owned()));
    response.push(("error_description", description.to_owned()));
}

pub(super) fn as_version_1(claims: &mut Members) {
    let issuer = claims.get("iss").and_then(Value::as_str).unwrap_or_default();
    let tenant = claims.get("tid").and_then(Value::as_str).unwrap_or_default();
    let origin = issuer.split(&format!("/{tenant}/")).next().unwrap_or_default();
    let issuer = json!(format!("{origin}/sts/{tenant}/"));
    set(claims, "iss", issuer);
    set(claims, "ver", json!("1.0"));
    if let Some(name) = claims.remove("preferred_username") {
        set(claims, "unique_name", name);
    }
}

pub(super) fn elsewhere(claims: &mut Members, names: Value) {
    set(claims, "_claim_names", names);
    let source = json!({ "src1": { "endpoint": "https://graph.attacker.example/" } });
    set(claims, "_claim_sources", source);
}

pub(super) fn add_strange_keys(keys: &mut Vec<Value>) {
    keys.extend([
        json!({ "kty": "AKP", "kid": "post-quantum", "alg": "ML-DSA-44", "pub": "AAAA" }),
        json!({ "kty": "OKP", "crv": "Ed25519", "kid": "edwards", "use": "sig",
            "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" }),
        json!({ "kty": "EC", "crv": "secp256k1", "kid": "koblitz", "use": "sig", "x": "AA", "y": "AA" }),
        json!({ "kid": "no-kind-at-all" }),
    ]);
    if let Some(Value::Object(mut key)) = keys.first().cloned() {
        set(&mut key, "use", json!("enc"));
        set(&mut key, "kid", json!("for-encryption"));
        keys.push(key.into());
    }
}

pub(super) fn give_all_one_kid(keys: &mut [Value]) {
    if let Some(kid) = keys.last().map(|key| key["kid"].clone()) {
        for key in keys {
            key["kid"] = kid.clone();
        }
    }
}

/// Says something else about the key that signs, which is the last one.
pub(super) fn mark_signing_key(keys: &mut [Value], member: &str, value: &str) {
    if let Some(key) = keys.last_mut() {
        key[member] = json!(value);
    }
}

/// Leaves only the key that signs.
pub(super) fn keep_signing_key(keys: &mut Vec<Value>) {
    keys.drain(..keys.len().saturating_sub(1));
}

/// Flips one bit.
pub(super) fn spoil(signature: &mut [u8]) {
    if let Some(byte) = signature.first_mut() {
        *byte ^= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_v1_token_has_the_issuer_of_the_v1_discovery_document() {
        let claims = json!({ "iss": "http://127.0.0.1:1/t-1/v2.0", "tid": "t-1", "ver": "2.0" });
        let mut claims = claims.as_object().unwrap().clone();

        as_version_1(&mut claims);

        assert_eq!(
            Value::from(claims),
            json!({ "iss": "http://127.0.0.1:1/sts/t-1/", "tid": "t-1", "ver": "1.0" })
        );
    }

    #[test]
    fn a_skewed_clock_moves_every_date_and_invents_none() {
        let claims = json!({ "iat": 1000, "nbf": 1000, "exp": 4600, "sub": "ada" });
        let mut claims = claims.as_object().unwrap().clone();

        skew(&mut claims, -MINUTE);

        assert_eq!(
            Value::from(claims),
            json!({ "iat": 940, "nbf": 940, "exp": 4540, "sub": "ada" })
        );
    }
}
