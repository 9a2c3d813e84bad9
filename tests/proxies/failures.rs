//! Portico is away, or slow: nobody is let in who should not be.

use std::time::Duration;

use tokio::time::Instant;

use crate::{proxy::Kind, relay::Mood, scene::Scene, wire::Request};

tell_of_every_proxy! {
    nobody_is_let_in_while_portico_is_down
    nobody_is_let_in_while_portico_is_silent
    nobody_is_let_in_by_half_an_answer
    who_may_is_let_in_by_a_slow_portico
}

/// The recipes wait about five seconds; Traefik asks for thirty, and can't be told otherwise.
const fn patience(kind: Kind) -> Duration {
    Duration::from_secs(if matches!(kind, Kind::Traefik) { 40 } else { 12 })
}

async fn nobody_is_let_in_while_portico_is_down(kind: Kind) {
    let mut scene = Scene::start(kind).await;
    let ada = scene.session_of(&scene.ada).await;
    let before = scene.role_at("/admin/people", &ada).await;

    drop(scene.relay.take());

    assert_eq!(before.as_deref(), Some("Admin"));
    assert_all_refused(&scene, &ada).await;
    let public = Request::get("/public/news").send(scene.port).await;
    assert_eq!(public.status, 200);
}

async fn nobody_is_let_in_while_portico_is_silent(kind: Kind) {
    let scene = Scene::start(kind).await;
    let ada = scene.session_of(&scene.ada).await;

    scene.relay().set(Mood::Silent);

    let began = Instant::now();
    assert_all_refused(&scene, &ada).await;
    assert!(began.elapsed() < patience(kind), "{:?}", began.elapsed());
}

/// Each kind of page answers 5xx, all being asked at once, and none reaches the application.
async fn assert_all_refused(scene: &Scene, session: &str) {
    let ask = |path: &'static str| {
        Request::get(path).navigating().header("Cookie", session).send(scene.port)
    };
    let (page, admin, api) = tokio::join!(ask("/reports"), ask("/admin/people"), ask("/api/doors"));

    for reply in [page, admin, api] {
        assert!([500, 502, 503, 504].contains(&reply.status), "{reply:?}");
    }
    assert!(scene.application.take_seen().is_empty());
}

async fn nobody_is_let_in_by_half_an_answer(kind: Kind) {
    let scene = Scene::start(kind).await;
    let ada = scene.session_of(&scene.ada).await;

    // Within the first line, after it, and within the first header.
    for after in [0, 12, 17, 20] {
        scene.relay().set(Mood::Cut(after));

        assert_all_refused(&scene, &ada).await;
    }
}

/// HAProxy logs what goes wrong in Lua, and goes on with the next line of its configuration.
#[tokio::test]
async fn haproxy_lets_nobody_in_when_its_check_fails_itself() {
    let begins = "function(txn, demand)\n";
    let ends = "    for _, name in ipairs(IDENTITY) do\n        txn.http:req_del_header(name)\n";
    for change in [
        ("auth.lua", begins, "function(txn, demand)\n    error(\"x\")\n"),
        ("auth.lua", begins, "function(txn, demand)\n    while true do end\n"),
        ("auth.lua", begins, "function(txn, demand)\n    do return end\n"),
        ("auth.lua", ends, "    error(\"x\")\n    for _, name in ipairs(IDENTITY) do\n"),
        ("haproxy.cfg", "lua.portico_check role=Admin if admin", "set-log-level debug"),
    ] {
        let scene = Scene::start_with(Kind::Haproxy, &[change]).await;
        let ada = scene.session_of(&scene.ada).await;

        let nobodys = Request::get("/admin/people").send(scene.port).await;
        let hers = Request::get("/admin/people").header("Cookie", ada).send(scene.port).await;
        let seen = scene.application.take_seen();
        let public = Request::get("/public/news").send(scene.port).await;

        assert!([401, 503].contains(&nobodys.status), "{change:?}: {nobodys:?}");
        assert_eq!((hers.status, seen.len()), (503, 0), "{change:?}: {hers:?}, {seen:?}");
        assert_eq!(public.status, 200, "{change:?}");
    }
}

async fn who_may_is_let_in_by_a_slow_portico(kind: Kind) {
    let scene = Scene::start(kind).await;
    let ada = scene.session_of(&scene.ada).await;

    scene.relay().set(Mood::Slow(Duration::from_millis(500)));

    assert_eq!(scene.role_at("/admin/people", &ada).await.as_deref(), Some("Admin"));
    let nobody = Request::get("/admin/people").send(scene.port).await;
    assert_eq!(nobody.status, 401);
}
