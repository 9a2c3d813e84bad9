//! The lies that the simulator can tell: each is data that changes one thing at one station.

use std::{fmt, str::FromStr};

use actix_web::{HttpResponse, http::header};
use serde_json::{Map, Value, json};

/// The claims, header members or fields of a JSON object.
pub(super) type Members = Map<String, Value>;

/// An address that the relying party itself calls; its answer can be late or replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Station {
    /// The discovery document.
    Discovery,
    /// The JWKS.
    Keys,
    /// The token endpoint.
    Token,
}

/// Who signs instead of the current key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FalseSigner {
    Nobody,
    ClientSecret,
    PublicKeyAsSecret,
    UnpublishedKey,
    OtherAlgorithm,
}

/// One change at one station.
pub(super) enum Lie {
    Answer(Station, fn() -> HttpResponse),
    AuthorizationResponse(fn(&mut Vec<(&'static str, String)>)),
    BasicOnly,
    BringKey,
    Claims(fn(&mut Members)),
    Delay(Station),
    Discovery(fn(&mut Members)),
    Header(fn(&mut Members)),
    Keys(fn(&mut Vec<Value>)),
    Payload(fn(&str) -> String),
    RotateKeys,
    Signature(fn(&mut Vec<u8>)),
    Signer(FalseSigner),
    TokenResponse(fn(&mut Members)),
}

macro_rules! faults {
    ($($variant:ident $name:literal $description:literal [$($lie:expr),+ $(,)?])+) => {
        /// A way in which the simulator departs from what Entra does.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Fault {
            $(#[doc = $description] $variant,)+
        }

        impl Fault {
            /// All faults, in the order of the stations of a sign-in.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The name on the command line and at the control address.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// What the simulator does, in one line, and whether that is to be accepted.
            pub const fn description(self) -> &'static str {
                match self { $(Self::$variant => $description,)+ }
            }

            pub(super) fn lies(self) -> &'static [Lie] {
                match self {
                    $(Self::$variant => {
                        const LIES: &[Lie] = &[$($lie,)+];
                        LIES
                    })+
                }
            }
        }
    };
}

faults! {
    DiscoveryUnavailable "discovery-unavailable" "The discovery document answers 503"
        [Lie::Answer(Station::Discovery, unavailable)]
    DiscoveryRedirects "discovery-redirects" "The discovery document redirects to another address"
        [Lie::Answer(Station::Discovery, redirect)]
    SlowDiscovery "slow-discovery" "The discovery document takes 30 seconds"
        [Lie::Delay(Station::Discovery)]
    WrongDiscoveryIssuer "wrong-discovery-issuer" "The discovery document names another issuer"
        [Lie::Discovery(|d| append(d, "issuer", "INVALID"))]
    DiscoveryIssuerWithSlash "discovery-issuer-with-slash"
        "The discovery document's issuer ends with a slash"
        [Lie::Discovery(|d| append(d, "issuer", "/"))]
    ForeignTokenEndpoint "foreign-token-endpoint"
        "The discovery document sends credentials to another host"
        [Lie::Discovery(|d| set(d, "token_endpoint", json!("https://login.attacker.example/token")))]
    ForeignJwksUri "foreign-jwks-uri" "The discovery document takes its keys from another host"
        [Lie::Discovery(|d| set(d, "jwks_uri", json!("https://login.attacker.example/keys")))]
    DiscoveryOffersHs256 "discovery-offers-hs256"
        "The discovery document offers HS256, and tokens are signed with the client secret"
        [Lie::Discovery(|d| set(d, "id_token_signing_alg_values_supported", json!(["RS256", "HS256"]))),
         Lie::Signer(FalseSigner::ClientSecret)]

    KeysUnavailable "keys-unavailable" "The JWKS answers 503"
        [Lie::Answer(Station::Keys, unavailable)]
    NoKeys "no-keys" "The JWKS is empty"
        [Lie::Keys(Vec::clear)]
    StrangeKeys "strange-keys"
        "The JWKS also has keys of unknown kinds and for encryption; to be accepted"
        [Lie::Keys(add_strange_keys)]
    DuplicateKid "duplicate-kid" "Two different keys in the JWKS have the kid of the signing key"
        [Lie::Keys(|keys| give_all_one_kid(keys))]

    WrongState "wrong-state" "The authorization response has another state"
        [Lie::AuthorizationResponse(|r| alter(r, "state"))]
    MissingState "missing-state" "The authorization response has no state"
        [Lie::AuthorizationResponse(|r| r.retain(|(name, _)| *name != "state"))]
    MissingCode "missing-code" "The authorization response has neither a code nor an error"
        [Lie::AuthorizationResponse(|r| r.retain(|(name, _)| *name != "code"))]
    DuplicateCode "duplicate-code" "The authorization response has two codes"
        [Lie::AuthorizationResponse(|r| r.push(("code", "another".into())))]
    WrongResponseIss "wrong-response-iss"
        "The authorization response has the iss of another authority (RFC 9207)"
        [Lie::AuthorizationResponse(|r| r.push(("iss", "https://login.attacker.example/v2.0".into())))]

    TokenEndpointError "token-endpoint-error" "The token endpoint answers 503 with an OAuth error"
        [Lie::Answer(Station::Token, unavailable)]
    TokenEndpointHtml "token-endpoint-html" "The token endpoint answers 200 with a page"
        [Lie::Answer(Station::Token, page)]
    TokenEndpointRedirects "token-endpoint-redirects"
        "The token endpoint redirects to another address"
        [Lie::Answer(Station::Token, redirect)]
    TokenEndpointHuge "token-endpoint-huge" "The token endpoint answers with 8 MiB"
        [Lie::Answer(Station::Token, huge)]
    Slow "slow" "The token endpoint takes 30 seconds"
        [Lie::Delay(Station::Token)]
    ClientSecretBasicOnly "client-secret-basic-only"
        "The token endpoint takes the client secret in the Authorization header alone"
        [Lie::Discovery(|d| {
            set(d, "token_endpoint_auth_methods_supported", json!(["client_secret_basic"]));
        }), Lie::BasicOnly]
    MissingIdToken "missing-id-token" "The token response has no `id_token`"
        [Lie::TokenResponse(|r| remove(r, "id_token"))]
    TokenTypeLowercase "token-type-lowercase" "The token response says bEARER; to be accepted"
        [Lie::TokenResponse(|r| set(r, "token_type", json!("bEARER")))]
    WrongTokenType "wrong-token-type" "The token response says mac"
        [Lie::TokenResponse(|r| set(r, "token_type", json!("mac")))]
    MissingExpiresIn "missing-expires-in" "The token response has no `expires_in`; to be accepted"
        [Lie::TokenResponse(|r| remove(r, "expires_in"))]

    Unsigned "unsigned" "The ID Token has alg none and no signature"
        [Lie::Signer(FalseSigner::Nobody)]
    BadSignature "bad-signature" "One bit of the ID Token's signature is wrong"
        [Lie::Signature(|signature| if let Some(byte) = signature.first_mut() { *byte ^= 1; })]
    MissingSignature "missing-signature" "The ID Token says RS256 and has no signature"
        [Lie::Signature(Vec::clear)]
    StrangersSignature "strangers-signature"
        "The ID Token has a published kid but is signed by another key"
        [Lie::Signer(FalseSigner::UnpublishedKey)]
    Hs256WithClientSecret "hs256-with-client-secret" "The ID Token is signed with the client secret"
        [Lie::Signer(FalseSigner::ClientSecret)]
    Hs256WithPublicKey "hs256-with-public-key"
        "The ID Token is signed by HMAC with the public key's PEM"
        [Lie::Signer(FalseSigner::PublicKeyAsSecret)]
    OtherAlgorithm "other-algorithm" "The ID Token is signed by RS512 where RS256 is agreed"
        [Lie::Signer(FalseSigner::OtherAlgorithm)]
    KidAbsentSingleKey "kid-absent-single-key"
        "The ID Token has no kid and the JWKS one key; to be accepted"
        [Lie::Header(|h| remove(h, "kid")), Lie::Keys(|keys| drop(keys.drain(..keys.len() - 1)))]
    KidAbsentManyKeys "kid-absent-many-keys"
        "The ID Token has no kid and the JWKS several keys; either way"
        [Lie::Header(|h| remove(h, "kid"))]
    UnknownKid "unknown-kid" "The ID Token names a kid that is never published"
        [Lie::Header(|h| set(h, "kid", json!("never-published")))]
    KeysRotatedBeforeSigning "keys-rotated-before-signing"
        "The ID Token is signed by a key newer than the last fetch; to be accepted"
        [Lie::RotateKeys]
    TypAtJwt "typ-at-jwt" "The ID Token says that it is an access token (RFC 9068)"
        [Lie::Header(|h| set(h, "typ", json!("at+jwt")))]
    CritHeader "crit-header" "The ID Token has a critical header member that nobody knows"
        [Lie::Header(|h| {
            set(h, "crit", json!(["exp-policy"]));
            set(h, "exp-policy", json!(1));
        })]
    JwkHeader "jwk-header"
        "The ID Token is signed by a stranger's key, which its header brings along"
        [Lie::Signer(FalseSigner::UnpublishedKey), Lie::BringKey]

    WrongIss "wrong-iss" "The ID Token has another iss"
        [Lie::Claims(|c| append(c, "iss", "1"))]
    IssAsArray "iss-as-array" "The ID Token has an array of issuers, ours among them"
        [Lie::Claims(|c| {
            let iss = c["iss"].clone();
            set(c, "iss", json!(["https://login.attacker.example", iss]));
        })]
    MissingSub "missing-sub" "The ID Token has no sub"
        [Lie::Claims(|c| remove(c, "sub"))]
    EmptySub "empty-sub" "The ID Token has an empty sub"
        [Lie::Claims(|c| set(c, "sub", json!("")))]
    MissingAud "missing-aud" "The ID Token has no aud"
        [Lie::Claims(|c| remove(c, "aud"))]
    WrongAud "wrong-aud" "The ID Token has another aud"
        [Lie::Claims(|c| append(c, "aud", "1"))]
    UntrustedSecondAud "untrusted-second-aud" "The ID Token is also for a stranger"
        [Lie::Claims(|c| { let aud = c["aud"].clone(); set(c, "aud", json!([aud, "stranger"])); })]
    AudAsArray "aud-as-array" "The ID Token has its aud as an array of one; to be accepted"
        [Lie::Claims(|c| { let aud = c["aud"].clone(); set(c, "aud", json!([aud])); })]
    WrongAzp "wrong-azp" "The ID Token has a stranger as azp"
        [Lie::Claims(|c| set(c, "azp", json!("stranger")))]
    MissingIat "missing-iat" "The ID Token has no iat"
        [Lie::Claims(|c| remove(c, "iat"))]
    IatInTheFuture "iat-in-the-future" "The ID Token was issued in an hour"
        [Lie::Claims(|c| shift(c, "iat", HOUR))]
    IatLongAgo "iat-long-ago" "The ID Token was issued a week ago and has not expired"
        [Lie::Claims(|c| { shift(c, "iat", -7 * 24 * HOUR); shift(c, "nbf", -7 * 24 * HOUR); })]
    Expired "expired" "The ID Token expired some minutes ago"
        [Lie::Claims(|c| { shift(c, "exp", -HOUR - 6 * MINUTE); shift(c, "iat", -MINUTE); })]
    MissingExp "missing-exp" "The ID Token has no exp"
        [Lie::Claims(|c| remove(c, "exp"))]
    ExpAsText "exp-as-text" "The ID Token has its exp as a text"
        [Lie::Claims(|c| { let exp = c["exp"].to_string(); set(c, "exp", json!(exp)); })]
    NotYetValid "not-yet-valid" "The ID Token is valid in an hour (nbf)"
        [Lie::Claims(|c| shift(c, "nbf", HOUR))]
    WrongNonce "wrong-nonce" "The ID Token has another nonce"
        [Lie::Claims(|c| append(c, "nonce", "1"))]
    MissingNonce "missing-nonce" "The ID Token has no nonce"
        [Lie::Claims(|c| remove(c, "nonce"))]
    WrongAtHash "wrong-at-hash" "The ID Token has the `at_hash` of another access token"
        [Lie::Claims(|c| set(c, "at_hash", json!("d3Jvbmctd3Jvbmctd3Jvbg")))]
    WrongTid "wrong-tid" "The ID Token has the tid of another tenant"
        [Lie::Claims(|c| set(c, "tid", json!("9188040d-6c67-4c5b-b112-36a304b66dad")))]
    MissingTid "missing-tid" "The ID Token has no tid"
        [Lie::Claims(|c| remove(c, "tid"))]
    MissingOid "missing-oid" "The ID Token has no oid"
        [Lie::Claims(|c| remove(c, "oid"))]
    V1Token "v1-token" "The ID Token is one of version 1.0, with that version's issuer"
        [Lie::Claims(as_version_1)]
    RolesAsText "roles-as-text" "The ID Token has one role as a text instead of an array"
        [Lie::Claims(|c| set(c, "roles", json!("EnterpriseAdmin")))]
    UnknownRole "unknown-role" "The ID Token has a role that nobody defined; it must give nothing"
        [Lie::Claims(|c| set(c, "roles", json!(["GlobalAdmin"])))]
    RolesElsewhere "roles-elsewhere"
        "The ID Token says that the roles are at another address (overage)"
        [Lie::Claims(|c| {
            remove(c, "roles");
            set(c, "_claim_names", json!({ "roles": "src1", "groups": "src1" }));
            set(c, "_claim_sources", json!({ "src1": { "endpoint": "https://graph.attacker.example/" } }));
        })]
    DuplicateClaim "duplicate-claim" "The ID Token has two members named sub"
        [Lie::Payload(|payload| payload.replacen('{', r#"{"sub":"somebody-else","#, 1))]
    PayloadIsAnArray "payload-is-an-array" "The ID Token's payload is an array"
        [Lie::Payload(|payload| format!("[{payload}]"))]
}

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;

fn set(members: &mut Members, name: &str, value: Value) {
    members.insert(name.into(), value);
}

fn remove(members: &mut Members, name: &str) {
    members.remove(name);
}

fn append(members: &mut Members, name: &str, ending: &str) {
    let before = members.get(name).and_then(Value::as_str).unwrap_or_default();
    let value = json!(format!("{before}{ending}"));
    set(members, name, value);
}

fn shift(members: &mut Members, name: &str, seconds: i64) {
    let before = members.get(name).and_then(Value::as_i64).unwrap_or_default();
    set(members, name, json!(before + seconds));
}

fn alter(response: &mut [(&'static str, String)], name: &str) {
    for (_, value) in response.iter_mut().filter(|(present, _)| *present == name) {
        value.push('1');
    }
}

fn as_version_1(claims: &mut Members) {
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

fn add_strange_keys(keys: &mut Vec<Value>) {
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

fn give_all_one_kid(keys: &mut [Value]) {
    if let Some(kid) = keys.last().map(|key| key["kid"].clone()) {
        for key in keys {
            key["kid"] = kid.clone();
        }
    }
}

fn unavailable() -> HttpResponse {
    HttpResponse::ServiceUnavailable().json(json!({
        "error": "temporarily_unavailable",
        "error_description": "AADSTS90033: A transient error has occurred. Please try again.",
        "error_codes": [90033],
    }))
}

fn page() -> HttpResponse {
    HttpResponse::Ok().content_type("text/html").body("<!doctype html><title>Sign in</title>")
}

fn redirect() -> HttpResponse {
    HttpResponse::TemporaryRedirect()
        .insert_header((header::LOCATION, "https://login.attacker.example/"))
        .finish()
}

fn huge() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "token_type": "Bearer", "padding": "x".repeat(8 << 20) }))
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text is not the name of a [`Fault`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no fault of that name")]
pub struct UnknownFault;

impl FromStr for Fault {
    type Err = UnknownFault;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.iter().copied().find(|fault| fault.name() == name).ok_or(UnknownFault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_found_by_its_name_in_kebab_case() {
        for fault in Fault::ALL {
            let name = fault.name();

            assert_eq!(name.parse(), Ok(*fault));
            assert!(name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'));
        }
    }

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
}
