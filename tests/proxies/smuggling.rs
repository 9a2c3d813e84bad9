//! What is read as one request is checked as one request, and a connection never becomes a tunnel
//! past the check.

use crate::{application::Seen, proxy::Kind, scene::Scene, wire::Request};

tell_of_every_proxy! {
    no_client_gets_a_tunnel_of_http2
    no_client_gets_a_tunnel_by_connect
    a_request_hidden_in_a_body_reaches_nobody
    what_stands_behind_a_body_is_no_header
    an_old_version_is_asked_about_like_any_other
}

/// A request of an admin's page, as nobody may make it.
const HIDDEN: &str = "GET /admin/hidden HTTP/1.1\r\nHost: localhost\r\n\
                      X-Portico-Role: EnterpriseAdmin\r\nContent-Length: 0\r\n\r\n";

async fn no_client_gets_a_tunnel_of_http2(kind: Kind) {
    let scene = Scene::start(kind).await;
    let ada = scene.session_of(&scene.ada).await;

    for (path, session) in [("/public/news", "a=b"), ("/reports", &ada), ("/login", &ada)] {
        for upgrade in [
            &["h2c"][..],
            &["H2C"],
            &["h2"],
            &["h2c, websocket"],
            &["websocket, h2c"],
            &["websocket,h2c"],
            &["websocket h2c"],
            &["h2c", "h2c"],
            &["websocket", "h2c"],
            &["h2c", "websocket"],
        ] {
            let asked = Request::get(path)
                .header("Cookie", session)
                .header("Connection", "Upgrade, HTTP2-Settings")
                .header("HTTP2-Settings", "AAMAAABkAARAAAAAAAIAAAAA");
            let asked = upgrade.iter().fold(asked, |asked, one| asked.header("Upgrade", *one));
            let (reply, _) = asked.upgrade(scene.port).await;
            let seen = scene.application.take_seen();

            let shown = format!("{upgrade:?} at {path}: {reply:?}, {seen:?}");
            let told = |name| seen.iter().flat_map(|seen| seen.values(name)).collect::<Vec<_>>();
            assert_eq!(told("http2-settings"), [""; 0], "{shown}");
            // Whoever names the WebSocket in a line of its own may get one, and nothing else.
            let websocket = told("upgrade") == ["websocket"] && upgrade.contains(&"websocket");
            assert!(websocket || told("upgrade").is_empty(), "{shown}");
            assert!(websocket || reply.status != 101, "{shown}");
        }
    }
}

async fn no_client_gets_a_tunnel_by_connect(kind: Kind) {
    let scene = Scene::start(kind).await;
    let bob = scene.session_of(&scene.bob).await;
    let own = format!("localhost:{}", scene.port);

    for target in [own.as_str(), "localhost:443", "/public/news", "/reports", "*"] {
        for session in ["a=b", &bob] {
            let asked = Request::new("CONNECT", target).header("Cookie", session);
            let reply = asked.raw_body(HIDDEN).try_send(scene.port).await;

            let seen = scene.application.take_seen();
            assert!(seen.is_empty(), "{target}: {reply:?}, {seen:?}");
        }
    }
}

async fn a_request_hidden_in_a_body_reaches_nobody(kind: Kind) {
    let scene = Scene::start(kind).await;
    let chunked = format!("0\r\n\r\n{HIDDEN}");
    let one_chunk = format!("{:x}\r\n{HIDDEN}\r\n0\r\n\r\n", HIDDEN.len());
    let all = chunked.len().to_string();

    for (version, headers, body) in [
        (
            "HTTP/1.1",
            vec![("Content-Length", all.as_str()), ("Transfer-Encoding", "chunked")],
            &chunked,
        ),
        ("HTTP/1.1", vec![("Transfer-Encoding", "chunked"), ("Content-Length", "4")], &one_chunk),
        ("HTTP/1.0", vec![("Transfer-Encoding", "chunked"), ("Content-Length", "4")], &one_chunk),
        ("HTTP/1.0", vec![("Transfer-Encoding", "chunked")], &chunked),
        ("HTTP/1.1", vec![("Content-Length", "0"), ("Content-Length", &all)], &chunked),
        ("HTTP/1.1", vec![("Content-Length", &all), ("Content-Length", "0")], &chunked),
        ("HTTP/1.1", vec![("Content-Length", "5, 0")], &chunked),
        ("HTTP/1.1", vec![("Content-Length", "+5")], &chunked),
        ("HTTP/1.1", vec![("Content-Length", "0x5")], &chunked),
        ("HTTP/1.1", vec![("Content-Length", "-1")], &chunked),
        ("HTTP/1.1", vec![("Content-Length", &all), ("Transfer-Encoding", "xchunked")], &chunked),
        ("HTTP/1.1", vec![("Content-Length", &all), ("Transfer-Encoding", "identity")], &chunked),
        (
            "HTTP/1.1",
            vec![("Content-Length", &all), ("Transfer-Encoding", "\u{b}chunked")],
            &chunked,
        ),
        ("HTTP/1.1", vec![("Content-Length", &all), ("Transfer-Encoding", "chunked, x")], &chunked),
        ("HTTP/1.1", vec![("Content-Length", &all), ("Transfer-Encoding ", "chunked")], &chunked),
        (
            "HTTP/1.1",
            vec![
                ("Content-Length", &all),
                ("Transfer-Encoding", "x"),
                ("Transfer-Encoding", "chunked"),
            ],
            &chunked,
        ),
        (
            "HTTP/1.1",
            vec![("Content-Length", &all), ("Connection", "close, Content-Length")],
            &chunked,
        ),
        (
            "HTTP/1.1",
            vec![("Transfer-Encoding", "chunked"), ("Connection", "close, Transfer-Encoding")],
            &chunked,
        ),
        (
            "HTTP/1.1",
            vec![("X-Other: x\nTransfer-Encoding", "chunked"), ("Content-Length", &all)],
            &chunked,
        ),
    ] {
        for path in ["/public/news", "/reports"] {
            let asked = Request::new("POST", path).version(version).raw_body(body.as_str());
            let asked =
                headers.iter().fold(asked, |asked, (name, value)| asked.header(name, *value));
            let reply = asked.try_send(scene.port).await;

            let seen = scene.application.take_seen();
            let shown = format!("{version} {headers:?} at {path}: {reply:?}, {seen:?}");
            assert!(seen.iter().all(|seen| seen.target == "/public/news"), "{shown}");
            assert!(seen.iter().all(is_read_in_one_way), "{shown}");
            assert!(reply.is_none_or(|reply| reply.status != 500), "{shown}");
        }
    }
}

/// Whether a request says once, and so that everybody reads it alike, where its body ends.
fn is_read_in_one_way(seen: &Seen) -> bool {
    let lengths = seen.values("content-length");
    match (lengths.as_slice(), seen.values("transfer-encoding").as_slice()) {
        ([], []) => seen.body.is_empty(),
        ([length], []) => *length == seen.body.len().to_string(),
        ([], [encoding]) => encoding.eq_ignore_ascii_case("chunked"),
        _ => false,
    }
}

async fn what_stands_behind_a_body_is_no_header(kind: Kind) {
    let scene = Scene::start(kind).await;
    let bob = scene.session_of(&scene.bob).await;

    for (path, role) in [("/public/news", &[][..]), ("/reports", &["ReadOnly"])] {
        let asked = Request::new("POST", path)
            .header("Cookie", bob.as_str())
            .header("TE", "trailers")
            .header("Trailer", "X-Portico-Role")
            .header("Transfer-Encoding", "chunked")
            .raw_body("1\r\nx\r\n0\r\nX-Portico-Role: EnterpriseAdmin\r\n\r\n");
        let reply = asked.send(scene.port).await;

        let seen = scene.application.take_one();
        assert_eq!((reply.status, seen.values("x-portico-role").as_slice()), (200, role), "{path}");
        // HAProxy passes it on, behind the body, where nobody looks for headers.
        let behind = seen.body.ends_with(b"EnterpriseAdmin\r\n\r\n");
        assert_eq!(behind, kind == Kind::Haproxy, "{path}: {seen:?}");
    }
}

async fn an_old_version_is_asked_about_like_any_other(kind: Kind) {
    let scene = Scene::start(kind).await;
    let bob = scene.session_of(&scene.bob).await;

    for version in ["HTTP/1.0", "HTTP/0.9", "HTTP/1.2", "HTTP/2.0", "http/1.1", ""] {
        for session in ["a=b", &bob] {
            let asked = Request::get("/admin/people").version(version);
            let asked = asked.header("Cookie", session).header("X-Portico-Role", "EnterpriseAdmin");
            let reply = asked.try_send(scene.port).await;

            let seen = scene.application.take_seen();
            assert!(seen.is_empty(), "{version:?}: {reply:?}, {seen:?}");
        }
        let public = Request::get("/public/news").version(version);
        public.header("X-Portico-Role", "EnterpriseAdmin").try_send(scene.port).await;
        let seen = scene.application.take_seen();
        assert!(seen.iter().all(|seen| seen.identity().is_empty()), "{version:?}: {seen:?}");
    }
}
