use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use super::*;
use crate::{
    domain::{
        access_role::RoleTable,
        connector::{ClientAuthentication, LinkByUserName, RoleSource, ScimCredentials},
        id::OrganizationId,
        provisioning_policy::ProvisioningPolicy,
        secret::Secret,
    },
    oidc::{
        authority::DiscoveryError, authorization_request::AuthorizationRequest,
        authorization_response::AuthorizationResponse,
    },
};

const NOON: Timestamp = Timestamp::constant(1_795_348_800, 0);
const TENANT: &str = "11111111-2222-3333-4444-555555555555";

/// An authority on loopback that answers each path as told and keeps what it was asked.
struct LoopbackAuthority {
    address: String,
    asked: Arc<Mutex<Vec<String>>>,
}

type Answers = Arc<dyn Fn(&str, &str) -> (u16, &'static str, String) + Send + Sync>;

impl LoopbackAuthority {
    /// Answers by the rules of `answers`: address and path to status, content type and body.
    async fn start(
        answers: impl Fn(&str, &str) -> (u16, &'static str, String) + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (answers, heard): (Answers, _) = (Arc::new(answers), Arc::clone(&asked));
        let own_address = address.clone();
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let (answers, heard) = (Arc::clone(&answers), Arc::clone(&heard));
                tokio::spawn(serve(connection, own_address.clone(), answers, heard));
            }
        });
        Self { address, asked }
    }

    fn client(&self) -> (AuthorityClient, Clock) {
        let clock = Clock::stopped_at(NOON);
        let trusted = TrustedHosts::with_configured([self.address.as_str()]).unwrap();
        (AuthorityClient::new(trusted, clock.clone()), clock)
    }

    fn connector(&self) -> Connector {
        Connector {
            organization_id: OrganizationId::generate(),
            id: ConnectorId::generate(),
            kind: ConnectorKind::AzureAd,
            enabled: true,
            authority: format!("http://{}/{TENANT}", self.address),
            client_id: "client id".into(),
            client_authentication: ClientAuthentication::SecretPost(Secret::new("s3cret&")),
            role_source: RoleSource::Token,
            role_claim: "roles".into(),
            role_table: RoleTable::default(),
            link_by_user_name: LinkByUserName::Ask,
            scim: ScimCredentials { user_name: "scim".into(), credentials: vec![] },
            provisioning: ProvisioningPolicy::default(),
            created_at: NOON,
        }
    }

    /// The requests so far, whole.
    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// The targets of the requests so far.
    fn targets(&self) -> Vec<String> {
        let target = |request: &String| request.split(' ').nth(1).unwrap().to_owned();
        self.asked().iter().map(target).collect()
    }
}

async fn serve(
    mut connection: TcpStream,
    address: String,
    answers: Answers,
    heard: Arc<Mutex<Vec<String>>>,
) {
    let Some(request) = read_request(&mut connection).await else { return };
    let target = request.split(' ').nth(1).unwrap_or_default().to_owned();
    heard.lock().unwrap().push(request);
    let (status, content_type, body) = answers(&address, &target);
    let start = format!(
        "HTTP/1.1 {status} X\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\
         Location: http://{address}/elsewhere\r\nConnection: close\r\n\r\n",
        body.len()
    );
    let _ = connection.write_all(format!("{start}{body}").as_bytes()).await;
}

async fn read_request(connection: &mut TcpStream) -> Option<String> {
    let mut request = Vec::new();
    loop {
        let mut chunk = [0; 4096];
        let read = connection.read(&mut chunk).await.ok().filter(|read| *read > 0)?;
        request.extend_from_slice(&chunk[..read]);
        let text = String::from_utf8_lossy(&request).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| {
            line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok()
        });
        if body.len() >= length.unwrap_or(0) {
            return Some(text);
        }
    }
}

fn document(address: &str) -> String {
    let origin = format!("http://{address}/{TENANT}");
    serde_json::json!({
        "issuer": format!("{origin}/v2.0"),
        "authorization_endpoint": format!("{origin}/oauth2/v2.0/authorize"),
        "token_endpoint": format!("{origin}/oauth2/v2.0/token"),
        "jwks_uri": format!("{origin}/keys"),
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code"],
    })
    .to_string()
}

/// A key of the right shape; nothing is signed with it.
fn jwks(kid: &str) -> String {
    let n = "gAAA".repeat(85) + "gQ";
    format!(r#"{{"keys":[{{"kty":"RSA","kid":"{kid}","n":"{n}","e":"AQAB"}}]}}"#)
}

fn as_usual(address: &str, target: &str) -> (u16, &'static str, String) {
    const JSON: &str = "application/json; charset=utf-8";
    match target.rsplit('/').next().unwrap_or_default() {
        "openid-configuration" => (200, JSON, document(address)),
        "keys" => (200, JSON, jwks("k1")),
        "keys?appid=client+id" => (200, JSON, jwks("own")),
        "token" => {
            (200, JSON, r#"{"token_type":"Bearer","access_token":"a","id_token":"i"}"#.into())
        }
        _ => (404, "text/html", String::new()),
    }
}

/// A code as an accepted answer brings it.
fn accepted(provider: &Provider) -> AcceptedCode {
    let request = AuthorizationRequest::new("https://portico.example/oidc/1/callback", None, NOON);
    let response = AuthorizationResponse {
        code: Some(Secret::new("the+code")),
        state: Some(request.state.clone()),
        ..AuthorizationResponse::default()
    };
    request.accept(response, provider, NOON).unwrap()
}

#[tokio::test]
async fn discovery_and_keys_are_asked_for_once() {
    let authority = LoopbackAuthority::start(as_usual).await;
    let ((client, clock), connector) = (authority.client(), authority.connector());

    for _ in 0..3 {
        let provider = client.provider(&connector).await.unwrap();
        let keys = client.keys(&connector, &provider).await.unwrap();
        assert_eq!((provider.tenant_id(), keys.usable()), (Some(TENANT), 1));
        clock.advance(SignedDuration::from_mins(19));
    }

    assert_eq!(
        authority.targets(),
        [format!("/{TENANT}/v2.0/.well-known/openid-configuration"), format!("/{TENANT}/keys")]
    );
}

#[tokio::test]
async fn another_authority_in_the_same_connector_is_discovered_anew() {
    let authority = LoopbackAuthority::start(as_usual).await;
    let ((client, _), mut connector) = (authority.client(), authority.connector());
    client.provider(&connector).await.unwrap();

    connector.authority = connector.authority.replace("1111", "9999");
    let refused = client.provider(&connector).await.unwrap_err();

    assert!(matches!(refused, AuthorityFailure::Discovery(DiscoveryError::Issuer { .. })));
}

#[tokio::test]
async fn an_applications_own_keys_are_looked_for_when_a_key_is_unknown() {
    let authority = LoopbackAuthority::start(as_usual).await;
    let ((client, _), connector) = (authority.client(), authority.connector());
    let provider = client.provider(&connector).await.unwrap();

    let keys = client.refetched_keys(&connector, &provider, Some("own")).await.unwrap();

    assert!(keys.has(Some("own")));
    assert_eq!(
        authority.targets()[1..],
        [format!("/{TENANT}/keys"), format!("/{TENANT}/keys?appid=client+id")]
    );
}

#[tokio::test]
async fn an_authority_that_answers_as_none_does_is_unreachable() {
    let long = || "x".repeat(LONGEST_DOCUMENT + 1);
    let answers: [(u16, &str, String, &str); 4] = [
        (302, "text/html", String::new(), "the server answered 302 Found"),
        (404, "application/json", "{}".into(), "the server answered 404 Not Found"),
        (503, "text/html", "busy".into(), "the server answered 503 Service Unavailable"),
        (200, "application/json", long(), "the answer is longer than 262144 bytes"),
    ];

    for (status, content_type, body, expected) in answers {
        let authority =
            LoopbackAuthority::start(move |_, _| (status, content_type, body.clone())).await;
        let ((client, _), connector) = (authority.client(), authority.connector());

        let failure = client.provider(&connector).await.unwrap_err();

        let AuthorityFailure::Unreachable { cause, .. } = failure else { panic!("{failure}") };
        assert_eq!(cause, expected);
        assert_eq!(authority.asked().len(), 1, "a redirect is not followed");
    }
}

#[tokio::test]
async fn nobody_listening_is_named_as_such() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    let authority = LoopbackAuthority { address, asked: Arc::default() };

    let failure = authority.client().0.provider(&authority.connector()).await.unwrap_err();

    assert!(failure.to_string().starts_with(&format!("GET http://{}", authority.address)));
    assert!(failure.to_string().contains("refused"), "{failure}");
}

#[tokio::test]
async fn the_client_proves_itself_as_the_connector_says() {
    let authority = LoopbackAuthority::start(as_usual).await;
    let ((client, _), mut connector) = (authority.client(), authority.connector());
    let secret = || Secret::new("s3cret&");
    let methods = [
        (
            ClientAuthentication::SecretPost(secret()),
            "client_id=client+id&client_secret=s3cret%26",
            None,
        ),
        // RFC 6749 §2.3.1: both parts form-urlencoded, then "client+id:s3cret%26" in base64.
        (ClientAuthentication::SecretBasic(secret()), "", Some("Y2xpZW50K2lkOnMzY3JldCUyNg==")),
        (ClientAuthentication::Public, "client_id=client+id", None),
    ];

    for (method, in_body, basic) in methods {
        connector.client_authentication = method;
        let provider = client.provider(&connector).await.unwrap();
        let code = accepted(&provider);
        let verifier = code.code_verifier().expose().to_owned();

        let tokens = client.redeem(&connector, &provider, code).await.unwrap();

        assert_eq!(tokens.id_token, Secret::new("i"));
        let request = authority.asked().pop().unwrap();
        let (head, body) = request.split_once("\r\n\r\n").unwrap();
        let sent: HashMap<_, _> =
            url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
        assert_eq!(sent["grant_type"], "authorization_code");
        assert_eq!((sent["code"].as_str(), &sent["code_verifier"]), ("the+code", &verifier));
        assert_eq!(sent["redirect_uri"], "https://portico.example/oidc/1/callback");
        assert!(body.contains(in_body), "{body}");
        assert_eq!(sent.contains_key("client_secret"), in_body.contains("secret"));
        let header = basic.map(|basic| format!("authorization: Basic {basic}"));
        assert_eq!(head.lines().find(|line| line.starts_with("authorization")), header.as_deref());
        assert!(!head.to_ascii_lowercase().contains("origin:"), "Entra ID refuses it");
    }
}

#[tokio::test]
async fn a_refused_code_says_why_and_shows_no_secret() {
    type Says = fn(&RedeemFailure) -> bool;
    let answers: [(u16, &str, &str, Says); 4] = [
        (
            401,
            "application/json",
            r#"{"error":"invalid_client","error_description":"AADSTS7000222: expired"}"#,
            |f| matches!(f, RedeemFailure::Refused(refusal) if refusal.aadsts == Some(7_000_222)),
        ),
        (503, "text/html", "busy", |f| matches!(f, RedeemFailure::Unreachable(_))),
        (400, "text/html", "<b>s3cret&</b>", |f| matches!(f, RedeemFailure::Answer(_))),
        (200, "application/json", r#"{"access_token":"s3cret&"}"#, |f| {
            matches!(f, RedeemFailure::Answer(TokenError::Malformed))
        }),
    ];

    for (status, content_type, body, expected) in answers {
        let authority = LoopbackAuthority::start(move |address, target| {
            if target.ends_with("token") {
                (status, content_type, body.to_owned())
            } else {
                as_usual(address, target)
            }
        })
        .await;
        let ((client, _), connector) = (authority.client(), authority.connector());
        let provider = client.provider(&connector).await.unwrap();

        let failure = client.redeem(&connector, &provider, accepted(&provider)).await.unwrap_err();

        assert!(expected(&failure), "{failure:?}");
        let shown = format!("{failure} {failure:?}");
        assert!(!shown.contains("s3cret") && !shown.contains("the+code"), "{shown}");
    }
}
