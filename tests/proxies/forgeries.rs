//! What a client says of itself does not reach the application.

use crate::{
    application::Seen,
    proxy::Kind,
    scene::Scene,
    wire::{Reply, Request},
};

tell_of_every_proxy! {
    forged_identity_headers_never_reach_the_application
    a_header_that_is_almost_ours_does_not_pass_for_it
    every_request_of_a_connection_is_asked_about
    a_client_cannot_have_the_identity_removed_on_the_way
    where_a_person_comes_back_to_is_not_for_other_headers_to_say
    a_client_cannot_speak_to_portico_in_the_proxys_name
    what_portico_tells_the_proxy_is_not_told_to_the_client
    a_session_is_found_among_other_cookies
    too_many_cookies_are_refused_and_break_nothing
}

const NAMES: [&str; 6] = ["Account", "Email", "Name", "Organization", "Role", "Access-Groups"];

/// What nobody but the client writes.
const FORGED: &str = "EnterpriseAdmin";

/// Each identity header in every spelling that some application takes for it.
fn spellings() -> Vec<String> {
    // Signs in place of the first, the second and the third `-`.
    let signs = [
        "---", "___", "...", "-__", "_--", "--_", "--.", "-.-", ".--", "-._", "_.-", "._.", "!!!",
        "~-~", "-+-", "|--",
    ];
    let spell = |name: &str| {
        let signed = signs.map(|signs| {
            let mut signs = signs.chars();
            let dashed = format!("X-Portico-{name}");
            let letters = dashed.chars();
            letters
                .map(|letter| if letter == '-' { signs.next().unwrap() } else { letter })
                .collect()
        });
        let low = format!("x-portico-{name}").to_ascii_lowercase();
        let lines = low.replace('-', "_");
        let dots = low.replace('-', ".");
        let cased = [low, lines, dots, format!("X-PORTICO-{name}"), format!("X.PORTICO.{name}")];
        signed.into_iter().chain(cased).collect::<Vec<String>>()
    };
    NAMES.iter().flat_map(|name| spell(name)).collect()
}

/// Nothing that was forged arrived, and of each header at most one.
fn assert_honest(seen: &Seen, spelling: &str) {
    for name in NAMES.map(|name| format!("x-portico-{name}")) {
        let values = seen.values(&name);
        let honest = values.len() < 2 && !values.concat().contains(FORGED);
        assert!(honest, "{spelling} at {}: {seen:?}", seen.target);
    }
}

async fn forged_identity_headers_never_reach_the_application(kind: Kind) {
    let scene = Scene::start(kind).await;
    let ada = scene.session_of(&scene.ada).await;

    for path in ["/public/news", "/reports", "/admin/people", "/api/doors"] {
        let asked = Request::get(path).header("Cookie", ada.as_str());
        let all = spellings();
        let each =
            all.iter().map(|spelling| (spelling.as_str(), asked.clone().header(spelling, FORGED)));
        // As many as every proxy reads, and each of them twice.
        let many = all.chunks(40).map(|spellings| {
            let asked = spellings.iter().fold(asked.clone(), |asked, spelling| {
                asked.header(spelling, FORGED).header(spelling, FORGED)
            });
            ("many", asked)
        });
        for (spelling, asked) in each.chain(many) {
            let reply = asked.send(scene.port).await;

            assert_eq!(reply.status, 200, "{spelling} at {path}: {reply:?}");
            assert_honest(&scene.application.take_one(), spelling);
        }
        assert_eq!(unknown(&scene, path, &ada).await, lets_unknown_pass(kind, path), "{path}");
        assert_no_foreign_authorization(&scene, path, &ada).await;
    }
}

/// Whether a header that is none of the six arrives; it tells of nobody, but looks like ours.
async fn unknown(scene: &Scene, path: &str, session: &str) -> bool {
    let asked = Request::get(path).header("Cookie", session).header("X-Portico-Unknown", FORGED);
    asked.send(scene.port).await;
    !scene.application.take_one().values("x-portico-unknown").is_empty()
}

/// nginx removes headers by name only, Traefik by pattern only where it asks.
fn lets_unknown_pass(kind: Kind, path: &str) -> bool {
    kind == Kind::Nginx || (kind == Kind::Traefik && path.starts_with("/public/"))
}

async fn assert_no_foreign_authorization(scene: &Scene, path: &str, session: &str) {
    let asked = Request::get(path).header("Cookie", session);
    asked.header("Authorization", "Bearer forged.forged.forged").send(scene.port).await;

    let seen = scene.application.take_one();
    let said = seen.values("authorization").concat();
    assert!(!said.contains("forged"), "{path}: {seen:?}");
}

async fn a_header_that_is_almost_ours_does_not_pass_for_it(kind: Kind) {
    let scene = Scene::start(kind).await;
    let bob = scene.session_of(&scene.bob).await;

    for name in [
        "X-Portico-Role ",
        "X-Portico-Role\t",
        " X-Portico-Role",
        "\tX-Portico-Role",
        "X-Portico-Role\0",
        "X-Portico-Role:",
        "X-Portico Role",
        "X-Accept: x\nX-Portico-Role",
        "X-Accept: x\rX-Portico-Role",
    ] {
        for path in ["/public/news", "/reports"] {
            let asked = Request::get(path).header("Cookie", bob.as_str()).header("X-Other", "x");
            let reply = asked.header(name, FORGED).try_send(scene.port).await;

            let seen = scene.application.take_seen();
            let told = seen.iter().flat_map(|seen| seen.values("x-portico-role"));
            let forged = told.filter(|role| role.contains(FORGED)).count();
            assert_eq!(forged, 0, "{name:?} at {path}: {seen:?}");
            let status = reply.map_or(0, |reply| reply.status);
            assert!(status < 500, "{name:?} at {path}: {status}");
        }
    }
}

async fn every_request_of_a_connection_is_asked_about(kind: Kind) {
    let scene = Scene::start(kind).await;
    let ada = scene.session_of(&scene.ada).await;
    let hers = || Request::get("/admin/people").header("Cookie", ada.as_str());
    let nobodys = || Request::get("/admin/people");

    let hers_first = hers().send_before(nobodys(), scene.port).await;
    let seen_of_hers_first = scene.application.take_seen().len();
    let nobodys_first = nobodys().send_before(hers(), scene.port).await;
    let public_last = hers().send_before(Request::get("/public/news"), scene.port).await;

    assert_eq!((hers_first, seen_of_hers_first), (vec![200, 401], 1));
    assert_eq!(nobodys_first, [401, 200]);
    assert_eq!(public_last, [200, 200]);
    assert_eq!(scene.application.take_seen().last().unwrap().identity(), []);
}

async fn a_client_cannot_have_the_identity_removed_on_the_way(kind: Kind) {
    let scene = Scene::start(kind).await;
    let bob = scene.session_of(&scene.bob).await;

    for connection in [
        "close, X-Portico-Role",
        "X-Portico-Role, X-Portico-Account",
        "x-portico-role, cookie",
        "Keep-Alive, X-Portico-Role, close",
        "Upgrade, X-Portico-Role",
    ] {
        let asked = Request::get("/reports").header("Cookie", bob.as_str());
        let asked = asked.header("Connection", connection);
        let (reply, _) = asked.upgrade(scene.port).await;
        let seen = scene.application.take_seen();

        // Whoever asks for the cookie to be dropped may well be nobody.
        if reply.status == 401 {
            assert!(seen.is_empty() && connection.contains("cookie"), "{connection}");
            continue;
        }
        assert_eq!(reply.status, 200, "{connection}: {reply:?}");
        assert_eq!(seen[0].values("x-portico-role"), ["ReadOnly"], "{connection}");
        let passed_on = seen[0].values("connection").concat().to_lowercase();
        assert!(!passed_on.contains("portico"), "{connection}: {passed_on}");
    }
}

async fn where_a_person_comes_back_to_is_not_for_other_headers_to_say(kind: Kind) {
    let scene = Scene::start(kind).await;
    let elsewhere = scene.address("/elsewhere");

    let asked = Request::get("/reports?year=2026")
        .navigating()
        .header("X-Original-URL", elsewhere.as_str())
        .header("X-Original-URI", "/elsewhere")
        .header("X-Original-Method", "POST")
        .header("X-Forwarded-Uri", "/elsewhere")
        .header("X-Forwarded-Method", "POST")
        .header("X-Forwarded-Host", "evil.example")
        .header("X-Forwarded-Proto", "gopher");
    let reply = asked.send(scene.port).await;

    let login = scene.address("/login?return_to=%2Freports%3Fyear%3D2026");
    assert_eq!((reply.status, reply.header("location")), (302, Some(login.as_str())), "{reply:?}");
}

async fn a_client_cannot_speak_to_portico_in_the_proxys_name(kind: Kind) {
    let scene = Scene::start(kind).await;
    let bob = scene.session_of(&scene.bob).await;

    for path in [
        "/admin/people?role=ReadOnly",
        "/admin/people?token=jwt&role=ReadOnly",
        "/admin?role=ReadOnly",
        "/admin/people#?role=ReadOnly",
    ] {
        let asked = Request::get(path)
            .header("Cookie", bob.as_str())
            .header("X-Portico-Demand", "role=ReadOnly");
        let reply = asked.send(scene.port).await;

        assert!([400, 403].contains(&reply.status), "{path}: {reply:?}");
        assert!(scene.application.take_seen().is_empty(), "{path}");
    }
}

async fn what_portico_tells_the_proxy_is_not_told_to_the_client(kind: Kind) {
    let scene = Scene::start(kind).await;
    let bob = scene.session_of(&scene.bob).await;

    for path in [
        "/reports",
        "/admin/people",
        "/api/doors",
        "/public/news",
        "/auth/check?token=jwt",
        "/auth/check/?token=jwt",
        "/portico-check/token=jwt",
    ] {
        let asked = Request::get(path).header("Cookie", bob.as_str());
        let reply = asked.header("X-Portico-Demand", "token=jwt").send(scene.port).await;

        let mut names = reply.headers.iter().map(|(name, _)| name.to_ascii_lowercase());
        let is_ours = |name: String| name.starts_with("x-portico-") || name == "authorization";
        assert!(!names.any(is_ours), "{path}: {reply:?}");
    }
}

async fn a_session_is_found_among_other_cookies(kind: Kind) {
    let scene = Scene::start(kind).await;
    let bob = scene.session_of(&scene.bob).await;
    let others = |number| (0..number).map(|n| format!("other{n}={}; ", "v".repeat(200)));
    let some: String = others(20).collect();

    let in_one = Request::get("/reports").header("Cookie", format!("{some}{bob}"));
    let in_one = in_one.send(scene.port).await;
    let seen_of_one = scene.application.take_one();
    let in_two = Request::get("/reports").header("Cookie", "a=b").header("Cookie", bob.as_str());
    let in_two = in_two.send(scene.port).await;
    let seen_of_two = scene.application.take_seen();

    assert_eq!(in_one.status, 200, "{in_one:?}");
    assert_eq!(seen_of_one.values("x-portico-role"), ["ReadOnly"]);
    // Envoy joins two headers by a comma, as no cookies are; no browser sends two.
    let expected = if kind == Kind::Envoy { 401 } else { 200 };
    assert_eq!((in_two.status, seen_of_two.is_empty()), (expected, expected == 401));
}

async fn too_many_cookies_are_refused_and_break_nothing(kind: Kind) {
    let scene = Scene::start(kind).await;
    let bob = scene.session_of(&scene.bob).await;
    let asked = |length: usize| {
        let huge = format!("other={}", "v".repeat(length));
        Request::get("/reports").navigating().header("Cookie", huge)
    };

    for length in [7_000, 12_000, 30_000, 70_000, 200_000] {
        let reply: Option<Reply> = asked(length).try_send(scene.port).await;

        // A proxy may also just hang up.
        let status = reply.map_or(0, |reply| reply.status);
        assert!([0, 302, 400, 413, 431].contains(&status), "{length}: {status}");
    }
    assert!(scene.application.take_seen().is_empty());
    assert_eq!(scene.role_at("/reports", &bob).await.as_deref(), Some("ReadOnly"));
}
