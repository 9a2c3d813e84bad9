//! One address is one page, to the proxy and to the application.

use crate::{proxy::Kind, scene::Scene, wire::Request};

tell_of_every_proxy! {
    no_spelling_of_an_address_leads_past_its_check
    honest_addresses_arrive_as_they_were_asked_for
}

/// Ways to write `/admin/people` so that one reader sees something else.
const SPELLINGS: [&str; 54] = [
    "/admin/people",
    "/admin",
    "/ADMIN/people",
    "/Admin",
    "//admin/people",
    "///admin/people",
    "/public//admin/people",
    "/public/../admin/people",
    "/public/./../admin/people",
    "/public/..//admin/people",
    "/public/x/../../admin/people",
    "/public/%2e%2e/admin/people",
    "/public/%2E%2E/admin/people",
    "/public/.%2e/admin/people",
    "/public/..%2fadmin/people",
    "/public/..%2Fadmin/people",
    "/public/..%5cadmin/people",
    "/public/..\\admin/people",
    "/public\\..\\admin/people",
    "/public/..;/admin/people",
    "/public/;/../admin/people",
    "/public/..%3b/admin/people",
    "/public/..%00/admin/people",
    "/./admin/people",
    "/%2e/admin/people",
    "/%61dmin/people",
    "/%41dmin/people",
    "/adm%69n/people",
    "/admin%2fpeople",
    "/admin;x/people",
    "/admin%3bx/people",
    "/admin/../public/news",
    "/admin/%2e%2e/public/news",
    "/admin/..%2fpublic/news",
    "/admin/..;/public/news",
    "/admin/people/..%2f..%2fpublic/news",
    "/admin%3Fx",
    "/admin%3fx=/people",
    "/admin%23x",
    "/admin#x",
    "/admin/people#/public/",
    "/admin%25",
    "/%2561dmin/people",
    "/public/%252e%252e/admin/people",
    "/public/%25%32%65%25%32%65/admin/people",
    "/public/%23/%252e%252e/admin",
    "/public/#/admin",
    "/public/news%3F/admin",
    "/admin%20",
    "/admin%20/people",
    "/admin%20?year=2026",
    "/ADMIN%20%20/people",
    "/public/news%20/x",
    "/public/news%20",
];

/// Whether nobody could take an address for one under `/admin`, or for another than it seems.
fn is_plainly_elsewhere(target: &str) -> bool {
    let path = target.split('?').next().unwrap().to_ascii_lowercase();
    let marks = ["//", "/.", "\\", ";", "#", "%2", "%3", "%5c", "%00", "%6", "%4"];
    !path.starts_with("/admin") && !marks.iter().any(|mark| path.contains(mark))
}

async fn no_spelling_of_an_address_leads_past_its_check(kind: Kind) {
    let scene = Scene::start(kind).await;
    let bob = scene.session_of(&scene.bob).await;
    let origin = scene.address("");

    let absolute = format!("{origin}/admin/people");
    for target in SPELLINGS.into_iter().chain([absolute.as_str()]) {
        for session in [None, Some(&bob)] {
            let asked = Request::get(target);
            let asked = session.into_iter().fold(asked, |asked, bob| asked.header("Cookie", bob));
            let reply = asked.try_send(scene.port).await;

            let seen = scene.application.take_seen();
            let elsewhere = seen.iter().all(|seen| is_plainly_elsewhere(&seen.target));
            assert!(elsewhere, "{target} came as {}", seen[0].target);
            let status = reply.map_or(0, |reply| reply.status);
            assert!(status < 500, "{target}: {status}");
        }
    }
}

async fn honest_addresses_arrive_as_they_were_asked_for(kind: Kind) {
    let scene = Scene::start(kind).await;
    let ada = scene.session_of(&scene.ada).await;

    for target in [
        "/",
        "/reports",
        "/reports/",
        "/reports?next=/admin/../x//y;z&a=%2e%2e%2f",
        "/reports/Z%C3%BCrich%20and%20more",
        "/reports/annual%20report%20.pdf?name=100%25%3F%23%20",
        "/reports/a.b/.hidden/c..d/...",
        "/reports/a+b,c=d@e:f!(g)*'$&~-_",
        "/administration",
        "/admin/people?sort=name",
        "/public/news.html",
        "/publication",
    ] {
        let reply = Request::get(target).header("Cookie", ada.as_str()).send(scene.port).await;

        assert_eq!(reply.status, 200, "{target}: {reply:?}");
        // Go's `;` in a query is `&`, and so is Traefik's.
        let semicolon = if kind == Kind::Traefik { "&" } else { ";" };
        assert_eq!(scene.application.take_one().target, target.replace(';', semicolon));
    }
}
