//! The ID Token: which claims Entra puts in, and who signs.

use serde_json::{Value, json};

use super::{
    directory::{Application, Person, UserType, guid_of},
    entra::{Entra, Grant},
    fault::{FalseSigner, Members},
    jwe,
    jws::{self, Signer, base64url, sha256},
    keys::{self, SigningKey},
    metadata::Version,
};
use crate::domain::secret::random_bytes;

/// Entra dates a token back by five minutes, and lets it live for an hour from now on.
const BACKDATED: i64 = 300;
const LIFETIME: i64 = 3900;

/// A signed ID Token, or what the fault that is on makes of it.
pub(super) fn issue(entra: &Entra, grant: &Grant, person: &Person, to: &Application) -> String {
    sign_claims(entra, grant.version, to, claims(entra, grant, person, to))
}

/// A token of these claims, or what the fault that is on makes of it.
pub(super) fn sign_claims(
    entra: &Entra,
    version: Version,
    to: &Application,
    mut claims: Members,
) -> String {
    if entra.faults.rotates_keys() {
        entra.keys.rotate();
    }
    entra.faults.claims(&mut claims);
    let payload = entra.faults.payload(Value::from(claims).to_string());
    sign(entra, version, to, &payload)
}

/// The claims of every token: its dates, and its names at Entra.
pub(super) fn dates_and_names(entra: &Entra) -> Members {
    let issued_at = entra.clock.now().as_second() - BACKDATED;
    members([
        ("iat", json!(issued_at)),
        ("nbf", json!(issued_at)),
        ("exp", json!(issued_at + LIFETIME)),
        ("rh", json!(format!("1.{}.", base64url(&random_bytes::<24>())))),
        ("uti", json!(base64url(&random_bytes::<16>()))),
    ])
}

fn sign(entra: &Entra, version: Version, to: &Application, payload: &str) -> String {
    let [current, unpublished] = [entra.keys.current(), entra.keys.unpublished()];
    let secret = to.secrets.first().map(|secret| secret.expose().as_bytes()).unwrap_or_default();
    let pem = current.public_pem();
    let signer = match entra.faults.signer() {
        None => Signer::Rs256(current.pair()),
        Some(FalseSigner::Nobody) => Signer::Nobody,
        Some(FalseSigner::ClientSecret) => Signer::Hs256(secret),
        Some(FalseSigner::PublicKeyAsSecret) => Signer::Hs256(pem.as_bytes()),
        Some(FalseSigner::UnpublishedKey) => Signer::Rs256(unpublished.pair()),
        Some(FalseSigner::Rs512) => Signer::Rs512(current.pair()),
        Some(FalseSigner::Ps256) => Signer::Ps256(current.pair()),
        Some(FalseSigner::Es256) => Signer::Es256(keys::elliptic()),
    };
    let mut header = header(version, &signer, current);
    if entra.faults.brings_key() {
        header.insert("kid".into(), json!(unpublished.kid()));
        header.insert("jwk".into(), unpublished.jwk(None));
    }
    entra.faults.header(&mut header);
    let token =
        jws::compact(&header, payload, &signer, |signature| entra.faults.signature(signature));
    if entra.faults.encrypts() { jwe::encrypt(&token, secret) } else { token }
}

fn header(version: Version, signer: &Signer<'_>, key: &SigningKey) -> Members {
    let kid = if let Signer::Es256(_) = signer { keys::ELLIPTIC_KID } else { key.kid() };
    let mut header =
        members([("typ", json!("JWT")), ("alg", json!(signer.algorithm())), ("kid", json!(kid))]);
    if version == Version::V1 {
        header.insert("x5t".into(), json!(key.kid()));
    }
    header
}

fn claims(entra: &Entra, grant: &Grant, person: &Person, to: &Application) -> Members {
    let tenant = grant.tenant.to_string();
    let mut claims = members([
        ("aud", json!(to.client_id)),
        ("iss", json!(grant.version.issuer(&entra.origin, &tenant))),
        ("sid", json!(grant.sid)),
        ("sub", json!(subject(grant))),
        ("tid", json!(tenant)),
        ("ver", json!(if grant.version == Version::V1 { "1.0" } else { "2.0" })),
    ]);
    if let Some(nonce) = &grant.nonce {
        claims.insert("nonce".into(), json!(nonce));
    }
    if let Some(roles) = to.assignments.get(&person.oid).filter(|roles| !roles.is_empty()) {
        claims.insert("roles".into(), json!(roles));
    }
    claims.extend(dates_and_names(entra));
    claims.extend(profile(grant, person));
    claims.extend(optional(entra, grant, person, to));
    claims
}

/// Pairwise: the same person has another one in each application.
fn subject(grant: &Grant) -> String {
    let pair = format!("{} {} {}", grant.tenant, grant.client_id, grant.oid);
    base64url(&sha256(pair.as_bytes()))
}

/// What the scope `profile` opens; version 1.0 has no scopes for it.
fn profile(grant: &Grant, person: &Person) -> Members {
    match grant.version {
        Version::V1 => members([
            ("oid", json!(person.oid)),
            ("name", json!(person.display_name)),
            ("given_name", json!(person.given_name)),
            ("family_name", json!(person.surname)),
            ("unique_name", json!(person.preferred_username())),
            ("upn", json!(person.user_principal_name)),
        ]),
        Version::V2 if grant.has_scope("profile") => members([
            ("oid", json!(person.oid)),
            ("name", json!(person.display_name)),
            ("preferred_username", json!(person.preferred_username())),
        ]),
        Version::V2 => Members::new(),
    }
}

/// What guests always have, and what the registration or the scope asks for.
fn optional(entra: &Entra, grant: &Grant, person: &Person, to: &Application) -> Members {
    let is_guest = person.user_type == UserType::Guest;
    let wanted = |claim: &str| to.optional_claims.contains(claim);
    let home = person.home_address.as_deref().and_then(|address| address.rsplit('@').next());
    let home_issuer = |domain| Version::V1.issuer(&entra.origin, &guid_of(domain).to_string());
    let choices = [
        ("email", is_guest || wanted("email") || grant.has_scope("email"), json!(person.mail)),
        ("idp", is_guest, json!(home.map(home_issuer))),
        ("acct", wanted("acct"), json!(i32::from(is_guest))),
        ("upn", wanted("upn"), json!(person.user_principal_name)),
        ("login_hint", wanted("login_hint"), json!(person.login_hint())),
        ("auth_time", wanted("auth_time"), json!(grant.signed_in_at.as_second())),
    ];
    let present = choices.into_iter().filter(|(_, chosen, value)| *chosen && !value.is_null());
    members(present.map(|(name, _, value)| (name, value)))
}

fn members(pairs: impl IntoIterator<Item = (&'static str, Value)>) -> Members {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

impl Grant {
    /// Whether the request asked for `scope`.
    pub(super) fn has_scope(&self, scope: &str) -> bool {
        self.scope.iter().any(|asked| asked == scope)
    }
}
