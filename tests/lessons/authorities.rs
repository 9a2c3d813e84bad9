//! Which hosts are asked, and which domains lead to them.

use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::TcpListener,
    sync::Arc,
    thread,
    time::Duration,
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use portico::{
    domain::connector::{ConnectorKind, LinkByUserName},
    oidc::authority::{Authority, AuthorityError, TrustedHosts},
    outbound::https::Https,
    simulator::{Person, PersonSeed},
};
use rustls::{ServerConfig, ServerConnection, Stream, pki_types::PrivatePkcs8KeyDer};

use crate::{
    scene::{acme_with_ada, assert_signed_in},
    support::{Ask, Directory, Organization, Service, Terms},
    who::is_signed_in,
};

/// A certificate for localhost that signs itself, and its key; both for one test alone.
const CERTIFICATE: &str = "\
    MIIBlTCCATugAwIBAgIUMwtOWKvJubP1TBF4kAds2e99zZowCgYIKoZIzj0EAwIwFDESMBAGA1UEAwwJbG9jYWxob3N0\
    MCAXDTI2MTEyMjAwNDkxNloYDzIxMjYxMDI5MDA0OTE2WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIB\
    BggqhkjOPQMBBwNCAAT185WJhk7EICOcsAs4lcTXdiMGUzdYZ90k0/zS9LVv8qJydIyAdzMiqbI+tQbqxj4xNvJBQ09E\
    y7yGP1xCnjwzo2kwZzAdBgNVHQ4EFgQUpiZ5SkQ5m0J8jzzqyV50EA8ANv8wHwYDVR0jBBgwFoAUpiZ5SkQ5m0J8jzzq\
    yV50EA8ANv8wDwYDVR0TAQH/BAUwAwEB/zAUBgNVHREEDTALgglsb2NhbGhvc3QwCgYIKoZIzj0EAwIDSAAwRQIhANib\
    uygLoySqsJfmT41Aw/ALx2AY/BcdtmVP4iSXyh2YAiB7mRNqAGwPO+UKtGx/QlnDEYXIITh1znJSPgR2KulW+w==";
const KEY: &str = "\
    MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg95uNVp2gOacW2JMpaUyIvPey38j781C75cGKJSg1Kuih\
    RANCAAT185WJhk7EICOcsAs4lcTXdiMGUzdYZ90k0/zS9LVv8qJydIyAdzMiqbI+tQbqxj4xNvJBQ09Ey7yGP1xCnjwz";

/// A listener, and its port.
fn listener() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

/// Whether nobody has knocked there.
fn is_untouched(listener: &TcpListener) -> bool {
    listener.set_nonblocking(true).unwrap();
    listener.accept().is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
}

fn get(address: &str) -> http::Request<Vec<u8>> {
    http::Request::get(address).body(Vec::new()).unwrap()
}

/// Where the e-mail box sends somebody who types this.
async fn leads_to(service: &Service, typed: &str) -> Option<String> {
    let query = serde_urlencoded::to_string([("login_hint", typed)]).unwrap();
    service.ask(Ask::get(format!("/login?{query}"))).await.location()
}

/// Entra's authority of a tenant at this host, as an admin pastes it.
fn at(host: &str) -> Result<Authority, AuthorityError> {
    let pasted = format!("https://{host}/contoso.example");
    Authority::parse(ConnectorKind::AzureAd, &pasted, &TrustedHosts::default())
}

/// L17, CVE-2026-1180 and CVE-2026-4366: a customer's address made the server call its own network.
#[tokio::test]
async fn neither_an_address_nor_a_redirect_leads_into_the_network_behind_us() {
    let (service, acme, ada) = acme_with_ada().await;
    let (inside, port) = listener();

    for host in [
        format!("127.0.0.1:{port}"),
        format!("localhost:{port}"),
        format!("127.1:{port}"),
        format!("2130706433:{port}"),
        format!("0x7f000001:{port}"),
        format!("0177.0.0.1:{port}"),
        format!("[::1]:{port}"),
        format!("[::ffff:127.0.0.1]:{port}"),
        format!("0.0.0.0:{port}"),
        "169.254.169.254".to_owned(),
        "10.0.0.1".to_owned(),
    ] {
        for scheme in ["https", "http"] {
            let pasted = format!("{scheme}://{host}");
            let authority = pasted.clone();
            let change = service.change_connector(&acme, |connector| {
                connector.kind = ConnectorKind::Oidc;
                connector.authority = authority;
            });
            change.await;
            let mut browser = service.browser();

            let page = browser.sign_in(&acme, &ada).await;

            assert_eq!(page.status, 502, "{pasted}: {}", page.text());
        }
    }
    let (outside, outside_port) = listener();
    let redirect = format!("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:{port}/\r\n\r\n");
    let redirects = thread::spawn(move || {
        let (mut connection, _) = outside.accept().unwrap();
        let read = connection.read(&mut [0; 4096]).unwrap();
        connection.write_all(redirect.as_bytes()).unwrap();
        read
    });
    let pairs = [format!("127.0.0.1:{outside_port}"), format!("127.0.0.1:{port}")];
    let trusted = TrustedHosts::with_configured(pairs.iter().map(String::as_str)).unwrap();
    let https = Https::new(trusted);
    let asked = get(&format!("http://127.0.0.1:{outside_port}/"));
    let answer = https.door(ConnectorKind::Oidc, 1024).send(asked).await.unwrap();

    assert_eq!(answer.status(), 302);
    assert!(redirects.join().unwrap() > 0 && is_untouched(&inside));
}

/// L21, CVE-2026-40574: of two @ in an address, the check took one and the mail took the other.
#[tokio::test]
async fn an_address_with_two_domains_belongs_to_neither() {
    let service = Service::start().await;
    service.organization("acme").await;
    service.organization("globex").await;

    for typed in [
        "a@globex.example@acme.example",
        "a@acme.example@globex.example",
        "\"a@globex.example\"@acme.example",
        "a@acme.example,b@globex.example",
        "a@acme.example b@globex.example",
        "a@acme.example;",
        "a@acme.example>",
        "a@acme.example\0@globex.example",
        "a@acme.example%40globex.example",
        "a@acme.example\r\nBcc: b@globex.example",
        "@acme.example",
        "a@@acme.example",
    ] {
        assert_eq!(leads_to(&service, typed).await, None, "{typed:?}");
    }
    assert!(leads_to(&service, "a@acme.example").await.is_some());
}

/// L37, `mod_auth_openidc` 2026: a host counted as trusted because it ended like a trusted one.
#[tokio::test]
async fn a_host_or_domain_that_ends_or_begins_like_a_known_one_is_another() {
    let service = Service::start().await;
    service.organization("acme").await;

    for host in [
        "evil-login.microsoftonline.com",
        "evillogin.microsoftonline.com",
        "login.microsoftonline.com.evil.example",
        "login.microsoftonline.com-evil.example",
        "login.microsoftonline.co",
        "microsoftonline.com",
        "x.login.microsoftonline.com",
        "loginxmicrosoftonline.com",
        "evilciamlogin.com",
        "a.b.ciamlogin.com",
        ".ciamlogin.com",
        "ciamlogin.com",
        "contoso.ciamlogin.com.evil.example",
    ] {
        assert_eq!(at(host), Err(AuthorityError::UnknownHost(host.to_owned())), "{host}");
    }
    assert!(at("login.microsoftonline.com").is_ok() && at("contoso.ciamlogin.com").is_ok());
    for domain in [
        "evil-acme.example",
        "evilacme.example",
        "sub.acme.example",
        "acme.example.evil.example",
        "acme.exampl",
        "acme.example.",
        ".acme.example",
        "acme_example",
    ] {
        assert_eq!(leads_to(&service, &format!("a@{domain}")).await, None, "{domain}");
    }
}

/// L55, GHSA-7rqj-j65f-68wh: an address was checked as typed and used as Unicode makes it.
#[tokio::test]
async fn letters_and_dots_that_unicode_makes_equal_to_ours_are_none_of_ours() {
    let service = Service::start().await;
    let acme = service.organization_under("acme", Terms::by_user_name(LinkByUserName::Allow)).await;

    for typed in [
        "a@acme\u{3002}example",
        "a@acme\u{ff0e}example",
        "a@acme\u{2024}example",
        "a@\u{ff41}cme.example",
        "a@\u{212b}cme.example",
        "a@acm\u{0435}.example",
        "a@acm\u{65}\u{301}.example",
        "a@ac\u{ad}me.example",
        "a@ac\u{200b}me.example",
        "a@\u{202e}acme.example",
        "a\u{ff20}acme.example",
        "a\u{fe6b}acme.example",
        "a@evil.example\u{ff20}acme.example",
    ] {
        assert_eq!(leads_to(&service, typed).await, None, "{typed:?}");
    }
    for (host, odd) in [
        ("login\u{3002}microsoftonline.com", '\u{3002}'),
        ("login.microsoftonline\u{ff0e}com", '\u{ff0e}'),
        ("\u{ff4c}ogin.microsoftonline.com", '\u{ff4c}'),
        ("login.micro\u{17f}oftonline.com", '\u{17f}'),
        ("login.microsoft\u{ad}online.com", '\u{ad}'),
        ("login.m\u{0456}crosoftonline.com", '\u{0456}'),
        ("evil.example\u{2044}login.microsoftonline.com", '\u{2044}'),
    ] {
        assert_eq!(at(host), Err(AuthorityError::Character(odd)), "{host}");
    }
    assert!(leads_to(&service, "A@ACME.Example").await.is_some());
    acme.scim().create(&Directory::user("kim@acme.example")).await;
    for name in ["\u{212a}im@acme.example", "\u{ff4b}im@acme.example", "KIM@ACME.example"] {
        let page = service.browser().sign_in(&acme, &person_called(&acme, name)).await;
        assert_eq!(page.status, if name.is_ascii() { 200 } else { 403 }, "{name}: {}", page.text());
    }
}

fn person_called(organization: &Organization, name: &str) -> Person {
    organization.has(PersonSeed::new("Kim Example", name), &["User"])
}

/// L63, CVE-2026-31923: a server's certificate was not checked unless somebody asked for it.
#[tokio::test]
async fn a_server_that_vouches_for_itself_is_told_nothing() {
    portico::app::install_crypto_provider();
    let (server, port) = listener();
    let bytes = |text: &str| BASE64_STANDARD.decode(text).unwrap();
    let key = PrivatePkcs8KeyDer::from(bytes(KEY)).into();
    let config = ServerConfig::builder().with_no_client_auth();
    let config = config.with_single_cert(vec![bytes(CERTIFICATE).into()], key).unwrap();
    let heard = thread::spawn(move || {
        let (mut socket, _) = server.accept().unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let mut connection = ServerConnection::new(Arc::new(config)).unwrap();
        Stream::new(&mut connection, &mut socket).read(&mut [0; 64]).unwrap_or_default()
    });
    let pair = format!("localhost:{port}");
    let https = Https::new(TrustedHosts::with_configured([pair.as_str()]).unwrap());

    let asked = get(&format!("https://{pair}/"));
    let answer = https.door(ConnectorKind::Oidc, 1024).send(asked).await;

    let refusal = answer.unwrap_err().to_string();
    assert!(refusal.contains("certificate"), "{refusal}");
    assert_eq!(heard.join().unwrap(), 0, "bytes of the request that arrived");
}

/// L69, RUSTSEC-2024-0421: a name in Punycode that stands for plain ASCII equalled that name.
#[tokio::test]
async fn a_name_in_punycode_is_never_the_plain_name() {
    let (service, acme, ada) = acme_with_ada().await;

    for host in [
        "xn--login-.microsoftonline.com",
        "login.xn--microsoftonline-.com",
        "login.microsoftonline.xn--com-",
        "xn--login.microsoftonline.com",
        "XN--LOGIN-.microsoftonline.com",
        "xn--lgin-jua.microsoftonline.com",
    ] {
        assert!(matches!(at(host), Err(AuthorityError::UnknownHost(_))), "{host}");
    }
    for typed in ["a@xn--acme-.example", "a@acme.xn--example-", "a@xn--acm-epa.example"] {
        assert_eq!(leads_to(&service, typed).await, None, "{typed}");
    }
    let port = service.entra().address().port();
    for host in ["xn--127-.0.0.1", "127.0.0.xn--1-", "xn--localhost-"] {
        let authority = format!("http://{host}:{port}/{}", acme.tenant.id());
        service.change_connector(&acme, |connector| connector.authority = authority).await;
        let mut browser = service.browser();

        let page = browser.sign_in(&acme, &ada).await;

        assert_eq!(page.status, 502, "{host}: {}", page.text());
        assert!(!is_signed_in(&mut browser).await, "{host}");
    }
    let authority = acme.tenant.authority();
    service.change_connector(&acme, |connector| connector.authority = authority).await;
    assert_signed_in(&service, &service.browser().sign_in(&acme, &ada).await);
}
