//! Cookies, and what they open.

use std::time::{Duration, Instant};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use http::Method;
use jiff::SignedDuration;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::json;

use crate::{
    scene::{acme_with_ada, assert_refused, assert_signed_in, requests},
    support::{Ask, SESSION},
    who::{is_signed_in, session, sessions},
};

/// The longest head of a request that is read; a longer one may meet a closed connection.
const LIMIT: usize = 131_072;

/// The addresses that ask whose session it is, and what they answer when it is nobody's.
const NOBODYS: [(Method, &str, u16); 6] = [
    (Method::GET, "/session", 401),
    (Method::POST, "/session/token", 401),
    (Method::GET, "/auth/check", 401),
    (Method::GET, "/auth/check?token=jwt", 401),
    (Method::GET, "/", 303),
    (Method::GET, "/login/acme", 302),
];

/// L24, CVE-2026-34454: the sign-in page was shown while the session before it lived on.
#[tokio::test]
async fn whichever_way_one_signs_out_the_page_at_its_end_stands_before_a_dead_session() {
    let (mut service, acme, ada) = acme_with_ada().await;

    for way in ["/logout", "/logout?local=true", "connector off", "authority away"] {
        let mut browser = service.browser();
        assert_signed_in(&service, &browser.sign_in(&acme, &ada).await);
        let value = browser.cookie(SESSION).unwrap().to_owned();
        if way == "connector off" {
            service.change_connector(&acme, |connector| connector.enabled = false).await;
        } else if way == "authority away" {
            service.stop_entra().await;
        }

        let address = if way.starts_with('/') { way } else { "/logout" };
        let sent_on = browser.ask(Ask::get(address)).await;
        let email_box = browser.open("/login").await;

        assert_eq!((sent_on.status, email_box.status), (303, 200), "{way}");
        assert_eq!(browser.cookie(SESSION), None, "{way}");
        browser.forge_cookie(SESSION, &value);
        assert!(!is_signed_in(&mut browser).await, "{way}");
        if way == "connector off" {
            service.change_connector(&acme, |connector| connector.enabled = true).await;
        }
    }
}

/// L27, CVE-2024-24814: a cookie said how many more there were, and all of them were looked for.
#[tokio::test]
async fn cookies_by_number_and_size_neither_delay_nor_break_anything() {
    let (service, _, _) = acme_with_ada().await;
    let numbered: Vec<String> = (0..4_000).map(|n| format!("{SESSION}_{n}=x")).collect();
    let hostile = [
        format!("{SESSION}_chunks=99999999; {SESSION}_0=x"),
        format!("{SESSION}=99999999; {SESSION}_chunks=-1"),
        numbered.join("; "),
        format!("{SESSION}={}", "A".repeat(60_000)),
        format!("{SESSION}={}", "%41".repeat(20_000)),
        ";".repeat(60_000),
        format!("{SESSION}=x; ").repeat(3_000),
        format!("{SESSION}={}", "A".repeat(2 * LIMIT)),
    ];

    for cookie in hostile {
        for (method, address, _) in NOBODYS {
            let began = Instant::now();
            let ask = Ask::new(method, address).header("cookie", &cookie);

            let answer = ask.try_send(&service.origin).await;

            assert!(began.elapsed() < Duration::from_secs(10), "{address}: {cookie:.60}");
            let Ok(answer) = answer else {
                assert!(cookie.len() > LIMIT, "{address}: no answer to {cookie:.60}");
                continue;
            };
            let status = answer.status;
            assert!(status != 200 && status < 500, "{address} {status}: {cookie:.60}");
        }
    }
    assert_eq!(service.ask(Ask::get("/health/ready")).await.status, 200);
}

/// L28, GHSA-59jp-rwph-878r: a page's content came along with the form that led to sign-in.
#[tokio::test]
async fn nothing_that_a_proxy_takes_for_a_yes_is_answered_to_somebody_without_a_session() {
    let (service, acme, ada) = acme_with_ada().await;
    let mut browser = service.browser();
    assert_signed_in(&service, &browser.sign_in(&acme, &ada).await);
    let methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "X"];

    for method in methods {
        for accept in ["text/html", "*/*", "application/json"] {
            let forwarded = Ask::get("/auth/check").header("x-forwarded-method", method);
            let forwarded = forwarded.header("x-forwarded-uri", "/reports");
            let direct = Ask::new(method.parse().unwrap(), "/auth/check");
            let asks = if method == "CONNECT" { vec![forwarded] } else { vec![forwarded, direct] };
            for ask in asks {
                let answer = service.ask(ask.header("accept", accept)).await;

                assert!(!(200..300).contains(&answer.status), "{method} {accept}");
                assert!(
                    !answer.body.contains("ada@") && !answer.body.contains("<form"),
                    "{method}"
                );
                let named =
                    answer.headers.keys().any(|name| name.as_str().starts_with("x-portico"));
                assert!(!named, "{method} {accept}: {:?}", answer.headers);
            }
        }
    }
}

/// L29, GHSA-wcvh-g65p-v576: a JWT as a bearer opened doors that its audience did not name.
#[tokio::test]
async fn a_token_for_the_platforms_programs_is_neither_a_session_nor_a_directorys_password() {
    let (service, acme, ada) = acme_with_ada().await;
    let mut browser = service.browser();
    assert_signed_in(&service, &browser.sign_in(&acme, &ada).await);
    let issued = browser.ask(Ask::post("/session/token")).await.json();
    let token = issued["access_token"].as_str().unwrap().to_owned();
    let cookie = browser.cookie(SESSION).unwrap().to_owned();
    let value = percent_decode_str(&cookie).decode_utf8().unwrap()[44..].to_owned();

    for bearer in [&token, &cookie, &value, &acme.scim_password] {
        for address in ["/session", "/auth/check", "/auth/check?token=jwt", "/"] {
            let ask = Ask::get(address).header("authorization", format!("Bearer {bearer}"));
            let answer = service.ask(ask).await;

            assert!([401, 303].contains(&answer.status), "{address}: {bearer:.20}");
        }
    }
    for bearer in [token, cookie, value] {
        let ask = Ask::get(format!("{}/Users", acme.scim().url));
        let answer = service.ask(ask.header("authorization", format!("Bearer {bearer}"))).await;

        assert_eq!(answer.status, 401, "{bearer:.20}");
    }
    assert_eq!(acme.scim().get("/Users").await.status, 200);
}

/// L30, `mod_auth_openidc` 2026: a session that was planted before became the victim's own.
#[tokio::test]
async fn a_session_cookie_that_was_planted_ends_where_its_victim_signs_in() {
    let (service, acme, ada) = acme_with_ada().await;
    let eve = acme.has_person("eve", &["User"]);
    acme.provision().await;
    let (mut attacker, mut victim) = (service.browser(), service.browser());
    assert_signed_in(&service, &attacker.sign_in(&acme, &eve).await);
    let planted = attacker.cookie(SESSION).unwrap().to_owned();

    victim.forge_cookie(SESSION, &planted);
    assert_signed_in(&service, &victim.sign_in(&acme, &ada).await);

    assert_eq!(session(&mut victim).await["account"], acme.scim_id(&ada).await);
    assert_ne!(victim.cookie(SESSION), Some(planted.as_str()));
    assert!(!is_signed_in(&mut attacker).await);
}

/// L35, `mod_auth_openidc` 2026: whoever knew a bare sid had the tokens at the provider revoked.
#[tokio::test]
async fn a_bare_sid_ends_what_it_names_here_and_asks_nothing_of_the_authority() {
    let (service, acme, ada) = acme_with_ada().await;
    let mut browser = service.browser();
    assert_signed_in(&service, &browser.sign_in(&acme, &ada).await);
    let account = session(&mut browser).await["account"].as_str().unwrap().parse().unwrap();
    let (ports, now) = (service.ports(), service.clock.now());
    let live = ports.sessions.list_of_account(acme.stored.id, account, now).await.unwrap();
    let sid = live[0].sid.clone().unwrap();
    let asked_before = requests(&service);

    let address = format!("/oidc/{}/frontchannel-logout?sid={sid}", acme.connector_id());
    let answer = service.ask(Ask::get(address)).await;

    assert_eq!((answer.status, answer.body.as_str()), (200, ""));
    assert!(!is_signed_in(&mut browser).await);
    assert_eq!(requests(&service), asked_before);
}

/// L50, CVE-2025-47275: a session cookie passed with a signature that was cut short.
#[tokio::test]
async fn a_session_cookie_with_less_than_its_whole_signature_opens_nothing() {
    let (service, acme, ada) = acme_with_ada().await;
    let mut browser = service.browser();
    assert_signed_in(&service, &browser.sign_in(&acme, &ada).await);
    let cookie = browser.cookie(SESSION).unwrap().to_owned();
    let whole = percent_decode_str(&cookie).decode_utf8().unwrap().into_owned();
    let (signature, value) = whole.split_at(44);
    let tag = BASE64_STANDARD.decode(signature).unwrap();
    let mut forgeries: Vec<String> =
        (0..44).map(|n| format!("{}{value}", &signature[..n])).collect();
    for kept in 0..tag.len() {
        let padded = [&tag[..kept], &vec![0; tag.len() - kept]].concat();
        forgeries.push(format!("{}{value}", BASE64_STANDARD.encode(&tag[..kept])));
        forgeries.push(format!("{:=<44}{value}", BASE64_STANDARD.encode(&tag[..kept])));
        forgeries.push(format!("{}{value}", BASE64_STANDARD.encode(padded)));
    }
    let end = tag[tag.len() - 1];
    forgeries.retain(|forged| *forged != whole);

    for forged in &forgeries {
        let escaped = utf8_percent_encode(forged, NON_ALPHANUMERIC);
        let ask = Ask::get("/session").header("cookie", format!("{SESSION}={escaped}"));
        let answer = service.ask(ask).await;

        assert_eq!(answer.status, 401, "{forged} (the tag ends with {end})");
    }
    assert!(forgeries.len() > 100 && is_signed_in(&mut browser).await);
}

/// L51, CVE-2021-41246 and CVE-2022-25896: a session kept its name over sign-in and sign-out.
#[tokio::test]
async fn every_sign_in_and_sign_out_leaves_the_cookie_before_it_worthless() {
    let (service, acme, ada) = acme_with_ada().await;
    let (mut browser, mut thief) = (service.browser(), service.browser());
    let mut copied: Vec<String> = Vec::new();

    for signs_out in [false, true, false, true] {
        // Sign-ins of the same minute share a session: tabs that were opened together.
        service.advance(SignedDuration::from_mins(2));
        assert_signed_in(&service, &browser.sign_in(&acme, &ada).await);
        for former in &copied {
            thief.forge_cookie(SESSION, former);
            assert!(!is_signed_in(&mut thief).await);
        }
        let value = browser.cookie(SESSION).unwrap().to_owned();
        assert!(is_signed_in(&mut browser).await && !copied.contains(&value));
        copied.push(value);
        if signs_out {
            browser.open("/logout?local=true").await;
            assert_eq!(browser.cookie(SESSION), None);
        }
    }

    for former in &copied {
        thief.forge_cookie(SESSION, former);
        assert!(!is_signed_in(&mut thief).await);
    }
    assert_eq!(sessions(&service, &acme, &acme.scim_id(&ada).await).await, 0);
}

/// L56, Auth.js GHSA-xmf8-cvqr-rfgj: a malformed header crashed what should have found nobody.
#[tokio::test]
async fn a_malformed_credential_is_none_and_no_crash() {
    let (service, acme, _) = acme_with_ada().await;
    let users = format!("{}/Users", acme.scim().url);
    let malformed: [&[u8]; 16] = [
        b"",
        b" ",
        b"Bearer",
        b"Bearer ",
        b"bearer\t",
        b"Basic",
        b"Basic =",
        b"Basic ====",
        b"Basic !!!!",
        b"Basic bm9jb2xvbg==",
        b"Basic /////w==",
        b"Basic Og==",
        b"Bearer \xff\xfe",
        b"\xff",
        b"Negotiate YII=",
        b"Bearer a, Basic b",
    ];

    for value in malformed {
        for (method, address, status) in NOBODYS.into_iter().chain([(Method::GET, &*users, 401)]) {
            let ask = Ask::new(method, address).header("authorization", value);
            let answer = service.ask(ask).await;

            let shown = String::from_utf8_lossy(value);
            assert_eq!(answer.status, status, "{address}: {shown}");
        }
    }
}

/// L60, GHSA-2vg6-77g8-24mp: somebody whom the directory deleted went on being signed in.
#[tokio::test]
async fn whom_the_directory_deletes_is_out_everywhere_and_stays_out_when_made_again() {
    let (service, acme, ada) = acme_with_ada().await;
    let mut browsers = [service.browser(), service.browser()];
    for browser in &mut browsers {
        assert_signed_in(&service, &browser.sign_in(&acme, &ada).await);
    }
    let mut on_the_way = service.browser();
    let answer = on_the_way.sign_in_until_callback(&acme, &ada).await;
    let id = acme.scim_id(&ada).await;
    let mut user = acme.scim().get(&format!("/Users/{id}")).await.json();

    assert_eq!(acme.scim().delete(&format!("/Users/{id}")).await.status, 204);
    let deleted = [is_signed_in(&mut browsers[0]).await, is_signed_in(&mut browsers[1]).await];
    let page = on_the_way.bring(answer).await;
    user["id"] = json!(null);
    acme.scim().create(&user).await;

    assert_eq!(deleted, [false, false]);
    assert_refused(&mut on_the_way, &page, 403, crate::scene::NOT_PROVISIONED).await;
    for browser in &mut browsers {
        assert!(!is_signed_in(browser).await, "a new account brings no session back");
    }
    assert_signed_in(&service, &browsers[0].sign_in(&acme, &ada).await);
}

/// L64, CVE-2026-25748: a malformed session cookie went past what should have stopped it.
#[tokio::test]
async fn a_malformed_session_cookie_is_nobodys_at_every_address() {
    let (service, acme, ada) = acme_with_ada().await;
    let mut browser = service.browser();
    let answer = browser.sign_in_until_callback(&acme, &ada).await;
    let malformed: [&[u8]; 12] = [
        b"portico-session",
        b"portico-session=",
        b"portico-session==",
        b"=portico-session",
        b"portico-session=%",
        b"portico-session=%zz%",
        b"portico-session=%00%ff",
        b"portico-session=\xff\xfe",
        b"portico-session={\"account\":\"ada\"}",
        b"portico-session=null; portico-session=undefined",
        b"\xff\xff\xff",
        b";;;===",
    ];

    for value in malformed {
        for (method, address, status) in NOBODYS {
            let answer = service.ask(Ask::new(method, address).header("cookie", value)).await;

            let shown = String::from_utf8_lossy(value);
            assert_eq!(answer.status, status, "{address}: {shown}");
            assert_eq!(answer.header("x-portico-account"), None, "{address}: {shown}");
        }
        let signed_out = service.ask(Ask::post("/logout").header("cookie", value)).await;
        assert_eq!(signed_out.header("location"), Some("/logout/done"));
    }
    browser.forge_cookie(SESSION, "%00");
    assert_signed_in(&service, &browser.bring(answer).await);
    assert_eq!(requests(&service)[2], 1);
}
