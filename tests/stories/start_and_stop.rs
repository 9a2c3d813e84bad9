//! The service starts, says how it is, and stops.

use std::os::unix::fs::PermissionsExt as _;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::support::{Ask, Installation, LOGIN, Service, stderr};

#[tokio::test]
async fn a_running_service_is_live_and_ready() {
    let service = Service::start().await;

    for (address, status) in [("/health/live", "live"), ("/health/ready", "ready")] {
        let answer = service.ask(Ask::get(address)).await;

        assert_eq!((answer.status, &answer.json()["status"]), (200, &status.into()));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
}

#[tokio::test]
async fn the_front_door_leads_to_sign_in() {
    let service = Service::start().await;

    let page = service.browser().open("/").await;

    assert_eq!((page.status, page.url.clone()), (200, format!("{}/login", service.origin)));
    assert_eq!(page.heading(), "Sign in");
}

#[tokio::test]
async fn an_address_that_is_not_there_is_a_page_that_says_so() {
    let service = Service::start().await;

    for address in
        ["/nothing", "/login/", "/login/a/b", "/session/", "/.env", "/%00", "/..%2f..%2f"]
    {
        let page = service.browser().open(address).await;

        assert_eq!(page.status, 404, "{address}");
        let known = ["There is nothing here", "We don’t know that organization"];
        assert!(known.contains(&page.heading().as_str()), "{address}: {}", page.body);
    }
}

#[tokio::test]
async fn a_method_that_an_address_does_not_take_is_a_405() {
    let service = Service::start().await;

    for address in
        ["/", "/login", "/session", "/logout/done", "/.well-known/jwks.json", "/auth/check"]
    {
        assert_eq!(service.ask(Ask::post(address)).await.status, 405, "{address}");
    }
}

#[tokio::test]
async fn every_page_protects_whoever_reads_it() {
    let service = Service::start().await;

    for address in ["/login", "/login/nobody", "/nothing", "/logout/done", "/session"] {
        let answer = service.ask(Ask::get(address)).await;

        let policy = answer.header("content-security-policy").unwrap_or_default();
        assert!(policy.contains("default-src 'none'"), "{address}: {policy}");
        assert!(policy.contains("frame-ancestors 'none'"), "{address}: {policy}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{address}");
        assert_eq!(answer.header("referrer-policy").map(str::is_empty), Some(false), "{address}");
        assert!(answer.headers.contains_key("x-request-id"), "{address}");
    }
}

#[tokio::test]
async fn a_page_loads_its_own_stylesheet_and_nothing_else() {
    let service = Service::start().await;
    let page = service.browser().open("/login").await;
    let (_, after) = page.body.split_once(r#"<link rel="stylesheet" href=""#).unwrap();
    let path = after.split('"').next().unwrap();

    let style = service.ask(Ask::get(path)).await;

    assert_eq!(style.status, 200);
    assert!(style.header("content-type").unwrap().starts_with("text/css"));
    assert!(!page.body.contains("://"), "{}", page.body);
}

#[tokio::test]
async fn a_request_in_flight_is_finished_before_the_service_stops() {
    let installation = Installation::new("");
    let process = installation.serve().await;
    let address = installation.origin.strip_prefix("http://localhost:").unwrap();
    let mut connection = TcpStream::connect(format!("127.0.0.1:{address}")).await.unwrap();
    let path = "/oidc/018f0000-0000-7000-8000-000000000000/callback";
    let login = format!("{LOGIN}={}", "a".repeat(43));
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\ncookie: {login}\r\ncontent-length: 12\r\n\
         connection: close\r\nexpect: 100-continue\r\n\r\n"
    );
    connection.write_all(head.as_bytes()).await.unwrap();
    let mut go_on = [0; 25];
    connection.read_exact(&mut go_on).await.unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");

    process.terminate();
    installation.is_closed().await;
    connection.write_all(b"state=abcdef").await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();

    assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
    assert_eq!(process.ended().await, Some(0));
}

#[tokio::test]
async fn a_second_service_on_the_same_database_is_refused() {
    let installation = Installation::new("");
    let _process = installation.serve().await;

    let second = installation.run(&["serve", "--listen", "127.0.0.1:0"]).await;

    assert_eq!(second.status.code(), Some(1));
    let said = stderr(&second);
    assert!(said.contains("is in use by another running Portico; stop that one first"), "{said}");
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() {
    let installation = Installation::new("");
    let _process = installation.serve().await;
    let address = installation.origin.replace("http://localhost", "127.0.0.1");

    let second = installation.run(&["serve"]).await;

    assert_eq!(second.status.code(), Some(1));
    let said = stderr(&second);
    assert!(said.contains(&format!("can't listen on {address}")), "{said}");
}

#[tokio::test]
async fn what_the_service_makes_is_its_owners_alone() {
    let installation = Installation::new("");

    installation.succeed(&["migrate"]).await;

    for name in ["data/portico.db", "data/master.key"] {
        let mode = installation.path(name).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{name} has {mode:o}");
    }
}

#[tokio::test]
async fn a_database_whose_key_is_lost_or_exchanged_is_not_touched() {
    let installation = Installation::new("");
    installation.succeed(&["migrate"]).await;
    let key = installation.path("data/master.key");
    let exchanged = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    std::fs::remove_file(&key).unwrap();
    let lost = installation.run(&["migrate"]).await;
    let made_anew = key.exists();
    let mut command = installation.command(&["migrate"]);
    let other = command.env("PORTICO_MASTER_KEY__VALUE", exchanged).output().await.unwrap();

    for output in [&lost, &other] {
        assert_eq!(output.status.code(), Some(1));
        assert!(stderr(output).contains("key"), "{}", stderr(output));
    }
    assert!(!made_anew);
}

#[tokio::test]
async fn a_connector_that_moved_as_the_service_broke_off_has_signed_its_people_out() {
    let mut service = Service::start().await;
    let acme = service.organization("acme").await;
    let ada = acme.has_person("ada", &["Admin"]);
    acme.provision().await;
    let mut browser = service.browser();
    browser.sign_in(&acme, &ada).await;
    let other = "https://login.microsoftonline.com/other.example/v2.0";

    // The commit alone: nobody is left to tell the sessions.
    service.change_connector(&acme, |connector| connector.authority = other.into()).await;
    service.restart().await;

    assert_eq!(browser.ask(Ask::get("/session")).await.status, 401);
}
