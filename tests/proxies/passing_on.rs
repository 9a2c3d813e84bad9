//! What is let in arrives whole: bodies, and connections that stay open.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::{proxy::Kind, scene::Scene, wire::Request};

tell_of_every_proxy! {
    a_body_of_a_mebibyte_reaches_the_application_and_only_it
    a_body_without_a_session_reaches_nobody
    a_websocket_is_open_to_whoever_is_let_in
    a_websocket_is_closed_to_everybody_else
}

/// A mebibyte that is nowhere else.
fn body() -> Vec<u8> {
    let line = b"0123456789abcde fghijklmnopqrst\n";
    line.iter().copied().cycle().take(1024 * 1024).collect()
}

async fn a_body_of_a_mebibyte_reaches_the_application_and_only_it(kind: Kind) {
    let scene = Scene::start(kind).await;
    let ada = scene.session_of(&scene.ada).await;

    for method in ["POST", "PUT", "PATCH"] {
        let upload = Request::new(method, "/reports").header("Cookie", ada.as_str()).body(body());
        let reply = upload.send(scene.port).await;

        assert_eq!(reply.status, 200, "{reply:?}");
        let seen = scene.application.take_one();
        assert_eq!((seen.method.as_str(), seen.body == body()), (method, true));
        let said = scene.relay().take_said();
        assert!(said.contains("/auth/check"), "{said}");
        assert!(!said.contains("0123456789abcde") && said.len() < 8 * 1024, "{}", said.len());
    }
}

async fn a_body_without_a_session_reaches_nobody(kind: Kind) {
    let scene = Scene::start(kind).await;
    scene.relay().take_said();

    let reply = Request::new("POST", "/reports").body(body()).send(scene.port).await;

    assert_eq!(reply.status, 401);
    assert!(scene.application.take_seen().is_empty());
    assert!(!scene.relay().take_said().contains("0123456789abcde"));
}

fn websocket(path: &str, connection: &str) -> Request {
    Request::get(path)
        .header("Connection", connection)
        .header("Upgrade", "websocket")
        .header("Sec-WebSocket-Version", "13")
        .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
        .header("Sec-Fetch-Mode", "websocket")
}

async fn a_websocket_is_open_to_whoever_is_let_in(kind: Kind) {
    let scene = Scene::start(kind).await;
    let ada = scene.session_of(&scene.ada).await;

    for (path, connection) in [
        ("/live", "Upgrade"),
        ("/admin/live", "keep-alive, Upgrade"),
        ("/api/live", "upgrade"),
        ("/live", "Upgrade, X-Portico-Role"),
    ] {
        let asked = websocket(path, connection).header("Cookie", ada.as_str());
        let asked = asked.header("X-Portico-Role", "x");
        let (reply, mut stream) = asked.upgrade(scene.port).await;
        let mut echoed = [0; 9];
        stream.write_all(b"\x81\x85maskXXX").await.unwrap();
        stream.read_exact(&mut echoed).await.unwrap();

        assert_eq!(reply.status, 101, "{path}: {reply:?}");
        assert_eq!(&echoed, b"\x81\x85maskXXX", "{path}");
        assert_eq!(scene.application.take_one().values("x-portico-role"), ["Admin"]);
    }
}

async fn a_websocket_is_closed_to_everybody_else(kind: Kind) {
    let scene = Scene::start(kind).await;
    let bob = scene.session_of(&scene.bob).await;

    let (nobody, _) = websocket("/live", "Upgrade").upgrade(scene.port).await;
    let (too_low, _) =
        websocket("/admin/live", "Upgrade").header("Cookie", bob).upgrade(scene.port).await;

    assert_eq!((nobody.status, too_low.status), (401, 403));
    assert!(scene.application.take_seen().is_empty());
}
