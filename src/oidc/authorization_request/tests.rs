use std::collections::HashMap;

use super::*;
use crate::{
    domain::connector::ConnectorKind,
    oidc::authority::{Authority, TrustedHosts},
};

const NOON: Timestamp = Timestamp::constant(1_795_348_800, 0);
const REDIRECT_URI: &str = "https://portico.example/oidc/1/callback";

fn provider(kind: ConnectorKind, issuer: &str, announces_iss: bool) -> Provider {
    let authority = Authority::parse(kind, issuer, &TrustedHosts::default()).unwrap();
    let document = serde_json::json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize?p=signin"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/keys"),
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code"],
        "authorization_response_iss_parameter_supported": announces_iss,
    });
    authority.check(document.to_string().as_bytes()).unwrap()
}

fn generic(announces_iss: bool) -> Provider {
    provider(ConnectorKind::Oidc, "https://idp.example", announces_iss)
}

fn request() -> AuthorizationRequest {
    AuthorizationRequest::new(REDIRECT_URI, None, NOON)
}

/// The parameters of the address, none of which may stand twice.
fn query(url: &Url) -> HashMap<String, String> {
    let pairs: Vec<_> = url.query_pairs().into_owned().collect();
    let query: HashMap<_, _> = pairs.iter().cloned().collect();
    assert_eq!(query.len(), pairs.len(), "{url}");
    query
}

#[test]
fn a_request_carries_nonce_and_s256_challenge_always() {
    let request = request();

    let url = request.url(&generic(false), "portico", &AuthorizationParameters::default()).unwrap();

    let query = query(&url);
    let verifier = PkceCodeVerifier::new(request.code_verifier.expose().to_owned());
    let challenge = PkceCodeChallenge::from_code_verifier_sha256(&verifier);
    assert!(url.as_str().starts_with("https://idp.example/authorize?"));
    let expected = [
        ("p", "signin"),
        ("response_type", "code"),
        ("client_id", "portico"),
        ("redirect_uri", REDIRECT_URI),
        ("scope", "openid profile email"),
        ("state", request.state.expose()),
        ("nonce", request.nonce.expose()),
        ("code_challenge", challenge.as_str()),
        ("code_challenge_method", "S256"),
    ];
    assert_eq!(query, expected.map(|(name, value)| (name.into(), value.into())).into());
}

#[test]
fn a_requests_secrets_are_its_own_and_last_ten_minutes() {
    let [a, b] = [request(), request()];

    let secrets = [&a.state, &a.nonce, &a.code_verifier, &b.state, &b.nonce, &b.code_verifier];

    let mut texts = secrets.map(Secret::expose);
    texts.sort_unstable();
    assert!(texts.windows(2).all(|pair| pair[0] != pair[1]) && texts.iter().all(|t| t.len() == 43));
    assert_eq!(a.expires_at, NOON + SignedDuration::from_mins(10));
}

#[test]
fn what_is_asked_for_is_sent() {
    let entra = "https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0";
    let request = AuthorizationRequest::new(REDIRECT_URI, Some(0), NOON);
    let parameters = AuthorizationParameters {
        prompt: Some(Prompt::Login),
        login_hint: Some("alice@acme.example".into()),
        response_mode: ResponseMode::FormPost,
        scopes: vec!["offline_access".into(), "openid".into(), "email".into()],
        extra: vec![("domain_hint".into(), "acme.example".into())],
    };

    let url = request.url(&provider(ConnectorKind::AzureAd, entra, false), "c", &parameters);

    let query = query(&url.unwrap());
    assert_eq!(query["prompt"], "login");
    assert_eq!(query["login_hint"], "alice@acme.example");
    assert_eq!(query["max_age"], "0");
    assert_eq!(query["response_mode"], "form_post");
    assert_eq!(query["scope"], "openid profile email offline_access");
    assert_eq!(query["domain_hint"], "acme.example");
}

#[test]
fn entra_is_told_the_response_mode_even_where_it_is_the_default() {
    let entra = "https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0";
    let entra = provider(ConnectorKind::AzureAd, entra, false);

    let url = request().url(&entra, "c", &AuthorizationParameters::default()).unwrap();

    assert_eq!(query(&url)["response_mode"], "query");
}

#[test]
fn a_login_hint_does_not_go_with_the_account_picker() {
    let parameters = AuthorizationParameters {
        prompt: Some(Prompt::SelectAccount),
        login_hint: Some("alice@acme.example".into()),
        ..AuthorizationParameters::default()
    };

    let url = request().url(&generic(false), "c", &parameters).unwrap();

    let query = query(&url);
    assert_eq!(query["prompt"], "select_account");
    assert!(!query.contains_key("login_hint"));
}

#[test]
fn an_extra_parameter_never_stands_beside_one_of_ours() {
    let names = OUR_PARAMETERS.iter().copied().chain(["p", "x", "x"]);
    let parameters = AuthorizationParameters {
        extra: names.map(|name| (name.to_owned(), "evil".to_owned())).collect(),
        ..AuthorizationParameters::default()
    };

    let url = request().url(&generic(false), "c", &parameters).unwrap();

    let evil: Vec<_> = query(&url)
        .into_iter()
        .filter_map(|(name, value)| (value == "evil").then_some(name))
        .collect();
    assert_eq!(evil, ["x"]);
}

#[test]
fn a_prompt_is_one_of_four() {
    for text in ["login", "none", "consent", "select_account"] {
        assert_eq!(Prompt::parse(text).map(Prompt::as_str), Some(text));
    }
    for text in ["", "Login", "login consent", "create"] {
        assert_eq!(Prompt::parse(text), None);
    }
}

fn answer(request: &AuthorizationRequest) -> AuthorizationResponse {
    AuthorizationResponse {
        code: Some(Secret::new("the code")),
        state: Some(request.state.clone()),
        ..AuthorizationResponse::default()
    }
}

#[test]
fn the_answer_to_our_request_is_accepted() {
    let request = AuthorizationRequest::new(REDIRECT_URI, Some(300), NOON);
    let (verifier, nonce) = (request.code_verifier.clone(), request.nonce.clone());
    let provider = generic(true);
    let iss = Some("https://idp.example".to_owned());
    let response = AuthorizationResponse { iss, ..answer(&request) };

    let accepted = request.accept(response, &provider, NOON).unwrap();

    assert_eq!(accepted.code(), &Secret::new("the code"));
    assert_eq!(accepted.code_verifier(), &verifier);
    assert_eq!(accepted.redirect_uri(), REDIRECT_URI);
    let expected = accepted.expected_id_token(&provider, "portico");
    assert_eq!(
        (expected.issuer.as_str(), expected.client_id.as_str()),
        ("https://idp.example", "portico")
    );
    assert_eq!((expected.nonce, expected.max_age), (nonce, Some(300)));
}

#[test]
fn a_forged_answer_breaks_the_first_rule_that_it_breaks() {
    let refusal = Refusal::new("access_denied", Some("AADSTS65004: declined"));
    let request = request();
    let valid = || answer(&request);
    let other = || Some(Secret::new("x".repeat(43)));
    let evil = || Some("https://evil.example".to_owned());
    let refused = || Some(refusal.clone());
    let expired = NOON + SignedDuration::from_mins(10);
    let forgeries = [
        (AuthorizationResponse { state: None, ..valid() }, false, NOON, AuthorizationError::State),
        (
            AuthorizationResponse { state: other(), ..valid() },
            false,
            NOON,
            AuthorizationError::State,
        ),
        (
            AuthorizationResponse { state: other(), iss: evil(), refusal: refused(), ..valid() },
            false,
            expired,
            AuthorizationError::State,
        ),
        (AuthorizationResponse { iss: evil(), ..valid() }, false, NOON, AuthorizationError::Issuer),
        (
            AuthorizationResponse { iss: Some("https://idp.example/".into()), ..valid() },
            true,
            NOON,
            AuthorizationError::Issuer,
        ),
        (valid(), true, NOON, AuthorizationError::Issuer),
        (
            AuthorizationResponse { iss: evil(), refusal: refused(), ..valid() },
            false,
            NOON,
            AuthorizationError::Issuer,
        ),
        (valid(), false, expired, AuthorizationError::Expired),
        (
            AuthorizationResponse { refusal: refused(), ..valid() },
            false,
            NOON,
            AuthorizationError::Refused(refusal.clone()),
        ),
        (AuthorizationResponse { code: None, ..valid() }, false, NOON, AuthorizationError::NoCode),
    ];

    for (response, announces_iss, now, broken_rule) in forgeries {
        let refused = request.clone().accept(response.clone(), &generic(announces_iss), now);

        assert_eq!(refused.err(), Some(broken_rule), "{response:?}");
    }
}
