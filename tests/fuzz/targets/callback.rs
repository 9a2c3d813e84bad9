//! What a browser brings to a redirect URI, and the place that a sign-in returns to.

#![no_main]

use std::sync::LazyLock;

use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use portico::{
    domain::{connector::ConnectorKind, return_to::ReturnTo, secret::Secret},
    oidc::{
        authority::{Authority, Provider, TrustedHosts},
        authorization_request::AuthorizationRequest,
        authorization_response::AuthorizationResponse,
    },
};
use url::{Url, form_urlencoded};

const NOW: Timestamp = Timestamp::constant(1_795_348_800, 0);
const STATE: &str = "the-state-of-this-sign-in";
const ISSUER: &str = "https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0";

/// The same provider, once as it is and once as if it promised `iss` in every answer (RFC 9207).
static PROVIDERS: LazyLock<[Provider; 2]> = LazyLock::new(|| [false, true].map(provider));

static ALLOWED: LazyLock<Vec<String>> =
    LazyLock::new(|| vec!["https://app.example.com".to_owned()]);

fuzz_target!(|input: &str| {
    for provider in &*PROVIDERS {
        answer(input, provider);
    }
    place(input);
});

fn answer(form: &str, provider: &Provider) {
    let Ok(response) = AuthorizationResponse::parse(form) else { return };
    let Ok(_accepted) = request().accept(response, provider, NOW) else { return };
    let all = |wanted: &str| -> Vec<String> {
        form_urlencoded::parse(form.as_bytes())
            .filter(|(name, _)| name == wanted)
            .map(|(_, value)| value.into_owned())
            .collect()
    };
    assert_eq!(all("state"), [STATE], "{form}");
    assert!(matches!(&all("code")[..], [code] if !code.is_empty()), "{form}");
    assert!(all("error").iter().all(String::is_empty), "{form}");
    let iss = all("iss");
    let promised = provider.authorization_response_iss_parameter_supported();
    let may_be_absent = !promised && iss.iter().all(String::is_empty);
    assert!(may_be_absent || iss == [ISSUER], "{form}");
}

/// Wherever a browser that signs in at Portico ends up, it is there or at the application.
fn place(text: &str) {
    let Ok(place) = ReturnTo::parse(text, &ALLOWED) else { return };
    let here = Url::parse("https://login.example.com/oidc/7/callback").expect("an address");
    let there = here.join(place.as_str()).expect("a place resolves");
    let origin = there.origin().ascii_serialization();
    assert!(origin == "https://login.example.com" || ALLOWED.contains(&origin), "{text}");
    assert!(text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\'), "{text}");
}

fn request() -> AuthorizationRequest {
    AuthorizationRequest {
        state: Secret::new(STATE),
        nonce: Secret::new("nonce"),
        code_verifier: Secret::new("verifier"),
        redirect_uri: "https://login.example.com/oidc/7/callback".to_owned(),
        max_age: None,
        created_at: NOW,
        expires_at: NOW + jiff::SignedDuration::from_mins(10),
    }
}

fn provider(promises_iss: bool) -> Provider {
    let authority = Authority::parse(ConnectorKind::AzureAd, ISSUER, &TrustedHosts::default());
    let tenant = ISSUER.trim_end_matches("/v2.0");
    let document = serde_json::json!({
        "issuer": ISSUER,
        "authorization_endpoint": format!("{tenant}/oauth2/v2.0/authorize"),
        "token_endpoint": format!("{tenant}/oauth2/v2.0/token"),
        "jwks_uri": format!("{tenant}/discovery/v2.0/keys"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "authorization_response_iss_parameter_supported": promises_iss,
    });
    let authority = authority.expect("an authority");
    authority.check(document.to_string().as_bytes()).expect("a discovery document")
}
